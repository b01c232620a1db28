"""Working days of the German market, and months, as waits are counted in them (D-CAL-1): one calendar for all."""

from calendar import monthrange
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

STATES = ("BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH")


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    """One state's holiday counts for all; 24 and 31 December count as well."""
    import holidays  # slow to import, and not needed to read the tables

    found = {day for state in STATES for day in holidays.country_holidays("DE", subdiv=state, years=year)}
    return frozenset(found | {date(year, 12, 24), date(year, 12, 31)})


def is_working_day(day: date) -> bool:
    """A Werktag: Monday to Friday, nowhere a holiday."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def working_days_after(day: date, count: int) -> date:
    """The count-th working day after a day, or before it with a negative count; counting starts with the next one."""
    step = timedelta(days=1 if count > 0 else -1)
    while count:
        day += step
        count -= step.days * is_working_day(day)
    return day


def after_working_days(moment: datetime, count: int, zone: str) -> datetime:
    """The same local time of the day, so many working days later."""
    local = moment.astimezone(ZoneInfo(zone))
    return datetime.combine(working_days_after(local.date(), count), local.time(), ZoneInfo(zone))


def months_later(day: date, count: int) -> date:
    """The same day some months later, or earlier with a negative count, clipped to the end of the month."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
