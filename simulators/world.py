"""Who acts around the hub: persons who speak HTTP with their own token, and what they get back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import uuid4

import httpx

from kit.auth import Scope, Signer
from kit.clock import Clock

RENEW = timedelta(seconds=60)
LIMIT = httpx.Timeout(30.0)


class Actor(Protocol):
    """Somebody outside the hub, driven by whoever holds the clock."""

    name: str
    rhythm: timedelta | None
    """How long this actor rests after a look that found nothing; None: looks only when something is due."""

    async def act(self) -> bool:
        """Look, and do what is to be done now; True when something was done."""

    def next_due(self) -> datetime | None:
        """When this actor has something to do by itself."""


class Answer(NamedTuple):
    """What the hub answered; a refusal is an answer like any other."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        return self.status < 400

    @property
    def code(self) -> str:
        """The problem's code of a refusal."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


class Person:
    """One principal: signs its own tokens for the clock that it shares with the hub."""

    def __init__(
        self,
        name: str,
        role: str,
        http: httpx.AsyncClient,
        signer: Signer,
        clock: Clock,
        scope: Scope | None = None,
    ) -> None:
        self.name, self.role, self.http, self.signer, self.clock, self.scope = name, role, http, signer, clock, scope
        self._token = ""
        self._signed_at: datetime | None = None

    @property
    def principal(self) -> str:
        return f"person:local:{self.name}"

    async def get(self, path: str, **params: Any) -> Any:
        """Read; a refusal to read is a broken play."""
        given = {name: value for name, value in params.items() if value is not None}
        answer = await self.http.get(path, params=given, headers=self._headers())
        answer.raise_for_status()
        return answer.json()

    async def post(self, path: str, body: Mapping[str, Any], key: str | None = None) -> Answer:
        """Ask for something, once; with a key of one's own the same again is no second wish."""
        headers = self._headers() | {"Idempotency-Key": key or str(uuid4())}
        answer = await self.http.post(path, json=body, headers=headers)
        return Answer(answer.status_code, _json(answer))

    async def put(
        self,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        answer = await self.http.put(path, json=json, content=content, headers=self._headers() | dict(headers or {}))
        return Answer(answer.status_code, _json(answer))

    async def send(self, path: str, content: bytes, media_type: str) -> Answer:
        """Hand in a file."""
        headers = self._headers() | {"Content-Type": media_type, "Idempotency-Key": str(uuid4())}
        answer = await self.http.post(path, content=content, headers=headers)
        return Answer(answer.status_code, _json(answer))

    def _headers(self) -> dict[str, str]:
        now = self.clock.now()
        if not self._token or self._signed_at is None or not timedelta() <= now - self._signed_at < RENEW:
            self._token = self.signer.person(self.principal, [self.role], self.scope, now)
            self._signed_at = now
        return {"Authorization": f"Bearer {self._token}"}


def _json(answer: httpx.Response) -> Any:
    if not answer.content or "json" not in answer.headers.get("content-type", ""):
        return {}
    return answer.json()
