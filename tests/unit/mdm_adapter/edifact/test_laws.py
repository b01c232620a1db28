"""Laws of the codec: nothing is lost, the canonical form is one, every input ends in a value or in a fault of ours."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from services.mdm_adapter.dialects.edifact_fv import syntax
from services.mdm_adapter.dialects.edifact_fv.checking import check
from services.mdm_adapter.dialects.edifact_fv.envelope import Interchange, build, read
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment, SyntaxFault
from services.mdm_adapter.dialects.edifact_fv.writing import write
from tests.bench.market import corpus

HEAD = Segment("UNB", (("UNOC", "3"), ("9900000001027", "500"), ("9900000001019", "500"), ("261120", "1100"), ("R1",)))
IDENTIFIER = ("IFTSTA", "D", "18A", "UN", "2.1")
TAGS = some.sampled_from(["BGM", "DTM", "RFF", "FTX", "NAD", "QTY", "X1Z"])
SERVICE = some.sampled_from("?+:'?+:'\xa0ä\xad,.-")
CHARACTERS = SERVICE | some.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f")
COMPONENTS = some.text(CHARACTERS, max_size=6)
ELEMENTS = some.lists(COMPONENTS, min_size=1, max_size=4).map(tuple)
SEGMENTS = some.builds(lambda tag, elements: Segment(tag, tuple(elements)), TAGS, some.lists(ELEMENTS, max_size=5))
BODIES = some.lists(some.lists(SEGMENTS, max_size=6), min_size=1, max_size=3)
GOOD = list(corpus(40, seed=7))


def built(bodies: list[list[Segment]]) -> Interchange:
    messages = [
        [Segment("UNH", ((str(number),), IDENTIFIER)), *(each.trimmed() for each in body)]
        for number, body in enumerate(bodies, 1)
    ]
    return build(HEAD, messages)


def is_utf8_by_chance(data: bytes) -> bool:
    """Text of ISO 8859-1 whose bytes happen to be valid UTF-8 means something else to every reader."""
    try:
        return not data.isascii() and bool(data.decode("utf-8"))
    except UnicodeDecodeError:
        return False


@given(BODIES)
def test_E01_what_is_written_is_read_back(bodies: list[list[Segment]]) -> None:
    interchange = built(bodies)
    data = write(interchange)
    assert is_utf8_by_chance(data) or read(data).whole() == interchange


@given(BODIES)
def test_E01_canonical_bytes_are_written_back_byte_by_byte(bodies: list[list[Segment]]) -> None:
    data = write(built(bodies))
    assert is_utf8_by_chance(data) or write(read(data).whole()) == data


def test_E01_ten_thousand_generated_interchanges_are_written_back_byte_by_byte() -> None:
    data = list(corpus(10_000, seed=1))
    assert [each for each in data if write(read(each).whole()) != each] == []


def outcome(data: bytes) -> object:
    """A value, or the code and the place of a fault; nothing else can come out."""
    try:
        return read(data).whole()
    except SyntaxFault as fault:
        return fault.fault, fault.place


@given(some.binary(max_size=300) | some.binary(max_size=200).map(lambda tail: b"UNA:+.? '" + tail))
def test_E05_any_bytes_end_in_a_value_or_in_a_fault(data: bytes) -> None:
    found = outcome(data)
    assert isinstance(found, Interchange) or (found[0] and found[1].offset <= len(data))  # type: ignore[index]


MUTATED = some.tuples(
    some.sampled_from(GOOD),
    some.lists(
        some.tuples(
            some.integers(0, 2_000), some.sampled_from([b"", b"?", b"'", b"+", b"\n", b"\0", b"UNZ'", b"\xc3\xa4"])
        ),
        max_size=3,
    ),
)


def mutated(data: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    for place, bytes_ in changes:
        at = place % len(data)
        data = data[:at] + bytes_ + data[at + 1 :]
    return data


@given(MUTATED)
def test_E05_mutated_interchanges_end_in_a_verdict(drawn: tuple[bytes, list[tuple[int, bytes]]]) -> None:
    found = check(mutated(*drawn), datetime(2026, 11, 24, tzinfo=UTC))
    assert (found.content == "n/a") == (found.core is not None)


@settings(max_examples=200)
@given(MUTATED, some.integers(24, 90))
def test_E03_where_blocks_end_changes_nothing(drawn: tuple[bytes, list[tuple[int, bytes]]], block: int) -> None:
    data = mutated(*drawn)
    with pytest.MonkeyPatch.context() as patched:
        whole = outcome(data)
        patched.setattr(syntax, "BLOCK_BYTES", block)
        assert outcome(data) == whole


def seconds(data: bytes) -> float:
    began = time.process_time()
    outcome(data)
    return time.process_time() - began


BEGIN = write(Interchange(HEAD, (), Segment("UNZ", ()))).partition(b"UNZ")[0]
WORST = [
    b"?",
    b"?'",
    b"'",
    b"+",
    b":",
    b"A",
    b"\n",
    b"BGM'",
    b"BGM+?+'",
    b"FTX+a?'",
    b"UNH+1+A:B:C:D'UNT+2+1'",
    b"\xc3\xa4'",
]


@pytest.mark.parametrize("unit", WORST)
def test_E05_reading_takes_time_in_proportion_to_the_size(unit: bytes) -> None:
    small, large = (BEGIN + unit * (size // len(unit)) for size in (100_000, 800_000))
    assert seconds(large) < 8 * 4 * max(min(seconds(small) for _ in range(3)), 0.002)
