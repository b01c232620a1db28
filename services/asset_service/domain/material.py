"""Material of a work order: what it needs, what is set aside for it, and who waits for what is not there."""

from calendar import monthrange
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from contracts.assets import MaterialMissing, MaterialReserved
from contracts.codes import DeviceRole
from contracts.ids import CaseId, CompanyId, DeviceId, LocationId, TechnicianId, WorkOrderId
from contracts.parts import MaterialLine, ReservedLine
from kit.store import Aggregate
from services.asset_service.domain.devices import Device
from services.asset_service.domain.ledger import Journal, Movement
from services.asset_service.domain.states import HELD, DeviceState, LocationKind, MovementKind

VERIFICATION_MONTHS = 24
"""A device whose verification ends sooner is not chosen."""


class ReservationState(StrEnum):
    """What became of one device that a work order needs."""

    RESERVED = "RESERVED"
    PICKED = "PICKED"
    USED = "USED"
    RELEASED = "RELEASED"
    MISSING = "MISSING"


HOLDING = frozenset({ReservationState.RESERVED, ReservationState.PICKED})
"""Active: the device is nobody else's."""


@dataclass(kw_only=True)
class Reservation:
    """One device of a line: `unit` counts from 1 inside the line."""

    line: int
    unit: int
    role: DeviceRole
    device_type: str
    alternatives: tuple[str, ...] = ()
    state: ReservationState = ReservationState.MISSING
    device_id: DeviceId | None = None
    store: LocationId | None = None
    """Where the device was when it was set aside."""

    @property
    def types(self) -> tuple[str, ...]:
        """The types that fit, the wanted one first."""
        return self.device_type, *self.alternatives

    @property
    def holds(self) -> bool:
        return self.state in HOLDING


@dataclass(frozen=True, slots=True)
class Wish:
    """So many devices of a type, for a technician of a company, verified at least until a day."""

    device_type: str
    quantity: int
    technician_id: TechnicianId | None
    company_id: CompanyId | None
    verified_until: date
    work_order_id: WorkOrderId

    @property
    def key(self) -> str:
        """The wish as a key under which its shelf is loaded."""
        who = f"{self.technician_id or ''}|{self.company_id or ''}"
        return f"{self.device_type}|{self.quantity}|{who}|{self.verified_until}|{self.work_order_id}"

    @classmethod
    def of(cls, key: str) -> Self:
        device_type, quantity, technician, company, until, work_order = key.split("|")
        return cls(
            device_type,
            int(quantity),
            TechnicianId(UUID(technician)) if technician else None,
            CompanyId(UUID(company)) if company else None,
            date.fromisoformat(until),
            WorkOrderId(UUID(work_order)),
        )


def wishes_for(
    lines: Iterable[MaterialLine], order: "WorkOrder | None", work_order_id: WorkOrderId, verified_until: date
) -> list[Wish]:
    """What has to be looked for, for these lines: each of their types in full number.

    For an order that is not known yet only in the stores: who comes is not known either.
    """
    wanted: dict[str, int] = {}
    for line in lines:
        for device_type in (line.device_type, *line.alternatives):
            wanted[device_type] = wanted.get(device_type, 0) + line.quantity
    who = (order.technician_id, order.company_id) if order is not None else (None, None)
    return [Wish(kind, quantity, *who, verified_until, work_order_id) for kind, quantity in wanted.items()]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A free device, and where it lies."""

    device_id: DeviceId
    location_id: LocationId
    kind: LocationKind
    technician_id: TechnicianId | None
    company_id: CompanyId | None


@dataclass(kw_only=True, eq=False)
class Shelf(Aggregate):
    """The free devices of one type that the wishes of a transaction can reach: oldest verification first, then serial.

    A view, never written. In a technician's van, then in the company's small store, then in the central one.
    """

    device_type: str
    candidates: list[Candidate] = field(default_factory=list)
    asked: bool = False
    """Somebody has named its devices among the needs of the transaction."""

    def __post_init__(self) -> None:
        self._places = dict[tuple[LocationKind, UUID | None], deque[Candidate]]()
        for each in self.candidates:
            owner = each.technician_id if each.kind is LocationKind.VAN else each.company_id
            self._places.setdefault((each.kind, owner), deque()).append(each)

    def key(self) -> str:
        return self.device_type

    def ask(self) -> Sequence[Candidate]:
        """Its devices, for the first who asks: all others of the transaction would only name them again."""
        first, self.asked = not self.asked, True
        return self.candidates if first else ()

    def put_back(self, device_id: DeviceId, central: LocationId) -> None:
        """A device of the central store became free in this transaction."""
        candidate = Candidate(device_id, central, LocationKind.CENTRAL, None, None)
        self._places.setdefault((LocationKind.CENTRAL, None), deque()).append(candidate)

    def take(self, wish: Wish, is_free: Callable[[DeviceId], bool]) -> Candidate | None:
        """The next device for this wish, if there is one; nobody gets it twice."""
        order = [
            (LocationKind.VAN, wish.technician_id),
            (LocationKind.SMALL_STORE, wish.company_id),
            (LocationKind.SMALL_STORE, None),
            (LocationKind.CENTRAL, None),
        ]
        for queue in (self._places.get(place) for place in order):
            while queue:
                found = queue.popleft()
                if is_free(found.device_id):
                    return found
        return None


@dataclass(kw_only=True, eq=False)
class Waiting(Aggregate):
    """The open work orders that miss a device of one type, the most urgent first. A view, never written."""

    device_type: str
    wishes: Sequence[Wish] = ()
    more: bool = False
    """There are more than were loaded."""

    def key(self) -> str:
        return self.device_type


class Storeroom:
    """What reserving works with: the page of the ledger, the shelves and the devices that were loaded."""

    def __init__(
        self,
        journal: Journal,
        device: Callable[[DeviceId], Device],
        shelf: Callable[[str], Shelf | None],
        central: LocationId,
    ) -> None:
        self.journal, self.device, self.shelf, self.central = journal, device, shelf, central
        self.freed: set[str] = set()
        """Types of which something became free: who waits for them is to be asked."""

    def is_free(self, device_id: DeviceId) -> bool:
        device = self.device(device_id)
        return device.state is DeviceState.IN_STOCK and not device.disputed

    def reserve(self, reservation: Reservation, wishes: Iterable[Wish]) -> bool:
        """Set a device aside, of the first type that is there."""
        for wish in wishes:
            shelf = self.shelf(wish.device_type)
            if shelf is not None and (found := shelf.take(wish, self.is_free)):
                device = self.device(found.device_id)
                self.journal.stay(device, MovementKind.RESERVE)
                device.held_for = wish.work_order_id
                reservation.device_id, reservation.store = device.device_id, found.location_id
                reservation.state = ReservationState.RESERVED
                return True
        return False

    def free(self, reservation: Reservation) -> None:
        """Give a device back: it stays where it is, for whoever needs it next."""
        if reservation.holds and reservation.device_id is not None:
            self.let_go(self.device(reservation.device_id))
        reservation.state = ReservationState.RELEASED

    def let_go(self, device: Device) -> None:
        """The device is nobody's; what is in a van stays in the van."""
        if device.state in HELD:
            kind = MovementKind.RELEASE if device.state is DeviceState.RESERVED else MovementKind.UNPICK
            self.journal.stay(device, kind)
            self.freed.add(device.device_type)
            shelf = self.shelf(device.device_type)
            if shelf is not None and device.location_id == self.central:
                shelf.put_back(device.device_id, self.central)
        device.held_for = None


@dataclass(kw_only=True, eq=False)
class WorkOrder(Aggregate):
    """What asset_service keeps of a work order: whose it is, and its material."""

    work_order_id: WorkOrderId
    case_id: CaseId
    sequence: int
    kind: str
    predecessor: WorkOrderId | None = None
    is_open: bool = True
    technician_id: TechnicianId | None = None
    company_id: CompanyId | None = None
    needed_on: date | None = None
    requested_at: datetime | None = None
    reservations: list[Reservation] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)

    def key(self) -> str:
        return str(self.work_order_id)

    @property
    def named(self) -> Mapping[str, Any]:
        """How events name it."""
        return {"case_id": self.case_id, "work_order_id": self.work_order_id, "sequence": self.sequence}

    @property
    def held(self) -> list[Reservation]:
        """The reservations that keep a device for it."""
        return [each for each in self.reservations if each.holds]

    @property
    def missing(self) -> list[Reservation]:
        return [each for each in self.reservations if each.state is ReservationState.MISSING]

    def holding(self, device_id: DeviceId) -> Reservation | None:
        """The active reservation of this device."""
        return next((each for each in self.held if each.device_id == device_id), None)

    def wish(self, device_type: str, quantity: int, verified_until: date) -> Wish:
        return Wish(device_type, quantity, self.technician_id, self.company_id, verified_until, self.work_order_id)

    def request(
        self, lines: Sequence[MaterialLine], needed_on: date | None, predecessor: "WorkOrder | None", room: Storeroom
    ) -> None:
        """A request replaces the lines: what fits is kept, also from the predecessor; the rest is given back."""
        kept = [*self.held, *(predecessor.held if predecessor is not None else ())]
        self.needed_on, self.requested_at = needed_on or self.needed_on, room.journal.now
        self.reservations = [each for each in self.reservations if each.state is ReservationState.USED]
        used = {(each.line, each.unit) for each in self.reservations}
        for line in lines:
            for unit in range(1, line.quantity + 1):
                if (line.line, unit) not in used:
                    self.reservations.append(self._line(line, unit, kept, room))
        for left in kept:
            room.free(left)
        self._fill(self.missing, room)
        self._tell_material(room.central)

    def _line(self, line: MaterialLine, unit: int, kept: list[Reservation], room: Storeroom) -> Reservation:
        """One device of a line, with a device that is kept already if one fits."""
        made = Reservation(
            line=line.line, unit=unit, role=line.role, device_type=line.device_type, alternatives=line.alternatives
        )
        for old in kept:
            device = room.device(old.device_id) if old.device_id else None
            if device is not None and old.role == made.role and device.device_type in made.types:
                kept.remove(old)
                made.state, made.device_id, made.store = old.state, old.device_id, old.store
                old.state, old.device_id = ReservationState.RELEASED, None
                device.held_for = self.work_order_id
                break
        return made

    def supply(self, device_type: str, room: Storeroom) -> bool:
        """Something of this type may be there now: set it aside for what is missing. Tells whether something was."""
        waiting = [each for each in self.missing if device_type in each.types]
        if not self.is_open or not self._fill(waiting, room, device_type):
            return False
        self._tell_material(room.central)
        return True

    def release(self, room: Storeroom) -> None:
        """Give back everything that is not used."""
        for reservation in self.reservations:
            if reservation.state is not ReservationState.USED:
                room.free(reservation)

    def close(self, room: Storeroom) -> None:
        """The work order is over: it needs nothing more, and gets nothing more."""
        self.release(room)
        self.is_open = False

    def lose(self, device: Device, room: Storeroom) -> None:
        """Its device was used elsewhere: another one is looked for."""
        reservation = self.holding(device.device_id)
        device.held_for = None
        if reservation is None:
            return
        reservation.state, reservation.device_id, reservation.store = ReservationState.MISSING, None, None
        if self.is_open:
            room.freed.update(reservation.types)
            self._tell_material(room.central)

    def _fill(self, missing: Iterable[Reservation], room: Storeroom, only: str | None = None) -> bool:
        until = verified_from(room.journal.now.date())
        found = False
        for reservation in missing:
            types = [each for each in reservation.types if only in (None, each)]
            found |= room.reserve(reservation, [self.wish(each, 1, until) for each in types])
        return found

    def _tell_material(self, central: LocationId) -> None:
        """Told after every change: the newest of both facts counts."""
        missing = self.missing
        fact = MaterialMissing if missing else MaterialReserved
        numbers = sorted({each.line for each in (missing or self.reservations)})
        lines = [self._told_line(line, missing) for line in numbers]
        store = next((each.store for each in self.held if each.store), central)
        self.told.append(fact(**self.named, lines=tuple(lines), store=store, needed_on=self.needed_on))

    def _told_line(self, line: int, missing: Sequence[Reservation]) -> ReservedLine:
        mine = [each for each in self.reservations if each.line == line]
        lacking = sum(each.line == line for each in missing)
        return ReservedLine(
            line=line,
            role=mine[0].role,
            device_type=mine[0].device_type,
            quantity=lacking or len(mine),
            device_ids=tuple(each.device_id for each in mine if each.device_id),
        )


def verified_from(today: date) -> date:
    """The day until which a device must be verified at least, to be chosen today."""
    year, month = divmod(today.year * 12 + today.month - 1 + VERIFICATION_MONTHS, 12)
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))
