"""Facts that no document carries, brought by a person under the names by which FACT_MISSING asks for them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.mdm_adapter.dialects.edifact_fv.market_sending import Facts
from services.mdm_adapter.documents.places import OF_DEVICE
from services.mdm_adapter.documents.values import Customer, DeviceFact, Location

FIELDS = {
    "master_data.voltage": "voltage",
    "master_data.customer_class": "customer_class",
    **{name: name for name in ("malo", "price_key", "price_article", "failure_code", "failure_text")},
}
ADDRESS, NAME = "address.", "contact.name"


def with_edits(facts: Facts, edits: Mapping[str, Any]) -> Facts:
    """What is known, and what a person added to it; places of the document itself are left alone."""
    for place, value in edits.items():
        if place in FIELDS:
            named: dict[str, Any] = {FIELDS[place]: str(value)}
            facts = replace(facts, **named)
        elif place == NAME:
            facts = replace(facts, customer=(facts.customer or Customer()).model_copy(update={"name": str(value)}))
        elif place.startswith(ADDRESS):
            said = {place.removeprefix(ADDRESS): str(value)}
            facts = replace(facts, location=(facts.location or Location()).model_copy(update=said))
        elif of_device := OF_DEVICE.fullmatch(place):
            fact, serial = of_device.groups()
            known = facts.devices.get(serial, DeviceFact())
            facts = replace(facts, devices={**facts.devices, serial: known.model_copy(update={fact: str(value)})})
    return facts
