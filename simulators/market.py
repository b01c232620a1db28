"""Market roles and a second ordering system: CloudEvents in JSON, read and written with a few lines of their own."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
from starlette.requests import Request
from starlette.responses import Response

from kit.clock import Clock
from simulators import facts
from simulators.erp import PER_DAY
from simulators.facts import OrderFacts
from simulators.story import Story

EVENTS = "application/cloudevents+json"
PREFIX, BO4E = "rollout.document.", "v202607.1.0"
REPORTS = ("work_status", "device_exchange_completed", "work_not_completed")
ANSWERS = ("received", "accepted", "rejected")
RECEIPT, CONTENT = "processability", "business"
LATE = timedelta(hours=6)
ACTIONS: Mapping[str, tuple[str | None, str | None]] = {
    "accept": ("yes", None),
    "received": ("received", None),
    "silent": (None, None),
    "late": (None, "yes"),
    "twice": ("yes", "yes"),
    "reject": ("no", None),
    "refuse_receipt": ("unreadable", None),
    "accept_then_reject": ("yes", "no"),
    "reject_then_accept": ("no", "accepted"),
    "correct": ("yes", "corrected"),
}
"""What a scripted action says at once, and what hours later."""
Send = Callable[[str, bytes], Awaitable[None]]
"""Hands a message of this partner to the hub."""


@dataclass
class Log:
    """What one party was told about one order, and what became of it."""

    documents: list[str] = field(default_factory=list)
    """Names of reports, each counted once."""
    answers: list[tuple[str, str]] = field(default_factory=list)
    """Answers of the hub to this party's own orders: accepted or rejected, with the code, or the level without one."""
    copies: int = 0
    trouble: list[str] = field(default_factory=list)
    """What this party's own reader has against messages of the hub."""


class Party:
    """One partner that speaks JSON. What it does with each document about an order is scripted, by order number.

    Actions, one per document, behind them `accept`: `accept`, `received`, `silent`, `late`, `twice`,
    `reject:<code>[:<list>]`, `refuse_receipt:<code>`, and, the second word hours later, `correct:<field>=<JSON value>`,
    `accept_then_reject:<code>`, `reject_then_accept:<code>`.
    """

    def __init__(
        self, clock: Clock, partner: str, role: str, scripts: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.clock, self.partner, self.role = clock, partner, role
        self.scripts = {number: list(actions) for number, actions in (scripts or {}).items()}
        self.logs: dict[str, Log] = {}
        self.later: list[tuple[datetime, int, bytes]] = []
        self.count = 0
        self._taken: dict[str, tuple[int, bytes]] = {}

    @property
    def source(self) -> str:
        """The name under which it speaks."""
        return self.partner.upper()

    def log(self, order_no: str) -> Log:
        """What it keeps of one order."""
        return self.logs.setdefault(order_no, Log())

    def take(self, body: bytes) -> tuple[int, bytes]:
        """A message of the hub arrives: status and body of the answer. A repeated one is answered alike, once."""
        message = json.loads(body)
        order = message.get("data", {}).get("auftrag", {}).get("order_no", "")
        log, name = self.log(order), str(message.get("type", "")).removeprefix(PREFIX).removesuffix(".v1")
        if wrong := _wrong(message, name):
            log.trouble += wrong
            return 422, b""
        if message["id"] in self._taken:
            log.copies += 1
            return self._taken[message["id"]]
        if name in ANSWERS:
            log.answers.append((name, _code(message)))
            self._taken[message["id"]] = (204, b"")
        else:
            log.documents.append(name)
            script = self.scripts.get(order)
            self._taken[message["id"]] = self._judge(script.pop(0) if script else "accept", message, name, order)
        return self._taken[message["id"]]

    def _judge(self, action: str, message: Mapping[str, Any], name: str, order: str) -> tuple[int, bytes]:
        verb, _, detail = action.partition(":")
        now, afterwards = ACTIONS[verb]
        if afterwards is not None:
            self.send_later(LATE, self._say(afterwards, message, name, order, detail))
        return (200, self._say(now, message, name, order, detail)) if now else (202, b"")

    def _say(self, word: str, message: Mapping[str, Any], name: str, order: str, detail: str) -> bytes:
        match word:
            case "yes":
                return self._yes(message, name, order)
            case "no" | "unreadable":
                return self._no(message, order, detail, CONTENT if word == "no" else RECEIPT)
            case "corrected":
                of, _, value = detail.partition("=")
                changes = [{"field": of, "new": json.loads(value)}]
                return self._answer("corrected", message, order, {"changes": changes})
        said = {"received": "transport", "accepted": CONTENT}
        return self._answer(word, message, order, {"level": said[word]})

    def _yes(self, message: Mapping[str, Any], name: str, order: str) -> bytes:
        """Roles of the market give a receipt; who ordered agrees, and to an announcement the metering operator."""
        agrees = self.role not in {"nb", "lf", "wmsb"} or (self.role == "wmsb" and name == "work_status")
        said: dict[str, Any] = {"level": CONTENT if agrees else RECEIPT}
        if self.role == "wmsb" and agrees:
            said["reasons"] = [{"code": "A03", "list": "E_0233"}]
        return self._answer("accepted", message, order, said)

    def _no(self, message: Mapping[str, Any], order: str, detail: str, level: str) -> bytes:
        code, _, of = detail.partition(":")
        reason = {"code": code, "text": "as scripted"} | ({"list": of} if of else {})
        return self._answer("rejected", message, order, {"level": level, "reasons": [reason]})

    def _answer(self, name: str, message: Mapping[str, Any], order: str, said: Mapping[str, Any]) -> bytes:
        data = {"auftrag": {"order_no": order}, "rueckmeldung": said}
        return self.event(name, f"{name}/{message['id']}/{json.dumps(said)}", data, correlationid=message["id"])

    def event(self, name: str, about: str, data: Mapping[str, Any], **more: str) -> bytes:
        """A message of this party; the same words about the same thing have the same id."""
        return json.dumps(
            {
                "specversion": "1.0",
                "id": str(uuid5(NAMESPACE_URL, f"{self.partner}/{about}")),
                "source": self.source,
                "type": f"{PREFIX}{name}.v1",
                "time": f"{self.clock.now():%Y-%m-%dT%H:%M:%SZ}",
                "datacontenttype": "application/json",
                "data": data,
            }
            | more
        ).encode()

    def order(self, facts_: OrderFacts, order_no: str, *, version: int = 1, **said: Any) -> bytes:
        """An order for the exchange of a meter; `said` adds members, for instance the answer that is expected."""
        order = {
            "order_no": order_no,
            "order_version": version,
            "kind": "exchange",
            "plan": "MME",
            "customer": {"name": facts_.name, "phone": facts_.phone},
            "language": "de",
            "sms_allowed": True,
            "area": {"municipality": "00000001"},
            "adresse": {
                "strasse": facts_.street,
                "hausnummer": facts_.house_number,
                "postleitzahl": facts_.postcode,
                "ort": "Auental",
                "landescode": "DE",
            },
        }
        objects = [
            {"_typ": "MESSLOKATION", "_version": BO4E, "messlokationsId": facts_.metering_point},
            {"_typ": "ZAEHLER", "_version": BO4E, "zaehlernummer": facts_.old_serial},
        ]
        data = {"auftrag": order | said, "stammdaten": objects}
        return self.event("work_order_requested", f"order/{order_no}/{version}", data)

    def cancellation(self, order_no: str, version: int) -> bytes:
        """The order is withdrawn."""
        data = {"auftrag": {"order_no": order_no, "order_version": version, "reason": "moved"}}
        return self.event("work_order_cancelled", f"cancel/{order_no}/{version}", data)

    def status(self, order_no: str, code: str, start: str, end: str) -> bytes:
        """Its own side stands like this, and another time would do (J55); answers no message of the hub."""
        said = {"level": CONTENT, "reasons": [{"code": code}], "window": {"from": start, "to": end}}
        data = {"auftrag": {"order_no": order_no}, "rueckmeldung": said}
        return self.event("rejected", f"status/{order_no}/{code}", data)

    def send_later(self, after: timedelta, message: bytes) -> None:
        """Have a message leave by itself."""
        self.count += 1
        heappush(self.later, (self.clock.now() + after, self.count, message))

    def next_due(self) -> datetime | None:
        """When the next message leaves by itself."""
        return self.later[0][0] if self.later else None

    async def act(self, send: Send) -> bool:
        """Send what is due."""
        did = False
        while self.later and self.later[0][0] <= self.clock.now():
            await send(self.partner, heappop(self.later)[2])
            did = True
        return did


def _wrong(message: Mapping[str, Any], name: str) -> list[str]:
    """What this side's own reader has against a message of the hub; short, and no word of the hub's own rules."""
    data = message.get("data", {})
    found = [] if message.get("specversion") == "1.0" else ["specversion"]
    found += [member for member in ("id", "source", "time") if not message.get(member)]
    if name not in (*REPORTS, *ANSWERS):
        return [*found, "type"]
    if name in ANSWERS:
        return found if message.get("correlationid") else [*found, "correlationid"]
    points = [each for each in data.get("stammdaten", ()) if each.get("_typ") not in {"ZAEHLER", "GERAET"}]
    found += [] if len(points) == 1 and points[0].get("_version") == BO4E else ["stammdaten"]
    said = data.get("rueckmeldung", {})
    if name == "device_exchange_completed":
        devices = [*said.get("installed", ()), *said.get("removed", ())]
        bare = [each for each in devices if each["role"] == "meter" and not each.get("readings")]
        found += ["readings"] if bare or not devices else []
    return found


def _code(message: Mapping[str, Any]) -> str:
    said = message["data"]["rueckmeldung"]
    return str(said["reasons"][0]["code"] if said.get("reasons") else said["level"])


class Market:
    """All partners that speak JSON, at one address each, played by the clock."""

    name = "market"
    rhythm: timedelta | None = None

    def __init__(
        self, clock: Clock, http: httpx.AsyncClient, keys: Mapping[str, str], stories: Sequence[Story]
    ) -> None:
        self.clock, self.http, self.keys = clock, http, keys
        self.parties = {
            partner: Party(clock, partner, role, _scripts(role, stories)) for partner, role in facts.MARKET.items()
        }
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
        """Everybody says what is due."""
        did = False
        for party in self.parties.values():
            did |= await party.act(self._send)
        return did

    async def take(self, request: Request) -> Response:
        """The endpoint of each partner."""
        self.working["posts"] += 1
        try:
            party = self.parties[request.path_params["partner"]]
            status, answer = party.take(await request.body())
            return Response(answer, status, media_type=EVENTS)
        finally:
            self.working["posts"] -= 1

    async def _send(self, partner: str, message: bytes) -> None:
        headers = {"Authorization": f"Bearer {self.keys[partner]}", "Content-Type": EVENTS}
        answer = await self.http.post(f"/mdm/v1/in/{partner}", content=message, headers=headers)
        answer.raise_for_status()


ANSWER: Mapping[str, Any] = {"list": "E_0249", "accept": "A02", "refuse": ["A01", "A99"]}
"""The codes in which a grid operator wants its order answered."""


def _scripts(role: str, stories: Sequence[Story]) -> dict[str, Sequence[str]]:
    """What this role does with the documents of each order."""
    found: dict[str, Sequence[str]] = {}
    for story in stories:
        if action := dict(story.market).get(role):
            number = OrderFacts(story.number).order_no
            ours = facts.number_at(story.ordered_by, story.number) if story.ordered_by else number
            found |= {number: (action,), ours: (action,)}
    return found
