"""The only wiring of case_service."""

import time
from collections.abc import Callable
from uuid import UUID

from kit.auth import Scope
from kit.clock import Clock
from kit.service import Service, open_store
from kit.store import Store
from services.case_service import metrics, store, tables
from services.case_service.api import routes
from services.case_service.api.refusals import subject_of
from services.case_service.bulk import jobs
from services.case_service.bulk_store import BULK_MOVES
from services.case_service.domain.bulk import BulkMove
from services.case_service.handlers import hearing
from services.case_service.settings import Settings

NAME = "case_service"
TELLS = ("rollout.cases", "rollout.visits", "rollout.contacts")
GAUGE_SECONDS = 15.0


def build(settings: Settings, clock: Clock | None = None, new_id: Callable[[], UUID] | None = None) -> Service:
    """Put the service together; nothing is opened or started yet."""
    kept = open_store(NAME, settings, {**store.REPOSITORIES, BulkMove: BULK_MOVES}, clock, new_id)
    policy = settings.policy()
    return Service(
        NAME,
        settings,
        kept,
        hearing(policy),
        tables.metadata,
        routes(policy),
        tells=TELLS,
        jobs=jobs(policy),
        polls={"gauges": Gauges(kept)},
        subject_of=subject_of,
    )


class Gauges:
    """How many cases, work orders and exceptions stand where, looked at from time to time."""

    def __init__(self, kept: Store) -> None:
        self.store, self.next_look = kept, 0.0

    async def __call__(self) -> bool:
        """Never finds work: it only looks."""
        if time.monotonic() >= self.next_look:
            self.next_look = time.monotonic() + GAUGE_SECONDS
            everything = Scope.everything("counts name nobody")
            found = await self.store.read(lambda db: store.counts(db, everything))
            for gauge, name in GAUGES:
                gauge.clear()
                for labels, count in found[name].items():
                    gauge.labels(*labels).set(count)
        return False


GAUGES = (
    (metrics.CASES, "cases"),
    (metrics.WORK_ORDERS, "work_orders"),
    (metrics.EXCEPTIONS, "exceptions"),
    (metrics.SLA_CASES, "sla"),
)
