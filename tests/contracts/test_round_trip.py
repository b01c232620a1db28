"""Whatever an owner may tell, a reader gets: every event survives its way over the wire."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from pydantic import AwareDatetime, JsonValue

from contracts.catalogue import EVENTS, Event
from contracts.event import Part

JSON_VALUES = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**53), 2**53) | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=2) | some.dictionaries(some.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)
PLAIN: dict[Any, some.SearchStrategy[Any]] = {
    UUID: some.uuids(),
    bool: some.booleans(),
    int: some.integers(-(2**53), 2**53),
    Decimal: some.decimals(-(10**12), 10**12, allow_nan=False),
    AwareDatetime: some.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=some.just(UTC)),  # noqa: DTZ001
    date: some.dates(),
    JsonValue: JSON_VALUES,
    str: some.text(max_size=20),
}


def pattern_of(metadata: tuple[Any, ...]) -> str | None:
    return next((found for item in metadata if (found := getattr(item, "pattern", None))), None)


def values(kind: Any, metadata: tuple[Any, ...] = ()) -> some.SearchStrategy[Any]:
    """Values of a type, as python code would give them to a model."""
    if kind is JsonValue:
        return JSON_VALUES
    if hasattr(kind, "__supertype__"):
        return values(kind.__supertype__)
    if get_origin(kind) is Annotated:
        return values(get_args(kind)[0], get_args(kind)[1:])
    if get_origin(kind) in {Union, UnionType}:
        return some.one_of(*[values(choice) for choice in get_args(kind) if choice is not type(None)])
    if get_origin(kind) is tuple:
        return some.lists(values(get_args(kind)[0]), max_size=2).map(tuple)
    if get_origin(kind) is dict:
        return some.dictionaries(*[values(argument) for argument in get_args(kind)], max_size=2)
    if issubclass(kind, Part):
        return instances(kind)
    if issubclass(kind, StrEnum):
        return some.sampled_from(list(kind))
    pattern = pattern_of(metadata)
    return some.from_regex(pattern.replace("$", r"\Z")) if pattern else PLAIN[kind]


def instances(part: type[Part]) -> some.SearchStrategy[Any]:
    fields = {name: values(field.annotation, tuple(field.metadata)) for name, field in part.model_fields.items()}
    required = {name: fields[name] for name, field in part.model_fields.items() if field.is_required()}
    optional = {name: fields[name] for name in fields.keys() - required.keys()}
    return some.fixed_dictionaries(required, optional=optional).map(lambda given: part(**given))


INSTANCES = {kind: instances(kind) for kind in EVENTS.values()}


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS.keys())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=some.data())
def test_an_event_survives_the_wire(kind: type[Event], data: some.DataObject) -> None:
    event = data.draw(INSTANCES[kind])
    assert kind.from_json(event.to_json()) == event
