"""Werktage of the market and the waits that are counted in them: the vectors of the domain facts."""

from datetime import UTC, date, datetime

import pytest

from kit.workdays import is_working_day, working_days_after
from services.mdm_adapter.domain.calendar import end_of_wait

# fmt: off
VECTORS = [
    ("2026-12-22",   3, "2026-12-29"), ("2026-12-23",  1, "2026-12-28"), ("2026-06-03", 1, "2026-06-05"),
    ("2026-11-17",   1, "2026-11-19"), ("2026-05-13",  3, "2026-05-19"), ("2026-04-02", 1, "2026-04-07"),
    ("2026-12-29",  -2, "2026-12-23"), ("2026-12-19", -20, "2026-11-23"), ("2026-12-21", -20, "2026-11-23"),
    ("2026-12-18", -20, "2026-11-20"), ("2026-03-02",  0, "2026-03-02"),
]
# fmt: on


@pytest.mark.parametrize(("day", "count", "expected"), VECTORS)
def test_d_cal_1_working_days_are_counted_from_the_next_one(day: str, count: int, expected: str) -> None:
    assert working_days_after(date.fromisoformat(day), count) == date.fromisoformat(expected)


@pytest.mark.parametrize("day", ["2026-08-15", "2026-11-18", "2026-12-24", "2026-12-31", "2026-03-07"])
def test_d_cal_1_no_working_days(day: str) -> None:
    assert not is_working_day(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("moment", "count", "expected"),
    [
        ("2026-03-02T08:00", 3, "2026-03-05T23:00"),
        ("2026-03-02T23:30", 3, "2026-03-06T23:00"),  # in Germany it is the next day
        ("2026-03-26T08:00", 3, "2026-03-31T22:00"),  # the clocks go forward in between
        ("2026-10-22T08:00", 3, "2026-10-27T23:00"),  # and back
        ("2026-12-22T08:00", 3, "2026-12-29T23:00"),
    ],
)
def test_a_wait_ends_with_its_last_working_day(moment: str, count: int, expected: str) -> None:
    ended = end_of_wait(datetime.fromisoformat(f"{moment}+00:00"), count)
    assert ended.astimezone(UTC) == datetime.fromisoformat(f"{expected}+00:00")
