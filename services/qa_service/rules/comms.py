"""Q08: a device that has to communicate does, or a work order that takes care of it is open."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from contracts.codes import Comms, DeviceRole, ReworkReason, Severity
from contracts.parts import InstalledDevice
from services.qa_service.domain.facts import Hit, Rule, VisitFacts
from services.qa_service.domain.records import FactKind

TALKING = frozenset({DeviceRole.SMGW, DeviceRole.CONTROL_BOX})
RULE = Rule("Q08", 1, ReworkReason.COMMS, Severity.ERROR, MappingProxyType({"roles": TALKING}))


def check(facts: VisitFacts, params: Mapping[str, Any]) -> list[Hit]:
    """Each device that keeps silent and that nobody will come back for."""
    if facts.follow_up:
        return []
    return [
        Hit(device.role, "not_commissioned", {"cause": device.comms_cause})
        for device in facts.visit.installed
        if (device.comms is not Comms.NONE or device.role in params["roles"]) and not _talks(device, facts)
    ]


def _talks(device: InstalledDevice, facts: VisitFacts) -> bool:
    """The newest word of asset_service counts, before it the report."""
    states = (FactKind.COMMISSIONED, FactKind.PENDING)
    told = [fact.kind for fact in facts.heard if fact.kind in states and fact.role is device.role]
    return told[-1] is FactKind.COMMISSIONED if told else device.comms is Comms.OK
