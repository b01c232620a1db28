"""E9: the clocks of the market, by the vectors of their rules; all instants are told apart to the minute."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kit.workdays import is_working_day, working_days_after
from services.mdm_adapter.domain import clocks
from services.mdm_adapter.domain.calendar import MARKET, end_of_wait, local_day


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MARKET)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (utc("2026-11-17T10:00"), utc("2026-11-17T10:45")),
        (local("2026-11-21T10:00"), local("2026-11-22T12:00")),
        (local("2026-11-22T10:00"), local("2026-11-22T10:45")),
        (local("2027-03-27T12:00"), utc("2027-03-28T10:00")),  # the clock is put forward that night
        (local("2026-10-24T12:00"), utc("2026-10-25T11:00")),  # and back that night
        (utc("2026-11-20T23:00"), local("2026-11-22T12:00")),  # Saturday begins at 23:00 UTC
        (utc("2026-11-20T22:59"), utc("2026-11-20T23:44")),
        (local("2026-12-24T12:00"), local("2026-12-24T12:45")),
    ],
    ids=str,
)
def test_E09_an_aperak_on_master_data_and_orders_is_due_in_45_minutes_but_on_saturday(
    received: datetime, due: datetime
) -> None:
    assert clocks.aperak_due("UTILMD", received) == clocks.aperak_due("ORDERS", received) == due


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (utc("2026-11-17T11:00"), local("2026-11-19T12:00")),  # the 18th is a holiday in Saxony
        (local("2026-11-21T10:00"), local("2026-11-23T12:00")),
        (local("2027-03-27T12:00"), utc("2027-03-30T10:00")),
        (local("2026-12-23T08:00"), local("2026-12-28T12:00")),  # neither the 24th nor the 31st is a Werktag
        (local("2026-12-30T08:00"), local("2027-01-04T12:00")),
    ],
    ids=str,
)
def test_E09_an_aperak_on_all_others_is_due_at_noon_of_the_next_werktag(received: datetime, due: datetime) -> None:
    assert clocks.aperak_due("MSCONS", received) == clocks.aperak_due("IFTSTA", received) == due


@pytest.mark.parametrize(
    ("message", "received", "minutes"),
    [
        ("UTILMD", "2026-11-20T10:00", 15),
        ("ORDERS", "2026-11-22T10:00", 15),
        ("ORDERS", "2026-11-21T10:00", 360),
        ("MSCONS", "2026-11-20T10:00", 360),
    ],
)
def test_E09_a_fault_of_syntax_is_told_in_minutes_or_hours(message: str, received: str, minutes: int) -> None:
    assert clocks.contrl_due(message, local(received)) == local(received) + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-12-23", 1, "2026-12-28"),
        ("2026-12-23", 2, "2026-12-29"),
        ("2026-12-30", 1, "2027-01-04"),
        ("2027-03-25", 3, "2027-04-01"),
        ("2026-11-23", 10, "2026-12-07"),
        ("2026-11-20", 3, "2026-11-25"),
        ("2026-12-22", 3, "2026-12-29"),
        ("2026-06-03", 1, "2026-06-05"),
        ("2026-11-17", 1, "2026-11-19"),
        ("2026-05-13", 3, "2026-05-19"),
        ("2026-04-02", 1, "2026-04-07"),
        ("2026-12-29", -2, "2026-12-23"),
        ("2026-12-19", -20, "2026-11-23"),
        ("2026-12-21", -20, "2026-11-23"),
        ("2026-12-18", -20, "2026-11-20"),
    ],
)
def test_E09_werktage_are_counted_from_the_next_or_the_previous_day(start: str, count: int, end: str) -> None:
    assert working_days_after(day(start), count) == day(end)


@pytest.mark.parametrize("off", ["2026-12-24", "2026-12-31", "2026-08-15", "2026-11-18", "2026-11-21", "2026-11-22"])
def test_E09_what_is_no_werktag_somewhere_is_none_anywhere(off: str) -> None:
    assert not is_working_day(day(off))


def test_E09_a_wait_ends_with_its_last_day_also_when_clocks_change() -> None:
    assert end_of_wait(local("2027-03-25T10:00"), 1) == utc("2027-03-30T22:00")
    assert end_of_wait(local("2026-10-23T10:00"), 1) == utc("2026-10-26T23:00")


def test_E09_an_order_asks_for_a_day_with_twenty_werktage_before_it() -> None:
    assert clocks.earliest_ordered_day(local("2026-11-23T09:00"), 20) == day("2026-12-19")
    assert clocks.earliest_ordered_day(local("2026-11-20T09:00"), 20) == day("2026-12-18")


@given(some.dates(date(2026, 1, 1), date(2030, 12, 31)), some.integers(1, 25))
def test_E09_the_first_day_that_may_be_asked_for_fits_and_the_day_before_does_not(received: date, ahead: int) -> None:
    first = clocks.earliest_ordered_day(datetime.combine(received, datetime.min.time(), MARKET), ahead)
    assert working_days_after(first, -ahead) >= received
    assert working_days_after(first - timedelta(days=1), -ahead) < received


def test_E09_a_gateway_is_announced_three_months_ahead_and_to_the_other_operator_sooner() -> None:
    assert clocks.announced_until(day("2027-03-01")) == day("2026-12-01")
    assert clocks.announced_until(day("2027-03-01"), competing=True) == day("2026-11-26")
    assert clocks.announced_until(day("2027-05-31")) == day("2027-02-28")


@pytest.mark.parametrize(
    ("told", "allowed"),
    [("2026-12-01", True), ("2026-12-02", False), ("2025-12-01", True), ("2025-11-30", False)],
)
def test_E09_a_modern_meter_is_announced_three_to_fifteen_months_ahead(told: str, allowed: bool) -> None:
    assert clocks.may_be_announced(day("2027-03-01"), day(told)) is allowed


@pytest.mark.parametrize(("restarted", "needed"), [("2026-04-26", False), ("2026-04-27", True)])
def test_E09_what_rested_for_eight_weeks_is_announced_anew(restarted: str, needed: bool) -> None:
    assert clocks.needs_announcing_again(day("2026-03-01"), day(restarted)) is needed


def test_E09_a_change_of_operator_is_ordered_and_answered_werktage_before() -> None:
    assert clocks.change_of_operator_ordered_until(day("2026-12-31")) == day("2026-12-23")
    assert clocks.change_of_operator_answered_until(day("2026-11-19")) == day("2026-11-16")


def test_E09_the_removal_reading_leaves_before_day_28() -> None:
    assert clocks.removal_reading_due(day("2026-11-20")) == utc("2026-12-15T23:00")


def test_E09_new_master_data_leave_within_three_werktage() -> None:
    assert clocks.master_data_due(utc("2026-11-20T09:15")) == utc("2026-11-25T23:00")
    assert clocks.master_data_due(utc("2026-12-22T23:30")) == utc("2026-12-30T23:00")  # the 23rd in Germany


def test_E09_a_failure_is_told_within_three_werktage_or_eight_weeks() -> None:
    assert clocks.failure_due(day("2026-11-20"), ordered=True) == utc("2026-11-25T23:00")
    assert clocks.failure_due(day("2026-11-20"), ordered=False) == utc("2027-01-15T23:00")


@given(some.integers(0, 5 * 365 * 24 * 60))
def test_E09_no_receipt_is_due_before_the_message_came(minute: int) -> None:
    received = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    for message in ("UTILMD", "MSCONS"):
        assert received < clocks.aperak_due(message, received)
        assert received < clocks.contrl_due(message, received)
        if message not in clocks.QUICK:
            assert is_working_day(local_day(clocks.aperak_due(message, received)))
