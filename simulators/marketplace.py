"""The market around the hub: partners at one address or folder each, in JSON or in EDIFACT."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kit.clock import Clock
from simulators import facts
from simulators.edifact.party import EdifactParty
from simulators.erp import PER_DAY
from simulators.facts import OrderFacts
from simulators.market import ANSWER, Party
from simulators.partner import REFUSALS, Entry, hand_in
from simulators.story import Story

JSON, EDIFACT = "json_ce", "edifact_fv"
REST, FILES = "rest", "file_drop"
PROFILE = """
id: {partner}
name: {partner}
role: {role}
contract: market
identity: [{{scheme: {scheme}, value: "{code}"}}]
dialects: [{{dialect: {dialect}}}]
transports: {{in: [{{kind: {transport}}}], out: [{{kind: {transport}}}]}}
defaults:
  operator: nord
  country: DE
  municipality: "00000001"
  voltage: E06
  price_key: 4-02-0-001
  device_types: {{meter: mme_3ph}}
options: {{auto_accept_orders: {auto_accept}}}
"""


class Speech(NamedTuple):
    """How a partner speaks with the hub."""

    dialect: str = JSON
    transport: str = REST


def profile_of(partner: str, speech: Speech) -> str:
    """The profile at the hub of a partner that speaks EDIFACT: YAML."""
    role = facts.MARKET[partner]
    code = facts.MARKET_CODES[role]
    return PROFILE.format(
        partner=partner,
        role=role.upper(),
        scheme="bdew" if code.startswith("99") else "gln",
        code=code,
        dialect=speech.dialect,
        transport=speech.transport,
        auto_accept=str(role != "lf").lower(),
    )


class Market:
    """All partners of the market, played by the clock; `speaks` says how, where it is not JSON over HTTP."""

    name = "market"

    def __init__(
        self,
        clock: Clock,
        http: httpx.AsyncClient,
        keys: Mapping[str, str],
        stories: Sequence[Story],
        *,
        speaks: Mapping[str, Speech] | None = None,
        drop: Path | None = None,
    ) -> None:
        self.clock, self.http, self.keys, self.drop = clock, http, keys, drop or Path()
        speech = {partner: (speaks or {}).get(partner, Speech()) for partner in facts.MARKET}
        told = {partner: _scripts(role, stories) for partner, role in facts.MARKET.items()}
        self.in_json = {
            partner: Party(clock, partner, role, told[partner])
            for partner, role in facts.MARKET.items()
            if speech[partner].dialect == JSON
        }
        self.in_edifact = {
            partner: EdifactParty(clock, partner, role, told[partner])
            for partner, role in facts.MARKET.items()
            if speech[partner].dialect == EDIFACT
        }
        for partner, one in self.in_json.items():
            one.peers = {name: other for name, other in self.in_json.items() if name != partner}
        for partner, two in self.in_edifact.items():
            two.peers = {name: other for name, other in self.in_edifact.items() if name != partner}
        self.parties: Mapping[str, Party | EdifactParty] = {**self.in_json, **self.in_edifact}
        self.by_file = {partner for partner, one in speech.items() if one.transport == FILES}
        self.rhythm: timedelta | None = timedelta() if self.by_file else None
        for story in stories:
            self._plan(story)
        self.working = Counter[str]()

    def _plan(self, story: Story) -> None:
        """What a partner of these says by itself: its order."""
        if story.ordered_by is None:
            return
        party, number = self.parties[story.ordered_by], facts.number_at(story.ordered_by, story.number)
        day = timedelta(days=(story.number - 1) // PER_DAY)  # the morning on which the ERP orders what is beside it
        wants: dict[str, Any] = {"answer": dict(ANSWER)} if party.role in {"nb", "lf"} else {}
        party.send_later(day, party.order(OrderFacts(story.number), number, **wants))

    def withdraw(self, story: Story) -> None:
        """The partner that ordered it cancels its order."""
        party = self.parties[story.ordered_by or ""]
        party.send_later(timedelta(), party.cancellation(facts.number_at(party.partner, story.number), 2))

    def next_due(self) -> datetime | None:
        return min((due for party in self.parties.values() if (due := party.next_due())), default=None)

    async def act(self) -> bool:
        """Everybody reads the files that lie there, and says what is due."""
        did = self._read_folders()
        for party in self.parties.values():
            did |= await party.act(self._send)
        return did

    async def take(self, request: Request) -> Response:
        """The endpoint of each partner."""
        self.working["posts"] += 1
        try:
            party = self.parties[request.path_params["partner"]]
            status, answer = party.take(await request.body())
            return Response(answer, status, media_type=party.media_type if answer else None)
        finally:
            self.working["posts"] -= 1

    async def show(self, request: Request) -> Response:
        """What a partner got and said, in its order, and what came of each order."""
        party = self.parties[request.path_params["partner"]]
        return JSONResponse(
            {
                "journal": [{**asdict(entry), "at": entry.at.isoformat()} for entry in party.journal],
                "orders": {number: asdict(log) for number, log in party.logs.items()},
                "effects": [{"fact": fact, "times": times} for fact, times in party.effects.items()],
            }
        )

    def taken_in(self) -> bool:
        """Whether the hub has taken every file of these partners."""
        places = ("in/*", "claimed/*/*")
        return not any(next((self.drop / each).glob(place), None) for each in self.by_file for place in places)

    def _read_folders(self) -> bool:
        """Messages of the hub for partners that work with files."""
        did = False
        for partner in sorted(self.by_file):
            folder, party = self.drop / partner / "out", self.parties[partner]
            for place in sorted(folder.glob(f"*.{party.suffix}")) if folder.exists() else ():
                _, answer = party.take(place.read_bytes())
                if answer:
                    party.send_later(timedelta(), answer)
                place.unlink()
                did = True
        return did

    async def _send(self, partner: str, message: bytes) -> None:
        party = self.parties[partner]
        if partner in self.by_file:
            self.working["files"] += 1
            hand_in(self.drop / partner / "in", f"{partner}-{self.working['files']:08}.{party.suffix}", message)
            return
        headers = {"Authorization": f"Bearer {self.keys[partner]}", "Content-Type": party.media_type}
        answer = await self.http.post(f"/mdm/v1/in/{partner}", content=message, headers=headers)
        if answer.status_code in REFUSALS:
            party.journal.append(Entry(self.clock.now(), "out", "refused", "", said=str(answer.status_code)))
        else:
            answer.raise_for_status()


def _scripts(role: str, stories: Sequence[Story]) -> dict[str, Sequence[str]]:
    """What this role does with the documents of each order."""
    found: dict[str, Sequence[str]] = {}
    for story in stories:
        if action := dict(story.market).get(role):
            number = OrderFacts(story.number).order_no
            ours = facts.number_at(story.ordered_by, story.number) if story.ordered_by else number
            found |= {number: (action,), ours: (action,)}
    return found
