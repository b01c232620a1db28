"""Work that waits for its time: claimed and done in one transaction, in the order of due times."""

from datetime import datetime
from functools import partial

import sqlalchemy as sa

from kit import faults, metrics, parking, rows, tables
from kit.failures import is_transient, reason_of, words_of
from kit.handlers import Handlers, Timer
from kit.store import Step, Store, Stumbled

CLAIM = 500
_t = tables.timers
DUE = (
    sa.select(_t.c.kind, _t.c.key)
    .where(_t.c.due_at <= sa.bindparam("now"))
    .order_by(_t.c.due_at, _t.c.kind, _t.c.key)
    .limit(CLAIM)
    .with_for_update(skip_locked=True)
    .cte("due")
)
TAKE = sa.delete(_t).where(sa.tuple_(_t.c.kind, _t.c.key).in_(sa.select(DUE.c.kind, DUE.c.key))).returning(*_t.c)
NEXT = sa.select(sa.func.min(_t.c.due_at))


class Timers:
    """The timers of one service."""

    def __init__(self, reader: str, store: Store, handlers: Handlers) -> None:
        self.reader, self.store, self.handlers = reader, store, handlers

    async def fire(self) -> int:
        """Do what is due; returns how many timers fired. One that fails is parked, the others go on."""
        try:
            fired = await self.store.transact(self._claim)
        except Exception as error:  # noqa: BLE001 - whatever it was, it must not stop the other timers
            if is_transient(beneath := _beneath(error)):
                raise beneath from None
            await self._fire_singly()
            return 1
        if fired:
            faults.point("timer.committed")
            self.store.after_commit()
        for timer in fired:
            metrics.TIMERS_FIRED.labels(self.store.service, timer.kind).inc()
        return len(fired)

    async def next_due(self) -> datetime | None:
        return await self.store.read(lambda db: db.scalar(NEXT))

    def _claim(self, db: sa.Connection) -> list[Timer]:
        taken = [
            Timer(row.kind, row.key, row.due_at, row.payload, row.correlation_id)
            for row in db.execute(TAKE, {"now": self.store.clock.now()})
        ]
        taken.sort(key=lambda timer: (timer.due_at, timer.kind, timer.key))
        faults.point("timer.claimed")
        if taken:
            self.store.work(db, [self.handlers.timer(timer) for timer in taken])
        return taken

    async def _fire_singly(self) -> None:
        """One of the claimed timers stumbled: each in a transaction of its own, the failing ones parked."""
        due = sa.select(_t).where(_t.c.due_at <= self.store.clock.now()).order_by(_t.c.due_at).limit(CLAIM)
        for row in await self.store.read(lambda db: db.execute(due).all()):
            timer = Timer(row.kind, row.key, row.due_at, row.payload, row.correlation_id)
            error = await self._try(timer, self.handlers.timer(timer))
            if error is not None and not await self._deal_with(timer, error):
                await self.store.transact(partial(self._park, timer, error))
            self.store.after_commit()

    async def _deal_with(self, timer: Timer, error: Exception) -> bool:
        """Whether somebody registered for this failure, and could do something about it."""
        step = self.handlers.timer_failed(timer, words_of(error))
        return step is not None and await self._try(timer, step) is None

    async def _try(self, timer: Timer, step: Step[None]) -> Exception | None:
        """Do this about a timer, alone; what kept it from being done or written, if something did."""
        try:
            await self.store.transact(lambda db: self._take(db, timer) and self.store.work(db, [step]))
        except Exception as error:  # noqa: BLE001 - told to the caller, who parks it
            if is_transient(beneath := _beneath(error)):
                raise beneath from None
            return beneath
        return None

    def _park(self, timer: Timer, failed: Exception, db: sa.Connection) -> None:
        if self._take(db, timer):
            parking.park_timer(db, self.reader, timer, self.store.new_id(), self.store.clock.now(), _why(failed))

    @staticmethod
    def _take(db: sa.Connection, timer: Timer) -> bool:
        """Whether it was still there: somebody else may have done it meanwhile."""
        return rows.delete(db, tables.timers, ("kind", "key"), [(timer.kind, timer.key)]) > 0


def _beneath(error: Exception) -> Exception:
    return error.error if isinstance(error, Stumbled) else error


def _why(error: Exception) -> tuple[str, str]:
    return reason_of(error), words_of(error)
