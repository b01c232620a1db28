"""ServiceOrders as orders: create, change and cancel, read into documents and written from them."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree
from pydantic import ValidationError

from contracts.codes import DeviceRole
from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.cim_xml.envelope import Envelope, Header
from services.mdm_adapter.dialects.cim_xml.order_fields import DAYS, TASKS, read_fields
from services.mdm_adapter.dialects.cim_xml.points import write_point
from services.mdm_adapter.dialects.cim_xml.xml import (
    ORDERS,
    Writer,
    day_end,
    day_start,
    leaves,
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
PROPERTIES: Mapping[str, str] = MappingProxyType({
    "plan": "plan", "legal_basis": "legal_basis", "origin": "origin", "language": "language",
    "sms_allowed": "sms_allowed", "voltage": "voltage", "customer_class": "customer_class",
})
# fmt: on
_OURS = f"{{{ORDERS}}}"
ROLES = ("nb", "lf", "wmsb", "msb_old")
WAITING = "waitingToBeScheduled"
Reader = Callable[["etree._Element"], Item]  # noqa: SLF001 -- the library's name of the type
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
    said = read_fields(order, zone)
    order_no, version = said.order_no, _version(said.version)
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
    if not found:
        return Item(order_no, document)
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
    order = Writer.below(root, ORDERS).inside("ServiceOrder")
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


def orders_in(envelope: Envelope) -> Iterator[str]:
    """The numbers of all orders that a message names, also those that it is refused for."""
    yield from envelope.ids
    for order in envelope.payload if envelope.payload is not None else ():
        if order.tag == f"{_OURS}ServiceOrder":
            yield from ((each.text or "").strip() for each in order.iterfind(f"{_OURS}mRID"))
