"""Days in Germany, and the ends of waits that are counted in Werktage (D-CAL-1)."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kit.workdays import working_days_after

MARKET = ZoneInfo("Europe/Berlin")


def local_day(moment: datetime) -> date:
    """The day in Germany when it happens."""
    return moment.astimezone(MARKET).date()


def end_of_wait(moment: datetime, count: int) -> datetime:
    """When the count-th Werktag after a moment is over: the first instant of the next day."""
    last = working_days_after(local_day(moment), count)
    return datetime.combine(last + timedelta(days=1), time(), MARKET)
