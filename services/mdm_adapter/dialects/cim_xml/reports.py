"""What the hub reports about an order: how it stands, completed, not completed; written, and read again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from lxml import etree

from contracts.codes import AnnouncedPlan, DeviceRole
from services.mdm_adapter.dialects.cim_xml.order_fields import DAYS, TASKS
from services.mdm_adapter.dialects.cim_xml.points import read_point, write_point
from services.mdm_adapter.dialects.cim_xml.xml import (
    ORDERS,
    Writer,
    amount,
    day,
    day_end,
    day_start,
    first,
    instant,
    text,
    written,
)
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.values import MeteringPoint, Reading, ReportedDevice
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_status import WorkStatus

STATUS_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "announced": "waitingToBeScheduled",
        "scheduled": "scheduled",
        "rescheduled": "scheduled",
        "dispatched": "enroute",
        "on_site": "onSite",
        "cancelled": "cancelled",
    }
)
"""Several states share a kind: a property says which one it is."""
COMPLETED, CLOSED, AGAIN = "completed", "closed", "waitingToBeScheduled"
INSTALLATION, REMOVAL = "installation", "removal"


def encode_completed(document: DeviceExchangeCompleted) -> etree._Element:
    """A change of the order: completed, with the devices of both sides and what they showed."""
    root, order = _order(document.order_no, document.order_version)
    work = order.inside("Work")
    work.leaf("statusKind", COMPLETED)
    schedule = work.inside("TimeSchedules")
    schedule.leaf("kind", "actual")
    interval = schedule.inside("scheduleInterval")
    interval.leaf("start", written(document.started_at))
    interval.leaf("end", written(document.finished_at))
    task = work.inside("WorkTask")
    task.leaf("taskKind", TASKS[document.kind][0])
    for device in document.installed:
        _write_device(task.inside("Assets"), device, INSTALLATION)
    for device in document.removed:
        _write_device(task.inside("OldAsset"), device, REMOVAL)
    write_point(task, document.metering_point)
    return root


def _order(order_no: str, version: int) -> tuple[etree._Element, Writer]:
    root = etree.Element(f"{{{ORDERS}}}ServiceOrders", nsmap={"s": ORDERS})
    order = Writer.below(root, ORDERS).inside("ServiceOrder")
    order.leaf("mRID", order_no)
    order.leaf("revisionNumber", version)
    return root, order


def _write_device(asset: Writer, device: ReportedDevice, reason: str) -> None:
    asset.leaf("serialNumber", device.serial)
    asset.leaf("type", None if device.role is DeviceRole.METER else device.role.value)
    if device.readings:
        readings = asset.inside("MeterReadings")
        readings.leaf("reason", reason)
        for each in device.readings:
            reading = readings.inside("Readings")
            reading.leaf("timeStamp", written(each.at))
            reading.leaf("value", format(each.value, "f"))
            reading.leaf("ReadingType", "", ref=each.obis)


def decode_completed(payload: etree._Element) -> DeviceExchangeCompleted:
    """The same document read again; its schema was checked before."""
    order = payload[0]
    task = first(order, ORDERS, "Work/WorkTask")
    assert task is not None  # noqa: S101 -- a completed order of ours always has one
    interval = first(order, ORDERS, "Work/TimeSchedules/scheduleInterval")
    return DeviceExchangeCompleted(
        order_no=text(order, ORDERS, "mRID") or "",
        order_version=int(text(order, ORDERS, "revisionNumber") or 0),
        metering_point=_point(task),
        started_at=_time(text(interval, ORDERS, "start")),
        finished_at=_time(text(interval, ORDERS, "end")),
        installed=tuple(_device(asset) for asset in task.iterfind(f"{{{ORDERS}}}Assets")),
        removed=tuple(_device(asset) for asset in task.iterfind(f"{{{ORDERS}}}OldAsset")),
    )


def _point(task: etree._Element) -> MeteringPoint:
    found = read_point(task, ORDERS)
    assert found is not None  # noqa: S101 -- ours always name one
    return found


def _time(value: str | None) -> datetime:
    return instant(value) or datetime.min.replace(tzinfo=UTC)


def _device(asset: etree._Element) -> ReportedDevice:
    return ReportedDevice(
        role=DeviceRole(text(asset, ORDERS, "type") or DeviceRole.METER),
        serial=text(asset, ORDERS, "serialNumber") or "",
        readings=tuple(_reading(each) for each in asset.iterfind(f"{{{ORDERS}}}MeterReadings/{{{ORDERS}}}Readings")),
    )


def _reading(element: etree._Element) -> Reading:
    kind = first(element, ORDERS, "ReadingType")
    return Reading(
        obis=(kind.get("ref") if kind is not None else None) or "",
        value=amount(text(element, ORDERS, "value")),
        at=_time(text(element, ORDERS, "timeStamp")),
    )


def encode_not_completed(document: WorkNotCompleted) -> etree._Element:
    """An event about the order: closed for good, or waiting to be scheduled again, with the reason as activity."""
    root, order = _order(document.order_no, document.order_version)
    work = order.inside("Work")
    work.leaf("statusKind", CLOSED if document.final else AGAIN)
    activity = work.inside("ActivityRecords")
    activity.leaf("createdDateTime", written(document.at))
    activity.leaf("reason", document.sub_reason or document.reason)
    activity.leaf("severity", document.outcome)
    write_point(work.inside("WorkTask"), document.metering_point)
    return root


def not_completed_properties(document: WorkNotCompleted) -> tuple[tuple[str, str], ...]:
    """What the payload of a failed visit has no element for."""
    sub = (("sub_reason", document.sub_reason),) if document.sub_reason else ()
    words = (("text", document.text),) if document.text else ()
    return (("reason", document.reason), *sub, *words, ("attempts", str(document.attempts)))


def decode_not_completed(payload: etree._Element, properties: tuple[tuple[str, str], ...]) -> WorkNotCompleted:
    """The same document read again; its schema was checked before."""
    order, said = payload[0], dict(properties)
    task = first(order, ORDERS, "Work/WorkTask")
    assert task is not None  # noqa: S101 -- ours always has one
    return WorkNotCompleted(
        order_no=text(order, ORDERS, "mRID") or "",
        order_version=int(text(order, ORDERS, "revisionNumber") or 0),
        metering_point=_point(task),
        at=_time(text(order, ORDERS, "Work/ActivityRecords/createdDateTime")),
        outcome=text(order, ORDERS, "Work/ActivityRecords/severity") or "",
        reason=said.get("reason", ""),
        sub_reason=said.get("sub_reason"),
        text=said.get("text"),
        attempts=int(said.get("attempts", "0")),
        final=text(order, ORDERS, "Work/statusKind") == CLOSED,
    )


def encode_status(document: WorkStatus, zone: ZoneInfo) -> etree._Element:
    """An event about the order: how it stands, and the days that are meant."""
    root, order = _order(document.order_no, document.order_version)
    work = order.inside("Work")
    work.leaf("statusKind", STATUS_KINDS[document.status])
    for field in ("window_from", "window_to", "planned_on"):
        kind, side = DAYS[field]
        if (found := getattr(document, field)) is not None:
            schedule = work.inside("TimeSchedules")
            schedule.leaf("kind", kind)
            moment = (day_end if side == "end" else day_start)(found, zone)
            schedule.inside("scheduleInterval").leaf(side, moment)
    write_point(work.inside("WorkTask"), document.metering_point)
    return root


def status_properties(document: WorkStatus) -> tuple[tuple[str, str], ...]:
    """What the payload of a status has no element for."""
    plan = (("plan", document.plan.value),) if document.plan else ()
    return (("status", document.status), *plan, ("statutory", str(document.statutory).lower()))


def decode_status(payload: etree._Element, properties: tuple[tuple[str, str], ...], zone: ZoneInfo) -> WorkStatus:
    """The same document read again; its schema was checked before."""
    order, said = payload[0], dict(properties)
    task = first(order, ORDERS, "Work/WorkTask")
    assert task is not None  # noqa: S101 -- ours always has one
    days = {}
    for schedule in order.iterfind(f"{{{ORDERS}}}Work/{{{ORDERS}}}TimeSchedules"):
        for field in ("window_from", "window_to", "planned_on"):
            kind, side = DAYS[field]
            if text(schedule, ORDERS, "kind") == kind:
                days[field] = day(text(schedule, ORDERS, f"scheduleInterval/{side}"), zone)
    return WorkStatus.model_validate(
        {
            "order_no": text(order, ORDERS, "mRID"),
            "order_version": text(order, ORDERS, "revisionNumber"),
            "metering_point": _point(task),
            "status": said.get("status"),
            "plan": AnnouncedPlan(said["plan"]) if "plan" in said else None,
            "statutory": said.get("statutory") == "true",
            **days,
        }
    )
