"""How an appointment follows its work order: one function for each effect of a move."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from contracts.cases import WorkOrderMoved
from contracts.codes import ConfirmedBy, Outcome, ReleaseReason
from kit.inbox import Received
from kit.store import Unit
from services.booking_service import acts, metrics
from services.booking_service.acts import open_appointment, operator_of, set_timers
from services.booking_service.domain.cases import BookedCase, WorkOrder
from services.booking_service.domain.moves import Effect
from services.booking_service.domain.states import AppointmentState, Step


def closing_reason(event: WorkOrderMoved) -> str:
    """Why a work order ended, for its tombstone."""
    return event.close_reason or event.move


Follow = Callable[[Received[WorkOrderMoved], Unit, BookedCase, WorkOrder], None]


def _release(reason: ReleaseReason) -> Follow:
    def release(_: Received[WorkOrderMoved], unit: Unit, case: BookedCase, order: WorkOrder) -> None:
        if appointment := open_appointment(unit, order):
            acts.release(unit, operator_of(unit, case), order, appointment, reason)

    return release


def _close(received: Received[WorkOrderMoved], unit: Unit, case: BookedCase, order: WorkOrder) -> None:
    _release(ReleaseReason.CLOSED)(received, unit, case, order)
    order.bury(closing_reason(received.event), unit.now)


def _supersede(received: Received[WorkOrderMoved], unit: Unit, case: BookedCase, order: WorkOrder) -> None:
    _release(ReleaseReason.SUPERSEDED)(received, unit, case, order)
    order.frozen = False  # people decided


def _freeze(_: Received[WorkOrderMoved], unit: Unit, __: BookedCase, order: WorkOrder) -> None:
    order.frozen = True
    if appointment := open_appointment(unit, order):
        appointment.freeze()


def _unfreeze(_: Received[WorkOrderMoved], unit: Unit, __: BookedCase, order: WorkOrder) -> None:
    order.frozen = False
    if appointment := open_appointment(unit, order):
        appointment.unfreeze()


def _confirm(_: Received[WorkOrderMoved], unit: Unit, case: BookedCase, order: WorkOrder) -> None:
    appointment = open_appointment(unit, order)
    if appointment is not None and appointment.state is not AppointmentState.CONFIRMED:
        acts.confirm(unit, operator_of(unit, case), appointment, ConfirmedBy.STAFF)


def _void(_: Received[WorkOrderMoved], unit: Unit, __: BookedCase, order: WorkOrder) -> None:
    if appointment := open_appointment(unit, order):
        appointment.void()


def _stop_waiting(_: Received[WorkOrderMoved], unit: Unit, __: BookedCase, order: WorkOrder) -> None:
    if appointment := open_appointment(unit, order):
        appointment.stop_waiting()


def _start(_: Received[WorkOrderMoved], __: Unit, ___: BookedCase, order: WorkOrder) -> None:
    order.started = True


def _visit(received: Received[WorkOrderMoved], unit: Unit, case: BookedCase, order: WorkOrder) -> None:
    appointment = open_appointment(unit, order)
    if appointment is None:
        return
    confirmed = appointment.state is AppointmentState.CONFIRMED
    if confirmed or acts.allowed(unit, appointment, Step.KEEP_UNCONFIRMED):
        outcome = received.event.outcome or Outcome.OK
        appointment.visited(outcome, received.event.sub_reason, received.time)
        order.appointment_id = None
        set_timers(unit, operator_of(unit, case), appointment)
        if appointment.state is AppointmentState.MISSED:
            metrics.NO_SHOW.inc()


FOLLOW: Mapping[Effect, Follow] = MappingProxyType(
    {
        Effect.HOLD: _release(ReleaseReason.ON_HOLD),
        Effect.CLOSE: _close,
        Effect.FREEZE: _freeze,
        Effect.UNFREEZE: _unfreeze,
        Effect.CONFIRM: _confirm,
        Effect.VOID: _void,
        Effect.STOP_WAITING: _stop_waiting,
        Effect.START: _start,
        Effect.VISIT: _visit,
        Effect.SUPERSEDE: _supersede,
    }
)
"""What is done for each effect of the table in domain/moves.py."""
