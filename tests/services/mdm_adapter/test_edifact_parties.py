"""The market answers, or not, late, twice, wrongly or by somebody else: the right row moves, nothing is lost."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from contracts.codes import Fact, FailureCause, HubReason, Level
from contracts.handovers import HandoverAccepted, HandoverFailed, HandoverRejected
from contracts.orders import MasterDataReceived, OrderCancelled, OrderReceived
from services.mdm_adapter.app import build
from services.mdm_adapter.settings import Settings
from simulators import facts
from simulators.facts import OrderFacts
from simulators.partner import Action
from tests.services.mdm_adapter.erp import Erp
from tests.services.mdm_adapter.market import ADDRESSES
from tests.services.mdm_adapter.scenes import opened, requested, visited
from tests.services.mdm_adapter.streets import LF, NB, PROFILES, WMSB, Streets, decided, planned

VALUES = ["13017", "13017"]


@pytest.fixture
async def streets(tmp_path: Path) -> AsyncIterator[Streets]:
    """An adapter with ERP A and three parties that speak EDIFACT; everybody accepts unless told otherwise."""
    folder = tmp_path / "partners"
    folder.mkdir()
    for partner, text in PROFILES.items():
        (folder / f"{partner}.yaml").write_text(text)
    scene = await Streets.open(
        build, tmp_path, settings=Settings, partners_dir=folder, partner_urls=ADDRESSES, market_id=facts.HUB_CODE
    )
    scene.erp = Erp()
    scene.open_addresses()
    yield scene
    await scene.close()


async def test_J01_done_work_is_transferred_by_the_receipts_of_all(streets: Streets) -> None:
    await streets.given_done_work("nb", "lf", "wmsb")
    assert [streets.got(each) for each in (NB, LF, WMSB)] == [["55643", *VALUES], ["55653", *VALUES], ["55663"]]
    assert (len(await streets.facts_of(HandoverAccepted)), streets.trouble(), streets.times_taken_over()) == (
        1,
        [],
        {1},
    )


async def test_J02_an_announcement_is_agreed_to_by_the_wmsb(streets: Streets) -> None:
    await streets.given_the_market("nb", "wmsb")
    await streets.hears_and_works(planned())
    (fact,) = await streets.facts_of(HandoverAccepted)
    assert (fact.by_silence, streets.got(NB), streets.got(WMSB)) == (False, ["21029"], ["21029", "APERAK 312"])
    assert streets.trouble() == []


@pytest.mark.parametrize("code", ["A01", "A02", "A04"])
async def test_E19_an_objection_reaches_its_announcement(streets: Streets, code: str) -> None:
    streets.scripted(wmsb=f"reject:{code}")
    await streets.given_the_market("nb", "wmsb")
    await streets.hears_and_works(planned())
    (fact,) = await streets.facts_of(HandoverRejected)
    assert (fact.recipient, fact.fact, fact.reasons[0].code) == (WMSB, Fact.ROLLOUT_ANNOUNCED, code)
    assert (fact.reasons[0].list, streets.trouble()) == ("E_0233", [])


async def test_J28_a_request_to_clear_the_data_is_a_rejection(streets: Streets) -> None:
    streets.scripted(nb="reject:Z88")
    await streets.given_done_work("nb", "lf")
    (fact,) = await streets.facts_of(HandoverRejected)
    assert (fact.recipient, fact.level, fact.reasons[0].hub_reason) == (NB, Level.BUSINESS, HubReason.DATA_CLEARING)
    assert streets.trouble() == []


@pytest.mark.parametrize("action", ["refuse_receipt:Z35", "refuse_syntax:29"])
async def test_J34_a_document_that_is_not_taken_fails_and_nothing_follows_it(streets: Streets, action: str) -> None:
    streets.scripted(nb=action)
    await streets.given_done_work("nb", "lf")
    (fact,) = await streets.facts_of(HandoverFailed)
    assert (fact.recipient, fact.cause, fact.final) == (NB, FailureCause.SCHEMA, False)
    assert (streets.got(NB), streets.got(LF), streets.trouble()) == (["55643"], ["55653", *VALUES], [])


async def test_J35_readings_that_are_refused_leave_the_other_recipient_alone(streets: Streets) -> None:
    streets.scripted(lf=Action("refuse_receipt", "Z27", on="13017"))
    await streets.given_done_work("nb", "lf")
    (fact,) = await streets.facts_of(HandoverFailed)
    assert (fact.recipient, fact.hub_reason) == (LF, HubReason.READING_IMPLAUSIBLE)
    assert (await streets.states())[NB] == "TRANSFERRED"


@pytest.mark.parametrize("hours", [*permutations((1, 2, 3))], ids=str)
async def test_E17_readings_follow_the_receipt_of_their_own_recipient(
    streets: Streets, hours: tuple[int, int, int]
) -> None:
    roles = dict(zip(("nb", "lf", "wmsb"), hours, strict=True))
    streets.scripted(**{role: f"late:{late}" for role, late in roles.items()})
    await streets.given_done_work("nb", "lf", "wmsb")
    for now in (1, 2, 3):
        await streets.hours_pass(1)
        for role, partner in (("nb", NB), ("lf", LF)):
            assert ("13017" in streets.got(partner)) == (roles[role] <= now)
    assert (streets.trouble(), streets.times_taken_over(), len(await streets.facts_of(HandoverAccepted))) == (
        [],
        {1},
        1,
    )


async def test_E10_a_party_that_stays_silent_is_missed_and_not_asked_again(streets: Streets) -> None:
    streets.scripted(nb="silent")
    await streets.given_done_work("nb")
    for _ in range(8):
        await streets.hours_pass(6)
    (fact,) = await streets.facts_of(HandoverFailed)
    assert (fact.cause, streets.got(NB), streets.trouble()) == (FailureCause.ACK_MISSING, ["55643"], [])


# fmt: off
ODD: list[tuple[str, list[str], list[str]]] = [
    ("late",                   ["55643", *VALUES],               []),
    ("answer_twice",           ["55643", *VALUES],               []),
    ("duplicate_delivery:50",  ["55643", *VALUES],               []),
    ("answer_before_ack",      ["55643", *VALUES, "APERAK 312"], []),
    ("accept:A01",             ["55643", *VALUES, "APERAK 312"], []),
    ("reject_then_accept:Z88", ["55643", *VALUES, "APERAK 312", "APERAK 312"], []),
    ("http:503",               ["http", "55643", *VALUES],        []),
    ("answer_other_body",      ["55643", *VALUES],               ["ID_REUSED"]),
    ("wrong_reference",        ["55643"],                        ["UNCORRELATED"]),
    ("no_correlation",         ["55643"],                        ["UNCORRELATED"]),
    ("other_partner_answers",  ["55643"],                        ["UNCORRELATED"]),
    ("garbage:truncated",      ["55643", "CONTRL 4"],            []),
    ("garbage:wrong_count",    ["55643", "CONTRL 4"],            []),
    ("garbage:wrong_total",    ["55643", "CONTRL 4"],            []),
    ("garbage:wrong_number",   ["55643", "CONTRL 4"],            []),
    ("garbage:charset",        ["55643", "CONTRL 4"],            []),
    ("garbage:version",        ["55643"],                        ["UNCORRELATED"]),
    ("garbage:two",            ["55643"],                        ["MULTIPLE_INTERCHANGES"]),
    ("garbage:random",         ["55643"],                        ["NOT_EDIFACT"]),
]
# fmt: on


@pytest.mark.parametrize(("action", "came", "causes"), ODD)
async def test_E21_E25_whatever_a_party_does_is_taken_answered_or_laid_aside(
    streets: Streets, action: str, came: list[str], causes: list[str]
) -> None:
    streets.scripted(nb=action)
    await streets.given_done_work("nb", "lf")
    for _ in range(2):
        await streets.hours_pass()
    assert (sorted(streets.got(NB)), await streets.causes(), streets.trouble()) == (sorted(came), causes, [])
    is_taken = "13017" in came
    assert ((await streets.states())[NB] == "TRANSFERRED") == is_taken
    assert len(await streets.facts_of(HandoverAccepted)) == is_taken
    assert streets.times_taken_over() == {1}


async def given_all_is_written(streets: Streets, action: str) -> list[bytes]:
    """What the metering operator says to an announcement, today and later; nothing of it has arrived."""
    await streets.given_the_market("wmsb")
    streets.scripted(wmsb=action)
    await streets.hears(planned())
    await streets.works()
    held: list[bytes] = []

    async def hold(_: str, message: bytes) -> None:
        held.append(message)

    for hours in (0, 7):
        await streets.passes(timedelta(hours=hours))
        await streets.parties[WMSB].act(hold)
    return held


@pytest.mark.parametrize("order", sorted({*permutations((0, 1, 0, 1))}), ids=str)
async def test_E22_a_receipt_an_answer_and_their_copies_end_alike_in_any_order(
    streets: Streets, order: tuple[int, ...]
) -> None:
    held = await given_all_is_written(streets, "accept")
    for index in order:
        await streets.says(WMSB, held[index])
    assert ((await streets.states())[WMSB], len(await streets.facts_of(HandoverAccepted))) == ("TRANSFERRED", 1)
    assert (await streets.causes(), streets.trouble()) == ([], [])


@pytest.mark.parametrize(
    ("action", "state"), [("reject_then_accept:A02", "TRANSFERRED"), ("accept_then_reject:A02", "REJECTED")]
)
@pytest.mark.parametrize("order", [*permutations(range(3))], ids=str)
async def test_E22_of_two_answers_that_differ_the_later_one_counts_in_any_order(
    streets: Streets, action: str, state: str, order: tuple[int, ...]
) -> None:
    held = await given_all_is_written(streets, action)
    for index in order:
        await streets.says(WMSB, held[index])
    assert ((await streets.states())[WMSB], await streets.causes(), streets.trouble()) == (state, [], [])


async def test_J63_what_the_grid_operator_sees_otherwise_is_master_data(streets: Streets) -> None:
    streets.scripted(nb='correct:voltage="E05"')
    await streets.given_done_work("nb")
    await streets.hours_pass()
    (fact,) = await streets.facts_of(MasterDataReceived)
    assert [change.new for change in fact.changed.values()] == ["E05"]
    assert ((await streets.states())[NB], streets.trouble()) == ("TRANSFERRED", [])


ORDERS: dict[str, tuple[Any, str, str, str | None, dict[str, Any]]] = {
    "17011 Z12": (lambda party: party.order(OrderFacts(1), "N-1"), "A02", "A01", "E_0249", {}),
    "17011 Z93": (lambda party: party.order(OrderFacts(1), "N-1", offer="O-1"), "A06", "A01", "E_0279", {}),
    "17009": (
        lambda party: party.removal(OrderFacts(1), "N-1", datetime(2026, 5, 4, 8, tzinfo=UTC)),
        "ZB4",
        "E17",
        "S_0066",
        {},
    ),
    "23001": (
        lambda party: party.fault(OrderFacts(1), "N-1", "Display dunkel"),
        "E15",
        "ZB8",
        None,
        {"fixed_on": date(2026, 3, 4)},
    ),
}


@pytest.mark.parametrize("accepts", [True, False])
@pytest.mark.parametrize("which", ORDERS)
async def test_J04_an_order_of_the_market_is_receipted_and_answered_in_its_codes(
    streets: Streets, which: str, accepts: bool
) -> None:
    order, yes, no, list_, more = ORDERS[which]
    party = streets.parties[NB]
    await streets.says(NB, order(party))
    (received,) = await streets.facts_of(OrderReceived)
    code = yes if accepts else no
    assert {yes, no} <= {received.answer.code, *received.answer.allowed}
    answer = decided("nb-nord:N-1", "accepted" if accepts else "refused", code, list_, **more)
    await streets.hears_and_works(opened("nb-nord:N-1"), answer)
    assert party.log("N-1").answers == [("received", "312"), ("accepted" if accepts else "rejected", code)]
    assert streets.trouble() == []


@pytest.mark.parametrize("pid", ["21011", "21013"])
async def test_J36_an_order_of_the_market_is_taken_back(streets: Streets, pid: str) -> None:
    party = streets.parties[NB]
    await streets.says(NB, party.order(OrderFacts(1), "N-1"))
    await streets.says(NB, party.cancellation("N-1", pid=pid))
    (fact,) = await streets.facts_of(OrderCancelled)
    assert (fact.order_key, party.log("N-1").answers) == ("nb-nord:N-1", [("received", "312")] * 2)
    assert streets.trouble() == []


async def test_J53_the_same_order_twice_is_one_order_and_two_equal_receipts(streets: Streets) -> None:
    party = streets.parties[NB]
    content = party.order(OrderFacts(1), "N-1")
    for _ in range(3):
        await streets.says(NB, content)
    assert len(await streets.facts_of(OrderReceived)) == 1
    assert (party.log("N-1").answers, streets.trouble()) == ([("received", "312")] * 3, [])


async def test_E11_every_message_is_of_the_version_of_its_day_on_both_sides_of_the_change(streets: Streets) -> None:
    """2026-03-31 23:59 and 2026-04-01 00:00 in Germany: an answer to an order changes its version."""
    party = streets.parties[NB]
    await streets.passes(until=datetime(2026, 3, 31, 21, 58, tzinfo=UTC))
    await streets.says(NB, party.order(OrderFacts(1), "N-1"))
    await streets.hears_and_works(opened("nb-nord:N-1"), decided("nb-nord:N-1", "accepted", "A02", "E_0249"))
    await streets.passes(until=datetime(2026, 3, 31, 22, 0, tzinfo=UTC))
    await streets.says(NB, party.order(OrderFacts(2), "N-2"))
    assert [party.log(number).answers[0] for number in ("N-1", "N-2")] == [("received", "312")] * 2
    assert (party.log("N-1").answers[1], streets.trouble()) == (("accepted", "A02"), [])


async def test_H9_what_waited_for_a_receipt_does_not_leave_once_a_new_attempt_replaced_it(streets: Streets) -> None:
    streets.scripted(nb="silent")
    await streets.given_done_work("nb")
    await streets.hears_and_works(visited(version=2, value="48214.4"), requested(attempt=2))
    assert streets.got(NB) == ["55643", "55643", *VALUES]
    assert streets.trouble() == []
