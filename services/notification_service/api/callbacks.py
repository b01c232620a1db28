"""The vendor's callbacks."""

from fastapi import APIRouter, Depends, Request, Response

from kit.auth import open_route, webhook
from kit.store import Unit
from kit.webhooks import Call, Proof
from kit.webhooks import Refused as NotProved
from services.notification_service import metrics, replying
from services.notification_service.api.shapes import TheStore
from services.notification_service.channels.seven import VENDOR
from services.notification_service.domain.inbound import Inbound

CALLBACK_BYTES = 64 * 1024
PROVED = Depends(open_route("the vendor has no token; every callback carries a signature over its bytes"))


def routes(url: str, proof: Proof) -> APIRouter:
    """Replies and receipts of texts."""
    routes = APIRouter()

    @routes.post("/v1/sms/seven/in", dependencies=[PROVED], max_body_size=CALLBACK_BYTES)
    async def keep_callback(request: Request, store: TheStore) -> Response:
        """A reply or a receipt: proved over its raw bytes, kept, acknowledged, and read afterwards."""
        body = await request.body()
        try:
            nonce = proof.check(Call(body, request.headers, request.method, url), store.clock.now())
        except NotProved as refusal:
            metrics.CALLBACKS_REFUSED.labels(VENDOR, refusal.reason).inc()
            raise
        key = f"{VENDOR}:{nonce}"
        peer = request.client.host if request.client else ""

        def keep(unit: Unit) -> None:
            if unit.find(Inbound, key) is None:
                kept = Inbound(inbound_id=key, vendor=VENDOR, received_at=unit.now, peer=peer, body=body)
                unit.add(kept)
                unit.later(replying.TIMER, key, unit.now)

        await store.run(webhook(VENDOR), keep, needs=[(Inbound, key)])
        return Response(status_code=200)

    return routes
