"""Q07: what asset_service found wrong about the devices of this visit (M1 to M11)."""

from collections.abc import Mapping
from typing import Any

from contracts.codes import ReworkReason, Severity
from services.qa_service.domain.facts import Hit, Rule, VisitFacts
from services.qa_service.domain.records import FactKind

RULE = Rule("Q07", 1, ReworkReason.SERIAL, Severity.ERROR)
TOLD = ("rule", "expected_type", "expected_serial", "found_type", "found_serial")


def check(facts: VisitFacts, params: Mapping[str, Any]) -> list[Hit]:  # noqa: ARG001 - the form of all rules
    """Each mismatch of this version of the report, as bad as it was told; older ones were corrected."""
    return [
        Hit(
            fact.target or "other",
            f"mismatch_{fact.rule}",
            fact.model_dump(mode="json", include=set(TOLD), exclude_none=True),
            severity=fact.severity,
        )
        for fact in facts.heard
        if fact.kind is FactKind.MISMATCH and (fact.visit_version or 0) >= facts.visit.visit_version
    ]
