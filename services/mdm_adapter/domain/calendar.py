"""Werktage of the German market and the ends of waits that are counted in them (D-CAL-1)."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

STATES = ("BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH")
MARKET = ZoneInfo("Europe/Berlin")


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    """One state's holiday counts for all; 24 and 31 December count as well."""
    import holidays  # slow to import, and not needed to read the tables

    found = {day for state in STATES for day in holidays.country_holidays("DE", subdiv=state, years=year)}
    return frozenset(found | {date(year, 12, 24), date(year, 12, 31)})


def is_working_day(day: date) -> bool:
    """A Werktag: Monday to Friday, nowhere a holiday."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def working_days_from(day: date, count: int) -> date:
    """The count-th Werktag after a day, or before it with a negative count; counting starts with the next one."""
    step = timedelta(days=1 if count > 0 else -1)
    while count:
        day += step
        count -= step.days * is_working_day(day)
    return day


def local_day(moment: datetime) -> date:
    """The day in Germany when it happens."""
    return moment.astimezone(MARKET).date()


def end_of_wait(moment: datetime, count: int) -> datetime:
    """When the count-th Werktag after a moment is over: the first instant of the next day."""
    last = working_days_from(local_day(moment), count)
    return datetime.combine(last + timedelta(days=1), time(), MARKET)
