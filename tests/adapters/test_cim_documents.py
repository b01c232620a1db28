"""Nouns beside ServiceOrders, and work that is said in more than one way: each is read as it was meant."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from contracts.codes import DeviceRole, Scheme
from services.mdm_adapter.dialects.cim_xml import messages
from services.mdm_adapter.dialects.cim_xml.linkages import INSTALLATION, REMOVAL
from services.mdm_adapter.dialects.items import Kind
from services.mdm_adapter.dialects.sending import Sending
from services.mdm_adapter.documents.asset_moved import AssetMoved
from services.mdm_adapter.documents.corrected import Corrected
from services.mdm_adapter.documents.device_announced import DeviceAnnounced
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.values import MeteringPoint, Reading, ReportedDevice
from services.mdm_adapter.documents.work_status import WorkStatus
from tests.unit.mdm_adapter.examples import ANNOUNCED, ANNOUNCEMENTS, COMPLETED, CORRECTIONS, MOVEMENTS

SENDING = Sending("M-1", "C-1", "ROLLOUT-HUB", datetime(2026, 3, 2, 8, tzinfo=UTC))
M = "http://iec.ch/TC57/2011/schema/message"
BEGUN = datetime(2026, 3, 2, 9, tzinfo=UTC)
METER = ReportedDevice(
    serial="N1", readings=(Reading(obis="1-0:1.8.0", value=Decimal("1.5"), at=BEGUN + timedelta(minutes=1)),)
)
EXCHANGE = DeviceExchangeCompleted(
    order_no="WO-1",
    order_version=1,
    metering_point=MeteringPoint(id="707057500012345671", scheme=Scheme.GSRN),
    started_at=BEGUN,
    finished_at=BEGUN + timedelta(minutes=20),
    installed=(METER,),
    removed=(METER.model_copy(update={"serial": "O1"}),),
)


@given(ANNOUNCED)
def test_a_status_survives_cim_xml(status: WorkStatus) -> None:
    content = messages.encode_report(status, SENDING)
    assert (messages.own_faults(content), messages.decode_report(content)) == ([], status)


@given(MOVEMENTS)
def test_a_movement_of_a_device_survives_cim_xml(movement: AssetMoved) -> None:
    content = messages.encode_report(movement, SENDING)
    assert (messages.own_faults(content), messages.decode_report(content)) == ([], movement)


@given(some.lists(ANNOUNCEMENTS, min_size=1, max_size=3), some.sampled_from(["create", "change"]))
def test_devices_that_are_announced_survive_cim_xml(devices: list[DeviceAnnounced], verb: str) -> None:
    content = messages.encode_devices(devices, SENDING, verb)
    decoded = messages.decode(content, None, None)
    assert (messages.own_faults(content), decoded.kind, decoded.findings) == ([], Kind.DEVICES, [])
    assert list(decoded.announced) == devices


def test_every_device_with_a_serial_that_none_can_have_is_named() -> None:
    devices = [DeviceAnnounced(serial=serial) for serial in ("1EMH0012345678", "a b", "-1")]
    decoded = messages.decode(messages.encode_devices(devices, SENDING), None, None)
    assert [(found.code, found.position) for found in decoded.findings] == [
        ("2.4", "Meter[2]/serialNumber"),
        ("2.4", "Meter[3]/serialNumber"),
    ]


@given(CORRECTIONS)
def test_a_correction_survives_cim_xml(correction: Corrected) -> None:
    decoded = messages.decode(messages.encode_corrected(correction, EXCHANGE, SENDING), None, None)
    assert (decoded.kind, decoded.findings, decoded.corrected) == (Kind.CORRECTION, [], correction)
    assert (decoded.correlation_id, decoded.orders) == ("C-1", (correction.order_no,))


@pytest.mark.parametrize("properties", ["", "<m:Property><m:Name>new.a</m:Name><m:Value>1</m:Value></m:Property>"])
def test_a_correction_without_order_or_field_is_refused(properties: str) -> None:
    said = messages.encode_corrected(Corrected(order_no="WO-1", changes=()), EXCHANGE, SENDING).decode()
    order = "<m:Property><m:Name>order_no</m:Name><m:Value>WO-1</m:Value></m:Property>"
    decoded = messages.decode(said.replace(order, properties).encode(), None, None)
    assert [found.code for found in decoded.findings] == ["1.7"]


@pytest.mark.parametrize("side", ["installed", "removed"])
def test_work_on_one_side_is_a_linkage_and_its_readings_a_message_of_their_own(side: str) -> None:
    other = {"installed": "removed", "removed": "installed"}[side]
    document = EXCHANGE.model_copy(update={other: ()})
    linkage, shown = messages.encode_one_sided(document, SENDING), messages.encode_shown(document, SENDING)
    assert shown is not None
    assert (messages.own_faults(linkage), messages.own_faults(shown)) == ([], [])
    bare = METER.model_copy(update={"serial": getattr(document, side)[0].serial, "readings": ()})
    assert messages.decode_report(linkage) == document.model_copy(update={side: (bare,)})
    assert messages.encode_shown(document.model_copy(update={side: (bare,)}), SENDING) is None


def element(prefix: str, name: str, *content: str, **attributes: str) -> str:
    said = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{prefix}:{name}{said}>{''.join(content)}</{prefix}:{name}>"


def point(prefix: str, of: MeteringPoint) -> str:
    scheme = element(prefix, "NameType", element(prefix, "name", of.scheme.value))
    names = element(prefix, "Names", element(prefix, "name", of.id), scheme)
    return element(prefix, "UsagePoint", element(prefix, "mRID", of.id), names)


def linkage(document: DeviceExchangeCompleted, devices: Sequence[ReportedDevice]) -> str:
    event = element(
        "l",
        "ConfigurationEvent",
        element("l", "created", document.started_at.isoformat()),
        element("l", "effective", document.finished_at.isoformat()),
    )
    meters = [element("l", "Meter", element("l", "mRID", each.serial)) for each in devices if each.role == "meter"]
    others = [
        element("l", "EndDevice", element("l", "mRID", each.serial), element("l", "role", each.role))
        for each in devices
        if each.role != "meter"
    ]
    named = point("l", document.metering_point)
    return element("l", "MasterDataLinkageConfig", event, *meters, named, *others)


def readings(document: DeviceExchangeCompleted) -> Iterator[str]:
    for devices, reason in ((document.removed, REMOVAL), (document.installed, INSTALLATION)):
        for device in devices:
            shown = [
                element(
                    "r",
                    "Readings",
                    element("r", "timeStamp", each.at.isoformat()),
                    element("r", "value", format(each.value, "f")),
                    element("r", "ReadingType", ref=each.obis),
                    element("r", "reason", reason),
                )
                for each in device.readings
            ]
            if shown:
                yield element("r", "MeterReading", element("r", "Meter", element("r", "mRID", device.serial)), *shown)


def config(devices: Sequence[ReportedDevice]) -> str:
    return element(
        "c", "MeterConfig", *(element("c", "Meter", element("c", "serialNumber", each.serial)) for each in devices)
    )


def operation_set(document: DeviceExchangeCompleted) -> bytes:
    """The same exchange as a system says it that keeps linkages: five operations, in their order."""
    parts = [
        ("MasterDataLinkageConfig", "close", linkage(document, document.removed) if document.removed else ""),
        ("MasterDataLinkageConfig", "create", linkage(document, document.installed) if document.installed else ""),
        ("MeterConfig", "change", config(document.removed) if document.removed else ""),
        ("MeterConfig", "change", config(document.installed) if document.installed else ""),
        ("MeterReadings", "created", element("r", "MeterReadings", *shown) if (shown := [*readings(document)]) else ""),
    ]
    operations = "".join(
        element(
            "m",
            "Operation",
            element("m", "operationId", str(number)),
            element("m", "noun", noun),
            element("m", "verb", verb),
            element("m", "payload", payload),
        )
        for number, (noun, verb, payload) in enumerate(parts, 1)
        if payload
    )
    flags = element("m", "enforceMsgSequence", "true") + element("m", "enforceTransactionalIntegrity", "true")
    properties = "".join(
        element("m", "Property", element("m", "Name", name), element("m", "Value", value))
        for name, value in (("order_no", document.order_no), ("order_version", str(document.order_version)))
    )
    header = element(
        "m",
        "Header",
        element("m", "Verb", "execute"),
        element("m", "Noun", "OperationSet"),
        element("m", "Timestamp", "2026-03-02T10:00:00Z"),
        element("m", "Source", "ERP-A"),
        element("m", "MessageID", "M-1"),
        properties,
    )
    payload = element("m", "Payload", element("m", "OperationSet", flags, operations))
    nouns = {"l": "MasterDataLinkageConfig", "c": "MeterConfig", "r": "MeterReadings"}
    spaces = {f"xmlns:{prefix}": f"http://iec.ch/TC57/2011/{noun}#" for prefix, noun in nouns.items()}
    return element("m", "RequestMessage", header, payload, **{"xmlns:m": M}, **spaces).encode()


def exchanges(count: int) -> Iterator[DeviceExchangeCompleted]:
    """Exchanges with one or two devices on each side, meters first, drawn by a seed."""
    draw = Random(2026)
    for number in range(count):
        begun = BEGUN + timedelta(minutes=draw.randrange(500_000), microseconds=draw.randrange(10**6))

        def devices(letter: str, begun: datetime = begun, number: int = number) -> tuple[ReportedDevice, ...]:
            shown = tuple(
                Reading(obis=obis, value=Decimal(draw.randrange(10**9)) / 1000, at=begun + timedelta(minutes=2))
                for obis in draw.sample(["1-0:1.8.0", "1-0:2.8.0", "1-0:1.8.1"], draw.randrange(4))
            )
            meter = ReportedDevice(serial=f"{letter}{number}", readings=shown)
            gateway = ReportedDevice(role=DeviceRole.SMGW, serial=f"{letter}G{number}")
            return (meter, gateway) if draw.random() < 0.5 else (meter,)

        yield DeviceExchangeCompleted(
            order_no=f"WO-{number}",
            order_version=draw.randrange(1, 9),
            metering_point=draw.choice(
                [
                    MeteringPoint(id="707057500012345671", scheme=Scheme.GSRN),
                    MeteringPoint(id="41373559241", scheme=Scheme.MALO),
                    MeteringPoint(id="DE000123001010000000000000001234A", scheme=Scheme.MELO),
                ]
            ),
            started_at=begun,
            finished_at=begun + timedelta(minutes=draw.randrange(1, 90)),
            installed=devices("N"),
            removed=devices("O"),
        )


def test_X_MAP_1_an_exchange_is_the_same_as_one_order_and_as_a_set_of_operations() -> None:
    said = [
        (document, messages.decode_report(messages.encode_report(document, SENDING)), operation_set(document))
        for document in exchanges(1000)
    ]
    assert [document for document, order, _ in said if order != document] == []
    assert [document for document, order, others in said if messages.decode_report(others) != order] == []


def test_X_MAP_1_every_operation_is_validated_by_the_schema_of_its_noun() -> None:
    content = operation_set(EXCHANGE).replace(b"<r:value>1.5</r:value>", b"<r:value>1,5</r:value>")
    decoded = messages.decode(content, None, None)
    assert {(found.code, found.position) for found in decoded.findings} == {
        ("1.8", "/MeterReadings/MeterReading[1]/Readings/value"),
        ("1.8", "/MeterReadings/MeterReading[2]/Readings/value"),
    }
    with pytest.raises(ValueError, match="value"):
        messages.decode_report(content)


def test_a_set_without_a_linkage_is_no_exchange() -> None:
    content = operation_set(EXCHANGE).replace(b"MasterDataLinkageConfig", b"MeterConfig")
    with pytest.raises(ValueError, match="MeterConfig"):
        messages.decode_report(content)


@given(COMPLETED)
def test_what_was_shown_is_valid_by_its_schema(document: DeviceExchangeCompleted) -> None:
    content = messages.encode_shown(document, SENDING)
    has_readings = any(device.readings for device in (*document.installed, *document.removed))
    assert (content is not None, messages.own_faults(content) if content else []) == (has_readings, [])
