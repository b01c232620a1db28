"""Partners of the market at the other end of the adapter: the simulators' parties, each behind its own address."""

import json
from datetime import timedelta
from typing import Any

import httpx

from contracts.codes import AnnouncedPlan, Fact
from contracts.event import Event
from simulators import facts
from simulators.facts import OrderFacts
from simulators.market import EVENTS, Party
from tests.services.mdm_adapter.scenes import Scene, opened, order, requested

ORDER = "WO-1"
PARTIES = {"nb": "nb-nord", "lf": "lf-nord", "wmsb": "wmsb-nord"}
ADDRESSES = {"erp-a": "http://erp-a.example/in", **{each: f"http://{each}.example/in" for each in facts.MARKET}}


def with_parties(*roles: str) -> bytes:
    """The order of ERP A; it names these roles of the point."""
    named = "".join(
        f"<m:Property><m:Name>party.{role}</m:Name><m:Value>{facts.MARKET_CODES[role]}</m:Value></m:Property>"
        for role in roles
    )
    return order().replace(b"</m:Header>", f"{named}</m:Header>".encode())


def announced(attempt: int = 1, plan: AnnouncedPlan = AnnouncedPlan.IMS) -> Event:
    """The case wants the rollout announced."""
    return requested(Fact.ROLLOUT_ANNOUNCED, attempt, plan=plan, statutory=True, work_order_id=None)


class Market(Scene):
    """The stage with every partner's own end."""

    parties: dict[str, Party]

    def open_addresses(self) -> None:
        """From here on everybody listens."""
        self.parties = {each: Party(self.clock, each, role) for each, role in facts.MARKET.items()}
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.service.ports["partner_rest"].client = client

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        partner = request.url.host.partition(".")[0]
        if partner == "erp-a":
            return await self.erp.answer(request)
        assert request.headers["content-type"] == EVENTS
        status, body = self.parties[partner].take(await request.aread())
        return httpx.Response(status, content=body, headers={"Content-Type": EVENTS})

    def scripted(self, **actions: str) -> None:
        """What each role does with the documents about the order, one after the other."""
        for role, action in actions.items():
            self.parties[PARTIES[role]].scripts[ORDER] = action.split()

    async def given_the_market(self, *roles: str) -> None:
        """A case whose order names these roles."""
        await self.comes(with_parties(*roles))
        await self.hears(opened())
        await self.works()
        await self.told_since()

    async def hears_and_works(self, *heard: Event) -> None:
        """These facts, and all that follows at once."""
        await self.hears(*heard)
        await self.works()

    async def hours_pass(self, hours: float = 6) -> None:
        """Parties say what they said they would say later."""
        await self.passes(timedelta(hours=hours))
        for party in self.parties.values():
            await party.act(self._send)
        await self.works()

    async def _send(self, partner: str, message: bytes) -> None:
        await self.comes(message, partner)

    async def says(self, partner: str, message: bytes) -> str:
        """A partner hands a message in; returns its receipt."""
        return await self.comes(message, partner)

    def documents(self, order_no: str = ORDER) -> dict[str, list[str]]:
        """Which reports each party got about an order."""
        got = {partner: party.log(order_no).documents for partner, party in self.parties.items()}
        return {partner: documents for partner, documents in got.items() if documents}

    def trouble(self) -> list[str]:
        """What the parties' own readers have against us."""
        return [each for party in self.parties.values() for log in party.logs.values() for each in log.trouble]

    async def states(self) -> dict[str, str]:
        """The newest row of each recipient."""
        rows = sorted(await self.rows("handover_rows"), key=lambda row: row.attempt)
        return {row.recipient: row.state for row in rows}

    async def facts_of(self, kind: type[Event]) -> list[Any]:
        """All facts of a kind that were told."""
        return [fact for fact in await self.told() if isinstance(fact, kind)]

    def order_of(self, partner: str, order_no: str, **said: Any) -> bytes:
        """An order of a partner that speaks JSON, for the point of the scene."""
        message = json.loads(self.parties[partner].order(OrderFacts(1), order_no, **said))
        message["data"]["stammdaten"][0]["messlokationsId"] = "DE000123001010000000000000001234A"
        return json.dumps(message).encode()
