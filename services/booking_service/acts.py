"""What handlers and routes do alike: a step of an appointment with its timers, its questions and its counts."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from contracts.bookings import AppointmentQuestioned
from contracts.codes import AgreedVia, ConfirmedBy, QuestionCause, ReleaseReason
from contracts.groups import OfAppointment
from contracts.ids import ReplyId
from kit.store import Ref, Unit
from services.booking_service import metrics
from services.booking_service.domain.appointments import UNREPORTED, Appointment
from services.booking_service.domain.cases import BookedCase, WorkOrder
from services.booking_service.domain.offering import SUGGESTIONS
from services.booking_service.domain.operators import DEFAULT, Operator
from services.booking_service.domain.states import AppointmentState, Step

ANSWER_DUE = "answer_due"


def case_and_operator(case_id: UUID | str, unit: Unit) -> Iterator[Ref]:
    """What must be loaded to judge days of a case."""
    yield BookedCase, str(case_id)
    yield Operator, DEFAULT
    case = unit.find(BookedCase, str(case_id))
    if case is not None and case.operator:
        yield Operator, case.operator


def operator_of(unit: Unit, case: BookedCase) -> Operator:
    """The operator's own row, or the one for all others."""
    own = unit.find(Operator, case.operator) if case.operator else None
    return own or unit.get(Operator, DEFAULT)


def open_appointment(unit: Unit, order: WorkOrder | None) -> Appointment | None:
    """The appointment that holds time for a work order."""
    if order is None or order.appointment_id is None:
        return None
    return unit.get(Appointment, str(order.appointment_id))


def allowed(unit: Unit, appointment: Appointment, step: Step) -> bool:
    """Whether an event may make this step; what the table does not have is recorded, and the key goes on."""
    if appointment.may(step):
        return True
    subject = f"appointment/{appointment.appointment_id}"
    unit.anomaly("state-forbids", subject, step=step, state=appointment.state)
    return False


def set_timers(unit: Unit, operator: Operator, appointment: Appointment) -> None:
    """The timers that its state asks for, and no others."""
    key, revision = appointment.key(), appointment.revision
    waiting = appointment.state is AppointmentState.SENT and appointment.answer_by is not None
    if waiting and appointment.answer_by is not None and not appointment.frozen:
        unit.later(ANSWER_DUE, key, appointment.answer_by, revision=revision, attempt=appointment.attempt)
    else:
        unit.never(ANSWER_DUE, key)
    if appointment.state is AppointmentState.CONFIRMED and not appointment.frozen:
        unit.later(UNREPORTED, key, report_due(operator, appointment), revision=revision)
    else:
        unit.never(UNREPORTED, key)


def report_due(operator: Operator, appointment: Appointment) -> datetime:
    """When somebody must ask what became of the visit: its end and one working day."""
    day = operator.days.local_day(appointment.block_end)
    return appointment.block_end + timedelta(days=(operator.days.after(day, 1) - day).days)


def question(
    unit: Unit, appointment: Appointment | None, answered: OfAppointment, cause: QuestionCause, **more: object
) -> None:
    """Tell an answer that does not confirm, naming the version that was answered; a person must act."""
    suggestion = SUGGESTIONS[cause]
    if appointment is not None:
        ask_staff(appointment, cause)
    metrics.QUESTIONS.labels(cause).inc()
    fields = {name: getattr(answered, name) for name in OfAppointment.model_fields}
    unit.tell(AppointmentQuestioned.model_validate({**fields, "cause": cause, "suggestion": suggestion, **more}))


def ask_staff(appointment: Appointment, cause: str) -> None:
    """Put the appointment on the list of those that a person must look at."""
    if appointment.state.open:
        appointment.ask_staff(cause, SUGGESTIONS[cause])
        metrics.NEEDS_STAFF.labels(cause).inc()


def confirm(
    unit: Unit,
    operator: Operator,
    appointment: Appointment,
    by: ConfirmedBy,
    agreed_via: AgreedVia | None = None,
    *,
    notice: bool = False,
    reply_id: ReplyId | None = None,
) -> None:
    """Confirm, keep the timers and count."""
    appointment.confirm(by, agreed_via, notice=notice, reply_id=reply_id)
    set_timers(unit, operator, appointment)
    metrics.CONFIRM.labels(by, operator.reply_mode).inc()
    if appointment.offered_at is not None:
        metrics.OFFER_TO_ANSWER.observe((unit.now - appointment.offered_at).total_seconds())


def release(unit: Unit, operator: Operator, order: WorkOrder, appointment: Appointment, reason: ReleaseReason) -> None:
    """Give the time back; the work order has no appointment any more."""
    appointment.release(reason)
    order.appointment_id = None
    set_timers(unit, operator, appointment)
