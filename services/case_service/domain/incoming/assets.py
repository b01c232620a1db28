"""What asset_service tells: material, devices put in and taken out, communication, mismatches."""

from types import MappingProxyType
from typing import Any

from contracts.assets import (
    CommissioningPending,
    DeviceCommissioned,
    DeviceInstalled,
    DeviceMismatch,
    DeviceRemoved,
    MaterialMissing,
    MaterialReserved,
    ReadingAnomalyFound,
)
from contracts.codes import Blocker, CloseReason, ExceptionType, State, WorkOrderKind
from services.case_service.domain.cancelling import end_reversed
from services.case_service.domain.case import Case
from services.case_service.domain.entries import DeviceFact, Place
from services.case_service.domain.exceptions import end_all
from services.case_service.domain.gate import silent
from services.case_service.domain.incoming.scene import ANOM, LATE, UPD, Effects, Scene
from services.case_service.domain.planning import without
from services.case_service.domain.serials import plain
from services.case_service.domain.states import Column
from services.case_service.domain.work_order import WorkOrder

PLANNED = frozenset({Column.PL, Column.RP, Column.AR, Column.RD})
"""Columns in which a follow-up is planned already, so that a person must call it off (T32)."""


def reserved(scene: Scene[MaterialReserved]) -> str:
    """Everything is set aside."""
    scene.note("material_reserved")
    if Blocker.MATERIAL_MISSING in scene.order.blockers:
        scene.order.blockers = without(scene.order, Blocker.MATERIAL_MISSING)
        scene.case.record(scene.act, scene.order, reason="material_reserved")
    return UPD


def missing(scene: Scene[MaterialMissing]) -> str:
    """Something is not there: the order stays off the technician's list."""
    said = ", ".join(f"{line.quantity} × {line.device_type}" for line in scene.event.lines)
    scene.order.blockers = scene.order.blockers | {Blocker.MATERIAL_MISSING: said or "material"}
    scene.case.record(scene.act, scene.order, reason="material_missing")
    return UPD


def installed(scene: Scene[DeviceInstalled]) -> str:
    """DoD1: a device is in place."""
    return _place(scene, scene.event, Place.INSTALLED)


def removed(scene: Scene[DeviceRemoved]) -> str:
    """DoD1: a device is gone."""
    return _place(scene, scene.event, Place.REMOVED)


def _place(scene: Scene[Any], event: DeviceInstalled | DeviceRemoved, place: Place) -> str:
    if not _superseded_or_open(scene.order):
        return ANOM
    case, order = scene.case, scene.order
    before = next((fact for fact in case.devices if fact.device_id == event.device_id), None)
    of_this = [fact for fact in case.devices if fact.work_order_id == order.work_order_id]
    if before and before.work_order_id == order.work_order_id and event.visit_version < before.visit_version:
        return LATE
    if place is Place.INSTALLED and before and before.place in {Place.PENDING, Place.COMMISSIONED}:
        place = before.place  # a corrected report does not undo that it communicates
    reported = {plain(device.serial) for device in (*order.installed, *order.removed)}
    corrected = {
        fact.device_id
        for fact in of_this
        if fact.visit_version < event.visit_version and plain(fact.serial) not in reported
    }
    fact = DeviceFact(
        device_id=event.device_id,
        work_order_id=order.work_order_id,
        role=event.role,
        serial=event.serial,
        device_type=event.device_type,
        place=place,
        visit_id=event.visit_id,
        visit_version=event.visit_version,
        comms_cause=before.comms_cause if before else None,
        event_id=scene.act.event_id or event.device_id,
    )
    kept = [each for each in case.devices if each.device_id not in corrected | {event.device_id}]
    case.devices = (*kept, fact)
    return UPD


def commissioned(scene: Scene[DeviceCommissioned]) -> str:
    """DoD2: a device communicates; a follow-up that was to repair that is not needed any more."""
    if not scene.own:
        return settle_follow_up(scene, "communicating")
    if scene.order.column not in {Column.MF, Column.RESOLVED_WELL, Column.RO, Column.RJ} and not scene.order.closed:
        return ANOM
    _set_place(scene, scene.event, Place.COMMISSIONED)
    if not silent(scene.case):
        end_all(scene.case, scene.act, (ExceptionType.COMMS_NOT_POSSIBLE,))
    return UPD


def settle_follow_up(scene: Scene[Any], reason: str) -> str:
    """What a follow-up waits for arrived without a visit: not begun, it closes; planned, a person calls it off."""
    order = scene.order
    if order.column is Column.OP:
        taken = scene.step("T28", State.CLOSED, reason, close=CloseReason.NOT_NEEDED, rule="A04")
        end_reversed(scene.case, scene.act)
        return taken
    if order.column in PLANNED:
        return scene.follow_up("T32", reason)
    if order.column is Column.IP and LATE in scene.choices:
        return LATE
    return scene.hint(reason)


def pending(scene: Scene[CommissioningPending]) -> str:
    """DoD2: a device is in place and silent."""
    if not _superseded_or_open(scene.order):
        return ANOM
    _set_place(scene, scene.event, Place.PENDING)
    return UPD


def _set_place(scene: Scene[Any], event: DeviceCommissioned | CommissioningPending, place: Place) -> None:
    case = scene.case
    before = next((fact for fact in case.devices if fact.device_id == event.device_id), None)
    fact = DeviceFact(
        device_id=event.device_id,
        work_order_id=before.work_order_id if before else event.work_order_id,
        role=event.role,
        serial=event.serial,
        device_type=event.device_type,
        place=place,
        visit_id=before.visit_id if before else None,
        visit_version=before.visit_version if before else 0,
        comms_cause=event.cause if isinstance(event, CommissioningPending) else before and before.comms_cause,
        event_id=scene.act.event_id or event.device_id,
    )
    case.devices = (*(each for each in case.devices if each.device_id != event.device_id), fact)


def mismatch(scene: Scene[DeviceMismatch]) -> str:
    """What was reported does not fit plan or ledger: qa_service asks, a person sees it here."""
    return scene.hint("device_mismatch", rule=scene.event.rule, finding_id=str(scene.event.finding_id))


def odd_reading(scene: Scene[ReadingAnomalyFound]) -> str:
    """A reading is not plausible."""
    return scene.hint("reading_anomaly", rule=scene.event.rule, finding_id=str(scene.event.finding_id))


def waiting_follow_ups(case: Case, order: WorkOrder, *kinds: WorkOrderKind) -> list[WorkOrder]:
    """Open follow-ups of an order that wait for something to arrive without a visit."""
    settled = {Column.RESOLVED_WELL, Column.RJ}
    return [
        each
        for each in case.unclosed
        if each.kind in kinds and each.predecessor == order.work_order_id and each.column not in settled
    ]


def _superseded_or_open(order: WorkOrder) -> bool:
    """Of C− only a superseded order had a visit whose devices may still be told."""
    return order.column is not Column.CLOSED_OTHERWISE or order.close_reason is CloseReason.SUPERSEDED


EFFECTS: Effects = MappingProxyType(
    {
        MaterialReserved: reserved,
        MaterialMissing: missing,
        DeviceInstalled: installed,
        DeviceRemoved: removed,
        DeviceCommissioned: commissioned,
        CommissioningPending: pending,
        DeviceMismatch: mismatch,
        ReadingAnomalyFound: odd_reading,
    }
)
