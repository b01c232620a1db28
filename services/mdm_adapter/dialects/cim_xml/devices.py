"""MeterConfig: devices that partners announce, and those that moved in our stores; read and written."""

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType

from lxml import etree

from contracts.codes import DeviceRole
from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.cim_xml.xml import METERS, Writer, amount, instant, text, texts, written
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.identifiers import is_serial
from services.mdm_adapter.documents.asset_moved import AssetMoved
from services.mdm_adapter.documents.device_announced import DeviceAnnounced, Lifecycle, Multiplier

# fmt: off
DAYS: Mapping[str, str] = MappingProxyType({
    "manufactured_on": "manufacturedDate",
    "received_on":     "receivedDate",
    "installed_on":    "installationDate",
    "removed_on":      "removalDate",
    "retired_on":      "retiredDate",
})
# fmt: on


def role_of(said: str | None) -> DeviceRole:
    """What a device is called; without a word it is a meter, with one that we do not know something else."""
    if not said:
        return DeviceRole.METER
    return DeviceRole(said.lower()) if said.lower() in set(DeviceRole) else DeviceRole.OTHER


def decode_announced(payload: etree._Element) -> list[DeviceAnnounced]:
    """Every device of a MeterConfig that its schema has passed."""
    return [_announced(meter) for meter in payload.iterfind(f"{{{METERS}}}Meter")]


def _announced(meter: etree._Element) -> DeviceAnnounced:
    return DeviceAnnounced(
        serial=text(meter, METERS, "serialNumber") or "",
        role=role_of(text(meter, METERS, "type")),
        asset_id=text(meter, METERS, "mRID"),
        manufacturer=text(meter, METERS, "manufacturer"),
        model=text(meter, METERS, "EndDeviceInfo/AssetModel"),
        seals=tuple(filter(None, texts(meter, METERS, "Seals"))),
        multipliers=tuple(_multiplier(each) for each in meter.iterfind(f"{{{METERS}}}MeterMultipliers")),
        lifecycle=_lifecycle(meter),
    )


def _multiplier(element: etree._Element) -> Multiplier:
    return Multiplier(kind=text(element, METERS, "kind") or "", value=amount(text(element, METERS, "value")))


def _lifecycle(meter: etree._Element) -> Lifecycle:
    said = {field: text(meter, METERS, f"lifecycle/{name}") for field, name in DAYS.items()}
    return Lifecycle(**{field: date.fromisoformat(value) for field, value in said.items() if value})


def announced_findings(devices: Iterable[DeviceAnnounced]) -> list[Finding]:
    """Serials that no device can have: all of them."""
    return [
        Finding(codes.DEVICE, f"Meter[{place}]/serialNumber", "a serial has 1 to 35 letters, digits, dots, dashes")
        for place, device in enumerate(devices, 1)
        if not is_serial(device.serial)
    ]


def encode_announced(devices: Iterable[DeviceAnnounced]) -> etree._Element:
    """A MeterConfig as a partner would send it: what is read back, field for field."""
    root = etree.Element(f"{{{METERS}}}MeterConfig", nsmap={"c": METERS})
    for device in devices:
        meter = Writer.below(root, METERS).inside("Meter")
        meter.leaf("mRID", device.asset_id)
        _write_head(meter, device.serial, device.role)
        meter.leaf("manufacturer", device.manufacturer)
        _write_lifecycle(meter, device.lifecycle)
        for seal in device.seals:
            meter.leaf("Seals", seal)
        for each in device.multipliers:
            multiplier = meter.inside("MeterMultipliers")
            multiplier.leaf("kind", each.kind)
            multiplier.leaf("value", format(each.value, "f"))
        if device.model:
            meter.inside("EndDeviceInfo").leaf("AssetModel", device.model)
    return root


def _write_head(meter: Writer, serial: str, role: DeviceRole) -> None:
    meter.leaf("serialNumber", serial)
    meter.leaf("type", None if role is DeviceRole.METER else role.value)


def _write_lifecycle(meter: Writer, lifecycle: Lifecycle) -> None:
    said = {name: getattr(lifecycle, field) for field, name in DAYS.items()}
    if any(said.values()):
        writer = meter.inside("lifecycle")
        for name, value in said.items():
            writer.leaf(name, value)


def encode_moved(document: AssetMoved) -> etree._Element:
    """The device that moved; where it was and is stands in the header."""
    root = etree.Element(f"{{{METERS}}}MeterConfig", nsmap={"c": METERS})
    meter = Writer.below(root, METERS).inside("Meter")
    _write_head(meter, document.serial, document.role)
    _write_lifecycle(meter, document.lifecycle)
    return root


def moved_properties(document: AssetMoved) -> tuple[tuple[str, str], ...]:
    """What the payload of a movement has no element for."""
    said = {"movement": document.movement, "at": written(document.at)}
    said |= {"from": document.from_place or "", "to": document.to_place or ""}
    return tuple((name, value) for name, value in said.items() if value)


def decode_moved(payload: etree._Element, properties: tuple[tuple[str, str], ...]) -> AssetMoved:
    """The same document read again; its schema was checked before."""
    meter, said = payload[0], dict(properties)
    return AssetMoved.model_validate(
        {
            "serial": text(meter, METERS, "serialNumber"),
            "role": role_of(text(meter, METERS, "type")),
            "movement": said.get("movement"),
            "at": instant(said.get("at")),
            "from_place": said.get("from"),
            "to_place": said.get("to"),
            "lifecycle": _lifecycle(meter),
        }
    )
