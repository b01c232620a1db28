"""Working days and quiet hours: the page's vectors, midnight, change of the clocks, holidays."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from services.notification_service.domain.calendars import Calendar, QuietHours
from services.notification_service.domain.desk import reminder_at
from services.notification_service.domain.operators import Operator

BERLIN = ZoneInfo("Europe/Berlin")
GERMANY = Calendar(BERLIN, "DE", "NW", frozenset({"12-24", "12-31"}))
OPERATOR = Operator(
    code="a", name="A", sender="+4915700000001", service_phone="1", closures=frozenset({"12-24", "12-31"})
)
NIGHT = QuietHours()


def berlin(*when: int) -> datetime:
    return datetime(*when, tzinfo=BERLIN)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("block", "reminder"),
    [
        (berlin(2026, 12, 29, 10), berlin(2026, 12, 28, 16)),
        (berlin(2026, 12, 14, 10), berlin(2026, 12, 11, 16)),
        (berlin(2026, 12, 28, 10), berlin(2026, 12, 23, 16)),
    ],
)
def test_N05_goes_out_one_working_day_before_at_four(block: datetime, reminder: datetime) -> None:
    assert reminder_at(block, OPERATOR) == reminder


def test_N05_counts_more_days_where_the_operator_says_so() -> None:
    assert reminder_at(berlin(2026, 12, 28, 10), OPERATOR.model_copy(update={"reminder_days": 2})) == berlin(
        2026, 12, 22, 16
    )


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (berlin(2026, 3, 3, 8), None),
        (berlin(2026, 3, 3, 19, 59), None),
        (berlin(2026, 3, 3, 20), berlin(2026, 3, 4, 8)),
        (berlin(2026, 3, 3, 7, 59), berlin(2026, 3, 3, 8)),
        (berlin(2026, 3, 7, 20), berlin(2026, 3, 9, 8)),  # Saturday night: Sunday is quiet
        (berlin(2026, 3, 8, 12), berlin(2026, 3, 9, 8)),
        (berlin(2026, 3, 28, 21), berlin(2026, 3, 30, 8)),  # the night of the change of the clocks
        (berlin(2026, 4, 2, 20), berlin(2026, 4, 4, 8)),  # Good Friday
        (berlin(2026, 4, 4, 20), berlin(2026, 4, 7, 8)),  # Easter
    ],
)
def test_D_DP_10_quiet_hours_end_at_the_next_allowed_minute(now: datetime, end: datetime | None) -> None:
    assert NIGHT.ends(now, GERMANY) == end


def test_the_end_of_a_quiet_night_is_eight_by_the_clock_after_it_changed() -> None:
    end = NIGHT.ends(berlin(2026, 10, 24, 23), Calendar(BERLIN, "DE"))
    assert end is not None
    assert (end.time(), end.utcoffset()) == (time(8), berlin(2026, 10, 26, 8).utcoffset())


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 12, 23), True),
        (date(2026, 12, 24), False),
        (date(2026, 12, 25), False),
        (date(2026, 12, 27), False),
        (date(2026, 6, 4), False),
        (date(2026, 12, 31), False),
    ],
)
def test_D_CAL_2_working_days_are_the_operators(day: date, works: bool) -> None:
    assert GERMANY.is_working(day) is works
