"""Booking: texts that fail, answers of every kind, absences, holds."""

import pytest

from tests.journeys.playing import Played
from tests.journeys.test_good_way import GOOD_WAY


def test_J05_a_letter_is_printed_and_the_customer_calls(played: Played) -> None:
    order = played.orders["J05"]
    assert order.moves() == ["T01", "T02", "T03", *GOOD_WAY[2:]]
    (offered,) = order.of("bookings", "appointment_offered")
    assert (offered["channel"], len(offered["alternatives"]) >= 1, offered["entry_right"]) == ("letter", True, True)
    assert order.in_order("notices", "letter_prepared", "letter_printed")
    assert len(order.of("notices", "notice_sent", channel="letter")) == 1
    assert order.of("bookings", "appointment_confirmed", by="staff", agreed_via="phone")
    assert (order.phase, order.texts) == ("COMPLETED", 0)


def test_J06_a_text_that_fails_for_a_moment_is_tried_again(played: Played) -> None:
    order = played.orders["J06a"]
    assert (order.phase, order.moves()) == ("COMPLETED", ["T01", "T06", "T06", *GOOD_WAY[1:]])
    failed = order.of("notices", "notice_failed", rule_id="N01")
    assert [fact["permanence"] for fact in failed] == ["transient"] * 2
    assert order.texts == 2


def test_J06_the_fourth_failure_is_for_good_and_a_person_calls(played: Played) -> None:
    order = played.orders["J06b"]
    failed = order.of("notices", "notice_failed", rule_id="N01")
    assert [fact["permanence"] for fact in failed] == ["transient"] * 3 + ["permanent"]
    assert failed[-1]["cause"] == "retries_exhausted"
    assert order.moves()[:6] == ["T01", "T06", "T06", "T06", "T05", "T11"]
    assert (order.phase, order.texts) == ("COMPLETED", 0)


def test_J07_a_text_that_is_refused_is_planned_again_by_phone(played: Played) -> None:
    order = played.orders["J07a"]
    assert order.moves() == ["T01", "T05", "T17", "T32", "T11", *GOOD_WAY[3:]]
    (failed,) = order.of("notices", "notice_failed", rule_id="N01")
    assert (failed["permanence"], failed["after_send"]) == ("permanent", False)
    assert [fact["channel"] for fact in order.of("cases", "booking_requested")] == ["sms", "phone"]
    assert order.texts == 0


def test_J07_a_text_that_is_refused_is_planned_again_by_letter(played: Played) -> None:
    order = played.orders["J07c"]
    assert order.moves() == ["T01", "T05", "T17", "T02", "T03", *GOOD_WAY[2:]]
    assert [fact["channel"] for fact in order.of("cases", "booking_requested")] == ["sms", "letter"]
    assert (order.phase, order.texts) == ("COMPLETED", 0)


def test_J07_a_text_that_did_not_arrive_goes_to_a_person(played: Played) -> None:
    order = played.orders["J07b"]
    assert order.moves()[:4] == ["T01", "T04", "T05", "T11"]
    assert order.of("notices", "notice_failed", rule_id="N01")[0]["after_send"] is True
    assert order.phase == "COMPLETED"


def test_J08_an_offer_that_comes_too_late_is_refused_before_it_is_sent(played: Played) -> None:
    order = played.orders["J08"]
    (question,) = order.of("bookings", "appointment_questioned")
    assert (question["cause"], question["code"]) == ("offer_refused", "lead-time")
    assert "first_possible" in question
    assert order.moves()[:3] == ["T01", "T05", "T11"]
    assert "appointment_offered" not in order.names("bookings")


def test_J09_an_unclear_answer_is_confirmed_by_staff(played: Played) -> None:
    order = played.orders["J09"]
    (question,) = order.of("bookings", "appointment_questioned")
    assert (question["cause"], question["suggestion"]) == ("unclear", "call")
    assert order.moves() == ["T01", "T04", "T08", "T11", *GOOD_WAY[3:]]
    assert order.of("bookings", "appointment_confirmed", by="staff", notice=True)
    assert order.of("notices", "notice_sent", template="booking_confirmation")
    assert order.phase == "COMPLETED"


def test_J10_what_most_likely_means_yes_is_confirmed_with_one_key(played: Played) -> None:
    order = played.orders["J10a"]
    (question,) = order.of("bookings", "appointment_questioned")
    assert (question["cause"], question["suggestion"]) == ("likely_ok", "confirm")
    assert order.moves() == ["T01", "T04", "T08", "T12", *GOOD_WAY[3:]]
    assert order.of("cases", "work_order_moved", move="T12", reason="ok_variant")
    assert not order.of("notices", "notice_sent", template="booking_confirmation")


def test_J10_a_tolerant_operator_takes_it_for_a_yes(played: Played) -> None:
    order = played.orders["J10b"]
    assert (order.phase, order.moves()) == ("COMPLETED", GOOD_WAY)
    assert [fact["reading"] for fact in order.of("notices", "reply_received")] == ["likely_ok"]
    assert order.of("bookings", "appointment_confirmed", by="reply")


def test_J11_no_answer_then_a_late_ok_books_the_same_time(played: Played) -> None:
    order = played.orders["J11"]
    assert order.moves()[:4] == ["T01", "T04", "T09", "T13"]
    assert order.in_order("bookings", "appointment_offered", "answer_overdue", "appointment_confirmed")
    assert order.of("notices", "notice_sent", template="booking_reminder")
    assert order.phase == "COMPLETED"


def test_J12_an_answer_that_overtakes_the_word_that_the_text_is_out_confirms(played: Played) -> None:
    order = played.orders["J12"]
    assert (order.phase, order.moves()) == ("COMPLETED", GOOD_WAY)
    assert order.of("cases", "work_order_moved", move="T04", reason="implied")
    assert order.in_order("notices", "reply_received", "notice_sent")
    assert order.texts == 2


def test_J13_stop_ends_all_texts_and_a_person_calls(played: Played) -> None:
    order = played.orders["J13a"]
    assert order.moves() == ["T01", "T04", "T08", "T17", "T32", "T11", *GOOD_WAY[3:]]
    assert order.names("notices").count("customer_opted_out") == 1
    assert [fact["sms_allowed"] for fact in order.of("contacts", "contact_recorded")] == [True, False]
    assert ("move:send_booking", "sms-not-allowed") in order.refused
    assert {notice["template"] for notice in order.of("notices", "notice_sent")} <= {"booking_offer", "opt_out_closing"}


def test_J13_stop_after_the_confirmation_leaves_the_appointment(played: Played) -> None:
    order = played.orders["J13b"]
    assert (order.phase, order.moves()) == ("COMPLETED", GOOD_WAY)
    assert order.in_order("notices", "reply_received", "customer_opted_out")
    assert [question["cause"] for question in order.of("bookings", "appointment_questioned")] == ["stop"]


@pytest.mark.parametrize(("journey", "way"), [("J15a", ["T07", "T32"]), ("J15b", ["T08"])])
def test_J15_a_customer_who_wants_another_time_gets_it_on_the_phone(
    played: Played, journey: str, way: list[str]
) -> None:
    order = played.orders[journey]
    assert order.moves() == ["T01", "T04", *way, "T14", "T12", *GOOD_WAY[3:]]
    (question,) = order.of("bookings", "appointment_questioned")
    assert (question["cause"], question["suggestion"]) == ("decline", "rebook")
    (moved,) = order.of("bookings", "appointment_moved")
    assert (moved["agreed"], moved["window_changed"], moved["revision"]) == (True, True, 1)
    assert order.of("bookings", "appointment_confirmed", by="staff", notice=False, revision=1)


def test_J16_a_colleague_goes_at_the_same_time_and_nobody_is_bothered(played: Played) -> None:
    order = played.orders["J16a"]
    (moved,) = order.of("bookings", "appointment_moved")
    (proposed,) = order.of("bookings", "appointment_proposed")
    assert (moved["agreed"], moved["window_changed"]) == (True, False)
    assert moved["technicians"] != proposed["technicians"]
    assert (order.phase, order.moves(), order.texts) == ("COMPLETED", GOOD_WAY, 2)


def test_J16_another_time_goes_back_to_a_person(played: Played) -> None:
    order = played.orders["J16b"]
    (moved,) = order.of("bookings", "appointment_moved")
    assert (moved["agreed"], moved["window_changed"]) == (False, True)
    assert order.moves() == ["T01", "T04", "T07", "T32", "T11", *GOOD_WAY[3:]]


@pytest.mark.parametrize(("journey", "back"), [("J18a", ["T17"]), ("J18b", ["T16", "T17"])])
def test_J18_on_hold_gives_everything_back_and_starts_anew(played: Played, journey: str, back: list[str]) -> None:
    order = played.orders[journey]
    assert order.moves() == ["T01", "T04", "T15", *back, *GOOD_WAY[1:]]
    assert [fact["reason"] for fact in order.of("bookings", "appointment_released")] == ["on_hold"]
    assert order.of("cases", "material_released", reason="on_hold")
    assert len(order.of("cases", "material_requested")) == 2
    assert len(order.of("bookings", "appointment_proposed")) == 2
    assert order.phase == "COMPLETED"


def test_J18_the_return_date_is_called_out_once(played: Played) -> None:
    assert played.orders["J18a"].hotlist.count("hold_return") == 1
