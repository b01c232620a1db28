"""The places of a document: `removed.0.readings.0.value` and what stands there, to be shown, compared and corrected."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from services.mdm_adapter.documents.values import Value
from services.mdm_adapter.errors import NoSuchPlace

D = TypeVar("D", bound=Value)
DEEPEST = 10
OF_DEVICE = re.compile(r"(device_type|gateway) of (\S{1,40})")
_FACTS = re.compile(
    r"master_data\.(voltage|customer_class)|malo|price_key|price_article|failure_code|failure_text|contact\.name"
    r"|address\.(street|number|addition|postcode|city|country)"
)


def is_fact(place: str) -> bool:
    """Whether it names a fact beside the document, as FACT_MISSING does."""
    return _FACTS.fullmatch(place) is not None or OF_DEVICE.fullmatch(place) is not None


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
    """The document with other values at these places; an item may be added behind the last one. Raises NoSuchPlace.

    Facts beside the document are left to whoever writes it.
    """
    own = {place: value for place, value in edits.items() if not is_fact(place)}
    if not own:
        return document
    tree = document.model_dump(mode="json")
    for place, value in own.items():
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
