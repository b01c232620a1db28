"""How a reported visit is booked: what it needs loaded, and the one transaction that books it."""

from collections.abc import Iterable

from contracts.assets import DeviceMismatch, ReadingAnomalyFound
from contracts.event import Event
from contracts.visits import VisitReported
from kit.errors import NotFound
from kit.inbox import Received
from kit.store import Ref, Unit
from services.asset_service import metrics, rooms
from services.asset_service.domain.booking import Booking, Surroundings
from services.asset_service.domain.cases import Case
from services.asset_service.domain.device_types import DeviceType
from services.asset_service.domain.devices import UNKNOWN_TYPE, Device
from services.asset_service.domain.labels import Label, read_label
from services.asset_service.domain.material import WorkOrder
from services.asset_service.domain.places import CENTRAL, FIELD_BEFORE, SUPPLIER, Location, site_of, van_of
from services.asset_service.domain.visits import Visit
from services.asset_service.errors import BadSerial
from services.asset_service.rooms import THE_LEDGER


def wants_visit(report: VisitReported, unit: Unit) -> Iterable[Ref]:
    """Order, case, places and devices; then what those speak of."""
    keys = [key for label in _labels(report) for key in label.keys]
    yield THE_LEDGER
    yield Case, report.key()
    yield WorkOrder, str(report.work_order_id)
    yield Visit, str(report.visit_id)
    for place in (CENTRAL, SUPPLIER, FIELD_BEFORE, van_of(report.technician_id)):
        yield Location, place
    for key in keys:
        yield Device, key
    for code in _reported_types(report):
        yield DeviceType, code
    yield from _of_order(report, unit)
    yield from _of_devices(keys, unit)


def _of_order(report: VisitReported, unit: Unit) -> Iterable[Ref]:
    case = unit.find(Case, report.key())
    if case is not None and case.metering_point_id is not None:
        yield Location, site_of(case.metering_point_id)
    order, visit = unit.find(WorkOrder, str(report.work_order_id)), unit.find(Visit, str(report.visit_id))
    devices = list(rooms.held_devices(order))
    if visit is not None:
        named = {each.device_id for each in visit.movements} | {each.device_id for each in visit.findings}
        devices += [(Device, str(device_id)) for device_id in sorted(named)]
    yield from devices
    for _, key in devices:
        device = unit.find(Device, key)
        if device is not None:
            yield from _of_device(device)


def _of_devices(keys: Iterable[str], unit: Unit) -> Iterable[Ref]:
    for key in keys:
        device = unit.find(Device, key)
        if device is not None:
            yield from _of_device(device)


def _of_device(device: Device) -> Iterable[Ref]:
    yield DeviceType, device.device_type
    if device.held_for is not None:
        yield WorkOrder, str(device.held_for)
    last = device.last_removal
    if last is not None and last.removed_visit is not None:
        yield Visit, str(last.removed_visit)


def _labels(report: VisitReported) -> Iterable[Label]:
    """What can be read of the serials; one that can't is refused by the booking itself."""
    named = [(each.serial, each.manufacturer) for each in report.installed]
    named += [(each.serial, each.manufacturer) for each in report.removed]
    named += [(each.serial, each.manufacturer) for each in report.device_plan.remove if each.serial]
    for serial, manufacturer in named:
        try:
            yield read_label(serial, manufacturer)
        except BadSerial:
            continue


def _reported_types(report: VisitReported) -> set[str]:
    planned = {each for item in report.device_plan.install for each in (item.device_type, *item.alternatives) if each}
    return planned | {item.device_type for item in report.installed if item.device_type} | {UNKNOWN_TYPE}


def book_visit(received: Received[VisitReported], unit: Unit) -> None:
    """Book what was reported: a newer version replaces the older one, an older one is ignored and counted."""
    report = received.event
    order, case = unit.get(WorkOrder, str(report.work_order_id)), unit.get(Case, report.key())
    if case.metering_point_id is None:
        raise NotFound(f"case {case.case_id} has no metering point yet")
    visit = _visit(report, case, unit)
    if report.visit_version <= visit.visit_version:
        visit.ignored += report.visit_version < visit.visit_version
        metrics.STALE_VISITS.inc(report.visit_version < visit.visit_version)
        return
    page = rooms.journal(unit, visit.movements, visit.told, order, actor=report.reported_by)
    room = rooms.storeroom(unit, page)
    around = Surroundings(
        work_order=order,
        site=rooms.site(unit, case.metering_point_id),
        van=rooms.van(unit, report.technician_id, report.company_id),
        supplier=unit.get(Location, SUPPLIER),
        field_before=unit.get(Location, FIELD_BEFORE),
        device=lambda device_id: unit.get(Device, str(device_id)),
        by_key=lambda key: unit.find(Device, key),
        other=lambda work_order_id: unit.find(WorkOrder, str(work_order_id)),
        type_of=lambda code: _type(unit, code),
        visit=lambda visit_id: unit.find(Visit, str(visit_id)),
        add=unit.add,
        new_id=unit.new_id,
    )
    told, booked = len(visit.told), len(visit.movements)
    for device in Booking(report, visit, around, page, room).book():
        unit.anomaly("correction_overtaken", f"device/{device.device_id}", visit_id=str(report.visit_id))
    rooms.wake_waiting(unit, room.freed)
    _count(visit.told[told:], [each.kind for each in visit.movements[booked:]])


def _visit(report: VisitReported, case: Case, unit: Unit) -> Visit:
    visit = unit.find(Visit, str(report.visit_id))
    if visit is None:
        visit = Visit(visit_id=report.visit_id, case_id=report.case_id, work_order_id=report.work_order_id)
        unit.add(visit)
        case.visits += (report.visit_id,)
    return visit


def _type(unit: Unit, code: str) -> DeviceType | None:
    """What is known of a type; a report may name one that no table has."""
    return unit.find(DeviceType, code)


def _count(told: Iterable[Event], kinds: Iterable[str]) -> None:
    for fact in told:
        if isinstance(fact, DeviceMismatch):
            metrics.MISMATCHES.labels(fact.rule).inc()
        elif isinstance(fact, ReadingAnomalyFound):
            metrics.READING_ANOMALIES.labels(fact.rule, fact.severity).inc()
    for kind in kinds:
        metrics.MOVEMENTS.labels(kind).inc()
