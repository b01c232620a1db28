"""So many times a minute: at the limit, one more, and after the window."""

from datetime import UTC, datetime, timedelta

import pytest

from kit.limits import Rate, TooMany

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_as_often_as_agreed_and_not_once_more() -> None:
    rate = Rate("test", "partner")
    for _ in range(60):
        rate.spend("a", 60, NOW)
    with pytest.raises(TooMany) as refused:
        rate.spend("a", 60, NOW)
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})


def test_others_have_their_own_measure_and_a_minute_fills_it_again() -> None:
    rate = Rate("test", "partner")
    for _ in range(2):
        rate.spend("a", 2, NOW)
    rate.spend("b", 2, NOW)
    for _ in range(2):
        rate.spend("a", 2, NOW + timedelta(minutes=1))
    with pytest.raises(TooMany):
        rate.spend("a", 2, NOW + timedelta(minutes=1))
