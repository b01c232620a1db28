"""Local days, and the parts of a span that lie in working days: what the waiting times of a case need."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kit.workdays import is_working_day


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
