"""Which places are free for a work order: per day and window the earliest start of every technician who may go."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.ids import CompanyId, TeamId, TechnicianId
from contracts.parts import Days, Span
from services.booking_service.domain.calendars import DAY
from services.booking_service.domain.cases import BookedCase, WorkOrder
from services.booking_service.domain.grid import cells, rounded_up
from services.booking_service.domain.operators import Operator
from services.booking_service.domain.technicians import Shift, Technician


@dataclass(frozen=True, slots=True)
class Job:
    """A work order with what planning needs around it."""

    case: BookedCase
    order: WorkOrder
    operator: Operator
    grid_minutes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is looked for."""

    minutes: int
    skills: frozenset[str]
    company_id: CompanyId | None
    first_day: date
    last_day: date
    not_before: datetime
    grid_minutes: int
    one_per_window: bool = False
    """Only the best technician of each window."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """A free place. Slots are not held: somebody may be faster."""

    day: date
    window: Span
    technician_id: TechnicianId
    team_id: TeamId | None
    company_id: CompanyId
    start: datetime
    minutes: int
    booked_minutes: int
    """What the technician has that day already."""


def wanted_for(job: Job, first: date, last: date, not_before: datetime) -> Wanted:
    """What a work order asks of a place."""
    return Wanted(
        minutes=job.order.duration_min,
        skills=frozenset(job.order.skills),
        company_id=job.order.company_id,
        first_day=first,
        last_day=last,
        not_before=not_before,
        grid_minutes=job.grid_minutes,
    )


def search(technicians: Sequence[Technician], wanted: Wanted, operator: Operator, limit: int) -> list[Slot]:
    """The first `limit` slots by day, window, least booked minutes of that day, technician."""
    able = [
        each
        for each in technicians
        if wanted.skills <= set(each.skills) and wanted.company_id in (None, each.company_id)
    ]
    found: list[Slot] = []
    for day in _days(wanted, operator):
        shifts = {each.technician_id: each.shifts_on(day) for each in able}
        for window in operator.windows_of(day):
            free = (slot for each in able for slot in _slot(each, shifts[each.technician_id], window, day, wanted))
            ranked = sorted(free, key=lambda slot: (slot.booked_minutes, slot.technician_id))
            found += ranked[:1] if wanted.one_per_window else ranked
            if len(found) >= limit:
                return found[:limit]
    return found


def earliest_start(technician: Technician, shifts: Sequence[Shift], window: Span, wanted: Wanted) -> datetime | None:
    """The earliest start inside a window that shift, break, absence, other work and the number of jobs allow."""
    step, length = (
        timedelta(minutes=wanted.grid_minutes),
        timedelta(minutes=rounded_up(wanted.minutes, wanted.grid_minutes)),
    )
    for shift in shifts:
        if shift.max_jobs is not None and len(technician.jobs(shift, wanted.grid_minutes)) >= shift.max_jobs:
            continue
        start = _on_grid(max(window.from_, shift.starts_at, wanted.not_before), step)
        while start < window.to and start + length <= shift.ends_at:
            if _free(technician, shift, start, length, wanted.grid_minutes):
                return start
            start += step
    return None


def _slot(technician: Technician, shifts: Sequence[Shift], window: Span, day: date, wanted: Wanted) -> Iterator[Slot]:
    start = earliest_start(technician, shifts, window, wanted)
    if start is not None:
        yield Slot(
            day=day,
            window=window,
            technician_id=technician.technician_id,
            team_id=technician.team_id,
            company_id=technician.company_id,
            start=start,
            minutes=wanted.minutes,
            booked_minutes=_booked_minutes(technician, shifts, wanted.grid_minutes),
        )


def _free(technician: Technician, shift: Shift, start: datetime, length: timedelta, grid_minutes: int) -> bool:
    end = start + length
    wanted = cells(start, int(length.total_seconds()) // 60, grid_minutes)
    return shift.holds(start, end) and not technician.absent(start, end) and technician.holding(wanted) is None


def _booked_minutes(technician: Technician, shifts: Sequence[Shift], grid_minutes: int) -> int:
    held = 0
    for shift in shifts:
        minutes = int((shift.ends_at - shift.starts_at).total_seconds()) // 60
        held += sum(cell in technician.holder for cell in cells(shift.starts_at, minutes, grid_minutes))
    return held * grid_minutes


def _days(wanted: Wanted, operator: Operator) -> Iterator[date]:
    day = wanted.first_day
    while day <= wanted.last_day:
        if not operator.days.closed(day):
            yield day
        day += DAY


def _on_grid(start: datetime, step: timedelta) -> datetime:
    past = timedelta(seconds=start.timestamp() % step.total_seconds())
    return start + (step - past if past else timedelta())


def narrowed(first: date, allowed: Days | None, bookable_from: date, days: int) -> tuple[date, date]:
    """The days that the notice rules and the partner leave of a search over so many days."""
    first = max(first, bookable_from)
    if allowed is not None:
        first = max(first, allowed.from_)
    last = first + timedelta(days=days - 1)
    return first, last if allowed is None else min(last, allowed.to)
