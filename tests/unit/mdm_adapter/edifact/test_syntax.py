"""Service characters, release, line ends, character sets: what is read, and each fault with its place."""

from io import BytesIO

import pytest

from services.mdm_adapter.dialects.edifact_fv.envelope import Interchange, read
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment, SyntaxFault
from services.mdm_adapter.dialects.edifact_fv.writing import write
from tests.unit.mdm_adapter.edifact.letters import interchange

TEXT = "FTX+ACB+++"


def whole(data: bytes) -> Interchange:
    return read(data).whole()


def fault(data: bytes) -> tuple[str, str, int]:
    with pytest.raises(SyntaxFault) as raised:
        whole(data)
    return raised.value.fault, str(raised.value.place), raised.value.place.offset


def text_read(text: str) -> str:
    (message,) = whole(interchange(("IFTSTA", [TEXT + text]))).messages
    return message.segments[1].at(5)


def with_una(una: str, data: bytes) -> bytes:
    component, element, _, release, _, terminator = una
    table = str.maketrans({":": component, "+": element, "?": release, "'": terminator})
    return f"UNA{una}{data.decode().translate(table)}".encode()


PLAIN = interchange(("IFTSTA", ["BGM+Z09+D1", "QTY+220:1.5"]))


@pytest.mark.parametrize("una", [":+.? '", "|*.! ~", "#%.\\ $", "\x1d\x1e.?*\x1c", "<>.^ /"])
def test_E03_any_four_different_signs_structure_an_interchange(una: str) -> None:
    assert whole(with_una(una, PLAIN)) == whole(PLAIN)


@pytest.mark.parametrize("una", ["::.? '", ":+.:  ", "A+.? '", ":+.? 1", ":+;? '", ":+.? ", ":+.ä '", ""])
def test_E04_service_characters_that_cannot_be_used_are_fault_22(una: str) -> None:
    data = f"UNA{una}".encode("latin-1") + (PLAIN if len(una) == 6 else b"")
    assert fault(data) == ("22", "UNA.e1", 0)


def test_E03_a_decimal_comma_that_una_declares_becomes_a_point_and_stays_one() -> None:
    first = whole(b"UNA:+,? '" + PLAIN.replace(b"1.5", b"1,5"))
    assert first.messages[0].segments[2].at(2, 2) == "1.5"
    assert whole(write(first)) == first


def test_E03_a_blank_as_release_character_releases_nothing() -> None:
    data = b"UNA:+.  '" + interchange(("IFTSTA", [TEXT + "Am Hang ?"]))
    assert whole(data).messages[0].segments[1].at(5) == "Am Hang ?"


@pytest.mark.parametrize("before", [b"", b" \t", b"\r\n\n ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_E03_blanks_and_a_byte_order_mark_before_the_beginning_are_skipped(before: bytes) -> None:
    reading = read(before + PLAIN)
    assert reading.whole() == whole(PLAIN)
    assert reading.warnings == (["BOM"] if before.startswith(b"\xef") else [])
    assert reading.head.offset == len(before)


@pytest.mark.parametrize("data", [b"", b"   ", b"hello", b"<a/>", b"UN", b"\xff\xfeU\x00N\x00A\x00", b"unb+UNOC:3"])
def test_E04_what_begins_otherwise_is_no_edifact(data: bytes) -> None:
    assert fault(data)[0] == "NOT_EDIFACT"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n\r\n"])
def test_E03_line_ends_behind_terminators_mean_nothing(end: str) -> None:
    data = ("UNA:+.? '" + PLAIN.decode()).replace("'", "'" + end).encode()
    assert whole(data) == whole(PLAIN)


# fmt: off
RELEASED = [
    ("a?+b", "a+b"), ("a?:b", "a:b"), ("a?'b", "a'b"), ("a??b", "a?b"), ("???+", "?+"), ("????", "??"), ("??", "?"),
    ("?a?b", "ab"), ("?'", "'"), ("?'?'?'", "'''"), ("??'".removesuffix("'") + "?'", "?'"), ("?+?:?'??", "+:'?"),
    ("ä?+ö", "ä+ö"), ("a?\xa0b", "a\xa0b"),
]
# fmt: on


@pytest.mark.parametrize(("text", "meant"), RELEASED)
def test_E03_the_release_character_takes_the_next_one_literally(text: str, meant: str) -> None:
    assert text_read(text) == meant


@pytest.mark.parametrize("place", range(len("FTX+ACB+++Text")))
def test_E03_a_release_character_may_stand_before_every_character(place: int) -> None:
    line = "FTX+ACB+++Text"
    data = interchange(("IFTSTA", [f"{line[:place]}?{line[place:]}"]))
    if place <= 3:
        assert fault(data)[0] == "15"  # a tag is three letters, and nothing in it is released
    elif line[place] == "+":
        parts = (line[:place] + "\0" + line[place + 1 :]).split("+")[1:]
        elements = tuple((part.replace("\0", "+"),) for part in parts)
        assert whole(data).messages[0].segments[1].elements == elements
    else:
        assert whole(data).messages[0].segments[1] == Segment("FTX", (("ACB",), ("",), ("",), ("Text",)))


@pytest.mark.parametrize("cut", ["FTX+ACB+++abc?", "FTX+ACB?", "FTX+A:b???"])
def test_E03_a_release_character_at_the_end_of_data_is_fault_21(cut: str) -> None:
    data = interchange(("IFTSTA", ["BGM+Z09+D1", "X"])).partition(b"'X'")[0] + b"'" + cut.encode()
    code, place, offset = fault(data)
    elements = cut.replace("??", "").count("+") + 1
    component = cut.rpartition("+")[2].count(":") + 1
    assert (code, place, offset) == ("21", f"m1.s3.e{elements}.c{component}", len(data) - 1)


@pytest.mark.parametrize("character", [*range(0x20), 0x7F])
def test_E04_a_control_character_inside_a_segment_is_fault_21_with_its_very_byte(character: int) -> None:
    data = interchange(("IFTSTA", ["BGM+Z09+D1", f"FTX+ACB?++a?:{chr(character)}:x"]))
    assert fault(data) == ("21", "m1.s3.e3.c1", data.index(bytes([character])))


@pytest.mark.parametrize("tag", ["1BC", "bgm", "BG", "BGMX", "", "B-M", "ÄBC", "BGM:1", " BGM"])
def test_E04_what_is_no_tag_is_fault_15(tag: str) -> None:
    data = interchange(("IFTSTA", ["BGM+Z09+D1", f"{tag}+1" if tag else ""]))
    assert fault(data) == ("15", "m1.s3.e1", data.index(b"D1'") + 3)


def test_E03_bytes_that_are_utf_8_are_read_as_such_and_said_to_be() -> None:
    data = interchange(("IFTSTA", [TEXT + "Müller"])).decode("latin-1").encode("utf-8")
    reading = read(data)
    assert reading.whole().messages[0].segments[1].at(5) == "Müller"
    assert reading.warnings == ["UTF8_UNDER_UNOC"]


def test_E03_bytes_that_are_not_utf_8_are_read_as_iso_8859_1() -> None:
    reading = read(interchange(("IFTSTA", [TEXT + "Müller Ã"])))
    assert (reading.whole().messages[0].segments[1].at(5), reading.warnings) == ("Müller Ã", [])


def test_E03_the_character_set_of_a_long_file_is_judged_by_all_of_it() -> None:
    lines = [TEXT + "plain text of some length"] * 4_000
    late = interchange(("IFTSTA", [*lines, TEXT + "Müller"]))
    for data, expected in ((late, []), (late.decode("latin-1").encode(), ["UTF8_UNDER_UNOC"])):
        reading = read(BytesIO(data))
        assert reading.whole().messages[0].segments[-2].at(5) == "Müller"
        assert reading.warnings == expected


@pytest.mark.parametrize("shift", range(12))
def test_E03_nothing_happens_at_the_borders_of_blocks(shift: int) -> None:
    texts = [f"{TEXT}{'x' * shift}?+?:?'??ä"] * 6_000
    data = interchange(("IFTSTA", texts))
    (message,) = whole(data).messages
    assert {segment.at(5) for segment in message.segments[1:-1]} == {f"{'x' * shift}+:'?ä"}
    assert data[message.offset_of(5_000) :].startswith(texts[0].encode("latin-1"))


def test_E04_a_segment_of_more_than_64_kib_is_too_large() -> None:
    fits = interchange(("IFTSTA", [TEXT + "x" * (65_536 - len(TEXT))]))
    assert len(whole(fits).messages) == 1
    assert fault(interchange(("IFTSTA", [TEXT + "x" * (65_537 - len(TEXT))])))[0] == "TOO_LARGE"


def test_trailing_empty_parts_are_kept_on_reading_and_dropped_on_writing() -> None:
    data = interchange(("IFTSTA", ["BGM+Z09:::+D1++", "UNS"]))
    (message,) = whole(data).messages
    assert message.segments[1] == Segment("BGM", (("Z09", "", "", ""), ("D1",), ("",), ("",)))
    assert message.segments[1].trimmed() == Segment("BGM", (("Z09",), ("D1",)))
    assert b"\nBGM+Z09+D1'\nUNS'\n" in write(whole(data))
