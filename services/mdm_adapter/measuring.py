"""What stands at the door to the partners right now: rows by state, clocks, and what waits in quarantine."""

import time
from datetime import datetime

from kit.auth import Scope
from kit.store import Store
from services.mdm_adapter import metrics
from services.mdm_adapter import store_beside as queries

EVERY_SECONDS = 15.0
REASON = "what is measured is that of all partners"


class Gauges:
    """Looks at the tables, every quarter of a minute."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._next = 0.0

    async def __call__(self) -> bool:
        """Look, if it is time; never says that there is more to do at once."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_SECONDS
            standing = await self.store.read(lambda db: queries.standing(db, Scope.everything(REASON)))
            tell(standing, self.store.clock.now())
        return False


def tell(standing: queries.Standing, now: datetime) -> None:
    """Set the gauges; what is gone is zero, or not there any more."""
    metrics.ROWS.clear()
    for row in standing.rows:
        metrics.ROWS.labels(row.state, row.fact).set(row.number)
    metrics.QUARANTINE_OPEN.clear()
    for entry in standing.quarantine:
        metrics.QUARANTINE_OPEN.labels(entry.cause).set(entry.number)
    oldest = min((entry.first_seen for entry in standing.quarantine), default=None)
    metrics.QUARANTINE_OLDEST.set((now - oldest).total_seconds() if oldest else 0)
    metrics.DEADLINE_SECONDS.clear()
    for timer in standing.deadlines:
        metrics.DEADLINE_SECONDS.labels(timer.kind).set((timer.due_at - now).total_seconds())
