"""What customers do with their appointment by themselves: commands over a unit."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from contracts.codes import ConfirmedBy, QuestionCause
from kit.errors import NotFound
from kit.store import Unit
from services.booking_service import acts
from services.booking_service.domain.appointments import Appointment
from services.booking_service.domain.cases import BookedCase
from services.booking_service.domain.operators import Operator
from services.booking_service.domain.states import AppointmentState, Step
from services.booking_service.errors import Frozen, PastCutOff, StateForbids, WorkOrderGone

Command = Callable[[Unit], Appointment]


def confirm(appointment_id: UUID) -> Command:
    """A6: the customer agrees to the time as it stands now."""

    def command(unit: Unit) -> Appointment:
        appointment, operator = _going(unit, appointment_id)
        if appointment.state is AppointmentState.CONFIRMED:
            return appointment
        if not appointment.may(Step.CONFIRM):
            raise StateForbids("this time is not offered any more")
        if appointment.block_start < unit.now + timedelta(minutes=operator.min_lead_confirm_minutes):
            raise PastCutOff("it is too late to confirm; please call")
        acts.confirm(unit, operator, appointment, ConfirmedBy.PORTAL)
        return appointment

    return command


def another_time(appointment_id: UUID, *, call: bool) -> Command:
    """A8: another time is wanted, or a call; whoever opened the offer has got it, so it counts as sent."""

    def command(unit: Unit) -> Appointment:
        appointment, operator = _going(unit, appointment_id)
        if not appointment.was_offered:
            raise StateForbids("this time was not offered")
        if appointment.state is AppointmentState.OFFERED:
            appointment.sent(None)
        if not call and appointment.may(Step.DECLINE):
            appointment.decline()
        appointment.stop_waiting()
        acts.set_timers(unit, operator, appointment)
        cause = QuestionCause.CONTACT if call else QuestionCause.REBOOK_REQUESTED
        acts.question(unit, appointment, appointment.of, cause)
        return appointment

    return command


def _going(unit: Unit, appointment_id: UUID) -> tuple[Appointment, Operator]:
    """The appointment, if it is open and nobody has withdrawn the work."""
    appointment = unit.find(Appointment, str(appointment_id))
    case = unit.find(BookedCase, str(appointment.case_id)) if appointment else None
    order = case.order(appointment.work_order_id) if case and appointment else None
    if appointment is None or case is None or order is None:
        raise NotFound("there is no such appointment")
    if order.gone:
        raise WorkOrderGone("the work is not done any more")
    if order.frozen or appointment.frozen:
        raise Frozen("the work is being clarified; please call")
    if not appointment.state.open:
        raise StateForbids(f"the appointment is {appointment.state}")
    return appointment, acts.operator_of(unit, case)
