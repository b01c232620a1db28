"""Working days and local time: Monday to Friday, no public holiday of the operator's region, no day it is closed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from services.booking_service.errors import TimeDoesNotExist, UnknownName

DAY = timedelta(days=1)
NOON = time(12)


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The working days of one operator, in its zone. `closures` are "MM-DD" or "YYYY-MM-DD"."""

    country: str = "DE"
    subdivision: str | None = "NW"
    closures: tuple[str, ...] = ("12-24", "12-31")
    zone: str = "Europe/Berlin"

    def holds(self, day: date) -> bool:
        """Whether this is a working day."""
        return day.weekday() < 5 and not self.closed(day)

    def closed(self, day: date) -> bool:
        """Whether a public holiday or a closure keeps everybody at home, whatever the weekday."""
        closure = day.isoformat() in self.closures or day.isoformat()[5:] in self.closures
        return closure or day in _public(self.country, self.subdivision)

    def after(self, day: date, count: int) -> date:
        """The nth working day after a day; the day itself does not count."""
        return _nth(self._walk(day, DAY), count)

    def before(self, day: date, count: int) -> date:
        """The nth working day before a day."""
        return _nth(self._walk(day, -DAY), count)

    def at_or_after(self, day: date) -> date:
        """The day itself, or the next working day."""
        return day if self.holds(day) else self.after(day, 1)

    def local_day(self, at: datetime) -> date:
        """The operator's day of an instant."""
        return at.astimezone(ZoneInfo(self.zone)).date()

    def at(self, day: date, clock: time) -> datetime:
        """The instant of a local time."""
        return local_instant(day, clock, self.zone)

    def _walk(self, day: date, step: timedelta) -> Iterator[date]:
        while True:
            day += step
            if self.holds(day):
                yield day


def local_instant(day: date, clock: time, zone: str) -> datetime:
    """A local time as UTC; the first of two when it occurs twice, refused when it does not exist (D-CAL-3)."""
    local = datetime.combine(day, clock, ZoneInfo(zone))
    instant = local.astimezone(UTC)
    if instant.astimezone(local.tzinfo).replace(fold=0) != local:
        raise TimeDoesNotExist(f"{clock:%H:%M} does not exist on {day} in {zone}")
    return instant


def known_region(country: str, subdivision: str | None) -> None:
    """Refuse a country, or a part of it, whose public holidays are not known."""
    try:
        _public(country, subdivision)
    except NotImplementedError as error:
        raise UnknownName(f"no public holidays are known of {country} {subdivision or ''}".rstrip()) from error


def add_months(day: date, months: int) -> date:
    """The same day so many calendar months later, clipped to the end of the month."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, min(day.day, (first_of_next - DAY).day))


@lru_cache
def _public(country: str, subdivision: str | None) -> holidays.HolidayBase:
    return holidays.country_holidays(country, subdiv=subdivision)


def _nth(days: Iterator[date], count: int) -> date:
    day = next(days)
    for _ in range(count - 1):
        day = next(days)
    return day
