"""The good way, and what holds for the rollout as a whole."""

from tests.journeys.playing import Played

GOOD_WAY = ["T01", "T04", "T07", "T18", "T20", "T21"]


def test_the_rollout_ends_with_every_order_accounted_for_and_no_invariant_broken(played: Played) -> None:
    summary = played.summary
    assert summary.accounted_for
    assert (summary.cases["open"], summary.cases["open_reasons"]) == (0, {})
    assert [row for check in summary.report.checks for row in check.offending] == []
    assert (summary.events["parked"], summary.events["dead"]) == (0, 0)


def test_every_turn_of_every_story_was_played(played: Played) -> None:
    assert played.left == {}


def test_no_phone_rang_twice_for_one_notice_and_no_document_had_two_effects(played: Played) -> None:
    twice = {"J28", "J28b", "J29", "J32b", "J33", "J46a"}
    for journey, order in played.orders.items():
        assert order.log.completions <= (2 if journey in twice else 1), journey
        sent = [notice["notice_id"] for notice in order.of("notices", "notice_sent")]
        assert len(sent) == len(set(sent)), journey


def test_no_case_completed_twice_but_the_one_that_was_reopened(played: Played) -> None:
    ends = {journey: len(order.of("cases", "completed")) for journey, order in played.orders.items()}
    assert {journey for journey, times in ends.items() if times > 1} == {"J33"}
    assert all(
        times == (order.phase == "COMPLETED")
        for order, times in zip(played.orders.values(), ends.values(), strict=True)
        if times < 2
    )


def test_J01_an_order_is_booked_by_text_done_checked_and_handed_over(played: Played) -> None:
    order = played.orders["J01"]
    assert (order.phase, order.moves()) == ("COMPLETED", GOOD_WAY)
    assert order.phases() == ["BACKLOG", "PLANNING", "BOOKED", "IN_FIELD", "IN_QA", "HANDOVER", "COMPLETED"]
    assert order.names("bookings") == [
        *("bookable_from_set", "appointment_proposed", "appointment_offered", "appointment_confirmed"),
        "appointment_kept",
    ]
    assert order.in_order("assets", "material_reserved", "device_picked")
    assert order.names("quality") == ["review_opened", "review_approved"]
    assert order.names("handovers") == ["handover_sent", "handover_accepted"]
    assert order.log.answers[0] == "OK"
    assert (order.log.documents, order.log.completions) == (["change"], 1)
    assert order.texts == 2  # the offer, and a reminder the day before
