"""How qa_service is put together: the only wiring."""

import time
from collections.abc import Callable
from uuid import UUID

from kit.blobs import Folder
from kit.clock import Clock
from kit.service import Service, open_store
from kit.store import Store
from services.qa_service import metrics, store, tables
from services.qa_service.api import routes
from services.qa_service.handlers import hearing
from services.qa_service.seeding import seed_needs, seeding
from services.qa_service.settings import Settings
from services.qa_service.uploading import Uploads

__all__ = ["Settings", "build"]

NAME = "qa_service"
GAUGE_SECONDS = 15.0


def build(settings: Settings, clock: Clock | None = None, new_id: Callable[[], UUID] | None = None) -> Service:
    """Put the service together; nothing is opened or started yet."""
    kept = open_store(NAME, settings, store.REPOSITORIES, clock, new_id)
    uploads = Uploads(Folder(settings.evidence_path), settings.limits(), settings.policy())
    return Service(
        name=NAME,
        settings=settings,
        store=kept,
        handlers=hearing(uploads.policy),
        metadata=tables.metadata,
        router=routes(uploads),
        tells=("rollout.quality",),
        polls={"gauges": Gauges(kept)},
        seed=seeding(settings.timezone),
        seed_needs=seed_needs,
    )


class Gauges:
    """How many reviews stand where, looked at from time to time."""

    def __init__(self, kept: Store) -> None:
        self.store, self.next_look = kept, 0.0

    async def __call__(self) -> bool:
        """Never finds work: it only looks."""
        if time.monotonic() >= self.next_look:
            self.next_look = time.monotonic() + GAUGE_SECONDS
            metrics.REVIEWS.clear()
            for labels, count in (await self.store.read(store.counts)).items():
                metrics.REVIEWS.labels(*labels).set(count)
            oldest = await self.store.read(store.oldest_opening)
            metrics.EVIDENCE_BYTES.set(await self.store.read(store.stored_bytes))
            metrics.OLDEST.set((self.store.clock.now() - oldest).total_seconds() if oldest else 0)
        return False
