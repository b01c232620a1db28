"""The dialect as a whole: bytes to what they say, and documents to bytes that our own schemas have passed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.cim_xml.devices import (
    announced_findings,
    decode_announced,
    decode_moved,
    encode_announced,
    encode_moved,
    moved_properties,
)
from services.mdm_adapter.dialects.cim_xml.envelope import (
    OPERATION_SET,
    Envelope,
    Header,
    faults,
    open_envelope,
    write_envelope,
)
from services.mdm_adapter.dialects.cim_xml.linkages import (
    INSTALLATION,
    REMOVAL,
    Properties,
    corrected_properties,
    decode_corrected,
    decode_exchange,
    encode_linkage,
    encode_readings,
    operations_in,
)
from services.mdm_adapter.dialects.cim_xml.orders import decode_orders, encode_order, orders_in, properties_of
from services.mdm_adapter.dialects.cim_xml.parsing import XmlFinding, XmlRefused
from services.mdm_adapter.dialects.cim_xml.replies import write_answer
from services.mdm_adapter.dialects.cim_xml.reports import (
    decode_completed,
    decode_not_completed,
    decode_status,
    encode_completed,
    encode_not_completed,
    encode_status,
    not_completed_properties,
    status_properties,
)
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Decoded, Kind, OrderDocument
from services.mdm_adapter.dialects.sending import BERLIN, Sending
from services.mdm_adapter.documents.answer import Answer
from services.mdm_adapter.documents.asset_moved import AssetMoved
from services.mdm_adapter.documents.corrected import Corrected
from services.mdm_adapter.documents.device_announced import DeviceAnnounced
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.order_content import OrderContent
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_status import WorkStatus
from services.mdm_adapter.partners.profile import Profile, Strict

Report = DeviceExchangeCompleted | WorkNotCompleted | WorkStatus | AssetMoved
NAME, NOUN = "cim_xml", "ServiceOrders"
CONFIG, LINKAGE, SHOWN = "MeterConfig", "MasterDataLinkageConfig", "MeterReadings"
KINDS = {
    ("RequestMessage", NOUN): Kind.ORDERS,
    ("RequestMessage", CONFIG): Kind.DEVICES,
    ("EventMessage", LINKAGE): Kind.CORRECTION,
}
NOUNS = frozenset({CONFIG, LINKAGE, SHOWN, OPERATION_SET})
ANSWERS = {"ResponseMessage": Kind.ANSWER, "FaultMessage": Kind.FAULT}


def decode(data: bytes, profile: Profile | None, now: datetime | None) -> Decoded:
    """Read a message and all that is wrong with it; nothing but our own findings comes out."""
    try:
        envelope = open_envelope(data, profile, now)
    except XmlRefused as refused:
        return Decoded(NAME, Kind.OTHER, findings=[_finding(found) for found in refused.findings])
    return _decoded(envelope, profile)


def _finding(found: XmlFinding) -> Finding:
    return Finding(codes.reply_code(found.code), found.xpath or _place(found), found.detail, found.line, found.code)


def _place(found: XmlFinding) -> str:
    return f"line {found.line}, column {found.column}" if found.column else "/"


def _decoded(envelope: Envelope, profile: Profile | None) -> Decoded:
    header, kind, findings = envelope.header, _kind(envelope), envelope.findings
    if kind is Kind.ANSWER and header and not header.correlation_id:
        findings.append(Finding(codes.HEADER, "CorrelationID", "an answer must say what it answers"))
    said: dict[str, Any] = {
        "correlation_id": header.correlation if header else None,
        "findings": findings,
    }
    if header is not None and not findings:
        said |= _content(kind, envelope, header, profile)
    numbers = (item.order_no for item in said["items"]) if said.get("items") else orders_in(envelope)
    said.setdefault("orders", tuple(dict.fromkeys(numbers)))
    return Decoded(
        NAME,
        kind,
        warnings=envelope.warnings,
        message_id=header.message_id if header else None,
        ack_required=bool(header and header.ack_required),
        verb=header.verb if header else None,
        noun=header.noun if header else None,
        reply=envelope.reply,
        **said,
    )


def _kind(envelope: Envelope) -> Kind:
    """Of a message about orders also where its noun is wrong: whoever sent it is told so."""
    noun = envelope.header.noun if envelope.header else ""
    other = Kind.ORDERS if envelope.kind == "RequestMessage" and noun not in NOUNS else Kind.OTHER
    return ANSWERS.get(envelope.kind) or KINDS.get((envelope.kind, noun), other)


def _content(kind: Kind, envelope: Envelope, header: Header, profile: Profile | None) -> dict[str, Any]:
    """What a message says whose form is right, and what is wrong with it."""
    match kind:
        case Kind.ORDERS:
            strict, zone = (profile.strict, profile.zone) if profile else (Strict(), BERLIN)
            items = decode_orders(envelope, profile.id if profile else "", strict.ids, zone)
            return {"items": items, "findings": [] if items else [_nothing("order")]}
        case Kind.DEVICES:
            announced = tuple(decode_announced(envelope.payload)) if envelope.payload is not None else ()
            wrong = announced_findings(announced) if announced else [_nothing("device")]
            return {"announced": announced, "findings": wrong}
        case Kind.CORRECTION:
            return _correction(header)
    return {}


def _correction(header: Header) -> dict[str, Any]:
    try:
        corrected = decode_corrected(header.properties)
    except ValueError:
        return {"findings": [Finding(codes.HEADER, "order_version", "is a number from 1")]}
    wrong = [] if corrected.order_no and corrected.changes else [_nothing("order, or no field")]
    about = {"correlation_id": header.correlation_id, "orders": (corrected.order_no,)}
    return {"corrected": corrected, "findings": wrong, **about}


def _nothing(what: str) -> Finding:
    return Finding(codes.PAYLOAD, "Payload", f"no {what} is named")


def _header(sending: Sending, verb: str, properties: Properties = (), noun: str = NOUN) -> Header:
    """The header of a message of ours with this verb."""
    return Header(
        verb=verb,
        noun=noun,
        revision="1.0",
        timestamp=sending.at,
        source=sending.source,
        message_id=sending.message_id,
        correlation_id=sending.correlation_id,
        properties=properties,
    )


def encode_report(document: Report, sending: Sending) -> bytes:
    """A report to a partner: completed work as a request to change the order, everything else as an event."""
    match document:
        case DeviceExchangeCompleted():
            return write_envelope("RequestMessage", _header(sending, "change"), payload=encode_completed(document))
        case WorkNotCompleted():
            header = _header(sending, "changed", not_completed_properties(document))
            return write_envelope("EventMessage", header, payload=encode_not_completed(document))
        case WorkStatus():
            header = _header(sending, "changed", status_properties(document))
            return write_envelope("EventMessage", header, payload=encode_status(document, sending.zone))
        case _:
            header = _header(sending, "changed", moved_properties(document), CONFIG)
            return write_envelope("EventMessage", header, payload=encode_moved(document))


def encode_one_sided(document: DeviceExchangeCompleted, sending: Sending) -> bytes:
    """Work that only put in, or only took out, for partners that keep linkages: without what the registers showed."""
    verb, devices = ("create", document.installed) if document.installed else ("close", document.removed)
    about = (("order_no", document.order_no), ("order_version", str(document.order_version)))
    payload = encode_linkage(document, devices, INSTALLATION if document.installed else REMOVAL)
    return write_envelope("RequestMessage", _header(sending, verb, about, LINKAGE), payload=payload)


def encode_shown(document: DeviceExchangeCompleted, sending: Sending) -> bytes | None:
    """What the registers showed, as a message of its own; None where nothing was read."""
    payload = encode_readings(document)
    if payload is None:
        return None
    return write_envelope("EventMessage", _header(sending, "created", noun=SHOWN), payload=payload)


def decode_report(data: bytes, zone: ZoneInfo = BERLIN) -> Report:
    """A report of ours read again, or an exchange that others say as a set of operations. Raises ValueError."""
    envelope = open_envelope(data, None, None)
    header, payload = envelope.header, envelope.payload
    if envelope.findings or header is None or payload is None:
        raise ValueError("; ".join(f"{each.position}: {each.detail}" for each in envelope.findings) or "no report")
    said = dict(header.properties)
    match header.noun:
        case "MeterConfig":
            return decode_moved(payload, header.properties)
        case "MasterDataLinkageConfig" | "OperationSet":
            operations = [(header.verb, payload)] if header.noun == LINKAGE else operations_in(payload)
            return decode_exchange(operations, said.get("order_no", ""), int(said.get("order_version", "0")))
        case _ if header.verb == "change":
            return decode_completed(payload)
        case _ if "status" in said:
            return decode_status(payload, header.properties, zone)
    return decode_not_completed(payload, header.properties)


def encode_answer(answer: Answer, sending: Sending) -> bytes:
    """An answer of ours; its correlation id is that of the message it answers."""
    return write_envelope("ResponseMessage", _header(sending, "reply"), reply=write_answer(answer))


def encode_request(document: OrderDocument, sending: Sending, zone: ZoneInfo) -> bytes:
    """An order as a partner would send it: what `decode` reads back, field for field."""
    verbs = {"WorkOrderRequested": "create", "WorkOrderChanged": "change", "WorkOrderCancelled": "cancel"}
    properties = properties_of(document) if isinstance(document, OrderContent) else ()
    header = _header(sending, verbs[type(document).__name__], properties)
    return write_envelope("RequestMessage", header, payload=encode_order(document, zone))


def encode_devices(devices: Sequence[DeviceAnnounced], sending: Sending, verb: str = "create") -> bytes:
    """Devices as a partner would announce them: what `decode` reads back, field for field."""
    return write_envelope("RequestMessage", _header(sending, verb, (), CONFIG), payload=encode_announced(devices))


def encode_corrected(document: Corrected, at: DeviceExchangeCompleted, sending: Sending) -> bytes:
    """A correction as a partner would send it, of what it was told about these devices."""
    payload = encode_linkage(at, at.installed, "correction")
    return write_envelope(
        "EventMessage", _header(sending, "changed", corrected_properties(document), LINKAGE), payload=payload
    )


def own_faults(data: bytes) -> list[str]:
    """What keeps a message of ours from leaving: each finding of our own schemas."""
    return [f"{found.xpath or '/'}: {found.detail}" for found in faults(data)]


def is_xml(data: bytes) -> bool:
    """Whether bytes look like XML: the first thing in them is `<`, or a mark of UTF-16."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" or data[:2] in {b"\xff\xfe", b"\xfe\xff"}
