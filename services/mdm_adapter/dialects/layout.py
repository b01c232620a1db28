"""A message laid out for people: its lines, each with its place in the words that findings use. Nothing here fails."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from lxml import etree

from services.mdm_adapter.dialects.cim_xml.parsing import XmlRefused, parse
from services.mdm_adapter.dialects.findings import Finding

UNA = "UNA:+.? '"
OUTSIDE = frozenset({"UNA", "UNB", "UNZ", "UNG", "UNE"})
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LINES = 5_000
"""Most lines of one message that are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One segment, element, member or row. `at` is its place; `marks` are columns of `text` that a finding means."""

    at: str
    text: str
    depth: int = 0
    number: int = 0
    """Of the line in the file, from 1, where lines mean something."""
    findings: tuple[str, ...] = ()
    """Codes and words of what is wrong here."""
    marks: tuple[int, int] | None = None


def lines_of(data: bytes, dialect: str) -> list[Line]:
    """The lines of a message in a dialect; what cannot be read as one is shown as text."""
    laid = _LAYOUTS.get(dialect, _text)(data)
    return [line for line, _ in zip(laid, range(LINES), strict=False)]


def marked(lines: list[Line], findings: list[Finding]) -> tuple[list[Line], list[Finding]]:
    """Lines with what was found at each, and the findings that no line stands for."""
    found, homeless = [replace(line) for line in lines], list[Finding]()
    for finding in findings:
        at = _line_of(finding, found)
        if at is None:
            homeless.append(finding)
            continue
        line = found[at]
        words = f"{finding.code} {finding.detail}".strip()
        found[at] = replace(line, findings=(*line.findings, words), marks=line.marks or mark_of(finding, line))
    return found, homeless


def _line_of(finding: Finding, lines: list[Line]) -> int | None:
    """The line that a finding means, or the nearest one around it; else the one with its number."""
    place = finding.position
    around = [(len(line.at), -at) for at, line in enumerate(lines) if line.at and _is_around(line.at, place)]
    if around:
        return -max(around)[1]
    return next((at for at, line in enumerate(lines) if line.number and line.number == finding.line), None)


def _is_around(at: str, place: str) -> bool:
    return place == at or place.startswith((f"{at}.", f"{at},", f"{at.rstrip('/')}/"))


def mark_of(finding: Finding, line: Line) -> tuple[int, int] | None:
    """Begin and end, in columns of the line, of the component that an EDIFACT position means."""
    inside = finding.position.removeprefix(line.at)
    element, component = (re.search(rf"\.{letter}(\d+)", inside) for letter in "ec")
    if element is None:
        return None
    elements = split(line.text, "+")
    number = int(element[1]) - 1
    if number >= len(elements):
        return len(line.text), len(line.text) + 1
    begin, end = elements[number]
    if component is None:
        return begin, max(end, begin + 1)
    components = split(line.text[begin:end], ":")
    within = int(component[1]) - 1
    if within >= len(components):
        return end, end + 1
    first, last = components[within]
    return begin + first, max(begin + last, begin + first + 1)


def split(text: str, separator: str, release: str = "?") -> list[tuple[int, int]]:
    """Begin and end of what stands between separators; one behind the release character separates nothing."""
    found, begin, at = [], 0, 0
    while at < len(text):
        if text[at] == release:
            at += 2
            continue
        if text[at] == separator:
            found.append((begin, at))
            begin = at + 1
        at += 1
    return [*found, (begin, len(text))]


def words_of(data: bytes) -> str:
    """Bytes as text: UTF-8 where all of it is, else one character per byte."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def segments(text: str) -> Iterator[tuple[str, int, int]]:
    """The place of each segment of an interchange, and where it begins and ends in the text; UNA is one of them."""
    service = text[:9] if text.startswith("UNA") and len(text) >= 9 else UNA
    begin = 9 if text.startswith("UNA") else 0
    if begin:
        yield "UNA", 0, begin
    message = segment = 0
    for after, until in split(text[begin:], service[8], service[6]):
        first, last = after + begin, until + begin
        first += len(text[first:last]) - len(text[first:last].lstrip(" \t\r\n"))
        if first >= last:
            continue
        tag = text[first : first + 3]
        if tag == "UNH":
            message, segment = message + 1, 0
        segment += 1
        yield (tag if tag in OUTSIDE or not message else f"m{message}.s{segment}"), first, last


def _interchange(data: bytes) -> Iterator[Line]:
    text = words_of(data)
    text = text[len(text) - len(text.lstrip(" \t\r\n")) :]
    for place, begin, end in segments(text):
        yield Line(place, text[begin:end], 0 if place in OUTSIDE else 1)


def _document(data: bytes) -> Iterator[Line]:
    try:
        root = parse(data)
    except XmlRefused:
        yield from _text(data)
        return
    yield from _element(root, f"/{etree.QName(root).localname}", 0)


def _element(element: Any, path: str, depth: int) -> Iterator[Line]:
    name = etree.QName(element).localname
    named = "".join(f' {etree.QName(key).localname}="{value}"' for key, value in element.attrib.items())
    said = (element.text or "").strip()
    yield Line(path, f"{name}{named}{f': {said}' if said else ''}", depth, element.sourceline or 0)
    for child, step in steps(element):
        yield from _element(child, f"{path}/{step}", depth + 1)


def steps(element: Any) -> Iterator[tuple[Any, str]]:
    """Children with their steps in a path: local names, with a position from 1 where there are several."""
    names = [etree.QName(child).localname for child in element]
    seen: dict[str, int] = {}
    for child, name in zip(element, names, strict=True):
        seen[name] = seen.get(name, 0) + 1
        yield child, f"{name}[{seen[name]}]" if names.count(name) > 1 else name


def _tree(data: bytes) -> Iterator[Line]:
    try:
        yield from _member(json.loads(data.decode("utf-8-sig")), "", "", 0)
    except (ValueError, RecursionError):
        yield from _text(data)


def _member(value: Any, place: str, name: str, depth: int) -> Iterator[Line]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    said = "" if inside is not None else json.dumps(value, ensure_ascii=False)
    yield Line(place or "/", f"{name or '/'}{f': {said}' if said else ''}", depth)
    for key, each in inside or ():
        yield from _member(each, f"{place}/{key}", str(key), depth + 1)


def _rows(data: bytes) -> Iterator[Line]:
    """Rows count from 1, behind the head; a row that goes over several lines is shown as it stands."""
    for number, text in enumerate(words_of(data).splitlines()):
        yield Line(f"row {number}" if number else "head", text, 0, number + 1)


def _text(data: bytes) -> Iterator[Line]:
    for number, text in enumerate(words_of(data).splitlines(), 1):
        yield Line("", text, 0, number)


_LAYOUTS: Mapping[str, Callable[[bytes], Iterator[Line]]] = MappingProxyType(
    {"edifact_fv": _interchange, "cim_xml": _document, "json_ce": _tree, "csv": _rows, "dk_cim": _document}
)


def printable(text: str) -> str:
    """Text that moves no cursor."""
    return CONTROL.sub("·", text)
