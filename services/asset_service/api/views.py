"""How devices, reservations and findings look over HTTP."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import DeviceRole, Severity
from kit.http import the_store
from kit.store import Store
from services.asset_service.domain.devices import Settlement
from services.asset_service.domain.material import ReservationState
from services.asset_service.domain.states import DeviceState, LocationKind, MovementKind
from services.asset_service.domain.visits import FindingState

TheStore = Annotated[Store, Depends(the_store)]
Serial = Annotated[str, Field(min_length=1, max_length=300)]
"""A serial as scanned or typed; it is compared in its normal form (D-DEV-3)."""
Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
MOST_SERIALS = 200


class View(BaseModel):
    """What is answered; read from rows and aggregates alike."""

    model_config = ConfigDict(defer_build=True, from_attributes=True, frozen=True, use_attribute_docstrings=True)


class Asked(BaseModel):
    """What is sent in."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class DeviceView(View):
    """A device, where it is, and in which state."""

    device_id: UUID
    version: int
    serial: str
    """As it stands on the device."""
    manufacturer: str
    official_id: str | None
    owner_no: str | None
    device_type: str
    state: DeviceState
    location_id: UUID
    location: str
    """`central`, `store:<name>`, `van:<technician>`, `site:<metering point>`, …"""
    location_kind: LocationKind
    provisional: bool
    disputed: bool
    verified_until: date | None
    held_for: UUID | None
    """The work order that it is set aside for."""
    settlement: Settlement | None

    @classmethod
    def of(cls, row: Any) -> "DeviceView":
        """A row of the store's query."""
        values = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        return cls(**{**values, "serial": row.printed, "location": row.place, "location_kind": row.place_kind})


class DevicePage(View):
    """Devices by id; `next` is the cursor behind the last one, absent on the last page."""

    devices: tuple[DeviceView, ...]
    next: UUID | None = None


class MovementView(View):
    """One line of the ledger."""

    movement_id: int
    at: datetime
    booked_at: datetime
    kind: MovementKind
    from_place: str
    to_place: str
    state_from: DeviceState
    state_to: DeviceState
    work_order_id: UUID | None
    actor: str
    reason: str | None
    reverses: int | None


class InstallationView(View):
    """A time in place at one metering point."""

    place: str
    role: DeviceRole
    case_id: UUID | None
    work_order_id: UUID | None
    installed_at: datetime
    removed_at: datetime | None


class HistoryView(View):
    """Everything that the ledger knows of one device, oldest first."""

    movements: tuple[MovementView, ...]
    installations: tuple[InstallationView, ...]


class ReservationView(View):
    """One device that a work order needs, and what is set aside for it."""

    work_order_id: UUID
    case_id: UUID
    technician_id: UUID | None
    company_id: UUID | None
    needed_on: date | None
    line: int
    unit: int
    role: DeviceRole
    device_type: str
    """As asked for; `held_type` may be an alternative."""
    state: ReservationState
    device_id: UUID | None
    serial: str | None
    manufacturer: str | None
    held_type: str | None
    location: str | None
    """Where the device is now."""

    @classmethod
    def of(cls, row: Any) -> "ReservationView":
        """A row of the store's query."""
        values = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        return cls(**{**values, "serial": row.printed, "location": row.place})


class ReservationPage(View):
    """Reservations by the day on which they are needed."""

    reservations: tuple[ReservationView, ...]


class ReadingView(View):
    """A register as it was read at the exchange."""

    obis: str
    kind: str
    source: str
    value: str
    at: datetime


class FindingView(View):
    """A finding with its values: restricted."""

    finding_id: UUID
    rule: str
    severity: Severity
    state: FindingState
    case_id: UUID
    work_order_id: UUID
    visit_id: UUID
    visit_version: int
    device_id: UUID
    serial: str
    manufacturer: str
    device_type: str
    role: DeviceRole
    obis: str | None
    """The register, reduced (D-OBIS-1); absent with M rules."""
    detail: dict[str, str]
    readings: tuple[ReadingView, ...]


class LocationView(View):
    """A store or a van."""

    location_id: UUID
    place: str
    kind: LocationKind
    name: str
    company_id: UUID | None
    technician_id: UUID | None


class LocationPage(View):
    """All stores and vans."""

    locations: tuple[LocationView, ...]


class LabelView(View):
    """How a label is read."""

    serial: str
    """In the form in which devices are compared."""
    manufacturer: str | None
    official_id: str | None
    trade_no: str | None
    findings: tuple[str, ...]
    proposal: str | None = None
    """A known serial that differs only by O for 0 or I for 1; never taken silently."""
