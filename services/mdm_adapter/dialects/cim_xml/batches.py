"""Files of many orders, read record by record in the memory of one: first judged as a whole, then taken."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from lxml import etree

from kit.csvs import write_csv
from kit.errors import Invalid
from services.mdm_adapter.dialects.cim_xml.envelope import ENVELOPES, PAYLOADS, judged, of_schema, read_header
from services.mdm_adapter.dialects.cim_xml.orders import Reader, reader
from services.mdm_adapter.dialects.cim_xml.parsing import (
    HARDENED,
    XmlFinding,
    XmlRefused,
    route,
    scan_prolog,
    syntax_finding,
    validate,
)
from services.mdm_adapter.dialects.cim_xml.xml import MESSAGE, ORDERS, text
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Item
from services.mdm_adapter.dialects.sending import BERLIN
from services.mdm_adapter.partners.profile import Profile, Strict

RECORD_BYTES = 1_000_000
"""A record that is longer refuses its file: it is what a reader must hold at once."""
KEPT_FAULTS = 10_000
CHUNK = 32_768
HEADER, RECORD = f"{{{MESSAGE}}}Header", f"{{{ORDERS}}}ServiceOrder"
PLACE = (f"{{{ORDERS}}}ServiceOrders", f"{{{MESSAGE}}}Payload", f"{{{MESSAGE}}}RequestMessage")
SCHEMA = PAYLOADS[ORDERS, "ServiceOrders"].schema


class BatchRefused(Invalid):
    """A file cannot be taken at all."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._findings = tuple(findings)
        super().__init__(f"{self._findings[0].code}: {self._findings[0].detail}")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Why."""
        return self._findings


@dataclass(slots=True)
class Surveyed:
    """What the first pass found. With findings the file is refused as a whole."""

    records: int = 0
    findings: list[Finding] = field(default_factory=list)
    refused: int = 0
    faults: list[Item] = field(default_factory=list)
    """Records that are refused, the first 10,000 of them."""

    @property
    def error_file(self) -> bytes:
        """One row per refused record and finding."""
        rows = [
            (each.row or 0, each.order_no, found.line or "", found.position, found.code, found.detail)
            for each in self.faults
            for found in each.findings
        ]
        return write_csv(("row", "order_no", "line", "position", "code", "detail"), rows)


def survey(source: BinaryIO, profile: Profile | None, now: datetime | None) -> Surveyed:
    """First pass: everything that is wrong, and nothing else is kept."""
    seen = Surveyed()
    try:
        for item in records(source, profile, now):
            seen.records += 1
            if item.findings:
                seen.refused += 1
                seen.faults += [item] if len(seen.faults) < KEPT_FAULTS else []
    except BatchRefused as refused:
        seen.findings = list(refused.findings)
    return seen


def taken(
    source: BinaryIO, profile: Profile | None, now: datetime | None, surveyed: Surveyed, *, atomic: bool = True
) -> Iterator[Item]:
    """Second pass: the good records; none at all of a file that is refused, or atomic and not wholly good."""
    if not surveyed.findings and not (atomic and surveyed.refused):
        yield from (item for item in records(source, profile, now) if not item.findings)


def records(source: BinaryIO, profile: Profile | None, now: datetime | None) -> Iterator[Item]:
    """Every order of a file with its row, from 1; a bad one has findings. Raises BatchRefused for the file itself."""
    try:
        yield from _records(source, profile, now)
    except etree.XMLSyntaxError as error:
        raise BatchRefused([of_schema(syntax_finding(error))]) from error
    except XmlRefused as refused:
        raise BatchRefused(map(of_schema, refused.findings)) from refused


def _records(source: BinaryIO, profile: Profile | None, now: datetime | None) -> Iterator[Item]:
    watched, row, read = _Watched(source), 0, None
    parser = etree.iterparse(watched, events=("end",), tag=(HEADER, RECORD), **HARDENED)
    for _, element in parser:
        watched.at_rest()
        if element.tag == HEADER:
            read = read or _reader(element, profile, now)
            continue
        row += 1
        yield _item(element, row, _placed(element, read))
        _free(element)
    _judge_rest(parser.root, row)


class _Watched:
    """A file whose prolog was looked at, and that refuses to go on when nothing of it is finished for too long."""

    def __init__(self, source: BinaryIO) -> None:
        source.seek(0)
        scan_prolog(islice(iter(lambda: source.read(CHUNK), b""), RECORD_BYTES // CHUNK))
        source.seek(0)
        self._source, self._since = source, 0

    def read(self, size: int) -> bytes:
        chunk = self._source.read(size)
        self._since += len(chunk)
        if self._since > RECORD_BYTES:
            raise XmlRefused(XmlFinding("TOO_LARGE", f"a record has more than {RECORD_BYTES} bytes"))
        return chunk

    def at_rest(self) -> None:
        """Something is finished; what was read for it may go."""
        self._since = 0


def _reader(header: etree._Element, profile: Profile | None, now: datetime | None) -> Reader:
    """What reads a record below this header. Raises BatchRefused with all that is wrong with the header."""
    said, root = read_header(header), header.getparent()
    kind = str(root.tag).rpartition("}")[2] if root is not None else ""  # a prefix that nobody declared stays in it
    if kind != "RequestMessage":
        raise XmlRefused(XmlFinding("SCHEMA", "a file of orders is a RequestMessage", xpath=f"/{kind}"))
    if wrong := judged(kind, said, profile, now):
        raise BatchRefused(wrong)
    strict, zone = (profile.strict, profile.zone) if profile else (Strict(), BERLIN)
    return reader(said, profile.id if profile else "", strict.ids, zone)


def _placed(record: etree._Element, read: Reader | None) -> Reader:
    """A record lies in its place, behind the header, among its own kind."""
    above = tuple(each.tag for each in record.iterancestors())
    if above != PLACE or read is None:
        raise XmlRefused(
            XmlFinding("SCHEMA", "an order lies in RequestMessage/Payload/ServiceOrders, after the Header")
        )
    if any(each.tag != RECORD for each in record.itersiblings(preceding=True)):
        raise XmlRefused(XmlFinding("SCHEMA", "something else lies between the orders"))
    return read


def _item(record: etree._Element, row: int, read: Reader) -> Item:
    if wrong := validate(record, SCHEMA):
        number = text(record, ORDERS, "mRID") or ""
        return Item(number, None, [of_schema(found) for found in wrong], row=row)
    return replace(read(record), row=row)


def _free(record: etree._Element) -> None:
    """The record and everything before it give their memory back."""
    parent = record.getparent()
    record.clear()
    while parent is not None and record.getprevious() is not None:
        del parent[0]


def _judge_rest(root: etree._Element, rows: int) -> None:
    """What is left when every record is gone is an envelope like any other."""
    route(root, ENVELOPES)
    orders = root.find("/".join((*reversed(PLACE[:2]),)))
    if not rows or orders is None or any(each.tag != RECORD for each in orders):
        raise XmlRefused(XmlFinding("SCHEMA", "a file of orders holds orders, and nothing between them"))
