"""What a visit report means against plan and ledger: which rule of M0 to M11 holds for a device, pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from contracts.codes import DeviceRole, Severity
from contracts.ids import CaseId, LocationId, WorkOrderId
from contracts.parts import DevicePlan, PlannedRemoval, RemovedDevice
from services.asset_service.domain.devices import Device
from services.asset_service.domain.labels import Label, read_label
from services.asset_service.domain.states import GONE, IN_PLACE, DeviceState


class Verdict(StrEnum):
    """How the ledger can follow a reported device."""

    FITS = "M0"
    """Where the ledger says: booked as reported."""
    ALREADY = "already"
    """Booked by an earlier visit of the case; the fact stands."""
    UNKNOWN = "M1"
    ELSEWHERE = "M2"
    IN_PLACE_ELSEWHERE = "M3"
    OUT_OF_SEQUENCE = "M9"
    GONE = "M11"


REFUSED = frozenset({Verdict.IN_PLACE_ELSEWHERE, Verdict.OUT_OF_SEQUENCE})
"""Nothing is booked, the device is disputed."""
CORRECTED = frozenset({Verdict.UNKNOWN, Verdict.ELSEWHERE, Verdict.GONE})
"""The device is first moved to where it must have been."""

# fmt: off
SEVERITIES: Mapping[str, Severity] = MappingProxyType({
    "M1":  Severity.ERROR,
    "M2":  Severity.WARNING,
    "M3":  Severity.ERROR,
    "M4":  Severity.ERROR,
    "M5":  Severity.INFO,
    "M6":  Severity.ERROR,
    "M9":  Severity.ERROR,
    "M10": Severity.ERROR,
    "M11": Severity.ERROR,
})
# fmt: on


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and for whom a visit took place."""

    site: LocationId
    van: LocationId
    case_id: CaseId
    work_order_id: WorkOrderId
    is_reversal: bool
    """The order puts the old device back."""


def judge_installed(device: Device, at: datetime, scene: Scene) -> Verdict:
    """Can this known device have been installed here at that time?"""
    here = device.in_place
    if here and device.is_installed_at(scene.site) and here.case_id == scene.case_id:
        return Verdict.ALREADY
    if device.disputed or device.state in IN_PLACE:
        return Verdict.IN_PLACE_ELSEWHERE
    if device.moved_at is not None and at < device.moved_at:
        return Verdict.OUT_OF_SEQUENCE
    if device.state in GONE:
        return Verdict.GONE
    return Verdict.FITS if _is_at_hand(device, scene) else Verdict.ELSEWHERE


def judge_removed(device: Device, at: datetime, scene: Scene) -> Verdict:
    """Can this known device have been removed from here at that time?"""
    last = device.last_removal
    if device.in_place is None and last and (last.location_id, last.removed_in) == (scene.site, scene.case_id):
        return Verdict.ALREADY
    is_here = device.location_id == scene.site
    if not is_here and (device.disputed or device.state in IN_PLACE):
        return Verdict.IN_PLACE_ELSEWHERE
    if device.moved_at is not None and at < device.moved_at:
        return Verdict.OUT_OF_SEQUENCE
    if device.state in GONE:
        return Verdict.GONE
    return Verdict.FITS if is_here else Verdict.ELSEWHERE


def _is_at_hand(device: Device, scene: Scene) -> bool:
    """In this technician's van and meant for installation; what was set aside there needs no picking."""
    if device.location_id != scene.van:
        return False
    mine = device.state is DeviceState.RESERVED and device.held_for == scene.work_order_id
    back = device.state is DeviceState.REMOVED and scene.is_reversal
    return device.state is DeviceState.PICKED or mine or back


def planned_types(plan: DevicePlan, role: DeviceRole) -> tuple[str, ...] | None:
    """The types that the plan allows for a role, the wanted one first; None: any type, empty: the role is not in it."""
    items = [item for item in plan.install if item.role is role]
    if any(item.device_type is None for item in items):
        return None
    found = [each for item in items for each in (item.device_type, *item.alternatives) if each]
    return tuple(dict.fromkeys(found))


def label_of(planned: PlannedRemoval) -> Label | None:
    return read_label(planned.serial, planned.manufacturer) if planned.serial else None


def expected_of(plan: DevicePlan, removed: Sequence[RemovedDevice]) -> list[Label | None]:
    """For each removed device the one that the order expected in its stead; None: the order names none.

    Equal serials find each other first; what is left is matched by role.
    """
    open_ = [(planned.role, label_of(planned)) for planned in plan.remove]
    found: list[Label | None] = [None] * len(removed)
    rest = []
    for at, item in enumerate(removed):
        label = read_label(item.serial, item.manufacturer)
        match = next((each for each in open_ if each[1] and each[1].names(label)), None)
        if match is None:
            rest.append(at)
        else:
            open_.remove(match)
            found[at] = match[1]
    for at in rest:
        match = next((each for each in open_ if each[0] is removed[at].role), None)
        if match is not None:
            open_.remove(match)
            found[at] = match[1]
    return found
