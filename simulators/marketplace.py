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
from simulators.garbage import spoilt
from simulators.market import ANSWER, Party
from simulators.partner import REFUSALS, Entry, hand_in
from simulators.story import Story

JSON, EDIFACT = "json_ce", "edifact_fv"
REST, FILES = "rest", "file_drop"
PROPOSED = (14, 21)
"""From when to when other days lie that a partner names: days from today."""
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


ROLES: Mapping[str, str] = {**facts.MARKET, facts.NEWCOMER: "nb"}


class Speech(NamedTuple):
    """How a partner speaks with the hub."""

    dialect: str = JSON
    transport: str = REST


def code_of(partner: str) -> str:
    """The number of a partner in the market."""
    return facts.NEWCOMER_CODE if partner == facts.NEWCOMER else facts.MARKET_CODES[ROLES[partner]]


def profile_of(partner: str, speech: Speech) -> str:
    """The profile at the hub of a partner that speaks EDIFACT: YAML."""
    role, code = ROLES[partner], code_of(partner)
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
        speech = dict.fromkeys(facts.MARKET, Speech()) | dict(speaks or {})
        told = {partner: _scripts(ROLES[partner], stories) for partner in speech}
        self.in_json = {
            partner: Party(clock, partner, ROLES[partner], told[partner])
            for partner, one in speech.items()
            if one.dialect == JSON
        }
        self.in_edifact = {
            partner: EdifactParty(clock, partner, ROLES[partner], told[partner], code=code_of(partner))
            for partner, one in speech.items()
            if one.dialect == EDIFACT
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
        """What partners of these say by themselves: their orders."""
        day = timedelta(days=(story.number - 1) // PER_DAY)  # the morning on which the ERP orders what is beside it
        for partner in _ordering(story):
            party = self.parties[partner]
            for kind in story.spoilt:
                party.send_later(day, spoilt(kind, self._order(story, partner)))
            order = self._order(story, partner)
            if story.cancelled_before:
                party.send_later(day, party.cancellation(facts.number_at(partner, story.number), 1))
            for _ in range(story.copies):
                party.send_later(day, order)

    def _order(self, story: Story, partner: str, *, amended: bool = False) -> bytes:
        """The order of a story, or the same one in other words."""
        party, number = self.parties[partner], facts.number_at(partner, story.number)
        wants: dict[str, Any] = {"answer": dict(ANSWER)} if party.role in {"nb", "lf"} else {}
        return party.order(OrderFacts(story.number, amended=amended), number, version=1 + amended, **wants)

    def amend(self, story: Story) -> None:
        """The partner that ordered it says its order again: another door."""
        partner = _ordering(story)[0]
        self.parties[partner].send_later(timedelta(), self._order(story, partner, amended=True))

    def withdraw(self, story: Story, partner: str | None = None) -> None:
        """A partner that ordered it cancels its order; the first one, if none is named."""
        partner = partner or _ordering(story)[0]
        party = self.parties[partner]
        party.send_later(timedelta(), party.cancellation(facts.number_at(partner, story.number), 2))

    def propose(self, story: Story) -> None:
        """The partner that ordered it is not ready, and names other days. Only JSON has words for it."""
        partner = _ordering(story)[0]
        party, now = self.in_json[partner], self.clock.now().date()
        days = [(now + timedelta(days=days)).isoformat() for days in PROPOSED]
        party.send_later(timedelta(), party.status(facts.number_at(partner, story.number), "RESCHEDULED", *days))

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


def _ordering(story: Story) -> Sequence[str]:
    """Partners of the market that order it."""
    return [partner for partner in (story.ordered_by, story.also_ordered_by) if partner]


def _scripts(role: str, stories: Sequence[Story]) -> dict[str, Sequence[str]]:
    """What this role does with the documents of each order."""
    found: dict[str, Sequence[str]] = {}
    for story in stories:
        if action := dict(story.market).get(role):
            number = OrderFacts(story.number).order_no
            ours = (facts.number_at(partner, story.number) for partner in _ordering(story))
            found |= dict.fromkeys((number, *ours), (action,))
    return found
