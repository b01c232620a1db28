"""Content rules of identifiers that every dialect of orders applies: points, parties, devices, places."""

import re
from collections.abc import Callable, Mapping
from csv import DictReader
from functools import cache
from importlib.resources import files
from io import StringIO
from types import MappingProxyType

from contracts.codes import Scheme
from contracts.ids import is_eic, is_gln, is_gsrn, is_malo, is_market_partner, is_melo, is_resource, order_key
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.documents.order_content import OrderContent
from services.mdm_adapter.documents.values import MeteringPoint, OldDevice, Party
from services.mdm_adapter.partners.profile import StrictIds

# fmt: off
POINTS: Mapping[Scheme, tuple[str, Callable[[str], bool]]] = MappingProxyType({
    Scheme.GSRN: ("D-GSRN-1", is_gsrn),
    Scheme.MALO: ("D-MALO-1", is_malo),
    Scheme.MELO: ("D-MELO-1", is_melo),
    Scheme.NELO: ("D-RES-1",  lambda text: is_resource(text, "E")),
    Scheme.SR:   ("D-RES-1",  lambda text: is_resource(text, "C")),
    Scheme.TR:   ("D-RES-1",  lambda text: is_resource(text, "D")),
})
# fmt: on
_SHAPE_ONLY = {
    Scheme.GSRN: re.compile(r"[0-9]{18}"),
    Scheme.MALO: re.compile(r"[0-9]{11}"),
    Scheme.MELO: re.compile(r"[0-9A-Za-z]{33}"),
}
_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{0,34}")


def scheme_of(point: str) -> Scheme:
    """The scheme that an id has the shape of; what has none is judged as a GSRN."""
    if len(point) == 33:
        return Scheme.MELO
    if len(point) != 11:
        return Scheme.GSRN
    if _SHAPE_ONLY[Scheme.MALO].fullmatch(point):
        return Scheme.MALO
    return {"E": Scheme.NELO, "C": Scheme.SR, "D": Scheme.TR}.get(point[0], Scheme.GSRN)


def order_findings(partner: str, order_no: str) -> list[Finding]:
    """The number must make a key of ours."""
    try:
        order_key(partner, order_no)
    except ValueError as error:
        return [Finding("1.7", "order_no", str(error))]
    return []


def point_findings(point: MeteringPoint, strict: StrictIds) -> list[Finding]:
    """A check digit that is wrong may be waved through by the profile; a placeholder never is."""
    rule, holds = POINTS[point.scheme]
    if holds(point.id):
        return []
    shape = _SHAPE_ONLY.get(point.scheme)
    lenient = getattr(strict, point.scheme.value, "reject") == "warn"
    code = f"{point.scheme.value.upper()}_CHECK_DIGIT" if lenient and shape and shape.fullmatch(point.id) else "2.12"
    return [Finding(code, "metering_point", f"not a {point.scheme.value}", rule=rule)]


def is_warning(finding: Finding) -> bool:
    """Whether the item is taken all the same."""
    return finding.code.isupper() and not finding.code.startswith("D-")


def party_findings(party: Party, strict: StrictIds) -> list[Finding]:
    """A party is a GLN, a market partner or an EIC, by its shape."""
    if is_gln(party.id) or is_market_partner(party.id) or is_eic(party.id):
        return []
    if re.fullmatch(r"[0-9]{13}", party.id) and strict.mp == "warn":
        return [Finding("MP_CHECK_DIGIT", f"party.{party.role}", "the check digit fits neither rule", rule="D-MP-1")]
    return [Finding("2.14", f"party.{party.role}", "neither GLN, market partner nor EIC", rule="D-MP-1")]


def is_serial(text: str) -> bool:
    """D-DEV-1: devices of others may be called almost anything."""
    return _SERIAL.fullmatch(text) is not None


def device_findings(device: OldDevice) -> list[Finding]:
    """Old devices of others may be called almost anything."""
    if is_serial(device.serial):
        return []
    return [Finding("2.4", "old_device", "a serial has 1 to 35 letters, digits, dots, dashes", rule="D-DEV-1")]


@cache
def device_types() -> frozenset[str]:
    """The codes of the device types that we install."""
    text = (files("contracts") / "device_types.csv").read_text("utf-8")
    return frozenset(row["code"] for row in DictReader(StringIO(text)))


def content_findings(partner: str, content: OrderContent, strict: StrictIds) -> list[Finding]:
    """Everything that the identifiers of an order break, not only the first."""
    found = order_findings(partner, content.order_no)
    if content.metering_point:
        found += point_findings(content.metering_point, strict)
    for party in content.parties or ():
        found += party_findings(party, strict)
    for device in content.old_devices or ():
        found += device_findings(device)
    if content.device_type is not None and content.device_type not in device_types():
        found.append(Finding("1.7", "device_type", "not one of our device types", rule="D-OWN-3"))
    if content.window_from and content.window_to and content.window_from > content.window_to:
        found.append(Finding("1.7", "window", "ends before it begins"))
    return found
