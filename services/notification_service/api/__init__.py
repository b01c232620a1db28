"""The HTTP side: notices, replies and letters for dispatchers, comments for everybody at a case, callbacks."""

from fastapi import APIRouter

from kit.blobs import Blobs
from kit.webhooks import Proof
from services.notification_service.api import alerts, callbacks, cases, letters, notices
from services.notification_service.domain.desk import Desk


def router(desk: Desk, callback_url: str, vendor: Proof, print_shop: Proof, archive: Blobs) -> APIRouter:
    """All routes of the service."""
    made = APIRouter()
    for each in (
        notices.routes(desk),
        cases.routes(desk),
        alerts.routes(),
        letters.routes(desk, print_shop, archive),
        callbacks.routes(callback_url, vendor),
    ):
        made.include_router(each)
    return made
