"""The HTTP side: lists and figures as JSON, and the same as pages."""

from fastapi import APIRouter

from services.cockpit_service.api import pages, reading, sign_in
from services.cockpit_service.settings import Settings


def router(settings: Settings) -> APIRouter:
    """All routes."""
    made = APIRouter()
    made.include_router(reading.router(settings))
    made.include_router(pages.router(settings))
    made.include_router(sign_in.router)
    made.mount("/static", pages.STATIC)
    return made
