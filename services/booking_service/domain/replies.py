"""What a customer's reply means for the appointment: booking alone decides whether it confirms (section 6)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.codes import Match, QuestionCause, Reading
from contracts.notices import ReplyReceived
from services.booking_service.domain.appointments import Appointment
from services.booking_service.domain.cases import WorkOrder
from services.booking_service.domain.operators import Operator, ReplyMode
from services.booking_service.domain.states import AppointmentState, Step

AFFIRMATIVE = frozenset({Reading.EXACT_OK, Reading.LIKELY_OK})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Confirm, ask a person because of a cause, or (neither) only keep it on record."""

    confirms: bool = False
    cause: QuestionCause | None = None


CONFIRM, ON_RECORD = Verdict(confirms=True), Verdict()


def judge(
    reply: ReplyReceived, appointment: Appointment | None, order: WorkOrder, operator: Operator, now: datetime
) -> Verdict:
    """Decide by the operator's mode, and by whether the very time that the customer saw still stands."""
    if order.gone:  # somebody must tell the customer, whatever the words were
        return Verdict(cause=QuestionCause.AFTER_CANCEL)
    if reply.reading not in AFFIRMATIVE:
        return Verdict(cause=QuestionCause(reply.reading))
    if order.frozen:
        return Verdict(cause=QuestionCause.AFTER_CANCEL)
    if appointment is None or not is_current(reply, appointment):
        return Verdict(cause=QuestionCause.STALE)
    if appointment.state is AppointmentState.CONFIRMED:
        return ON_RECORD
    if not appointment.may(Step.CONFIRM):  # planned anew, released or over
        return Verdict(cause=QuestionCause.STALE)
    if not clear_enough(reply, operator):
        return Verdict(cause=QuestionCause.LIKELY_OK)
    if appointment.block_start < now + timedelta(minutes=operator.min_lead_confirm_minutes):
        return Verdict(cause=QuestionCause.TOO_LATE)
    return CONFIRM


def is_current(reply: ReplyReceived, appointment: Appointment) -> bool:
    """The reply answers the newest offer of the newest time."""
    return (reply.revision, reply.attempt) == (appointment.revision, appointment.attempt)


def clear_enough(reply: ReplyReceived, operator: Operator) -> bool:
    """The words, and how they were matched to the appointment, suffice for this operator."""
    if reply.match is Match.NUMBER_UNIQUE and operator.code_required:
        return False
    if reply.reading is Reading.EXACT_OK:
        return True
    tolerant = operator.reply_mode is ReplyMode.TOLERANT
    return tolerant and reply.confidence * 100 >= operator.likely_threshold_percent
