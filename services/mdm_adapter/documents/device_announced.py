"""A partner announces a device, or says more of one: what it is before it comes to a point."""

from datetime import date
from decimal import Decimal

from contracts.codes import DeviceRole
from services.mdm_adapter.documents.values import Value


class Lifecycle(Value):
    """Days in the life of a device, as far as they are known."""

    manufactured_on: date | None = None
    received_on: date | None = None
    installed_on: date | None = None
    removed_on: date | None = None
    retired_on: date | None = None


class Multiplier(Value):
    """By what a register's value is multiplied."""

    kind: str
    value: Decimal


class DeviceAnnounced(Value):
    """Message 4, in."""

    serial: str
    role: DeviceRole = DeviceRole.METER
    asset_id: str | None = None
    """The partner's own id of the device."""
    manufacturer: str | None = None
    model: str | None = None
    seals: tuple[str, ...] = ()
    multipliers: tuple[Multiplier, ...] = ()
    lifecycle: Lifecycle = Lifecycle()
