"""A device: one place, one state, and how the ledger knows both."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from contracts.assets import DeviceCommissioned
from contracts.codes import CommissionedBy, DeviceRole
from contracts.event import Part
from contracts.ids import CaseId, DeviceId, LocationId, VisitId, WorkOrderId
from contracts.parts import Time
from kit.store import Aggregate
from services.asset_service.domain.labels import UNKNOWN_MANUFACTURER, Label
from services.asset_service.domain.states import IN_PLACE, DeviceState
from services.asset_service.errors import NotInstalled

UNKNOWN_TYPE = "UNKNOWN"
COMMUNICATING = frozenset({DeviceRole.SMGW, DeviceRole.CONTROL_BOX})
"""Roles that must communicate before they count as commissioned (D-IMS-2)."""


class Claim(Part):
    """What a visit reported of a device and the ledger could not follow (M3, M9); settled by people."""

    case_id: CaseId
    work_order_id: WorkOrderId
    sequence: int
    role: DeviceRole
    visit_id: VisitId
    visit_version: int
    at: Time
    location_id: LocationId
    """The site that the visit speaks of."""
    installed: bool
    """False: it was reported as removed."""


class Settlement(Part):
    """Where a device really is, in the opinion of a first person; a second one has to agree."""

    is_at: LocationId
    reason: str
    by: str
    agreed_by: str | None = None
    """Set once it is booked."""


@dataclass(kw_only=True)
class Installation:
    """A time in place at one metering point; the device is there while `removed_at` is empty (I5)."""

    installation_id: int
    """The movement that put it there."""
    serial_key: str
    location_id: LocationId
    installed_at: datetime
    role: DeviceRole
    case_id: CaseId | None = None
    """With work order and sequence: who installed it; none if it was there before the hub."""
    work_order_id: WorkOrderId | None = None
    sequence: int | None = None
    removed_at: datetime | None = None
    removed_by: int | None = None
    """The movement that removed it."""
    removed_in: CaseId | None = None
    removed_visit: VisitId | None = None


@dataclass(kw_only=True, eq=False)
class Device(Aggregate):
    """One device with its serial. State and place are a projection of its movements."""

    device_id: DeviceId
    serial: str
    """As printed, in the form in which devices are compared (D-DEV-3)."""
    manufacturer: str
    serial_key: str
    """`<manufacturer>/<serial>`, unique (D-DEV-2)."""
    number: str
    """What people type of it: of an official id the last eight digits."""
    number_key: str
    """`<manufacturer>#<number>`."""
    printed: str
    """As it stands on the device; this is what others are told."""
    official_id: str | None = None
    owner_no: str | None = None
    device_type: str
    state: DeviceState
    location_id: LocationId
    provisional: bool = False
    """A visit spoke of it before the ledger knew it."""
    disputed: bool = False
    verified_until: date | None = None
    moved_at: datetime | None = None
    """When it last changed its place, as reported; a visit that lies before is out of sequence (M9)."""
    last_movement: int = 0
    """Its newest movement that stands; 0 before the first."""
    held_for: WorkOrderId | None = None
    """The work order that it is set aside for."""
    claim: Claim | None = None
    settlement: Settlement | None = None
    installations: list[Installation] = field(default_factory=list)

    def key(self) -> str:
        return str(self.device_id)

    def keys(self) -> Iterable[str]:
        return str(self.device_id), self.serial_key

    @classmethod
    def known_by(
        cls, label: Label, device_id: UUID, device_type: str, printed: str, at: LocationId, **more: Any
    ) -> "Device":
        """A device that nobody moved yet: announced by its supplier (ORDERED), unless `more` says otherwise."""
        maker = label.manufacturer or UNKNOWN_MANUFACTURER
        state = more.pop("state", DeviceState.ORDERED)
        return cls(
            device_id=DeviceId(device_id),
            serial=label.full,
            manufacturer=maker,
            serial_key=f"{maker}/{label.full}",
            number=label.serial,
            number_key=f"{maker}#{label.serial}",
            printed=printed,
            official_id=label.official_id,
            device_type=device_type,
            state=state,
            location_id=at,
            **more,
        )

    @property
    def label(self) -> Label:
        """Its own label."""
        return Label(self.number, self.manufacturer, self.official_id)

    @property
    def named(self) -> Mapping[str, Any]:
        """How every event names the device."""
        return MappingProxyType(
            {
                "device_id": self.device_id,
                "serial": self.printed,
                "manufacturer": self.manufacturer,
                "device_type": self.device_type,
            }
        )

    @property
    def is_unmoved(self) -> bool:
        """No movement of it stands: only a report that was corrected since had spoken of it."""
        return not self.last_movement

    @property
    def in_place(self) -> Installation | None:
        """Where it is installed now."""
        return next((each for each in self.installations if each.removed_at is None), None)

    @property
    def last_removal(self) -> Installation | None:
        """The newest time in place that ended."""
        ended = [each for each in self.installations if each.removed_at is not None]
        return max(ended, key=lambda each: each.installation_id, default=None)

    def put(self, movement_id: int, at: datetime, role: DeviceRole, work: Mapping[str, Any] | None = None) -> None:
        """Its time at the present place begins."""
        self.installations.append(
            Installation(
                installation_id=movement_id,
                serial_key=self.serial_key,
                location_id=self.location_id,
                installed_at=at,
                role=role,
                **(work or {}),
            )
        )

    def take(self, movement_id: int, at: datetime, case_id: CaseId | None, visit_id: VisitId | None) -> None:
        """Its time in place ends."""
        if here := self.in_place:
            here.removed_at, here.removed_by = at, movement_id
            here.removed_in, here.removed_visit = case_id, visit_id

    def undo(self, movement_id: int) -> None:
        """The movement is reversed, so what it said of a time in place is not true."""
        self.installations = [each for each in self.installations if each.installation_id != movement_id]
        for each in self.installations:
            if each.removed_by == movement_id:
                each.removed_at = each.removed_by = each.removed_in = each.removed_visit = None

    def commissioned(self, at: datetime, by: CommissionedBy) -> DeviceCommissioned:
        """The fact that it communicates, in the name of the order that installed it."""
        here = self.in_place
        if here is None or here.case_id is None or here.work_order_id is None or here.sequence is None:
            raise NotInstalled(self.printed)
        return DeviceCommissioned(
            **self.named,
            case_id=here.case_id,
            work_order_id=here.work_order_id,
            sequence=here.sequence,
            role=here.role,
            at=at,
            by=by,
        )

    def is_installed_at(self, location_id: LocationId) -> bool:
        return self.state in IN_PLACE and self.location_id == location_id
