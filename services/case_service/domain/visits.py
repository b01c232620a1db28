"""What a report does (lifecycle §1.3, §8): it is kept and told, follow-ups open, failures are counted."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from contracts.codes import CloseReason, DeviceRole, ExceptionType, Fact, Outcome, Result, State, WorkOrderKind
from contracts.ids import CaseId, Code, Principal, TechnicianId, VisitId, WorkOrderId
from contracts.parts import DevicePlan, FieldClient, PlanItem, PlannedRemoval, VisitedSite
from contracts.visits import VisitReported
from kit.store import Aggregate
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.exceptions import raise_exception
from services.case_service.domain.flows import open_work_order
from services.case_service.domain.requests import Report
from services.case_service.domain.states import Column
from services.case_service.domain.work_order import BuiltIn, WorkOrder
from services.case_service.errors import NotPlanned


@dataclass(kw_only=True, eq=False)
class Visit(Aggregate):
    """One report, as it came; a corrected report is a new record with a higher visit version."""

    record_id: UUID
    case_id: CaseId
    work_order_id: WorkOrderId
    visit_id: VisitId
    visit_version: int
    outcome: Outcome
    result: Result
    report: Report
    reported_by: Principal
    reported_at: datetime

    def key(self) -> str:
        return str(self.record_id)


class ConflictState(StrEnum):
    """What became of a report that could not be taken when it came."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    CASE_OPENED = "case_opened"


@dataclass(kw_only=True, eq=False)
class VisitConflict(Aggregate):
    """A report of a work order that nobody may report on in its state; a technician's report is never lost."""

    conflict_id: UUID
    case_id: CaseId
    work_order_id: WorkOrderId
    column: Column
    report: Report
    technician_id: TechnicianId | None
    reported_by: Principal
    reported_at: datetime
    state: ConflictState = ConflictState.OPEN
    opened_case_id: CaseId | None = None
    """The case that was opened for it."""

    def key(self) -> str:
        return str(self.conflict_id)


def conflict_id(work_order_id: UUID, report: Report) -> UUID:
    """The same report of the same order is kept once, however often it is sent."""
    return uuid5(work_order_id, report.model_dump_json())


def keep_conflict(case: Case, act: Act, order: WorkOrder, report: Report) -> VisitConflict:
    """Put a report on the visit-conflict list; of a cancelled order it means that something may be on site."""
    kept = VisitConflict(
        conflict_id=conflict_id(order.work_order_id, report),
        case_id=case.case_id,
        work_order_id=order.work_order_id,
        column=order.column,
        report=report,
        technician_id=report.technician_id or act.technician,
        reported_by=act.actor,
        reported_at=act.at,
    )
    case.hotlist(act, order, "visit_conflict", conflict_id=str(kept.conflict_id))
    if order.close_reason is CloseReason.CANCELLED:
        raise_exception(case, act, ExceptionType.CANCELLED_AFTER_DONE, order=order, reason="late_report")
    return kept


def take_report(case: Case, act: Act, order: WorkOrder, report: Report, *, on_behalf: bool) -> None:
    """Keep a report as the newest version of the order's visit, and tell it; the state is the caller's business."""
    technician = report.technician_id or act.technician or order.responsible or order.dispatched_to
    company = order.company_id
    if technician is None or company is None:
        raise NotPlanned("Whose visit it was is not known: assign technician and company.", fields=["responsible"])
    visit = order.visit_id or VisitId(act.new_id())
    order.visit_id, order.resolved_at = visit, order.resolved_at or act.at
    order.outcome, order.result, order.sub_reason = report.result.outcome, report.result, report.sub_reason
    order.visit_version += 1
    order.evidence_version += 1
    order.lacking = report.missing
    order.performed_by = report.performed_by or order.performed_by or (act.actor,)  # who corrects a visit was not there
    order.installed = tuple(BuiltIn(role=device.role, serial=device.serial) for device in report.installed)
    order.removed = tuple(BuiltIn(role=device.role, serial=device.serial) for device in report.removed)
    order.customer_knows = True
    case.beside.append(
        Visit(
            record_id=act.new_id(),
            case_id=case.case_id,
            work_order_id=order.work_order_id,
            visit_id=visit,
            visit_version=order.visit_version,
            outcome=order.outcome,
            result=order.result,
            report=report,
            reported_by=act.actor,
            reported_at=act.at,
        )
    )
    whose = {"technician_id": technician, "company_id": company, "reported_by": act.actor, "on_behalf": on_behalf}
    case.told.append(_reported(case, order, report, whose))


def _reported(case: Case, order: WorkOrder, report: Report, whose: Mapping[str, Any]) -> VisitReported:
    """What others hear of a report: its words, and what the order made of them."""
    return VisitReported(
        case_id=case.case_id,
        work_order_id=order.work_order_id,
        sequence=order.sequence,
        visit_id=order.visit_id,
        visit_version=order.visit_version,
        evidence_version=order.evidence_version,
        outcome=order.outcome,
        result=order.result,
        sub_reason=order.sub_reason,
        sub_reason_text=report.sub_reason_text,
        performed_by=order.performed_by,
        **whose,
        arrived_at=report.arrived_at,
        started_at=report.started_at,
        finished_at=report.finished_at,
        device_plan=order.device_plan,
        installed=report.installed,
        removed=report.removed,
        site=report.site or VisitedSite(generation=case.site.generation, postcode=case.area.postcode),
        missing=report.missing,
        form_key=report.form_key or order.kind,
        form_version=report.form_version or 0,
        answers=report.answers,
        evidence=report.evidence,
        client=report.client or FieldClient(downloaded_version=order.version, clock_offset_s=0),
    )


def conclude_visit(case: Case, act: Act, order: WorkOrder) -> None:
    """What follows from a resolved visit: the follow-up of a partial one, the answer to a failed one (T19, T20)."""
    if order.outcome is Outcome.FAILED:
        case.hand_over(
            act,
            Fact.WORK_NOT_COMPLETED,
            order,
            final=False,
            visit_id=order.visit_id,
            visit_version=order.visit_version,
        )
        ask_people(case, act, order)
        return
    if order.outcome is Outcome.PARTIAL:
        open_follow_up(case, act, order)
    before = case.predecessor_of(order)
    if before and before.state is State.RESOLVED and before.outcome is Outcome.PARTIAL:
        case.step(act, before, "T24", State.CLOSED, close=CloseReason.SUPERSEDED, reason="superseded", rule="A04")


def open_follow_up(case: Case, act: Act, order: WorkOrder) -> None:
    """A partial result is never the end: an order for what is missing opens at once (lifecycle §8.2)."""
    if case.successor_of(order):
        return
    comms = order.result is Result.COMMS_PENDING
    case.automated("A04", str(order.work_order_id))
    kind = WorkOrderKind.COMMS_REPAIR if comms else WorkOrderKind.REWORK
    open_work_order(
        case,
        act,
        kind=WorkOrderKind.REVERSAL if order.kind == WorkOrderKind.REVERSAL else kind,
        plan=DevicePlan(plan=order.device_plan.plan, install=(), remove=()),
        predecessor=order,
        due_on=act.in_working_days(act.policy.comms_days if comms else act.policy.rework_days),
    )


def ask_people(case: Case, act: Act, order: WorkOrder) -> None:
    """What a failed visit leaves to people (A05), also one that was reported while its order was withdrawn (`rec`)."""
    if order.sub_reason == "customer_refuses":
        _raise(case, act, ExceptionType.REFUSAL, "customer_refuses", order)
    if case.failed_attempts >= act.policy.attempts:
        _raise(case, act, ExceptionType.THREE_FAILED_ATTEMPTS, "failed_attempts")
    repairs = [each for each in case.work_orders if each.kind == WorkOrderKind.COMMS_REPAIR]
    if sum(each.outcome is Outcome.FAILED for each in repairs) >= act.policy.attempts:
        _raise(case, act, ExceptionType.COMMS_NOT_POSSIBLE, "failed_attempts")


def _raise(case: Case, act: Act, kind: ExceptionType, reason: Code, order: WorkOrder | None = None) -> None:
    """A05: once per case and type, for what is open is not raised again."""
    known = len(case.exceptions)
    raised = raise_exception(case, act, kind, order=order, reason=reason)
    if len(case.exceptions) > known:
        case.automated("A05", f"{raised.exception_id}")


def reversal_of(case: Case) -> DevicePlan:
    """What a reversal has still to do: take out what this case put in, put back what it took away."""
    missing: Counter[DeviceRole] = Counter()
    for order in case.by_sequence:
        if order.kind == WorkOrderKind.REVERSAL:
            missing.subtract(device.role for device in order.installed)
        else:
            missing.update(device.role for device in order.removed)
    return DevicePlan(
        plan=case.device_plan.plan,
        install=tuple(PlanItem(role=role, quantity=count, alternatives=()) for role, count in (+missing).items()),
        remove=tuple(PlannedRemoval(role=device.role, serial=device.serial) for device in case.on_site),
    )
