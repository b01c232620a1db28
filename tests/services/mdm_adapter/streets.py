"""The adapter among market parties that have a reader, a writer and a mind of their own."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import httpx

from contracts.cases import OrderAnswered
from contracts.event import Event
from simulators.edifact.party import EdifactParty
from simulators.marketplace import EDIFACT, Speech, profile_of
from simulators.partner import Action
from tests.services.mdm_adapter.exchanges import ERP
from tests.services.mdm_adapter.market import PARTIES, Market, announced
from tests.services.mdm_adapter.scenes import CASE, POINT, requested, visited

NB, LF, WMSB = PARTIES.values()
PROFILES: Mapping[str, str] = {
    "erp-a": ERP,
    **{partner: profile_of(partner, Speech(EDIFACT)) for partner in PARTIES.values()},
}
ROUNDS = 6
"""How often everybody gets the word; a question, its answer and the receipts for both take fewer."""


def planned() -> Event:
    """An announcement that is early enough."""
    return announced().model_copy(update={"planned_on": date(2026, 9, 1)})


def decided(order_key: str, decision: str, code: str, list_: str | None, **more: Any) -> OrderAnswered:
    """A person answers an order of the market."""
    said: dict[str, Any] = {"decision": decision, "code": code, "list": list_, **more}
    return OrderAnswered(
        case_id=CASE, order_key=order_key, order_version=1, needs_text=False, actor="person:local:mia", **said
    )


class Streets(Market):
    """The stage with grid operator, supplier and metering operator, who say at once what is due."""

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

    def scripted(self, **actions: str | Action) -> None:
        """What each role does with the first document about the point."""
        for role, action in actions.items():
            self.parties[PARTIES[role]].scripts[POINT] = [action]

    async def talks(self) -> None:
        """Everybody says what is due, until nobody has anything to say."""
        for _ in range(ROUNDS):
            for party in self.parties.values():
                await party.act(self._send)
            await self.works()

    async def hears_and_works(self, *heard: Event) -> None:
        await super().hears_and_works(*heard)
        await self.talks()

    async def hours_pass(self, hours: float = 6) -> None:
        await self.passes(timedelta(hours=hours))
        await self.talks()

    async def says(self, partner: str, message: bytes) -> str:
        receipt = await super().says(partner, message)
        await self.talks()
        return receipt

    async def given_done_work(self, *roles: str) -> None:
        """A case whose order names these roles is done, and told."""
        await self.given_the_market(*roles)
        await self.hears_and_works(visited(), requested())

    def got(self, partner: str) -> list[str]:
        """PIDs and receipts that came to a party, in their order."""
        found = [entry.what for entry in self.parties[partner].journal if entry.way == "in"]
        return [what if what.startswith(("APERAK", "CONTRL")) else what.rpartition(" ")[2] for what in found]

    def times_taken_over(self) -> set[int]:
        """How often facts were taken over."""
        return {times for party in self.parties.values() for times in party.effects.values()}

    async def causes(self) -> list[str]:
        """Why something lies in quarantine."""
        return sorted(row.cause for row in await self.rows("quarantine"))
