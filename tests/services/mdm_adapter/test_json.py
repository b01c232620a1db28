"""Orders in JSON go the same way as all others: archived, read strictly, answered once, in the words of the dialect."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.cases import OrderAnswered
from contracts.codes import Answer, Decision, DeviceRole, Fact, OrderKind, Scheme
from contracts.handovers import MessageQuarantined
from contracts.orders import MasterDataReceived, OrderAmended, OrderCancelled, OrderReceived
from contracts.parts import Days
from simulators.market import ANSWER
from tests.services.mdm_adapter.market import Market
from tests.services.mdm_adapter.scenes import CASE, POINT, opened, requested

MDM, NB = "mdm-b", "nb-nord"
ACCEPTED, RECEIPT = ("accepted", "business"), ("accepted", "processability")


def without(message: bytes, *path: str) -> bytes:
    """The message without the member at this path."""
    tree = json.loads(message)
    place = tree
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return json.dumps(tree).encode()


def having(message: bytes, value: Any, *path: str) -> bytes:
    """The message with another value at this path."""
    tree = json.loads(message)
    place: Any = tree
    for step in path[:-1]:
        place = place[int(step) if step.isdigit() else step]
    place[path[-1]] = value
    return json.dumps(tree).encode()


async def answers_of(market: Market, receipt: str) -> list[Any]:
    """Message, code and list of what an inbound message was answered."""
    (message,) = [row for row in await market.rows("inbound_messages") if f"in-{row.id}" == receipt]
    return [
        (item.state.value, [(reason.code, reason.field) for reason in item.reasons])
        for stored in message.answers
        for item in stored.answer.items
    ]


async def test_an_order_in_json_is_received_with_all_it_says(market: Market) -> None:
    days = {"from": "2026-04-13", "to": "2026-04-24"}
    await market.says(MDM, market.order_of(MDM, "B-1", window=days, priority=2, legal_basis="mandatory"))
    (fact,) = await market.facts_of(OrderReceived)
    assert (fact.order_key, fact.version, fact.kind) == ("mdm-b:B-1", 1, OrderKind.EXCHANGE)
    assert (fact.metering_point_id, fact.metering_point_scheme) == (POINT, Scheme.MELO)
    assert (fact.window, fact.priority) == (Days(from_=date(2026, 4, 13), to=date(2026, 4, 24)), 70)
    assert [(old.role, old.serial) for old in fact.device_plan.remove] == [(DeviceRole.METER, "1OLD0000000001")]
    assert (fact.contact.name, fact.address.city, fact.area.municipality, fact.answer) == (
        "Familie Birke 1",
        "Auental",
        "00000001",
        None,
    )
    assert market.parties[MDM].log("B-1").answers == [ACCEPTED]


async def test_J53_the_same_bytes_have_one_effect_and_equal_answers(market: Market) -> None:
    message = market.order_of(MDM, "B-1")
    receipts = {await market.says(MDM, message) for _ in range(20)}
    assert (len(receipts), len(await market.facts_of(OrderReceived))) == (1, 1)
    assert market.parties[MDM].log("B-1").answers == [ACCEPTED] * 20


async def test_J53_the_same_version_with_other_content_is_a_conflict(market: Market) -> None:
    await market.says(MDM, market.order_of(MDM, "B-1"))
    other = having(market.order_of(MDM, "B-1", priority=1), "another-id", "id")
    await market.says(MDM, other)
    (fact,) = await market.facts_of(MessageQuarantined)
    assert (fact.cause, market.parties[MDM].log("B-1").answers[-1]) == ("CONFLICT", ("rejected", "6.1"))


async def test_an_id_that_was_used_for_other_words_is_refused(market: Market) -> None:
    await market.says(MDM, market.order_of(MDM, "B-1"))
    await market.says(MDM, market.order_of(MDM, "B-1", priority=1))
    (fact,) = await market.facts_of(MessageQuarantined)
    assert (fact.cause, market.parties[MDM].log("B-1").answers[-1]) == ("ID_REUSED", ("rejected", "2.15"))


async def test_a_change_tells_what_is_different(market: Market) -> None:
    await market.says(MDM, market.order_of(MDM, "B-1", fixed_on="2026-04-14"))
    order = {"order_no": "B-1", "order_version": 2, "priority": 1, "cleared": ["fixed_on"]}
    await market.says(MDM, market.parties[MDM].event("work_order_changed", "change", {"auftrag": order}))
    (fact,) = await market.facts_of(OrderAmended)
    assert (fact.version, fact.priority, fact.address) == (2, 90, None)


async def test_a_withdrawal_is_told_and_answered_when_it_is_decided(market: Market) -> None:
    await market.says(MDM, market.order_of(MDM, "B-1"))
    await market.says(MDM, market.parties[MDM].cancellation("B-1", 2))
    (fact,) = await market.facts_of(OrderCancelled)
    assert (fact.version, fact.reason, fact.cancelled_by) == (2, "moved", MDM)
    assert market.parties[MDM].log("B-1").answers == [ACCEPTED, RECEIPT]
    confirmed = requested(Fact.CANCELLED, order_key="mdm-b:B-1", decision=Decision.CONFIRMED)
    await market.hears_and_works(opened("mdm-b:B-1"), confirmed)
    assert market.parties[MDM].log("B-1").answers == [ACCEPTED, RECEIPT, ACCEPTED]


BAD = [
    (lambda it: without(it, "data", "auftrag", "kind"), "/data/auftrag/kind", "1.7"),
    (lambda it: having(it, "sideways", "data", "auftrag", "kind"), "/data/auftrag/kind", "1.7"),
    (lambda it: having(it, "1", "data", "auftrag", "order_version"), "/data/auftrag/order_version", "1.7"),
    (lambda it: having(it, None, "data", "auftrag", "plan"), "/data/auftrag/plan", "1.7"),
    (lambda it: having(it, 1, "data", "auftrag", "colour"), "/data/auftrag/colour", "1.7"),
    (lambda it: having(it, "v1", "data", "stammdaten", "0", "_version"), "_version", "1.7"),
    (lambda it: having(it, [], "data", "stammdaten"), "/data/stammdaten", "1.7"),
    (lambda it: having(it, "DE0", "data", "stammdaten", "0", "messlokationsId"), "/data/stammdaten", "2.12"),
    (lambda it: having(it, "0.9", "specversion"), "/specversion", "1.5"),
    (lambda it: having(it, "2026-03-02T08:00:00", "time"), "/time", "1.5"),
    (lambda it: having(it, "2026-03-03T08:00:00Z", "time"), "/time", "1.5"),
    (lambda it: having(it, "rollout.document.poem.v1", "type"), "/type", "2.5"),
    (lambda it: having(it, "rollout.document.work_status.v1", "type"), "/data", "1.7"),
    (lambda it: having(it, "ERP-A", "source"), "/source", "2.14"),
    (lambda it: without(it, "data", "auftrag", "adresse"), "address", "2.32"),
]


@pytest.mark.parametrize(("spoil", "place", "code"), BAD)
async def test_bad_json_is_refused_with_code_and_place(market: Market, spoil: Any, place: str, code: str) -> None:
    receipt = await market.says(MDM, spoil(market.order_of(MDM, "B-1")))
    ((state, reasons),) = await answers_of(market, receipt)
    assert (state, await market.facts_of(OrderReceived)) == ("refused", [])
    assert any(each == code for each, _ in reasons)
    (message,) = await market.rows("inbound_messages")
    found = [*message.findings, *(each for result in message.results for each in result.findings)]
    assert any(place in each.position and each.code == code for each in found)
    assert market.parties[MDM].log("B-1").answers == [("rejected", reasons[0][0])]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"a": NaN}', b'{"id": "1", "id": "2"}', b'{"a": "\\ud800"}'])
async def test_what_is_no_json_is_refused_and_kept(market: Market, body: bytes) -> None:
    receipt = await market.says(MDM, body)
    ((state, ((code, _), *_)),) = await answers_of(market, receipt)
    assert (state, code, (await market.rows("archive"))[0].content) == ("refused", "1.8", body)


async def test_every_fault_is_named_not_only_the_first(market: Market) -> None:
    message = without(market.order_of(MDM, "B-1"), "data", "auftrag", "kind")
    receipt = await market.says(MDM, having(message, 9, "data", "auftrag", "priority"))
    ((_, reasons),) = await answers_of(market, receipt)
    assert sorted(field for _, field in reasons) == ["/data/auftrag/kind", "/data/auftrag/priority"]


async def test_a_dialect_that_is_not_agreed_is_refused(market: Market) -> None:
    receipt = await market.comes(market.order_of(MDM, "B-1"), "erp-a")
    assert (await answers_of(market, receipt))[0][1] == [("1.9", "/")]


async def test_an_answer_that_cannot_be_read_is_never_answered(market: Market) -> None:
    await market.says(MDM, having(market.parties[MDM].status("B-1", "X", "2026-03-09", "2026-03-11"), 1, "data"))
    (entry,) = await market.rows("quarantine")
    assert (entry.cause, await market.rows("outbound_messages")) == ("UNCORRELATED", [])


async def given_an_order_of_nb(market: Market, **said: Any) -> OrderReceived:
    """The grid operator ordered work, and expects an answer."""
    await market.says(NB, market.order_of(NB, "N-1", answer=dict(ANSWER), **said))
    (fact,) = await market.facts_of(OrderReceived)
    await market.hears(opened(fact.order_key))
    return fact


def decided(decision: Answer, code: str, **more: Any) -> OrderAnswered:
    """What the case decided."""
    said: dict[str, Any] = {"order_key": "nb-nord:N-1", "order_version": 1, "list": "E_0249", "needs_text": False}
    return OrderAnswered(case_id=CASE, decision=decision, code=code, actor="person:local:anna", **said | more)


async def test_J04_an_order_with_an_owed_answer_is_proposed_and_waits(market: Market) -> None:
    fact = await given_an_order_of_nb(market, fixed_on="2026-04-14")
    assert (fact.answer.proposal, fact.answer.code, fact.answer.list) == (Answer.ACCEPTED, "A02", "E_0249")
    assert (fact.answer.allowed, fact.answer.auto) == (("A02", "A01", "A99"), True)
    assert fact.answer.answer_by == datetime(2026, 3, 16, 23, tzinfo=UTC)
    assert market.parties[NB].log("N-1").answers == [RECEIPT]


async def test_J04_a_day_less_than_20_working_days_ahead_is_proposed_to_be_refused(market: Market) -> None:
    fact = await given_an_order_of_nb(market, fixed_on="2026-03-20")
    assert (fact.answer.proposal, fact.answer.code) == (Answer.REFUSED, "A01")


async def test_J04_the_sender_may_say_until_when(market: Market) -> None:
    until = "2026-03-04T12:00:00Z"
    await market.says(NB, market.order_of(NB, "N-1", answer=ANSWER | {"by": until}))
    (fact,) = await market.facts_of(OrderReceived)
    assert fact.answer.answer_by == datetime(2026, 3, 4, 12, tzinfo=UTC)


async def test_J04_the_decision_is_told_in_the_codes_that_were_asked_for_once(market: Market) -> None:
    await given_an_order_of_nb(market, fixed_on="2026-04-14")
    yes = decided(Answer.ACCEPTED, "A02", fixed_on=date(2026, 4, 15))
    await market.hears_and_works(yes, yes)
    *_, message = [row for row in await market.rows("archive") if row.direction == "out"]
    said = json.loads(message.content)["data"]["rueckmeldung"]
    assert said == {
        "level": "business",
        "reasons": [{"code": "A02", "list": "E_0249"}],
        "fixed_on": "2026-04-15",
    }
    assert market.parties[NB].log("N-1").answers == [RECEIPT, ("accepted", "A02")]


async def test_J04_a_refusal_names_the_code(market: Market) -> None:
    await given_an_order_of_nb(market)
    await market.hears_and_works(decided(Answer.REFUSED, "A01"))
    assert market.parties[NB].log("N-1").answers == [RECEIPT, ("rejected", "A01")]


async def test_J04_a_copy_of_the_order_gets_the_decision_again(market: Market) -> None:
    await given_an_order_of_nb(market)
    await market.hears_and_works(decided(Answer.REFUSED, "A01"))
    await market.says(NB, market.order_of(NB, "N-1", answer=dict(ANSWER)))
    assert market.parties[NB].log("N-1").answers == [RECEIPT, ("rejected", "A01")] * 2


async def test_J04_before_the_decision_another_message_of_the_same_words_gets_a_receipt(market: Market) -> None:
    await given_an_order_of_nb(market)
    await market.says(NB, having(market.order_of(NB, "N-1", answer=dict(ANSWER)), "another-id", "id"))
    assert market.parties[NB].log("N-1").answers == [RECEIPT, RECEIPT]


async def test_J04_a_code_that_demands_a_text_waits_for_it(market: Market) -> None:
    await given_an_order_of_nb(market)
    await market.hears_and_works(decided(Answer.REFUSED, "A99", needs_text=True))
    before = list(market.parties[NB].log("N-1").answers)
    async with market.http("mdm") as client:
        path = "/v1/orders/nb-nord:N-1/answer-text"
        empty = await client.post(path, json={"text": ""})
        facts = await client.post(path, json={"facts": {"price_sheet": "P-1"}})
        given = await client.post(path, json={"text": "the house does not stand any more"})
        again = await client.post(path, json={"text": "the house does not stand any more"})
    await market.works()
    assert (facts.status_code, facts.json()["code"]) == (422, "answer-incomplete")
    assert (before, empty.status_code, given.status_code, again.status_code) == ([RECEIPT], 422, 200, 409)
    assert again.json()["code"] == "answer-given"
    message = [row for row in await market.rows("archive") if row.direction == "out"][-1]
    (reason,) = json.loads(message.content)["data"]["rueckmeldung"]["reasons"]
    assert reason == {"code": "A99", "list": "E_0249", "text": "the house does not stand any more"}


async def test_J63_a_system_of_record_may_correct_its_order_without_being_asked(market: Market) -> None:
    await market.says(MDM, market.order_of(MDM, "B-1"))
    await market.hears(opened("mdm-b:B-1"))
    data = {
        "auftrag": {"order_no": "B-1", "order_version": 2},
        "rueckmeldung": {"changes": [{"field": "access_note", "old": "ring twice", "new": None}]},
    }
    await market.says(MDM, market.parties[MDM].event("corrected", "c", data))
    (fact,) = await market.facts_of(MasterDataReceived)
    assert (fact.order_key, fact.version, fact.origin) == ("mdm-b:B-1", 2, "partner")
    assert (fact.changed["access_note"].old, fact.changed["access_note"].new) == ("ring twice", None)
