"""The IEC 61968-100 envelope: four roots, a header, and a reply or a payload; read, judged and written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.cim_xml.parsing import (
    MESSAGE_BYTES,
    Registry,
    XmlFinding,
    XmlRefused,
    parse,
    registry_of,
    route,
)
from services.mdm_adapter.dialects.cim_xml.xml import (
    LINKAGES,
    MESSAGE,
    METERS,
    ORDERS,
    READINGS,
    Writer,
    canonical,
    first,
    instant,
    text,
    texts,
    written,
)
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.reply import Reply, ReplyError
from services.mdm_adapter.partners.profile import Profile

SCHEMAS = Path(__file__).parent / "schemas"
ROOTS = ("RequestMessage", "ResponseMessage", "EventMessage", "FaultMessage")
ENVELOPES: Registry = registry_of((MESSAGE, root, root, SCHEMAS / "message.xsd") for root in ROOTS)
PAYLOADS: Registry = registry_of(
    (namespace, noun, noun, SCHEMAS / file)
    for namespace, noun, file in (
        (ORDERS, "ServiceOrders", "service_orders.xsd"),
        (METERS, "MeterConfig", "meter_config.xsd"),
        (LINKAGES, "MasterDataLinkageConfig", "master_data_linkage_config.xsd"),
        (READINGS, "MeterReadings", "meter_readings.xsd"),
    )
)
OPERATION_SET = "OperationSet"

# fmt: off
VERBS: Mapping[tuple[str, str], frozenset[str]] = {
    ("RequestMessage", "ServiceOrders"):           frozenset({"create", "change", "cancel"}),
    ("EventMessage",   "ServiceOrders"):           frozenset({"changed"}),
    ("RequestMessage", "MeterConfig"):             frozenset({"create", "change"}),
    ("EventMessage",   "MeterConfig"):             frozenset({"changed"}),
    ("RequestMessage", "MasterDataLinkageConfig"): frozenset({"create", "close"}),
    ("EventMessage",   "MasterDataLinkageConfig"): frozenset({"changed"}),
    ("EventMessage",   "MeterReadings"):           frozenset({"created"}),
    ("RequestMessage", OPERATION_SET):             frozenset({"execute"}),
}
# fmt: on
_UNKNOWN_NOUN = frozenset({"create", "change", "cancel", "changed"})
"""What is wrong with such a message is its noun; the verb only where it is none of those in use."""
_OURS = f"{{{MESSAGE}}}"
_WORDS = {
    _OURS + name: name
    for name in (
        *("Verb", "Noun", "Revision", "Context", "Timestamp", "Source", "AckRequired", "MessageID", "CorrelationID"),
        *("Property", "Name", "Value"),
    )
}
_MESSAGE_ID = re.compile(r"[A-Za-z0-9._:{}-]{1,64}")
AHEAD = timedelta(minutes=5)


class Header(NamedTuple):
    """What the header says; texts as they are, absent ones None."""

    verb: str
    noun: str
    revision: str | None = None
    context: str | None = None
    timestamp: datetime | None = None
    source: str | None = None
    ack_required: bool = False
    message_id: str | None = None
    correlation_id: str | None = None
    properties: tuple[tuple[str, str], ...] = ()

    @property
    def correlation(self) -> str | None:
        """What a reply echoes: the correlation id, in a request without one its message id."""
        return self.correlation_id or self.message_id


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message whose form is right, and what is wrong with its header and payload all the same."""

    kind: str
    header: Header | None
    payload: etree._Element | None = None
    ids: tuple[str, ...] = ()
    reply: Reply | None = None
    findings: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)


def open_envelope(data: bytes, profile: Profile | None, now: datetime | None) -> Envelope:
    """Read and validate the envelope, and the payload by its own schema. Raises XmlRefused where nothing can be read.

    Without `now` no timestamp lies in the future; without a profile nobody's name is wrong.
    """
    return opened(parse(data, limit=profile.limits.message_bytes if profile else MESSAGE_BYTES), profile, now)


def opened(root: etree._Element, profile: Profile | None, now: datetime | None) -> Envelope:
    """The same of a tree that the reader has taken."""
    warnings = _aliased(root, profile.xml.aliases if profile else {})
    try:
        route(root, ENVELOPES)
    except XmlRefused as refused:
        header = first(root, MESSAGE, "Header")
        if header is None or etree.QName(root).localname not in ROOTS:
            raise
        findings = [of_schema(found) for found in refused.findings]
        return Envelope(etree.QName(root).localname, read_header(header), None, (), None, findings, warnings)
    kind, parts = etree.QName(root).localname, {child.tag: child for child in root}
    element, reply = parts.get(f"{_OURS}Header"), parts.get(f"{_OURS}Reply")
    header_ = read_header(element) if element is not None else None
    payload, ids, findings = _payload(parts.get(f"{_OURS}Payload"))
    if header_ is not None:
        findings = [*judged(kind, header_, profile, now), *_same_noun(header_, payload), *findings]
    return Envelope(kind, header_, payload, ids, _reply(reply) if reply is not None else None, findings, warnings)


def _aliased(root: etree._Element, aliases: Mapping[str, str]) -> list[Finding]:
    """Read a partner's other spelling of a namespace as the one that is meant."""
    met = set()
    for element in root.iter() if aliases else ():
        name = etree.QName(element)
        if name.namespace in aliases:
            element.tag = f"{{{aliases[name.namespace]}}}{name.localname}"
            met.add(name.namespace)
    return [Finding("NAMESPACE_ALIAS", "/", f"{alias} is read as {aliases[alias]}") for alias in sorted(met)]


def read_header(element: etree._Element) -> Header:
    """What a header says, whether or not its schema has passed it."""
    said, pairs = dict[str, str](), list[dict[str, str]]()
    for child in element.iter():
        name = _WORDS.get(child.tag)
        if name == "Property":
            pairs.append({})
        elif name in {"Name", "Value"} and pairs:
            pairs[-1].setdefault(name, (child.text or "").strip())
        elif name:
            said.setdefault(name, (child.text or "").strip())
    return Header(
        verb=said.get("Verb", ""),
        noun=said.get("Noun", ""),
        revision=said.get("Revision") or None,
        context=said.get("Context") or None,
        timestamp=instant(said.get("Timestamp")),
        source=said.get("Source") or None,
        ack_required=said.get("AckRequired") in {"true", "1"},
        message_id=said.get("MessageID") or None,
        correlation_id=said.get("CorrelationID") or None,
        properties=tuple((pair.get("Name", ""), pair.get("Value", "")) for pair in pairs),
    )


def _all(element: etree._Element, name: str) -> list[etree._Element]:
    return element.findall(f"{{{MESSAGE}}}{name}")


def _reply(element: etree._Element) -> Reply:
    return Reply(
        result=text(element, MESSAGE, "Result") or "",
        errors=tuple(
            ReplyError(
                code=text(error, MESSAGE, "code") or "",
                level=text(error, MESSAGE, "level") or "FATAL",
                reason=text(error, MESSAGE, "reason"),
                ids=tuple(texts(error, MESSAGE, "ID")),
            )
            for error in _all(element, "Error")
        ),
        ids=tuple(texts(element, MESSAGE, "ID")),
    )


def _payload(
    holder: etree._Element | None,
) -> tuple[etree._Element | None, tuple[str, ...], list[Finding]]:
    """The noun below Payload, validated apart from its envelope, and the ids beside it."""
    noun, ids = None, list[str]()
    for child in holder if holder is not None else ():
        match child.tag.removeprefix(_OURS):
            case "ID":
                ids.append((child.text or "").strip())
            case "Compressed":
                return None, (), [Finding(codes.PAYLOAD, "/Payload/Compressed", "compressed payloads are not taken")]
            case "Format":
                pass
            case _:
                noun = child
    if noun is None:
        return None, tuple(ids), []
    if noun.tag == f"{_OURS}{OPERATION_SET}":
        nouns = noun.iterfind(f"{_OURS}Operation/{_OURS}payload/*")
        return noun, tuple(ids), [found for each in nouns for found in _of_noun(each)]
    return noun, tuple(ids), _of_noun(noun)


def _of_noun(noun: etree._Element) -> list[Finding]:
    """What the schema of a payload has against it; places count from the payload."""
    try:
        route(noun, PAYLOADS)
    except XmlRefused as refused:
        return [of_schema(found) for found in refused.findings]
    return []


def of_schema(found: XmlFinding) -> Finding:
    code = codes.VERB if found.detail.startswith("Element 'Verb'") else codes.reply_code(found.code)
    return Finding(code, found.xpath or "/", found.detail, found.line, found.code)


def judged(kind: str, header: Header, profile: Profile | None, now: datetime | None) -> list[Finding]:
    """What the header breaks: all of it, in the order of its elements."""
    found = list[Finding]()
    allowed = frozenset({"reply"}) if kind == "ResponseMessage" else VERBS.get((kind, header.noun), _UNKNOWN_NOUN)
    if header.verb not in allowed:
        found.append(Finding(codes.VERB, "Verb", f"{header.verb} is not for a {kind} to this address"))
    if header.revision and header.revision.split(".")[0] != "1":
        found.append(Finding(codes.VERSION, "Revision", f"revision {header.revision} is not supported"))
    if header.context == "TEST" and profile and profile.live:
        found.append(Finding(codes.HEADER, "Context", "this partner is live, a test is not taken"))
    if header.timestamp is None:
        found.append(Finding(codes.HEADER, "Timestamp", "a time with offset is required"))
    elif now and header.timestamp > now + AHEAD:
        found.append(Finding(codes.HEADER, "Timestamp", "lies in the future"))
    if not header.source:
        found.append(Finding(codes.HEADER, "Source", "is required"))
    elif profile and not profile.is_named(header.source, now.date() if now else None):
        found.append(Finding(codes.SOURCE, "Source", "is not a name of the sender", rule="SENDER_MISMATCH"))
    if not _MESSAGE_ID.fullmatch(header.message_id or ""):
        found.append(Finding(codes.HEADER, "MessageID", "1 to 64 characters A-Z a-z 0-9 . _ : { } - are required"))
    return found


def _same_noun(header: Header, payload: etree._Element | None) -> list[Finding]:
    noun = etree.QName(payload).localname if payload is not None else header.noun
    if noun == header.noun:
        return []
    return [Finding(codes.PAYLOAD, "Noun", f"the header says {header.noun}, the payload is {noun}")]


def write_envelope(
    kind: str, header: Header, *, payload: etree._Element | None = None, reply: Reply | None = None
) -> bytes:
    """Write a message in our one canonical form: UTF-8, prefixes m and s, order of the schema."""
    root = etree.Element(f"{{{MESSAGE}}}{kind}", nsmap={"m": MESSAGE})
    writer = Writer.below(root, MESSAGE)
    _write_header(writer.inside("Header"), header)
    if reply is not None:
        _write_reply(writer.inside("Reply"), reply)
    if payload is not None:
        writer.inside("Payload").element.append(payload)
    return canonical(root)


def _write_header(writer: Writer, header: Header) -> None:
    writer.leaf("Verb", header.verb)
    writer.leaf("Noun", header.noun)
    writer.leaf("Revision", header.revision)
    writer.leaf("Context", header.context)
    writer.leaf("Timestamp", written(header.timestamp) if header.timestamp else None)
    writer.leaf("Source", header.source)
    writer.leaf("AckRequired", "true" if header.ack_required else None)
    writer.leaf("MessageID", header.message_id)
    writer.leaf("CorrelationID", header.correlation_id)
    for name, value in header.properties:
        property_ = writer.inside("Property")
        property_.leaf("Name", name)
        property_.leaf("Value", value)


def _write_reply(writer: Writer, reply: Reply) -> None:
    writer.leaf("Result", reply.result)
    for error in reply.errors:
        inside = writer.inside("Error")
        inside.leaf("code", error.code)
        inside.leaf("level", error.level)
        inside.leaf("reason", error.reason)
        inside.leaf("xpath", error.xpath)
        for id_ in error.ids:
            inside.leaf("ID", id_, kind="name")
    for id_ in reply.ids:
        writer.leaf("ID", id_, kind="name")


def faults(data: bytes) -> list[XmlFinding]:
    """What our own schemas say against a message of ours; nothing leaves with a finding."""
    try:
        root = parse(data)
        route(root, ENVELOPES)
        holder = first(root, MESSAGE, "Payload")
        for noun in holder if holder is not None else ():
            route(noun, PAYLOADS)
    except XmlRefused as refused:
        return list(refused.findings)
    return []
