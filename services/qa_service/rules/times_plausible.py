"""Q12: the times of the visit can be true."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from contracts.codes import ReworkReason, Severity
from services.qa_service.domain.facts import Hit, Rule, VisitFacts

RULE = Rule("Q12", 1, ReworkReason.OTHER, Severity.WARNING, MappingProxyType({"least_minutes": 5, "most_minutes": 240}))


def check(facts: VisitFacts, params: Mapping[str, Any]) -> list[Hit]:
    """Arrived before finished, not too short, not too long, not in the future."""
    arrived, finished = facts.visit.arrived_at, facts.visit.finished_at
    if arrived >= finished:
        return [Hit("finished_at", "finished_before_arrival")]
    found = []
    least, most = timedelta(minutes=params["least_minutes"]), timedelta(minutes=params["most_minutes"])
    if not least <= finished - arrived <= most:
        found.append(Hit("finished_at", "duration", {"minutes": int((finished - arrived).total_seconds() // 60)}))
    if finished > facts.now:
        found.append(Hit("finished_at", "in_the_future"))
    return found
