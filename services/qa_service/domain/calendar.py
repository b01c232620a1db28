"""Working days: when a review and the rework of it are due (D-CAL-1)."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

STATES = ("BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH")


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    """One state's holiday counts for all; 24 and 31 December count as well."""
    import holidays  # slow to import

    found = {day for state in STATES for day in holidays.country_holidays("DE", subdiv=state, years=year)}
    return frozenset(found | {date(year, 12, 24), date(year, 12, 31)})


def working_days_after(day: date, count: int) -> date:
    """The count-th working day after a day; counting starts with the next one."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5 and day not in _holidays(day.year)
    return day


def after_working_days(moment: datetime, count: int, zone: str) -> datetime:
    """The same local time of the day, so many working days later."""
    local = moment.astimezone(ZoneInfo(zone))
    return datetime.combine(working_days_after(local.date(), count), local.time(), ZoneInfo(zone))
