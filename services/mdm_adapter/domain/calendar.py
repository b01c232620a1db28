"""Days in Germany, and the ends of waits that are counted in Werktage (D-CAL-1)."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kit.workdays import working_days_after

MARKET = ZoneInfo("Europe/Berlin")


def local_day(moment: datetime) -> date:
    """The day in Germany when it happens."""
    return moment.astimezone(MARKET).date()


def at_noon(day: date) -> datetime:
    """12:00 in Germany."""
    return datetime.combine(day, time(12), MARKET)


def end_of_day(day: date) -> datetime:
    """24:00 in Germany: the first instant of the next day."""
    return datetime.combine(day + timedelta(days=1), time(), MARKET)


def end_of_wait(moment: datetime, count: int) -> datetime:
    """When the count-th Werktag after a moment is over."""
    return end_of_day(working_days_after(local_day(moment), count))
