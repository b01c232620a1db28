"""The JSON reader: limits to the element, places to the column, and no error but ours."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import BaseModel

from kit.jsons import LIMITS, Finding, Unreadable, read, read_as


class Span(BaseModel):
    """Some part of a body."""

    hours: int
    exact: bool = False


class Order(BaseModel):
    """Some body."""

    number: str
    spans: tuple[Span, ...] = ()
    price: float = 0.0


def refused(body: bytes, kind: type[Any] | None = None) -> tuple[int, list[Finding]]:
    with pytest.raises(Unreadable) as caught:
        read(body) if kind is None else read_as(body, kind)
    return caught.value.status, list(caught.value.errors)


def test_what_is_sound_is_read_as_it_stands() -> None:
    body = '{"ä": [1, -2.5, true, null, "\\ud83d\\ude00", {"": 9007199254740992}]}'.encode()
    assert read(body) == {"ä": [1, -2.5, True, None, "😀", {"": 2**53}]}


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [
        (b"", 1, 1),
        (b'{"a": 1,}', 1, 9),
        (b'{"a":\n  nope}', 2, 3),
        (b'{"a": NaN}', 1, 7),
        (b'{"NaN": "NaN", "b":\n -Infinity}', 2, 2),
        (b"\xef\xbb\xbf{}", 1, 1),
        (b'{"a":\n "\xff"}', 2, 3),
        ("[1]".encode("utf-16"), 1, 1),
        (b'["\t"]', 1, 3),
        (b"[01]", 1, 3),
    ],
)
def test_broken_syntax_is_named_by_line_and_column(body: bytes, line: int, column: int) -> None:
    status, (finding,) = refused(body)
    assert (status, finding.code, finding.line, finding.column) == (400, "json/syntax", line, column)


def test_a_member_named_twice_is_named_by_its_pointer() -> None:
    status, findings = refused(b'{"a": {"b": 1}, "x": [{"c/d": 1, "c/d": 1, "~": 2}]}')
    assert (status, [(each.code, each.pointer) for each in findings]) == (400, [("json/duplicate-member", "/x/0/c~1d")])


@pytest.mark.parametrize("text", ['"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"'])
def test_text_that_cannot_be_kept_is_refused_in_values_and_names(text: str) -> None:
    assert refused(f'{{"a": [{text}]}}'.encode())[1] == [
        Finding("json/text", "/a/0", rule="no NUL, no half of a surrogate pair")
    ]
    assert refused(f'{{"a": {{{text}: 1}}}}'.encode())[1][0].pointer == "/a"


@pytest.mark.parametrize(
    ("name", "just", "beyond", "status"),
    [
        ("depth", "[" * 32 + "]" * 32, "[" * 33 + "]" * 33, 400),
        ("depth in text is none", '"' + "[" * 40 + '"', "[" * 40, 400),
        ("array", json.dumps([0] * 10_000), json.dumps([0] * 10_001), 422),
        ("text", json.dumps("ä" * 4_000), json.dumps("ä" * 4_001), 422),
        ("name", json.dumps({"x" * 4_000: 0}), json.dumps({"x" * 4_001: 0}), 422),
        ("integer", str(2**53), str(2**53 + 1), 422),
        ("negative", str(-(2**53)), str(-(2**53) - 1), 422),
        ("long integer", "1", "9" * 30, 422),
        ("float", "1e308", "1e309", 422),
        ("size", "1" + " " * 999_999, "1" + " " * 1_000_000, 413),
    ],
)
@pytest.mark.rule("SEC-IN-01")
def test_limits_hold_to_the_element(name: str, just: str, beyond: str, status: int) -> None:
    read(just.encode())
    found, (finding,) = refused(beyond.encode())
    assert (name, found, finding.code) == (name, status, "json/limit")


@pytest.mark.parametrize("depth", [1_000, 100_000, 499_999])
def test_depth_costs_no_stack(depth: int) -> None:
    assert refused(b"[" * depth)[1][0].code == "json/limit"
    assert refused(b'{"a":' * (depth // 5 + 33))[1][0].code == "json/limit"


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"number": "1", "extra": 1}, "json/unknown-member", "/extra"),
        ({"number": "1", "spans": [{"hours": 1, "minutes": 2}]}, "json/unknown-member", "/spans/0/minutes"),
        ({"number": 1}, "json/type", "/number"),
        ({"number": "1", "spans": [{"hours": "1"}]}, "json/type", "/spans/0/hours"),
        ({"number": "1", "spans": [{"hours": True}]}, "json/type", "/spans/0/hours"),
        ({"number": "1", "spans": [{"hours": 1.0}]}, "json/type", "/spans/0/hours"),
        ({"number": "1", "spans": [{"hours": 1, "exact": 1}]}, "json/type", "/spans/0/exact"),
        ({"number": "1", "spans": {}}, "json/type", "/spans"),
        ([], "json/type", ""),
        ({}, "json/missing-member", "/number"),
    ],
)
@pytest.mark.rule("SEC-IN-01")
def test_a_body_that_does_not_fit_its_model_is_not_bent_to_fit(body: object, code: str, pointer: str) -> None:
    status, findings = refused(json.dumps(body).encode(), Order)
    assert (status, [(each.code, each.pointer) for each in findings]) == (422, [(code, pointer)])


def test_a_finding_never_repeats_a_value_and_cuts_long_names() -> None:
    _, findings = refused(json.dumps({"number": "1", "Erika Müller " * 100: "geheim"}).encode(), Order)
    assert len(findings[0].pointer or "") <= 201
    assert "geheim" not in repr(findings)


JSON = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**53), 2**53) | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=50),
    lambda inner: some.lists(inner, max_size=5) | some.dictionaries(some.text("abc", max_size=3), inner, max_size=5),
    max_leaves=30,
)  # fmt: skip


@given(JSON)
def test_what_another_writer_wrote_is_read_the_same(value: Any) -> None:
    assert read(json.dumps(value).encode()) == value


@given(some.binary(max_size=200) | some.text('[]{}",:\\u0dNaIify-1e', max_size=100).map(str.encode))
def test_only_our_own_errors_leave_the_reader(body: bytes) -> None:
    try:
        status = 200 if read_as(body, Order) else 0
    except Unreadable as error:
        status = error.status
    assert status in (200, 400, 422)


def test_the_limits_are_those_of_the_page() -> None:
    assert (LIMITS.size, LIMITS.depth, LIMITS.array, LIMITS.text) == (1_000_000, 32, 10_000, 4_000)
