"""Orders between the wire and the canonical form: point and old devices are master data, the rest is the order."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from contracts.codes import DeviceRole, Scheme
from services.mdm_adapter.dialects.identifiers import scheme_of
from services.mdm_adapter.dialects.items import OrderDocument
from services.mdm_adapter.dialects.json_ce import bo4e, wire
from services.mdm_adapter.documents.order_content import OrderContent
from services.mdm_adapter.documents.values import MeteringPoint, OldDevice
from services.mdm_adapter.documents.work_order_cancelled import WorkOrderCancelled
from services.mdm_adapter.documents.work_order_changed import WorkOrderChanged
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested

SAME = (
    *("order_no", "order_version", "kind", "operator", "plan", "priority", "origin", "legal_basis", "language"),
    *("sms_allowed", "voltage", "customer_class", "fixed_on", "planned_on", "due_on"),
)
"""Members that are called alike on both sides."""
ADDRESS: Mapping[str, str] = MappingProxyType(
    {
        "strasse": "street",
        "hausnummer": "number",
        "adresszusatz": "addition",
        "postleitzahl": "postcode",
        "ort": "city",
        "landescode": "country",
    }
)
# fmt: off
OBJECTS: Mapping[Scheme, type[bo4e.Lokation]] = MappingProxyType({
    Scheme.MELO: bo4e.Messlokation,
    Scheme.GSRN: bo4e.Messlokation,
    Scheme.MALO: bo4e.Marktlokation,
    Scheme.NELO: bo4e.Netzlokation,
    Scheme.SR:   bo4e.SteuerbareRessource,
    Scheme.TR:   bo4e.TechnischeRessource,
})
# fmt: on
SCHEMES = MappingProxyType({kind: scheme for scheme, kind in OBJECTS.items() if scheme is not Scheme.GSRN})
ROLE = "role"
PLACES: Mapping[str, str] = MappingProxyType(
    {"metering_point": "/data/stammdaten", "old_device": "/data/stammdaten", "window": "/data/auftrag/window"}
)
"""Where the fields of content findings stand in a message; parties and numbers: below the order."""


def place_of(field: str) -> str:
    """The pointer to a field of the canonical form."""
    return PLACES.get(field) or f"/data/auftrag/{field.replace('party.', 'parties/')}"


def point(one: bo4e.Lokation) -> MeteringPoint:
    """The point that a location object names; the object says the scheme, of a MESSLOKATION the shape."""
    is_gsrn = isinstance(one, bo4e.Messlokation) and scheme_of(one.id) is Scheme.GSRN
    return MeteringPoint(id=one.id, scheme=Scheme.GSRN if is_gsrn else SCHEMES[type(one)])


def location(of: MeteringPoint) -> bo4e.Lokation:
    """The object of a point."""
    return OBJECTS[of.scheme](id=of.id)


def requested(message: wire.WorkOrderRequested) -> WorkOrderRequested:
    """The order. Raises ValueError, in our words, where no point is named or more than one."""
    said = _content(message.data.auftrag, message.data.stammdaten)
    if "metering_point" not in said:
        raise ValueError("name the point: one MESSLOKATION, MARKTLOKATION, or another location")
    return WorkOrderRequested.model_validate(said)


def changed(message: wire.WorkOrderChanged) -> WorkOrderChanged:
    """The change. Raises ValueError where more than one point is named, or a field both said and cleared."""
    order, said = message.data.auftrag, _content(message.data.auftrag, message.data.stammdaten)
    if twice := [name for name in order.cleared if said.get(name) is not None]:
        raise ValueError(f"said and cleared: {', '.join(sorted(twice))}")
    return WorkOrderChanged.model_validate({**said, "cleared": order.cleared})


def cancelled(message: wire.WorkOrderCancelled) -> WorkOrderCancelled:
    """The withdrawal."""
    return WorkOrderCancelled.model_validate(message.data.auftrag.model_dump())


def _content(order: wire.Inhalt, objects: Iterable[bo4e.Stammdatum]) -> dict[str, Any]:
    points = [point(each) for each in objects if not isinstance(each, bo4e.Zaehler | bo4e.Geraet)]
    if len(points) > 1:
        raise ValueError("name one point only")
    said = {name: value for name in SAME if (value := getattr(order, name)) is not None}
    if order.window:
        said |= {"window_from": order.window.from_, "window_to": order.window.to}
    if points:
        said["metering_point"] = points[0]
    if old := tuple(_devices(objects)):
        said["old_devices"] = old
    if order.parties:
        said["parties"] = [each.model_dump() for each in order.parties]
    if order.customer:
        said["customer"] = order.customer.model_dump()
    if order.answer:
        said["answer"] = order.answer.model_dump()
    if place := _place(order):
        said["location"] = place
    return said


def _devices(objects: Iterable[bo4e.Stammdatum]) -> Iterator[OldDevice]:
    for each in objects:
        if isinstance(each, bo4e.Zaehler):
            yield OldDevice(role=DeviceRole.METER, serial=each.zaehlernummer.upper())
        elif isinstance(each, bo4e.Geraet):
            named = next((other.wert for other in each.zusatz if other.name == ROLE), "")
            role = DeviceRole(named) if named in set(DeviceRole) else DeviceRole.OTHER
            yield OldDevice(role=role, serial=each.geraetenummer.upper())


def _place(order: wire.Inhalt) -> dict[str, Any]:
    place: dict[str, Any] = {}
    if order.adresse:
        place |= {ours: getattr(order.adresse, theirs) for theirs, ours in ADDRESS.items()}
    if order.area:
        place |= order.area.model_dump()
    if order.geoadresse:
        place |= {"lat": order.geoadresse.breitengrad, "lon": order.geoadresse.laengengrad}
    return {name: value for name, value in place.items() if value is not None}


def data_of(document: OrderDocument) -> dict[str, Any]:
    """The data of an order as a partner would send it: what is read back, field for field."""
    if isinstance(document, WorkOrderCancelled):
        return {"auftrag": document.model_dump(exclude_none=True, exclude={"metering_point"})}
    order: dict[str, Any] = {name: value for name in SAME if (value := getattr(document, name)) is not None}
    order |= _nested(document)
    if isinstance(document, WorkOrderChanged):
        order["cleared"] = document.cleared
    return {"auftrag": order, "stammdaten": tuple(_objects(document))}


def _nested(document: OrderContent) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if document.window_from or document.window_to:
        said["window"] = wire.Tage(from_=document.window_from, to=document.window_to)
    for name in ("customer", "answer"):
        if value := getattr(document, name):
            said[name] = value.model_dump(exclude_none=True)
    if document.parties:
        said["parties"] = tuple(each.model_dump(exclude_none=True) for each in document.parties)
    place = document.location.model_dump(exclude_none=True) if document.location else {}
    if address := {theirs: place[ours] for theirs, ours in ADDRESS.items() if ours in place}:
        said["adresse"] = address
    if area := {name: place[name] for name in ("municipality", "stage") if name in place}:
        said["area"] = area
    if "lat" in place and "lon" in place:
        said["geoadresse"] = {"breitengrad": place["lat"], "laengengrad": place["lon"]}
    return said


def _objects(document: OrderContent) -> Iterator[bo4e.Stammdatum]:
    if document.metering_point:
        yield location(document.metering_point)
    for old in document.old_devices or ():
        if old.role is DeviceRole.METER:
            yield bo4e.Zaehler(zaehlernummer=old.serial)
        else:
            yield bo4e.Geraet(geraetenummer=old.serial, zusatz=(bo4e.ZusatzAttribut(name=ROLE, wert=old.role.value),))
