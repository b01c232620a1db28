"""What the rules are told of a visit, and what becomes of their answers."""

from collections.abc import Sequence
from datetime import datetime

from contracts.codes import State, WorkOrderKind
from services.qa_service.domain.cases import ReviewedCase
from services.qa_service.domain.facts import Hit, Rule, Verdict, VisitFacts
from services.qa_service.domain.forms import Form
from services.qa_service.domain.records import Asked, Finding, FindingState, Review

Place = tuple[str, str, str]
"""Rule, target and text: the same place again is the same finding."""


def facts_of(case: ReviewedCase, review: Review, form: Form | None, now: datetime) -> VisitFacts:
    """What the rules are asked about."""
    order = case.order(review.work_order_id)
    returning = any(
        each.predecessor == order.work_order_id
        and each.kind == WorkOrderKind.COMMS_REPAIR
        and each.state is not State.CLOSED
        for each in case.work_orders
    )
    return VisitFacts(
        now=now,
        visit=case.visit_of(review),
        form=form,
        items=case.items(order.work_order_id),
        heard=order.heard,
        follow_up=returning,
    )


def judge(case: ReviewedCase, review: Review, verdicts: Sequence[Verdict]) -> list[Finding]:
    """Keep what the rules answered; what is found no more is FIXED. Gives the findings that are new."""
    before = {_place(each): each for each in case.findings_of(review)}
    hits = {(v.rule.id, str(hit.target), hit.text_key): (v.rule, hit) for v in verdicts for hit in v.hits}
    for place, finding in before.items():
        if place not in hits and finding.state is FindingState.OPEN:
            finding.state = FindingState.FIXED
    new: list[Finding] = []
    for place, (rule, hit) in hits.items():
        if known := before.get(place):
            _found_again(known, rule, hit)
        else:
            new.append(_finding(review, len(before) + len(new) + 1, rule, hit))
    case.findings.extend(new)
    review.asked = tuple(
        Asked(rule_id=each.rule.id, rule_version=each.rule.version, findings=len(each.hits)) for each in verdicts
    )
    return new


def _place(finding: Finding) -> Place:
    return finding.rule_id, finding.target, finding.text_key


def _found_again(finding: Finding, rule: Rule, hit: Hit) -> None:
    if finding.state is FindingState.FIXED:
        finding.state = FindingState.OPEN
    finding.severity, finding.params = hit.severity or rule.severity, dict(hit.params)


def _finding(review: Review, seq: int, rule: Rule, hit: Hit) -> Finding:
    return Finding(
        review_id=review.review_id,
        seq=seq,
        rule_id=rule.id,
        rule_version=rule.version,
        severity=hit.severity or rule.severity,
        reason=hit.reason or rule.reason,
        target=str(hit.target),
        text_key=hit.text_key,
        params=dict(hit.params),
    )
