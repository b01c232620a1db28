"""A partner withdraws its order, wherever the work stands."""

import pytest

from tests.journeys.playing import Played
from tests.journeys.test_good_way import GOOD_WAY

DECIDED = [("raised", "cancelled_in_work"), ("resolved", "cancelled_in_work")]


def test_J36_an_order_is_cancelled_before_anybody_works_on_it(played: Played) -> None:
    order = played.orders["J36"]
    assert (order.phase, order.moves()) == ("CANCELLED", ["T28"])
    assert order.log.answers[-1] == "OK"


@pytest.mark.parametrize(
    ("journey", "way"),
    [
        ("J37", ["T01"]),
        ("J39", ["T01", "T04"]),
        ("J40", ["T01", "T04", "T08"]),
        ("J41", ["T01", "T04", "T07"]),
        ("J42a", ["T01", "T04", "T07", "T18"]),
        ("J45a", ["T01", "T04", "T07", "T18", "T20", "T22"]),
        ("J45b", ["T01", "T04", "T15"]),
    ],
)
def test_J37_to_J45_work_that_has_begun_waits_for_a_decision_and_ends(
    played: Played, journey: str, way: list[str]
) -> None:
    order = played.orders[journey]
    assert (order.phase, order.moves()) == ("CANCELLED", [*way, "T29", "T31"])
    assert (order.exceptions(), order.closed_as()) == (DECIDED, ["CANCELLED"])
    (answered,) = order.handovers("cancelled")
    assert (answered["decision"], order.log.answers[-1]) == ("confirmed", "OK")
    assert len(order.of("bookings", "appointment_proposed")) == sum(
        order.names("bookings").count(end) for end in ("appointment_released", "appointment_missed")
    )


def test_J37_a_newer_version_of_the_order_takes_the_cancellation_back(played: Played) -> None:
    order = played.orders["J37b"]
    assert order.moves() == ["T01", "T29", "T34", "T11", *GOOD_WAY[3:]]
    assert order.of("cases", "work_order_moved", move="T34", reason="cancellation_withdrawn")
    assert (order.exceptions(), order.phase) == (DECIDED, "COMPLETED")


def test_J37_nobody_is_texted_about_an_order_that_was_withdrawn_before_it_was_offered(played: Played) -> None:
    assert played.orders["J37"].texts == 0


def test_J38_a_letter_that_waits_for_print_is_pulled(played: Played) -> None:
    order = played.orders["J38"]
    assert (order.phase, order.moves()) == ("CANCELLED", ["T01", "T02", "T29", "T31"])
    assert "letter_printed" not in order.names("notices")
    assert order.exceptions() == DECIDED


def test_J39_nobody_is_confirmed_after_the_cancellation(played: Played) -> None:
    order = played.orders["J39"]
    assert "appointment_confirmed" not in order.names("bookings")
    causes = {question["cause"] for question in order.of("bookings", "appointment_questioned")}
    assert causes <= {"after_cancel"}


@pytest.mark.parametrize("journey", ["J41", "J42a", "J42b"])
def test_J41_J42_the_technician_is_told_to_stop(played: Played, journey: str) -> None:
    sent = [notice["template"] for notice in played.orders[journey].of("notices", "notice_sent")]
    assert sent.count("stop_work") == 1


def test_J42_a_technician_who_finishes_all_the_same_is_completed_too_late_to_cancel(played: Played) -> None:
    order = played.orders["J42b"]
    assert order.moves() == ["T01", "T04", "T07", "T18", "T29", "T27"]
    assert "installed_while_withdrawn" in order.hotlist
    assert ("move:close_case", "device-on-site") in order.refused
    _completed_anyway(played, "J42b")


def test_J43_work_that_is_reported_is_completed_too_late_to_cancel(played: Played) -> None:
    order = played.orders["J43"]
    assert order.moves() == [*GOOD_WAY[:5], "T30", "T27"]
    assert ("move:close_case", "device-on-site") in order.refused
    assert order.of("cases", "work_order_moved", move="T27", decision="complete_anyway")
    _completed_anyway(played, "J43")


def test_J44_a_failed_visit_is_not_tried_again(played: Played) -> None:
    order = played.orders["J44"]
    assert (order.phase, order.moves()[-3:]) == ("CANCELLED", ["T20", "T30", "T31"])
    assert order.exceptions() == DECIDED


def test_J46_a_refused_handover_is_mended_and_the_cancellation_is_too_late(played: Played) -> None:
    order = played.orders["J46a"]
    assert order.moves() == [*GOOD_WAY, "T25", "T29", "T27"]
    assert sorted(order.exceptions()[-2:]) == [("resolved", "cancelled_in_work"), ("resolved", "handover_rejected")]
    assert order.log.answers[-1] == "FAILED"
    assert (order.phase, order.log.completions) == ("COMPLETED", 2)


@pytest.mark.parametrize(
    ("journey", "way", "decision"),
    [("J46b", [*GOOD_WAY, "T25", "T29"], "storno"), ("J48", [*GOOD_WAY[:5], "T30"], "confirmed")],
)
def test_J46_J48_what_was_installed_is_reversed_and_the_case_is_cancelled(
    played: Played, journey: str, way: list[str], decision: str
) -> None:
    order = played.orders[journey]
    assert (order.moves(1), order.moves(2)[-1]) == ([*way, "T33", "T23"], "T21")
    assert [fact["kind"] for fact in order.of("cases", "work_order_opened")] == ["meter_exchange", "reversal"]
    (answered,) = order.handovers("cancelled")
    assert answered["decision"] == decision
    came = [
        (fact["serial"], name) for name in ("device_installed", "device_removed") for fact in order.of("assets", name)
    ]
    assert len(came) == 4
    assert {serial for serial, name in came if name == "device_installed"} == {
        serial for serial, name in came if name == "device_removed"
    }
    assert (order.phase, order.log.answers[-1]) == ("CANCELLED", "OK")


def test_J47_a_cancellation_that_comes_too_late_changes_nothing(played: Played) -> None:
    order = played.orders["J47"]
    assert (order.phase, order.moves()) == ("COMPLETED", GOOD_WAY)
    (answered,) = order.handovers("cancelled")
    assert (answered["decision"], order.log.answers[-1]) == ("too_late", "FAILED")
    assert order.exceptions() == [("raised", "cancelled_after_done")]


@pytest.mark.parametrize(
    ("journey", "serial"),
    [
        ("J49a", (["T01", "T29", "T31"], ["T01", "T04", "T29", "T31"])),
        ("J49b", (["T01", "T04", "T29", "T31"], ["T01", "T04", "T07", "T29", "T31"])),
    ],
)
def test_J49_a_withdrawal_that_races_with_the_booking_ends_as_if_one_had_come_first(
    played: Played, journey: str, serial: tuple[list[str], ...]
) -> None:
    order = played.orders[journey]
    assert order.moves() in serial
    assert (order.phase, order.exceptions()) == ("CANCELLED", DECIDED)
    assert [(fact["decision"]) for fact in order.handovers("cancelled")] == ["confirmed"]


@pytest.mark.parametrize(
    ("journey", "serial"),
    [
        ("J49c", ([*GOOD_WAY[:4], "T29", "T27"], [*GOOD_WAY[:5], "T30", "T27"])),
        ("J49d", ([*GOOD_WAY[:5], "T30", "T27"], GOOD_WAY)),
    ],
)
def test_X15_J49_a_withdrawal_that_races_with_the_work_is_too_late_whoever_came_first(
    played: Played, journey: str, serial: tuple[list[str], ...]
) -> None:
    order = played.orders[journey]
    assert order.moves() in serial
    assert [(fact["decision"]) for fact in order.handovers("cancelled")] == ["too_late"]
    assert (order.phase, order.log.answers[-1], order.log.completions) == ("COMPLETED", "FAILED", 1)


def test_J50_a_report_that_comes_after_the_end_opens_a_case_that_takes_it(played: Played) -> None:
    order = played.orders["J50"]
    assert (order.phase, order.moves()) == ("CANCELLED", ["T01", "T04", "T07", "T29", "T31"])
    assert "visit_conflict" in order.hotlist
    assert order.exceptions() == [*DECIDED, ("raised", "cancelled_after_done")]
    assert order.names("visits") == []
    second = played.orders["J50, its second case"]
    (opened,) = second.of("cases", "opened")
    assert opened["links"] == [{"case_id": order.case_id, "kind": "replaces"}]
    assert len(second.of("visits", "visit_reported")) == 1
    assert {"device_installed", "device_removed"} <= set(second.names("assets"))
    assert second.exceptions()[:2] == [("raised", "handover_failed"), ("approved", "handover_failed")]  # nobody ordered
    assert second.phase == "COMPLETED"


def test_J51_a_cancellation_before_its_order_cancels_it_at_once(played: Played) -> None:
    order = played.orders["J51"]
    assert (order.phase, order.moves()) == ("CANCELLED", ["T28"])


def _completed_anyway(played: Played, journey: str) -> None:
    order = played.orders[journey]
    assert order.exceptions() == DECIDED
    (answered,) = order.handovers("cancelled")
    assert (answered["decision"], order.log.answers[-1]) == ("too_late", "FAILED")
    assert (order.phase, order.log.completions) == ("COMPLETED", 1)
