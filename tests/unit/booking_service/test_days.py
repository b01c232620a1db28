"""Working days, local time and the rules of notice: the vectors of sections 5, 7 and 11."""

from datetime import UTC, date, datetime, time

import pytest

from contracts.codes import BookingChannel, DeviceRole, LegalBasis
from contracts.parts import DevicePlan, PlanItem
from services.booking_service.domain.calendars import WorkingDays, add_months, known_region, local_instant
from services.booking_service.domain.notice_rules import LEAD_SMS, N37, N38, RULES, notice_required, rule
from services.booking_service.domain.offering import answer_by, first_day, first_day_by_letter
from services.booking_service.errors import TimeDoesNotExist, UnknownName
from tests.unit.booking_service.given import IMSYS, MME, an_operator

DE, NO = an_operator(), an_operator(country="NO", subdivision=None, zone="Europe/Oslo")
FAR = datetime(2027, 6, 1, 8, tzinfo=UTC)


def _noon(day: date, zone: str = "Europe/Berlin") -> datetime:
    return local_instant(day, time(12), zone)


@pytest.mark.parametrize(
    ("operator", "channel", "sent_on", "answer_on"),
    [
        (DE, BookingChannel.SMS, date(2026, 12, 22), date(2026, 12, 29)),
        (an_operator(closures=()), BookingChannel.SMS, date(2026, 12, 22), date(2026, 12, 28)),
        (NO, BookingChannel.SMS, date(2026, 5, 12), date(2026, 5, 18)),
        (NO, BookingChannel.LETTER, date(2026, 5, 13), date(2026, 5, 26)),
    ],
)
def test_an_answer_is_waited_for_until_noon_of_a_working_day(operator, channel, sent_on, answer_on) -> None:
    assert answer_by(channel, sent_on, FAR, operator) == _noon(answer_on, operator.zone)


def test_an_answer_is_due_two_working_days_before_the_block_at_the_latest() -> None:
    tuesday_block = datetime(2026, 3, 10, 8, tzinfo=UTC)
    assert answer_by(BookingChannel.SMS, date(2026, 3, 5), tuesday_block, DE) == _noon(date(2026, 3, 6))


def test_nobody_waits_for_an_answer_by_phone() -> None:
    assert answer_by(BookingChannel.PHONE, date(2026, 3, 5), FAR, DE) is None


@pytest.mark.parametrize(
    ("effective_on", "first"),
    [
        (date(2026, 11, 22), date(2027, 2, 23)),
        (date(2026, 11, 30), date(2027, 3, 1)),
        (date(2027, 11, 30), date(2028, 3, 1)),
        (date(2026, 1, 31), date(2026, 5, 1)),
    ],
)
def test_N37_counts_three_clipped_months_and_a_day(effective_on: date, first: date) -> None:
    n37 = rule(N37, "DE", effective_on)
    assert n37 is not None
    assert n37.first_day(effective_on, DE.days) == first


def test_N38_counts_two_weeks_from_the_receipt() -> None:
    n38 = rule(N38, "DE", date(2026, 11, 30))
    assert n38 is not None
    assert n38.first_day(date(2026, 11, 30), DE.days) == date(2026, 12, 15)
    assert first_day_by_letter(DE, date(2026, 11, 30)) == date(2026, 12, 19)


def test_LEAD_SMS_leaves_three_working_days() -> None:
    morning = datetime(2026, 12, 22, 9, tzinfo=UTC)
    assert first_day(BookingChannel.SMS, DE, morning) == date(2026, 12, 29)
    assert first_day(BookingChannel.PHONE, DE, morning) == date(2026, 12, 22)


def test_rules_of_one_country_hold_nowhere_else() -> None:
    assert [rule(name, "NO", date(2026, 3, 1)) is not None for name in (N37, N38, LEAD_SMS)] == [False, False, True]


def test_no_rule_holds_before_its_first_day() -> None:
    assert all(rule(each.id, "DE", each.valid_from.replace(year=2015)) is None for each in RULES)


CONTROL = DevicePlan(
    plan="IMSYS_CONTROL", install=(PlanItem(role=DeviceRole.CONTROL_BOX, quantity=1, alternatives=()),), remove=()
)


@pytest.mark.parametrize(
    ("country", "basis", "plan", "required"),
    [
        ("DE", LegalBasis.MANDATORY, IMSYS, True),
        ("DE", LegalBasis.MANDATORY, CONTROL, True),
        ("DE", LegalBasis.MANDATORY, MME, False),
        ("DE", LegalBasis.CUSTOMER_REQUEST, IMSYS, False),
        ("DE", LegalBasis.OPTIONAL, IMSYS, False),
        ("NO", LegalBasis.MANDATORY, IMSYS, False),
    ],
)
def test_N37_is_for_intelligent_systems_that_come_by_obligation(country, basis, plan, required) -> None:
    assert notice_required(country, basis, plan, date(2026, 3, 2)) is required


@pytest.mark.parametrize(
    ("day", "utc_hours"),
    [(date(2026, 3, 29), (5, 13)), (date(2026, 10, 25), (6, 14)), (date(2026, 12, 1), (6, 14))],
)
def test_shifts_follow_the_clock_on_the_wall_when_it_is_changed(day: date, utc_hours: tuple[int, int]) -> None:
    starts, ends = (local_instant(day, time(hour, 30), "Europe/Berlin") for hour in (7, 15))
    assert (starts, ends) == tuple(datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC) for hour in utc_hours)


def test_DCAL3_a_time_in_the_gap_is_refused_and_the_first_of_two_is_meant() -> None:
    with pytest.raises(TimeDoesNotExist, match="02:30 does not exist on 2026-03-29"):
        local_instant(date(2026, 3, 29), time(2, 30), "Europe/Berlin")
    assert local_instant(date(2026, 10, 25), time(2, 30), "Europe/Berlin") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_operators_day_begins_at_its_own_midnight() -> None:
    assert WorkingDays().local_day(datetime(2026, 3, 29, 22, 30, tzinfo=UTC)) == date(2026, 3, 30)


def test_working_days_are_counted_back_as_well() -> None:
    assert WorkingDays().before(date(2026, 12, 29), 2) == date(2026, 12, 23)


def test_a_closure_may_be_one_day_only() -> None:
    days = WorkingDays(closures=("2026-03-06",))
    assert (days.holds(date(2026, 3, 6)), days.holds(date(2026, 3, 7)), days.holds(date(2026, 3, 9))) == (
        False,
        False,
        True,
    )


def test_months_are_clipped_to_their_end() -> None:
    assert add_months(date(2026, 12, 31), 2) == date(2027, 2, 28)


def test_a_region_without_known_holidays_is_refused() -> None:
    with pytest.raises(UnknownName, match="no public holidays are known of DE XX"):
        known_region("DE", "XX")
