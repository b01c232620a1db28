"""Working days (D-CAL-1) with the vectors of the page, and local days."""

from datetime import UTC, date, datetime

import pytest

from kit.workdays import after_working_days, is_working_day, months_later
from kit.workdays import working_days_after as after
from services.case_service.domain.calendar import local_day


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2026, 12, 22), 3, date(2026, 12, 29)),
        (date(2026, 12, 23), 1, date(2026, 12, 28)),
        (date(2026, 6, 3), 1, date(2026, 6, 5)),
        (date(2026, 11, 17), 1, date(2026, 11, 19)),
        (date(2026, 5, 13), 3, date(2026, 5, 19)),
        (date(2026, 4, 2), 1, date(2026, 4, 7)),
    ],
)
def test_d_cal_1_working_days_after_a_day(day: date, count: int, expected: date) -> None:
    assert after(day, count) == expected


@pytest.mark.parametrize("day", [date(2026, 8, 15), date(2026, 11, 18), date(2026, 12, 24), date(2026, 3, 7)])
def test_d_cal_1_one_state_s_holiday_counts_for_all(day: date) -> None:
    assert not is_working_day(day)


def test_a_clock_change_moves_no_local_hour() -> None:
    friday = datetime(2026, 3, 27, 9, tzinfo=UTC)  # 10:00 in Berlin, before summer time
    assert after_working_days(friday, 1, "Europe/Berlin") == datetime(2026, 3, 30, 8, tzinfo=UTC)


def test_the_local_day_begins_before_the_utc_day() -> None:
    assert local_day(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "Europe/Berlin") == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 11, 23), 3, date(2027, 2, 23)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 5), 12, date(2027, 12, 5)),
    ],
)
def test_months_are_clipped_to_their_end(day: date, months: int, expected: date) -> None:
    assert months_later(day, months) == expected
