"""The frame of an interchange: each fault of the table with its code and place, and what is built."""

from collections import Counter
from datetime import datetime
from io import BytesIO

import pytest

from services.mdm_adapter.dialects.edifact_fv import envelope
from services.mdm_adapter.dialects.edifact_fv.envelope import build, read
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment, SyntaxFault
from services.mdm_adapter.dialects.edifact_fv.writing import Unencodable, write
from tests.unit.mdm_adapter.edifact.letters import MSB, NB, interchange

UNB = f"UNB+UNOC:3+{NB}:500+{MSB}:500+261120:1100+NB1'"
M1, M2 = "UNH+1+IFTSTA:D:18A:UN:2.1'BGM+Z09+D1'UNT+3+1'", "UNH+2+IFTSTA:D:18A:UN:2.1'BGM+Z09+D2'UNT+3+2'"
UNZ = "UNZ+2+NB1'"
# fmt: off
FAULTS = [
    # UNB
    ("UNB'" + M1,                                                "13", "UNB.e2.c1"),
    (UNB.replace("UNOC:3", "UNOC"),                              "13", "UNB.e2.c2"),
    (UNB.replace(NB, ""),                                        "13", "UNB.e3"),
    (UNB.replace(MSB, ""),                                       "13", "UNB.e4"),
    (UNB.replace("261120:1100", ""),                             "13", "UNB.e5.c1"),
    (UNB.replace(":1100", ""),                                   "13", "UNB.e5.c2"),
    (UNB.replace("+NB1", ""),                                    "13", "UNB.e6"),
    (UNB.replace("261120", "261131"),                            "12", "UNB.e5"),
    (UNB.replace("261120", "20261120"),                          "12", "UNB.e5"),
    (UNB.replace("1100", "2400"),                                "12", "UNB.e5"),
    (UNB.replace("1100", "110"),                                 "12", "UNB.e5"),
    (UNB.replace("NB1", "N" * 15),                               "39", "UNB.e6"),
    ("UNA:+.? '" + M1,                                           "13", "UNB"),
    # UNH
    (UNB + M1.replace("UNH+1", "UNH+"),                          "13", "m1.s1.e2"),
    (UNB + M1.replace("UNH+1", "UNH+" + "1" * 15),               "39", "m1.s1.e2"),
    (UNB + M1.replace("+IFTSTA:D:18A:UN:2.1", ""),               "13", "m1.s1.e3.c1"),
    (UNB + M1.replace(":18A", ":"),                              "13", "m1.s1.e3.c3"),
    (UNB + M1.replace(":UN:2.1", ""),                            "13", "m1.s1.e3.c4"),
    (UNB + M1 + M1 + UNZ,                                        "26", "m2.s1.e2"),
    # UNT
    (UNB + M1.replace("UNT+3", "UNT+4"),                         "29", "m1.s3.e2"),
    (UNB + M1.replace("UNT+3", "UNT+x"),                         "29", "m1.s3.e2"),
    (UNB + M1.replace("UNT+3", "UNT+"),                          "13", "m1.s3.e2"),
    (UNB + M1.replace("UNT+3+1", "UNT+3"),                       "13", "m1.s3.e3"),
    (UNB + M1.replace("UNT+3+1", "UNT+3+2"),                     "28", "m1.s3.e3"),
    (UNB + M1.replace("UNT+3+1'", "") + M2 + UNZ,                "13", "UNT"),
    (UNB + M1.replace("UNT+3+1'", "") + UNZ,                     "13", "UNT"),
    (UNB + M1.replace("UNT+3+1'", ""),                           "13", "UNT"),
    # UNZ
    (UNB + M1 + M2,                                              "13", "UNZ"),
    (UNB + M1 + M2 + "UNZ+2",                                    "13", "UNZ"),
    (UNB + M1 + M2 + "UNZ+1+NB1'",                               "29", "UNZ.e2"),
    (UNB + M1 + M2 + "UNZ++NB1'",                                "13", "UNZ.e2"),
    (UNB + M1 + M2 + "UNZ+2+NB2'",                               "28", "UNZ.e3"),
    (UNB + M1 + M2 + "UNZ+2'",                                   "13", "UNZ.e3"),
    (UNB + "UNZ+0+NB1'",                                         "13", "UNH"),
    (UNB + M1 + UNB + M2 + UNZ,                                  "13", "UNZ"),
    # outside
    (UNB + "BGM+1'" + M1,                                        "33", "BGM.e1"),
    (UNB + M1 + "BGM+1'" + M2,                                   "33", "BGM.e1"),
    (UNB + M1 + "UNT+3+1'",                                      "33", "UNT.e1"),
    (UNB + M1 + M2 + UNZ + "BGM+1'",                             "33", "BGM.e1"),
    (UNB + M1 + M2 + UNZ + M1,                                   "33", "UNH.e1"),
    (UNB + M1 + M2 + UNZ + "garbage",                            "33", "gar.e1"),
    (UNB + M1 + M2 + UNZ + "?",                                  "33", "UNZ.e1"),
    (UNB + M1 + M2 + UNZ + "'",                                  "33", "UNZ.e1"),
    (UNB + "UNG+1'" + M1,                                        "47", "UNG.e1"),
    (UNB + M1.replace("BGM", "UNG"),                             "47", "UNG.e1"),
    (UNB + M1 + M2 + UNZ + UNB,                                  "MULTIPLE_INTERCHANGES", "UNB"),
    (UNB + M1 + M2 + UNZ + "\r\nUNA:+.? '" + UNB,                "MULTIPLE_INTERCHANGES", "UNB"),
    (UNB + M1 + M2 + UNZ + "UNB+cut",                            "MULTIPLE_INTERCHANGES", "UNB"),
]
# fmt: on


@pytest.mark.parametrize(("text", "code", "place"), FAULTS)
def test_E04_a_fault_of_the_envelope_has_its_code_and_its_place(text: str, code: str, place: str) -> None:
    with pytest.raises(SyntaxFault) as raised:
        read(text.encode()).whole()
    assert (raised.value.fault, str(raised.value.place)) == (code, place)


def test_E04_the_first_fault_counts_also_when_a_later_one_is_worse() -> None:
    with pytest.raises(SyntaxFault, match=r"29 at m1\.s3\.e2"):
        read((UNB + M1.replace("UNT+3", "UNT+4") + "bad'" + "\0").encode()).whole()


def test_messages_come_one_by_one_before_the_end_is_known() -> None:
    reading = iter(read((UNB + M1 + M2 + "UNZ+7+NB1'").encode()))
    assert [next(reading).reference, next(reading).reference] == ["1", "2"]
    with pytest.raises(SyntaxFault, match=r"29 at UNZ\.e2"):
        next(reading)


def test_the_head_is_understood_before_any_message_is_read() -> None:
    head = read((UNB[:-1] + "++VL++++1'" + M1).encode()).head
    assert (head.sender, head.receiver, head.reference, head.charset) == (NB, MSB, "NB1", "UNOC:3")
    assert (head.sent_at, head.application, head.is_test) == (datetime.fromisoformat("2026-11-20T11:00"), "VL", True)


def test_line_ends_between_messages_and_behind_the_last_one_mean_nothing() -> None:
    text = f"{UNB}\r\n{M1}\r\n{M2}\r\n{UNZ}\r\n\r\n"
    assert [message.number for message in read(text.encode()).whole().messages] == [1, 2]


def test_more_segments_or_messages_than_anybody_sends_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "MESSAGES", 1)
    with pytest.raises(SyntaxFault, match=r"TOO_LARGE at m2\.s1"):
        read((UNB + M1 + M2 + UNZ).encode()).whole()
    monkeypatch.setattr(envelope, "SEGMENTS", 3)
    long = interchange(("IFTSTA", ["FTX+ACB+++" + "x" * 1_000] * 100))
    with pytest.raises(SyntaxFault, match=r"TOO_LARGE at m1\.s1"):
        read(BytesIO(long)).whole()


def test_what_is_built_has_counts_and_references_and_is_read_back() -> None:
    head = read((UNB + M1).encode()).head.segment
    bodies = [
        [Segment("UNH", ((name,), ("IFTSTA", "D", "18A", "UN", "2.1"))), Segment("BGM", (("Z09",),))] for name in "AB"
    ]
    built = build(head, bodies)
    assert built.trailer == Segment("UNZ", (("2",), ("NB1",)))
    assert built.messages[1].segments[-1] == Segment("UNT", (("3",), ("B",)))
    assert read(write(built)).whole() == built


def text_written(text: str) -> bytes:
    head = read((UNB + M1).encode()).head.segment
    body = [Segment("UNH", (("1",), ("IFTSTA", "D", "18A", "UN", "2.1"))), Segment("FTX", (("ACB",), (text,)))]
    return write(build(head, [body])).splitlines()[3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Straße – 3 €", "FTX+ACB+Straße - 3 EUR'"),
        ("Łódź ‚x’", "FTX+ACB+Lódz ?'x?''"),
        ("a'b+c:d?e", "FTX+ACB+a?'b?+c?:d??e'"),
    ],
)
def test_what_iso_8859_1_has_not_is_written_as_the_table_says(text: str, expected: str) -> None:
    assert text_written(text) == expected.encode("latin-1")


@pytest.mark.parametrize("text", ["漢", "a\x1db", "a\x1eb", "a\x1fb", "\n", "\x00", "\x7f", "😀"])
def test_what_cannot_be_written_is_refused_and_never_dropped(text: str) -> None:
    with pytest.raises(Unencodable):
        text_written(text)


def test_characters_that_were_written_otherwise_are_counted() -> None:
    counted: Counter[str] = Counter()
    head = read((UNB + M1).encode()).head.segment
    body = [Segment("UNH", (("1",), ("IFTSTA", "D", "18A", "UN", "2.1"))), Segment("FTX", (("ACB",), ("ł–ł",)))]
    write(build(head, [body]), replaced=counted)
    assert counted == {"ł": 2, "–": 1}


def test_a_partner_may_want_everything_on_one_line() -> None:
    one = read((UNB + M1 + M2 + UNZ).encode()).whole()
    assert write(one, line_end="") == ("UNA:+.? '" + UNB + M1 + M2 + UNZ).encode()
