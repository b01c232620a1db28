"""Making, moving, confirming and giving back appointments; one command each, committed before it is answered."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime, Field
from sqlalchemy import Connection

from contracts.codes import AgreedVia, BookingChannel
from contracts.parts import Span
from kit.auth import Principal, Scope, needs
from kit.errors import NotFound
from kit.http import cursor, etag, expected_version, read_cursor
from kit.store import Store
from services.booking_service import booking
from services.booking_service.api.views import (
    AppointmentPage,
    AppointmentView,
    Asked,
    Offerability,
    Text,
    TheStore,
    required,
)
from services.booking_service.booking import Wish
from services.booking_service.domain import offering, slots
from services.booking_service.domain.appointments import Appointment
from services.booking_service.errors import ReasonMissing
from services.booking_service.store import queries

router = APIRouter()
Planner = Annotated[Principal, Depends(needs("work_order:plan"))]
Mover = Annotated[Principal, Depends(needs("appointment:move"))]
Confirmer = Annotated[Principal, Depends(needs("appointment:confirm"))]
Releaser = Annotated[Principal, Depends(needs("appointment:release"))]
Reader = Annotated[Principal, Depends(needs("schedule:read"))]
LOOK_AHEAD = timedelta(days=14)
ALTERNATIVES = 2


class AssignRequest(Asked):
    """A first appointment. Minutes default to the work order's, the window to the operator's that holds the start."""

    work_order_id: UUID
    technician_id: UUID
    start: AwareDatetime
    minutes: int | None = Field(None, ge=1, le=960)
    window: Span | None = None


class MoveRequest(Asked):
    """Another time, window or technician; what is left out stays."""

    technician_id: UUID | None = None
    start: AwareDatetime | None = None
    minutes: int | None = Field(None, ge=1, le=960)
    window: Span | None = None
    agreed: bool = False
    """The customer agreed to the new time."""
    agreed_via: AgreedVia = AgreedVia.PHONE
    expected_version: int | None = None


class ConfirmRequest(Asked):
    """Staff heard that the time suits, or may enter without an answer."""

    agreed_via: AgreedVia
    notice: bool = False
    """Send the customer a confirmation."""
    comment: Text | None = None
    expected_version: int | None = None


class ReleaseRequest(Asked):
    """Why the time is given back, in words; they stay here."""

    reason: Text = ""
    expected_version: int | None = None


@router.post("/v1/appointments", status_code=201)
async def assign(request: AssignRequest, planner: Planner, store: TheStore, response: Response) -> AppointmentView:
    """Set a technician's time aside for a work order; the first hard check that fails is the answer."""
    others = await alternatives(store, planner.scope, request.work_order_id, request.start)
    wish = Wish(
        technician_id=request.technician_id,
        start=request.start,
        minutes=request.minutes,
        window=request.window,
        alternatives=others,
    )
    command = booking.assign(request.work_order_id, wish)
    wanted = booking.assigning(request.work_order_id, request.technician_id)
    return _answer(await booking.booked(store, planner, command, wanted), response)


@router.post("/v1/appointments/{appointment_id}/move")
async def move(
    appointment_id: UUID, body: MoveRequest, mover: Mover, store: TheStore, request: Request, response: Response
) -> AppointmentView:
    """Move to another time or technician; needs If-Match. With `agreed` it is confirmed at once."""
    expected = required(expected_version(request, body.expected_version))
    refs = await _refs(store, mover.scope, appointment_id)
    wish = Wish(
        technician_id=body.technician_id or refs.technician_id,
        start=body.start,
        minutes=body.minutes,
        window=body.window,
        alternatives=await alternatives(store, mover.scope, refs.work_order_id, body.start or refs.start),
    )
    command = booking.move(appointment_id, wish, body.agreed_via if body.agreed else None, expected)
    wanted = booking.changing(refs, appointment_id, wish.technician_id)
    return _answer(await booking.booked(store, mover, command, wanted), response)


@router.post("/v1/appointments/{appointment_id}/confirm")
async def confirm(
    appointment_id: UUID, body: ConfirmRequest, staff: Confirmer, store: TheStore, request: Request, response: Response
) -> AppointmentView:
    """Confirm what the customer agreed to with staff."""
    expected = expected_version(request, body.expected_version)
    refs = await _refs(store, staff.scope, appointment_id)
    command = booking.confirm(appointment_id, body.agreed_via, body.comment, expected, notice=body.notice)
    wanted = booking.changing(refs, appointment_id)
    return _answer(await store.run(staff, command, needs=wanted), response)


@router.post("/v1/appointments/{appointment_id}/release")
async def release(
    appointment_id: UUID, body: ReleaseRequest, staff: Releaser, store: TheStore, request: Request, response: Response
) -> AppointmentView:
    """Give the time back."""
    if not body.reason.strip():
        raise ReasonMissing("say why the time is given back")
    expected = expected_version(request, body.expected_version)
    refs = await _refs(store, staff.scope, appointment_id)
    command = booking.release(appointment_id, body.reason, expected)
    wanted = booking.changing(refs, appointment_id)
    return _answer(await store.run(staff, command, needs=wanted), response)


@router.get("/v1/appointments")
async def list_appointments(
    reader: Reader,
    store: TheStore,
    needs_staff: bool = False,
    work_order_id: UUID | None = None,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AppointmentPage:
    """Appointments in sight; with `needs_staff` those that a person must look at, each with its suggestion."""
    start = UUID(read_cursor(after, str)[0]) if after else None
    rows = await store.read(
        lambda db: queries.appointment_list(
            db, reader.scope, needs_staff=needs_staff, work_order_id=work_order_id, after=start, limit=limit
        )
    )
    last = cursor(str(rows[-1]["appointment_id"])) if len(rows) == limit else None
    return AppointmentPage(items=tuple(AppointmentView.model_validate(row) for row in rows), next=last)


@router.get("/v1/conflicts")
async def list_conflicts(reader: Reader, store: TheStore) -> AppointmentPage:
    """Coming appointments whose technician is away or off duty; nothing moves by itself."""
    rows = await store.read(lambda db: queries.conflicts(db, reader.scope, store.clock.now()))
    return AppointmentPage(items=tuple(AppointmentView.model_validate(row) for row in rows))


@router.get("/v1/appointments/{appointment_id}")
async def read_appointment(
    appointment_id: UUID, reader: Reader, store: TheStore, response: Response
) -> AppointmentView:
    """One appointment; its ETag is the version that an edit names."""
    row = await store.read(lambda db: queries.appointment(db, reader.scope, appointment_id))
    if row is None:
        raise NotFound("there is no such appointment")
    view = AppointmentView.model_validate(row)
    response.headers["ETag"] = etag(view.version)
    return view


@router.get("/v1/appointments/{appointment_id}/offerability")
async def ask_offerability(
    appointment_id: UUID, channel: BookingChannel, planner: Planner, store: TheStore
) -> Offerability:
    """With which codes an offer on this channel would be refused now."""
    now = store.clock.now()
    found = await store.read(lambda db: queries.offer_of(db, planner.scope, appointment_id))
    if found is None:
        raise NotFound("there is no such appointment")
    job, row = found
    appointment = Appointment(**row)
    refusals = list(offering.refusals(job.case, job.order, appointment, channel, job.operator, now))
    days = [refusal.first_possible for refusal in refusals if refusal.first_possible]
    return Offerability(codes=tuple(refusal.code for refusal in refusals), first_possible=max(days, default=None))


async def alternatives(store: Store, scope: Scope, work_order_id: UUID, start: datetime) -> tuple[Span, ...]:
    """Up to two other windows that are free from the day of a start on: a letter has to name one."""

    def query(db: Connection) -> tuple[Span, ...]:
        job = queries.job(db, scope, work_order_id)
        if job is None:
            return ()
        day, now = job.operator.days.local_day(start), store.clock.now()
        wanted = replace(slots.wanted_for(job, day, day + LOOK_AHEAD, now), one_per_window=True)
        found = queries.search(db, scope, wanted, job, ALTERNATIVES + 1)
        other = [slot.window for slot in found if not slot.window.from_ <= start < slot.window.to]
        return tuple(other[:ALTERNATIVES])

    return await store.read(query)


async def _refs(store: Store, scope: Scope, appointment_id: UUID) -> queries.Refs:
    found = await store.read(lambda db: queries.refs(db, scope, appointment_id))
    if found is None:
        raise NotFound("there is no such appointment")
    return found


def _answer(appointment: Appointment, response: Response) -> AppointmentView:
    response.headers["ETag"] = etag(appointment.version)
    return AppointmentView.model_validate(appointment)
