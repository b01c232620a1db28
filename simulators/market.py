"""Market roles and a second ordering system: CloudEvents in JSON, read and written with a few lines of their own."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from kit.clock import Clock
from simulators.facts import OrderFacts
from simulators.garbage import spoilt
from simulators.partner import ACTIONS, Action, Entry, Log, Scripts, Send, Unspeakable, next_action

EVENTS = "application/cloudevents+json"
PREFIX, BO4E = "rollout.document.", "v202607.1.0"
REPORTS = ("work_status", "device_exchange_completed", "work_not_completed")
ANSWERS = ("received", "accepted", "rejected")
RECEIPT, CONTENT = "processability", "business"
LEVELS = {"no": CONTENT, "unreadable": RECEIPT, "syntax": "syntax"}
"""At which level a word refuses."""


class Party:
    """One partner that speaks JSON. Scripts: by order number or glob, see `simulators/partner.py`."""

    media_type, suffix = EVENTS, "json"

    def __init__(
        self, clock: Clock, partner: str, role: str, scripts: Mapping[str, Sequence[str | Action]] | None = None
    ) -> None:
        self.clock, self.partner, self.role = clock, partner, role
        self.scripts: Scripts = {number: list(actions) for number, actions in (scripts or {}).items()}
        self.peers: dict[str, Party] = {}
        """Who may answer in place of this one."""
        self.logs: dict[str, Log] = {}
        self.journal: list[Entry] = []
        self.effects = Counter[tuple[str, ...]]()
        """How often each document was taken over, by order, name and what it says."""
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
            self.journal += [Entry(self.clock.now(), "trouble", each, str(message.get("id")), order) for each in wrong]
            return 422, b""
        if message["id"] in self._taken:
            log.copies += 1
            self._note("in", "copy", message["id"], order)
            return self._taken[message["id"]]
        if name in ANSWERS:
            log.answers.append((name, _code(message)))
            self._note("in", name, message["id"], order, _code(message))
            self._taken[message["id"]] = (204, b"")
            return 204, b""
        action = next_action(self.scripts, order, (name,))
        self._note("in", name, message["id"], order, action.verb)
        if action.verb == "http":
            return int(action.code), b""
        log.documents.append(name)
        self._taken[message["id"]] = self._judge(action, message, name, order)
        return self._taken[message["id"]]

    def _judge(self, action: Action, message: Mapping[str, Any], name: str, order: str) -> tuple[int, bytes]:
        """The first thing to say is the answer to the request; all else leaves as a message of its own."""
        now, later = ACTIONS[action.verb]
        if not (now + later) or (now + later)[-1] not in LEVELS:
            self.effects[order, name, json.dumps(message["data"], sort_keys=True)] += 1
        party = self._speaker(action)
        said = [party.say(word, action, message, name, order) for word in now]
        for word in later:
            self.send_later(action.after, party.say(word, action, message, name, order))
        if party is not self:
            party.send_later(timedelta(), said[0])
            return 202, b""
        for each in (*said[1:], *said[:1] * action.copies):
            self.send_later(timedelta(), each)
        return (200, said[0]) if said else (202, b"")

    def _speaker(self, action: Action) -> "Party":
        """This one, unless the script has another one speak."""
        if action.verb != "other_partner_answers":
            return self
        return self.peers[action.code] if action.code else next(iter(self.peers.values()))

    def say(self, word: str, action: Action, message: Mapping[str, Any], name: str, order: str) -> bytes:
        """A word of the script about a document, in JSON."""
        heard = dict(message)
        if action.verb == "wrong_reference":
            heard["id"] = str(uuid5(NAMESPACE_URL, f"not {message['id']}"))
        said = self._say(word, action, heard, name, order)
        if action.verb == "no_correlation":
            said = json.dumps({key: each for key, each in json.loads(said).items() if key != "correlationid"}).encode()
        return spoilt(action.code, said) if action.verb == "garbage" else said

    def _say(self, word: str, action: Action, message: Mapping[str, Any], name: str, order: str) -> bytes:
        match word:
            case "yes" | "same":
                return self._yes(message, name, order)
            case "no" | "unreadable" | "syntax":
                return self._no(message, order, action, LEVELS[word])
            case "corrected":
                of, _, value = action.detail.partition("=")
                changes = [{"field": of, "new": json.loads(value)}]
                return self._answer("corrected", message, order, {"changes": changes})
            case "other body":
                first = json.loads(self._yes(message, name, order))
                return json.dumps(json.loads(self._no(message, order, action, CONTENT)) | {"id": first["id"]}).encode()
            case "received":
                return self._answer("received", message, order, {"level": "transport"})
            case "part":
                raise Unspeakable("an event is about one order")
        return self._answer("accepted", message, order, {"level": CONTENT})

    def _yes(self, message: Mapping[str, Any], name: str, order: str) -> bytes:
        """Roles of the market give a receipt; who ordered agrees, and to an announcement the metering operator."""
        agrees = self.role not in {"nb", "lf", "wmsb"} or (self.role == "wmsb" and name == "work_status")
        said: dict[str, Any] = {"level": CONTENT if agrees else RECEIPT}
        if self.role == "wmsb" and agrees:
            said["reasons"] = [{"code": "A03", "list": "E_0233"}]
        return self._answer("accepted", message, order, said)

    def _no(self, message: Mapping[str, Any], order: str, action: Action, level: str) -> bytes:
        reason = {"code": action.code or "Z99", "text": action.text or "as scripted"}
        reason |= {"list": action.list} if action.list else {}
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

    def _note(self, way: str, what: str, number: str, order: str, said: str = "") -> None:
        self.journal.append(Entry(self.clock.now(), way, what, number, order, said))


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


ANSWER: Mapping[str, Any] = {"list": "E_0249", "accept": "A02", "refuse": ["A01", "A99"]}
"""The codes in which a grid operator wants its order answered."""
