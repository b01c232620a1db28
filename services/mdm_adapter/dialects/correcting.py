"""A message with other values at single places, for a person who mends what came; the rest stays as it was."""

import csv
import json
import re
from collections.abc import Callable, Mapping
from io import StringIO
from types import MappingProxyType
from typing import Any, NamedTuple

from lxml import etree

from services.mdm_adapter.dialects.cim_xml.parsing import XmlRefused, parse
from services.mdm_adapter.dialects.layout import segments, split, steps, words_of
from services.mdm_adapter.domain.messages import Change
from services.mdm_adapter.errors import NoSuchPlace
from services.mdm_adapter.partners.profile import CsvForm

SEGMENT = re.compile(r"(UN[ABZ]|m\d+\.s\d+)(?:\.e(\d+))?(?:\.c(\d+))?")
CELL = re.compile(r"row (\d+), (\S.*)")


class Corrected(NamedTuple):
    """The bytes as they stand now, and what was changed where."""

    content: bytes
    changes: dict[str, Change]


def corrected(data: bytes, dialect: str, edits: Mapping[str, Any], form: CsvForm) -> Corrected:
    """Put values at places, in the words of findings. Raises NoSuchPlace, also where nothing is changed."""
    correct = _CORRECTIONS.get(dialect)
    if correct is None:
        raise NoSuchPlace(next(iter(edits), ""), "this message has no places that can be named; hand in all of it")
    content, changes = data, dict[str, Change]()
    for place, value in edits.items():
        if isinstance(value, str) and not value.isprintable():
            raise NoSuchPlace(place, "control characters are no value")
        content, before = correct(content, place, value, form)
        changes[place] = Change(before=before, after=None if value is None else _said(value))
    if all(each.before == each.after for each in changes.values()):
        raise NoSuchPlace(next(iter(edits), ""), "this changes nothing")
    return Corrected(content, changes)


def replaced(data: bytes, content: bytes) -> Corrected:
    """All of it anew. Raises NoSuchPlace where nothing is changed."""
    if content == data:
        raise NoSuchPlace("content", "this changes nothing")
    return Corrected(content, {})


def only_row(data: bytes, row: int, form: CsvForm) -> bytes:
    """A file with its head and one of its rows, counted from 1. Raises NoSuchPlace."""
    table = _table(data, form)
    if not 0 < row < len(table):
        raise NoSuchPlace(f"row {row}", "the file has no such row")
    return _file([table[0], table[row]], form)


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _in_interchange(data: bytes, place: str, value: Any, _: CsvForm) -> tuple[bytes, str | None]:
    """A segment, one of its elements, or a component: what separates is released where it stands in a value."""
    named = SEGMENT.fullmatch(place)
    if named is None:
        raise NoSuchPlace(place, "a place is a segment, element and component, such as m1.s5.e3.c2")
    text = words_of(data)
    found = next(((first, last) for at, first, last in segments(text) if at == named[1]), None)
    if found is None:
        raise NoSuchPlace(place, "the interchange has no such segment")
    begin, end = found
    value = _said(value)
    for letter, separator in ((named[2], "+"), (named[3], ":")):
        if letter is None:
            break
        parts = split(text[begin:end], separator)
        if not 0 < int(letter) <= len(parts):
            raise NoSuchPlace(place, "the segment has no such part; give the whole segment")
        begin, end = begin + parts[int(letter) - 1][0], begin + parts[int(letter) - 1][1]
    if named[3] is not None:
        value = re.sub(r"([?+:'])", r"?\1", value)
    encoding = "utf-8" if text.encode("utf-8") == data else "latin-1"
    try:
        return (text[:begin] + value + text[end:]).encode(encoding), text[begin:end]
    except UnicodeEncodeError:
        raise NoSuchPlace(place, "the character set of the interchange has no such character") from None


def _in_document(data: bytes, place: str, value: Any, _: CsvForm) -> tuple[bytes, str | None]:
    """The text of an element, or an attribute of one."""
    try:
        root = parse(data)
    except XmlRefused as refused:
        raise NoSuchPlace(place, f"the document cannot be read: {refused.findings[0].detail}") from None
    path, _at, attribute = place.partition("/@")
    element = _element_at(root, path)
    if element is None:
        raise NoSuchPlace(place, "the document has no such element")
    if attribute:
        before = element.get(attribute)
        element.set(attribute, _said(value))
    elif len(element):
        raise NoSuchPlace(place, "this element holds others; name one of them")
    else:
        before, element.text = element.text, _said(value)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True), before


def _element_at(root: Any, path: str) -> Any:
    first, *way = path.strip("/").split("/")
    if first != etree.QName(root).localname:
        return None
    here = root
    for wanted in way:
        here = next((child for child, step in steps(here) if step == wanted), None)
        if here is None:
            return None
    return here


def _in_tree(data: bytes, place: str, value: Any, _: CsvForm) -> tuple[bytes, str | None]:
    """A member by its JSON pointer; null takes it away."""
    try:
        tree = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise NoSuchPlace(place, "the message cannot be read as JSON; hand in all of it") from None
    *way, last = place.removeprefix("/").split("/")
    here = tree
    for step in way:
        here = _inside(here, step)
    before = _inside(here, last)
    if isinstance(here, dict):
        here[last] = value
        if value is None:
            del here[last]
    elif isinstance(here, list) and before is not None and value is not None:
        here[int(last)] = value
    else:
        raise NoSuchPlace(place, "the message has no such member")
    return json.dumps(tree, ensure_ascii=False).encode(), None if before is None else _said(before)


def _inside(here: Any, step: str) -> Any:
    if isinstance(here, dict):
        return here.get(step)
    if isinstance(here, list) and step.isascii() and step.isdigit() and int(step) < len(here):
        return here[int(step)]
    return None


def _in_table(data: bytes, place: str, value: Any, form: CsvForm) -> tuple[bytes, str | None]:
    """A cell by row, counted from 1, and the name of its column."""
    named, table = CELL.fullmatch(place), _table(data, form)
    if named is None or not 0 < int(named[1]) < len(table) or named[2] not in table[0]:
        raise NoSuchPlace(place, "a place is a row and a column, such as row 3, postcode")
    row, column = table[int(named[1])], table[0].index(named[2])
    row += [""] * (len(table[0]) - len(row))
    before, row[column] = row[column], _said(value)
    return _file(table, form), before


def _table(data: bytes, form: CsvForm) -> list[list[str]]:
    text = data.decode(form.encoding, "replace").removeprefix("\ufeff")
    return [row for row in csv.reader(StringIO(text, newline=""), delimiter=form.delimiter) if row]


def _file(table: list[list[str]], form: CsvForm) -> bytes:
    out = StringIO(newline="")
    csv.writer(out, delimiter=form.delimiter, lineterminator="\n").writerows(table)
    return out.getvalue().encode(form.encoding, "replace")


Correct = Callable[[bytes, str, Any, CsvForm], tuple[bytes, str | None]]
_CORRECTIONS: Mapping[str, Correct] = MappingProxyType(
    {"edifact_fv": _in_interchange, "cim_xml": _in_document, "json_ce": _in_tree, "csv": _in_table}
)
