"""Which rule a reported device meets: every rule with a hit and a near miss."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.codes import Destination, DeviceRole
from contracts.ids import CaseId, LocationId, WorkOrderId
from contracts.parts import DevicePlan, PlanItem, PlannedRemoval, RemovedDevice
from services.asset_service.domain.devices import Device
from services.asset_service.domain.labels import read_label
from services.asset_service.domain.reality import (
    Scene,
    Verdict,
    expected_of,
    judge_installed,
    judge_removed,
    planned_types,
)
from services.asset_service.domain.states import GONE, IN_PLACE, DeviceState

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
SITE, OTHER_SITE, VAN, STORE = (LocationId(UUID(int=number)) for number in (1, 2, 3, 4))
CASE, OTHER_CASE, ORDER = CaseId(UUID(int=5)), CaseId(UUID(int=6)), WorkOrderId(UUID(int=7))
SCENE = Scene(SITE, VAN, CASE, ORDER, is_reversal=False)
REVERSAL = Scene(SITE, VAN, CASE, ORDER, is_reversal=True)
WORK = {"case_id": CASE, "work_order_id": ORDER, "sequence": 1}


def a_device(state: DeviceState, at: LocationId, case_id: CaseId | None = None, **more: Any) -> Device:
    device = Device.known_by(
        read_label("30001", "EMH"), UUID(int=9), "mme_3ph", "30001", at, state=state, last_movement=1, **more
    )
    if state in IN_PLACE:
        device.put(1, NOON - timedelta(days=1), DeviceRole.METER, {**WORK, "case_id": case_id})
    return device


STORED = sorted(set(DeviceState) - IN_PLACE - GONE - {DeviceState.PICKED, DeviceState.DISPUTED})


@pytest.mark.parametrize(
    ("device", "scene", "verdict"),
    [
        (a_device(DeviceState.PICKED, VAN), SCENE, Verdict.FITS),
        (a_device(DeviceState.PICKED, STORE), SCENE, Verdict.ELSEWHERE),
        (a_device(DeviceState.RESERVED, VAN, held_for=ORDER), SCENE, Verdict.FITS),
        (a_device(DeviceState.RESERVED, VAN, held_for=WorkOrderId(UUID(int=8))), SCENE, Verdict.ELSEWHERE),
        (a_device(DeviceState.REMOVED, VAN), REVERSAL, Verdict.FITS),
        (a_device(DeviceState.REMOVED, VAN), SCENE, Verdict.ELSEWHERE),
        (a_device(DeviceState.INSTALLED, SITE, CASE), SCENE, Verdict.ALREADY),
        (a_device(DeviceState.COMMISSIONED, SITE, CASE), SCENE, Verdict.ALREADY),
        (a_device(DeviceState.INSTALLED, SITE, OTHER_CASE), SCENE, Verdict.IN_PLACE_ELSEWHERE),
        (a_device(DeviceState.INSTALLED, OTHER_SITE, CASE), SCENE, Verdict.IN_PLACE_ELSEWHERE),
        (a_device(DeviceState.DISPUTED, STORE, disputed=True), SCENE, Verdict.IN_PLACE_ELSEWHERE),
        (a_device(DeviceState.PICKED, VAN, moved_at=NOON), SCENE, Verdict.FITS),
        (a_device(DeviceState.PICKED, VAN, moved_at=NOON + timedelta(seconds=1)), SCENE, Verdict.OUT_OF_SEQUENCE),
        *[(a_device(state, STORE), SCENE, Verdict.GONE) for state in sorted(GONE)],
        *[(a_device(state, STORE), SCENE, Verdict.ELSEWHERE) for state in STORED],
    ],
)
def test_M_rules_of_an_installed_device(device: Device, scene: Scene, verdict: Verdict) -> None:
    assert judge_installed(device, NOON, scene) is verdict


def removed_before(case_id: CaseId) -> Device:
    device = a_device(DeviceState.INSTALLED, SITE, CASE)
    device.take(2, NOON - timedelta(hours=1), case_id, None)
    device.state, device.location_id = DeviceState.RETURNED, STORE
    return device


@pytest.mark.parametrize(
    ("device", "verdict"),
    [
        (a_device(DeviceState.INSTALLED, SITE), Verdict.FITS),
        (a_device(DeviceState.COMMISSIONED, SITE), Verdict.FITS),
        (a_device(DeviceState.DISPUTED, SITE, disputed=True), Verdict.FITS),
        (a_device(DeviceState.INSTALLED, OTHER_SITE), Verdict.IN_PLACE_ELSEWHERE),
        (a_device(DeviceState.DISPUTED, STORE, disputed=True), Verdict.IN_PLACE_ELSEWHERE),
        (a_device(DeviceState.INSTALLED, SITE, moved_at=NOON), Verdict.FITS),
        (a_device(DeviceState.INSTALLED, SITE, moved_at=NOON + timedelta(seconds=1)), Verdict.OUT_OF_SEQUENCE),
        (removed_before(CASE), Verdict.ALREADY),
        (removed_before(OTHER_CASE), Verdict.ELSEWHERE),
        (a_device(DeviceState.IN_STOCK, STORE), Verdict.ELSEWHERE),
        *[(a_device(state, STORE), Verdict.GONE) for state in sorted(GONE)],
    ],
)
def test_M_rules_of_a_removed_device(device: Device, verdict: Verdict) -> None:
    assert judge_removed(device, NOON, SCENE) is verdict


def a_plan(*items: PlanItem, remove: tuple[PlannedRemoval, ...] = ()) -> DevicePlan:
    return DevicePlan(plan="MME", install=items, remove=remove)


def test_M4_the_plan_names_types_and_alternatives_per_role() -> None:
    meter = PlanItem(role=DeviceRole.METER, device_type="mme_3ph", quantity=1, alternatives=("mme_1ph",))
    assert planned_types(a_plan(meter), DeviceRole.METER) == ("mme_3ph", "mme_1ph")
    assert planned_types(a_plan(meter), DeviceRole.SMGW) == ()


def test_M4_near_miss_a_role_without_a_type_takes_any() -> None:
    assert planned_types(a_plan(PlanItem(role=DeviceRole.LAN, quantity=1, alternatives=())), DeviceRole.LAN) is None


def gone(serial: str, manufacturer: str | None = None, role: DeviceRole = DeviceRole.METER) -> RemovedDevice:
    return RemovedDevice(
        role=role, serial=serial, manufacturer=manufacturer, at=NOON, destination=Destination.VAN, registers=()
    )


def planned(serial: str | None, role: DeviceRole = DeviceRole.METER) -> PlannedRemoval:
    return PlannedRemoval(role=role, serial=serial, manufacturer="EMH" if serial else None)


def matched(remove: tuple[PlannedRemoval, ...], *removed: RemovedDevice) -> list[str | None]:
    return [label and label.serial for label in expected_of(a_plan(remove=remove), removed)]


def test_M6_equal_serials_find_each_other_whatever_their_order() -> None:
    assert matched((planned("1"), planned("2")), gone("2"), gone("1")) == ["2", "1"]


def test_M6_what_is_left_is_matched_by_role() -> None:
    assert matched((planned("1"), planned("2")), gone("9"), gone("1")) == ["2", "1"]
    assert matched((planned("1", DeviceRole.SMGW),), gone("9")) == [None]


def test_M6_near_miss_an_order_without_a_serial_expects_nothing_in_particular() -> None:
    assert matched((planned(None),), gone("9")) == [None]


def test_M6_another_manufacturer_is_another_device() -> None:
    assert not read_label("1", "EMH").names(read_label("1", "LGZ"))
    assert read_label("1", "EMH").names(read_label("1"))
