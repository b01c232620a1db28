"""Public topics carry ids, dates, numbers and codes only."""

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import JsonValue

from contracts.catalogue import EVENTS, Event
from contracts.contacts import ContactRecorded
from contracts.event import Part
from contracts.ids import Code
from contracts.messages import MessageRecorded
from contracts.orders import OrderReceived
from contracts.parts import Personal
from contracts.topics import TOPICS
from contracts.visits import VisitReported

PUBLIC = {name: event for name, event in EVENTS.items() if TOPICS[event.topic].audience == "public"}
RESTRICTED = {name: event for name, event in EVENTS.items() if name not in PUBLIC}


def revealing(kind: Any, path: str, metadata: tuple[Any, ...] = ()) -> list[str]:
    """Paths at which a value could say something about a person."""
    found = [path] if any(isinstance(item, Personal) for item in metadata) else []
    if kind is JsonValue or kind is Any:
        return [*found, path]
    if hasattr(kind, "__supertype__"):
        return found + revealing(kind.__supertype__, path)
    if get_origin(kind) is Annotated:
        return found + revealing(get_args(kind)[0], path, get_args(kind)[1:])
    if get_origin(kind) in {Union, UnionType, tuple, dict}:
        inner = [argument for argument in get_args(kind) if argument not in {Ellipsis, type(None)}]
        return found + [hit for argument in inner for hit in revealing(argument, path)]
    if issubclass(kind, Part):
        return found + of_part(kind, path)
    bare = kind is str and not any(getattr(item, "pattern", None) for item in metadata)
    return [*found, path] if bare or kind in {float, bytes} else found


def of_part(part: type[Part], path: str = "") -> list[str]:
    fields = part.model_fields.items()
    hits = [revealing(field.annotation, f"{path}.{name}", tuple(field.metadata)) for name, field in fields]
    return [hit for found in hits for hit in found]


@pytest.mark.rule("SEC-PII-01")
@pytest.mark.parametrize("kind", PUBLIC.values(), ids=PUBLIC.keys())
def test_a_public_event_has_no_bare_text(kind: type[Event]) -> None:
    allowed = {".schema_"} if kind.__name__ == "FormActivated" else set()
    assert set(of_part(kind)) == allowed


@pytest.mark.rule("SEC-PII-01")
def test_the_walk_finds_what_it_looks_for() -> None:
    class Inner(Part):
        note: str

    class Leak(Part):
        code: Code
        notes: tuple[Inner, ...]
        texts: dict[Code, str]
        phone: str | None = None
        marked: Annotated[Code | None, Personal()] = None

    assert of_part(Leak) == [".notes.note", ".texts", ".phone", ".marked"]


@pytest.mark.rule("SEC-PII-01")
@pytest.mark.parametrize("kind", [ContactRecorded, MessageRecorded, OrderReceived, VisitReported])
def test_personal_fields_are_marked_where_they_stand(kind: type[Event]) -> None:
    marked = {
        name for name, field in kind.model_fields.items() if any(isinstance(item, Personal) for item in field.metadata)
    }
    bare = {path.split(".")[1] for path in of_part(kind)}
    assert marked <= bare
    assert bare - marked <= {"installed", "removed"}  # there the registers are marked, one level down


@pytest.mark.parametrize("kind", RESTRICTED.values(), ids=RESTRICTED.keys())
def test_a_bare_text_of_a_restricted_event_is_marked_as_personal(kind: type[Event]) -> None:
    unmarked = [
        name
        for name, field in kind.model_fields.items()
        if field.annotation in {str, str | None}
        and not any(isinstance(item, Personal) or getattr(item, "pattern", None) for item in field.metadata)
    ]
    assert unmarked == []
