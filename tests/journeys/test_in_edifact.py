"""The journeys of the market once more, with partners that speak EDIFACT: over HTTP, and by folders.

What EDIFACT has no message for comes in the dialect that has one: an amended order, a cancellation before its order and
a partner's status come from the ERP in XML, days that a partner proposes in JSON. The market around it stays the same.
"""

from collections import Counter

import pytest

from simulators import facts
from simulators.journeys import COPIES, IN_EDIFACT, JOURNEYS, LONG_JOURNEYS, SPOILT
from simulators.marketplace import EDIFACT, FILES, REST, Speech
from tests.journeys.playing import Played, play
from tests.journeys.test_good_way import GOOD_WAY

MARKET = ("nb-nord", "lf-nord", "wmsb-nord")
RECEIVED, ACCEPTED = ("received", "312"), ("accepted", "A02")
"""How an order of the market is receipted, and answered."""
TOLD, VALUES, BACK = ["55643", "13017", "13017"], ["13017", "13017"], ["13006", "13006"]
FAULTS = ("13", "29", "29", "28", "2", "14", "25")
"""How spoilt orders are refused; the last two are no EDIFACT, and nobody is there to answer."""
SHARED = ("J02", "J03a", "J03b", "J04a", "J04b", "J04c")
"""Journeys that are played as they are."""
ALL = (*IN_EDIFACT, *(journey for journey in (*JOURNEYS, *LONG_JOURNEYS) if journey["journey"] in SHARED))


@pytest.fixture(scope="session", params=[REST, FILES])
def in_edifact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """In order over HTTP; by folders on a bus that shuffles and repeats."""
    speaks = dict.fromkeys(MARKET, Speech(EDIFACT, request.param))
    speaks[facts.NEWCOMER] = Speech(EDIFACT, FILES)  # nobody has a key before there is a profile
    return play(tmp_path_factory.mktemp("edifact"), ALL, shuffled=request.param == FILES, speaks=speaks)


def number_in(journey: str) -> int:
    """The number of the order that plays it."""
    return [each["journey"] for each in ALL].index(journey) + 1


def answers(played: Played, partner: str, journey: str) -> list[tuple[str, str]]:
    """What the hub answered to a partner's own order, and to its cancellation."""
    return played.parties[partner].log(facts.number_at(partner, number_in(journey))).answers


def came(played: Played, partner: str, journey: str) -> list[str]:
    """What a partner of the market got about an order: PIDs, and CONTRL or APERAK with what they say."""
    number = number_in(journey)
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
    assert {*in_edifact.parties} == {*MARKET, facts.NEWCOMER}


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
    told = answers(in_edifact, partner, journey)
    assert (told, in_edifact.orders[journey].phase) == ([RECEIVED, verdict], phase)


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


def test_J30_a_foreign_meter_completes_by_an_exception_of_two_persons(in_edifact: Played) -> None:
    """The market has no code for a foreign meter: the grid operator asks to clear the data, people know why."""
    order = in_edifact.orders["J30"]
    assert order.moves() == [*GOOD_WAY, "T25", "T26", "T27"]
    assert ("approved", "foreign_meter") in order.exceptions()
    (accepted,) = order.of("handovers", "handover_accepted")
    assert (accepted["attempt"], accepted["by_exception"], order.phase) == (1, True, "COMPLETED")


def test_J30_nothing_is_sent_again_to_who_was_overruled(in_edifact: Played) -> None:
    assert came(in_edifact, "nb-nord", "J30") == [*TOLD, "312"]


@pytest.mark.parametrize(("journey", "level"), [("J34a", "processability"), ("J34b", "syntax")])
def test_J34_what_could_not_be_read_is_sent_again_and_the_order_does_not_move(
    in_edifact: Played, journey: str, level: str
) -> None:
    order = in_edifact.orders[journey]
    (failed,) = order.of("handovers", "handover_failed")
    assert (failed["recipient"], failed["level"], failed["cause"]) == ("nb-nord", level, "SCHEMA")
    assert failed["final"] is False
    assert came(in_edifact, "nb-nord", journey) == ["55643", *TOLD]
    assert (order.phase, order.moves(), order.exceptions()) == ("COMPLETED", GOOD_WAY, [])


def test_J34_a_partner_that_says_nothing_is_called_out_and_two_persons_go_on_without_it(in_edifact: Played) -> None:
    order = in_edifact.orders["J34c"]
    assert [fact["cause"] for fact in order.of("handovers", "handover_failed")] == ["ack_missing"]
    assert order.exceptions() == [(did, "handover_silent") for did in ("raised", "approved", "resolved")]
    (accepted,) = order.of("handovers", "handover_accepted")
    assert (accepted["by_exception"], order.phase, order.moves()) == (True, "COMPLETED", GOOD_WAY)
    assert came(in_edifact, "nb-nord", "J34c") == ["55643"]


def test_J35_of_two_recipients_only_the_one_that_could_not_read_gets_it_again(in_edifact: Played) -> None:
    order = in_edifact.orders["J35"]
    told = [came(in_edifact, partner, "J35") for partner in MARKET[:2]]
    assert told == [TOLD, ["55653", "55653", *VALUES]]
    assert [fact["recipient"] for fact in order.of("handovers", "handover_failed")] == ["lf-nord"]
    assert (order.phase, len(order.of("handovers", "handover_accepted"))) == ("COMPLETED", 1)


def test_J36_an_order_of_the_market_is_cancelled_before_anybody_works_on_it(in_edifact: Played) -> None:
    """21013 gets its receipt; the market has no message that says more."""
    order = in_edifact.orders["J36"]
    assert (order.phase, order.moves(), order.closed_as()) == ("CANCELLED", ["T28"], ["CANCELLED"])
    assert [fact["decision"] for fact in order.handovers("cancelled")] == ["confirmed"]
    assert answers(in_edifact, "nb-nord", "J36") == [RECEIVED, ACCEPTED, RECEIVED]
    assert came(in_edifact, "nb-nord", "J36") == ["312", "19005", "312"]


def test_J47_a_cancellation_of_the_market_that_comes_too_late_takes_nothing_back(in_edifact: Played) -> None:
    order = in_edifact.orders["J47"]
    assert [fact["decision"] for fact in order.handovers("cancelled")] == ["too_late"]
    assert (order.phase, order.exceptions()) == ("COMPLETED", [("raised", "cancelled_after_done")])
    assert Counter(came(in_edifact, "nb-nord", "J47")) == Counter(["312", "19005", *TOLD, "312"])


def test_J48_work_that_nobody_was_told_of_is_undone_without_a_word(in_edifact: Played) -> None:
    order = in_edifact.orders["J48a"]
    assert [fact["kind"] for fact in order.of("cases", "work_order_opened")][1:] == ["reversal"]
    assert [fact["decision"] for fact in order.handovers("cancelled")] == ["confirmed"]
    assert (order.phase, came(in_edifact, "nb-nord", "J48a")) == ("CANCELLED", ["312", "19005", "312"])


def test_J48_a_storno_takes_the_readings_back_and_tells_the_old_device(in_edifact: Played) -> None:
    order = in_edifact.orders["J48b"]
    assert [fact["decision"] for fact in order.handovers("cancelled")] == ["storno"]
    told = [came(in_edifact, partner, "J48b") for partner in MARKET[:2]]
    assert told == [[*TOLD, "312", *BACK, "55643"], ["55653", *VALUES, *BACK, "55653"]]
    assert (order.phase, order.moves(2)[-1], order.log.answers[-1]) == ("CANCELLED", "T21", "OK")


def test_J48_who_ordered_the_work_itself_gets_its_readings_taken_back_as_well(in_edifact: Played) -> None:
    order = in_edifact.orders["J48c"]
    assert [fact["decision"] for fact in order.handovers("cancelled")] == ["storno"]
    told = [each for each in came(in_edifact, "nb-nord", "J48c") if each not in {"312", "19005"}]
    assert (order.phase, told) == ("CANCELLED", [*TOLD, *BACK, "55643"])


def test_J51_a_cancellation_before_its_order_cancels_it_and_the_market_hears_nothing(in_edifact: Played) -> None:
    """The ERP's XML has versions, which say that the cancellation is meant for the order behind it."""
    order = in_edifact.orders["J51a"]
    assert (order.phase, order.moves(), order.log.answers[-1]) == ("CANCELLED", ["T28"], "OK")
    assert [came(in_edifact, partner, "J51a") for partner in MARKET] == [[], [], []]


def test_J51_the_market_cannot_cancel_what_it_has_not_ordered(in_edifact: Played) -> None:
    """EDIFACT has no versions: 21013 ends a Vorgang that is known, or is refused. The order behind it is an order."""
    assert sorted(answers(in_edifact, "nb-nord", "J51b")) == sorted([("rejected", "Z33"), RECEIVED, ACCEPTED])
    assert in_edifact.orders["J51b"].phase == "COMPLETED"
    assert "UNCORRELATED OPEN" in in_edifact.quarantined


def test_J52_another_door_stops_the_technician_and_the_market_is_told_what_was_found_there(in_edifact: Played) -> None:
    """The amendment comes in XML: ORDERS have no newer version."""
    order = in_edifact.orders["J52"]
    assert order.moves() == ["T01", "T04", "T07", "T34", "T18", "T20", "T21"]
    assert order.exceptions() == [("raised", "master_data_conflict"), ("resolved", "master_data_conflict")]
    assert [fact["serial"][:6] for fact in order.of("assets", "device_removed")] == ["1OLD01"]
    told = [came(in_edifact, partner, "J52") for partner in MARKET[:2]]
    assert (told, order.phase) == ([TOLD, ["55653", *VALUES]], "COMPLETED")


def test_J53_the_same_bytes_twenty_times_are_one_order_and_equal_answers(in_edifact: Played) -> None:
    order = in_edifact.orders["J53a"]
    assert Counter(answers(in_edifact, "nb-nord", "J53a")) == {RECEIVED: COPIES, ACCEPTED: COPIES}
    assert (order.names("cases").count("opened"), order.phase) == (1, "COMPLETED")


def test_J53_the_same_order_in_other_words_is_for_a_person_and_changes_nothing(in_edifact: Played) -> None:
    order = in_edifact.orders["J53b"]
    assert [fact["cause"] for fact in order.of("handovers", "message_quarantined")] == ["CONFLICT"]
    assert answers(in_edifact, "nb-nord", "J53b") == [RECEIVED, ACCEPTED, RECEIVED]
    assert (order.of("cases", "amended"), order.phase) == ([], "COMPLETED")


def test_J54_grid_operator_and_supplier_order_the_same_work_and_both_hear_of_it(in_edifact: Played) -> None:
    order = in_edifact.orders["J54a"]
    assert order.names("cases").count("opened") == 1
    (amended,) = order.of("cases", "amended")
    assert (amended["changed"], len(amended["orders"])) == (["orders"], 2)
    told = [came(in_edifact, partner, "J54a") for partner in MARKET[:2]]
    assert told == [["312", "19005", *TOLD], ["312", "19005", "55653", *VALUES]]
    assert (order.phase, len(order.handovers())) == ("COMPLETED", 1)


def test_J54_the_work_ends_when_the_last_party_withdraws(in_edifact: Played) -> None:
    order = in_edifact.orders["J54b"]
    answered = [(fact["decision"], fact["order_key"].partition(":")[0]) for fact in order.handovers("cancelled")]
    assert answered == [("confirmed", "lf-nord"), ("confirmed", "nb-nord")]
    assert ("still_wanted" in order.hotlist, order.phase) == (True, "CANCELLED")
    assert [came(in_edifact, partner, "J54b") for partner in MARKET[:2]] == [["312", "19005", "312"]] * 2


def test_J55_a_status_of_the_partner_is_written_down_and_moves_nothing(in_edifact: Played) -> None:
    """6.4 of the ERP's XML: EDIFACT has no word for it."""
    order = in_edifact.orders["J55a"]
    assert ("partner_status" in order.remarks, order.exceptions()) == (True, [])
    told = [came(in_edifact, partner, "J55a") for partner in MARKET[:2]]
    assert (told, order.phase, order.moves()) == ([TOLD, ["55653", *VALUES]], "COMPLETED", GOOD_WAY)


def test_J55_days_that_a_partner_proposes_stand_on_the_hotlist(in_edifact: Played) -> None:
    """The second ordering system says it in JSON; a reply in XML names no days."""
    order = in_edifact.orders["J55b"]
    assert ("partner_proposes" in order.hotlist, order.moves(), order.phase) == (True, GOOD_WAY, "COMPLETED")


def test_J60_what_cannot_be_read_is_refused_with_its_fault_and_the_whole_order_is_done(in_edifact: Played) -> None:
    said = answers(in_edifact, "nb-nord", "J60a")
    assert sorted(said) == sorted([*(("rejected", code) for code in FAULTS), RECEIVED, ACCEPTED])
    assert in_edifact.quarantined.count("NOT_EDIFACT OPEN") == len(SPOILT) - len(FAULTS)
    assert in_edifact.orders["J60a"].phase == "COMPLETED"


def test_J60_the_order_of_an_unknown_grid_operator_waits_until_its_profile_is_there(in_edifact: Played) -> None:
    assert "UNKNOWN_PARTNER RETRIED" in in_edifact.quarantined
    assert came(in_edifact, facts.NEWCOMER, "J60b") == ["312", "19005", *TOLD]
    assert in_edifact.orders["J60b"].phase == "COMPLETED"
