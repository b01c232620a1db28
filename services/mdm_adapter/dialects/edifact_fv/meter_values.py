"""MSCONS of ours: readings at an exchange (13017), and that they no longer hold (13006)."""

from collections.abc import Iterator

from services.mdm_adapter.dialects.edifact_fv.composing import at, begin, day, interchange, parties, rff, seg
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.dialects.edifact_fv.market_sending import MarketSending, MissingFact
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.values import Reading, ReportedDevice

APPLICATION = "VL"


def read_devices(document: DeviceExchangeCompleted) -> tuple[ReportedDevice, ...]:
    """Devices whose readings are told, those that went first: each takes a message, and a number for it."""
    return tuple(device for device in (*document.removed, *document.installed) if device.readings)


def readings(document: DeviceExchangeCompleted, sending: MarketSending) -> bytes:
    """13017: one message per device."""
    if missing := document.missing():
        raise MissingFact(missing[0])
    devices = read_devices(document)
    if not devices:
        raise MissingFact("readings")
    bodies = []
    for index, device in enumerate(devices):
        head = _head(document, sending, index, "9", rff("Z13", "13017"))
        bodies.append([*head, rff("MG", device.serial), *_positions(device, sending)])
    return interchange(sending, "MSCONS", bodies, APPLICATION)


def withdrawn(document: DeviceExchangeCompleted, sending: MarketSending) -> bytes:
    """13006: each of the named messages no longer holds."""
    if not sending.facts.withdrawn:
        raise MissingFact("withdrawn")
    bodies = []
    for index, number in enumerate(sending.facts.withdrawn):
        bodies.append(_head(document, sending, index, "1", rff("ACW", number), rff("Z13", "13006")))
    return interchange(sending, "MSCONS", bodies, APPLICATION)


def _head(
    document: DeviceExchangeCompleted, sending: MarketSending, index: int, function: str, *references: Segment
) -> list[Segment]:
    body = [*begin(sending, "7", index, function), *references, *parties(sending)]
    return [*body, seg("UNS", "D"), seg("NAD", "DP"), seg("LOC", "172", document.metering_point.id)]


def _positions(device: ReportedDevice, sending: MarketSending) -> Iterator[Segment]:
    for number, reading in enumerate(device.readings, 1):
        yield seg("LIN", str(number))
        yield seg("PIA", "5", (reading.obis, "SRW"))
        yield from _value(device, reading, sending)


def _value(device: ReportedDevice, reading: Reading, sending: MarketSending) -> Iterator[Segment]:
    substitute = sending.facts.substitutes.get((device.serial, reading.obis))
    value = format(reading.value, "f")
    yield seg("QTY", ("67" if substitute else "220", value.rstrip("0").rstrip(".") if "." in value else value))
    yield day("7", reading.at.astimezone(MARKET).date())
    yield at("60", reading.at)
    if substitute:
        yield seg("STS", "Z32", "", substitute.how)
        yield seg("STS", "Z40", "", substitute.why)
