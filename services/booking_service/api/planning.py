"""What planners and technicians look at: free slots, unplanned work orders, a technician's day."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection, RowMapping

from contracts.codes import BookingChannel, State
from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.http import cursor, read_cursor
from services.booking_service import metrics
from services.booking_service.api.views import (
    DayView,
    ShiftView,
    Slots,
    SlotView,
    StopView,
    TheStore,
    WorkOrderPage,
    WorkOrderView,
)
from services.booking_service.domain import offering, slots
from services.booking_service.domain.calendars import DAY, local_instant
from services.booking_service.domain.technicians import Technician
from services.booking_service.domain.travel import Point, travel_minutes
from services.booking_service.errors import UnknownWorkOrder, WorkOrderGone
from services.booking_service.store import queries

router = APIRouter()
Planner = Annotated[Principal, Depends(needs("work_order:plan"))]
Reader = Annotated[Principal, Depends(needs("schedule:read"))]
OVER_SHIFT = "over-shift"


@router.get("/v1/slots")
async def find_slots(
    reader: Reader,
    store: TheStore,
    work_order: UUID,
    from_: Annotated[date | None, Query(alias="from")] = None,
    days: Annotated[int, Query(ge=1, le=90)] = 14,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    channel: BookingChannel = BookingChannel.SMS,
) -> Slots:
    """Free places for a work order, from the first day that an offer on this channel could name."""
    now = store.clock.now()

    def query(db: Connection) -> Slots:
        job = queries.job(db, reader.scope, work_order)
        if job is None:
            raise UnknownWorkOrder("no such work order was heard of")
        if job.order.gone:
            raise WorkOrderGone(f"the work order ended: {job.order.gone_reason}")
        if job.case.bookable_from is None:
            return Slots(first_day=None, refused="too-early", slots=())
        first = max(offering.first_day(channel, job.operator, now), from_ or date.min)
        allowed = job.case.days_allowed(job.order, job.operator.days.local_day(now))
        first, last = slots.narrowed(first, allowed, job.case.bookable_from, days)
        with metrics.SLOT_SEARCH.time():
            found = queries.search(db, reader.scope, slots.wanted_for(job, first, last, now), job, limit)
        return Slots(first_day=first, slots=tuple(SlotView.model_validate(slot) for slot in found))

    return await store.read(query)


@router.get("/v1/work-orders")
async def list_work_orders(
    planner: Planner,
    store: TheStore,
    state: State | None = None,
    unassigned: bool = False,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> WorkOrderPage:
    """Work orders as last heard; with `unassigned` those that nobody has time for yet (S3-27)."""
    start = UUID(read_cursor(after, str)[0]) if after else None
    rows = await store.read(
        lambda db: queries.order_list(db, planner.scope, state=state, unassigned=unassigned, after=start, limit=limit)
    )
    last = cursor(str(rows[-1]["work_order_id"])) if len(rows) == limit else None
    return WorkOrderPage(items=tuple(WorkOrderView.model_validate(row) for row in rows), next=last)


@router.get("/v1/technicians/{technician_id}/day")
async def read_day(technician_id: UUID, on: date, reader: Reader, store: TheStore) -> DayView:
    """A technician's stops of a day in order, with estimated ways between them."""

    def query(db: Connection) -> DayView:
        technician = queries.technician(db, reader.scope, technician_id, on, on)
        if technician is None:
            raise NotFound("there is no such technician")
        begin = local_instant(on, time(), technician.zone)
        end = local_instant(on + DAY, time(), technician.zone)
        return _day(technician, on, queries.stops(db, technician_id, begin, end))

    return await store.read(query)


def _day(technician: Technician, on: date, rows: Sequence[RowMapping]) -> DayView:
    here = _point(technician.lat, technician.lon)
    stops = []
    for row in rows:
        contact = row["contact"]
        there = _point(contact.position.lat, contact.position.lon) if contact and contact.position else None
        fields = {**row, "work_order_state": row["order_state"], "travel_estimate_min": travel_minutes(here, there)}
        stops.append(StopView.model_validate(fields))
        here = there
    shifts = technician.shifts_on(on)
    fits = all(
        any(shift.holds(stop.block_start, stop.block_start + timedelta(minutes=stop.block_minutes)) for shift in shifts)
        for stop in stops
    )
    return DayView(
        technician_id=technician.technician_id,
        on=on,
        shifts=tuple(ShiftView.model_validate(shift) for shift in shifts),
        stops=tuple(stops),
        work_minutes=sum(stop.block_minutes for stop in stops),
        travel_minutes=sum(stop.travel_estimate_min or 0 for stop in stops),
        warnings=() if fits else (OVER_SHIFT,),
    )


def _point(lat: object, lon: object) -> Point | None:
    return None if lat is None or lon is None else (float(str(lat)), float(str(lon)))
