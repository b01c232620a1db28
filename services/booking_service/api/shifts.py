"""When technicians work: shifts of single days, absences; nothing here moves an appointment."""

from collections.abc import Iterable
from datetime import date, time, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.store import Unit
from services.booking_service.api.people import in_sight
from services.booking_service.api.views import Asked, Away, ShiftView, TheStore, View
from services.booking_service.domain.calendars import DAY, local_instant
from services.booking_service.domain.operators import DEFAULT, Operator
from services.booking_service.domain.technicians import Absence, DayShift, Technician
from services.booking_service.errors import ShiftsOverlap
from services.booking_service.store import queries

router = APIRouter()
Editor = Annotated[Principal, Depends(needs("team:edit"))]
Reader = Annotated[Principal, Depends(needs("schedule:read"))]
LONGEST = timedelta(days=92)
First = Annotated[date, Query(alias="from")]
Last = Annotated[date, Query(alias="to")]


class DayShiftBody(Asked):
    """A shift of one day, local time of the technician."""

    day: date
    from_: time = Field(alias="from")
    to: time
    break_from: time | None = None
    break_minutes: int = Field(0, ge=0, le=240)
    max_jobs: int | None = Field(None, ge=1)


class ShiftsRequest(Asked):
    """The shifts of the days in question; a day that is not named follows the week again."""

    shifts: Annotated[tuple[DayShiftBody, ...], Field(max_length=500)]


class WorkingTime(View):
    """The shifts of some days, and the appointments that none of them covers."""

    shifts: tuple[ShiftView, ...]
    conflicts: tuple[UUID, ...] = ()


class AbsenceView(View):
    """An absence, and the appointments that it meets; they stay until somebody moves them."""

    absence_id: UUID
    conflicts: tuple[UUID, ...]


class Gone(View):
    """An absence was taken back."""

    absence_id: UUID


@router.get("/v1/technicians/{technician_id}/shifts")
async def read_shifts(technician_id: UUID, first: First, last: Last, reader: Reader, store: TheStore) -> WorkingTime:
    """The shifts from one day to another, both included."""
    days = _days(first, last)
    found = await store.read(lambda db: queries.technician(db, reader.scope, technician_id, first, last))
    if found is None:
        raise NotFound("there is no such technician")
    return _working_time(found, days)


@router.put("/v1/technicians/{technician_id}/shifts")
async def set_shifts(
    technician_id: UUID, first: First, last: Last, body: ShiftsRequest, editor: Editor, store: TheStore
) -> WorkingTime:
    """Set the shifts of single days by hand, in place of those of the week."""
    days = _days(first, last)
    if any(not first <= shift.day <= last for shift in body.shifts):
        raise ShiftsOverlap("a shift lies outside the days that are set")

    def command(unit: Unit) -> WorkingTime:
        technician = in_sight(unit, technician_id)
        technician.plan_days(first, last, _numbered(body.shifts, technician.zone))
        conflicts = technician.uncovered(unit.get(Operator, DEFAULT).grid_minutes)
        return _working_time(technician, days, conflicts)

    return await store.run(editor, command, needs=[(Technician, str(technician_id)), (Operator, DEFAULT)])


@router.post("/v1/absences", status_code=201)
async def add_absence(body: Away, editor: Editor, store: TheStore) -> AbsenceView:
    """Enter an absence; the appointments that it meets are named."""
    if body.to <= body.from_:
        raise ShiftsOverlap("an absence ends after it starts")

    def command(unit: Unit) -> AbsenceView:
        technician = in_sight(unit, body.technician_id)
        away = Absence(absence_id=unit.new_id(), starts_at=body.from_, ends_at=body.to, kind=body.kind)
        technician.absences.append(away)
        conflicts = technician.uncovered(unit.get(Operator, DEFAULT).grid_minutes)
        return AbsenceView(absence_id=away.absence_id, conflicts=tuple(sorted(conflicts)))

    return await store.run(editor, command, needs=[(Technician, str(body.technician_id)), (Operator, DEFAULT)])


@router.delete("/v1/absences/{absence_id}")
async def remove_absence(absence_id: UUID, editor: Editor, store: TheStore) -> Gone:
    """Take an absence back."""

    def command(unit: Unit) -> Gone:
        technician = in_sight(unit, absence_id)
        technician.absences = [away for away in technician.absences if away.absence_id != absence_id]
        return Gone(absence_id=absence_id)

    return await store.run(editor, command, needs=[(Technician, str(absence_id))])


def _days(first: date, last: date) -> list[date]:
    if not timedelta() <= last - first <= LONGEST:
        raise ShiftsOverlap(f"at most {LONGEST.days} days, the first one first")
    return [first + number * DAY for number in range((last - first).days + 1)]


def _numbered(bodies: Iterable[DayShiftBody], zone: str) -> list[DayShift]:
    made: list[DayShift] = []
    for body in bodies:
        made.append(
            DayShift(
                day=body.day,
                seq=sum(each.day == body.day for each in made),
                starts_at=local_instant(body.day, body.from_, zone),
                ends_at=local_instant(body.day, body.to, zone),
                break_at=local_instant(body.day, body.break_from, zone) if body.break_from else None,
                break_minutes=body.break_minutes,
                max_jobs=body.max_jobs,
            )
        )
    return made


def _working_time(technician: Technician, days: Iterable[date], conflicts: Iterable[UUID] = ()) -> WorkingTime:
    shifts = [shift for day in days for shift in technician.shifts_on(day)]
    return WorkingTime(
        shifts=tuple(ShiftView.model_validate(shift) for shift in shifts), conflicts=tuple(sorted(conflicts))
    )
