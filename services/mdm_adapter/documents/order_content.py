"""What an order may say: the fields that ordering and changing it have in common, and how both come together."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Self

from pydantic import Field

from contracts.codes import LegalBasis, OrderKind, Origin
from services.mdm_adapter.documents.values import (
    AnswerWanted,
    Customer,
    Document,
    Location,
    MeteringPoint,
    OldDevice,
    Party,
    Value,
)

NESTED = ("customer", "location")


class OrderContent(Document):
    """Everything is optional: a message carries what it carries, the partner's defaults fill the rest."""

    kind: OrderKind | None = None
    metering_point: MeteringPoint | None = None
    operator: str | None = None
    plan: str | None = None
    device_type: str | None = None
    """Of the meter that is to be installed, by our list of device types."""
    priority: int | None = Field(None, ge=1, le=5)
    """The partner's scale, 1 (highest) to 5."""
    origin: Origin | None = None
    legal_basis: LegalBasis | None = None
    language: str | None = None
    sms_allowed: bool | None = None
    voltage: str | None = None
    customer_class: str | None = None
    window_from: date | None = None
    window_to: date | None = None
    fixed_on: date | None = None
    planned_on: date | None = None
    due_on: date | None = None
    customer: Customer | None = None
    location: Location | None = None
    parties: tuple[Party, ...] | None = None
    old_devices: tuple[OldDevice, ...] | None = None
    answer: AnswerWanted | None = None
    properties: tuple[tuple[str, str], ...] = ()
    """Properties that we do not know; they are kept."""

    def content(self) -> dict[str, Any]:
        """The fields that are said, by name; nested values too hold only what is said."""
        said = self.model_dump(exclude_none=True, exclude={"order_no", "order_version", "cleared"})
        return {name: value for name, value in said.items() if value not in ((), {})}

    def filled(self, *below: "OrderContent") -> Self:
        """What is not said here is taken from the first that says it; of parties each role by itself."""
        full, parties = self.content(), list(self.parties or ())
        for each in below:
            full = _merged(each.content(), full)
            said = {party.role for party in parties}
            parties += [party for party in each.parties or () if party.role not in said]
        return type(self).model_validate({**self.model_dump(), **full, "parties": tuple(parties) or None})


def overlaid(below: OrderContent, above: OrderContent, cleared: Iterable[str]) -> dict[str, Any]:
    """The content of an order after a change: what is cleared goes, what is said replaces, the rest stays.

    A cleared name is a field, or `<field>.<member>` of a nested one.
    """
    rest = below.content()
    for path in cleared:
        name, _, member = path.partition(".")
        if not member:
            rest.pop(name, None)
        elif isinstance(rest.get(name), dict):
            rest[name] = {key: value for key, value in rest[name].items() if key != member}
    return _merged(rest, above.content())


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = {name: {**below[name], **above[name]} for name in NESTED if name in below and name in above}
    return {**below, **above, **both}


class Missing(Value):
    """A fact that neither the message nor the defaults gave."""

    field: str
    names: tuple[str, ...]
    """What of it is missing."""


def missing_place(location: Location | None) -> tuple[Missing, ...]:
    """Address and area are needed of every order; one without is refused as a location nobody can find."""
    place = location or Location()
    address = tuple(name for name in ("street", "number", "postcode", "city", "country") if not getattr(place, name))
    area = tuple(name for name in ("postcode", "municipality") if not getattr(place, name))
    if address:
        return (Missing(field="address", names=tuple(dict.fromkeys((*address, *area)))),)
    return (Missing(field="area", names=area),) if area else ()
