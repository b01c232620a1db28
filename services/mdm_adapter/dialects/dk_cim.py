"""The Danish hub's CIM documents, as far as checking them: schemas come from configuration, content is judged here."""

from collections.abc import Mapping
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


def is_document(root: etree._Element) -> bool:
    """Whether the root has the shape of such a document, known or not."""
    return etree.QName(root).localname.endswith(DOCUMENT)


def key_fields(root: etree._Element) -> dict[str, str]:
    """What identifies the document and what it is about."""
    said: dict[str, str] = {}
    for name, paths in FIELDS.items():
        texts = [(root.findtext(path) or "").strip() for path in paths]
        if value := next(filter(None, texts), ""):
            said[name] = value
    return said


def content_findings(root: etree._Element) -> list[Finding]:
    """Parties and points of a document that its schema has passed: every record, all that is wrong."""
    said, found = key_fields(root), list[Finding]()
    for party in ("sender", "receiver"):
        id_ = said.get(party, "")
        if not (is_gln(id_) or is_market_partner(id_) or is_eic(id_)):
            found.append(Finding(codes.SOURCE, party, "neither GLN, market partner nor EIC", rule="D-MP-1"))
    points = [(element.text or "").strip() for path in FIELDS["metering_point"] for element in root.iterfind(path)]
    found += [
        Finding(codes.POINT, "metering_point", "not a GSRN", rule="D-GSRN-1") for point in points if not is_gsrn(point)
    ]
    return found


def warnings(root: etree._Element) -> list[Finding]:
    """What strikes the eye in a document that is refused for another reason."""
    point = key_fields(root).get("metering_point", "")
    if len(point) == 18 and point.isdigit() and not is_gsrn(point):
        return [Finding("GSRN_CHECK_DIGIT", "metering_point", "the check digit is wrong", rule="D-GSRN-1")]
    return []
