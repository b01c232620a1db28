"""What can be looked up: devices and their history, reservations, findings with their values, labels."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from kit.auth import Principal, needs
from kit.errors import NotFound
from services.asset_service import store as queries
from services.asset_service.api.views import (
    Asked,
    DevicePage,
    DeviceView,
    FindingView,
    HistoryView,
    InstallationView,
    LabelView,
    LocationPage,
    LocationView,
    MovementView,
    ReadingView,
    ReservationPage,
    ReservationView,
    Serial,
    TheStore,
)
from services.asset_service.domain.labels import read_label, variants
from services.asset_service.domain.material import ReservationState
from services.asset_service.domain.states import DeviceState
from services.asset_service.errors import UnknownDevice

router = APIRouter()
Reader = Annotated[Principal, Depends(needs("device:read"))]
Values = Annotated[Principal, Depends(needs("reading:read"))]
Limit = Annotated[int, Query(ge=1, le=queries.PAGE)]


@router.get("/v1/devices")
async def devices(
    reader: Reader,
    store: TheStore,
    serial: Annotated[str | None, Query(max_length=300)] = None,
    state: DeviceState | None = None,
    location: Annotated[str | None, Query(max_length=200)] = None,
    model: Annotated[str | None, Query(max_length=40)] = None,
    after: UUID | None = None,
    limit: Limit = 100,
) -> DevicePage:
    """Devices by serial, state, location (`central`, `van:<technician>`, …) and device type."""
    plain = read_label(serial).full if serial else None
    filters = {"serial": plain, "state": state, "location": location, "model": model}
    rows = await store.read(lambda db: queries.devices(db, reader.scope, filters, after, limit))
    found = tuple(DeviceView.of(row) for row in rows)
    return DevicePage(devices=found, next=found[-1].device_id if len(found) == limit else None)


@router.get("/v1/devices/{device_id}")
async def device(device_id: UUID, reader: Reader, store: TheStore) -> DeviceView:
    """One device."""
    row = await store.read(lambda db: queries.device(db, reader.scope, device_id))
    if row is None:
        raise UnknownDevice(str(device_id))
    return DeviceView.of(row)


@router.get("/v1/devices/{device_id}/history")
async def history(device_id: UUID, reader: Reader, store: TheStore) -> HistoryView:
    """Every movement of a device and every place where it was installed. Readings are asked for by finding."""
    found = await store.read(lambda db: queries.history(db, reader.scope, device_id))
    if found is None:
        raise UnknownDevice(str(device_id))
    movements, installations = found
    return HistoryView(
        movements=tuple(MovementView.model_validate(row) for row in movements),
        installations=tuple(InstallationView.model_validate(row) for row in installations),
    )


@router.get("/v1/reservations")
async def reservations(
    reader: Reader,
    store: TheStore,
    state: ReservationState | None = None,
    work_order_id: UUID | None = None,
    technician_id: UUID | None = None,
    needed_on: date | None = None,
    limit: Limit = 100,
) -> ReservationPage:
    """What is set aside and what is missing, the most urgent first: the list that the warehouse picks by."""
    filters = {
        "state": state,
        "work_order_id": work_order_id,
        "technician_id": technician_id,
        "needed_on": needed_on,
    }
    rows = await store.read(lambda db: queries.reservations(db, reader.scope, filters, limit))
    return ReservationPage(reservations=tuple(ReservationView.of(row) for row in rows))


@router.get("/v1/locations")
async def locations(reader: Reader, store: TheStore) -> LocationPage:
    """Stores and vans."""
    rows = await store.read(lambda db: queries.locations(db, reader.scope))
    return LocationPage(locations=tuple(LocationView.model_validate(row) for row in rows))


@router.get("/v1/anomalies/{finding_id}")
async def anomaly(finding_id: UUID, reader: Values, store: TheStore) -> FindingView:
    """A finding with the readings behind it, which stand on no topic."""
    found = await store.read(lambda db: queries.finding(db, reader.scope, finding_id))
    if found is None:
        raise NotFound("there is nothing here that you may see")
    row, readings = found
    values = {name: getattr(row, name) for name in FindingView.model_fields if hasattr(row, name)}
    read = tuple(
        ReadingView(obis=each.obis, kind=each.kind, source=each.source, value=str(each.value), at=each.at)
        for each in readings
    )
    return FindingView(**{**values, "serial": row.printed, "obis": row.register, "readings": read})


class Scan(Asked):
    """A label as it was scanned or typed."""

    label: Serial
    manufacturer: str | None = None


@router.post("/v1/labels/parse")
async def parse(scan: Scan, reader: Reader, store: TheStore) -> LabelView:
    """Read a label. A device that fits only after an exchange of O and 0 or I and 1 is proposed, never taken."""
    label = read_label(scan.label, scan.manufacturer)
    wanted = [label.full, *variants(label.full)]
    known = set(await store.read(lambda db: queries.serials_known(db, reader.scope, wanted)))
    proposal = known.pop() if label.full not in known and len(known) == 1 else None
    return LabelView(
        serial=label.serial,
        manufacturer=label.manufacturer,
        official_id=label.official_id,
        trade_no=label.trade_no,
        findings=label.findings,
        proposal=proposal,
    )
