"""What each event does to the rows: one pure function per event type, each writing only columns of its own topic."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from contracts import assets, bookings, cases, handovers, notices, quality, visits
from contracts.event import Event
from services.cockpit_service.domain.case import Case, Problem

Projection = Callable[[Case, Any, datetime], None]
"""(rows of the case, event, its time) → the rows as they are afterwards."""


def _raise(case: Case, event: Any, at: datetime, kind: str, about: object, code: str, **more: Any) -> None:
    key, order_id = f"{kind}/{about}", event.work_order_id
    case.raise_problem(Problem(problem_key=key, kind=kind, code=code, since=at, work_order_id=order_id, **more))


def _opened(case: Case, event: cases.CaseOpened, at: datetime) -> None:
    case.opened_at, case.orders = at, tuple(event.orders)
    case.operator, case.case_type, case.origin = event.operator, event.case_type, event.origin
    case.legal_basis, case.metering_point_id = event.legal_basis, event.metering_point_id
    case.postcode, case.municipality, case.stage = event.area.postcode, event.area.municipality, event.area.stage
    case.priority, case.due_on = event.priority, event.due_on


def _amended(case: Case, event: cases.CaseAmended, _at: datetime) -> None:
    for name in ("case_type", "origin", "legal_basis", "metering_point_id", "orders", "priority", "due_on"):
        if (value := getattr(event, name)) is not None:
            setattr(case, name, value)
    if event.area is not None:
        case.postcode, case.municipality, case.stage = event.area.postcode, event.area.municipality, event.area.stage
    case.flags = tuple(event.flags)


def _phase_changed(case: Case, event: cases.CasePhaseChanged, at: datetime) -> None:
    case.phase, case.phase_since, case.on_hold = event.to_phase, at, event.on_hold


def _completed(case: Case, _event: cases.CaseCompleted, at: datetime) -> None:
    case.ended_at, case.end_reason = at, "completed"


def _given_up(case: Case, event: cases.CaseCancelled | cases.CaseAbandoned, at: datetime) -> None:
    case.ended_at, case.end_reason = at, event.reason


def _reopened(case: Case, _event: cases.CaseReopened, _at: datetime) -> None:
    case.ended_at, case.end_reason = None, None


def _purged(case: Case, _event: cases.CasePurged, _at: datetime) -> None:
    case.purged = True


def _at_risk(case: Case, _event: cases.SlaAtRisk, _at: datetime) -> None:
    case.sla = "AT_RISK"


def _breached(case: Case, _event: cases.SlaBreached, _at: datetime) -> None:
    case.sla = "BREACHED"


def _order_opened(case: Case, event: cases.WorkOrderOpened, at: datetime) -> None:
    order = case.work_order(event)
    order.kind, order.state, order.moved_at = event.kind, event.state, at
    order.predecessor, order.due_on, order.queue_company_id = event.predecessor, event.due_on, event.company_id


def _moved(case: Case, event: cases.WorkOrderMoved, at: datetime) -> None:
    order = case.work_order(event)
    order.state, order.move, order.moved_at, order.reason = event.to_state, event.move, at, event.reason
    order.responsible = event.responsible
    order.result = event.result or order.result
    order.close_reason = event.close_reason


def _handover_requested(case: Case, event: cases.HandoverRequested, at: datetime) -> None:
    handover = case.handover(event.fact, event.attempt)
    handover.requested_at, handover.supplement = at, event.supplement


def _exception_raised(case: Case, event: cases.ExceptionRaised, at: datetime) -> None:
    _raise(case, event, at, "exception", event.exception_id, event.type, owner=event.owner_, due_on=event.due_on)


def _exception_resolved(case: Case, event: cases.ExceptionResolved, _at: datetime) -> None:
    case.close_problem(f"exception/{event.exception_id}")


def _bookable(case: Case, event: bookings.BookableFromSet, _at: datetime) -> None:
    case.bookable_from = event.bookable_from


def _slot(state: str) -> Projection:
    def project(case: Case, event: bookings.Slot, _at: datetime) -> None:
        order = case.work_order(event)
        order.appointment_id, order.company_id = event.appointment_id, event.company_id
        order.appointment_state = state
        order.window_from, order.window_to = event.window.from_, event.window.to
        order.technicians = tuple(event.technicians)
        case.close_problem(f"needs_staff/{event.appointment_id}")

    return project


def _appointment(state: str) -> Projection:
    def project(case: Case, event: Any, _at: datetime) -> None:
        order = case.work_order(event)
        if order.appointment_id in (None, event.appointment_id):  # a newer one may stand already
            order.appointment_id, order.appointment_state = event.appointment_id, state
        case.close_problem(f"needs_staff/{event.appointment_id}")

    return project


def _questioned(case: Case, event: bookings.AppointmentQuestioned, at: datetime) -> None:
    _needs_staff(case, event, at, event.cause)


def _unanswered(case: Case, event: bookings.AnswerOverdue, at: datetime) -> None:
    _needs_staff(case, event, at, "unanswered")


def _needs_staff(case: Case, event: Any, at: datetime, code: str) -> None:
    _raise(case, event, at, "needs_staff", event.appointment_id, code)


def _awarded(case: Case, event: bookings.WorkOrderAwarded, _at: datetime) -> None:
    case.work_order(event).company_id = event.company_id


def _award_answered(case: Case, event: bookings.AwardAnswered, _at: datetime) -> None:
    order = case.work_order(event)
    if event.answer != "accepted" and order.company_id == event.company_id:
        order.company_id = None


def _visited(case: Case, event: visits.VisitReported, _at: datetime) -> None:
    order = case.work_order(event)
    order.visit_id, order.visit_version = event.visit_id, event.visit_version
    order.visit_result, order.visited_at = event.result, event.finished_at


def _review_opened(case: Case, event: quality.ReviewOpened, _at: datetime) -> None:
    order = case.work_order(event)
    order.review_state, order.review_round = "OPEN", event.round


def _review_approved(case: Case, event: quality.ReviewApproved, _at: datetime) -> None:
    order = case.work_order(event)
    order.review_state, order.review_round = "APPROVED", event.round


def _rework(case: Case, event: quality.ReworkRequested, _at: datetime) -> None:
    order = case.work_order(event)
    order.review_state, order.review_round = "REWORK", event.round


def _material_reserved(case: Case, event: assets.MaterialReserved, _at: datetime) -> None:
    case.work_order(event).material = "RESERVED"
    case.close_problem(f"material/{event.work_order_id}")


def _material_missing(case: Case, event: assets.MaterialMissing, at: datetime) -> None:
    case.work_order(event).material = "MISSING"
    _raise(case, event, at, "material", event.work_order_id, "material_missing")


def _finding(kind: str) -> Projection:
    def project(case: Case, event: assets.DeviceMismatch | assets.ReadingAnomalyFound, at: datetime) -> None:
        _raise(case, event, at, kind, event.finding_id, event.rule, visit_version=event.visit_version)

    return project


def _silent_device(case: Case, event: assets.CommissioningPending, at: datetime) -> None:
    _raise(case, event, at, "commissioning", event.device_id, event.cause)


def _commissioned(case: Case, event: assets.DeviceCommissioned, _at: datetime) -> None:
    case.close_problem(f"commissioning/{event.device_id}")


def _notice(state: str) -> Projection:
    def project(case: Case, event: notices.OfSending, at: datetime) -> None:
        case.last_notice, case.last_notice_at = f"{event.rule_id} {state}", at

    return project


def _handed_over(case: Case, event: handovers.HandoverSent, at: datetime) -> None:
    handover = case.handover(event.fact, event.attempt)
    handover.state, handover.changed_at, handover.reasons = "SENT", at, ()
    handover.document, handover.recipient = event.document, event.recipient
    case.close_problem(f"handover/{event.fact}")


def _acknowledged(case: Case, event: handovers.HandoverAcknowledged, at: datetime) -> None:
    handover = case.handover(event.fact, event.attempt)
    handover.state, handover.changed_at = "ACKNOWLEDGED", at


def _accepted(case: Case, event: handovers.HandoverAccepted, at: datetime) -> None:
    handover = case.handover(event.fact, event.attempt)
    handover.state, handover.changed_at, handover.reasons = "ACCEPTED", at, ()
    case.close_problem(f"handover/{event.fact}")


def _rejected(case: Case, event: handovers.HandoverRejected, at: datetime) -> None:
    handover = case.handover(event.fact, event.attempt)
    handover.state, handover.changed_at, handover.recipient = "REJECTED", at, event.recipient
    handover.reasons = tuple(str(reason.hub_reason or reason.code) for reason in event.reasons)
    _raise(case, event, at, "handover", event.fact, handover.reasons[0] if handover.reasons else event.level)


def _failed(case: Case, event: handovers.HandoverFailed, at: datetime) -> None:
    handover = case.handover(event.fact, event.attempt)
    handover.state, handover.changed_at = "FAILED" if event.final else "RETRYING", at
    handover.recipient, handover.reasons = event.recipient, (str(event.cause),)
    if event.final:
        _raise(case, event, at, "handover", event.fact, event.cause)


PROJECTIONS: Mapping[type[Event], Projection] = MappingProxyType(
    {
        cases.CaseOpened: _opened,
        cases.CaseAmended: _amended,
        cases.CasePhaseChanged: _phase_changed,
        cases.CaseCompleted: _completed,
        cases.CaseCancelled: _given_up,
        cases.CaseAbandoned: _given_up,
        cases.CaseReopened: _reopened,
        cases.CasePurged: _purged,
        cases.SlaAtRisk: _at_risk,
        cases.SlaBreached: _breached,
        cases.WorkOrderOpened: _order_opened,
        cases.WorkOrderMoved: _moved,
        cases.HandoverRequested: _handover_requested,
        cases.ExceptionRaised: _exception_raised,
        cases.ExceptionResolved: _exception_resolved,
        bookings.BookableFromSet: _bookable,
        bookings.AppointmentProposed: _slot("PROPOSED"),
        bookings.AppointmentMoved: _slot("MOVED"),
        bookings.AppointmentOffered: _appointment("OFFERED"),
        bookings.AppointmentConfirmed: _appointment("CONFIRMED"),
        bookings.AppointmentReleased: _appointment("RELEASED"),
        bookings.AppointmentKept: _appointment("KEPT"),
        bookings.AppointmentMissed: _appointment("MISSED"),
        bookings.AppointmentQuestioned: _questioned,
        bookings.AnswerOverdue: _unanswered,
        bookings.WorkOrderAwarded: _awarded,
        bookings.AwardAnswered: _award_answered,
        visits.VisitReported: _visited,
        quality.ReviewOpened: _review_opened,
        quality.ReviewApproved: _review_approved,
        quality.ReworkRequested: _rework,
        assets.MaterialReserved: _material_reserved,
        assets.MaterialMissing: _material_missing,
        assets.DeviceMismatch: _finding("mismatch"),
        assets.ReadingAnomalyFound: _finding("reading"),
        assets.CommissioningPending: _silent_device,
        assets.DeviceCommissioned: _commissioned,
        notices.NoticeSent: _notice("SENT"),
        notices.NoticeFailed: _notice("FAILED"),
        handovers.HandoverSent: _handed_over,
        handovers.HandoverAcknowledged: _acknowledged,
        handovers.HandoverAccepted: _accepted,
        handovers.HandoverRejected: _rejected,
        handovers.HandoverFailed: _failed,
    }
)
"""Which function folds which event; all other events are a line in the timeline and nothing more."""
