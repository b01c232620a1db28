"""Where devices are and what became of them; told by asset_service."""

from datetime import date

from pydantic import Field

from contracts.codes import CommissionedBy, CommsCause, DeviceRole, Severity
from contracts.event import Event, Part
from contracts.groups import OfWorkOrder
from contracts.ids import CaseId, Code, DeviceId, FindingId, LocationId, Principal, Ref, VisitId, WorkOrderId
from contracts.parts import ReservedLine, Time


class OfDevice(Part):
    """About one device."""

    device_id: DeviceId
    serial: Ref
    manufacturer: Code
    device_type: Code


class Movement(OfDevice):
    """A device went from one place to another. An equal movement is a copy."""

    case_id: CaseId | None = None
    """Present if the device belongs to a case; then the work order is named as well."""
    work_order_id: WorkOrderId | None = None
    sequence: int | None = None
    movement_id: int
    """Rises with every movement of the ledger."""
    from_location: LocationId
    to_location: LocationId
    kind: Code
    at: Time
    """When it happened; it may be told later."""
    actor: Principal
    reason: Code | None = None


class DeviceReceived(Movement, Event, topic="rollout.assets", owner="asset", version=1, key="device_id"):
    """A device came in from its supplier."""


class DeviceMoved(Movement, Event, topic="rollout.assets", owner="asset", version=1, key="device_id"):
    """A device changed its place."""


class DeviceRejected(Movement, Event, topic="rollout.assets", owner="asset", version=1, key="device_id"):
    """A store refused to take a device that was sent to it."""


class DevicePicked(Movement, Event, topic="rollout.assets", owner="asset", version=1, key="device_id"):
    """A device was handed to a technician."""


class DeviceReturned(Movement, Event, topic="rollout.assets", owner="asset", version=1, key="device_id"):
    """A device came back from a technician or a site."""


class DeviceScrapped(Movement, Event, topic="rollout.assets", owner="asset", version=1, key="device_id"):
    """A device is gone for good."""


class MaterialReserved(OfWorkOrder, Event, topic="rollout.assets", owner="asset", version=1, key="case_id"):
    """Everything that a work order needs is set aside. The newest of this and MaterialMissing counts."""

    lines: tuple[ReservedLine, ...]
    store: LocationId
    needed_on: date | None = None


class MaterialMissing(OfWorkOrder, Event, topic="rollout.assets", owner="asset", version=1, key="case_id"):
    """Something that a work order needs is not there. The newest of this and MaterialReserved counts."""

    lines: tuple[ReservedLine, ...]
    """Only what is missing; `device_ids` names what is set aside already."""
    store: LocationId
    needed_on: date | None = None


class OfVisitedDevice(OfWorkOrder, OfDevice):
    """About a device and the visit that changed it. An equal visit and version is a copy, a lower one is stale."""

    role: DeviceRole
    at: Time
    visit_id: VisitId
    visit_version: int
    provisional: bool
    """The ledger did not know the device; it was taken in by the visit and still has to be verified."""


class DeviceInstalled(OfVisitedDevice, Event, topic="rollout.assets", owner="asset", version=1, key="device_id"):
    """A device is in place at the metering point."""


class DeviceRemoved(OfVisitedDevice, Event, topic="rollout.assets", owner="asset", version=1, key="device_id"):
    """A device was taken from the metering point."""


class DeviceCommissioned(
    OfWorkOrder, OfDevice, Event, topic="rollout.assets", owner="asset", version=1, key="device_id"
):
    """A device communicates. The work order named is the one that installed it."""

    role: DeviceRole
    at: Time
    by: CommissionedBy


class CommissioningPending(
    OfWorkOrder, OfDevice, Event, topic="rollout.assets", owner="asset", version=1, key="device_id"
):
    """A device is installed, but does not communicate yet."""

    role: DeviceRole
    cause: CommsCause


class DeviceMismatch(OfWorkOrder, OfDevice, Event, topic="rollout.assets", owner="asset", version=1, key="device_id"):
    """What was reported does not fit the plan or the ledger. A lower visit version is stale."""

    finding_id: FindingId
    rule: Code
    """M1 to M11."""
    severity: Severity
    role: DeviceRole
    expected_type: Code | None = None
    expected_serial: Ref | None = None
    found_type: Code | None = None
    found_serial: Ref | None = None
    visit_version: int


class ReadingAnomalyFound(
    OfWorkOrder, OfDevice, Event, topic="rollout.assets", owner="asset", version=1, key="device_id"
):
    """A reading is not plausible. The value stays in asset_service. A lower visit version is stale."""

    finding_id: FindingId
    rule: Code
    """R1 to R9."""
    severity: Severity
    register_: Code = Field(alias="register")
    """OBIS, reduced (D-OBIS-1)."""
    visit_version: int


class CalibrationFellDue(OfDevice, Event, topic="rollout.assets", owner="asset", version=1, key="device_id"):
    """The calibration of an installed device ends. Told once per device and due date."""

    due_on: date
    class_: Code = Field(alias="class")
    lot_id: Ref | None = None
    """The sampling lot that the device belongs to."""
    metering_point_id: Ref
    operator: Code
