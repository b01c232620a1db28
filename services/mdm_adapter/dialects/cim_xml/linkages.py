"""MasterDataLinkageConfig, MeterReadings and sets of operations: devices that come to a point or leave it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from lxml import etree

from contracts.codes import DeviceRole
from services.mdm_adapter.dialects.cim_xml.devices import role_of
from services.mdm_adapter.dialects.cim_xml.points import read_point, write_point
from services.mdm_adapter.dialects.cim_xml.xml import (
    LINKAGES,
    MESSAGE,
    READINGS,
    Writer,
    amount,
    first,
    instant,
    text,
    written,
)
from services.mdm_adapter.documents.corrected import Corrected, CorrectedField
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.values import MeteringPoint, Reading, ReportedDevice

INSTALLATION, REMOVAL = "installation", "removal"
NEW, OLD = "new.", "old."
"""Begin the names of the properties that say a corrected field's values."""
Properties = tuple[tuple[str, str], ...]


def encode_linkage(document: DeviceExchangeCompleted, devices: Iterable[ReportedDevice], reason: str) -> etree._Element:
    """Devices that came to a point, or left it: the event begins with the work and is effective at its end."""
    root = etree.Element(f"{{{LINKAGES}}}MasterDataLinkageConfig", nsmap={"l": LINKAGES})
    writer = Writer.below(root, LINKAGES)
    event = writer.inside("ConfigurationEvent")
    event.leaf("created", written(document.started_at))
    event.leaf("effective", written(document.finished_at))
    event.leaf("reason", reason)
    known = list(devices)
    for device in known:
        if device.role is DeviceRole.METER:
            writer.inside("Meter").leaf("mRID", device.serial)
    write_point(writer, document.metering_point)
    for device in known:
        if device.role is not DeviceRole.METER:
            end_device = writer.inside("EndDevice")
            end_device.leaf("mRID", device.serial)
            end_device.leaf("role", device.role.value)
    return root


def encode_readings(document: DeviceExchangeCompleted) -> etree._Element | None:
    """What the registers showed; None where nothing was read."""
    root = etree.Element(f"{{{READINGS}}}MeterReadings", nsmap={"r": READINGS})
    for devices, reason in ((document.removed, REMOVAL), (document.installed, INSTALLATION)):
        for device in devices:
            if device.readings:
                _write_readings(
                    Writer.below(root, READINGS).inside("MeterReading"), document.metering_point, device, reason
                )
    return root if len(root) else None


def _write_readings(writer: Writer, point: MeteringPoint, device: ReportedDevice, reason: str) -> None:
    writer.inside("Meter").leaf("mRID", device.serial)
    write_point(writer, point)
    for each in device.readings:
        reading = writer.inside("Readings")
        reading.leaf("timeStamp", written(each.at))
        reading.leaf("value", format(each.value, "f"))
        reading.leaf("ReadingType", "", ref=each.obis)
        reading.leaf("reason", reason)


def decode_exchange(
    operations: Iterable[tuple[str, etree._Element]], order_no: str, order_version: int
) -> DeviceExchangeCompleted:
    """One exchange from the operations of a set: verb and payload of each, all of them passed by their schemas.

    What leaves is linked with close, what comes with create. Raises ValueError where no point is linked.
    """
    links: list[tuple[str, etree._Element]] = []
    shown: dict[tuple[str, str], list[Reading]] = {}
    for verb, payload in operations:
        namespace = etree.QName(payload).namespace
        if namespace == LINKAGES:
            links.append((verb, payload))
        elif namespace == READINGS:
            for serial, reason, reading in _readings(payload):
                shown.setdefault((serial, reason), []).append(reading)
    if not links:
        raise ValueError("no operation links a device with a point")
    point = read_point(links[0][1], LINKAGES)
    assert point is not None  # noqa: S101 -- the schema demands one
    begun, ended = zip(*(_times(payload) for _, payload in links), strict=True)
    return DeviceExchangeCompleted(
        order_no=order_no,
        order_version=order_version,
        metering_point=point,
        started_at=min(begun),
        finished_at=max(ended),
        installed=_devices((payload for verb, payload in links if verb == "create"), shown, INSTALLATION),
        removed=_devices((payload for verb, payload in links if verb == "close"), shown, REMOVAL),
    )


def operations_in(operation_set: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """Verb and payload of each operation, in their order."""
    for operation in operation_set.iterfind(f"{{{MESSAGE}}}Operation"):
        payload = first(operation, MESSAGE, "payload")
        if payload is not None and len(payload):
            yield text(operation, MESSAGE, "verb") or "", payload[0]


def _times(payload: etree._Element) -> tuple[datetime, datetime]:
    never = datetime.min.replace(tzinfo=UTC)
    effective = instant(text(payload, LINKAGES, "ConfigurationEvent/effective")) or never
    return instant(text(payload, LINKAGES, "ConfigurationEvent/created")) or effective, effective


def _readings(payload: etree._Element) -> Iterator[tuple[str, str, Reading]]:
    for group in payload.iterfind(f"{{{READINGS}}}MeterReading"):
        serial = text(group, READINGS, "Meter/mRID") or ""
        for element in group.iterfind(f"{{{READINGS}}}Readings"):
            kind = first(element, READINGS, "ReadingType")
            reading = Reading(
                obis=(kind.get("ref") if kind is not None else None) or "",
                value=amount(text(element, READINGS, "value")),
                at=instant(text(element, READINGS, "timeStamp")) or datetime.min.replace(tzinfo=UTC),
            )
            yield serial, text(element, READINGS, "reason") or "", reading


def _devices(
    payloads: Iterable[etree._Element], shown: dict[tuple[str, str], list[Reading]], reason: str
) -> tuple[ReportedDevice, ...]:
    found = []
    for payload in payloads:
        for name in ("Meter", "EndDevice", "ComModule"):
            for element in payload.iterfind(f"{{{LINKAGES}}}{name}"):
                serial, role = text(element, LINKAGES, "mRID") or "", text(element, LINKAGES, "role")
                is_meter = name == "Meter" and not role
                found.append(
                    ReportedDevice(
                        role=DeviceRole.METER if is_meter else role_of(role or DeviceRole.OTHER),
                        serial=serial,
                        readings=tuple(shown.get((serial, reason), ())),
                    )
                )
    return tuple(found)


def decode_corrected(properties: Properties) -> Corrected:
    """What a partner corrects; the linkage names the point, the properties the fields. Raises ValueError."""
    said = dict(properties)
    fields = dict.fromkeys(name[len(NEW) :] for name, _ in properties if name.startswith((NEW, OLD)))
    version = said.get("order_version")
    return Corrected(
        order_no=said.get("order_no", ""),
        order_version=int(version) if version else None,
        changes=tuple(
            CorrectedField(field=name, old=said.get(OLD + name) or None, new=said.get(NEW + name) or None)
            for name in fields
        ),
    )


def corrected_properties(document: Corrected) -> Properties:
    """The same as a partner would write it; values are texts."""
    said = [("order_no", document.order_no)]
    said += [("order_version", str(document.order_version))] if document.order_version else []
    for each in document.changes:
        said += [(OLD + each.field, str(each.old))] if each.old is not None else []
        said += [(NEW + each.field, "" if each.new is None else str(each.new))]
    return tuple(said)
