"""The journeys of the market once more, with partners that speak EDIFACT: over HTTP, and by folders."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from simulators import facts
from simulators.journeys import JOURNEYS, LONG_JOURNEYS
from simulators.marketplace import EDIFACT, FILES, REST, Speech
from tests.journeys.playing import Played, play
from tests.journeys.test_good_way import GOOD_WAY

MARKET = ("nb-nord", "lf-nord", "wmsb-nord")
BOTH = {"parties": ("nb", "lf")}
# fmt: off
OWN: Sequence[Mapping[str, Any]] = (
    {"journey": "J01", "parties": ("nb", "lf", "wmsb")},
    {"journey": "J28", **BOTH, "market": (("nb", "reject:Z88"),)},
    {"journey": "J29", **BOTH, "market": (("nb", "reject:Z88"),), "fix": "field"},
    {"journey": "J32", **BOTH, "market": (("lf", "answer_twice"),)},
    {"journey": "J33", **BOTH, "market": (("nb", "accept_then_reject:Z88"),)},
    {"journey": "J63", **BOTH, "market": (("lf", 'correct:voltage="E05"'),)},
)
# fmt: on
SHARED = ("J02", "J03a", "J03b", "J04a", "J04b", "J04c")
"""Journeys that are played as they are."""
ALL = (*OWN, *(journey for journey in (*JOURNEYS, *LONG_JOURNEYS) if journey["journey"] in SHARED))


@pytest.fixture(scope="session", params=[REST, FILES])
def in_edifact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """In order over HTTP; by folders on a bus that shuffles and repeats."""
    speaks = dict.fromkeys(MARKET, Speech(EDIFACT, request.param))
    return play(tmp_path_factory.mktemp("edifact"), ALL, shuffled=request.param == FILES, speaks=speaks)


def came(played: Played, partner: str, journey: str) -> list[str]:
    """What a partner of the market got about an order: PIDs, and CONTRL or APERAK with what they say."""
    number = [each["journey"] for each in ALL].index(journey) + 1
    ours = {facts.OrderFacts(number).order_no, facts.number_at(partner, number)}
    entries = [entry for entry in played.parties[partner].journal if entry.way == "in" and entry.order in ours]
    return [entry.what.partition(" ")[2] or entry.what for entry in entries]


def test_nobody_has_anything_against_a_message_of_the_hub_or_their_order(in_edifact: Played) -> None:
    trouble = [
        f"{name} {order}: {each}"
        for name, party in in_edifact.parties.items()
        for order, log in party.logs.items()
        for each in log.trouble
    ]
    assert trouble == []
    assert {*in_edifact.parties} == {*MARKET}


def test_all_ends_accounted_for_and_no_invariant_broken(in_edifact: Played) -> None:
    summary = in_edifact.summary
    assert (summary.accounted_for, summary.violations, in_edifact.left) == (True, 0, {})
    assert (summary.events["parked"], summary.events["dead"]) == (0, 0)


def test_E16_every_business_fact_has_one_effect_at_its_receiver(in_edifact: Played) -> None:
    times = [count for party in in_edifact.parties.values() for count in party.effects.values()]
    assert ({*times}, len(times) > 30) == ({1}, True)


def test_J01_done_work_is_told_to_everybody_in_their_own_words(in_edifact: Played) -> None:
    told = [came(in_edifact, partner, "J01") for partner in MARKET]
    assert told == [["55643", "13017", "13017"], ["55653", "13017", "13017"], ["55663"]]
    assert (in_edifact.orders["J01"].phase, in_edifact.orders["J01"].moves()) == ("COMPLETED", GOOD_WAY)


def test_J02_an_announcement_is_agreed_to(in_edifact: Played) -> None:
    order = in_edifact.orders["J02"]
    assert [came(in_edifact, partner, "J02")[0] for partner in MARKET] == ["21029"] * 3
    assert (order.phase, order.moves()) == ("COMPLETED", GOOD_WAY)
    assert order.of("handovers", "handover_accepted", fact="rollout_announced")


@pytest.mark.parametrize(("journey", "phase"), [("J03a", "COMPLETED"), ("J03b", "NOT_FEASIBLE")])
def test_J03_an_objection_reaches_its_case(in_edifact: Played, journey: str, phase: str) -> None:
    order = in_edifact.orders[journey]
    (refused,) = order.of("handovers", "handover_rejected")
    assert (refused["fact"], refused["reasons"][0]["code"]) == ("rollout_announced", "A01")
    assert (order.phase, ("raised", "announcement_objected") in order.exceptions()) == (phase, True)


def test_J03_a_rollout_that_was_given_up_is_told_to_who_heard_of_it(in_edifact: Played) -> None:
    assert [came(in_edifact, partner, "J03b") for partner in MARKET[:2]] == [["21029", "21027"], ["21029", "21025"]]


@pytest.mark.parametrize(
    ("journey", "partner", "verdict", "phase"),
    [
        ("J04a", "nb-nord", ("accepted", "A02"), "COMPLETED"),
        ("J04b", "lf-nord", ("accepted", "A02"), "COMPLETED"),
        ("J04c", "lf-nord", ("rejected", "A01"), "NOT_FEASIBLE"),
    ],
)
def test_J04_an_order_of_the_market_is_receipted_and_answered(
    in_edifact: Played, journey: str, partner: str, verdict: tuple[str, str], phase: str
) -> None:
    number = [each["journey"] for each in ALL].index(journey) + 1
    log = in_edifact.parties[partner].log(facts.number_at(partner, number))
    assert (log.answers, in_edifact.orders[journey].phase) == ([("received", "312"), verdict], phase)


@pytest.mark.parametrize(("journey", "reopened"), [("J28", False), ("J33", True)])
def test_J28_J33_a_request_to_clear_the_data_is_a_rejection(in_edifact: Played, journey: str, reopened: bool) -> None:
    order = in_edifact.orders[journey]
    (refused,) = order.of("handovers", "handover_rejected")
    assert (refused["recipient"], refused["reasons"][0]["hub_reason"]) == ("nb-nord", "DATA_CLEARING")
    assert (order.phase, order.moves()) == ("COMPLETED", [*GOOD_WAY, "T25", "T26", "T27"])
    assert order.in_order("cases", "completed", "completed") == reopened
    told = [came(in_edifact, partner, journey) for partner in MARKET[:2]]
    assert told == [["55643", "13017", "13017", "312", "55643"], ["55653", "13017", "13017"]]


def test_J29_another_visit_is_told_to_everybody_anew(in_edifact: Played) -> None:
    assert in_edifact.orders["J29"].closed_as() == ["SUPERSEDED", "DONE"]
    assert came(in_edifact, "lf-nord", "J29") == ["55653", "13017", "13017"] * 2


def test_J32_a_receipt_that_comes_twice_counts_once(in_edifact: Played) -> None:
    order = in_edifact.orders["J32"]
    accepted = order.of("handovers", "handover_accepted")
    assert (order.phase, order.moves(), len(accepted)) == ("COMPLETED", GOOD_WAY, 1)


def test_J63_what_the_market_sees_otherwise_is_told(in_edifact: Played) -> None:
    order = in_edifact.orders["J63"]
    assert ("master_data_after_handover" in order.hotlist, order.phase) == (True, "COMPLETED")
