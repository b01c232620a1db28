"""The dialect as a whole: bytes to what they say, and documents to bytes that our own schemas have passed."""

from datetime import datetime
from zoneinfo import ZoneInfo

from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.cim_xml.envelope import Envelope, Header, faults, open_envelope, write_envelope
from services.mdm_adapter.dialects.cim_xml.orders import decode_orders, encode_order, orders_in, properties_of
from services.mdm_adapter.dialects.cim_xml.parsing import XmlFinding, XmlRefused
from services.mdm_adapter.dialects.cim_xml.replies import write_answer
from services.mdm_adapter.dialects.cim_xml.reports import (
    encode_completed,
    encode_not_completed,
    not_completed_properties,
)
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Decoded, Kind, OrderDocument
from services.mdm_adapter.dialects.sending import Sending
from services.mdm_adapter.documents.answer import Answer
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.order_content import OrderContent
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.partners.profile import Profile, Strict

NAME, NOUN = "cim_xml", "ServiceOrders"
KINDS = {"RequestMessage": Kind.ORDERS, "ResponseMessage": Kind.ANSWER, "FaultMessage": Kind.FAULT}


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
    header, findings = envelope.header, list(envelope.findings)
    kind = KINDS.get(envelope.kind, Kind.OTHER)
    if kind is Kind.ANSWER and header and not header.correlation_id:
        findings.append(Finding(codes.HEADER, "CorrelationID", "an answer must say what it answers"))
    items = []
    if kind is Kind.ORDERS and not findings:
        strict = profile.strict if profile else Strict()
        zone = profile.zone if profile else ZoneInfo("Europe/Berlin")
        items = decode_orders(envelope, profile.id if profile else "", strict.ids, zone)
        if not items:
            findings.append(Finding(codes.PAYLOAD, "Payload", "no order is named"))
    return Decoded(
        NAME,
        kind,
        items,
        findings,
        envelope.warnings,
        message_id=header.message_id if header else None,
        correlation_id=header.correlation if header else None,
        ack_required=bool(header and header.ack_required),
        verb=header.verb if header else None,
        noun=header.noun if header else None,
        orders=tuple(dict.fromkeys(orders_in(envelope))),
        reply=envelope.reply,
    )


def _header(sending: Sending, verb: str, properties: tuple[tuple[str, str], ...] = ()) -> Header:
    """The header of a message of ours with this verb."""
    return Header(
        verb=verb,
        noun=NOUN,
        revision="1.0",
        timestamp=sending.at,
        source=sending.source,
        message_id=sending.message_id,
        correlation_id=sending.correlation_id,
        properties=properties,
    )


def encode_report(document: DeviceExchangeCompleted | WorkNotCompleted, sending: Sending) -> bytes:
    """A report to the ordering partner: completed as a request to change the order, not completed as an event."""
    if isinstance(document, DeviceExchangeCompleted):
        return write_envelope("RequestMessage", _header(sending, "change"), payload=encode_completed(document))
    header = _header(sending, "changed", not_completed_properties(document))
    return write_envelope("EventMessage", header, payload=encode_not_completed(document))


def encode_answer(answer: Answer, sending: Sending) -> bytes:
    """An answer of ours; its correlation id is that of the message it answers."""
    return write_envelope("ResponseMessage", _header(sending, "reply"), reply=write_answer(answer))


def encode_request(document: OrderDocument, sending: Sending, zone: ZoneInfo) -> bytes:
    """An order as a partner would send it: what `decode` reads back, field for field."""
    verbs = {"WorkOrderRequested": "create", "WorkOrderChanged": "change", "WorkOrderCancelled": "cancel"}
    properties = properties_of(document) if isinstance(document, OrderContent) else ()
    header = _header(sending, verbs[type(document).__name__], properties)
    return write_envelope("RequestMessage", header, payload=encode_order(document, zone))


def own_faults(data: bytes) -> list[str]:
    """What keeps a message of ours from leaving: each finding of our own schemas."""
    return [f"{found.xpath or '/'}: {found.detail}" for found in faults(data)]


def is_xml(data: bytes) -> bool:
    """Whether bytes look like XML: the first thing in them is `<`, or a mark of UTF-16."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" or data[:2] in {b"\xff\xfe", b"\xfe\xff"}
