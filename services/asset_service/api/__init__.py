"""What people and programs can ask of asset_service over HTTP."""

from fastapi import APIRouter

from services.asset_service.api import deliveries, reading, settling, warehouse


def routes(import_bytes: int) -> APIRouter:
    """All routes; a file of received devices may have so many bytes."""
    router = APIRouter()
    for part in (reading.router, warehouse.router, settling.router, deliveries.routes(import_bytes)):
        router.include_router(part)
    return router
