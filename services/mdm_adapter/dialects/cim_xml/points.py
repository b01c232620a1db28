"""Usage points, which every payload writes alike in its own namespace."""

from lxml import etree

from contracts.codes import Scheme
from services.mdm_adapter.dialects.cim_xml.order_fields import SCHEMES
from services.mdm_adapter.dialects.cim_xml.xml import Writer, first, text
from services.mdm_adapter.dialects.identifiers import scheme_of
from services.mdm_adapter.documents.values import MeteringPoint

LABELS = {Scheme.MELO: "MeLo", Scheme.MALO: "MaLo"}


def write_point(parent: Writer, point: MeteringPoint) -> None:
    """A usage point; schemes that the id does not show by itself are named."""
    usage = parent.inside("UsagePoint")
    usage.leaf("mRID", point.id)
    if point.scheme is not Scheme.GSRN:
        names = usage.inside("Names")
        names.leaf("name", point.id)
        names.inside("NameType").leaf("name", LABELS.get(point.scheme, point.scheme.value.upper()))


def read_point(parent: etree._Element, namespace: str) -> MeteringPoint | None:
    """The usage point below an element, if there is one; where no scheme is named, the id's shape says it."""
    usage = first(parent, namespace, "UsagePoint")
    id_ = text(usage, namespace, "mRID")
    if id_ is None:
        return None
    named = text(usage, namespace, "Names/NameType/name") or ""
    return MeteringPoint(id=id_, scheme=SCHEMES.get(named.lower()) or scheme_of(id_))
