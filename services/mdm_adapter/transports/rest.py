"""Documents are posted to the partner's address; what its answer holds is taken as if it had been posted to us."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from kit import faults
from kit.auth import Scope
from kit.effects import Done, Failed, Outcome, Transient
from kit.store import Store
from services.mdm_adapter import store as queries
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.json_ce import messages as json_ce
from services.mdm_adapter.dialects.writing import MEDIA_TYPES
from services.mdm_adapter.domain.policy import SEND_AGAIN
from services.mdm_adapter.errors import SecretMissing
from services.mdm_adapter.outcomes import LOST, LOST_UNDER_ITS_ID
from services.mdm_adapter.receiving import Arriving

Receive = Callable[[Arriving], Awaitable[Any]]
REASON = "the worker sends whatever the service decided to send"
ANSWER_BYTES = 1_000_000
READ_ALL_THE_SAME = frozenset({409, 422})
"""Statuses under which an answer in the partner's own words may come."""


class RestPort:
    """Posts messages. The reference is the message's id: a partner that honours it takes a repeated one once."""

    repeatable = True
    retry: Sequence[timedelta] = SEND_AGAIN

    def __init__(self, store: Store, desk: Desk, receive: Receive, timeout_seconds: float) -> None:
        self.store, self.desk, self.receive, self.timeout = store, desk, receive, timeout_seconds
        self.client: httpx.AsyncClient | None = None

    async def send(self, _reference: str, payload: Mapping[str, Any]) -> Outcome:
        """One try. An answer that was lost is repeated like one that never was: the reference makes it harmless."""
        profile = self.desk.partners.find(payload["partner"])
        url = self.desk.address(profile) if profile else None
        message_id = UUID(payload["message_id"])
        now = self.store.clock.now()
        found = await self.store.read(lambda db: queries.to_send(db, Scope.everything(REASON), message_id, now))
        faults.point("in.committed")  # the decision to send is durable, whatever happens to us from here on
        if profile is None or url is None or found is None:
            return Failed("no_recipient")
        if found.stale:
            return Failed(found.stale)
        if found.answers_to and self.desk.waiting.gives(found.answers_to, found.dialect, found.content):
            return Done(str(message_id))
        headers = {"Content-Type": MEDIA_TYPES[found.dialect], "Idempotency-Key": str(message_id)}
        if profile.secrets.api_key is not None:
            try:
                headers["Authorization"] = f"Bearer {self.desk.secrets.read(profile.secrets.api_key)}"
            except SecretMissing:
                return Failed("no_secret")
        try:
            answer = await self._client().post(url, content=found.content, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Transient("unreachable")
        except httpx.HTTPError:
            takes_once = profile.retry.profile == "new_id" and found.answers_to is None
            return Failed(LOST_UNDER_ITS_ID) if takes_once else Transient(LOST)
        return await self._judge(answer, payload["partner"], message_id)

    async def ask(self, _reference: str) -> Outcome | None:
        """Nobody can be asked; a repetition under the same reference is harmless."""
        return None

    async def close(self) -> None:
        """Let go of connections."""
        if self.client is not None:
            await self.client.aclose()
            self.client = None

    async def _judge(self, answer: httpx.Response, partner: str, message_id: UUID) -> Outcome:
        status = answer.status_code
        if _speaks(answer) and (status < 300 or status in READ_ALL_THE_SAME) and len(answer.content) <= ANSWER_BYTES:
            await self.receive(Arriving(partner, answer.content, "reply", None, message_id))
            return Done(str(message_id))
        if status < 300:
            return Done(str(message_id))
        if status in {408, 429} or status >= 500:
            return Transient(f"http_{status}")
        return Failed(f"http_{status}")

    def _client(self) -> httpx.AsyncClient:
        if self.client is None:  # made where the event loop runs; redirects are not followed
            self.client = httpx.AsyncClient(timeout=self.timeout)
        return self.client


def _speaks(answer: httpx.Response) -> bool:
    """Whether the body is an answer in the partner's words: XML, or an event or an interchange declared as one."""
    declared = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    looks = answer.content[:ANSWER_BYTES].lstrip(b"\xef\xbb\xbf \r\n\t")[:1]
    is_event = looks == b"{" and declared == json_ce.MEDIA_TYPE
    is_interchange = declared == edifact.MEDIA_TYPE and edifact.is_edifact(answer.content)
    return looks == b"<" or is_event or is_interchange
