"""What commands and handlers work with: pages of the ledger, places made when first needed, the storeroom."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from contracts.event import Event
from contracts.ids import CompanyId, TechnicianId
from kit.store import NotLoaded, Ref, Unit
from services.asset_service.domain.devices import Device
from services.asset_service.domain.labels import Label
from services.asset_service.domain.ledger import LEDGER, Journal, Ledger, Movement
from services.asset_service.domain.material import Shelf, Storeroom, Wish, WorkOrder, verified_from
from services.asset_service.domain.places import CENTRAL, Location, site_of, van_of

THE_LEDGER: Ref = (Ledger, LEDGER)
"""First among the needs of whatever books or reserves: it lets one transaction at a time do so."""
RETRY = "material_retry"
"""Timer, keyed by device type: something became free, so who waits for it is asked."""


def journal(
    unit: Unit, page: list[Movement], told: list[Event], order: WorkOrder | None = None, actor: str | None = None
) -> Journal:
    """A page of the ledger in this transaction."""
    work: dict[str, Any] = dict(order.named) if order is not None else {}
    return Journal(unit.get(Ledger, LEDGER), page, told, now=unit.now, actor=actor or unit.principal.id, work=work)


def van(unit: Unit, technician_id: TechnicianId, company_id: CompanyId | None) -> Location:
    """The technician's van; it goes along when the technician changes companies."""
    found = unit.find(Location, van_of(technician_id))
    if found is None:
        found = Location.van(unit.new_id(), technician_id, company_id)
        unit.add(found)
    if company_id is not None:
        found.company_id = company_id
    return found


def site(unit: Unit, metering_point_id: str) -> Location:
    """The place of a metering point."""
    found = unit.find(Location, site_of(metering_point_id))
    if found is None:
        found = Location.site(unit.new_id(), metering_point_id)
        unit.add(found)
    return found


def storeroom(unit: Unit, page: Journal) -> Storeroom:
    """What reserving and giving back work with."""

    def device(device_id: UUID) -> Device:
        return unit.get(Device, str(device_id))

    def shelf(device_type: str) -> Shelf | None:
        try:
            return unit.find(Shelf, device_type)
        except NotLoaded:  # nobody in this transaction looks for this type: what becomes free is found by the next one
            return None

    return Storeroom(page, device, shelf, unit.get(Location, CENTRAL).location_id)


def wake_waiting(unit: Unit, types: Iterable[str]) -> None:
    """Something of these types became free: whoever waits for it is asked right after this transaction."""
    for device_type in sorted(types):
        unit.later(RETRY, device_type, unit.now)


def device_refs(labels: Iterable[Label]) -> Iterable[Ref]:
    """Every key under which the devices of these labels may be known."""
    return ((Device, key) for label in labels for key in label.keys)


def find_device(unit: Unit, label: Label) -> Device | None:
    """The device of a label, if the ledger knows it and nothing on the label contradicts."""
    found = (unit.find(Device, key) for key in label.keys)
    return next((device for device in found if device is not None and device.label.names(label)), None)


def held_devices(*orders: WorkOrder | None) -> Iterable[Ref]:
    """The devices that the orders' reservations name."""
    for order in orders:
        for reservation in order.reservations if order is not None else ():
            if reservation.device_id is not None:
                yield Device, str(reservation.device_id)


def shelves(unit: Unit, wishes: Iterable[Wish]) -> Iterable[Ref]:
    """Shelves for the wishes, and, once they are there, the devices on them."""
    wanted = list(wishes)
    for wish in wanted:
        yield Shelf, wish.key
        yield Shelf, wish.device_type
    for wish in wanted:
        for candidate in unit.get(Shelf, wish.device_type).ask():
            yield Device, str(candidate.device_id)


def verified_today(unit: Unit) -> date:
    """Until when a device must be verified to be chosen in this transaction."""
    return verified_from(unit.now.date())
