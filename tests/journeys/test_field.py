"""In the field: visits that fail, results that are partial, phones without a net, rework."""

import pytest

from tests.journeys.playing import Played
from tests.journeys.test_good_way import GOOD_WAY

TRY_AGAIN = ["T20", "T22", "T23"]


def test_J19_nobody_is_at_home_and_the_second_attempt_succeeds(played: Played) -> None:
    order = played.orders["J19"]
    assert order.moves(1)[-3:] == TRY_AGAIN
    assert order.moves(2)[-1] == "T21"
    assert [visit["outcome"] for visit in order.of("visits", "visit_reported")] == ["FAILED", "OK"]
    assert [fact["final"] for fact in order.handovers("work_not_completed")] == [False]
    assert order.in_order("bookings", "appointment_missed", "appointment_kept")
    assert [fact.get("predecessor") is None for fact in order.of("cases", "material_requested")] == [True, False]
    assert (order.phase, order.log.documents) == ("COMPLETED", ["changed", "change"])


def test_J20_after_three_failures_a_second_person_must_agree_to_a_fourth_try(played: Played) -> None:
    order = played.orders["J20a"]
    assert [order.moves(number)[-3:] for number in (1, 2, 3)] == [TRY_AGAIN] * 3
    assert order.exceptions() == [
        ("raised", "three_failed_attempts"),
        ("approved", "three_failed_attempts"),
        ("resolved", "three_failed_attempts"),
    ]
    assert ("move:plan_again", "attempts-exhausted") in order.refused
    assert "EXCEPTION" in order.phases()
    assert (order.phase, order.closed_as()) == ("COMPLETED", ["SUPERSEDED"] * 3 + ["DONE"])


def test_J20_after_three_failures_the_case_may_end_without_its_work(played: Played) -> None:
    order = played.orders["J20b"]
    assert order.moves(3)[-2:] == ["T20", "T24"]
    assert order.exceptions() == [("raised", "three_failed_attempts"), ("resolved", "three_failed_attempts")]
    assert [fact["final"] for fact in order.handovers("work_not_completed")] == [False, False, False, True]
    assert order.in_order("cases", "material_released", "abandoned")
    assert (order.phase, order.log.documents) == ("NOT_FEASIBLE", ["changed"] * 4)


def test_J21_a_refusal_ends_the_case(played: Played) -> None:
    order = played.orders["J21a"]
    assert (order.phase, order.moves()[-2:]) == ("NOT_FEASIBLE", ["T20", "T24"])
    assert order.exceptions() == [("raised", "refusal"), ("resolved", "refusal")]


def test_J21_a_refusal_is_taken_on_by_two_persons_until_another_visit_is_agreed(played: Played) -> None:
    order = played.orders["J21b"]
    assert order.exceptions() == [("raised", "refusal"), ("approved", "refusal"), ("resolved", "refusal")]
    (ended,) = order.of("cases", "exception_resolved")
    told = order.facts["rollout.cases"]
    agreed = next(i for i, (_, data) in enumerate(told) if (data.get("move"), data.get("sequence")) == ("T07", 2))
    assert abs(told.index(("exception_resolved", ended)) - agreed) == 1
    assert order.phase == "COMPLETED"


@pytest.mark.parametrize("journey", ["J22a", "J22b", "J22c", "J22d"])
def test_J22_a_silent_gateway_is_handed_over_and_somebody_looks_after_it(played: Played, journey: str) -> None:
    order = played.orders[journey]
    assert order.moves(1) == GOOD_WAY
    follow_up = order.of("cases", "work_order_opened")[1]
    assert (follow_up["kind"], follow_up["state"], "due_on" in follow_up) == ("comms_repair", "OPEN", True)
    assert order.closed_as()[0] == "DONE_PARTIAL"
    assert order.in_order("assets", "commissioning_pending", "device_commissioned")
    assert (order.phase, order.log.completions, len(order.of("cases", "completed"))) == ("COMPLETED", 1, 1)


def test_J22a_the_head_end_reports_and_the_follow_up_is_not_needed(played: Played) -> None:
    order = played.orders["J22a"]
    assert (order.moves(2), order.closed_as()[1]) == (["T28"], "NOT_NEEDED")
    (done,) = order.of("cases", "completed")
    assert [item["item"] for item in done["evidence"]] == ["dod1", "dod2", "dod3", "dod4", "dod5"]


def test_J22b_the_case_completes_on_the_open_follow_up_and_not_again(played: Played) -> None:
    order = played.orders["J22b"]
    assert order.moves(2) == ["T28"]
    names = order.names("cases")
    assert names.index("completed") < max(at for at, name in enumerate(names) if name == "work_order_moved")


def test_J22c_a_follow_up_that_needs_a_visit_is_a_supplement(played: Played) -> None:
    order = played.orders["J22c"]
    assert order.moves(2) == GOOD_WAY
    assert [(fact["attempt"], fact["supplement"]) for fact in order.handovers()] == [(1, False), (2, True)]
    assert order.log.documents == ["change"]  # nothing about the devices is new


def test_J22d_a_follow_up_that_is_booked_already_is_called_off_by_a_person(played: Played) -> None:
    order = played.orders["J22d"]
    assert order.moves(2) == ["T01", "T04", "T07", "T32", "T31"]
    assert order.of("cases", "work_order_moved", move="T32", reason="communicating")
    assert (order.closed_as()[1], order.handovers("work_not_completed")) == ("NOT_NEEDED", [])
    assert [fact["reason"] for fact in order.of("bookings", "appointment_released")] == ["closed"]


def test_J23_papers_that_come_later_end_the_follow_up(played: Played) -> None:
    order = played.orders["J23a"]
    assert (order.moves(1), order.moves(2)) == (GOOD_WAY, ["T28"])
    assert order.names("visits") == ["visit_reported", "evidence_added"]
    (approved,) = order.of("quality", "review_approved")
    assert approved["evidence_version"] == 2
    assert order.of("cases", "work_order_opened")[1]["kind"] == "rework"
    assert (order.phase, order.closed_as()) == ("COMPLETED", ["DONE_PARTIAL", "NOT_NEEDED"])


def test_J23_a_planned_follow_up_is_called_off_when_the_papers_come(played: Played) -> None:
    order = played.orders["J23b"]
    assert order.moves(2)[0] == "T01"
    assert order.moves(2)[-2:] == ["T32", "T31"]
    assert order.of("cases", "work_order_moved", move="T32", reason="documents_complete")
    assert (order.phase, order.closed_as()) == ("COMPLETED", ["DONE_PARTIAL", "NOT_NEEDED"])


def test_J24_a_device_that_was_not_picked_is_booked_as_it_is_and_found(played: Played) -> None:
    order = played.orders["J24"]
    rules = {finding["rule"] for finding in order.of("assets", "device_mismatch")}
    assert rules & {"M1", "M2", "M4", "M5", "M6"}
    (approved,) = order.of("quality", "review_approved")
    assert (order.phase, approved["round"]) == ("COMPLETED", 1)


def test_J25_a_phone_without_a_net_reports_although_the_time_was_moved(played: Played) -> None:
    order = played.orders["J25a"]
    assert order.moves() == ["T01", "T04", "T07", "T32", "T19", "T21"]
    assert len(order.of("visits", "visit_reported")) == 1  # it was sent twice
    assert order.phase == "COMPLETED"


def test_J25_a_report_that_nobody_can_take_is_kept_and_accepted(played: Played) -> None:
    order = played.orders["J25b"]
    assert order.moves() == ["T01", "T04", "T07", "T32", "T17", "T32", "T19", "T21"]
    assert "visit_conflict" in order.hotlist
    (visit,) = order.of("visits", "visit_reported")
    assert visit["on_behalf"] is True
    assert order.phase == "COMPLETED"


def test_J26_desk_rework_leads_to_a_second_round(played: Played) -> None:
    order = played.orders["J26"]
    assert order.names("quality") == ["review_opened", "rework_requested", "review_opened", "review_approved"]
    assert order.moves() == GOOD_WAY
    assert order.names("visits") == ["visit_reported", "evidence_added"]


def test_J27_field_rework_goes_there_again_and_then_hands_over(played: Played) -> None:
    order = played.orders["J27"]
    assert order.moves(1)[-3:] == ["T20", "T33", "T23"]
    assert order.moves(2)[-1] == "T21"
    assert [fact["kind"] for fact in order.of("cases", "work_order_opened")] == ["meter_exchange", "rework"]
    assert order.names("quality") == ["review_opened", "rework_requested", "review_opened", "review_approved"]
    assert (order.phase, order.log.documents, len(order.handovers())) == ("COMPLETED", ["change"], 1)
