"""What people do with appointments: commands over a unit, each with what must be loaded for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from contracts.codes import AgreedVia, ConfirmedBy, ReleaseReason
from contracts.groups import OfAppointment
from contracts.ids import AppointmentId
from contracts.parts import Span
from kit.auth import Principal
from kit.errors import HubError, NotFound
from kit.store import Ref, Store, Unit
from services.booking_service import acts, metrics
from services.booking_service.acts import case_and_operator, operator_of
from services.booking_service.domain.appointments import Appointment
from services.booking_service.domain.assigning import Assignment, objections, warnings
from services.booking_service.domain.cases import BookedCase, WorkOrder
from services.booking_service.domain.operators import DEFAULT, Operator
from services.booking_service.domain.places import Place
from services.booking_service.domain.technicians import Technician
from services.booking_service.errors import Frozen, SlotTaken, Stale, StateForbids, UnknownWorkOrder, WorkOrderGone
from services.booking_service.scopes import sees_company
from services.booking_service.store.queries import Refs

USUAL_WINDOW = timedelta(hours=2)
"""What is told of a start outside the operator's windows."""

Command = Callable[[Unit], Appointment]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """Where somebody wants an appointment; what is left out stays as it is, or is usual."""

    technician_id: UUID
    start: datetime | None = None
    minutes: int | None = None
    window: Span | None = None
    alternatives: tuple[Span, ...] = ()
    """Other windows that were free, for a letter must name one."""


def assigning(work_order_id: UUID, technician_id: UUID) -> Callable[[Unit], Iterator[Ref]]:
    """What assigning needs; the work order's id finds its case."""

    def wanted(unit: Unit) -> Iterator[Ref]:
        yield Technician, str(technician_id)
        yield from case_and_operator(work_order_id, unit)

    return wanted


def changing(refs: Refs, appointment_id: UUID, technician_id: UUID | None = None) -> Callable[[Unit], Iterator[Ref]]:
    """What changing an appointment needs."""

    def wanted(unit: Unit) -> Iterator[Ref]:
        if technician_id is not None:
            yield Technician, str(technician_id)
        yield Appointment, str(appointment_id)
        yield from case_and_operator(refs.case_id, unit)

    return wanted


def assign(work_order_id: UUID, wish: Wish) -> Command:
    """A1: give a work order its first appointment, or learn the first reason why not."""

    def command(unit: Unit) -> Appointment:
        case = unit.find(BookedCase, str(work_order_id))
        order = case.order(work_order_id) if case else None
        if case is None or order is None or not _may_plan(unit.principal, order):
            raise UnknownWorkOrder("no such work order was heard of")
        ask = _assignment(unit, case, order, wish, None)
        _refuse(ask)
        known = OfAppointment(
            case_id=case.case_id,
            work_order_id=order.work_order_id,
            sequence=order.sequence,
            appointment_id=AppointmentId(unit.new_id()),
            revision=0,
            attempt=order.attempt,
        )
        made = Appointment.propose(known, ask.place, unit.principal.id, unit.now)
        made.warnings = warnings(ask)
        order.appointment_id = made.appointment_id
        unit.add(made)
        return made

    return command


def move(appointment_id: UUID, wish: Wish, agreed_via: AgreedVia | None, expected: int) -> Command:
    """A9, A10 or A14: another time or technician; a refused move changes nothing."""

    def command(unit: Unit) -> Appointment:
        appointment, case, order = _found(unit, appointment_id)
        refuse_stale(expected, appointment)
        ask = _assignment(unit, case, order, wish, appointment)
        _refuse(ask)
        appointment.warnings = warnings(ask)
        if ask.only_the_technician and appointment.technician_id == ask.technician.technician_id:
            return appointment
        if ask.only_the_technician:
            appointment.reassign(ask.place, unit.principal.id)
        elif agreed_via is not None:
            appointment.move_agreed(ask.place, unit.principal.id, agreed_via)
        else:
            appointment.move(ask.place, unit.principal.id)
        acts.set_timers(unit, ask.operator, appointment)
        return appointment

    return command


def confirm(
    appointment_id: UUID, agreed_via: AgreedVia, comment: str | None, expected: int | None, *, notice: bool
) -> Command:
    """A6, A7: staff heard it from the customer, or may enter without an answer."""

    def command(unit: Unit) -> Appointment:
        appointment, case, order = _found(unit, appointment_id)
        refuse_stale(expected, appointment)
        _refuse_ended(order)
        if order.frozen:
            raise Frozen("a cancellation is undecided")
        if agreed_via is AgreedVia.ENTRY_RIGHT and not appointment.entry_right:
            raise StateForbids("no letter gave a right of entry for this time")
        acts.confirm(unit, operator_of(unit, case), appointment, ConfirmedBy.STAFF, agreed_via, notice=notice)
        order.comment = comment or order.comment
        unit.audit("appointment:confirm", f"appointment/{appointment.appointment_id}", agreed_via=agreed_via)
        return appointment

    return command


def release(appointment_id: UUID, reason: str, expected: int | None) -> Command:
    """A11: staff gives the time back, with a reason in words that stays here."""

    def command(unit: Unit) -> Appointment:
        appointment, case, order = _found(unit, appointment_id)
        refuse_stale(expected, appointment)
        _refuse_ended(order)
        if order.frozen:
            raise Frozen("the time stays until the cancellation is decided")
        acts.release(unit, operator_of(unit, case), order, appointment, ReleaseReason.STAFF)
        order.comment = reason
        return appointment

    return command


async def booked(
    store: Store, principal: Principal, command: Command, needs: Callable[[Unit], Iterator[Ref]]
) -> Appointment:
    """Run a command that takes time of a technician; whoever is second learns it, and nothing is tried elsewhere."""
    try:
        made = await store.run(principal, command, needs=needs)
    except IntegrityError as error:
        raise _second(error) from error
    except HubError as refused:
        metrics.ASSIGN.labels("refused", refused.code).inc()
        raise
    metrics.ASSIGN.labels("done", "").inc()
    return made


def _second(error: IntegrityError) -> Exception:
    """The database had the last word: another transaction took the cell, or gave the order its appointment."""
    refused = _of_constraint(str(error.orig))
    if refused is None:
        return error
    metrics.ASSIGN.labels("refused", refused.code).inc()
    return refused


def _of_constraint(words: str) -> HubError | None:
    if "blocks" in words:
        return SlotTaken()
    if "appointments_one_open" in words or "appointments.work_order_id" in words:
        return StateForbids("the work order has an open appointment: move or release it")
    return None


def refuse_stale(expected: int | None, appointment: Appointment) -> None:
    """An edit that was based on another version than the one that stands changes nothing."""
    if expected is not None and expected != appointment.version:
        raise Stale(appointment.version)


def _refuse(ask: Assignment) -> None:
    for objection in objections(ask):
        if isinstance(objection, WorkOrderGone):
            metrics.TOMBSTONE_HITS.labels("api").inc()
        raise objection


def _refuse_ended(order: WorkOrder) -> None:
    if order.gone:
        metrics.TOMBSTONE_HITS.labels("api").inc()
        raise WorkOrderGone(f"the work order ended: {order.gone_reason}")


def _assignment(unit: Unit, case: BookedCase, order: WorkOrder, wish: Wish, moving: Appointment | None) -> Assignment:
    technician = unit.find(Technician, str(wish.technician_id))
    scope = unit.principal.scope
    if technician is None or not sees_company(scope, technician.company_id):
        raise NotFound("there is no such technician")
    operator = operator_of(unit, case)
    return Assignment(
        case=case,
        order=order,
        technician=technician,
        place=_place(unit, order, technician, operator, wish, moving),
        operator=operator,
        now=unit.now,
        moving=moving,
        hide_others=scope.kind != "all",
    )


def _place(
    unit: Unit, order: WorkOrder, technician: Technician, operator: Operator, wish: Wish, moving: Appointment | None
) -> Place:
    """What was wished for; the window follows the start, unless it is wished for or the start stays."""
    start = wish.start or (moving.block_start if moving else unit.now)
    window = wish.window or operator.window_of(start) or Span(from_=start, to=start + USUAL_WINDOW)
    if moving is not None and wish.window is None and start == moving.block_start:
        window = moving.window
    return Place(
        technician_id=technician.technician_id,
        team_id=technician.team_id,
        company_id=technician.company_id,
        start=start,
        minutes=wish.minutes or (moving.block_minutes if moving else order.duration_min),
        window=window,
        alternatives=wish.alternatives,
        grid_minutes=unit.get(Operator, DEFAULT).grid_minutes,
    )


def _found(unit: Unit, appointment_id: UUID) -> tuple[Appointment, BookedCase, WorkOrder]:
    appointment = unit.find(Appointment, str(appointment_id))
    case = unit.find(BookedCase, str(appointment.case_id)) if appointment else None
    order = case.order(appointment.work_order_id) if case and appointment else None
    if appointment is None or case is None or order is None:
        raise NotFound("there is no such appointment")
    if not sees_company(unit.principal.scope, appointment.company_id):
        raise NotFound("there is no such appointment")
    return appointment, case, order


def _may_plan(principal: Principal, order: WorkOrder) -> bool:
    return sees_company(principal.scope, order.company_id)
