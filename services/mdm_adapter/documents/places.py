"""The places of a document: `removed.0.readings.0.value` and what stands there, to be shown, compared and corrected."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from services.mdm_adapter.documents.values import Value
from services.mdm_adapter.errors import NoSuchPlace

D = TypeVar("D", bound=Value)
DEEPEST = 10


def flat(document: Value) -> dict[str, str]:
    """Every place that says something, with its text."""
    return dict(_flat(document.model_dump(mode="json", exclude_none=True), ""))


def _flat(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _flat(each, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _flat(each, f"{place}.{number}")
    else:
        yield place, str(value).lower() if isinstance(value, bool) else str(value)


def edited(document: D, edits: Mapping[str, Any]) -> D:
    """The document with other values at these places; an item may be added behind the last one. Raises NoSuchPlace."""
    if not edits:
        return document
    tree = document.model_dump(mode="json")
    for place, value in edits.items():
        if not _is_printable(value):
            raise NoSuchPlace(place, "control characters are no value")
        _put(tree, place, value)
    try:
        return type(document).model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise NoSuchPlace(".".join(map(str, first["loc"])), first["msg"]) from None


def _is_printable(value: Any) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (not isinstance(value, str) or value.isprintable()) and all(map(_is_printable, inside))


def _put(tree: Any, place: str, value: Any) -> None:
    *way, last = place.split(".")
    here = tree
    for step in way[:DEEPEST]:
        here = _inside(here, step, place)
    if isinstance(here, list) and last == str(len(here)):
        here.append(value)
    elif _has(here, last):
        here[int(last) if isinstance(here, list) else last] = value
    else:
        raise NoSuchPlace(place, "the document has no such place")


def _inside(here: Any, step: str, place: str) -> Any:
    if not _has(here, step):
        raise NoSuchPlace(place, "the document has no such place")
    return here[int(step) if isinstance(here, list) else step]


def _has(here: Any, step: str) -> bool:
    if isinstance(here, list):
        return step.isascii() and step.isdigit() and int(step) < len(here)
    return isinstance(here, dict) and step in here
