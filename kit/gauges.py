"""What the kernel's tables say of themselves, read by one query each some seconds, never per scrape."""

import sqlalchemy as sa

from kit import metrics, tables
from kit.store import Store


async def read(service: str, store: Store) -> None:
    """Set the gauges of outbox, parked keys, audit, timers, effects and jobs."""
    now = store.clock.now()

    def query(db: sa.Connection) -> None:
        outbox = db.execute(sa.select(sa.func.count(), sa.func.min(tables.outbox.c.recorded_at))).one()
        metrics.OUTBOX_ROWS.labels(service).set(outbox[0])
        metrics.OUTBOX_OLDEST.labels(service).set((now - outbox[1]).total_seconds() if outbox[1] else 0)
        blocked = sa.select(sa.func.count()).where(tables.outbox.c.blocked_reason.is_not(None))
        metrics.OUTBOX_BLOCKED.labels(service).set(db.scalar(blocked) or 0)
        keys = tables.parked_keys
        for topic, count in db.execute(sa.select(keys.c.topic, sa.func.count()).group_by(keys.c.topic)):
            metrics.PARKED_KEYS.labels(service, topic).set(count)
        oldest = db.scalar(sa.select(sa.func.min(keys.c.since)))
        metrics.PARKED_OLDEST.labels(service).set((now - oldest).total_seconds() if oldest else 0)
        metrics.AUDIT_HEAD.labels(service).set(db.scalar(sa.select(sa.func.sum(tables.audit_heads.c.seq))) or 0)
        timers = tables.timers
        due = sa.select(timers.c.kind, sa.func.count()).where(timers.c.due_at <= now).group_by(timers.c.kind)
        for kind, count in db.execute(due):
            metrics.TIMERS_DUE.labels(service, kind).set(count)
        effects = tables.effects
        for kind, state, count in db.execute(
            sa.select(effects.c.kind, effects.c.state, sa.func.count()).group_by(effects.c.kind, effects.c.state)
        ):
            metrics.EFFECTS.labels(service, kind, state).set(count)
        jobs = tables.jobs
        found = sa.select(jobs.c.kind, jobs.c.state, sa.func.count()).group_by(jobs.c.kind, jobs.c.state)
        counted = {(kind, state): count for kind, state, count in db.execute(found)}
        for kind in {kind for kind, _ in counted}:
            for state in metrics.JOB_STATES:
                metrics.JOBS.labels(service, kind, state).set(counted.get((kind, state), 0))

    await store.read(query)
