"""Which fields of a document each dialect can carry: on these, a fact is equal after writing and reading it."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any

from contracts.codes import DeviceRole
from services.mdm_adapter.documents.answer import Answer
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.values import Value
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.documents.work_status import WorkStatus

EDIFACT, CIM, JSON, CSV = "edifact_fv", "cim_xml", "json_ce", "csv"
_ORDER = frozenset(WorkOrderRequested.model_fields)
_REPORT = frozenset(DeviceExchangeCompleted.model_fields)
# fmt: off
CARRIED: Mapping[type[Value], Mapping[str, frozenset[str]]] = MappingProxyType({
    WorkOrderRequested: {
        JSON:    _ORDER - {"properties"},
        CIM:     _ORDER - {"answer", "due_on", "operator"},
        CSV:     _ORDER - {"answer", "operator", "properties", "parties", "old_devices"},
        EDIFACT: frozenset({"order_no", "kind", "metering_point", "fixed_on", "window_from", "window_to", "customer",
                            "customer_class", "location", "old_devices"}),
    },
    DeviceExchangeCompleted: {
        JSON:    _REPORT,
        CIM:     _REPORT - {"withdraws"},
        EDIFACT: frozenset({"metering_point", "finished_on", "installed", "removed"}),
    },
    WorkNotCompleted: {
        JSON:    frozenset(WorkNotCompleted.model_fields),
        CIM:     frozenset(WorkNotCompleted.model_fields),
        EDIFACT: frozenset({"metering_point", "sub_reason", "text"}),
    },
    WorkStatus: {
        JSON:    frozenset(WorkStatus.model_fields),
        CIM:     frozenset(WorkStatus.model_fields),
        EDIFACT: frozenset({"metering_point", "status", "plan", "planned_on", "window_from", "window_to"}),
    },
    Answer: {
        JSON:    frozenset({"items", "level", "fixed_on", "window_from", "window_to"}),
        CIM:     frozenset({"items"}),
        EDIFACT: frozenset({"items", "level", "fixed_on", "window_from", "window_to"}),
    },
})
# fmt: on
READ_DEVICES = MappingProxyType({EDIFACT: frozenset({DeviceRole.METER})})
"""Dialects that say of some devices only what they read."""
ADDRESS = MappingProxyType({EDIFACT: frozenset({"street", "number", "addition", "postcode", "city", "country"})})
"""Dialects that know a place by its address alone."""

WITHOUT_LISTS = frozenset({CIM})
"""Dialects whose codes stand without the list that they belong to."""


def shared(document: type[Value], *dialects: str) -> frozenset[str]:
    """Fields that all these dialects carry."""
    return frozenset.intersection(*(CARRIED[document][dialect] for dialect in dialects))


def carried(document: Value, dialect: str, zone: tzinfo) -> dict[str, Any]:
    """What of a document a dialect carries, by field; what is not said is left out. Days are those of the zone."""
    said = document.model_dump(exclude_none=True)
    if isinstance(document, DeviceExchangeCompleted):
        said["finished_on"] = document.finished_at.astimezone(zone).date()
    found = {name: value for name, value in said.items() if name in CARRIED[type(document)][dialect]}
    if roles := READ_DEVICES.get(dialect):
        for side in {"installed", "removed"} & found.keys():
            found[side] = tuple(device for device in found[side] if device["role"] in roles)
    if "location" in found and (names := ADDRESS.get(dialect)):
        found["location"] = {name: value for name, value in found["location"].items() if name in names}
    if isinstance(document, Answer) and dialect in WITHOUT_LISTS:
        found["items"] = tuple(_without_lists(item) for item in found["items"])
    return {name: value for name, value in found.items() if value != {}}


def _without_lists(item: dict[str, Any]) -> dict[str, Any]:
    reasons = ({name: value for name, value in reason.items() if name != "list"} for reason in item["reasons"])
    return {**item, "reasons": tuple(reasons)}


def to_the_minute(value: Any) -> Any:
    """The same with every time cut to its minute: some dialects write none more exactly."""
    if isinstance(value, datetime):
        return value.replace(second=0, microsecond=0)
    if isinstance(value, dict):
        return {name: to_the_minute(each) for name, each in value.items()}
    return tuple(map(to_the_minute, value)) if isinstance(value, tuple | list) else value
