"""Q11: every role of the device plan is installed, and nothing that was not planned."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from contracts.codes import DeviceRole, ReworkReason, Severity
from services.qa_service.domain.facts import Hit, Rule, VisitFacts

RULE = Rule("Q11", 1, ReworkReason.SERIAL, Severity.ERROR)


def check(facts: VisitFacts, params: Mapping[str, Any]) -> list[Hit]:  # noqa: ARG001 - the form of all rules
    """Each role with too few or too many devices; types and serials are asset_service's to judge (Q07)."""
    planned = Counter[DeviceRole]()
    for item in facts.visit.device_plan.install:
        planned[item.role] += item.quantity
    installed = Counter(device.role for device in facts.visit.installed)
    return [
        Hit(
            role,
            "device_missing" if installed[role] < planned[role] else "device_unplanned",
            {"planned": planned[role], "installed": installed[role]},
        )
        for role in DeviceRole
        if installed[role] != planned[role]
    ]
