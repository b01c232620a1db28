"""The adapter over HTTP: the door of partners, and the desk of those who look after messages."""

from fastapi import APIRouter

from services.mdm_adapter.api import hooks, imports, operators, partners
from services.mdm_adapter.desk import Desk


def routes(desk: Desk) -> APIRouter:
    """All routes of the service, at this desk."""
    router = APIRouter()
    router.include_router(partners.routes(desk))
    router.include_router(hooks.routes(desk))
    router.include_router(imports.routes(desk))
    router.include_router(operators.routes(desk))
    return router
