"""What asset_service hears: cases and work orders, requests for material, appointments, visits."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC
from functools import partial
from zoneinfo import ZoneInfo

from contracts.bookings import AppointmentMoved, AppointmentProposed
from contracts.cases import (
    CaseAbandoned,
    CaseAmended,
    CaseCancelled,
    CaseCompleted,
    CaseOpened,
    CasePurged,
    CaseReopened,
    MaterialReleased,
    MaterialRequested,
    WorkOrderMoved,
    WorkOrderOpened,
)
from contracts.codes import CloseReason, PurgeScope, State
from contracts.event import Event
from contracts.ids import WorkOrderId
from contracts.visits import VisitReported
from kit.handlers import Handlers, Timer
from kit.inbox import Received
from kit.store import Ref, Unit
from services.asset_service import metrics, rooms, visiting
from services.asset_service.domain.cases import Case, CaseEnd
from services.asset_service.domain.material import Waiting, WorkOrder, wishes_for
from services.asset_service.domain.places import CENTRAL, Location, van_of
from services.asset_service.domain.visits import Visit
from services.asset_service.rooms import RETRY, THE_LEDGER

Slot = AppointmentProposed | AppointmentMoved


def hear(zone: ZoneInfo) -> Handlers:
    """The table of what is heard; `zone` decides on which day a technician needs the material."""
    handlers = Handlers(main=Case)
    handlers.on(CaseOpened)(know_case)
    handlers.on(CaseAmended)(amend_case)
    handlers.on(CaseCancelled, needs=wants_case)(partial(end_case, CaseEnd.CANCELLED))
    handlers.on(CaseAbandoned, needs=wants_case)(partial(end_case, CaseEnd.ABANDONED))
    handlers.on(CaseCompleted, needs=wants_case)(partial(end_case, CaseEnd.COMPLETED))
    handlers.on(CaseReopened)(reopen_case)
    handlers.on(CasePurged, needs=wants_visits)(forget_readings)
    handlers.on(WorkOrderOpened, needs=wants_order)(know_work_order)
    handlers.on(WorkOrderMoved, needs=wants_moved)(follow_work_order)
    handlers.on(MaterialRequested, needs=wants_material)(reserve_material)
    handlers.on(MaterialReleased, needs=wants_release)(release_material)
    handlers.on(AppointmentProposed, needs=wants_van)(partial(plan_van, zone))
    handlers.on(AppointmentMoved, needs=wants_van)(partial(plan_van, zone))
    handlers.on(VisitReported, needs=visiting.wants_visit)(visiting.book_visit)
    handlers.due(RETRY, needs=wants_waiting)(supply_waiting)
    return handlers


def know_case(received: Received[CaseOpened], unit: Unit) -> None:
    """Where its devices will be, and how urgent it is; one that ended already stays ended."""
    event = received.event
    case = _case(unit, event)
    case.case_version = event.version
    case.metering_point_id, case.operator, case.priority = event.metering_point_id, event.operator, event.priority


def amend_case(received: Received[CaseAmended], unit: Unit) -> None:
    """A changed plan arrives as released and requested material; here only place and priority count."""
    event, case = received.event, unit.get(Case, received.event.key())
    if event.version <= case.case_version:
        return
    case.case_version = event.version
    case.metering_point_id = event.metering_point_id or case.metering_point_id
    case.priority = case.priority if event.priority is None else event.priority


def wants_case(event: Event, unit: Unit) -> Iterable[Ref]:
    """The case, its work orders, and what is set aside for them."""
    yield THE_LEDGER
    yield Case, event.key()
    yield Location, CENTRAL
    case = unit.find(Case, event.key())
    orders = case.work_orders if case is not None else ()
    for work_order_id in orders:
        yield WorkOrder, str(work_order_id)
    for work_order_id in orders:
        yield from rooms.held_devices(unit.find(WorkOrder, str(work_order_id)))


def end_case(end: CaseEnd, received: Received[Event], unit: Unit) -> None:
    """Nothing is set aside for a case that ended; one that was cancelled or abandoned never gets anything again.

    A follow-up that is open when its case is completed keeps what it has (lifecycle §4).
    """
    case = _case(unit, received.event)
    if not case.is_over:
        case.ended = end
    for work_order_id in case.work_orders:
        order = unit.find(WorkOrder, str(work_order_id))
        if order is not None and not (end is CaseEnd.COMPLETED and order.is_open):
            _close(unit, order)


def reopen_case(received: Received[CaseReopened], unit: Unit) -> None:
    """A completed case goes on; its work orders tell by their own moves what they need."""
    case = unit.get(Case, received.event.key())
    if not case.is_over:
        case.ended = None


def wants_visits(event: CasePurged, unit: Unit) -> Iterable[Ref]:
    """The visits of the case."""
    yield Case, event.key()
    case = unit.find(Case, event.key())
    for visit_id in case.visits if case is not None else ():
        yield Visit, str(visit_id)


def forget_readings(received: Received[CasePurged], unit: Unit) -> None:
    """An erasure was granted: readings go, ledger and serials stay. Contact data was never here."""
    case = unit.find(Case, received.event.key())
    if case is not None and received.event.scope is PurgeScope.ALL:
        for visit_id in case.visits:
            unit.get(Visit, str(visit_id)).forget_readings()


def wants_order(event: WorkOrderOpened, unit: Unit) -> Iterable[Ref]:  # noqa: ARG001 - the shape of all needs
    """The case and the place of the new work order."""
    yield Case, event.key()
    yield WorkOrder, str(event.work_order_id)


def know_work_order(received: Received[WorkOrderOpened], unit: Unit) -> None:
    """A work order of a case that is over for good is kept, but may ask for nothing."""
    event, case = received.event, _case(unit, received.event)
    if unit.find(WorkOrder, str(event.work_order_id)) is not None:
        unit.anomaly("work_order_known", f"work_order/{event.work_order_id}")
        return
    order = WorkOrder(
        work_order_id=event.work_order_id,
        case_id=event.case_id,
        sequence=event.sequence,
        kind=event.kind,
        predecessor=event.predecessor,
        is_open=not case.is_over,
    )
    if case.is_over:
        unit.anomaly("work_order_after_end", f"work_order/{event.work_order_id}")
    unit.add(order)
    case.work_orders += (event.work_order_id,)


def wants_moved(event: WorkOrderMoved, unit: Unit) -> Iterable[Ref]:
    """Only the end of a work order concerns its material."""
    yield WorkOrder, str(event.work_order_id)
    if _frees(event):
        yield THE_LEDGER
        yield Location, CENTRAL
        yield from rooms.held_devices(unit.find(WorkOrder, str(event.work_order_id)))


def follow_work_order(received: Received[WorkOrderMoved], unit: Unit) -> None:
    """Closed other than superseded: what was set aside is free. A successor takes over what a superseded one held."""
    event, order = received.event, unit.get(WorkOrder, str(received.event.work_order_id))
    if _frees(event):
        _close(unit, order)
    elif State.CLOSED in {event.from_state, event.to_state}:
        order.is_open = event.to_state is not State.CLOSED  # T25 takes a closed one up again


def wants_material(event: MaterialRequested, unit: Unit) -> Iterable[Ref]:
    """The orders, what they hold, and the shelves that may have the rest."""
    yield THE_LEDGER
    yield Case, event.key()
    yield Location, CENTRAL
    yield WorkOrder, str(event.work_order_id)
    if event.predecessor is not None:
        yield WorkOrder, str(event.predecessor)
    order = unit.find(WorkOrder, str(event.work_order_id))
    yield from rooms.held_devices(order, _predecessor(event.predecessor, unit))
    wishes = wishes_for(event.lines, order, event.work_order_id, rooms.verified_today(unit))
    yield from rooms.shelves(unit, wishes)


def reserve_material(received: Received[MaterialRequested], unit: Unit) -> None:
    """Set aside what is there, tell what is missing; never for a case that is over (I8)."""
    event, order = received.event, unit.get(WorkOrder, str(received.event.work_order_id))
    if _case(unit, event).is_over or not order.is_open:
        unit.anomaly("material_after_end", f"work_order/{event.work_order_id}")
        return
    room = rooms.storeroom(unit, rooms.journal(unit, order.movements, order.told, order))
    order.request(event.lines, event.needed_on, _predecessor(event.predecessor, unit), room)
    _supplied(unit, order)
    rooms.wake_waiting(unit, room.freed)


def wants_release(event: MaterialReleased, unit: Unit) -> Iterable[Ref]:
    """The order and what it holds."""
    yield THE_LEDGER
    yield Location, CENTRAL
    yield WorkOrder, str(event.work_order_id)
    yield from rooms.held_devices(unit.find(WorkOrder, str(event.work_order_id)))


def release_material(received: Received[MaterialReleased], unit: Unit) -> None:
    """What is not installed is free again; what is in a van stays there."""
    order = unit.get(WorkOrder, str(received.event.work_order_id))
    room = rooms.storeroom(unit, rooms.journal(unit, order.movements, order.told, order))
    order.release(room)
    rooms.wake_waiting(unit, room.freed)


def wants_van(event: Slot, unit: Unit) -> Iterable[Ref]:  # noqa: ARG001
    """The work order and the van of whoever comes."""
    yield WorkOrder, str(event.work_order_id)
    for technician_id in event.technicians[:1]:
        yield Location, van_of(technician_id)


def plan_van(zone: ZoneInfo, received: Received[Slot], unit: Unit) -> None:
    """Who comes and when: whose van is looked into first, and until when the material is needed."""
    event, order = received.event, unit.get(WorkOrder, str(received.event.work_order_id))
    for technician_id in event.technicians[:1]:
        rooms.van(unit, technician_id, event.company_id)
        order.technician_id = technician_id
    order.company_id, order.needed_on = event.company_id, event.block_start.astimezone(zone).date()


def wants_waiting(timer: Timer, unit: Unit) -> Iterable[Ref]:
    """Who waits for the type, what they hold already, and the shelves."""
    yield THE_LEDGER
    yield Location, CENTRAL
    yield Waiting, timer.key
    wishes = [replace(wish, verified_until=rooms.verified_today(unit)) for wish in unit.get(Waiting, timer.key).wishes]
    for wish in wishes:
        yield WorkOrder, str(wish.work_order_id)
    yield from rooms.shelves(unit, wishes)


def supply_waiting(timer: Timer, unit: Unit) -> None:
    """Stock arrived, came back or was given back: the most urgent get it first."""
    waiting, supplied = unit.get(Waiting, timer.key), False
    for wish in waiting.wishes:
        order = unit.get(WorkOrder, str(wish.work_order_id))
        room = rooms.storeroom(unit, rooms.journal(unit, order.movements, order.told, order))
        supplied |= order.supply(timer.key, room)
        _supplied(unit, order)
    if waiting.more and supplied:
        unit.later(RETRY, timer.key, unit.now)


def _frees(event: WorkOrderMoved) -> bool:
    return event.to_state is State.CLOSED and event.close_reason is not CloseReason.SUPERSEDED


def _close(unit: Unit, order: WorkOrder) -> None:
    room = rooms.storeroom(unit, rooms.journal(unit, order.movements, order.told, order))
    order.close(room)
    rooms.wake_waiting(unit, room.freed)


def _supplied(unit: Unit, order: WorkOrder) -> None:
    if order.requested_at is not None and not order.missing:
        metrics.RESERVATION_SECONDS.observe((unit.now - order.requested_at.astimezone(UTC)).total_seconds())


def _predecessor(work_order_id: WorkOrderId | None, unit: Unit) -> WorkOrder | None:
    return unit.find(WorkOrder, str(work_order_id)) if work_order_id is not None else None


def _case(unit: Unit, event: Event) -> Case:
    """The case, or a new record of it: an end may be heard of before the beginning."""
    case = unit.find(Case, event.key())
    if case is None:
        case = Case(case_id=event.case_id)  # type: ignore[attr-defined]
        unit.add(case)
    return case
