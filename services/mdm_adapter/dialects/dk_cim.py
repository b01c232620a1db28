"""The Danish hub's CIM documents, read and judged record by record; their schemas come from configuration."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lxml import etree

from contracts.ids import is_eic, is_gln, is_gsrn, is_market_partner
from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.findings import Finding

DOCUMENT = "_MarketDocument"
_RECORD = "{*}MktActivityRecord"
# fmt: off
FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "document_id":    ("{*}mRID",),
    "type":           ("{*}type",),
    "process":        ("{*}process.processType",),
    "sender":         ("{*}sender_MarketParticipant.mRID",),
    "receiver":       ("{*}receiver_MarketParticipant.mRID",),
    "result":         ("{*}reason.code",),
    "transaction_id": (f"{_RECORD}/{{*}}mRID",),
    "effective_at":   (f"{_RECORD}/{{*}}validityStart_DateAndOrTime.dateTime",),
    "metering_point": (f"{_RECORD}/{{*}}MarketEvaluationPoint/{{*}}mRID",
                       f"{_RECORD}/{{*}}marketEvaluationPoint.mRID"),
    "meter":          (f"{_RECORD}/{{*}}MarketEvaluationPoint/{{*}}meter.mRID",),
})
# fmt: on
TRANSACTION_ID = 36
"""Characters of the longest one."""
ANSWER, NO = "E59", "A02"


@dataclass(frozen=True, slots=True)
class Record:
    """One transaction of a document; texts as they are, absent ones empty."""

    transaction_id: str
    original_id: str
    metering_point: str
    meter: str
    effective_at: str
    reasons: tuple[tuple[str, str], ...]
    """Codes with their texts."""


@dataclass(frozen=True, slots=True)
class MarketDocument:
    """A request (type E58), an answer to one (E59: A01 yes, A02 no), or a notification."""

    id: str
    type: str
    process: str
    sender: str
    receiver: str
    result: str
    records: tuple[Record, ...]

    @property
    def is_negative(self) -> bool | None:
        """Whether it is a no; None where it is no answer."""
        return None if self.type != ANSWER else self.result == NO


def is_document(root: etree._Element) -> bool:
    """Whether the root has the shape of such a document, known or not."""
    return str(root.tag).endswith(DOCUMENT)


def key_fields(root: etree._Element) -> dict[str, str]:
    """What identifies the document and what it is about."""
    said: dict[str, str] = {}
    for name, paths in FIELDS.items():
        texts = [(root.findtext(path) or "").strip() for path in paths]
        if value := next(filter(None, texts), ""):
            said[name] = value
    return said


def decode(root: etree._Element) -> MarketDocument:
    """A document that its schema has passed."""
    said = key_fields(root)
    return MarketDocument(
        id=said.get("document_id", ""),
        type=said.get("type", ""),
        process=said.get("process", ""),
        sender=said.get("sender", ""),
        receiver=said.get("receiver", ""),
        result=said.get("result", ""),
        records=tuple(_record(element) for element in root.iterfind(_RECORD)),
    )


def _record(element: etree._Element) -> Record:
    def text(*names: str) -> str:
        return next((found for name in names if (found := (element.findtext(name) or "").strip())), "")

    return Record(
        transaction_id=text("{*}mRID"),
        original_id=text("{*}originalTransactionIDReference_MktActivityRecord.mRID"),
        metering_point=text("{*}MarketEvaluationPoint/{*}mRID", "{*}marketEvaluationPoint.mRID"),
        meter=text("{*}MarketEvaluationPoint/{*}meter.mRID"),
        effective_at=text("{*}validityStart_DateAndOrTime.dateTime"),
        reasons=tuple(
            ((each.findtext("{*}code") or "").strip(), (each.findtext("{*}text") or "").strip())
            for each in element.iterfind("{*}Reason")
        ),
    )


def content_findings(document: MarketDocument) -> list[Finding]:
    """Parties, points and transactions of every record: all that is wrong."""
    found = list[Finding]()
    for party, id_ in (("sender", document.sender), ("receiver", document.receiver)):
        if not (is_gln(id_) or is_market_partner(id_) or is_eic(id_)):
            found.append(Finding(codes.SOURCE, party, "neither GLN, market partner nor EIC", rule="D-MP-1"))
    for record in document.records:
        must_be_named = document.is_negative is None
        if (record.metering_point or must_be_named) and not is_gsrn(record.metering_point):
            found.append(Finding(codes.POINT, "metering_point", "not a GSRN", rule="D-GSRN-1"))
    return [*found, *_of_transactions(document.records)]


def _of_transactions(records: tuple[Record, ...]) -> Iterator[Finding]:
    """Ids are short enough, and none is used twice."""
    for id_, count in Counter(record.transaction_id for record in records).items():
        if len(id_) > TRANSACTION_ID:
            yield Finding(codes.PAYLOAD, "transaction_id", f"more than {TRANSACTION_ID} characters")
        if count > 1:
            yield Finding(codes.PAYLOAD, "transaction_id", f"used {count} times")


def warnings(root: etree._Element) -> list[Finding]:
    """What strikes the eye in a document that is refused for another reason."""
    point = key_fields(root).get("metering_point", "")
    if len(point) == 18 and point.isdigit() and not is_gsrn(point):
        return [Finding("GSRN_CHECK_DIGIT", "metering_point", "the check digit is wrong", rule="D-GSRN-1")]
    return []
