"""A stored message as people read it: its lines beside what it says to the hub, what is wrong marked at its place."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from kit.jsons import Unreadable
from services.mdm_adapter.checking import Verdict, check
from services.mdm_adapter.dialects.cim_xml import messages as cim_xml
from services.mdm_adapter.dialects.cim_xml.envelope import open_envelope
from services.mdm_adapter.dialects.cim_xml.parsing import XmlRefused
from services.mdm_adapter.dialects.cim_xml.reports import decode_completed, decode_not_completed
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Decoded
from services.mdm_adapter.dialects.json_ce import messages as json_ce
from services.mdm_adapter.dialects.layout import Line, lines_of, marked
from services.mdm_adapter.dialects.reading import decode
from services.mdm_adapter.documents.places import flat
from services.mdm_adapter.documents.values import Value
from services.mdm_adapter.partners.profile import Profile

FIELDS = 2_000
"""Most canonical fields of one message that are shown."""


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical field: which document of the message, its place in it, what it says, what is wrong with it."""

    document: str
    place: str
    value: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A message laid out."""

    verdict: Verdict
    lines: list[Line]
    fields: list[Field]
    elsewhere: list[Finding]
    """Findings that stand at no line and no field: what is missing, and what the message is as a whole."""


def shown(data: bytes, profile: Profile | None, at: datetime, *, is_ours: bool = False) -> Shown:
    """Lay a message out, judged as of a time; whatever the bytes are, this ends. Pure.

    What is ours was not sent by the partner: it is judged as anybody would who does not know us.
    """
    verdict = check(data, None if is_ours else profile, None, at)
    found = [*([verdict.core_finding] if verdict.core_finding else []), *verdict.findings, *verdict.warnings]
    lines, homeless = marked(lines_of(data, verdict.dialect), found)
    fields, homeless = _with_findings(list(_fields(data, profile, at, verdict, is_ours))[:FIELDS], homeless)
    return Shown(verdict, lines, fields, homeless)


def _fields(data: bytes, profile: Profile | None, at: datetime, verdict: Verdict, is_ours: bool) -> Iterator[Field]:
    """What the message says: its documents, else the key fields that could be read of it."""
    in_xml = is_ours and verdict.dialect == cim_xml.NAME
    documents = list(_reports(data) if in_xml else _documents(data, profile, at))
    for name, document in documents:
        yield from (Field(name, place, value) for place, value in flat(document).items())
    if not documents:
        yield from (Field("message", name, str(value)) for name, value in verdict.key_fields.items())


def _documents(data: bytes, profile: Profile | None, at: datetime) -> Iterator[tuple[str, Value]]:
    decoded = decode(data, profile, at) if profile else None
    if decoded and decoded.noun in json_ce.REPORTS:
        try:
            report = json_ce.decode_report(data)
        except (Unreadable, ValueError):
            return
        yield type(report).__name__, report
    elif decoded:
        yield from _said(decoded)


def _reports(data: bytes) -> Iterator[tuple[str, Value]]:
    """A report of ours in XML, as its receivers read it."""
    try:
        envelope = open_envelope(data, None, None)
        if envelope.payload is None or envelope.header is None:
            return
        report: Value
        if envelope.kind == "EventMessage":
            report = decode_not_completed(envelope.payload, envelope.header.properties)
        else:
            report = decode_completed(envelope.payload)
    except (XmlRefused, ValueError):
        return
    yield type(report).__name__, report


def _said(decoded: Decoded) -> Iterator[tuple[str, Value]]:
    for number, item in enumerate(decoded.items, 1):
        at = f" {item.row or number}" if len(decoded.items) > 1 else ""
        for document in filter(None, (item.document, item.answer, item.corrected)):
            yield f"{type(document).__name__}{at}", document
    for document in filter(None, (decoded.answer, decoded.corrected)):
        yield type(document).__name__, document


def _with_findings(fields: list[Field], findings: list[Finding]) -> tuple[list[Field], list[Finding]]:
    """Some findings name a canonical field instead of a place in the bytes."""
    homeless, words = list[Finding](), dict[int, tuple[str, ...]]()
    for finding in findings:
        at = next((number for number, field in enumerate(fields) if _is_of(field, finding.position)), None)
        if at is None:
            homeless.append(finding)
        else:
            words[at] = (*words.get(at, ()), f"{finding.code} {finding.detail}".strip())
    return [
        Field(field.document, field.place, field.value, words.get(number, ())) for number, field in enumerate(fields)
    ], homeless


def _is_of(field: Field, position: str) -> bool:
    """Whether a finding means a field, or the whole that it is a part of."""
    return field.place == position or (position != "" and field.place.startswith(f"{position}."))


def as_members(finding: Finding) -> dict[str, str]:
    """A finding for a problem or a view: only what it says."""
    said = {name: value for name, value in asdict(finding).items() if value not in (None, "")}
    return {name: str(value) for name, value in said.items() if name in {"code", "position", "detail", "rule", "line"}}
