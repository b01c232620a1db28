"""What a reviewer does: take a review, give it back, approve it, or ask for rework. Nobody decides on own work."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.codes import Result, ReworkKind, ReworkReason
from contracts.ids import Principal
from contracts.parts import ReviewFinding
from contracts.quality import ReviewApproved, ReworkRequested
from services.qa_service.domain.cases import ReviewedCase, named
from services.qa_service.domain.digest import Seal, SealedItem, answers_hash
from services.qa_service.domain.policy import Act
from services.qa_service.domain.records import Finding, FindingState, Review, Rework, ReworkState
from services.qa_service.domain.states import OPEN, Cause, ReviewState
from services.qa_service.errors import (
    DecidedMeanwhile,
    DueInThePast,
    LeaseLost,
    OpenFindings,
    OwnWork,
    ReasonMissing,
    TooManyRounds,
    UnknownFinding,
)

SHORTEST_REASON = 10
"""Characters that a person must write where no coded reason fits."""
MANDATORY = "Q01"
DESK_OR_FIELD = {ReworkKind.DESK: Cause.DESK_REWORK, ReworkKind.FIELD: Cause.FIELD_REWORK}


@dataclass(frozen=True, slots=True)
class ReworkWish:
    """What a reviewer asks for. Without findings all open ones are meant, without a time the usual one."""

    kind: ReworkKind
    reasons: Sequence[ReworkReason]
    findings: Sequence[int] = ()
    comment: str | None = None
    due_at: datetime | None = None


def take(case: ReviewedCase, review: Review, reviewer: Principal, act: Act) -> None:
    """V2: somebody looks at it, for a while. Taking it again prolongs."""
    _refuse_own_work(case, review, reviewer)
    if review.state not in OPEN:
        raise DecidedMeanwhile(review.state, review.decided_at)
    if _is_held(review, act.at) and review.reviewer != reviewer:
        raise LeaseLost(review.lease_until)
    if review.state is ReviewState.PENDING:
        case.move(case.order(review.work_order_id), Cause.TAKEN, act)
    if review.reviewer != reviewer:
        review.reviewer, review.taken_at = reviewer, act.at
    review.lease_until = act.at + act.policy.lease


def give_back(case: ReviewedCase, review: Review, reviewer: Principal, act: Act) -> None:
    """V3: the reviewer does not decide."""
    _must_hold(review, reviewer, act.at)
    case.move(case.order(review.work_order_id), Cause.GIVEN_BACK, act)


def end_lease(case: ReviewedCase, review: Review, act: Act) -> None:
    """V3: the reviewer's time is over."""
    if review.state is ReviewState.IN_REVIEW and not _is_held(review, act.at):
        case.move(case.order(review.work_order_id), Cause.LEASE_OVER, act)


def approve(
    case: ReviewedCase,
    review: Review,
    reviewer: Principal,
    act: Act,
    *,
    accepted: Mapping[int, str],
    comment: str | None = None,
) -> None:
    """V4: fix what was seen as a digest, and lock it. Every error is fixed, or accepted with a reason."""
    may_decide(case, review, reviewer, act)
    let_pass = _open_findings(case, review, accepted)
    if hindering := _hindering(case, review, accepted):
        raise OpenFindings(
            {"finding": each.seq, "rule": each.rule_id, "target": each.target, "text_key": each.text_key}
            for each in hindering
        )
    for finding in let_pass:
        finding.state, finding.accepted_reason = FindingState.ACCEPTED, accepted[finding.seq]
    _seal(case, review, act.at)
    case.move(case.order(review.work_order_id), Cause.APPROVED, act)
    _note(review, comment, act.at)
    for rework in case.reworks:
        if rework.state is ReworkState.DELIVERED:
            rework.state = ReworkState.CLOSED
    case.told.append(
        ReviewApproved(
            **named(case, review),
            evidence_version=review.evidence_version,
            reviewer=reviewer,
            mode=review.mode,
            digest=str(review.digest),
            accepted=len(let_pass),
        )
    )


def ask_rework(case: ReviewedCase, review: Review, reviewer: Principal, act: Act, wish: ReworkWish) -> None:
    """V6: something has to be done again, at the desk or in the field."""
    may_decide(case, review, reviewer, act)
    _check(wish, review, act)
    meant = _open_findings(case, review, wish.findings) or _open(case, review)
    rework = Rework(
        rework_id=act.new_id(),
        review_id=review.review_id,
        work_order_id=review.work_order_id,
        kind=wish.kind,
        reasons=tuple(dict.fromkeys(wish.reasons)),
        company_id=review.company_id,
        due_at=wish.due_at or act.policy.rework_due(wish.kind, act.at),
    )
    case.reworks.append(rework)
    case.move(case.order(review.work_order_id), DESK_OR_FIELD[wish.kind], act)
    review.rework = wish.kind
    _note(review, wish.comment, act.at)
    case.told.append(
        ReworkRequested(
            **named(case, review),
            kind=rework.kind,
            reasons=rework.reasons,
            findings=tuple(ReviewFinding(rule=f.rule_id, severity=f.severity, target=f.target) for f in meant),
            company_id=rework.company_id,
            due_at=rework.due_at,
        )
    )


def may_decide(case: ReviewedCase, review: Review, reviewer: Principal, act: Act) -> None:
    """Raises OwnWork, DecidedMeanwhile or LeaseLost where this person may not decide now."""
    _refuse_own_work(case, review, reviewer)
    _must_hold(review, reviewer, act.at)


def people_of(case: ReviewedCase, review: Review) -> frozenset[Principal]:
    """Four eyes: all who did or reported visits of this case, or brought evidence of this work order."""
    at_work = {person for visit in case.visits for person in visit.people}
    at_desk = {each.added_by for each in case.additions if each.work_order_id == review.work_order_id}
    uploaders = {each.uploaded_by for each in case.evidence if each.work_order_id == review.work_order_id}
    return frozenset(at_work | at_desk | uploaders)


def _refuse_own_work(case: ReviewedCase, review: Review, reviewer: Principal) -> None:
    if reviewer in people_of(case, review):
        raise OwnWork


def _is_held(review: Review, at: datetime) -> bool:
    return review.lease_until is not None and at < review.lease_until


def _must_hold(review: Review, reviewer: Principal, at: datetime) -> None:
    """The caller has the review, and the lease is not over; who comes second learns what was decided."""
    if review.state not in OPEN:
        raise DecidedMeanwhile(review.state, review.decided_at)
    if not _is_held(review, at):
        raise LeaseLost
    if review.reviewer != reviewer:
        raise LeaseLost(review.lease_until)


def _open(case: ReviewedCase, review: Review) -> list[Finding]:
    return [each for each in case.findings_of(review) if each.state is FindingState.OPEN]


def _open_findings(case: ReviewedCase, review: Review, numbers: Iterable[int]) -> list[Finding]:
    """The open findings with these numbers; raises UnknownFinding."""
    open_, wanted = {each.seq: each for each in _open(case, review)}, list(dict.fromkeys(numbers))
    if unknown := [number for number in wanted if number not in open_]:
        raise UnknownFinding(unknown)
    return [open_[number] for number in wanted]


def _hindering(case: ReviewedCase, review: Review, accepted: Mapping[int, str]) -> list[Finding]:
    """Errors that nobody accepted; papers that the technician said were missing cannot be waved through."""
    papers = case.visit_of(review).result is Result.DOCS_INCOMPLETE
    return [
        each
        for each in case.findings_of(review)
        if each.hinders and (each.seq not in accepted or (papers and each.rule_id == MANDATORY))
    ]


def _seal(case: ReviewedCase, review: Review, at: datetime) -> None:
    visit = case.visit_of(review)
    stored = [item.stored for item in case.items(review.work_order_id) if item.stored is not None]
    review.seal = Seal(
        form=f"{visit.form_key}@{visit.form_version}",
        answers_sha256=answers_hash(visit.answers),
        items=tuple(SealedItem(evidence_id=each.evidence_id, kind=each.kind, sha256=each.sha256) for each in stored),
    )
    review.digest = review.seal.digest
    for each in stored:
        each.locked_at = each.locked_at or at


def _check(wish: ReworkWish, review: Review, act: Act) -> None:
    words = len((wish.comment or "").strip())
    if not wish.reasons or (ReworkReason.OTHER in wish.reasons and words < SHORTEST_REASON):
        raise ReasonMissing(f"name a reason; with `other` write at least {SHORTEST_REASON} characters")
    if wish.kind is ReworkKind.DESK and review.round >= act.policy.max_rounds:
        raise TooManyRounds(act.policy.max_rounds)
    if wish.due_at is not None and wish.due_at <= act.at:
        raise DueInThePast("the due time lies in the past")


def _note(review: Review, comment: str | None, at: datetime) -> None:
    review.decided_at, review.comment, review.lease_until = at, comment, None
