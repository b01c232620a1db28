"""How JSON from outside is read: strictly, within limits, never coerced; every finding names its place and rule."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json import JSONDecodeError
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from kit.errors import Invalid

T = TypeVar("T")

SYNTAX, DUPLICATE, TEXT, LIMIT = "json/syntax", "json/duplicate-member", "json/text", "json/limit"
UNKNOWN, TYPE, MISSING, VALUE = "json/unknown-member", "json/type", "json/missing-member", "json/value"

LONGEST_POINTER = 200
"""Characters; a pointer ends with names that a stranger chose."""
MOST_FINDINGS = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may hold (SEC-IN-01)."""

    size: int = 1_000_000
    """Bytes."""
    depth: int = 32
    """Arrays and objects inside each other."""
    array: int = 10_000
    """Elements of one array."""
    text: int = 4_000
    """Characters of one string or member name."""
    integer: int = 2**53
    """Largest absolute value: what every reader of JSON keeps exactly."""


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where: a JSON pointer, or line and column where there is no tree yet."""

    code: str
    pointer: str | None = None
    line: int | None = None
    column: int | None = None
    rule: str | None = None
    """What would be allowed; never what was sent."""


class Unreadable(Invalid):
    """The body cannot be taken. Lists every finding; nothing of what was sent is repeated but names of members."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.errors = tuple(findings)[:MOST_FINDINGS]
        super().__init__("; ".join(sorted({finding.code for finding in self.errors})))


class Malformed(Unreadable):
    """It is no JSON that means one thing only."""

    status = 400


class Oversize(Unreadable):
    """It is larger than this door takes."""

    status = 413


class Misfit(Unreadable):
    """It is JSON, but not what this door asks for."""


class Repeated(dict[str, Any]):
    """An object that names a member twice."""

    member = ""


TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
CONSTANTS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|NaN|-?Infinity', re.DOTALL)
FAR_TOO_LONG = 20
"""Digits; an integer with more is not even converted."""


def read(body: bytes, limits: Limits = LIMITS) -> Any:
    """Read a document as it stands, or raise `Unreadable`; no other error leaves this function."""
    if len(body) > limits.size:
        raise Oversize([Finding(LIMIT, rule=f"at most {limits.size} bytes")])
    text = _decode(body)
    _refuse_depth(text, limits.depth)
    repeated: list[Repeated] = []
    value = _parse(text, repeated)
    if repeated:
        raise Malformed([Finding(DUPLICATE, _pointer((*path, each.member))) for path, each in _repeated(value)])
    if len(body) > limits.text or b"\\u" in body or _far_integer(text):
        _refuse_content(value, limits)
    return value


def read_as(body: bytes, kind: type[T], limits: Limits = LIMITS) -> T:
    """Read a document as a pydantic-able type: members that it does not know are refused, nothing is coerced."""
    read(body, limits)
    try:
        found: T = adapter(cast("Any", kind)).validate_json(body, strict=True, extra="forbid")
    except ValidationError as error:
        raise Misfit(findings_of(error)) from None
    return found


def write(value: Any) -> bytes:
    """A value as JSON, by its own type; aliases are what stands on the wire."""
    return adapter(cast("Any", type(value))).dump_json(value, by_alias=True)


@lru_cache(maxsize=1_000)
def adapter(kind: Any) -> TypeAdapter[Any]:
    """The reader and writer of a type, built once."""
    return TypeAdapter(kind)


def findings_of(error: ValidationError) -> Iterator[Finding]:
    """What pydantic found, in our words and without the values."""
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        code = _CODES.get(each["type"]) or (TYPE if each["type"].endswith("_type") else VALUE)
        rule = None if code == UNKNOWN or each["type"] in _OWN_WORDS else each["msg"]
        yield Finding(code, _pointer(each["loc"]), rule=rule)


_CODES = {"extra_forbidden": UNKNOWN, "missing": MISSING, "int_from_float": TYPE, "json_invalid": SYNTAX}
_OWN_WORDS = {"value_error", "assertion_error"}
"""Messages of our own validators may name the value."""


def _decode(body: bytes) -> str:
    if body.startswith(b"\xef\xbb\xbf"):
        raise Malformed([Finding(SYNTAX, line=1, column=1, rule="no byte order mark")])
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise Malformed([Finding(SYNTAX, line=line, column=column, rule="UTF-8")]) from None


def _refuse_depth(text: str, deepest: int) -> None:
    if text.count("[") + text.count("{") <= deepest:  # whatever they mean, they cannot be deeper
        return
    depth = 0
    for token in TOKENS.finditer(text):
        mark = text[token.start()]
        if mark in "[{":
            depth += 1
            if depth > deepest:
                line, column = _place(text, token.start())
                raise Malformed([Finding(LIMIT, line=line, column=column, rule=f"at most {deepest} levels")])
        elif mark in "]}":
            depth -= 1


def _parse(text: str, repeated: list[Repeated]) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        names = [name for name, _ in pairs]
        twice = Repeated(found)
        twice.member = next(name for at, name in enumerate(names) if name in names[:at])
        repeated.append(twice)
        return twice

    def constant(_: str) -> Any:
        at = next(found.start() for found in CONSTANTS.finditer(text) if text[found.start()] != '"')
        line, column = _place(text, at)
        raise Malformed([Finding(SYNTAX, line=line, column=column, rule="NaN and Infinity are no numbers of JSON")])

    try:
        return json.loads(text, object_pairs_hook=members, parse_constant=constant, parse_int=_integer)
    except JSONDecodeError as error:
        raise Malformed([Finding(SYNTAX, line=error.lineno, column=error.colno, rule=error.msg)]) from None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= FAR_TOO_LONG else float("inf")  # refused below, with its place


def _far_integer(text: str) -> bool:
    """Whether a long row of digits or an exponent makes a look at the numbers worth while."""
    return _LONG_NUMBER.search(text) is not None


_LONG_NUMBER = re.compile(r"[0-9]{16}|[0-9][eE]")


def _refuse_content(value: Any, limits: Limits) -> None:
    """Text before limits, as the order of checks has it."""
    if found := next(_findings(value, _bad_text), None):
        raise Malformed([found])
    if found := next(_findings(value, lambda part: _over(part, limits)), None):
        raise Misfit([found])


def _bad_text(part: Any) -> tuple[str, str] | None:
    if isinstance(part, str) and ("\x00" in part or any("\ud800" <= sign <= "\udfff" for sign in part)):
        return TEXT, "no NUL, no half of a surrogate pair"
    return None


def _over(part: Any, limits: Limits) -> tuple[str, str] | None:
    match part:
        case str() if len(part) > limits.text:
            return LIMIT, f"at most {limits.text} characters"
        case list() if len(part) > limits.array:
            return LIMIT, f"at most {limits.array} elements"
        case bool():
            return None
        case int() if abs(part) > limits.integer:
            return LIMIT, "an integer within ±2^53"
        case float() if part in (float("inf"), float("-inf")):
            return LIMIT, "a number that can be kept"
    return None


Steps = tuple[str | int, ...]


def _findings(value: Any, test: Callable[[Any], tuple[str, str] | None]) -> Iterator[Finding]:
    for path, part in _walk(value):
        if found := test(part):
            yield Finding(found[0], _pointer(path), rule=found[1])


def _walk(value: Any, path: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Every value and every member name, with its path; depth is limited before."""
    yield path, value
    if isinstance(value, dict):
        for name, member in value.items():
            yield path, name
            yield from _walk(member, (*path, name))
    elif isinstance(value, list):
        for at, element in enumerate(value):
            yield from _walk(element, (*path, at))


def _repeated(value: Any) -> Iterator[tuple[Steps, Repeated]]:
    return ((path, part) for path, part in _walk(value) if isinstance(part, Repeated))


def _pointer(path: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901), safe to write down, cut where it grows long."""
    text = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
    safe = text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\u0000")
    return safe if len(safe) <= LONGEST_POINTER else f"{safe[:LONGEST_POINTER]}…"


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
