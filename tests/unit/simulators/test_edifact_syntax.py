"""The simulators' own EDIFACT: what is written is read again, what is broken is found."""

from datetime import UTC, date, datetime

import pytest

from simulators.edifact import calendar
from simulators.edifact.syntax import Fault, NobodyKnown, read, seg, written

HEAD = "UNB+UNOC:3+9900000001027:500+9900000001019:500+261120:1100+NB1'"
GOOD = f"UNA:+.? '\r\n{HEAD}UNH+1+CONTRL:D:3:UN:2.0b'UCI+X+A:500+B:500+4+29'UNT+3+1'UNZ+1+NB1'\n"


def test_what_was_released_is_read_as_it_was_meant() -> None:
    line = seg("FTX", "ABO", "", "", "a+b:c'd?e Ü", "").written()
    assert line == "FTX+ABO+++a?+b?:c?'d??e Ü"
    body = f"{HEAD}UNH+1+X:D'{line}'UNT+3+1'UNZ+1+NB1'".encode("latin-1")
    (message,) = read(body).messages
    assert message.segments[1].at(5) == "a+b:c'd?e Ü"


def test_an_interchange_is_read_with_its_head() -> None:
    came = read(GOOD.encode())
    assert (came.sender, came.receiver, came.number) == ("9900000001027", "9900000001019", "NB1")
    assert (came.sent, came.fault) == (datetime(2026, 11, 20, 11), None)  # noqa: DTZ001 -- as UNB says it
    assert [(message.number, message.type) for message in came.messages] == [("1", "CONTRL")]


def test_other_service_characters_are_read_where_they_are_announced() -> None:
    other = GOOD.translate(str.maketrans("+:", "|*")).replace("UNA*|.", "UNA*|.")
    assert read(other.encode()).messages[0].segments[1].at(3, 2) == "500"


def test_it_writes_what_it_reads() -> None:
    came = read(GOOD.encode())
    inside = came.messages[0].segments
    assert read(written([came.head, *inside, seg("UNZ", "1", "NB1")])) == came


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (GOOD.replace("UNT+3", "UNT+4"), Fault("29", "1", "UNT")),
        (GOOD.replace("UNT+3+1", "UNT+3+2"), Fault("28", "1", "UNT")),
        (GOOD.replace("UNT+3+1'", ""), Fault("13", "1", "UNT")),
        (GOOD.replace("UNZ+1", "UNZ+2"), Fault("29", "", "UNZ")),
        (GOOD.replace("UNZ+1+NB1", "UNZ+1+NB2"), Fault("28", "", "UNZ")),
        (GOOD.replace("UNZ+1+NB1'\n", ""), Fault("13", "", "UNZ")),
        (f"{GOOD}FTX+x", Fault("21", "", "UNZ")),
        (GOOD.replace("UCI", "uci"), Fault("15")),
        (GOOD.replace("UCI+X", "UCI+X\x01"), Fault("21", "", "UCI")),
        (f"{HEAD}UNZ+0+NB1'", Fault("13", "", "UNH")),
        (GOOD.replace("UNH", "FTX'UNH"), Fault("33", "", "UNH")),
    ],
)
def test_a_broken_envelope_is_found(wrong: str, fault: Fault) -> None:
    assert read(wrong.encode()).fault == fault


@pytest.mark.parametrize("nothing", [b"", b"hello", b"{}", HEAD.replace("NB1", "").encode(), b"UNB+UNOC:3+1+2+x:y+N'"])
def test_without_a_head_nobody_can_be_answered(nothing: bytes) -> None:
    with pytest.raises(NobodyKnown):
        read(nothing)


# fmt: off
DAYS = [
    ("UTILMD", date(2026, 9, 30), "S2.1"), ("UTILMD", date(2026, 10, 1), "S2.2"),
    ("ORDRSP", date(2026, 3, 31), "1.4a"), ("ORDRSP", date(2026, 4, 1), "1.4b"),
    ("CONTRL", date(2025, 10, 1), "2.0b"), ("APERAK", date(2025, 9, 30), None),
    ("INVOIC", date(2026, 10, 1), None),
]
# fmt: on


@pytest.mark.parametrize(("message", "on", "version"), DAYS)
def test_E11_each_message_has_the_version_of_its_day(message: str, on: date, version: str | None) -> None:
    found = calendar.identifier(message, on)
    assert (found[-1] if found else None) == version


@pytest.mark.parametrize(
    ("day", "begins"),
    [
        (date(2027, 3, 28), "202703272300+00"),
        (date(2027, 3, 29), "202703282200+00"),
        (date(2026, 10, 25), "202610242200+00"),
        (date(2026, 10, 26), "202610252300+00"),
    ],
)
def test_E12_a_day_begins_at_midnight_in_germany(day: date, begins: str) -> None:
    assert (calendar.stamp(calendar.midnight(day)), calendar.day(begins)) == (begins, day)


def test_E12_other_moments_are_no_days() -> None:
    assert [calendar.day(text) for text in ("202610252301+00", "202610252300+01", "20261025")] == [None, None, None]
    assert calendar.in_utc(datetime(2026, 7, 1, 10)) == datetime(2026, 7, 1, 8, tzinfo=UTC)  # noqa: DTZ001 -- UNB
