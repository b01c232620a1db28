"""When customers may be reached: working days, and the hours in which no phone shall ring (D-CAL-2, D-DP-10)."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

SUNDAY, SATURDAY = 6, 5
DAY = timedelta(days=1)


@lru_cache
def _public_holidays(country: str, subdivision: str | None) -> Container[date]:
    return holidays.country_holidays(country, subdiv=subdivision)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days of an operator: public holidays of his country, and closures that recur each year as `MM-DD`."""

    zone: ZoneInfo
    country: str
    subdivision: str | None = None
    closures: frozenset[str] = frozenset()

    def is_holiday(self, day: date) -> bool:
        return day in _public_holidays(self.country, self.subdivision)

    def is_working(self, day: date) -> bool:
        """Monday to Friday, no public holiday, no closure."""
        return day.weekday() < SATURDAY and not self.is_holiday(day) and f"{day:%m-%d}" not in self.closures

    def working_days_before(self, day: date, count: int) -> date:
        """The working day that lies so many working days before a day."""
        while count:
            day -= DAY
            count -= self.is_working(day)
        return day

    def working_day_after(self, day: date) -> date:
        """The first working day behind a day."""
        day += DAY
        while not self.is_working(day):
            day += DAY
        return day

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def at(self, day: date, when: time) -> datetime:
        """A local time of a day; in the autumn overlap the first one."""
        return datetime.combine(day, when, self.zone)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local hours in which no SMS goes to a customer; Sundays and public holidays are quiet all day."""

    from_: time = time(20)
    to: time = time(8)

    def ends(self, moment: datetime, calendar: Calendar) -> datetime | None:
        """When the quiet that rules at this moment is over; None if it does not rule."""
        local = calendar.local(moment)
        if self._allowed(local, calendar):
            return None
        day = local.date() if local.time() < self.to else local.date() + DAY
        while _is_quiet_day(day, calendar):
            day += DAY
        return calendar.at(day, self.to)

    def _allowed(self, local: datetime, calendar: Calendar) -> bool:
        return self.to <= local.time() < self.from_ and not _is_quiet_day(local.date(), calendar)


def _is_quiet_day(day: date, calendar: Calendar) -> bool:
    return day.weekday() == SUNDAY or calendar.is_holiday(day)
