"""What follows from every change of a case: the rules are asked again, timers are set."""

from collections.abc import Iterator

from contracts.codes import Severity
from kit.store import Ref, Unit
from services.qa_service import metrics
from services.qa_service.domain.cases import ReviewedCase
from services.qa_service.domain.forms import Form
from services.qa_service.domain.judging import facts_of, judge
from services.qa_service.domain.policy import Act, Policy
from services.qa_service.domain.records import Review, Rework, ReworkState, WorkOrder
from services.qa_service.domain.states import OPEN, ReviewState
from services.qa_service.rules import ask

REVIEW_DUE, LEASE_END, REWORK_DUE = "review_due", "lease_end", "rework_due"


def needs_of_case(key: str, unit: Unit) -> Iterator[Ref]:
    """A case by any of its keys, and the forms that its reports name."""
    yield ReviewedCase, key
    case = unit.find(ReviewedCase, key)
    for visit in case.visits if case else ():
        yield Form, visit.form_id


def act_of(unit: Unit, policy: Policy) -> Act:
    """The circumstances of this transaction."""
    return Act(unit.now, unit.new_id, policy)


def recheck(unit: Unit, case: ReviewedCase, order: WorkOrder) -> None:
    """Ask all rules about what is known now, if a person can still decide."""
    review = case.open_review_of(order)
    if review is None:
        return
    form = unit.find(Form, case.visit_of(review).form_id)
    verdicts = ask(facts_of(case, review, form, unit.now))
    for finding in judge(case, review, verdicts):
        metrics.FINDINGS.labels(finding.rule_id, finding.severity).inc()
    for verdict in verdicts:
        if verdict.broken:
            metrics.RULE_ERRORS.labels(verdict.rule.id).inc()


def settle(unit: Unit, case: ReviewedCase) -> None:
    """Set the timers of what is open, cancel those of what is not."""
    for review in case.reviews:
        _settle_review(unit, review)
    for rework in case.reworks:
        _settle_rework(unit, rework)


def _settle_review(unit: Unit, review: Review) -> None:
    key = str(review.review_id)
    if review.state in OPEN and not review.overdue:
        unit.later(REVIEW_DUE, key, review.due_at)
    else:
        unit.never(REVIEW_DUE, key)
    if review.state is ReviewState.IN_REVIEW and review.lease_until is not None:
        unit.later(LEASE_END, key, review.lease_until)
    else:
        unit.never(LEASE_END, key)


def _settle_rework(unit: Unit, rework: Rework) -> None:
    if rework.state is ReworkState.OPEN and not rework.overdue:
        unit.later(REWORK_DUE, str(rework.rework_id), rework.due_at)
    else:
        unit.never(REWORK_DUE, str(rework.rework_id))


def count_decision(case: ReviewedCase, review: Review) -> None:
    """Figures of a decision that was just made."""
    worst = min((each.severity for each in case.findings_of(review)), key=_gravity, default=None)
    metrics.DECISIONS.labels(review.state, worst or "none", review.mode).inc()
    if review.decided_at is not None:
        metrics.SECONDS.observe((review.decided_at - review.opened_at).total_seconds())
    for finding in case.findings_of(review):
        if finding.accepted_reason is not None and finding.severity is Severity.ERROR:
            metrics.ACCEPTED.labels(finding.rule_id).inc()


def _gravity(severity: Severity) -> int:
    return (Severity.ERROR, Severity.WARNING, Severity.INFO).index(severity)
