"""What qa_service hears: one small function per event and timer."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import TypeVar

from contracts.assets import CommissioningPending, DeviceCommissioned, DeviceMismatch, ReadingAnomalyFound
from contracts.cases import CaseAbandoned, CaseCancelled, ExceptionApproved, WorkOrderMoved, WorkOrderOpened
from contracts.codes import ExceptionType, Move, Outcome, State
from contracts.event import Event
from contracts.groups import OfWorkOrder
from contracts.visits import EvidenceAdded, VisitReported
from kit.handlers import Handlers, Timer
from kit.inbox import Received
from kit.store import Ref, Unit
from services.qa_service import metrics
from services.qa_service.acts import LEASE_END, REVIEW_DUE, REWORK_DUE, act_of, needs_of_case, recheck, settle
from services.qa_service.domain.cases import ReviewedCase
from services.qa_service.domain.deciding import end_lease
from services.qa_service.domain.forms import Form, form_id_of
from services.qa_service.domain.policy import Policy
from services.qa_service.domain.records import Addition, DeviceFact, FactKind, ReworkState, Visit, WorkOrder
from services.qa_service.domain.states import OPEN

E = TypeVar("E", bound=Event)
ENDING = frozenset({Move.T24, Move.T31})
"""Moves that close a work order without an approval."""
TOLD = frozenset(each.name for each in fields(Visit))
"""What of a report is kept; the position is not."""


def hearing(policy: Policy) -> Handlers:
    """The table from event to function, with the waiting times of the installation."""
    handlers = Handlers(main=ReviewedCase)

    def bound(handle: Callable[[Received[E], Unit, Policy], None]) -> Callable[[Received[E], Unit], None]:
        return lambda received, unit: handle(received, unit, policy)

    handlers.on(WorkOrderOpened, needs=_whole_case)(learn_of_work_order)
    handlers.on(WorkOrderMoved, needs=_whole_case)(bound(follow_work_order))
    handlers.on(CaseCancelled)(bound(end_case))
    handlers.on(CaseAbandoned)(bound(end_case))
    handlers.on(ExceptionApproved)(bound(waive_reviews))
    handlers.on(VisitReported, needs=_of_report)(bound(take_report))
    handlers.on(EvidenceAdded, needs=_whole_case)(bound(take_addition))
    handlers.on(DeviceCommissioned, needs=_whole_case)(hear_commissioned)
    handlers.on(CommissioningPending, needs=_whole_case)(hear_pending)
    handlers.on(DeviceMismatch, needs=_whole_case)(hear_mismatch)
    handlers.on(ReadingAnomalyFound, needs=_whole_case)(hear_anomaly)
    handlers.due(REVIEW_DUE)(mark_review_overdue)
    handlers.due(REWORK_DUE)(mark_rework_overdue)
    handlers.due(LEASE_END)(lambda timer, unit: take_back(timer, unit, policy))
    return handlers


def _whole_case(event: OfWorkOrder, unit: Unit) -> Iterable[Ref]:
    return needs_of_case(str(event.case_id), unit)


def _of_report(event: VisitReported, unit: Unit) -> Iterator[Ref]:
    yield Form, form_id_of(event.form_key, event.form_version)
    yield from _whole_case(event, unit)


def learn_of_work_order(received: Received[WorkOrderOpened], unit: Unit) -> None:
    """A work order may be visited; a follow-up may be what a review of its predecessor asks for (Q08)."""
    event = received.event
    case = unit.find(ReviewedCase, str(event.case_id))
    if case is None:
        case = ReviewedCase(case_id=event.case_id)
        unit.add(case)
    if case.find_order(event.work_order_id) is not None:
        return
    order = WorkOrder(
        work_order_id=event.work_order_id,
        sequence=event.sequence,
        kind=event.kind,
        state=event.state,
        predecessor=event.predecessor,
        company_id=event.company_id,
    )
    case.work_orders.append(order)
    _recheck_predecessor(unit, case, order)


def follow_work_order(received: Received[WorkOrderMoved], unit: Unit, policy: Policy) -> None:
    """Who is sent, and whether the order ends without an approval (V9)."""
    event = received.event
    case = unit.get(ReviewedCase, str(event.case_id))
    order = case.order(event.work_order_id)
    if event.version <= order.moved_version:
        return
    order.moved_version, order.state = event.version, event.to_state
    if event.responsible is not None and event.responsible not in order.technicians:
        order.technicians = (*order.technicians, event.responsible)
    if event.to_state is State.RESOLVED and event.outcome in {Outcome.OK, Outcome.PARTIAL}:
        order.done = True
    if event.move in ENDING:
        case.close(order, act_of(unit, policy))
    if event.to_state is State.CLOSED:
        _recheck_predecessor(unit, case, order)
    settle(unit, case)


def end_case(received: Received[CaseCancelled] | Received[CaseAbandoned], unit: Unit, policy: Policy) -> None:
    """Nothing of this case is handed over any more: its reviews are closed (V9)."""
    case = unit.find(ReviewedCase, received.event.key())
    if case is None:
        return  # it ended before it had a work order
    for order in case.work_orders:
        case.close(order, act_of(unit, policy))
    settle(unit, case)


def waive_reviews(received: Received[ExceptionApproved], unit: Unit, policy: Policy) -> None:
    """Two persons decided that it goes without an approval (V8)."""
    event = received.event
    if event.type is not ExceptionType.QA_WAIVER:
        return
    case, act = unit.get(ReviewedCase, event.key()), act_of(unit, policy)
    named = [case.order(event.work_order_id)] if event.work_order_id else case.work_orders
    if not [order for order in named if case.waive(order, act)]:
        unit.anomaly("nothing_to_waive", f"case/{case.case_id}")
    settle(unit, case)


def take_report(received: Received[VisitReported], unit: Unit, policy: Policy) -> None:
    """A visit is to be reviewed, or its report was corrected; a failed one is only kept."""
    event = received.event
    case, act = unit.get(ReviewedCase, event.key()), act_of(unit, policy)
    order = case.order(event.work_order_id)
    told = {name: getattr(event, name) for name in TOLD if hasattr(event, name)}
    visit = Visit(**told, clock_offset_s=event.client.clock_offset_s, received_at=unit.now)
    order.company_id = visit.company_id
    if visit.technician_id not in order.technicians:
        order.technicians = (*order.technicians, visit.technician_id)
    if not case.report(visit, act):
        _late(unit, order, "visit_reported")
    recheck(unit, case, order)
    if order.over:  # its end was heard first: topics may overtake each other
        case.close(order, act)
    settle(unit, case)


def take_addition(received: Received[EvidenceAdded], unit: Unit, policy: Policy) -> None:
    """Desk rework was delivered, or something new came after an approval."""
    event = received.event
    case, act = unit.get(ReviewedCase, event.key()), act_of(unit, policy)
    order = case.order(event.work_order_id)
    addition = Addition(
        work_order_id=event.work_order_id,
        evidence_version=event.evidence_version,
        evidence=event.evidence,
        added_by=event.added_by,
        company_id=event.company_id,
        received_at=unit.now,
    )
    if not case.add(addition, act):
        _late(unit, order, "evidence_added")
    recheck(unit, case, order)
    settle(unit, case)


def hear_commissioned(received: Received[DeviceCommissioned], unit: Unit) -> None:
    """A device communicates (Q08)."""
    event = received.event
    _hear(unit, event, DeviceFact(kind=FactKind.COMMISSIONED, device_id=event.device_id, role=event.role))


def hear_pending(received: Received[CommissioningPending], unit: Unit) -> None:
    """A device keeps silent (Q08)."""
    event = received.event
    fact = DeviceFact(kind=FactKind.PENDING, device_id=event.device_id, role=event.role, cause=event.cause.value)
    _hear(unit, event, fact)


def hear_mismatch(received: Received[DeviceMismatch], unit: Unit) -> None:
    """A device is not the planned one, or not where the ledger has it (Q07)."""
    event = received.event
    fact = DeviceFact(
        kind=FactKind.MISMATCH,
        device_id=event.device_id,
        role=event.role,
        rule=event.rule,
        severity=event.severity,
        finding_id=event.finding_id,
        target=event.role.value,
        expected_type=event.expected_type,
        expected_serial=event.expected_serial,
        found_type=event.found_type,
        found_serial=event.found_serial,
        visit_version=event.visit_version,
    )
    _hear(unit, event, fact)


def hear_anomaly(received: Received[ReadingAnomalyFound], unit: Unit) -> None:
    """A reading is strange (Q09); its value stays in asset_service."""
    event = received.event
    fact = DeviceFact(
        kind=FactKind.ANOMALY,
        device_id=event.device_id,
        rule=event.rule,
        severity=event.severity,
        finding_id=event.finding_id,
        target=event.register_,
        visit_version=event.visit_version,
    )
    _hear(unit, event, fact)


def mark_review_overdue(timer: Timer, unit: Unit) -> None:
    """Nobody decided in time: listed as overdue."""
    for review in unit.get(ReviewedCase, timer.key).reviews:
        if str(review.review_id) == timer.key and review.state in OPEN:
            review.overdue = True
            metrics.OVERDUE.labels("review").inc()


def mark_rework_overdue(timer: Timer, unit: Unit) -> None:
    """The company did not deliver in time: listed, and counted against it."""
    for rework in unit.get(ReviewedCase, timer.key).reworks:
        if str(rework.rework_id) == timer.key and rework.state is ReworkState.OPEN:
            rework.overdue = True
            metrics.OVERDUE.labels("rework").inc()


def take_back(timer: Timer, unit: Unit, policy: Policy) -> None:
    """The reviewer's time is over (V3): somebody else may take it."""
    case = unit.get(ReviewedCase, timer.key)
    for review in case.reviews:
        if str(review.review_id) == timer.key:
            end_lease(case, review, act_of(unit, policy))
    settle(unit, case)


def _recheck_predecessor(unit: Unit, case: ReviewedCase, order: WorkOrder) -> None:
    before = case.find_order(order.predecessor) if order.predecessor else None
    if before is not None:
        recheck(unit, case, before)


def _late(unit: Unit, order: WorkOrder, what: str) -> None:
    unit.anomaly("late", f"work_order/{order.work_order_id}", heard=what)


def _hear(unit: Unit, event: OfWorkOrder, fact: DeviceFact) -> None:
    """Keep it; it may come before the visit, and is used when that is reviewed."""
    case = unit.get(ReviewedCase, str(event.case_id))
    order = case.order(event.work_order_id)
    if not case.hear(order, fact):
        _late(unit, order, "device_finding")
    recheck(unit, case, order)
