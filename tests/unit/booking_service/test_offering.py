"""Whether an appointment may be offered on a channel: every code alone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from contracts.codes import BookingChannel
from contracts.parts import Span
from services.booking_service.domain.offering import gives_entry_right, refusals
from services.booking_service.domain.states import AppointmentState
from tests.unit.booking_service.given import (
    NOW,
    START,
    WINDOW,
    a_case,
    a_contact,
    an_appointment,
    an_operator,
    an_order,
)

FAR = datetime(2026, 4, 13, 8, tzinfo=UTC)
OTHER = (Span(from_=FAR, to=FAR + timedelta(hours=2)),)


def _codes(channel: BookingChannel, **changes: Any) -> list[str]:
    order = an_order(**changes.pop("order", {}))
    case = a_case(order, **changes.pop("case", {}))
    now, operator = changes.pop("now", NOW), changes.pop("operator", an_operator())
    appointment = an_appointment(**{"alternatives": OTHER, **changes})
    return [refusal.code for refusal in refusals(case, order, appointment, channel, operator, now)]


@pytest.mark.parametrize(
    ("channel", "changes"),
    [(BookingChannel.SMS, {}), (BookingChannel.PHONE, {}), (BookingChannel.LETTER, {"block_start": FAR})],
)
def test_a_good_offer_is_not_refused(channel: BookingChannel, changes: dict[str, Any]) -> None:
    assert _codes(channel, **changes) == []


@pytest.mark.parametrize(
    ("channel", "changes", "code"),
    [
        (BookingChannel.SMS, {"order": {"gone_at": NOW}}, "work-order-gone"),
        (BookingChannel.SMS, {"order": {"frozen": True}}, "frozen"),
        (BookingChannel.SMS, {"state": AppointmentState.SENT}, "state-forbids"),
        (BookingChannel.SMS, {"case": {"contact": None}}, "no-mobile"),
        (BookingChannel.SMS, {"case": {"contact": a_contact(mobile=False)}}, "no-mobile"),
        (BookingChannel.SMS, {"case": {"contact": a_contact(sms_allowed=False)}}, "sms-not-allowed"),
        (BookingChannel.SMS, {"case": {"opted_out": True}}, "sms-not-allowed"),
        (BookingChannel.LETTER, {"case": {"contact": None}, "block_start": FAR}, "no-address"),
        (BookingChannel.LETTER, {"block_start": FAR, "alternatives": ()}, "alternative-missing"),
        (BookingChannel.SMS, {"case": {"bookable_from": None}}, "too-early"),
        (BookingChannel.SMS, {"case": {"bookable_from": date(2026, 3, 10)}}, "too-early"),
    ],
)
def test_each_reason_alone_has_its_code(channel: BookingChannel, changes: dict[str, Any], code: str) -> None:
    assert _codes(channel, **changes) == [code]


def test_an_offer_by_text_needs_three_working_days() -> None:
    thursday = datetime(2026, 3, 5, 8, tzinfo=UTC)  # the block is on Monday: two working days
    assert _codes(BookingChannel.SMS, now=thursday)[0] == "lead-time"


def test_a_letter_names_a_day_two_weeks_after_its_receipt() -> None:
    refusal = next(
        refusals(a_case(), an_order(), an_appointment(alternatives=OTHER), BookingChannel.LETTER, an_operator(), NOW)
    )
    assert (refusal.code, refusal.first_possible) == ("entry-notice", date(2026, 3, 22))


def test_when_nobody_could_answer_in_time_staff_phones() -> None:
    monday_noon = datetime(2026, 3, 4, 8, tzinfo=UTC)  # the last answer would be due on Thursday 5 March at noon
    assert _codes(BookingChannel.SMS, now=monday_noon) == []
    relaxed = an_operator(closures=("12-24", "12-31", "2026-03-05", "2026-03-06"))
    assert "too-late-to-ask" in _codes(BookingChannel.SMS, now=monday_noon + timedelta(hours=5), operator=relaxed)


@pytest.mark.parametrize(
    ("channel", "country", "right"),
    [(BookingChannel.LETTER, "DE", True), (BookingChannel.SMS, "DE", False), (BookingChannel.LETTER, "NO", False)],
)
def test_only_a_letter_in_germany_gives_a_right_of_entry(channel, country: str, right: bool) -> None:
    assert gives_entry_right(channel, an_operator(country=country, subdivision=None), NOW) is right


def test_the_window_of_the_test_holds_its_start() -> None:
    assert WINDOW.from_ <= START < WINDOW.to
