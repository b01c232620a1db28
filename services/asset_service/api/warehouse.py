"""What the warehouse and technicians book: devices are picked for a work order, and come back."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field

from contracts.ids import TechnicianId, WorkOrderId
from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.store import Ref, Unit
from services.asset_service import metrics, rooms, scopes
from services.asset_service.api.views import MOST_SERIALS, Asked, Serial, TheStore, View
from services.asset_service.domain.devices import Device
from services.asset_service.domain.labels import Label, read_label
from services.asset_service.domain.ledger import Journal, Paper
from services.asset_service.domain.material import Reservation, ReservationState, Storeroom, WorkOrder
from services.asset_service.domain.places import CENTRAL, Location, store_of, van_of
from services.asset_service.domain.states import STORES, DeviceState, LocationKind, MovementKind
from services.asset_service.errors import NotInStock, NotPicked, UnknownDevice, WrongDeviceType, WrongLocation
from services.asset_service.rooms import THE_LEDGER

router = APIRouter()
Mover = Annotated[Principal, Depends(needs("device:move"))]
Serials = Annotated[tuple[Serial, ...], Field(min_length=1, max_length=MOST_SERIALS)]


class Pick(Asked):
    """Devices for one work order go into a technician's van."""

    work_order_id: WorkOrderId
    serials: Serials
    technician_id: TechnicianId


class Return(Asked):
    """Devices come back from vans."""

    serials: Serials
    store: Annotated[str, Field(max_length=60)] = CENTRAL
    """`central`, or the name of a small store."""


class BookedDevice(View):
    """A device after a booking."""

    device_id: UUID
    serial: str
    state: DeviceState


class Booked(View):
    """What was booked."""

    devices: tuple[BookedDevice, ...]


@router.post("/v1/picks")
async def pick(asked: Pick, mover: Mover, store: TheStore) -> Booked:
    """Pick what is set aside for a work order; another serial of a fitting type takes the place of the reserved one."""
    labels = [read_label(each) for each in asked.serials]

    def wanted(unit: Unit) -> Iterator[Ref]:
        yield THE_LEDGER
        yield Location, CENTRAL
        yield Location, van_of(asked.technician_id)
        yield WorkOrder, str(asked.work_order_id)
        yield from rooms.device_refs(labels)
        order = unit.find(WorkOrder, str(asked.work_order_id))
        yield from rooms.held_devices(order)
        yield from _places(unit, labels)

    def command(unit: Unit) -> Booked:
        order = unit.get(WorkOrder, str(asked.work_order_id))
        van = rooms.van(unit, asked.technician_id, order.company_id)
        if not scopes.reaches(mover.scope, van):
            raise NotFound("there is nothing here that you may see")
        page, room, paper = _open(unit, "pick", order)
        picked = [_pick(_device(unit, label), order, van, page, room) for label in labels]
        return _booked(unit, paper, picked, room)

    return await store.run(mover, command, needs=wanted)


def _pick(device: Device, order: WorkOrder, van: Location, page: Journal, room: Storeroom) -> Device:
    """One device: its own reservation, or in the place of another of the same line."""
    reservation = order.holding(device.device_id) or _swapped(device, order, room)
    if device.state is DeviceState.PICKED and device.location_id == van.location_id:
        return device
    if device.state is DeviceState.PICKED:
        page.stay(device, MovementKind.UNPICK)
    page.move(device, MovementKind.PICK, van)
    reservation.state = ReservationState.PICKED
    return device


def _swapped(device: Device, order: WorkOrder, room: Storeroom) -> Reservation:
    """The reservation that this device fulfils instead of the one that was set aside, or of none."""
    if device.state is not DeviceState.IN_STOCK or device.disputed:
        why = f"it is {device.state}" if device.held_for is None else "it is set aside for another work order"
        raise NotInStock(device.printed, why)
    open_ = [*order.missing, *(each for each in order.held if each.state is ReservationState.RESERVED)]
    fitting = next((each for each in open_ if device.device_type in each.types), None)
    if fitting is None:
        expected = dict.fromkeys(name for each in open_ for name in each.types)
        raise WrongDeviceType(device.printed, device.device_type, tuple(expected))
    if fitting.holds:
        room.free(fitting)
    room.journal.stay(device, MovementKind.RESERVE)
    device.held_for = order.work_order_id
    fitting.state, fitting.device_id = ReservationState.RESERVED, device.device_id
    return fitting


@router.post("/v1/returns")
async def take_back(asked: Return, mover: Mover, store: TheStore) -> Booked:
    """What was removed or not used comes back to a store; an unknown serial is refused, never created (D-DEV-6)."""
    labels = [read_label(each) for each in asked.serials]
    place = CENTRAL if asked.store == CENTRAL else store_of(asked.store)

    def wanted(unit: Unit) -> Iterator[Ref]:
        yield THE_LEDGER
        yield Location, CENTRAL
        yield Location, place
        yield from rooms.device_refs(labels)
        yield from _places(unit, labels)

    def command(unit: Unit) -> Booked:
        target = unit.find(Location, place)
        if target is None or target.kind not in STORES:
            raise WrongLocation("there is no store of this name")
        page, room, paper = _open(unit, "return")
        returned = []
        for label in labels:
            device = _device(unit, label)
            _check_van(unit, device, mover)
            returned.append(_take_back(unit, device, target, page))
            room.freed.add(device.device_type)
        return _booked(unit, paper, returned, room)

    return await store.run(mover, command, needs=wanted)


def _check_van(unit: Unit, device: Device, mover: Principal) -> None:
    van = unit.get(Location, str(device.location_id))
    if not scopes.reaches(mover.scope, van):
        raise UnknownDevice(device.printed)
    if van.kind is not LocationKind.VAN:
        raise NotPicked(device.printed, device.state)


def _take_back(unit: Unit, device: Device, target: Location, page: Journal) -> Device:
    """An unused device is stock again, and its work order has to do without."""
    order = unit.find(WorkOrder, str(device.held_for)) if device.held_for is not None else None
    reservation = order.holding(device.device_id) if order is not None else None
    if reservation is not None:
        reservation.state = ReservationState.RELEASED
    if device.state is DeviceState.RESERVED:
        page.stay(device, MovementKind.RELEASE)
    page.work = order.named if order is not None else {}
    kind = MovementKind.UNPICK if device.state is DeviceState.PICKED else MovementKind.RETURN
    page.move(device, kind, target)
    device.held_for = None
    return device


def _open(unit: Unit, kind: str, order: WorkOrder | None = None) -> tuple[Journal, Storeroom, Paper]:
    paper = Paper(paper_id=unit.new_id(), kind=kind, at=unit.now, actor=unit.principal.id)
    unit.add(paper)
    page = rooms.journal(unit, paper.movements, paper.told, order)
    return page, rooms.storeroom(unit, page), paper


def _places(unit: Unit, labels: Iterable[Label]) -> Iterator[Ref]:
    """Where the devices are, and who they are set aside for."""
    for label in labels:
        device = rooms.find_device(unit, label)
        if device is not None:
            yield Location, str(device.location_id)
            if device.held_for is not None:
                yield WorkOrder, str(device.held_for)


def _device(unit: Unit, label: Label) -> Device:
    device = rooms.find_device(unit, label)
    if device is None:
        raise UnknownDevice(label.full)
    return device


def _booked(unit: Unit, paper: Paper, devices: Iterable[Device], room: Storeroom) -> Booked:
    for movement in paper.movements:
        metrics.MOVEMENTS.labels(movement.kind).inc()
    rooms.wake_waiting(unit, room.freed)
    shown: list[Any] = [
        BookedDevice(device_id=each.device_id, serial=each.printed, state=each.state) for each in devices
    ]
    return Booked(devices=tuple(shown))
