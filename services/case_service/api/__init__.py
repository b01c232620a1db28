"""What people and programs can ask of case_service over HTTP."""

from fastapi import APIRouter

from services.case_service.api import (
    acting,
    activities,
    auditing,
    bulk,
    configuring,
    conflicts,
    editing,
    exports,
    fields,
    filling,
    intake,
    moving,
    person_exports,
    privacy,
    quotes,
    reading,
    targets,
)
from services.case_service.domain.act import Policy


def routes(policy: Policy) -> APIRouter:
    """All routes of the service."""
    router = APIRouter()
    for plain in (reading, exports, targets, auditing, bulk):
        router.include_router(plain.router)
    work = (moving, acting, editing, conflicts, activities, filling, fields)
    for each in (*work, configuring, intake, quotes, privacy, person_exports):
        router.include_router(each.routes(policy))
    return router
