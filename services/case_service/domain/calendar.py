"""Working days and local days: the only calendar that the waiting times of a case need (D-CAL-1)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
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
    """A Werktag of the German market: Monday to Friday, nowhere a holiday."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def working_days_after(day: date, count: int) -> date:
    """The count-th working day after a day; counting starts with the next one."""
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def working_spans(start: datetime, end: datetime, zone: str) -> Iterator[tuple[datetime, datetime]]:
    """The parts of a span that lie in working days, day by day, as instants."""
    day = local_day(start, zone)
    while (begin := at_local(day, 0, zone).astimezone(UTC)) < end:
        over = at_local(day + timedelta(days=1), 0, zone).astimezone(UTC)
        if is_working_day(day) and over > start:
            yield max(begin, start), min(over, end)
        day += timedelta(days=1)


def local_day(moment: datetime, zone: str) -> date:
    """The date on the operator's wall when it happens."""
    return moment.astimezone(ZoneInfo(zone)).date()


def at_local(day: date, hour: int, zone: str) -> datetime:
    """That hour of a local day, as an instant."""
    return datetime.combine(day, time(hour), ZoneInfo(zone))


def after_working_days(moment: datetime, count: int, zone: str) -> datetime:
    """The same local hour, so many working days later."""
    local = moment.astimezone(ZoneInfo(zone))
    return datetime.combine(working_days_after(local.date(), count), local.time(), ZoneInfo(zone))


def months_later(day: date, months: int) -> date:
    """The same day some months later, clipped to the end of the month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    longest = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, longest))
