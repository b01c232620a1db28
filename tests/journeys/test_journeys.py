"""The journeys of the first orders, each through all services, with real messages outside."""

from tests.journeys.playing import Played

GOOD_WAY = ["T01", "T04", "T07", "T18", "T20", "T21"]


def test_the_rollout_ends_with_every_order_accounted_for_and_no_invariant_broken(played: Played) -> None:
    summary = played.summary
    assert summary.accounted_for
    assert (summary.cases["open"], summary.cases["open_reasons"]) == (0, {})
    assert [row for check in summary.report.checks for row in check.offending] == []
    assert (summary.events["parked"], summary.events["dead"]) == (0, 0)


def test_J01_an_order_is_booked_by_text_done_checked_and_handed_over(played: Played) -> None:
    order = played.orders["J01"]
    assert (order.phase, order.moves()) == ("COMPLETED", GOOD_WAY)
    assert order.names("bookings")[:4] == [
        *("bookable_from_set", "appointment_proposed", "appointment_offered", "appointment_confirmed")
    ]
    assert order.names("quality") == ["review_opened", "review_approved"]
    assert order.names("handovers") == ["handover_sent", "handover_accepted"]
    assert order.log.answers[0] == "OK"
    assert (order.log.documents, order.log.completions) == (["change"], 1)
    assert len(order.of("cases", "completed")) == 1


def test_J09_an_unclear_answer_is_confirmed_by_staff(played: Played) -> None:
    order = played.orders["J09"]
    (question,) = order.of("bookings", "appointment_questioned")
    assert (question["cause"], question["suggestion"]) == ("unclear", "call")
    assert order.moves()[:3] == ["T01", "T04", "T08"]
    assert {"T11", "T12"} & set(order.moves())
    assert order.phase == "COMPLETED"


def test_J11_no_answer_then_a_late_ok_books_the_same_time(played: Played) -> None:
    order = played.orders["J11"]
    assert order.moves()[:4] == ["T01", "T04", "T09", "T13"]
    assert "answer_overdue" in order.names("bookings")
    assert order.phase == "COMPLETED"


def test_J19_nobody_is_at_home_and_the_second_attempt_succeeds(played: Played) -> None:
    order = played.orders["J19"]
    assert order.moves(1)[-3:] == ["T20", "T22", "T23"]
    assert order.moves(2)[-1] == "T21"
    outcomes = [visit["outcome"] for visit in order.of("visits", "visit_reported")]
    assert outcomes == ["FAILED", "OK"]
    assert "appointment_missed" in order.names("bookings")
    assert order.phase == "COMPLETED"


def test_J24_a_device_that_was_not_picked_is_booked_as_it_is_and_found(played: Played) -> None:
    order = played.orders["J24"]
    rules = {finding["rule"] for finding in order.of("assets", "device_mismatch")}
    assert rules & {"M1", "M2", "M4", "M5", "M6"}
    (approved,) = order.of("quality", "review_approved")
    assert (order.phase, approved["round"]) == ("COMPLETED", 1)


def test_J26_desk_rework_leads_to_a_second_round(played: Played) -> None:
    order = played.orders["J26"]
    assert order.names("quality") == ["review_opened", "rework_requested", "review_opened", "review_approved"]
    assert order.moves() == GOOD_WAY
    assert order.names("visits") == ["visit_reported", "evidence_added"]


def test_J28_a_rejection_is_mended_as_data_and_handed_over_again(played: Played) -> None:
    order = played.orders["J28"]
    assert order.moves() == [*GOOD_WAY, "T25", "T26", "T27"]
    (rejected,) = order.of("handovers", "handover_rejected")
    assert [reason["hub_reason"] for reason in rejected["reasons"]] == ["UNKNOWN_DEVICE"]
    assert [fact["attempt"] for fact in order.of("handovers", "handover_accepted")] == [2]
    assert (order.phase, order.log.completions) == ("COMPLETED", 2)


def test_J29_a_rejection_is_mended_in_the_field(played: Played) -> None:
    order = played.orders["J29"]
    assert order.moves(1)[-4:] == ["T25", "T26", "T33", "T23"]
    assert order.moves(2)[-1] == "T21"
    assert (order.phase, order.log.completions) == ("COMPLETED", 2)


def test_J36_an_order_is_cancelled_before_anybody_works_on_it(played: Played) -> None:
    order = played.orders["J36"]
    assert (order.phase, order.moves()) == ("CANCELLED", ["T28"])
    assert order.log.answers[-1] == "OK"


def test_J37_an_order_is_cancelled_while_it_is_planned(played: Played) -> None:
    order = played.orders["J37"]
    assert (order.phase, order.moves()) == ("CANCELLED", ["T01", "T29", "T31"])
    assert "appointment_released" in order.names("bookings")
    assert order.texts == 0


def test_J39_an_order_is_cancelled_while_its_customer_is_asked(played: Played) -> None:
    order = played.orders["J39"]
    assert (order.phase, order.moves()) == ("CANCELLED", ["T01", "T04", "T29", "T31"])
    assert "appointment_confirmed" not in order.names("bookings")


def test_J41_an_order_is_cancelled_when_all_is_ready(played: Played) -> None:
    order = played.orders["J41"]
    assert (order.phase, order.moves()) == ("CANCELLED", ["T01", "T04", "T07", "T29", "T31"])
    assert "stop_work" in {notice["template"] for notice in order.of("notices", "notice_sent")}


def test_J42_an_order_is_cancelled_while_the_technician_is_there(played: Played) -> None:
    order = played.orders["J42"]
    assert (order.phase, order.moves()) == ("CANCELLED", ["T01", "T04", "T07", "T18", "T29", "T31"])


def test_J47_a_cancellation_that_comes_too_late_changes_nothing(played: Played) -> None:
    order = played.orders["J47"]
    assert (order.phase, order.moves()) == ("COMPLETED", GOOD_WAY)
    (answered,) = [fact for fact in order.of("cases", "handover_requested") if fact["fact"] == "cancelled"]
    assert answered["decision"] == "too_late"
    assert order.log.answers[-1] == "FAILED"


def test_J51_a_cancellation_before_its_order_cancels_it_at_once(played: Played) -> None:
    order = played.orders["J51"]
    assert (order.phase, order.moves()) == ("CANCELLED", ["T28"])


def test_J53_the_same_bytes_twenty_times_are_one_order_and_equal_answers(played: Played) -> None:
    order = played.orders["J53"]
    assert len(order.log.sent) == 20
    assert len(set(order.log.sent)) == 1
    assert order.names("cases").count("opened") == 1
    assert order.names("orders").count("order_received") <= 1
    assert order.phase == "COMPLETED"


def test_J60_an_unknown_partners_file_waits_until_its_profile_is_there(played: Played) -> None:
    order = played.orders["J60"]
    assert "UNKNOWN_PARTNER RETRIED" in played.quarantined
    assert order.phase == "COMPLETED"


def test_no_phone_rang_twice_for_one_notice_and_no_document_had_two_effects(played: Played) -> None:
    rejected_once = {"J28", "J29"}
    for journey, order in played.orders.items():
        assert order.log.completions <= (2 if journey in rejected_once else 1), journey
        sent = [notice["notice_id"] for notice in order.of("notices", "notice_sent")]
        assert len(sent) == len(set(sent)), journey
