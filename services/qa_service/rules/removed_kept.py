"""Q13: the devices that were to be removed are reported removed, each with the place where it went."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from contracts.codes import ReworkReason, Severity
from services.qa_service.domain.facts import Hit, Rule, VisitFacts

RULE = Rule("Q13", 1, ReworkReason.SERIAL, Severity.WARNING)


def check(facts: VisitFacts, params: Mapping[str, Any]) -> list[Hit]:  # noqa: ARG001 - the form of all rules
    """Each role of which fewer devices went than planned; a removal without its place is no report at all."""
    planned = Counter(item.role for item in facts.visit.device_plan.remove)
    removed = Counter(device.role for device in facts.visit.removed)
    return [
        Hit(role, "device_not_removed", {"planned": count, "removed": removed[role]})
        for role, count in planned.items()
        if removed[role] < count
    ]
