"""The ledger: every movement takes one device from one place and puts it in another; nothing is ever taken back.

A correction is a movement of its own. State and place of a device are what its movements say: `replay` proves it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from contracts.assets import DeviceMoved, DevicePicked, DeviceReceived, DeviceReturned
from contracts.event import Event
from contracts.ids import DeviceId, LocationId, WorkOrderId
from kit.store import Aggregate
from services.asset_service.domain.devices import Device
from services.asset_service.domain.places import Location
from services.asset_service.domain.states import REALITY, STEPS, TARGETS, DeviceState, LocationKind, MovementKind
from services.asset_service.errors import ImpossibleMovement

LEDGER = "ledger"


@dataclass(kw_only=True, eq=False)
class Ledger(Aggregate):
    """Numbers the movements. Whoever books holds it, so movements are numbered in the order in which they count."""

    name: str = LEDGER
    last_movement: int = 0

    def key(self) -> str:
        return self.name

    def next(self) -> int:
        self.last_movement += 1
        return self.last_movement


@dataclass(kw_only=True, slots=True)
class Movement:
    """One line of the ledger. `at` is when it happened, `booked_at` when it was written."""

    movement_id: int
    at: datetime
    booked_at: datetime
    kind: MovementKind
    device_id: DeviceId
    from_location: LocationId
    to_location: LocationId
    state_from: DeviceState
    state_to: DeviceState
    actor: str
    work_order_id: WorkOrderId | None = None
    reason: str | None = None
    reverses: int | None = None
    previous: int | None = None
    """The device's newest standing movement before this one."""
    previous_at: datetime | None = None
    """When the device had last changed its place before this movement."""

    @property
    def changes_place(self) -> bool:
        return self.from_location != self.to_location


@dataclass(kw_only=True, eq=False)
class Paper(Aggregate):
    """What the warehouse books by: a delivery, a pick, a return, a commissioning, a settlement."""

    paper_id: UUID
    kind: str
    at: datetime
    actor: str
    movements: list[Movement] = field(default_factory=list)

    def key(self) -> str:
        return str(self.paper_id)


Told = DeviceReceived | DeviceMoved | DevicePicked | DeviceReturned

TOLD: Mapping[MovementKind, type[Told]] = MappingProxyType(
    {
        MovementKind.RECEIVE: DeviceReceived,
        MovementKind.PICK: DevicePicked,
        MovementKind.UNPICK: DeviceReturned,
        MovementKind.RETURN: DeviceReturned,
        MovementKind.CORRECT: DeviceMoved,
        MovementKind.SETTLE: DeviceMoved,
        MovementKind.REVERSE: DeviceMoved,
    }
)
"""Movements that are facts of their own, if they change the place; visits tell DeviceInstalled and DeviceRemoved."""


def objections(device: Device, kind: MovementKind, to: Location) -> list[str]:
    """Ask: every reason why this device may not make this movement."""
    found = []
    if (kind, device.state) not in STEPS:
        fitting = [state for each, state in STEPS if each is kind]
        found.append(f"it is {device.state}, needed is {' or '.join(fitting)}")
    if to.kind not in TARGETS.get(kind, frozenset()):
        found.append(f"a {to.kind} is no place for it")
    return found


class Journal:
    """The page of one document: a delivery, a pick, a return, a work order's material, a visit."""

    def __init__(
        self,
        ledger: Ledger,
        page: list[Movement],
        told: list[Event],
        *,
        now: datetime,
        actor: str,
        work: Mapping[str, Any] | None = None,
    ) -> None:
        self.ledger, self.page, self.told, self.now, self.actor = ledger, page, told, now, actor
        self.work = work or {}
        """case_id, work_order_id and sequence of the work order that it is about."""

    def move(
        self,
        device: Device,
        kind: MovementKind,
        to: Location,
        *,
        at: datetime | None = None,
        reason: str | None = None,
    ) -> Movement:
        """Book an ordinary movement; refuses with every objection what the tables do not allow."""
        if found := objections(device, kind, to):
            raise ImpossibleMovement(kind, device.printed, found)
        return self._write(device, kind, to.location_id, STEPS[kind, device.state], at, reason)

    def follow(
        self, device: Device, kind: MovementKind, to: Location, *, at: datetime | None = None, reason: str | None = None
    ) -> Movement:
        """Book where the device really is, whatever the ledger believed."""
        return self._write(device, kind, to.location_id, REALITY[kind, to.kind], at, reason)

    def stay(self, device: Device, kind: MovementKind, at: datetime | None = None) -> Movement:
        """Book a change of state that needs no other place: reserve, release, unpick, commission, dispute."""
        if kind is MovementKind.DISPUTE:
            device.disputed = True
            return self._write(device, kind, device.location_id, DeviceState.DISPUTED, at, None)
        if (kind, device.state) not in STEPS:
            needed = " or ".join(state for each, state in STEPS if each is kind)
            raise ImpossibleMovement(kind, device.printed, [f"it is {device.state}, needed is {needed}"])
        return self._write(device, kind, device.location_id, STEPS[kind, device.state], at, None)

    def reverse(self, device: Device, movement: Movement) -> Movement:
        """Book the mirror of the device's newest movement."""
        if device.last_movement != movement.movement_id:
            raise ImpossibleMovement(MovementKind.REVERSE, device.printed, ["it has moved on since"])
        made = self._write(
            device,
            MovementKind.REVERSE,
            movement.from_location,
            movement.state_from,
            self.now,
            None,
            reverses=movement.movement_id,
        )
        device.moved_at, device.last_movement = movement.previous_at, movement.previous or 0
        return made

    def _write(
        self,
        device: Device,
        kind: MovementKind,
        to: LocationId,
        state: DeviceState,
        at: datetime | None,
        reason: str | None,
        reverses: int | None = None,
    ) -> Movement:
        movement = Movement(
            movement_id=self.ledger.next(),
            at=at or self.now,
            booked_at=self.now,
            kind=kind,
            device_id=device.device_id,
            from_location=device.location_id,
            to_location=to,
            state_from=device.state,
            state_to=state,
            actor=self.actor,
            work_order_id=self.work.get("work_order_id"),
            reason=reason,
            reverses=reverses,
            previous=device.last_movement or None,
            previous_at=device.moved_at,
        )
        self.page.append(movement)
        device.location_id, device.state, device.last_movement = to, state, movement.movement_id
        if movement.changes_place:
            device.moved_at = movement.at
            self._tell(device, movement)
        return movement

    def _tell(self, device: Device, movement: Movement) -> None:
        if fact := TOLD.get(movement.kind):
            self.told.append(
                fact(
                    **device.named,
                    **self.work,
                    movement_id=movement.movement_id,
                    from_location=movement.from_location,
                    to_location=movement.to_location,
                    kind=movement.kind,
                    at=movement.at,
                    actor=self.actor,
                    reason=movement.reason,
                )
            )


ORIGINS: Mapping[DeviceState, LocationKind] = MappingProxyType(
    {DeviceState.ORDERED: LocationKind.SUPPLIER, DeviceState.INSTALLED: LocationKind.FIELD_BEFORE}
)
"""Where the ledger's knowledge of a device begins."""


def replay(movements: Iterable[Movement]) -> Mapping[DeviceId, tuple[LocationId, DeviceState]]:
    """State and place of each device as its movements say; raises ValueError where the chain has a gap."""
    where: dict[DeviceId, tuple[LocationId, DeviceState]] = {}
    for movement in sorted(movements, key=lambda each: each.movement_id):
        start = movement.from_location, movement.state_from
        if where.setdefault(movement.device_id, start) != start:
            raise ValueError(f"movement {movement.movement_id} does not begin where the one before it ended")
        where[movement.device_id] = movement.to_location, movement.state_to
    return where


def balances(movements: Sequence[Movement]) -> Mapping[LocationId, int]:
    """In minus out for each location; over all of them the sum is 0."""
    found: dict[LocationId, int] = {}
    for movement in movements:
        found[movement.from_location] = found.get(movement.from_location, 0) - 1
        found[movement.to_location] = found.get(movement.to_location, 0) + 1
    return found
