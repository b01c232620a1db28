"""Usage points, which every payload writes alike in its own namespace."""

from lxml import etree

from contracts.codes import Scheme
from services.mdm_adapter.dialects.cim_xml.xml import Tree, Writer, first, tree, word
from services.mdm_adapter.dialects.identifiers import scheme_of
from services.mdm_adapter.documents.values import MeteringPoint

SCHEMES = {scheme.value: scheme for scheme in Scheme}
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
    """The usage point below an element, if there is one."""
    usage = first(parent, namespace, "UsagePoint")
    return point_of(tree(usage, namespace)) if usage is not None else None


def point_of(usage: Tree) -> MeteringPoint | None:
    """The same of one that was read; where no scheme is named, the id's shape says it."""
    id_ = word(usage, "mRID")
    if id_ is None:
        return None
    named = (word(usage, "Names", "NameType", "name") or "").lower() if "Names" in usage else ""
    return MeteringPoint(id=id_, scheme=SCHEMES.get(named) or scheme_of(id_))
