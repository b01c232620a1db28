"""A case as its reviews see it: who did what, what proves it, and what a reviewer decides."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.codes import Outcome, ReviewMode, ReworkKind
from contracts.ids import CaseId, EvidenceId, ReviewId, WorkOrderId
from contracts.parts import EvidenceRef
from contracts.quality import ReviewOpened
from kit.aggregate import Aggregate
from kit.audit import Change
from kit.errors import NotFound
from services.qa_service.domain.facts import Item
from services.qa_service.domain.policy import Act
from services.qa_service.domain.records import (
    Addition,
    DeviceFact,
    Evidence,
    EvidenceState,
    FactKind,
    Finding,
    Review,
    Rework,
    ReworkState,
    Visit,
    WorkOrder,
)
from services.qa_service.domain.states import NEXT, OPEN, Cause, Column, ReviewState

COMMUNICATING = frozenset({FactKind.COMMISSIONED, FactKind.PENDING})
"""Facts of which the newest about a device counts."""


@dataclass(kw_only=True, eq=False)
class ReviewedCase(Aggregate):
    """All that is known of a case for its reviews; the only place where a review moves."""

    case_id: CaseId
    work_orders: list[WorkOrder] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    additions: list[Addition] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    reworks: list[Rework] = field(default_factory=list)
    opened: list[Review] = field(default_factory=list, repr=False)
    """Reviews that this step opened, until the audit was told."""

    def key(self) -> str:
        return str(self.case_id)

    def keys(self) -> Iterable[str]:
        yield self.key()
        yield from (str(each.work_order_id) for each in self.work_orders)
        yield from (str(each.review_id) for each in self.reviews)
        yield from (str(each.rework_id) for each in self.reworks)
        yield from (str(each.evidence_id) for each in self.evidence)

    def changes(self) -> Iterable[Change]:
        """A review opens by itself (A01); what people do to it has rows of its own."""
        opened, self.opened = self.opened, []
        for review in opened:
            subject = f"review/{self.case_id}/{review.review_id}"
            yield Change(
                "review:open", subject, {"rules": ["A01"], "round": review.round, "state": [None, review.state]}
            )

    def find_order(self, work_order_id: WorkOrderId) -> WorkOrder | None:
        return next((each for each in self.work_orders if each.work_order_id == work_order_id), None)

    def order(self, work_order_id: WorkOrderId) -> WorkOrder:
        """The work order; raises NotFound while it was not heard of."""
        if (found := self.find_order(work_order_id)) is None:
            raise NotFound(f"work order {work_order_id} was not heard of yet")
        return found

    def review_of(self, order: WorkOrder) -> Review | None:
        """Its newest round."""
        rounds = [each for each in self.reviews if each.work_order_id == order.work_order_id]
        return max(rounds, key=lambda review: review.round, default=None)

    def review(self, review_id: ReviewId) -> Review | None:
        """One round, however old."""
        return next((each for each in self.reviews if each.review_id == review_id), None)

    def visit_of(self, review: Review) -> Visit:
        """The version of the report that a round is about."""
        named = (review.work_order_id, review.visit_version)
        return next(each for each in self.visits if (each.work_order_id, each.visit_version) == named)

    def item(self, evidence_id: EvidenceId) -> Evidence | None:
        return next((each for each in self.evidence if each.evidence_id == evidence_id), None)

    def items(self, work_order_id: WorkOrderId) -> tuple[Item, ...]:
        """Everything that reports and additions named; a correction adds, what was once shown stays."""
        named: dict[EvidenceId, EvidenceRef] = {}
        tellers: Sequence[Visit | Addition] = [*self.visits, *self.additions]
        for teller in sorted(tellers, key=lambda each: each.evidence_version):
            if teller.work_order_id == work_order_id:
                named |= {ref.evidence_id: ref for ref in teller.evidence}
        return tuple(Item(ref, self.item(evidence_id)) for evidence_id, ref in sorted(named.items()))

    def findings_of(self, review: Review) -> list[Finding]:
        return [each for each in self.findings if each.review_id == review.review_id]

    def versions(self, order: WorkOrder) -> list[Visit]:
        """The report of an order's visit and its corrections, as they came."""
        return [each for each in self.visits if each.work_order_id == order.work_order_id]

    def open_review_of(self, order: WorkOrder) -> Review | None:
        """The round that a person can still decide."""
        review = self.review_of(order)
        return review if review is not None and review.state in OPEN else None

    def report(self, visit: Visit, act: Act) -> bool:
        """V1, V3, V7, V10: a visit was reported, or its report corrected. False: it is late, no review moves by it."""
        order = self.order(visit.work_order_id)
        known = max((each.visit_version for each in self.versions(order)), default=0)
        if visit.visit_version <= known or visit.evidence_version <= order.evidence_version:
            return False
        order.evidence_version = visit.evidence_version
        self.visits.append(visit)
        self._bind(order)
        if visit.outcome is Outcome.FAILED:
            return True  # a failed visit is not reviewed
        self._deliver_field_rework(order)
        return self.move(order, Cause.REPORTED, act)

    def add(self, addition: Addition, act: Act) -> bool:
        """V3, V7, V10: evidence was added to a report. False: it is late, no review moves by it."""
        order = self.order(addition.work_order_id)
        if addition.evidence_version <= order.evidence_version:
            return False
        if not self.versions(order):
            raise NotFound(f"no report of work order {order.work_order_id} was heard of yet")
        order.evidence_version = addition.evidence_version
        self.additions.append(addition)
        self._bind(order)
        return self.move(order, Cause.ADDED, act)

    def store(self, item: Evidence, act: Act) -> None:
        """An upload; where a report waits for it, the review looks again."""
        self.evidence.append(item)
        order = self.order(item.work_order_id)
        self._bind(order)
        if item.state is EvidenceState.BOUND:
            self.move(order, Cause.UPLOADED, act)

    def hear(self, order: WorkOrder, fact: DeviceFact) -> bool:
        """Keep what asset_service told. False: the approval was first, and nothing reopens by itself."""
        communicates = fact.kind in COMMUNICATING
        older = [e for e in order.heard if communicates and e.kind in COMMUNICATING and e.device_id == fact.device_id]
        order.heard = (*(each for each in order.heard if each not in older), fact)
        review = self.review_of(order)
        return communicates or review is None or review.state in OPEN

    def waive(self, order: WorkOrder, act: Act) -> bool:
        """V8: two persons decided that it goes without; raises NotFound while the report is still under way."""
        if order.done and self.review_of(order) is None:
            raise NotFound(f"the report of work order {order.work_order_id} was not heard of yet")
        return self._end(order, Cause.WAIVED, act)

    def close(self, order: WorkOrder, act: Act) -> bool:
        """V9: nobody needs this review any more."""
        order.over = True
        return self._end(order, Cause.ENDED, act)

    def move(self, order: WorkOrder, cause: Cause, act: Act) -> bool:
        """Make the move that the table names for this cause; False if it names none."""
        review = self.review_of(order)
        step = NEXT.get((review.column if review else Column.NONE, cause))
        if step is None:
            return False
        if review is None or step.new_round:
            self._open(order, review, act)
            return True
        review.state, review.version = step.to, review.version + 1
        if step.to is ReviewState.PENDING:
            review.reviewer = review.taken_at = review.lease_until = None
            review.visit_version = max(each.visit_version for each in self.versions(order))
            review.evidence_version = order.evidence_version
        return True

    def _open(self, order: WorkOrder, before: Review | None, act: Act) -> None:
        visit = max(self.versions(order), key=lambda each: each.visit_version)
        if before is not None:
            self._settle_reworks(order, ReworkState.DELIVERED)
        review = Review(
            review_id=ReviewId(act.new_id()),
            work_order_id=order.work_order_id,
            sequence=order.sequence,
            round=before.round + 1 if before else 1,
            visit_id=visit.visit_id,
            visit_version=visit.visit_version,
            evidence_version=order.evidence_version,
            company_id=visit.company_id,
            technician_id=visit.technician_id,
            state=ReviewState.PENDING,
            mode=ReviewMode.GATE,
            opened_at=act.at,
            due_at=act.policy.review_due(act.at),
        )
        self.reviews.append(review)
        self.opened.append(review)
        self.told.append(
            ReviewOpened(
                **named(self, review),
                mode=review.mode,
                visit_id=review.visit_id,
                visit_version=review.visit_version,
                evidence_version=review.evidence_version,
                due_at=review.due_at,
            )
        )

    def _end(self, order: WorkOrder, cause: Cause, act: Act) -> bool:
        moved = self.move(order, cause, act)
        review = self.review_of(order)
        if moved and review is not None:
            review.decided_at, review.lease_until = act.at, None
            self._settle_reworks(order, ReworkState.CLOSED)
        return moved

    def _settle_reworks(self, order: WorkOrder, to: ReworkState) -> None:
        for rework in self.reworks:
            if rework.work_order_id == order.work_order_id and rework.state is not ReworkState.CLOSED:
                rework.state = to

    def _deliver_field_rework(self, order: WorkOrder) -> None:
        """The visit of a successor is what field rework asked for."""
        before = {each.work_order_id for each in self._ancestors(order)}
        for rework in self.reworks:
            asked = rework.kind is ReworkKind.FIELD and rework.work_order_id in before
            if asked and rework.state is ReworkState.OPEN:
                rework.state = ReworkState.DELIVERED

    def _ancestors(self, order: WorkOrder) -> Iterator[WorkOrder]:
        while order.predecessor is not None and (before := self.find_order(order.predecessor)) is not None:
            yield before
            order = before

    def _bind(self, order: WorkOrder) -> None:
        for item in self.items(order.work_order_id):
            if item.stored is not None:
                item.stored.state = EvidenceState.BOUND


def named(case: ReviewedCase, review: Review) -> dict[str, Any]:
    """The fields by which every fact about a review names it."""
    return {
        "case_id": case.case_id,
        "work_order_id": review.work_order_id,
        "sequence": review.sequence,
        "review_id": review.review_id,
        "round": review.round,
    }
