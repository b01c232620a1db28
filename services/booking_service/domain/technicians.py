"""Companies, teams and technicians: what they can do, when they work, when they are away, what they are booked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.ids import CompanyId, TeamId, TechnicianId
from kit.aggregate import Aggregate
from services.booking_service.domain.calendars import local_instant
from services.booking_service.domain.grid import cells, start_of
from services.booking_service.errors import ShiftsOverlap

Clock = TypeVar("Clock", time, datetime)


@dataclass(kw_only=True, eq=False)
class Company(Aggregate):
    """Who sends technicians: the operator's own field force, or a subcontractor."""

    company_id: CompanyId
    name: str
    own: bool = True
    """Of the operator; false: a subcontractor."""

    def key(self) -> str:
        return str(self.company_id)

    def keys(self) -> tuple[str, ...]:
        return str(self.company_id), self.name


@dataclass(kw_only=True, eq=False)
class Team(Aggregate):
    """Technicians who start from one place."""

    team_id: TeamId
    company_id: CompanyId
    name: str
    lat: float | None = None
    lon: float | None = None
    areas: tuple[str, ...] = ()
    """Prefixes of postcodes; none: everywhere."""

    def key(self) -> str:
        return str(self.team_id)

    def keys(self) -> tuple[str, ...]:
        return str(self.team_id), self.name

    def covers(self, postcode: str | None) -> bool:
        """Whether it works there."""
        return not self.areas or postcode is None or postcode.startswith(self.areas)


@dataclass(kw_only=True, eq=False)
class Skill(Aggregate):
    """Something that a work order may ask of a technician."""

    code: str
    labels: dict[str, str] = field(default_factory=dict)
    """By language."""

    def key(self) -> str:
        return self.code


SKILLS = {
    "meter_1ph": {"en": "Single-phase meter", "de": "Wechselstromzähler", "nb": "Enfasemåler"},
    "meter_3ph": {"en": "Three-phase meter", "de": "Drehstromzähler", "nb": "Trefasemåler"},
    "meter_ct": {"en": "Transformer meter", "de": "Wandlerzähler", "nb": "Trafomåler"},
    "smgw": {"en": "Gateway", "de": "Smart-Meter-Gateway", "nb": "Gateway"},
    "silke_trained": {"en": "Secure supply chain", "de": "SiLKe-Schulung", "nb": "Sikker leveransekjede"},
    "control_box": {"en": "Control box", "de": "Steuerbox", "nb": "Styreboks"},
    "live_work": {"en": "Live working", "de": "Arbeiten unter Spannung", "nb": "Arbeid under spenning"},
    "heights": {"en": "Working at heights", "de": "Höhenarbeit", "nb": "Arbeid i høyden"},
}
"""The skills that are there from the first start on."""


@dataclass(kw_only=True)
class WeekShift:
    """A shift that comes every week, in local time. A night shift is split at midnight."""

    weekday: int
    """0 is Monday."""
    seq: int
    starts: time
    ends: time
    break_from: time | None = None
    break_minutes: int = 0
    max_jobs: int | None = None
    valid_from: date
    valid_to: date | None = None


@dataclass(kw_only=True)
class DayShift:
    """A shift of one day; where a day has any, they stand instead of the weekly ones."""

    day: date
    seq: int
    starts_at: datetime
    ends_at: datetime
    break_at: datetime | None = None
    break_minutes: int = 0
    max_jobs: int | None = None


@dataclass(kw_only=True)
class Absence:
    """Time away from work. Its kind is nobody else's business."""

    absence_id: UUID
    starts_at: datetime
    ends_at: datetime
    kind: str


@dataclass(kw_only=True)
class Busy:
    """A cell that an open appointment holds; read here, written by the appointment only."""

    cell: int
    appointment_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """Working time of one day, as instants."""

    starts_at: datetime
    ends_at: datetime
    break_at: datetime | None
    break_minutes: int
    max_jobs: int | None
    manual: bool

    def holds(self, start: datetime, end: datetime) -> bool:
        """Whether work from start to end lies within, beside the break."""
        return self.starts_at <= start and end <= self.ends_at and not self.in_break(start, end)

    def in_break(self, start: datetime, end: datetime) -> bool:
        """Whether work from start to end would cut the break."""
        rest = timedelta(minutes=self.break_minutes)
        return self.break_at is not None and start < self.break_at + rest and self.break_at < end


@dataclass(kw_only=True, eq=False)
class Technician(Aggregate):
    """Who can be sent. The name stays in this database and never enters an event."""

    technician_id: TechnicianId
    user_id: str
    """The person's principal id."""
    name: str
    company_id: CompanyId
    team_id: TeamId | None = None
    skills: tuple[str, ...] = ()
    lat: float | None = None
    lon: float | None = None
    zone: str
    active_from: date
    active_to: date | None = None
    week: list[WeekShift] = field(default_factory=list)
    days: list[DayShift] = field(default_factory=list)
    absences: list[Absence] = field(default_factory=list)
    busy: list[Busy] = field(default_factory=list)
    conflicts: tuple[UUID, ...] = ()
    """Appointments that the last change uncovered; not kept."""

    def key(self) -> str:
        return str(self.technician_id)

    def keys(self) -> tuple[str, ...]:
        away = (str(absence.absence_id) for absence in self.absences)
        return str(self.technician_id), self.user_id, *away

    @cached_property
    def holder(self) -> dict[int, UUID]:
        """Which appointment holds a cell."""
        return {busy.cell: busy.appointment_id for busy in self.busy}

    def forget_holders(self) -> None:
        """After `busy` was loaded anew."""
        self.__dict__.pop("holder", None)

    def active(self, day: date) -> bool:
        """Whether this person works here on a day."""
        return self.active_from <= day and (self.active_to is None or day <= self.active_to)

    def shifts_on(self, day: date) -> list[Shift]:
        """The shifts of a local day, in order."""
        if not self.active(day):
            return []
        manual = [
            Shift(
                starts_at=each.starts_at,
                ends_at=each.ends_at,
                break_at=each.break_at,
                break_minutes=each.break_minutes,
                max_jobs=each.max_jobs,
                manual=True,
            )
            for each in self.days
            if each.day == day
        ]
        return sorted(manual or self._weekly(day), key=lambda shift: shift.starts_at)

    def shift_for(self, day: date, start: datetime, end: datetime) -> Shift | None:
        """The shift that holds work from start to end."""
        return next((shift for shift in self.shifts_on(day) if shift.holds(start, end)), None)

    def absent(self, start: datetime, end: datetime) -> bool:
        """Whether the technician is away for a part of this time."""
        return any(away.starts_at < end and start < away.ends_at for away in self.absences)

    def holding(self, wanted: Iterable[int], but: UUID | None = None) -> UUID | None:
        """The appointment that already holds one of these cells."""
        return next((held for cell in wanted if (held := self.holder.get(cell)) and held != but), None)

    def jobs(self, shift: Shift, grid_minutes: int, but: UUID | None = None) -> set[UUID]:
        """The appointments within a shift."""
        minutes = int((shift.ends_at - shift.starts_at).total_seconds()) // 60
        held = {self.holder.get(cell) for cell in cells(shift.starts_at, minutes, grid_minutes)}
        return {each for each in held if each is not None and each != but}

    def plan_week(self, shifts: Iterable[WeekShift]) -> None:
        """Replace the weekly shifts; none of one weekday may overlap another."""
        week = list(shifts)
        for weekday in range(7):
            _refuse_overlaps([(each.starts, each.ends) for each in week if each.weekday == weekday])
        self.week = week

    def plan_days(self, first: date, last: date, shifts: Iterable[DayShift]) -> None:
        """Replace the shifts that were set by hand from one day to another."""
        new = list(shifts)
        _refuse_overlaps([(each.starts_at, each.ends_at) for each in new])
        self.days = [each for each in self.days if not first <= each.day <= last] + new

    def uncovered(self, grid_minutes: int) -> set[UUID]:
        """Appointments that no shift covers any more, or that an absence meets: listed, never moved."""
        spans: dict[UUID, list[int]] = {}
        for busy in self.busy:
            spans.setdefault(busy.appointment_id, []).append(busy.cell)
        return {held for held, its in spans.items() if not self._free_to_work(its, grid_minutes)}

    def _free_to_work(self, held: list[int], grid_minutes: int) -> bool:
        start, end = start_of(min(held), grid_minutes), start_of(max(held) + 1, grid_minutes)
        day = start.astimezone(ZoneInfo(self.zone)).date()
        return self.shift_for(day, start, end) is not None and not self.absent(start, end)

    def _weekly(self, day: date) -> Iterator[Shift]:
        for each in self.week:
            in_force = each.valid_from <= day and (each.valid_to is None or day <= each.valid_to)
            if each.weekday == day.weekday() and in_force:
                yield Shift(
                    starts_at=local_instant(day, each.starts, self.zone),
                    ends_at=local_instant(day, each.ends, self.zone),
                    break_at=local_instant(day, each.break_from, self.zone) if each.break_from else None,
                    break_minutes=each.break_minutes,
                    max_jobs=each.max_jobs,
                    manual=False,
                )


def _refuse_overlaps(spans: Sequence[tuple[Clock, Clock]]) -> None:
    ordered = sorted(spans)
    if any(start >= end for start, end in ordered):
        raise ShiftsOverlap("a shift ends after it starts; one over midnight is split there")
    if any(start < earlier for (_, earlier), (start, _) in pairwise(ordered)):
        raise ShiftsOverlap("two shifts of one technician overlap")
