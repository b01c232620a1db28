"""Documents of ours read again: what a receiver learns from them, by the fields of the canonical documents."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from contracts.codes import AnnouncedPlan
from services.mdm_adapter.dialects.edifact_fv.envelope import read
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.dialects.edifact_fv.received_answers import answer, characteristics
from services.mdm_adapter.dialects.edifact_fv.received_orders import day_at, point
from services.mdm_adapter.dialects.edifact_fv.tables import rows_at
from services.mdm_adapter.dialects.edifact_fv.vorgang import Part, Vorgang, vorgaenge
from services.mdm_adapter.documents.answer import Answer
from services.mdm_adapter.documents.values import Reading, ReportedDevice

Said = dict[str, Any]


def _read(data: bytes) -> tuple[list[Vorgang], date]:
    """Every Vorgang of an interchange, and its day."""
    reading = read(data)
    return [vorgang for message in reading for vorgang in vorgaenge(message)[1]], reading.head.sent_at.date()


def announced(data: bytes) -> Said:
    """IFTSTA 21029."""
    ((vorgang,), _) = _read(data)
    place = point(vorgang)
    plan = AnnouncedPlan.IMS if vorgang.first("STS+Z19") else AnnouncedPlan.MME
    found = {"planned_on": "76", "window_from": "469", "window_to": "472"}
    days = {name: day_at(vorgang, qualifier) for name, qualifier in found.items()}
    said: Said = {"metering_point": place and place.model_dump(), "status": "announced", "plan": plan}
    return said | {name: value for name, value in days.items() if value}


def not_completed(data: bytes) -> Said:
    """IFTSTA 21025, 21027: several sub-reasons share a code, and one stands for all of them."""
    ((vorgang,), on) = _read(data)
    place, status, text = point(vorgang), vorgang.first("STS+Z15"), vorgang.first("FTX+ACB")
    code = status.at(4) if status else ""
    column = "ordered" if status and status.at(4, 2) else "own"
    rows = [row for row in rows_at("failure_codes.csv", on) if row[column] == code]
    wanted = "yes" if text else "no"
    row = next((row for row in rows if row["needs_text"] == wanted), rows[0])
    said: Said = {"metering_point": place and place.model_dump(), "sub_reason": row["means"]}
    return said | ({"text": "".join(text.elements[3])} if text else {})


def answered(data: bytes) -> Answer | None:
    """ORDRSP and INSRPT 23003, 23004."""
    ((vorgang,), on) = _read(data)
    return answer(vorgang, on)


def completed(master_data: bytes, readings: bytes) -> Said:
    """UTILMD and MSCONS of one exchange: who is in the master data was installed, who else was read was removed."""
    ((vorgang,), on) = _read(master_data)
    place = point(vorgang)
    installed = [value for name, value in characteristics(vorgang, on) if name == "Z03.serial"]
    devices = [_device(each) for each in _read(readings)[0]]
    told = {device.serial: device for device in devices}
    begins = vorgang.time("Z25")
    return {
        "metering_point": place and place.model_dump(),
        "finished_on": begins and begins.astimezone(MARKET).date(),
        "installed": tuple(_dump(told.get(serial) or ReportedDevice(serial=serial)) for serial in installed),
        "removed": tuple(_dump(device) for device in devices if device.serial not in installed),
    }


def _dump(device: ReportedDevice) -> Said:
    return device.model_dump(exclude_none=True)


def _device(vorgang: Vorgang) -> ReportedDevice:
    return ReportedDevice(serial=vorgang.reference("MG"), readings=tuple(_readings(vorgang)))


def _readings(vorgang: Vorgang) -> Iterator[Reading]:
    positions = [index for index, (_, segment) in enumerate(vorgang.segments) if segment.tag == "LIN"]
    for begin, end in pairwise([*positions, len(vorgang.segments)]):
        part = Part(vorgang.message, vorgang.segments[begin:end])
        at = part.time("60") or part.time("7")
        if at:
            yield Reading(obis=part.value("PIA", 3), value=Decimal(part.value("QTY", 2, 2)), at=at)
