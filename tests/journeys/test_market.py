"""What the law and the market want: notices three months ahead, objections, owed answers, corrected data."""

import pytest

from tests.journeys.playing import Played
from tests.journeys.test_good_way import GOOD_WAY


@pytest.mark.parametrize("journey", ["J02", "J03a"])
def test_J02_nobody_is_booked_before_the_customer_has_known_for_three_months(played_long: Played, journey: str) -> None:
    order = played_long.orders[journey]
    first, second = order.of("bookings", "bookable_from_set")
    assert (first["notice_required"], "bookable_from" in first, "bookable_from" in second) == (True, False, True)
    (announced,) = order.handovers("rollout_announced")
    assert (announced["statutory"], announced["plan"]) == (True, "ims")
    assert order.in_order("notices", "letter_prepared", "letter_printed")
    assert order.of("notices", "notice_sent", template="statutory_37", channel="letter")
    starts = [fact["block_start"][:10] for fact in order.of("bookings", "appointment_proposed")]
    assert all(start >= second["bookable_from"] for start in starts)
    assert (order.phase, order.moves()) == ("COMPLETED", GOOD_WAY)


def test_J02_the_market_agrees_and_the_case_waits_in_notice(played_long: Played) -> None:
    order = played_long.orders["J02"]
    assert order.phases()[:4] == ["BACKLOG", "NOTICE", "BACKLOG", "PLANNING"]
    assert order.of("handovers", "handover_accepted", fact="rollout_announced")
    documents = {fact["recipient"] for fact in order.of("handovers", "handover_sent", fact="exchange_completed")}
    assert {"erp-a", "nb-nord"} <= documents


def test_J03_an_objection_stops_the_planning_until_a_person_decides(played_long: Played) -> None:
    order = played_long.orders["J03a"]
    assert [fact["fact"] for fact in order.of("handovers", "handover_rejected")] == ["rollout_announced"]
    assert ("move:start_planning", "announcement-objected") in order.refused
    assert order.exceptions() == [("raised", "announcement_objected"), ("resolved", "announcement_objected")]
    (ended,) = order.of("cases", "exception_resolved")
    assert ended["decision"] == "carry_on"


def test_J03_an_announcement_that_was_objected_to_is_abandoned(played: Played) -> None:
    order = played.orders["J03b"]
    assert (order.phase, order.moves(), order.closed_as()) == ("NOT_FEASIBLE", ["T28"], ["NOT_NEEDED"])
    assert [fact["final"] for fact in order.handovers("work_not_completed")] == [True]
    assert order.log.documents == ["changed"]


def test_J04_an_order_is_answered_at_once_where_that_is_agreed(played: Played) -> None:
    order = played.orders["J04a"]
    (answered,) = order.of("cases", "order_answered")
    assert (answered["decision"], answered["code"], answered["actor"]) == ("accepted", "A02", "system:case_service")
    assert (order.phase, order.moves()) == ("COMPLETED", GOOD_WAY)


def test_J04_an_order_is_answered_by_a_person(played: Played) -> None:
    order = played.orders["J04b"]
    (answered,) = order.of("cases", "order_answered")
    assert (answered["decision"], answered["actor"]) == ("accepted", "person:local:mia")
    assert order.phase == "COMPLETED"


def test_J04_an_order_that_is_refused_is_never_begun(played: Played) -> None:
    order = played.orders["J04c"]
    (answered,) = order.of("cases", "order_answered")
    assert (answered["decision"], answered["code"]) == ("refused", "A01")
    (ended,) = order.of("cases", "abandoned")
    assert (ended["reason"], order.moves(), order.closed_as()) == ("order_refused", ["T28"], ["NOT_NEEDED"])


def test_J63_data_that_the_market_corrects_afterwards_are_taken_over(played: Played) -> None:
    order = played.orders["J63"]
    assert [fact["changed"] for fact in order.of("cases", "amended")] == [["priority"]]
    assert order.in_order("cases", "completed", "amended")
    assert "master_data_after_handover" in order.hotlist
    assert (order.phase, order.moves(), order.exceptions()) == ("COMPLETED", GOOD_WAY, [])


def test_J65_an_order_that_takes_too_long_is_called_out_once_each_time(played: Played) -> None:
    order = played.orders["J65a"]
    assert order.in_order("cases", "sla_at_risk", "sla_breached", "completed")
    for name, least in (("sla_at_risk", 0.8), ("sla_breached", 1.0)):
        (told,) = order.of("cases", name)
        assert told["elapsed_seconds"] >= least * told["target_seconds"]


def test_J65_a_hold_stops_the_clock(played: Played) -> None:
    order = played.orders["J65b"]
    (done,) = order.of("cases", "completed")
    assert done["elapsed_seconds"] < 24 * 86_400
    assert not {"sla_at_risk", "sla_breached"} & set(order.names("cases"))


def test_J02_J03_what_takes_months_ends_accounted_for_and_no_invariant_broken(played_long: Played) -> None:
    summary = played_long.summary
    assert (summary.accounted_for, summary.violations, played_long.left) == (True, 0, {})
    assert (summary.events["parked"], summary.events["dead"]) == (0, 0)
