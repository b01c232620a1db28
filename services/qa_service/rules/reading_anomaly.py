"""Q09: what asset_service found strange about the readings of this visit (R1 to R9); the values stay there."""

from collections.abc import Mapping
from typing import Any

from contracts.codes import ReworkReason, Severity
from services.qa_service.domain.facts import Hit, Rule, VisitFacts
from services.qa_service.domain.records import FactKind

RULE = Rule("Q09", 1, ReworkReason.READING, Severity.WARNING)


def check(facts: VisitFacts, params: Mapping[str, Any]) -> list[Hit]:  # noqa: ARG001 - the form of all rules
    """Each anomaly of this version of the report, as bad as it was told."""
    return [
        Hit(fact.target or "other", f"anomaly_{fact.rule}", {"rule": fact.rule}, severity=fact.severity)
        for fact in facts.heard
        if fact.kind is FactKind.ANOMALY and (fact.visit_version or 0) >= facts.visit.visit_version
    ]
