"""ServiceOrders as orders: create, change and cancel, read into documents and written from them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree
from pydantic import ValidationError

from contracts.codes import DeviceRole, OrderKind
from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.cim_xml.envelope import Envelope, Header
from services.mdm_adapter.dialects.cim_xml.points import point_of, write_point
from services.mdm_adapter.dialects.cim_xml.xml import (
    ORDERS,
    Writer,
    day,
    day_end,
    day_start,
    leaves,
    tree,
)
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.identifiers import content_findings, is_warning, order_findings
from services.mdm_adapter.dialects.items import Item, OrderDocument
from services.mdm_adapter.documents.order_content import OrderContent
from services.mdm_adapter.documents.values import Customer, Location, Party
from services.mdm_adapter.documents.work_order_cancelled import WorkOrderCancelled
from services.mdm_adapter.documents.work_order_changed import WorkOrderChanged
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.partners.profile import StrictIds

# fmt: off
TASKS: Mapping[OrderKind, tuple[str, str | None]] = MappingProxyType({
    OrderKind.EXCHANGE:    ("exchange",    None),
    OrderKind.INSTALL:     ("install",     None),
    OrderKind.REMOVE:      ("remove",      None),
    OrderKind.REPAIR:      ("investigate", "repair"),
    OrderKind.TECH_CHANGE: ("investigate", "tech_change"),
})
# what is read: the same backwards; whatever else is investigated is a repair
KINDS: Mapping[tuple[str | None, str | None], OrderKind] = MappingProxyType({
    **{task: kind for kind, task in TASKS.items()}, ("investigate", None): OrderKind.REPAIR,
})
# field: path below ServiceOrder
TEXTS: Mapping[str, str] = MappingProxyType({
    "customer.name":         "Work/Customers/name",
    "customer.email":        "Work/Customers/electronicAddress/email1",
    "customer.phone":        "Work/Customers/phone/ituPhone",
    "location.number":       "Work/WorkLocation/mainAddress/streetDetail/number",
    "location.street":       "Work/WorkLocation/mainAddress/streetDetail/name",
    "location.addition":     "Work/WorkLocation/mainAddress/streetDetail/suiteNumber",
    "location.municipality": "Work/WorkLocation/mainAddress/townDetail/code",
    "location.stage":        "Work/WorkLocation/mainAddress/townDetail/section",
    "location.city":         "Work/WorkLocation/mainAddress/townDetail/name",
    "location.country":      "Work/WorkLocation/mainAddress/townDetail/country",
    "location.postcode":     "Work/WorkLocation/mainAddress/postalCode",
    "priority":              "priority",
})
# field: kind of schedule, side of its interval
DAYS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "window_from": ("earliest", "start"),
    "window_to":   ("latest",   "end"),
    "fixed_on":    ("request",  "start"),
    "planned_on":  ("estimate", "start"),
})
OTHER_TEXTS: Mapping[str, str] = MappingProxyType({
    "order_no":      "mRID",
    "order_version": "revisionNumber",
    "location.lon":  "Work/WorkLocation/Position/xPosition",
    "location.lat":  "Work/WorkLocation/Position/yPosition",
})
PROPERTIES: Mapping[str, str] = MappingProxyType({
    "plan": "plan", "legal_basis": "legal_basis", "origin": "origin", "language": "language",
    "sms_allowed": "sms_allowed", "voltage": "voltage", "customer_class": "customer_class",
})
# fmt: on
_OURS = f"{{{ORDERS}}}"
_ORDER = (*TEXTS, *DAYS)
_DAYS = {(kind, _OURS + side): name for name, (kind, side) in DAYS.items()}
DEVICE_ROLES = {role.value: role for role in DeviceRole}
ROLES = ("nb", "lf", "wmsb", "msb_old")
WAITING = "waitingToBeScheduled"
_Taker = Callable[[etree._Element, "_Said"], None]
_Places = dict[str, Any]
Reader = Callable[[etree._Element], Item]
"""What makes an item of one ServiceOrder."""


def decode_orders(envelope: Envelope, partner: str, strict: StrictIds, zone: ZoneInfo) -> list[Item]:
    """The orders of a request, each with all that is wrong with it."""
    assert envelope.header is not None  # noqa: S101 -- a RequestMessage has one, or its schema refused it
    read = reader(envelope.header, partner, strict, zone)
    orders = envelope.payload.findall(f"{{{ORDERS}}}ServiceOrder") if envelope.payload is not None else []
    named = envelope.ids if envelope.header.verb == "cancel" else ()
    return [*(_cancelled(partner, order_no, None, None) for order_no in named), *map(read, orders)]


def reader(header: Header, partner: str, strict: StrictIds, zone: ZoneInfo) -> Reader:
    """What reads one ServiceOrder below this header."""
    if header.verb == "cancel":
        return lambda order: _cancel(partner, order)
    said = _properties(header.properties)
    return lambda order: _order(header.verb, partner, order, said, strict, zone)


def _cancel(partner: str, order: etree._Element) -> Item:
    said = leaves(order, _OURS)
    return _cancelled(partner, said.get("mRID", ""), said.get("revisionNumber"), said.get("statusReason") or None)


def _cancelled(partner: str, order_no: str, revision: str | None, reason: str | None) -> Item:
    found, version = list(order_findings(partner, order_no)), _version(revision)
    if revision and version is None:
        found.append(_bad_version())
    return Item(order_no, WorkOrderCancelled(order_no=order_no, order_version=version, reason=reason), found)


def _order(
    verb: str, partner: str, order: etree._Element, header: Mapping[str, Any], strict: StrictIds, zone: ZoneInfo
) -> Item:
    said = _said(order, zone)
    order_no, version = said.values.get("order_no", ""), _version(said.values.get("order_version"))
    values = {**said.values, **header, "order_no": order_no, "order_version": version or 0}
    found = [] if version else [_bad_version()]
    document: OrderDocument | None = None
    try:
        if verb == "change":
            document = WorkOrderChanged.model_validate({**values, "cleared": tuple(said.cleared)})
        else:
            document = WorkOrderRequested.model_validate(values)
        found += content_findings(partner, document, strict)
    except ValidationError as error:
        found += [_of_model(each["loc"]) for each in error.errors(include_input=False, include_url=False)]
        found += order_findings(partner, order_no)
    wrong = [each for each in found if not is_warning(each)]
    return Item(order_no, document, wrong, [each for each in found if is_warning(each)])


def _of_model(place: tuple[int | str, ...]) -> Finding:
    field = str(place[0])
    if field == "metering_point":
        return Finding(codes.POINT, field, "a usage point is required")
    code = codes.HEADER if field in {*PROPERTIES, "parties"} else codes.PAYLOAD
    return Finding(code, field, "is missing, or not one of the values allowed")


def _version(revision: str | None) -> int | None:
    return (
        int(revision) if revision and revision.isascii() and revision.isdigit() and 0 < int(revision) < 10**9 else None
    )


def _bad_version() -> Finding:
    return Finding(codes.PAYLOAD, "order_version", "revisionNumber is required, a number from 1")


@dataclass(slots=True)
class _Said:
    """What was found in an order so far."""

    zone: ZoneInfo
    values: dict[str, Any] = field(default_factory=dict)
    cleared: list[str] = field(default_factory=list)


def _said(order: etree._Element, zone: ZoneInfo) -> _Said:
    """The fields that the order says, and those that it empties."""
    found = _Said(zone)
    _walk(order, _PLACES, found)
    if len(found.cleared) > 1:
        found.cleared.sort(key=_ORDER.index)
    return found


def _walk(element: etree._Element, places: _Places, found: _Said) -> None:
    """Take what stands in the places that are known; what lies elsewhere is passed over."""
    for child in element:
        place = places.get(child.tag)
        if place is None:
            continue
        if isinstance(place, dict):
            _walk(child, place, found)
        elif callable(place):
            place(child, found)
        elif value := (child.text or "").strip():
            _put(found.values, place, value)
        elif place in TEXTS:
            found.cleared.append(place)


def _take_days(schedule: etree._Element, found: _Said) -> None:
    kind = ""
    for child in schedule:
        if not len(child):
            kind = kind or (child.text or "").strip()
        for side in child:
            if field := _DAYS.get((kind, side.tag)):
                if said := day((side.text or "").strip(), found.zone):
                    found.values[field] = said
                else:
                    found.cleared.append(field)


def _take_kind(element: etree._Element, found: _Said) -> None:
    """Behind the kind stands the subject, if there is one."""
    kind, after = (element.text or "").strip(), element.getnext()
    subject = (after.text or "").strip() if after is not None and after.tag == f"{_OURS}subject" else None
    if known := KINDS.get((kind, subject)) or KINDS.get((kind, None)):
        found.values["kind"] = known


def _take_old_device(asset: etree._Element, found: _Said) -> None:
    said = leaves(asset, _OURS)
    role = DEVICE_ROLES.get(said.get("type", "").lower(), DeviceRole.METER)
    found.values.setdefault("old_devices", []).append({"serial": said.get("serialNumber", ""), "role": role})


def _take_point(usage: etree._Element, found: _Said) -> None:
    if point := point_of(tree(usage, ORDERS)):
        found.values["metering_point"] = point


def _put(said: dict[str, Any], field: str, value: Any) -> None:
    name, _, member = field.partition(".")
    if member:
        said.setdefault(name, {})[member] = value
    else:
        said[name] = value


def _places() -> _Places:
    """Where each field stands, as the tags on the way to it; at its end the field, or what takes it from there."""
    root: _Places = {}
    ends: dict[str, str | _Taker] = {path: name for name, path in {**TEXTS, **OTHER_TEXTS}.items()}
    ends |= {"Work/TimeSchedules": _take_days, "Work/WorkTask/taskKind": _take_kind}
    ends |= {"Work/WorkTask/OldAsset": _take_old_device, "Work/WorkTask/UsagePoint": _take_point}
    for path, end in ends.items():
        *way, last = path.split("/")
        below = root
        for name in way:
            below = below.setdefault(_OURS + name, {})
        below[_OURS + last] = end
    return root


_PLACES = _places()


def _properties(pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Header properties as fields; those that we do not know are kept as they are."""
    said, parties, unknown = dict[str, Any](), list[dict[str, Any]](), list[tuple[str, str]]()
    for name, value in pairs:
        role = name.removeprefix("party.")
        if role != name and role in ROLES:
            id_, _, since = value.partition("@")
            parties.append({"role": role, "id": id_, "valid_from": since or None})
        elif name in PROPERTIES:
            if value:
                said[name] = value
        else:
            unknown.append((name, value))
    return {**said, **({"parties": tuple(parties)} if parties else {}), "properties": tuple(unknown)}


def encode_order(document: OrderDocument, zone: ZoneInfo) -> etree._Element:
    """The payload of a request that orders, changes or cancels."""
    root = etree.Element(f"{{{ORDERS}}}ServiceOrders", nsmap={"s": ORDERS})
    order = Writer(root, ORDERS).inside("ServiceOrder")
    order.leaf("mRID", document.order_no)
    order.leaf("revisionNumber", document.order_version)
    if isinstance(document, WorkOrderCancelled):
        order.leaf("statusReason", document.reason)
        return root
    cleared = document.cleared if isinstance(document, WorkOrderChanged) else ()
    order.leaf("priority", "" if "priority" in cleared else document.priority)
    work = order.inside("Work")
    work.leaf("kind", "meter")
    if isinstance(document, WorkOrderRequested):
        work.leaf("statusKind", WAITING)
    _write_days(work, document, cleared, zone)
    _write_customer(work, document.customer or Customer(), cleared)
    _write_place(work, document.location or Location(), cleared)
    _write_task(work, document)
    _keep_empty(root, cleared)
    return root


def properties_of(document: OrderContent) -> tuple[tuple[str, str], ...]:
    """The header properties that carry what the payload cannot."""
    values = {name: getattr(document, name) for name in PROPERTIES}
    said = [(name, _flag(value)) for name, value in values.items() if value is not None]
    parties = [(f"party.{party.role}", _party(party)) for party in document.parties or ()]
    return (*said, *parties, *document.properties)


def _flag(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _party(party: Party) -> str:
    return f"{party.id}@{party.valid_from}" if party.valid_from else party.id


def _write_days(work: Writer, document: OrderContent, cleared: tuple[str, ...], zone: ZoneInfo) -> None:
    for field, (kind, side) in DAYS.items():
        found = getattr(document, field)
        if found is not None or field in cleared:
            schedule = work.inside("TimeSchedules")
            schedule.leaf("kind", kind)
            moment = "" if found is None else (day_end if side == "end" else day_start)(found, zone)
            schedule.inside("scheduleInterval").leaf(side, moment)


def _or_cleared(field: str, value: Any, cleared: tuple[str, ...]) -> Any:
    return "" if field in cleared else value


def _write_customer(work: Writer, customer: Customer, cleared: tuple[str, ...]) -> None:
    writer = work.inside("Customers")
    writer.leaf("name", _or_cleared("customer.name", customer.name, cleared))
    writer.inside("electronicAddress").leaf("email1", _or_cleared("customer.email", customer.email, cleared))
    writer.inside("phone").leaf("ituPhone", _or_cleared("customer.phone", customer.phone, cleared))


def _write_place(work: Writer, place: Location, cleared: tuple[str, ...]) -> None:
    writer = work.inside("WorkLocation")
    address = writer.inside("mainAddress")
    for group, names in {
        "streetDetail": {"number": "number", "name": "street", "suiteNumber": "addition"},
        "townDetail": {"code": "municipality", "section": "stage", "name": "city", "country": "country"},
    }.items():
        inside = address.inside(group)
        for name, field in names.items():
            inside.leaf(name, _or_cleared(f"location.{field}", getattr(place, field), cleared))
    address.leaf("postalCode", _or_cleared("location.postcode", place.postcode, cleared))
    if place.lon is not None and place.lat is not None:
        position = writer.inside("Position")
        position.leaf("xPosition", format(place.lon, "f"))
        position.leaf("yPosition", format(place.lat, "f"))


def _write_task(work: Writer, document: OrderContent) -> None:
    task = work.inside("WorkTask")
    if document.kind:
        name, subject = TASKS[document.kind]
        task.leaf("taskKind", name)
        task.leaf("subject", subject)
    for device in document.old_devices or ():
        asset = task.inside("OldAsset")
        asset.leaf("serialNumber", device.serial)
        asset.leaf("type", None if device.role is DeviceRole.METER else device.role.value)
    if document.metering_point:
        write_point(task, document.metering_point)


def _keep_empty(root: etree._Element, cleared: tuple[str, ...]) -> None:
    """Groups in which nothing was written go; an element that is empty on purpose stays."""
    on_purpose = {path.rsplit("/", 1)[-1] for field, path in TEXTS.items() if field in cleared}
    on_purpose |= {DAYS[field][1] for field in cleared if field in DAYS}
    for element in reversed(list(root.iter())):
        parent = element.getparent()
        empty = not (len(element) or element.text or element.attrib)
        if parent is not None and empty and etree.QName(element).localname not in on_purpose:
            parent.remove(element)


def orders_in(envelope: Envelope) -> Iterator[str]:
    """The numbers of all orders that a message names, also those that it is refused for."""
    yield from envelope.ids
    for order in envelope.payload if envelope.payload is not None else ():
        if order.tag == f"{_OURS}ServiceOrder":
            yield from ((each.text or "").strip() for each in order.iterfind(f"{_OURS}mRID"))
