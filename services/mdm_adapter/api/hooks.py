"""Signed calls of partners: proved over their raw bytes, stored, and only then read."""

from datetime import datetime

from fastapi import APIRouter, Depends, Request

from kit import faults
from kit.auth import Principal, needs, open_route, webhook
from kit.store import Unit
from kit.webhooks import Call, Standard
from kit.webhooks import Refused as NotProved
from services.mdm_adapter.api.partners import MESSAGE_BYTES, ReceiptView, TheStore, receipt_view
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.domain.messages import Endpoint
from services.mdm_adapter.errors import NoSuchThing, TooLarge
from services.mdm_adapter.metrics import HOOKS_REFUSED
from services.mdm_adapter.partners.profile import Profile, WebhookIn
from services.mdm_adapter.receiving import Arriving, needs_receiving, receive

PROVED = Depends(open_route("the partner's signature over the raw bytes is the proof"))
Manager = Depends(needs("webhook:manage"))


def routes(desk: Desk) -> APIRouter:
    """The door of partners that sign, and the switch of addresses that were given up."""
    router = APIRouter(tags=["partners"])

    @router.post("/v1/hooks/{partner}", status_code=202, max_body_size=MESSAGE_BYTES, dependencies=[PROVED])
    async def take_call(partner: str, request: Request, store: TheStore) -> ReceiptView:
        """Take a message in a signed call (Standard Webhooks); the same id again gets the same answer."""
        body = await request.body()
        profile = desk.partners.find(partner)
        try:
            name = _proved(desk, profile, Call(body, request.headers), store.clock.now())
        except NotProved as refusal:
            HOOKS_REFUSED.labels(partner if profile else "unknown", refusal.reason).inc()
            raise
        if profile is None or len(body) > profile.limits.message_bytes:
            raise TooLarge(profile.limits.message_bytes if profile else MESSAGE_BYTES)
        desk.rate.spend(partner, profile.limits.per_minute, store.clock.now())
        arriving = Arriving(partner, body, "webhook", name, once=f"hook/{name}")

        def command(unit: Unit) -> ReceiptView:
            return receipt_view(request, partner, receive(unit, arriving))

        answer = await store.run(webhook(partner), command, needs=needs_receiving(arriving))
        faults.point("in.archived")
        return answer

    @router.post("/v1/partners/{partner}/endpoint/enable", status_code=204)
    async def enable(partner: str, store: TheStore, manager: Principal = Manager) -> None:
        """Call an address again that had said it is gone."""

        def command(unit: Unit) -> None:
            endpoint = unit.find(Endpoint, partner)
            if endpoint is None:
                raise NoSuchThing("no address of this partner was given up")
            unit.remove(endpoint)
            unit.audit("webhook:manage", f"partner/{partner}")

        await store.run(manager, command, needs=[(Endpoint, partner)])

    return router


def _proved(desk: Desk, profile: Profile | None, call: Call, now: datetime) -> str:
    """The id of the call. A partner without this way in answers like a wrong signature. Raises Refused."""
    if profile is None or not any(isinstance(each, WebhookIn) for each in profile.transports.in_):
        raise NotProved("signature")
    name = Standard(desk.secrets.read_all(profile.secrets.webhook_in)).check(call, now)
    if name is None:
        raise NotProved("missing")
    return name
