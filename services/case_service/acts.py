"""What handlers and endpoints have in common: who acts, and what every change of a case ends with."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from contracts.cases import (
    CaseAbandoned,
    CaseCancelled,
    CaseCompleted,
    CasePhaseChanged,
    CasePurged,
    CaseReopened,
    SlaAtRisk,
    SlaBreached,
    WorkOrderMoved,
)
from contracts.contacts import ContactRecorded
from contracts.event import Event
from contracts.ids import CompanyId, TechnicianId, WorkOrderId
from contracts.visits import VisitReported
from kit.auth import Principal, Scope
from kit.errors import NotFound
from kit.store import Ref, Unit
from services.case_service import metrics
from services.case_service.domain.act import Act, Policy
from services.case_service.domain.case import Case
from services.case_service.domain.flow import STANDARD, FlowBook, flow_key, numbered
from services.case_service.domain.gate import close_if_done
from services.case_service.domain.phases import due_by, is_on_hold, phase_of
from services.case_service.domain.sla import follow
from services.case_service.domain.waits import rearm
from services.case_service.domain.work_order import WorkOrder

OUTCOMES: dict[type[Event], str] = {
    CaseCompleted: "completed",
    CaseCancelled: "cancelled",
    CaseAbandoned: "abandoned",
    CaseReopened: "reopened",
}


def act_of(unit: Unit, policy: Policy, event_id: UUID | None = None, principal: Principal | None = None) -> Act:
    """The transaction at work, as the domain needs it."""
    who = principal or unit.principal
    technician = _identity(who.scope) if who.scope.kind == "technician" else None
    company = _identity(who.scope) if who.scope.kind == "company" else None
    return Act(
        at=unit.now,
        actor=who.id,
        new_id=unit.new_id,
        policy=policy,
        event_id=event_id,
        technician=TechnicianId(technician) if technician else None,
        me=TechnicianId(me) if (me := technician or _uuid(who.technician)) else None,
        company=CompanyId(company) if company else None,
    )


def of_case(unit: Unit, key: str) -> Iterable[Ref]:
    """What a change of this case needs: the case, and the version of its flow where that is not the first."""
    yield Case, key
    case = unit.find(Case, key)
    if case is not None and case.flow_version != STANDARD[case.case_type].number:
        yield FlowBook, flow_key(case.operator, case.case_type)


def known(unit: Unit, key: str) -> Case:
    """The case under this key, with the version of the flow that it keeps; raises NotFound."""
    case = unit.get(Case, key)
    if case.kept_flow is None and case.flow_version != STANDARD[case.case_type].number:
        book = unit.find(FlowBook, flow_key(case.operator, case.case_type))
        case.kept_flow = numbered(book, case.case_type, case.flow_version)
    return case


def named(unit: Unit, case_id: UUID) -> Case:
    """The case with this very id. Cases are also found by the ids of their work orders: those name none, for what is
    audited under them would not stand with the case. Raises NotFound."""
    case = known(unit, str(case_id))
    if case.case_id != case_id:
        raise NotFound(f"there is no Case {case_id}")
    return case


def conclude(case: Case, unit: Unit, act: Act) -> None:
    """After every change: the gate is asked, phase and timers follow, what came up beside the case is written."""
    close_if_done(case, act)
    phase, on_hold = phase_of(case, act), is_on_hold(case)
    if (phase, on_hold) != (case.phase, case.on_hold):
        case.told.append(CasePhaseChanged(case_id=case.case_id, from_phase=case.phase, to_phase=phase, on_hold=on_hold))
        case.phase, case.on_hold = phase, on_hold
    follow(case, act)
    case.due_by = due_by(case, act)
    new, gone = rearm(case, act.policy)
    for wait in new:
        unit.later(wait.kind, wait.key, wait.due_at, case_id=str(case.case_id))
    for name in gone:
        kind, _, key = name.partition("/")
        unit.never(kind, key)
    for record in case.beside:
        unit.add(record)
    for code, details in case.anomalies:
        unit.anomaly(code, f"case/{case.case_id}", **details)
    for rule, key in case.fired:
        unit.audit(f"automation:{rule}", f"case/{case.case_id}", key=key)
    case.fired.clear()
    case.beside.clear()
    case.anomalies.clear()
    _count(case, act)
    if any(isinstance(fact, CasePurged) and fact.case_id == case.case_id for fact in case.told):
        unit.forget(ContactRecorded, str(case.case_id))


def within(case: Case, scope: Scope) -> Case:
    """The case, if it is in scope; what is not does not exist (G3)."""
    if not sees(case, scope):
        raise NotFound(f"there is no Case {case.case_id}")
    return case


def within_order(case: Case, work_order_id: WorkOrderId, scope: Scope) -> WorkOrder:
    """The work order, if it is in scope: of a case on which others work as well, theirs do not exist (G3)."""
    order = within(case, scope).order(work_order_id)
    if not owns(order, scope):
        raise NotFound(f"there is no work order {work_order_id}")
    return order


def owns(order: Any, scope: Scope) -> bool:
    """Whether a work order, or its row, is in this scope, given that its case is."""
    identity = _identity(scope)
    if scope.kind == "company":
        return identity is not None and order.company_id == identity
    if scope.kind == "technician":
        return identity is not None and identity in {order.responsible, order.dispatched_to}
    return True


def of_customer(case: Case, scope: Scope) -> Case:
    """The case, for whom it is in scope or who is its customer: the one of its appointment, and of no other."""
    if scope.kind == "appointment" and any(order.appointment_id == _identity(scope) for order in case.unclosed):
        return case
    return within(case, scope)


def sees(case: Case, scope: Scope) -> bool:
    """Whether a case is in this scope."""
    if scope.kind == "all":
        return True
    if scope.kind == "partner":
        return any(reference.partner == scope.id for reference in case.references)
    return scope.kind in {"company", "technician"} and any(owns(order, scope) for order in case.work_orders)


def _identity(scope: Scope) -> UUID | None:
    return _uuid(scope.id)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _count(case: Case, act: Act) -> None:
    """Figures follow what was told; a transaction that is tried again counts again, which figures may bear."""
    for fact in case.told:
        if isinstance(fact, WorkOrderMoved):
            metrics.MOVES.labels(fact.move).inc()
        elif isinstance(fact, SlaAtRisk | SlaBreached):
            metrics.SLA_BREACHES.labels("at_risk" if isinstance(fact, SlaAtRisk) else "breached").inc()
        elif isinstance(fact, VisitReported):
            metrics.VISITS.labels(fact.outcome, fact.sub_reason or "none").inc()
        elif type(fact) in OUTCOMES:
            metrics.ENDED.labels(OUTCOMES[type(fact)]).inc()
            if not isinstance(fact, CaseReopened):
                metrics.CASE_SECONDS.labels(case.case_type).observe((act.at - case.opened_at).total_seconds())
