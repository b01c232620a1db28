"""The vendor's inside: what he took, whose phone rang how often, and which calls to the hub are due."""

import heapq
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import md5, sha256
from itertools import count
from typing import Any

import httpx

from kit.clock import Clock
from kit.webhooks import Seven
from simulators.sms_gateway.script import TAKEN, Callback, Script, Try

CODE = re.compile(r"\b[2-9CDFGHJKMNPRTVWX]{3}-[2-9CDFGHJKMNPRTVWX]{3}-[2-9CDFGHJKMNPRTVWX]{3}\b")
RETRY = (timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""Waits before a call that the hub did not take is made again; the last one goes on. A 4xx ends it."""
MOST_CALLS = 50


@dataclass
class Taken:
    """A text that the vendor took. `rings`: how often it reached the phone."""

    client_ref: str
    to: str
    sender: str
    text: str
    provider_id: str
    at: datetime
    rings: int = 1
    status: str = "ACCEPTED"


@dataclass(order=True)
class Call:
    """A call to the hub that is due. In the order of times, then of numbers, then of making."""

    due_at: datetime
    number: str
    serial: int
    body: bytes = field(compare=False)
    nonce: str = field(compare=False)
    forged: bool = field(compare=False, default=False)
    tries: int = field(compare=False, default=0)


class SmsGateway:
    """One vendor with all phones behind him. Driven by a clock: `next_due` and `act`; `app.asgi` is his door."""

    def __init__(
        self,
        clock: Clock,
        script: Script,
        *,
        callback_url: str,
        api_key: str = "sim-api-key",
        signing_key: str = "sim-signing-key",
        signed_url: str | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self.clock, self.script = clock, script
        self.callback_url, self.signed_url = callback_url, signed_url or callback_url
        self.api_key, self.signing_key = api_key, signing_key
        self.taken: dict[str, Taken] = {}
        """By client reference."""
        self.answers: Counter[int] = Counter()
        """Statuses that the hub gave to calls; 0 where it gave none."""
        self._client = client
        self._serial = count(1)
        self._calls: list[Call] = []
        self._tries: Counter[str] = Counter()
        self._texts: dict[str, list[str]] = {}

    def send(self, to: str, sender: str, text: str, client_ref: str) -> tuple[Try, Taken | None]:
        """Somebody wants a text sent: what he meets, and what was taken."""
        texts = self._texts.setdefault(to, [])
        if client_ref not in texts:
            texts.append(client_ref)
        plan = self.script.plan(to, texts.index(client_ref), asks=CODE.search(text) is not None)
        met = plan.met_by(self._tries[client_ref])
        self._tries[client_ref] += 1
        if met not in TAKEN:
            return met, None
        taken = self._take(to, sender, text, client_ref)
        for callback in plan.callbacks:
            self._plan_call(taken, callback)
        return met, taken

    def rings(self, client_ref: str) -> int:
        """How often a phone rang for this reference."""
        return self.taken[client_ref].rings if client_ref in self.taken else 0

    def say(self, number: str, text: str, after: timedelta = timedelta()) -> None:
        """A customer writes on his own account; `{code}` is that of the last text to his number with a code."""
        code = next((found[0] for ref in reversed(self._texts.get(number, [])) if (found := self._code(ref))), "")
        self._reply(number, "", text.replace("{code}", code), self.clock.now() + after, 1, forged=False)

    def next_due(self) -> datetime | None:
        """When the next call to the hub is due."""
        return self._calls[0].due_at if self._calls else None

    async def act(self, now: datetime) -> int:
        """Make every call that is due; returns how many were made."""
        made = 0
        while self._calls and self._calls[0].due_at <= now:
            call = heapq.heappop(self._calls)
            await self._make(call, now)
            made += 1
        return made

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _code(self, client_ref: str) -> re.Match[str] | None:
        return CODE.search(self.taken[client_ref].text) if client_ref in self.taken else None

    def _take(self, to: str, sender: str, text: str, client_ref: str) -> Taken:
        again = self.taken.get(client_ref)
        if again is not None:
            again.rings += 1
            return again
        provider_id = str(int.from_bytes(sha256(client_ref.encode()).digest()[:6]))
        self.taken[client_ref] = Taken(client_ref, to, sender, text, provider_id, self.clock.now())
        return self.taken[client_ref]

    def _plan_call(self, taken: Taken, callback: Callback) -> None:
        due_at = taken.at + callback.after
        if callback.status is not None:
            taken.status = callback.status
            data = {"msg_id": taken.provider_id, "status": callback.status, "timestamp": f"{due_at:%Y-%m-%d %H:%M:%S}"}
            event = {"webhook_event": "dlr", "data": {**data, "foreign_id": taken.client_ref}}
            self._push(due_at, taken.to, event, callback.copies, forged=callback.forged)
            return
        text, code = callback.text or "", CODE.search(taken.text)
        if "{code}" in text and code is None:
            return
        said = text.replace("{code}", code[0] if code else "")
        sender = callback.sender or taken.to
        self._reply(sender, taken.client_ref, said, due_at, callback.copies, forged=callback.forged)

    def _reply(self, sender: str, about: str, text: str, due_at: datetime, copies: int, *, forged: bool) -> None:
        serial = sum(1 for call in self._calls if call.number == sender)
        message_id = sha256(f"{sender}/{about}/{text}/{due_at.isoformat()}/{serial}".encode()).hexdigest()[:20]
        data = {"id": message_id, "sender": sender, "system": "", "text": text, "time": str(int(due_at.timestamp()))}
        self._push(due_at, sender, {"webhook_event": "sms_mo", "data": data}, copies, forged=forged)

    def _push(self, due_at: datetime, number: str, event: Mapping[str, Any], copies: int, *, forged: bool) -> None:
        body = json.dumps(event, ensure_ascii=False).encode()
        for copy in range(copies):
            nonce = sha256(b"%d/%b" % (copy, body)).hexdigest()[:32]
            heapq.heappush(self._calls, Call(due_at, number, next(self._serial), body, nonce, forged))

    async def _make(self, call: Call, now: datetime) -> None:
        time = str(int(now.timestamp()))
        key = "another-key" if call.forged else self.signing_key
        digest = md5(call.body, usedforsecurity=False).hexdigest()
        signature = Seven.sign(key, time, call.nonce, "POST", self.signed_url, digest)
        headers = {"X-Signature": signature, "X-Timestamp": time, "X-Nonce": call.nonce}
        headers["Content-Type"] = "application/json"
        try:
            answer = await self._http().post(self.callback_url, content=call.body, headers=headers)
            status = answer.status_code
        except httpx.TransportError:
            status = 0
        self.answers[status] += 1
        if status == 0 or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            self._again(call, now)

    def _again(self, call: Call, now: datetime) -> None:
        if call.tries < MOST_CALLS:
            call.due_at = now + RETRY[min(call.tries, len(RETRY) - 1)]
            call.tries += 1
            heapq.heappush(self._calls, call)

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=10, trust_env=False)
        return self._client
