"""The verdict on a file without any effect: what `hub check` and the desk of operators show."""

import codecs
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lxml import etree

from services.mdm_adapter.dialects import dk_cim, dk_ebix
from services.mdm_adapter.dialects.cim_xml import codes, messages
from services.mdm_adapter.dialects.cim_xml.envelope import ENVELOPES
from services.mdm_adapter.dialects.cim_xml.parsing import MESSAGE_BYTES, XmlRefused, parse, route
from services.mdm_adapter.dialects.cim_xml.schema_sets import XS, SchemaRefused, SchemaSet, declared, is_schema
from services.mdm_adapter.dialects.csv import files as csv
from services.mdm_adapter.dialects.edifact_fv import checking as edifact
from services.mdm_adapter.dialects.edifact_fv.syntax import is_edifact
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Decoded, Kind
from services.mdm_adapter.dialects.json_ce import messages as json_ce
from services.mdm_adapter.dialects.packing import unpacked
from services.mdm_adapter.documents.order_content import OrderContent, missing_place
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.partners.profile import Profile

WSDL = "http://schemas.xmlsoap.org/wsdl/"
NOT_JUDGED, UNREGISTERED = "n/a", "no schema registered"
# key field: path of local names in a message of the order contract
FIELDS = {
    "message_id": "Header/MessageID",
    "correlation_id": "Header/CorrelationID",
    "verb": "Header/Verb",
    "metering_point": "Payload/ServiceOrders/ServiceOrder/Work/WorkTask/UsagePoint/mRID",
    "new_serial": "Payload/ServiceOrders/ServiceOrder/Work/WorkTask/Assets/serialNumber",
    "old_serial": "Payload/ServiceOrders/ServiceOrder/Work/WorkTask/OldAsset/serialNumber",
    "customer_phone": "Payload/ServiceOrders/ServiceOrder/Work/Customers/phone/ituPhone",
    "result": "Reply/Result",
    "code": "Reply/Error/code",
}
PROPERTIES = {"plan": "plan", "legal_basis": "legal_basis", "party.nb": "party_nb", "party.lf": "party_lf"}


REFUSALS = frozenset({"reject", "aperak_313", "contrl_4", "quarantine"})


@dataclass(frozen=True)
class Verdict:
    """What a file is, and what its sender would be told.

    `content` is accept, reject, read_positive, read_negative; of EDIFACT aperak_312, aperak_313, contrl_4, read_…,
    operator (an acknowledgement that cannot be used), quarantine (nobody may be answered); n/a is no verdict.
    """

    dialect: str
    content: str
    root_namespace: str = ""
    root_name: str = ""
    noun: str = ""
    well_formed: bool = True
    schema: str = NOT_JUDGED
    findings: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    key_fields: dict[str, Any] = field(default_factory=dict)
    records: int = 0
    """Orders that would be taken."""
    core: str = NOT_JUDGED
    """Syntax and envelope of EDIFACT: ok or reject."""
    core_finding: Finding | None = None
    message: str = ""
    pid: str = ""
    version: str = ""

    @property
    def exit_code(self) -> int:
        """0 accepted, also with warnings, and for acknowledgements, which nobody refuses; 1 refused."""
        return int(not self.well_formed or self.core == "reject" or self.content in REFUSALS)

    def as_json(self, file: str = "") -> str:
        """The verdict for machines: the columns of the samples' manifests, and the findings with their words."""
        core = self.core_finding
        members = {
            "file": file,
            "dialect": self.dialect,
            "message": self.message,
            "pid": self.pid,
            "version": self.version,
            "noun": self.noun,
            "root_namespace": self.root_namespace,
            "root_name": self.root_name,
            "well_formed": "yes" if self.well_formed else "no",
            "xsd_verdict": self.schema,
            "core_verdict": self.core,
            "core_code": core.code if core else "",
            "core_position": core.position if core else "",
            "content_verdict": self.content,
            "content_codes": ";".join(found.code for found in self.findings),
            "content_positions": ";".join(found.position for found in self.findings if found.position),
            "warnings": ";".join(found.code for found in self.warnings),
            "key_fields": self.key_fields,
            "records": self.records,
            "findings": [asdict(found) for found in (*([core] if core else []), *self.findings)],
            "exit_code": self.exit_code,
        }
        return json.dumps(members, ensure_ascii=False)


def check(
    data: bytes,
    profile: Profile | None = None,
    schemas_dir: Path | None = None,
    as_of: datetime | None = None,
    beside: Path | None = None,
) -> Verdict:
    """Judge a file as it would be judged if it came from this partner; nothing is stored, nothing is sent.

    Without a profile the strictest rules hold, and no sender is wrong. `schemas_dir` adds roots of other dialects.
    `as_of` is when EDIFACT is received, now if it is left out. `beside`: the folder in which the file lies; a file that
    is a schema itself may import those beside it. Raises SchemaRefused where `schemas_dir` cannot be used.
    """
    data, packed = unpacked(data, profile.limits.message_bytes if profile else MESSAGE_BYTES)
    if packed is not None:
        return Verdict("gzip", "quarantine", findings=[packed])
    if is_edifact(data):
        return _check_edifact(data, profile, as_of or datetime.now(UTC))
    if json_ce.is_json(data):
        return _check_json(data, profile)
    if not messages.is_xml(data) and (profile is None or profile.speaks(csv.NAME, None)):
        return _check_csv(data, profile)
    warnings = [Finding("BOM", "/", "begins with a byte order mark")] if data.startswith(codecs.BOM_UTF8) else []
    try:
        root = parse(data)
    except XmlRefused as refused:
        found = [
            Finding(codes.UNREADABLE, each.xpath or f"line {each.line}", each.detail, each.line, each.code)
            for each in refused.findings
        ]
        formed = all(each.rule != "NOT_WELL_FORMED" for each in found)
        return Verdict(messages.NAME, "reject", well_formed=formed, findings=found, warnings=warnings)
    if (etree.QName(root).namespace, etree.QName(root).localname) in ENVELOPES:
        return _check_cim(data, root, profile, warnings)
    if is_schema(root):
        return _check_schema(data, root, beside, warnings)
    return _check_other(root, schemas_dir, warnings)


def _check_edifact(data: bytes, profile: Profile | None, as_of: datetime) -> Verdict:
    found = edifact.check(data, as_of, profile)
    first = found.first
    return Verdict(
        edifact.NAME,
        str(found.content),
        findings=list(found.findings),
        warnings=[Finding(code, "", "") for code in found.warnings],
        key_fields=found.key_fields,
        core="reject" if found.core else "ok",
        core_finding=found.core,
        message=first.type if first else "",
        pid=found.pid,
        version=first.version if first else "",
    )


def _check_cim(data: bytes, root: etree._Element, profile: Profile | None, warnings: list[Finding]) -> Verdict:
    decoded = messages.decode(data, profile, None)
    findings = [*decoded.findings, *(found for item in decoded.items for found in item.findings)]
    findings += [found for item in decoded.items if not item.findings for found in _place(item.document, profile)]
    content = "reject" if findings else "accept"
    if decoded.kind in {Kind.ANSWER, Kind.FAULT} and decoded.reply and not findings:
        content = "read_negative" if decoded.reply.result == "FAILED" else "read_positive"
        findings = [Finding(error.code, "", error.reason or "") for error in decoded.reply.errors]
    of_schema = any(found.rule == "SCHEMA" for found in decoded.findings)
    return Verdict(
        messages.NAME,
        content,
        root_namespace=etree.QName(root).namespace or "",
        root_name=etree.QName(root).localname,
        noun=decoded.noun or "",
        schema="invalid" if of_schema else "valid",
        findings=findings,
        warnings=[*warnings, *decoded.warnings, *(found for item in decoded.items for found in item.warnings)],
        key_fields=_key_fields(root, decoded),
        records=0 if decoded.findings else sum(not item.findings for item in decoded.items),
    )


def _place(document: object, profile: Profile | None) -> list[Finding]:
    """An order needs address and area, from itself or from the partner's defaults."""
    if not isinstance(document, WorkOrderRequested):
        return []
    full: OrderContent = document.filled(profile.defaults.content()) if profile else document
    missing = missing_place(full.location)
    return [Finding(codes.PLACE, each.field, f"missing: {', '.join(each.names)}") for each in missing]


def _key_fields(root: etree._Element, decoded: Decoded) -> dict[str, str]:
    said = {"kind": etree.QName(root).localname}
    for name, path in FIELDS.items():
        value = root.findtext("/".join(f"{{*}}{step}" for step in path.split("/")))
        if value and value.strip():
            said[name] = value.strip()
    for element in root.iterfind("{*}Header/{*}Property"):
        name = element.findtext("{*}Name") or ""
        if name in PROPERTIES:
            said[PROPERTIES[name]] = element.findtext("{*}Value") or ""
    order = next(iter(decoded.orders), None) or root.findtext("{*}Reply/{*}Error/{*}ID")
    if order:
        said["order"] = order
    document = decoded.items[0].document if decoded.items else None
    place = document.location if isinstance(document, OrderContent) else None
    if place and place.street:
        said["address"] = f"{place.street} {place.number}, {place.postcode} {place.city}, {place.country}"
        said["area"] = f"{place.postcode};{place.municipality};{place.stage or ''}"
    return said


def _check_other(root: etree._Element, schemas_dir: Path | None, warnings: list[Finding]) -> Verdict:
    """A root that is not of the order contract: known by configuration, or refused by its name."""
    name = etree.QName(root)
    is_dk = dk_cim.is_document(root)
    seen = Verdict(
        "dk_cim" if is_dk else "unknown",
        "accept",
        root_namespace=name.namespace or "",
        root_name=name.localname,
        noun=name.localname if is_dk else "",
        schema="valid",
        warnings=warnings,
        key_fields=dk_cim.key_fields(root) if is_dk else {},
    )
    if name.namespace == WSDL:
        return replace(seen, content=NOT_JUDGED, schema=NOT_JUDGED)
    if name.namespace == dk_ebix.SOAP:
        return _check_soap(root, seen)
    try:
        route(root, {**ENVELOPES, **(SchemaSet.of_folder(schemas_dir).registry() if schemas_dir else {})})
    except XmlRefused as refused:
        schema = {"NAMESPACE": UNREGISTERED, "NOUN": "no root declaration"}.get(refused.findings[0].code, "invalid")
        findings = [
            Finding(codes.reply_code(each.code), each.xpath or "/", each.detail, each.line, each.code)
            for each in refused.findings
        ]
        more = dk_cim.warnings(root) if is_dk else []
        return replace(seen, content="reject", schema=schema, findings=findings, warnings=[*warnings, *more])
    return _judged_document(dk_cim.decode(root), seen) if is_dk else replace(seen, records=1)


def _judged_document(document: dk_cim.MarketDocument, seen: Verdict) -> Verdict:
    """A document of the Danish hub that its schema has passed: refused, taken, or an answer that is read."""
    if findings := dk_cim.content_findings(document):
        return replace(seen, content="reject", findings=findings)
    if document.is_negative is None:
        return replace(seen, records=len(document.records))
    reasons = [Finding(code, "", text) for record in document.records for code, text in record.reasons]
    return replace(seen, content="read_negative" if document.is_negative else "read_positive", findings=reasons)


def _check_soap(root: etree._Element, seen: Verdict) -> Verdict:
    """A document in SOAP is named; its dialect does not exist yet."""
    document = dk_ebix.document_in(root)
    found = replace(seen, dialect="dk_ebix", content=NOT_JUDGED, schema=UNREGISTERED)
    if document is None:
        return found
    return replace(found, noun=etree.QName(document).localname, key_fields=dk_ebix.key_fields(document))


def _check_schema(data: bytes, root: etree._Element, beside: Path | None, warnings: list[Finding]) -> Verdict:
    """A schema: whether it compiles with those beside it. It is about the one root that it declares."""
    names = declared(root)
    seen = Verdict(
        "xsd",
        NOT_JUDGED,
        root_namespace=XS,
        root_name="schema",
        noun=names[0] if len(names) == 1 else "",
        schema="compiles",
        warnings=warnings,
    )
    try:
        parts = SchemaSet.of_folder(beside, but=data) if beside else SchemaSet({})
        parts.beside("this", root).compiled(root.get("targetNamespace", ""))
    except SchemaRefused as refused:
        found = Finding(codes.UNREADABLE, "/schema", str(refused), rule="SCHEMA")
        return replace(seen, content="reject", schema="invalid", findings=[found])
    return seen


def _check_json(data: bytes, profile: Profile | None) -> Verdict:
    """A message in JSON; reports of ours are read as well, as their receivers do."""
    if companion := json_ce.companion_of(data):
        return Verdict(json_ce.NAME, NOT_JUDGED, message=companion)
    decoded = json_ce.decode(data, profile, None)
    if decoded.kind is Kind.OTHER and decoded.noun in json_ce.REPORTS:
        faults = [Finding(codes.PAYLOAD, place, "") for place in json_ce.own_faults(data)]
        return Verdict(json_ce.NAME, "reject" if faults else "accept", noun=decoded.noun, findings=faults)
    found = list(decoded.findings)
    for item in decoded.items:
        found += item.findings or _place(item.document, profile)
    negative = decoded.noun == "rejected"
    read = ("read_negative" if negative else "read_positive") if decoded.kind is Kind.ANSWER else "accept"
    return Verdict(
        json_ce.NAME,
        "reject" if found else read,
        noun=decoded.noun or "",
        well_formed=not any(each.code == codes.UNREADABLE for each in found),
        schema="invalid" if found else "valid",
        findings=found,
        warnings=[each for item in decoded.items for each in item.warnings],
        key_fields={
            name: value
            for name, value in (
                ("message_id", decoded.message_id),
                ("correlation_id", decoded.correlation_id),
                ("order", next(iter(decoded.orders), None)),
            )
            if value
        },
        records=len(decoded.items) if not found else 0,
    )


def _check_csv(data: bytes, profile: Profile | None) -> Verdict:
    decoded = csv.decode(data, profile)
    findings, records = list(decoded.findings), 0
    for item in decoded.items:
        faults = item.findings or _place(item.document, profile)
        findings += [
            Finding(each.code, f"row {item.row}, {each.position}", each.detail, each.line, each.rule) for each in faults
        ]
        records += not faults
    warnings = [found for item in decoded.items for found in item.warnings]
    content = "reject" if findings else "accept"
    return Verdict(csv.NAME, content, schema=NOT_JUDGED, findings=findings, warnings=warnings, records=records)
