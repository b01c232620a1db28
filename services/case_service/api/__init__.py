"""What people and programs can ask of case_service over HTTP."""

from fastapi import APIRouter

from services.case_service.api import acting, auditing, bulk, conflicts, editing, moving, reading, targets
from services.case_service.domain.act import Policy


def routes(policy: Policy) -> APIRouter:
    """All routes of the service."""
    router = APIRouter()
    router.include_router(reading.router)
    router.include_router(moving.routes(policy))
    router.include_router(acting.routes(policy))
    router.include_router(editing.routes(policy))
    router.include_router(conflicts.router)
    router.include_router(targets.router)
    router.include_router(auditing.router)
    router.include_router(bulk.router)
    return router
