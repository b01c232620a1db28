"""The way of an SMS out of the house: asked for at the last moment, sent once, asked for where its fate is unknown."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from kit.effects import Done, Failed, Outcome, Transient, Unknown
from services.notification_service.channels import seven

RETRY = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
"""Waits after passing failures; the fourth failure is for good."""

WITHHELD = "withheld"
"""Cause of a sending that a gate stopped at the last moment: nothing left the house."""

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 20.0
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS, ready to go."""

    to: str
    sender: str
    text: str


Release = Callable[[UUID, UUID, str], Awaitable[Message | None]]
"""Case, notice and reference to the text, in a transaction that asks every gate once more; None: it is withheld."""


class SmsPort:
    """Profile `seven` over HTTP. What is sent is not in the effect: a withdrawn text is never at hand."""

    repeatable = False
    """The vendor promises nothing about a reference that he has seen: he is asked first."""
    retry: Sequence[timedelta] = RETRY

    def __init__(
        self, base_url: str | None, api_key: str, release: Release, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.base_url, self.api_key, self.release, self.transport = base_url, api_key, release, transport
        self._client: httpx.AsyncClient | None = None

    async def send(self, reference: str, payload: Mapping[str, Any]) -> Outcome:
        """Let one SMS go, unless a gate has closed since it was planned."""
        if self.base_url is None:
            return Transient("connection")
        message = await self.release(UUID(payload["case_id"]), UUID(payload["notice_id"]), reference)
        if message is None:
            return Failed(WITHHELD)
        body = seven.request(message.to, message.sender, message.text, reference)
        try:
            answer = await self._http().post(seven.SEND_PATH, json=body)
        except (httpx.ConnectTimeout, httpx.PoolTimeout):
            return Transient("timeout_before_send")
        except httpx.ConnectError:
            return Transient("connection")
        except httpx.TransportError as error:  # the request may have gone out
            return Unknown(type(error).__name__)
        return await self._outcome(reference, answer)

    async def ask(self, reference: str) -> Outcome | None:
        """Whether the vendor knows our reference: taken, surely not there, or nobody can tell."""
        if self.base_url is None:
            return None
        try:
            answer = await self._http().get(seven.STATUS_PATH, params={"foreign_id": reference})
        except httpx.TransportError:
            return None
        if answer.status_code == httpx.codes.NOT_FOUND:
            return Transient("connection")
        found = _document(answer) if answer.is_success else None
        return Done(str(found["id"]), {"asked": True}) if isinstance(found, dict) and "id" in found else None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def _outcome(self, reference: str, answer: httpx.Response) -> Outcome:
        if answer.status_code == TOO_MANY:
            return Transient("rate_limited")
        if answer.is_server_error:
            return await self._after_5xx(reference)
        if answer.is_client_error:
            return Failed("blocked_by_vendor")
        read = seven.answer(_document(answer))
        if read is None:
            return Unknown("unreadable_answer")
        return Done(read.provider_id) if read.provider_id else Failed(read.cause or "blocked_by_vendor")

    async def _after_5xx(self, reference: str) -> Outcome:
        """A vendor may fail after he took it; only his own word that it is not there makes another try safe."""
        asked = await self.ask(reference)
        if asked is None:
            return Unknown("vendor_5xx")
        return Transient("vendor_5xx") if isinstance(asked, Transient) else asked

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=self.base_url or "",
                headers={"X-Api-Key": self.api_key},
                timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
                transport=self.transport,
                trust_env=False,
                follow_redirects=False,
            )
        return self._client


def _document(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
