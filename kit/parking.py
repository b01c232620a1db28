"""What cannot be handled waits with its key: parked, listed, retried in order, or discarded by people."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from kit import faults, rows, tables
from kit.auth import Principal
from kit.bus import Record
from kit.errors import NotFound
from kit.failures import WAITING_RETRIES, is_transient, reason_of, words_of
from kit.handlers import Handlers, Timer
from kit.inbox import Heard, understand
from kit.outbox import Cause
from kit.store import Step, Store, Stumbled

PARKED_KEYS = (
    *("reader", "topic", "key", "reason", "error"),
    *("first_event_id", "attempts", "retry_at", "since"),
)
PARKED = ("reader", "topic", "key", "partition", "offset", "event_id", "sequence", "headers", "value", "parked_at")
TIMER = "timer:"
"""Parked timers stand under the topic `timer:<kind>`, their payload is the value."""


_keys = tables.parked_keys
AMONG = (
    sa.select(_keys.c.topic, _keys.c.key)
    .where(_keys.c.reader == sa.bindparam("reader"), rows.one_of(_keys.c.key, "keys"))
    .order_by(_keys.c.topic, _keys.c.key)
    .with_for_update(read=True)
)
RETRIES = sa.select(_keys.c.topic, _keys.c.key).where(
    _keys.c.reader == sa.bindparam("reader"), _keys.c.retry_at <= sa.bindparam("now")
)


def parked_among(db: sa.Connection, reader: str, heard: Sequence[Heard]) -> Collection[tuple[str, str]]:
    """Which (topic, key) of these records are parked; the rows are locked against a replay meanwhile."""
    if not heard:
        return ()
    found = rows.fetch(db, AMONG, {"reader": reader, "keys": sorted({each.key for each in heard})})
    return {(topic, key) for topic, key in found}


def park(db: sa.Connection, reader: str, heard: Heard, error: Exception, now: datetime) -> None:
    """Put a record aside, and with it every later one of its key."""
    reason = reason_of(error)
    retry_at = now + WAITING_RETRIES[0] if reason == "waiting" else None
    words = words_of(error)
    head = (reader, heard.record.topic, heard.key, reason, words, heard.id, 1, retry_at, now)
    how = rows.binders(db.dialect, tables.parked_keys, PARKED_KEYS)
    rows.upsert(db, tables.parked_keys, PARKED_KEYS, [rows.bound(head, how)])
    follow(db, reader, [heard], now)


def park_timer(
    db: sa.Connection, reader: str, timer: Timer, event_id: UUID, now: datetime, why: tuple[str, str]
) -> None:
    """Put a timer that failed aside; its payload is kept as the value."""
    topic = f"{TIMER}{timer.kind}"
    head = (reader, topic, timer.key, *why, event_id, 1, None, now)
    how = rows.binders(db.dialect, tables.parked_keys, PARKED_KEYS)
    rows.upsert(db, tables.parked_keys, PARKED_KEYS, [rows.bound(head, how)])
    value = orjson.dumps(dict(timer.payload))
    none: dict[str, str] = {}
    row = (reader, topic, timer.key, 0, 0, event_id, 1, none, value, now)
    rows.insert(db, tables.parked, PARKED, [rows.bound(row, rows.binders(db.dialect, tables.parked, PARKED))])


def follow(db: sa.Connection, reader: str, behind: Sequence[Heard], now: datetime) -> None:
    """Put records behind those of their key that are parked already."""
    if not behind:
        return
    how = rows.binders(db.dialect, tables.parked, PARKED)
    made = [
        (reader, each.record.topic, each.key, each.record.partition, each.record.offset, each.id, each.sequence)
        + (dict(each.headers), each.record.value, now)
        for each in behind
    ]
    rows.insert(db, tables.parked, PARKED, [rows.bound(row, how) for row in made])
    set_outcome(db, reader, [each.id for each in behind], "parked")


def set_outcome(db: sa.Connection, reader: str, events: Sequence[UUID], outcome: str) -> None:
    """What the inbox remembers of events that were not applied at once."""
    how = rows.binders(db.dialect, tables.inbox, ("event_id",))
    made = [(outcome, reader, *rows.bound((event_id,), how)) for event_id in events]
    rows.update(db, tables.inbox, ("outcome",), made, ("reader", "event_id"))


class Parking:
    """The parked keys of one reader, and what people and the clock may do with them."""

    def __init__(self, reader: str, store: Store, handlers: Handlers) -> None:
        self.reader, self.store, self.handlers = reader, store, handlers

    async def keys(self) -> Sequence[sa.Row[Any]]:
        """Every parked key with its count, oldest first."""
        keys, parked = tables.parked_keys, tables.parked
        count = (
            sa.select(sa.func.count())
            .where(parked.c.reader == keys.c.reader, parked.c.topic == keys.c.topic, parked.c.key == keys.c.key)
            .scalar_subquery()
        )
        query = sa.select(keys, count.label("events")).where(keys.c.reader == self.reader).order_by(keys.c.since)
        return await self.store.read(lambda db: db.execute(query).all())

    async def retry_due(self) -> int:
        """Try again what waits for something not heard of yet and is due; returns how many keys were tried."""
        asked = {"reader": self.reader, "now": self.store.clock.now()}
        due = await self.store.read(lambda db: db.execute(RETRIES, asked).all())
        for topic, key in due:
            await self.retry(topic, key)
        return len(due)

    async def retry(self, topic: str, key: str) -> bool:
        """Apply the key's events again, in their order, until one fails; True when the key is free."""
        upto: int | None = None
        failed: Exception | None = None
        while True:
            try:
                free = await self._replay(topic, key, upto, failed)
            except Stumbled as stumbled:
                if is_transient(stumbled.error):
                    raise stumbled.error from None
                upto, failed = stumbled.at, stumbled.error
            else:
                faults.point("park.retried")
                self.store.after_commit()
                return free

    async def discard(self, topic: str, key: str, event_id: UUID, principal: Principal, reason: str) -> None:
        """Drop one parked event for good; the next in line becomes the head. Audited with who and why."""

        def work(db: sa.Connection) -> None:
            head, waiting = self._locked(db, topic, key)
            if not any(row.event_id == event_id for row in waiting):
                raise NotFound(f"event {event_id} is not parked under this key")
            self._take(db, [row for row in waiting if row.event_id == event_id], "discarded")
            left = [row for row in waiting if row.event_id != event_id]
            self._settle(db, head, left, None)
            self.store.work(db, [_audited(topic, key, event_id, reason)], principal)
            self.store.touches(db, self.store.due_changed["timers"])

        await self.store.transact(work)
        self.store.after_commit()

    async def _replay(self, topic: str, key: str, upto: int | None, failed: Exception | None) -> bool:
        def work(db: sa.Connection) -> bool:
            head, waiting = self._locked(db, topic, key)
            faults.point("park.retry_locked")
            first = waiting[:upto]
            steps = []
            for at, row in enumerate(first):
                try:
                    steps.append(self._step(row))
                except Exception as error:
                    raise Stumbled(at, error) from error
            self.store.work(db, steps)
            self._take(db, first, "applied")
            self._settle(db, head, waiting[len(first) :], failed)
            self.store.touches(db, self.store.due_changed["timers"])
            return len(first) == len(waiting)

        return await self.store.transact(work)

    def _step(self, row: sa.Row[Any]) -> Step[None]:
        if row.topic.startswith(TIMER):
            due = Timer(row.topic.removeprefix(TIMER), row.key, row.parked_at, orjson.loads(row.value))
            return self.handlers.timer(due)
        record = Record(row.topic, row.partition, row.offset, row.key.encode(), row.headers, row.value)
        return self.handlers.step(understand(record))

    def _locked(self, db: sa.Connection, topic: str, key: str) -> tuple[sa.Row[Any], Sequence[sa.Row[Any]]]:
        keys, parked = tables.parked_keys, tables.parked
        mine = (keys.c.reader == self.reader, keys.c.topic == topic, keys.c.key == key)
        head = db.execute(sa.select(keys).where(*mine).with_for_update()).first()
        if head is None:
            raise NotFound(f"no parked key {key} on {topic}")
        behind = (parked.c.reader == self.reader, parked.c.topic == topic, parked.c.key == key)
        return head, db.execute(sa.select(parked).where(*behind).order_by(parked.c.id)).all()

    def _take(self, db: sa.Connection, taken: Sequence[sa.Row[Any]], outcome: str) -> None:
        rows.delete(db, tables.parked, ("id",), [(row.id,) for row in taken])
        set_outcome(db, self.reader, [row.event_id for row in taken if not row.topic.startswith(TIMER)], outcome)

    def _settle(
        self, db: sa.Connection, head: sa.Row[Any], left: Sequence[sa.Row[Any]], failed: Exception | None
    ) -> None:
        """Free the key when nothing is left; else say what stops it now, and when it is tried again."""
        keys = tables.parked_keys
        mine = (keys.c.reader == head.reader, keys.c.topic == head.topic, keys.c.key == head.key)
        if not left:
            db.execute(sa.delete(keys).where(*mine))
            return
        first, attempts = left[0].event_id, 1 if left[0].event_id != head.first_event_id else head.attempts + 1
        values: dict[str, Any] = {"first_event_id": first, "attempts": attempts}
        if failed is not None:
            reason = reason_of(failed)
            wait = WAITING_RETRIES[attempts - 1] if reason == "waiting" and attempts <= len(WAITING_RETRIES) else None
            retry_at = self.store.clock.now() + wait if wait else None
            values |= {"reason": reason, "error": words_of(failed), "retry_at": retry_at}
        db.execute(sa.update(keys).where(*mine).values(**values))


def _audited(topic: str, key: str, event_id: UUID, reason: str) -> Step[None]:
    cause = Cause(f"discard:{event_id}", f"discard:{event_id}")
    said = f"parked/{key}"
    return Step(
        lambda _: (),
        lambda unit: unit.audit("parked:discard", said, topic=topic, event=str(event_id), why=reason),
        cause,
    )
