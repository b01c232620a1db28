"""The rules that are asked at every review, one module each: a RULE, and a `check` that is pure and reads no clock."""

from collections.abc import Sequence
from types import ModuleType

from contracts.codes import ReworkReason, Severity
from services.qa_service.domain.facts import Hit, Verdict, VisitFacts
from services.qa_service.rules import (
    capture_time,
    comms,
    device_mismatch,
    form_valid,
    mandatory_evidence,
    plan_complete,
    reading_anomaly,
    removed_kept,
    times_plausible,
)

RULES: Sequence[ModuleType] = (
    mandatory_evidence,
    form_valid,
    capture_time,
    device_mismatch,
    comms,
    reading_anomaly,
    plan_complete,
    times_plausible,
    removed_kept,
)
"""In the order of their ids."""
BUGS = (ArithmeticError, AttributeError, LookupError, NameError, RuntimeError, TypeError, ValueError)
"""What a broken rule raises: it has no outside that could fail in other ways."""
BROKEN = "rule-broken"


def ask(facts: VisitFacts, rules: Sequence[ModuleType] = RULES) -> list[Verdict]:
    """Ask all of them. One that breaks is an error finding of its own, and does not keep the others from answering."""
    return [_ask(rule, facts) for rule in rules]


def _ask(module: ModuleType, facts: VisitFacts) -> Verdict:
    try:
        return Verdict(module.RULE, tuple(module.check(facts, module.RULE.params)))
    except BUGS as error:
        params = {"error": type(error).__name__}
        hit = Hit(module.RULE.id, BROKEN, params, severity=Severity.ERROR, reason=ReworkReason.OTHER)
        return Verdict(module.RULE, (hit,), broken=True)
