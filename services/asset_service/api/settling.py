"""What is said of a device in place: that it communicates, or, by two persons, where a disputed one really is."""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from contracts.codes import CommissionedBy
from contracts.ids import LocationId
from contracts.parts import Time
from contracts.roles import Role
from kit.auth import Principal, needs
from kit.store import Ref, Unit
from services.asset_service import metrics, rooms
from services.asset_service.api.views import Asked, Reason, TheStore, View
from services.asset_service.domain import settling
from services.asset_service.domain.devices import Device, Settlement
from services.asset_service.domain.ledger import Paper
from services.asset_service.domain.places import Location
from services.asset_service.domain.states import DeviceState, MovementKind
from services.asset_service.errors import NotInstalled, UnknownDevice, WrongLocation
from services.asset_service.rooms import THE_LEDGER

router = APIRouter()
Commissioner = Annotated[Principal, Depends(needs("device:commission"))]
Settler = Annotated[Principal, Depends(needs("device:settle"))]


class Commissioning(Asked):
    """Somebody or something proved that the device communicates."""

    at: Time
    by: CommissionedBy
    proof: Reason
    """Where the proof can be found, for instance the head end's message number."""


class Settling(Asked):
    """Where a disputed device really is."""

    is_at: LocationId
    reason: Reason


class StateView(View):
    """A device after what was said of it."""

    device_id: UUID
    state: DeviceState
    location_id: UUID
    disputed: bool
    settlement: Settlement | None


@router.post("/v1/devices/{device_id}/commissioned")
async def commission(device_id: UUID, asked: Commissioning, who: Commissioner, store: TheStore) -> StateView:
    """The device communicates. A device that was commissioned before stays so, and nothing is told again."""

    def command(unit: Unit) -> StateView:
        device = _device(unit, device_id)
        if device.state is DeviceState.COMMISSIONED:
            return StateView.model_validate(device)
        if device.state is not DeviceState.INSTALLED or device.disputed:
            raise NotInstalled(device.printed)
        paper = _paper(unit, "commissioning")
        fact = device.commissioned(asked.at, asked.by)
        rooms.journal(unit, paper.movements, paper.told).stay(device, MovementKind.COMMISSION, at=asked.at)
        metrics.MOVEMENTS.labels(MovementKind.COMMISSION).inc()
        paper.told.append(fact)
        unit.audit("device:commission", f"device/{device_id}", proof=asked.proof)
        return StateView.model_validate(device)

    return await store.run(who, command, needs=[THE_LEDGER, (Device, str(device_id))])


@router.post("/v1/devices/{device_id}/settle")
async def settle(device_id: UUID, asked: Settling, who: Settler, store: TheStore) -> StateView:
    """The warehouse says where the device is, quality assurance agrees, and it must be another person."""

    def wanted(_: Unit) -> Iterator[Ref]:
        yield THE_LEDGER
        yield Device, str(device_id)
        yield Location, str(asked.is_at)

    def command(unit: Unit) -> StateView:
        device, place = _device(unit, device_id), unit.find(Location, str(asked.is_at))
        if place is None:
            raise WrongLocation("there is no such location")
        if Role.QA in who.roles and device.settlement is not None:
            paper = _paper(unit, "settlement")
            settling.agree(device, place, who.id, rooms.journal(unit, paper.movements, paper.told))
            metrics.MOVEMENTS.labels(MovementKind.SETTLE).inc()
            rooms.wake_waiting(unit, [device.device_type])
        else:
            settling.propose(device, place, asked.reason, who.id)
        unit.audit("device:settle", f"device/{device_id}", is_at=str(asked.is_at))
        return StateView.model_validate(device)

    return await store.run(who, command, needs=wanted)


def _device(unit: Unit, device_id: UUID) -> Device:
    device = unit.find(Device, str(device_id))
    if device is None:
        raise UnknownDevice(str(device_id))
    return device


def _paper(unit: Unit, kind: str) -> Paper:
    paper = Paper(paper_id=unit.new_id(), kind=kind, at=unit.now, actor=unit.principal.id)
    unit.add(paper)
    return paper
