"""What people and programs can ask of qa_service over HTTP."""

from fastapi import APIRouter

from services.qa_service.api import evidence, forms, reviews
from services.qa_service.uploading import Uploads


def routes(uploads: Uploads) -> APIRouter:
    """All routes of the service."""
    router = APIRouter()
    router.include_router(forms.routes(uploads.policy))
    router.include_router(evidence.routes(uploads))
    router.include_router(reviews.routes(uploads))
    return router
