"""Handing over: partners that refuse, change their mind, or have nothing to do with the meter."""

from tests.journeys.playing import Played
from tests.journeys.test_good_way import GOOD_WAY


def test_J28_a_rejection_is_mended_as_data_and_handed_over_again(played: Played) -> None:
    order = played.orders["J28"]
    assert order.moves() == [*GOOD_WAY, "T25", "T26", "T27"]
    (rejected,) = order.of("handovers", "handover_rejected")
    assert [reason["hub_reason"] for reason in rejected["reasons"]] == ["UNKNOWN_DEVICE"]
    assert [fact["attempt"] for fact in order.of("handovers", "handover_accepted")] == [2]
    assert order.exceptions() == [("raised", "handover_rejected"), ("resolved", "handover_rejected")]
    assert (order.phase, order.log.completions) == ("COMPLETED", 2)


def test_J28_a_corrected_report_is_reviewed_again_before_it_is_handed_over_again(played: Played) -> None:
    order = played.orders["J28b"]
    assert order.moves() == [*GOOD_WAY, "T25", "T26", "T27"]
    assert [visit["visit_version"] for visit in order.of("visits", "visit_reported")] == [1, 2]
    assert [review["round"] for review in order.of("quality", "review_approved")] == [1, 2]
    assert "review-missing" in {code for _, code in order.refused}
    assert [fact["attempt"] for fact in order.of("handovers", "handover_accepted")] == [2]
    assert (order.phase, order.log.completions) == ("COMPLETED", 2)


def test_J29_a_rejection_is_mended_in_the_field(played: Played) -> None:
    order = played.orders["J29"]
    assert order.moves(1)[-4:] == ["T25", "T26", "T33", "T23"]
    assert order.moves(2)[-1] == "T21"
    assert (order.phase, order.log.completions) == ("COMPLETED", 2)


def test_J30_a_foreign_meter_completes_by_an_exception_of_two_persons(played: Played) -> None:
    order = played.orders["J30"]
    assert order.moves() == [*GOOD_WAY, "T25", "T26", "T27"]
    assert order.exceptions()[:3] == [
        ("raised", "handover_rejected"),
        ("raised", "foreign_meter"),
        ("approved", "foreign_meter"),
    ]
    (accepted,) = order.of("handovers", "handover_accepted")
    assert (accepted["attempt"], accepted["by_exception"], len(order.handovers())) == (1, True, 1)
    assert order.in_order("cases", "exception_approved", "completed")
    assert (order.phase, order.log.completions) == ("COMPLETED", 1)


def test_J32_an_acceptance_after_the_rejection_is_late_and_nothing_is_sent_again(played: Played) -> None:
    order = played.orders["J32a"]
    assert order.moves() == [*GOOD_WAY, "T25", "T26", "T27"]
    assert order.in_order("handovers", "handover_rejected", "handover_accepted")
    assert "accepted_after_rejection" in order.hotlist
    assert (order.phase, order.log.completions, len(order.handovers())) == ("COMPLETED", 1, 1)


def test_J32_an_acceptance_while_somebody_is_to_go_there_again_is_shown_and_a_person_decides(played: Played) -> None:
    order = played.orders["J32b"]
    assert "visit_may_be_unnecessary" in order.hotlist
    assert order.moves(1)[-4:] == ["T25", "T26", "T33", "T23"]
    assert order.phase == "COMPLETED"


def test_J33_a_rejection_after_the_completion_reopens_the_case_once(played: Played) -> None:
    order = played.orders["J33"]
    assert order.moves() == [*GOOD_WAY, "T25", "T26", "T27"]
    assert order.in_order("cases", "completed", "reopened", "completed")
    assert [fact["completion"] for fact in order.of("cases", "completed")] == [1, 2]
    assert len(order.of("cases", "reopened")) == 1
    assert order.phase == "COMPLETED"
