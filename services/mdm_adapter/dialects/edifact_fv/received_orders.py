"""What the market orders from us, and what it takes back: ORDERS, INSRPT 23001 and IFTSTA 21011, 21013 as documents."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from contracts.codes import DeviceRole, OrderKind, Scheme
from contracts.ids import order_key
from services.mdm_adapter.dialects.edifact_fv import places
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET, day_of
from services.mdm_adapter.dialects.edifact_fv.market_sending import Asked
from services.mdm_adapter.dialects.edifact_fv.order_answers import CHANGE_OF_OPERATOR, FAULT, TECHNIQUE, wanted
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.tables import rows_at
from services.mdm_adapter.dialects.edifact_fv.vorgang import Part, Vorgang, moment
from services.mdm_adapter.dialects.edifact_fv.writing import text_of
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.identifiers import scheme_of
from services.mdm_adapter.documents.values import Customer, Location, MeteringPoint, OldDevice, Party
from services.mdm_adapter.documents.work_order_cancelled import WorkOrderCancelled
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.partners.profile import Profile

KINDS = {TECHNIQUE: OrderKind.TECH_CHANGE, CHANGE_OF_OPERATOR: OrderKind.REMOVE, FAULT: OrderKind.REPAIR}
CANCELLED = frozenset({"21011", "21013"})
PHONES = ("TE", "AJ", "AL")
OWN_ROLES = frozenset({"NB", "LF", "WMSB"})
"""Roles of a sender that an order of its has at the point."""
SCHEMES = {"Z19": Scheme.MELO, "Z55": Scheme.NELO, "Z56": Scheme.SR}
"""LIN DE1229 -> what LOC+172 names."""
PRODUCT, OFFER, OFFERED_PRICES, FAULT_STATE, SCOPE, TEXT = "product", "offer", "price_sheet", "fault", "scope", "text"


def order_number(vorgang: Vorgang) -> str:
    """The number of an order: its document's, of a fault that of its own group, because a message may hold several."""
    return (vorgang.number if vorgang.pid == FAULT else "") or vorgang.document


def objections(vorgang: Vorgang, profile: Profile | None) -> list[Finding]:
    """What keeps an order from being taken that its check template does not see: a point, and a number for a key."""
    found = [] if point(vorgang) else [Finding("Z29", "LOC+172", "no point is named")]
    number, head = order_number(vorgang), vorgang.head.first("BGM")
    try:
        order_key(profile.id if profile else "", number)
    except ValueError as error:
        quoted = text_of(head) if head else None
        found.append(Finding("Z35", "BGM", str(error), segment=quoted, value=number or None))
    return found


def asked(vorgang: Vorgang, profile: Profile | None) -> Asked:
    """What an answer of ours will quote."""
    role = "lf" if profile and profile.role == "LF" else "nb"  # others order as the grid operator does
    return Asked(
        vorgang.pid,
        vorgang.document,
        vorgang.head.value("BGM", 2),
        role,
        vorgang.number,
        point(vorgang),
        day_at(vorgang, "203"),
    )


def requested(vorgang: Vorgang, profile: Profile | None, on: date) -> WorkOrderRequested | None:
    """An order; None: it names no point."""
    place = point(vorgang)
    if place is None:
        return None
    said: dict[str, Any] = {
        "kind": KINDS[vorgang.pid],
        "metering_point": place,
        "fixed_on": day_at(vorgang, "203"),
        "window_from": day_at(vorgang, "469"),
        "window_to": day_at(vorgang, "472"),
        **_customer(vorgang),
        "location": _location(vorgang),
        "parties": _parties(vorgang, profile),
        "old_devices": tuple(_devices(vorgang, on)) or None,
        "answer": wanted(asked(vorgang, profile), on),
        "properties": tuple(_properties(vorgang)),
    }
    return WorkOrderRequested(order_no=order_number(vorgang), order_version=1, **said)


def cancelled(vorgang: Vorgang) -> WorkOrderCancelled:
    """The change of operator failed: what was ordered for it, or the point if no order is named."""
    number = next(filter(None, map(vorgang.reference, ("ON", "TN", "ACW"))), "")
    status, text = vorgang.first("STS"), vorgang.first("FTX")
    said = ":".join(filter(None, status.elements[2])) if status and len(status.elements) > 2 else ""
    words = "".join(text.elements[3]) if text and len(text.elements) > 3 else ""
    reason = " ".join(filter(None, (said, words))) or None
    return WorkOrderCancelled(order_no=number, reason=reason, metering_point=point(vorgang))


def point(vorgang: Vorgang) -> MeteringPoint | None:
    """The point of a Vorgang, by the kind of its position or by its shape."""
    id_ = vorgang.value("LOC+172|Z17", 3)
    if not id_:
        return None
    scheme = SCHEMES.get(vorgang.value("LIN", 3)) or scheme_of(id_)
    return MeteringPoint(id=id_, scheme=scheme)


def day_at(part: Part, qualifier: str) -> date | None:
    """The local day of a time; None: it is not said, or cannot be read."""
    segment = part.first(f"DTM+{qualifier}")
    if segment is None:
        return None
    if segment.at(2, 3) == "102":
        return day_of(segment.at(2, 2))
    instant: datetime | None = moment(segment.at(2, 2))
    return instant.astimezone(MARKET).date() if instant else None


def _contact(vorgang: Vorgang) -> Iterator[Segment]:
    """Whom to reach at the point: NAD+Z09 of an order, NAD+CC of a fault, with what stands behind it."""
    inside = False
    for _, segment in vorgang.segments:
        if segment.tag == "NAD":
            inside = segment.at(2) in {"Z09", "CC"}
        if inside and segment.tag in {"NAD", "CTA", "COM"}:
            yield segment


def _customer(vorgang: Vorgang) -> dict[str, Any]:
    """The customer, and whether it is a person or a company."""
    found = list(_contact(vorgang))
    reached = {segment.at(2, 2): segment.at(2) for segment in found if segment.tag == "COM"}
    names = (places.name_of(each) if each.tag == "NAD" else each.at(3, 2) for each in found if each.tag != "COM")
    said = {
        "name": next(filter(None, names), None),
        "phone": next((reached[kind] for kind in PHONES if kind in reached), None),
        "email": reached.get("EM"),
    }
    form = next((places.CLASSES.get(each.at(5, 6)) for each in found if each.tag == "NAD"), None)
    return {"customer": Customer(**said) if any(said.values()) else None, "customer_class": form}


def _location(vorgang: Vorgang) -> Location | None:
    place = vorgang.first("NAD+DP")
    return places.location_of(place) if place else None


def _parties(vorgang: Vorgang, profile: Profile | None) -> tuple[Party, ...] | None:
    """The sender fills its own role."""
    if profile is None or profile.role not in OWN_ROLES:
        return None
    sender = vorgang.head.value("NAD+MS", 3)
    return (Party(role=profile.role.lower(), id=sender),) if sender else None


def _devices(vorgang: Vorgang, on: date) -> Iterator[OldDevice]:
    """Devices that go: per position its kind and its number."""
    if vorgang.pid != CHANGE_OF_OPERATOR:
        return
    roles = {row["kind"]: DeviceRole(row["role"]) for row in rows_at("device_kinds.csv", on)}
    role = DeviceRole.METER
    for _, segment in vorgang.segments:
        if segment.tag == "CCI":
            role = roles.get(segment.at(4), DeviceRole.OTHER)
        elif segment.tag == "RFF" and segment.at(2) == "Z09":
            yield OldDevice(role=role, serial=segment.at(2, 2))


def _properties(vorgang: Vorgang) -> Iterator[tuple[str, str]]:
    """What only this market says; it is kept."""
    for _, segment in vorgang.all("PIA++:Z11"):
        yield PRODUCT, segment.at(3)
    if offer := vorgang.reference("AAG"):
        yield OFFER, offer
    if vorgang.pid == TECHNIQUE and (prices := vorgang.reference("ACW")):
        yield OFFERED_PRICES, prices
    if vorgang.pid == FAULT and (status := vorgang.value("STS+Z06", 3)):
        yield FAULT_STATE, status
    if scope := vorgang.value("IMD", 3):
        yield SCOPE, scope
    for _, segment in vorgang.all("FTX"):
        yield TEXT, "".join(segment.elements[3]) if len(segment.elements) > 3 else ""
