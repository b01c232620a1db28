"""Documents are posted to a partner in the internet, signed by the Standard Webhooks."""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, overload
from uuid import UUID

import httpx

from kit import faults, outward
from kit.auth import Scope
from kit.effects import Done, Failed, Outcome, Transient
from kit.store import Store
from kit.webhooks import sign
from services.mdm_adapter import store as queries
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects.writing import MEDIA_TYPES
from services.mdm_adapter.errors import SecretMissing
from services.mdm_adapter.partners.profile import Profile, WebhookOut
from services.mdm_adapter.transports.rest import REASON

GONE, DISABLED, SSRF, NO_SECRET = "gone", "disabled", "ssrf", "no_secret"
"""Causes of a delivery that is not tried again."""
STATUS_GONE = 410
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
    timedelta(hours=24),
)
SPREAD = 0.2
"""Each wait is up to so much shorter or longer, so that not everybody comes back at once."""


class Spread(Sequence[timedelta]):
    """Waits, each time a little different."""

    def __init__(self, waits: Sequence[timedelta]) -> None:
        self._waits = waits

    def __len__(self) -> int:
        return len(self._waits)

    @overload
    def __getitem__(self, at: int) -> timedelta: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[timedelta]: ...
    def __getitem__(self, at: int | slice) -> timedelta | Sequence[timedelta]:
        if isinstance(at, slice):
            return Spread(self._waits[at])
        return self._waits[at] * random.uniform(1 - SPREAD, 1 + SPREAD)


class WebhookPort:
    """Posts messages. The id of a message is that of its call, however often it is repeated."""

    repeatable = True
    retry: Sequence[timedelta] = Spread(WAITS)

    def __init__(self, store: Store, desk: Desk, transport: httpx.AsyncBaseTransport) -> None:
        self.store, self.desk, self.transport = store, desk, transport
        self.client: httpx.AsyncClient | None = None

    async def send(self, _reference: str, payload: Mapping[str, Any]) -> Outcome:
        """One try; an answer that was lost is repeated under the same id."""
        partner, message_id = payload["partner"], UUID(payload["message_id"])
        profile = self.desk.partners.find(partner)
        agreed = profile.out if profile else None
        scope = Scope.everything(REASON)
        now = self.store.clock.now()
        found = await self.store.read(lambda db: queries.to_send(db, scope, message_id, now))
        faults.point("in.committed")
        if found is None or profile is None or not isinstance(agreed, WebhookOut):
            return Failed("no_recipient")
        if found.stale:
            return Failed(found.stale)
        if found.answers_to and self.desk.waiting.gives(found.answers_to, found.dialect, found.content):
            return Done(str(message_id))
        if await self.store.read(lambda db: queries.is_disabled(db, scope, partner, agreed.url)):
            return Failed(DISABLED)
        headers = self._signed(str(message_id), profile, found.content)
        if headers is None:
            return Failed(NO_SECRET)
        return await self._post(agreed.url, found.content, {**headers, "Content-Type": MEDIA_TYPES[found.dialect]})

    def _signed(self, reference: str, profile: Profile, content: bytes) -> Mapping[str, str] | None:
        """Signed by every secret that is in force: the other side knows at least one."""
        try:
            secrets = self.desk.secrets.read_all(profile.secrets.webhook_out)
        except SecretMissing:
            return None
        if not secrets:
            return None
        now = int(self.store.clock.now().timestamp())
        signatures = " ".join(sign(secret, reference, now, content) for secret in secrets)
        return {"webhook-id": reference, "webhook-timestamp": str(now), "webhook-signature": signatures}

    async def _post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Outcome:
        if self.client is None:  # made where the event loop runs
            self.client = outward.client(self.transport)
        try:
            heard = await outward.post(self.client, url, content, headers)
        except outward.NotOutward:
            return Failed(SSRF)
        except (httpx.HTTPError, TimeoutError):
            return Transient("unreachable")
        if 200 <= heard.status < 300:
            return Done(headers["webhook-id"])
        if heard.status == STATUS_GONE:
            return Failed(GONE)
        return Transient(f"http_{heard.status}")

    async def ask(self, _reference: str) -> Outcome | None:
        """Nobody can be asked; a repetition under the same id is harmless."""
        return None

    async def close(self) -> None:
        """Let go of connections."""
        if self.client is not None:
            await self.client.aclose()
            self.client = None
