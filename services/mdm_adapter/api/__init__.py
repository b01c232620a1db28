"""The adapter over HTTP: the door of partners, and the desk of those who look after messages."""

from fastapi import APIRouter

from services.mdm_adapter.api import (
    agreements,
    handovers,
    hooks,
    imports,
    messages,
    order_answers,
    partners,
    quarantine,
)
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.refreshing import Refreshing


def routes(desk: Desk, refreshing: Refreshing) -> APIRouter:
    """All routes of the service, at this desk."""
    router = APIRouter()
    router.include_router(partners.routes(desk))
    for part in (hooks, imports, messages, order_answers, handovers, quarantine):
        router.include_router(part.routes(desk))
    router.include_router(agreements.routes(desk, refreshing))
    return router
