"""Q04: photos were taken during the visit, by a clock that is corrected by what the device said of it."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from contracts.codes import ReworkReason, Severity
from services.qa_service.domain.facts import Hit, Rule, VisitFacts

RULE = Rule("Q04", 1, ReworkReason.PHOTOS, Severity.WARNING, MappingProxyType({"minutes": 15}))


def check(facts: VisitFacts, params: Mapping[str, Any]) -> list[Hit]:
    """Each stored photo without a time, or with one outside the visit."""
    around, offset = timedelta(minutes=params["minutes"]), timedelta(seconds=facts.visit.clock_offset_s)
    first, last = facts.visit.arrived_at - around, facts.visit.finished_at + around
    found = []
    for item in facts.items:
        if item.stored is None or not item.ref.kind.startswith("photo"):
            continue
        target = str(item.ref.evidence_id)
        if item.captured_at is None:
            found.append(Hit(target, "capture_time_missing", {"kind": item.ref.kind}))
        elif not first <= item.captured_at - offset <= last:
            found.append(Hit(target, "captured_outside_visit", {"kind": item.ref.kind}))
    return found
