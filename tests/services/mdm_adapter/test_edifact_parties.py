"""The adapter against market parties that have a reader, a writer and a mind of their own."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.cases import OrderAnswered
from contracts.codes import Decision, Fact, FailureCause, HubReason
from contracts.handovers import HandoverAccepted, HandoverFailed, HandoverRejected, MessageQuarantined
from contracts.orders import MasterDataReceived, OrderCancelled, OrderReceived
from services.mdm_adapter.app import build
from services.mdm_adapter.settings import Settings
from simulators import facts
from simulators.edifact.party import EdifactParty
from simulators.facts import OrderFacts
from tests.services.mdm_adapter.erp import Erp
from tests.services.mdm_adapter.exchanges import ERP, PROFILE
from tests.services.mdm_adapter.market import ADDRESSES, PARTIES, Market, announced
from tests.services.mdm_adapter.scenes import CASE, POINT, opened, requested, visited

NB, LF, WMSB = "nb-nord", "lf-nord", "wmsb-nord"


class Streets(Market):
    """The stage with parties that speak EDIFACT; everything that is due is said at once."""

    parties: dict[str, EdifactParty]  # type: ignore[assignment]

    def open_addresses(self) -> None:
        self.parties = {partner: EdifactParty(self.clock, partner, role) for role, partner in PARTIES.items()}
        for partner, party in self.parties.items():
            party.peers = {name: other for name, other in self.parties.items() if name != partner}
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.service.ports["partner_rest"].client = client

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        partner = request.url.host.partition(".")[0]
        if partner == "erp-a":
            return await self.erp.answer(request)
        assert request.headers["content-type"] == "application/edifact"
        status, _ = self.parties[partner].take(await request.aread())
        return httpx.Response(status)

    def scripted(self, **actions: str) -> None:
        for role, action in actions.items():
            self.parties[PARTIES[role]].scripts[POINT] = [*action.split()]

    async def talks(self) -> None:
        """Everybody says what is due, until nobody has anything to say."""
        for _ in range(6):
            for party in self.parties.values():
                await party.act(self._send)
            await self.works()

    async def hears_and_works(self, *heard: Any) -> None:
        await self.hears(*heard)
        await self.works()
        await self.talks()

    async def hours_pass(self, hours: float = 6) -> None:
        await self.passes(timedelta(hours=hours))
        await self.talks()

    def trouble(self) -> list[str]:
        return [f"{name}: {each}" for name, p in self.parties.items() for log in p.logs.values() for each in log.trouble]

    def got(self, partner: str) -> list[str]:
        """PIDs and receipts that came, in their order."""
        return [entry.what.partition(" ")[2] or entry.what for entry in self.parties[partner].journal if entry.way == "in"]


@pytest.fixture
async def streets(tmp_path: Path) -> AsyncIterator[Streets]:
    folder = tmp_path / "partners"
    folder.mkdir()
    (folder / "erp-a.yaml").write_text(ERP)
    for role, partner in PARTIES.items():
        code = facts.MARKET_CODES[role]
        (folder / f"{partner}.yaml").write_text(PROFILE.format(partner=partner, role=role.upper(), code=code))
    scene = await Streets.open(
        build, tmp_path, settings=Settings, partners_dir=folder, partner_urls=ADDRESSES, market_id=facts.HUB_CODE
    )
    scene.erp = Erp()
    scene.open_addresses()
    yield scene
    await scene.close()


def planned() -> Any:
    return announced().model_copy(update={"planned_on": date(2026, 9, 1)})


async def given_done_work(streets: Streets, *roles: str) -> None:
    await streets.given_the_market(*roles)
    await streets.hears_and_works(visited(), requested())


async def test_J01_done_work_is_transferred_by_receipts_of_everybody(streets: Streets) -> None:
    await given_done_work(streets, "nb", "lf", "wmsb")
    assert [streets.got(partner) for partner in (NB, LF, WMSB)] == [
        ["55643", "13017", "13017"],
        ["55653", "13017", "13017"],
        ["55663"],
    ]
    assert len(await streets.facts_of(HandoverAccepted)) == 1
    assert streets.trouble() == []
    assert {times for party in streets.parties.values() for times in party.effects.values()} == {1}


async def test_J02_an_announcement_is_agreed_to(streets: Streets) -> None:
    await streets.given_the_market("nb", "lf", "wmsb")
    await streets.hears_and_works(planned())
    assert [streets.got(partner) for partner in (NB, LF, WMSB)] == [["21029"]] * 3
    assert streets.trouble() == []
    assert len(await streets.facts_of(HandoverAccepted)) == 1


@pytest.mark.parametrize("code", ["A01", "A02", "A04"])
async def test_J03_an_objection_reaches_its_order(streets: Streets, code: str) -> None:
    streets.scripted(wmsb=f"reject:{code}")
    await streets.given_the_market("wmsb")
    await streets.hears_and_works(planned())
    (fact,) = await streets.facts_of(HandoverRejected)
    assert (fact.reasons[0].code, fact.reasons[0].list) == (code, "E_0233")
    assert streets.trouble() == []


@pytest.mark.parametrize("action", ["refuse_receipt:Z35", "refuse_syntax:29"])
async def test_J34_refused_receipts_fail(streets: Streets, action: str) -> None:
    streets.scripted(nb=action)
    await given_done_work(streets, "nb", "lf")
    (fact,) = await streets.facts_of(HandoverFailed)
    assert (fact.recipient, fact.cause) == (NB, FailureCause.SCHEMA)
    assert (streets.got(NB), streets.trouble()) == (["55643"], [])


async def test_J28_clearing_is_a_rejection(streets: Streets) -> None:
    streets.scripted(nb="reject:Z88")
    await given_done_work(streets, "nb")
    (fact,) = await streets.facts_of(HandoverRejected)
    assert (fact.reasons[0].hub_reason, streets.trouble()) == (HubReason.DATA_CLEARING, [])


async def test_J63_correction(streets: Streets) -> None:
    streets.scripted(nb='correct:voltage="E05"')
    await given_done_work(streets, "nb")
    await streets.hours_pass()
    (fact,) = await streets.facts_of(MasterDataReceived)
    assert streets.trouble() == []
    assert {name: change.new for name, change in fact.changed.items()} == {"voltage": "E05"}


@pytest.mark.parametrize(
    "action",
    ["answer_twice", "answer_other_body", "answer_before_ack", "wrong_reference", "no_correlation", "late"]
    + ["other_partner_answers", "accept_then_reject:Z88", "reject_then_accept:Z88", "silent", "accept:A01", "http:503"]
    + [f"garbage:{kind}" for kind in ("truncated", "wrong_count", "version", "random", "two", "charset", "utf16")],
)
async def test_whatever_a_party_does_is_accounted_for(streets: Streets, action: str) -> None:
    streets.scripted(nb=action)
    await given_done_work(streets, "nb", "lf")
    for _ in range(12):
        await streets.hours_pass(6)
    print(action, await streets.states(), [type(f).__name__ for f in await streets.told() if "Handover" in type(f).__name__ or "Quarantined" in type(f).__name__])
    print([ (q.cause, q.detail) for q in await streets.rows("quarantine")])
    for entry in streets.parties[NB].journal: print(entry.at, entry.way, entry.what, entry.said)
    assert streets.trouble() == []


def decided(order_key: str, decision: str, code: str, list_: str | None = "E_0249", **more: Any) -> OrderAnswered:
    return OrderAnswered(
        case_id=CASE, order_key=order_key, order_version=1, decision=decision, code=code, list=list_,
        needs_text=False, actor="person:local:mia", **more)  # type: ignore[arg-type]


async def test_J04_17011(streets: Streets) -> None:
    nb = streets.parties[NB]
    content = nb.order(OrderFacts(1), "N-000001")
    await streets.says(NB, content)
    await streets.talks()
    (order,) = await streets.facts_of(OrderReceived)
    print(order)
    assert nb.log("N-000001").answers == [("received", "312")]
    await streets.hears_and_works(opened("nb-nord:N-000001"))
    await streets.hears_and_works(decided("nb-nord:N-000001", "accepted", "A02"))
    assert (nb.log("N-000001").answers, streets.trouble()) == ([("received", "312"), ("accepted", "A02")], [])
    await streets.says(NB, nb.cancellation("N-000001"))
    await streets.talks()
    assert len(await streets.facts_of(OrderCancelled)) == 1
    assert streets.trouble() == []
    print(nb.log("N-000001").answers)


@pytest.mark.parametrize("kind", ["offer", "removal", "fault"])
@pytest.mark.parametrize("yes", [True, False])
async def test_other_orders(streets: Streets, kind: str, yes: bool) -> None:
    nb = streets.parties[NB]
    if kind == "offer":
        content, code, list_ = nb.order(OrderFacts(1), "N-000001", offer="OFFER-1"), ("A06" if yes else "A01"), "E_0279"
    elif kind == "removal":
        content, code, list_ = nb.removal(OrderFacts(1), "N-000001", datetime(2026, 5, 4, 8, tzinfo=UTC)), ("ZB4" if yes else "E17"), "S_0066"
    else:
        content, code, list_ = nb.fault(OrderFacts(1), "N-000001", "Display dunkel"), ("E15" if yes else "ZB8"), None
    await streets.says(NB, content)
    await streets.talks()
    (order,) = await streets.facts_of(OrderReceived)
    print(order.answer)
    await streets.hears_and_works(opened("nb-nord:N-000001"))
    await streets.hears_and_works(decided("nb-nord:N-000001", "accepted" if yes else "refused", code, list_, **({"fixed_on": date(2026, 3, 4)} if kind == "fault" else {})))
    print(await streets.rows("quarantine"), [each async for each in _none()])
    assert (nb.log("N-000001").answers, streets.trouble()) == ([("received", "312"), ("accepted" if yes else "rejected", code)], [])


async def _none() -> Any:
    return
    yield
