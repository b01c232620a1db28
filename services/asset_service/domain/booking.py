"""How a visit report becomes movements, findings and facts: the ledger follows reality, or the device is disputed."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from contracts.assets import CommissioningPending, DeviceInstalled, DeviceRemoved
from contracts.codes import CommissionedBy, Comms, CommsCause, Destination, DeviceRole, Outcome
from contracts.ids import DeviceId, VisitId, WorkOrderId
from contracts.parts import InstalledDevice, RemovedDevice
from contracts.visits import VisitReported
from services.asset_service.domain.device_types import DeviceType
from services.asset_service.domain.devices import COMMUNICATING, UNKNOWN_TYPE, Claim, Device
from services.asset_service.domain.findings import Findings
from services.asset_service.domain.labels import Label, read_label
from services.asset_service.domain.ledger import Journal
from services.asset_service.domain.material import ReservationState, Storeroom, WorkOrder
from services.asset_service.domain.measuring import Measuring
from services.asset_service.domain.places import Location
from services.asset_service.domain.reality import (
    CORRECTED,
    REFUSED,
    Scene,
    Verdict,
    expected_of,
    judge_installed,
    judge_removed,
    planned_types,
)
from services.asset_service.domain.states import IN_PLACE, DeviceState, MovementKind
from services.asset_service.domain.undoing import undo
from services.asset_service.domain.visits import Visit

VISIT = "visit"
"""The reason of correcting movements."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What was loaded for a visit, and how to get at it."""

    work_order: WorkOrder
    site: Location
    van: Location
    supplier: Location
    field_before: Location
    device: Callable[[DeviceId], Device]
    by_key: Callable[[str], Device | None]
    """By one of the keys of a label."""
    other: Callable[[WorkOrderId], WorkOrder | None]
    type_of: Callable[[str], DeviceType | None]
    visit: Callable[[VisitId], Visit | None]
    add: Callable[[Device], None]
    new_id: Callable[[], UUID]


class Booking:
    """One version of one visit report, being booked."""

    def __init__(
        self, report: VisitReported, visit: Visit, around: Surroundings, journal: Journal, room: Storeroom
    ) -> None:
        self.report, self.visit, self.around, self.journal, self.room = report, visit, around, journal, room
        self.order = around.work_order
        reversal = self.order.kind == "reversal"
        self.scene = Scene(
            around.site.location_id, around.van.location_id, report.case_id, report.work_order_id, reversal
        )
        self.seen: set[DeviceId] = set()
        self.installed: list[tuple[InstalledDevice, Device]] = []
        self.removed: list[tuple[RemovedDevice, Device]] = []
        self.findings = Findings(report, visit, journal.told, around.new_id)

    def book(self) -> list[Device]:
        """Reverse the older version, then book this one, device by device.

        Returns the devices that only the older version named, and that moved on since: people have to settle them.
        """
        overtaken = undo(self.visit, self.order, self.journal, self.room, self.around.device)
        self.visit.visit_version = self.report.visit_version
        for installed in self.report.installed:
            self._install(installed)
        expected = expected_of(self.report.device_plan, self.report.removed)
        for removed, wanted in zip(self.report.removed, expected, strict=True):
            self._remove(removed, wanted)
        left = [device for device in overtaken if device.device_id not in self.seen]
        for device in left:
            device.disputed = True
        if self.report.outcome is not Outcome.FAILED:
            self._release_unused()
        measuring = Measuring(self.report, self.visit, self.findings, self.around.type_of, self.around.visit)
        measuring.measure(self.installed, self.removed)
        self.findings.close_older()
        return left

    def _install(self, item: InstalledDevice) -> None:
        label = read_label(item.serial, item.manufacturer)
        device = self._known(label)
        if device is not None and device.device_id in self.seen:
            return self.findings.mismatch("M10", device, item.role)
        if device is None or device.is_unmoved:
            device, verdict = self._provisional(device, label, item), Verdict.UNKNOWN
        else:
            verdict = judge_installed(device, item.at, self.scene)
        self.seen.add(device.device_id)
        self.installed.append((item, device))
        if verdict in REFUSED:
            return self._dispute(device, verdict, item)
        if verdict in CORRECTED:
            self.journal.follow(device, MovementKind.CORRECT, self.around.van, at=item.at, reason=VISIT)
            self.findings.mismatch(verdict, device, item.role)
        self._check_type(device, item.role)
        if verdict is not Verdict.ALREADY:
            self._put_in(device, item)
        self._tell_visited(DeviceInstalled, device, item)
        self._tell_communication(device, item)
        return None

    def _put_in(self, device: Device, item: InstalledDevice) -> None:
        if device.state is DeviceState.RESERVED:
            self.journal.move(device, MovementKind.PICK, self.around.van, at=item.at)
        movement = self.journal.move(device, MovementKind.INSTALL, self.around.site, at=item.at)
        device.put(movement.movement_id, item.at, item.role, self.order.named)
        self._use_up(device)

    def _provisional(self, device: Device | None, label: Label, item: InstalledDevice) -> Device:
        """M1: the ledger does not know it, or only from an older version of this report."""
        planned = planned_types(self.report.device_plan, item.role)
        device_type = item.device_type or (planned[0] if planned else UNKNOWN_TYPE)
        if device is None:
            origin = self.around.supplier.location_id
            device = Device.known_by(label, self.around.new_id(), device_type, item.serial, origin)
            self.around.add(device)
        device.provisional, device.device_type = True, device_type
        return device

    def _check_type(self, device: Device, role: DeviceRole) -> None:
        planned = planned_types(self.report.device_plan, role)
        if planned is not None and device.device_type not in planned:
            self.findings.mismatch("M4", device, role, expected_type=planned[0] if planned else None)

    def _tell_communication(self, device: Device, item: InstalledDevice) -> None:
        """Only a communicating role has to; others are in operation when they are installed."""
        here = device.in_place
        if item.role not in COMMUNICATING or device.state is DeviceState.COMMISSIONED or here is None:
            return
        if item.comms is Comms.OK:
            self.journal.stay(device, MovementKind.COMMISSION, at=item.at)
            self.journal.told.append(device.commissioned(item.at, CommissionedBy.VISIT))
        else:
            cause = item.comms_cause or CommsCause.OTHER
            named = {**self.order.named, **device.named}
            self.journal.told.append(CommissioningPending(**named, role=item.role, cause=cause))

    def _remove(self, item: RemovedDevice, expected: Label | None) -> None:
        label = read_label(item.serial, item.manufacturer)
        as_expected = expected is not None and expected.names(label)
        if as_expected and expected is not None:
            label = expected if label.manufacturer is None else label
        device = self._known(label)
        if device is not None and device.device_id in self.seen:
            return self.findings.mismatch("M10", device, item.role)
        if device is None or device.is_unmoved:
            device, verdict = self._taken_in(device, label, item), Verdict.FITS
            device.provisional = not as_expected
        else:
            verdict = judge_removed(device, item.at, self.scene)
        self.seen.add(device.device_id)
        self.removed.append((item, device))
        if expected is not None and not as_expected:
            self._doubt(expected, device, item.role)
        if verdict in REFUSED:
            return self._dispute(device, verdict, item)
        if verdict in CORRECTED or (verdict is Verdict.FITS and device.state not in IN_PLACE):
            self._correct_to_site(device, verdict, item)
        if verdict is not Verdict.ALREADY:
            reason = None if item.destination is Destination.VAN else item.destination
            movement = self.journal.move(device, MovementKind.REMOVE, self.around.van, at=item.at, reason=reason)
            device.take(movement.movement_id, item.at, self.report.case_id, self.report.visit_id)
        self._tell_visited(DeviceRemoved, device, item)
        return None

    def _taken_in(self, device: Device | None, label: Label, item: RemovedDevice) -> Device:
        """M7: it was there before the hub knew the place."""
        if device is None:
            origin = self.around.field_before.location_id
            device = Device.known_by(
                label, self.around.new_id(), UNKNOWN_TYPE, item.serial, origin, state=DeviceState.INSTALLED
            )
            self.around.add(device)
        if device.state is DeviceState.INSTALLED:
            movement = self.journal.move(device, MovementKind.TAKE_IN, self.around.site, at=item.at)
        else:  # an older version of this report had it come from the supplier
            movement = self.journal.follow(device, MovementKind.CORRECT, self.around.site, at=item.at, reason=VISIT)
        device.put(movement.movement_id, item.at, item.role)
        return device

    def _correct_to_site(self, device: Device, verdict: Verdict, item: RemovedDevice) -> None:
        """The ledger believed it elsewhere, or doubted it here; it was in place, for it was taken from there."""
        was_doubted = device.location_id == self.around.site.location_id
        movement = self.journal.follow(device, MovementKind.CORRECT, self.around.site, at=item.at, reason=VISIT)
        device.disputed = False
        if device.in_place is None:
            device.put(movement.movement_id, item.at, item.role)
        if not was_doubted:
            self._use_up(device)
            self.findings.mismatch(verdict, device, item.role)

    def _use_up(self, device: Device) -> None:
        """It is set aside no longer; another order that counted on it has to find another one."""
        if reservation := self.order.holding(device.device_id):
            reservation.state, device.held_for = ReservationState.USED, None
            return
        holder = self.around.other(device.held_for) if device.held_for else None
        if holder is not None:
            holder.lose(device, self.room)
        device.held_for = None

    def _doubt(self, expected: Label, found: Device, role: DeviceRole) -> None:
        """M6: another device was there than the order says; the ledger's word for that one is not trusted any more."""
        self.findings.mismatch("M6", found, role, expected_serial=expected.full)
        doubted = self._known(expected)
        if doubted is not None and doubted.device_id not in self.seen and doubted.is_installed_at(self.scene.site):
            self.journal.stay(doubted, MovementKind.DISPUTE)

    def _release_unused(self) -> None:
        """M5; a device that was reported, but could not be booked, is not unused."""
        for reservation in self.order.held:
            if reservation.device_id is not None and reservation.device_id not in self.seen:
                device = self.around.device(reservation.device_id)
                self.room.free(reservation)
                self.findings.mismatch("M5", device, reservation.role)
        for reservation in self.order.missing:
            reservation.state = ReservationState.RELEASED

    def _known(self, label: Label) -> Device | None:
        """The device of a label: what the order holds comes first, for a serial alone may have several makers."""
        for reservation in self.order.reservations:
            if reservation.device_id is not None:
                device = self.around.device(reservation.device_id)
                if device.label.names(label):
                    return device
        found = (self.around.by_key(key) for key in label.keys)
        return next((device for device in found if device and device.label.names(label)), None)

    def _dispute(self, device: Device, rule: str, item: InstalledDevice | RemovedDevice) -> None:
        """Nothing moves; what was reported is kept beside the device until two persons have settled it."""
        device.disputed = True
        device.claim = Claim(
            **self.order.named,
            role=item.role,
            visit_id=self.report.visit_id,
            visit_version=self.report.visit_version,
            at=item.at,
            location_id=self.around.site.location_id,
            installed=isinstance(item, InstalledDevice),
        )
        self.findings.mismatch(rule, device, item.role)

    def _tell_visited(
        self,
        fact: type[DeviceInstalled] | type[DeviceRemoved],
        device: Device,
        item: InstalledDevice | RemovedDevice,
    ) -> None:
        self.journal.told.append(
            fact(
                **self.order.named,
                **device.named,
                role=item.role,
                at=item.at,
                visit_id=self.report.visit_id,
                visit_version=self.report.visit_version,
                provisional=device.provisional,
            )
        )
