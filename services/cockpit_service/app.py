"""The only wiring of cockpit_service."""

from collections.abc import Callable
from uuid import UUID

from kit.clock import Clock
from kit.service import Service, open_store
from services.cockpit_service import api, store, tables
from services.cockpit_service.handlers import handlers
from services.cockpit_service.settings import Settings
from services.cockpit_service.signing_in import Doorkeeper

NAME = "cockpit_service"


def build(settings: Settings, clock: Clock | None = None, new_id: Callable[[], UUID] | None = None) -> Service:
    """Put the service together; nothing is opened or started yet."""
    kept = open_store(NAME, settings, store.REPOSITORIES, clock, new_id)
    return Service(
        NAME,
        settings,
        kept,
        handlers,
        tables.metadata,
        api.router(settings),
        authenticate=Doorkeeper.of(settings, kept),
    )
