"""A person changes single places of a message; everything else stays as it was."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.mdm_adapter.dialects.correcting import corrected, only_row
from services.mdm_adapter.dialects.edifact_fv.envelope import read
from services.mdm_adapter.documents.places import edited, flat
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.errors import NoSuchPlace
from services.mdm_adapter.partners.profile import CsvForm
from tests.unit.mdm_adapter import examples

INTERCHANGE = (
    b"UNA:+.? '\nUNB+UNOC:3+9900000001019:500+9900000001027:500+261123:1530+HUB00000000104'\n"
    b"UNH+M0001+IFTSTA:D:18A:UN:2.1'\nBGM+Z09+DOC'\nUNT+3+M0001'\nUNZ+1+HUB00000000104'\n"
)
FORM = CsvForm()


def once(data: bytes, dialect: str, place: str, value: Any) -> bytes:
    return corrected(data, dialect, {place: value}, FORM).content


@given(some.text(some.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30))
def test_any_value_of_a_component_is_read_back_as_it_was_given(value: str) -> None:
    content = once(INTERCHANGE, "edifact_fv", "m1.s2.e3.c1", value) if value != "DOC" else INTERCHANGE
    (message,) = read(content)
    assert message.segments[1].at(3) == value


@pytest.mark.parametrize(
    ("data", "dialect", "place", "value", "content"),
    [
        (INTERCHANGE, "edifact_fv", "m1.s2", "BGM+Z10+X", INTERCHANGE.replace(b"BGM+Z09+DOC", b"BGM+Z10+X")),
        (INTERCHANGE, "edifact_fv", "UNB.e6", "R1", INTERCHANGE.replace(b"+HUB00000000104'\nUNH", b"+R1'\nUNH")),
        (b'{"a": {"b": 1}}', "json_ce", "/a/b", 2, b'{"a": {"b": 2}}'),
        (b'{"a": {"b": 1}}', "json_ce", "/a/c", "x", b'{"a": {"b": 1, "c": "x"}}'),
        (b'{"a": [1, 2]}', "json_ce", "/a/1", 3, b'{"a": [1, 3]}'),
        (b'{"a": 1, "b": 2}', "json_ce", "/b", None, b'{"a": 1}'),
        (b"a;b\n1;2\n3;4\n", "csv", "row 2, b", "5", b"a;b\n1;2\n3;5\n"),
    ],
)
def test_one_place_is_changed(data: bytes, dialect: str, place: str, value: Any, content: bytes) -> None:
    assert once(data, dialect, place, value) == content


def test_an_element_and_an_attribute_are_changed() -> None:
    data = b'<A xmlns="x"><B c="1">2</B></A>'
    assert b'<B c="1">3</B>' in once(data, "cim_xml", "/A/B", "3")
    assert b'<B c="4">2</B>' in once(data, "cim_xml", "/A/B/@c", "4")


@pytest.mark.parametrize(
    ("data", "dialect", "place"),
    [
        (INTERCHANGE, "edifact_fv", "m2.s1.e2"),
        (INTERCHANGE, "edifact_fv", "m1.s2.e9"),
        (INTERCHANGE, "edifact_fv", "somewhere"),
        (b"<A><B/></A>", "cim_xml", "/A/C"),
        (b"<A><B/></A>", "cim_xml", "/A"),
        (b"<A><B>", "cim_xml", "/A/B"),
        (b'{"a": [1]}', "json_ce", "/a/5"),
        (b'{"a": ', "json_ce", "/a"),
        (b"a;b\n1;2\n", "csv", "row 2, b"),
        (b"a;b\n1;2\n", "csv", "row 1, c"),
        (b"x", "dk_cim", "/A"),
    ],
)
def test_a_place_that_is_not_there_is_named(data: bytes, dialect: str, place: str) -> None:
    with pytest.raises(NoSuchPlace) as refused:
        once(data, dialect, place, "x")
    assert refused.value.place == place


def test_what_changes_nothing_is_refused() -> None:
    with pytest.raises(NoSuchPlace, match="changes nothing"):
        once(INTERCHANGE, "edifact_fv", "m1.s2.e2", "Z09")


def test_before_and_after_are_told() -> None:
    made = corrected(INTERCHANGE, "edifact_fv", {"m1.s2.e3": "NEW"}, FORM)
    assert {place: (each.before, each.after) for place, each in made.changes.items()} == {"m1.s2.e3": ("DOC", "NEW")}


def test_one_row_of_a_file_is_taken_with_its_head() -> None:
    assert only_row(b"a;b\n1;2\n3;4\n", 2, FORM) == b"a;b\n3;4\n"
    with pytest.raises(NoSuchPlace):
        only_row(b"a;b\n1;2\n", 2, FORM)


@given(examples.COMPLETED)
def test_a_document_is_the_same_after_putting_every_place_where_it_is(document: Any) -> None:
    assert edited(document, dict(flat(document))) == document


@given(examples.NOT_COMPLETED, some.integers(0, 99))
def test_one_place_of_a_document_is_changed(document: WorkNotCompleted, attempts: int) -> None:
    changed = edited(document, {"attempts": attempts})
    assert changed == document.model_copy(update={"attempts": attempts})


@pytest.mark.parametrize("place", ["colour", "metering_point.colour", "metering_point.id.x", "attempts.0", "", "."])
def test_a_document_has_no_other_places(place: str) -> None:
    document = WorkNotCompleted.model_validate(
        {
            "order_no": "A",
            "order_version": 1,
            "metering_point": {"id": "41373559241", "scheme": "malo"},
            "at": "2026-03-02T08:00:00Z",
            "outcome": "FAILED",
            "reason": "NO_ACCESS",
            "attempts": 1,
            "final": True,
        }
    )
    with pytest.raises(NoSuchPlace):
        edited(document, {place: "x"})
