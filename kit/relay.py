"""How facts reach the topics: unsent rows by state, in id order, never by cursor (messaging page, section 6)."""

import asyncio
import fcntl
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson
import sqlalchemy as sa
import structlog

from kit import faults, metrics, rows, tables
from kit.bus import Bus, OutboxRow, Sent, Slot
from kit.clock import Clock, is_set
from kit.db import Db, Postgres
from kit.types import is_sqlite

log = structlog.get_logger(__name__)

WAVE = 2000
"""Rows that are told together, at most."""
WAVES = 8
"""How many of them follow each other before somebody else may have become the leader."""
FIRST_REST, LONGEST_REST = 0.2, 5.0
"""Seconds that a slot rests after an error."""
LOG_HEADS = ("topic", "position")

_o, _blocked = tables.outbox, tables.outbox.alias("blocked")
UNSENT = (
    rows.raw(_o, OutboxRow._fields)
    .where(
        ~sa.exists().where(
            _blocked.c.topic == _o.c.topic, _blocked.c.key == _o.c.key, _blocked.c.blocked_reason.is_not(None)
        ),
        rows.none_of(_o.c.event_id, "besides"),  # not by the row's id, which SQLite gives again
        rows.none_of(_o.c.topic + "/" + sa.cast(_o.c.partition, sa.Text), "resting"),
    )
    .order_by(_o.c.id)
    .limit(sa.bindparam("most"))
)
HEADS = (
    sa.select(tables.log_heads.c.topic, tables.log_heads.c.position)
    .where(rows.one_of(tables.log_heads.c.topic, "topics"))
    .order_by(tables.log_heads.c.topic)
    .with_for_update()
)

_KEPT = "event_id, partition, key, sequence, headers, value, recorded_at"
_INTO = f'INSERT INTO event_log (topic, position, outbox_id, {_KEPT}, "offset", told_at)'
POSTGRES_APPEND = f"""
WITH told AS (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS told(id, "offset")),
gone AS (
    DELETE FROM outbox USING told WHERE outbox.id = told.id AND outbox.id BETWEEN $5 AND $6
    RETURNING outbox.*, told."offset"
)
{_INTO} SELECT topic, $3::bigint + row_number() OVER (ORDER BY id), id, {_KEPT}, "offset", $4::timestamptz FROM gone
"""  # noqa: S608 - constants
_MINE = ", ".join(f"outbox.{name}" for name in _KEPT.split(", "))  # json_each has columns of these names, too
SQLITE_APPEND = f"""
{_INTO} SELECT outbox.topic, ?1 + row_number() OVER (ORDER BY outbox.id), outbox.id, {_MINE}, told.value->>1, ?2
FROM json_each(?3) AS told CROSS JOIN outbox ON outbox.id = told.value->>0 AND outbox.event_id = told.value->>2
"""  # noqa: S608
SQLITE_TAKE = "DELETE FROM outbox WHERE (id, event_id) IN (SELECT value->>0, value->>2 FROM json_each(?))"
"""Both name the event, for SQLite gives an id again once its row was moved, perhaps by another relay."""


@dataclass(slots=True)
class Rest:
    """A slot in backoff: until when (monotonic seconds), and how long the last rest was."""

    until: float
    seconds: float


class Relay:
    """Tells what the outbox holds. A second one at work can add copies, never gaps or disorder."""

    def __init__(
        self, service: str, db: Db, bus: Bus, clock: Clock, compacted: Iterable[str] = (), most: int = WAVE
    ) -> None:
        self.service, self.db, self.bus, self.clock, self.most = service, db, bus, clock, most
        self.compacted = frozenset(compacted)
        self.resting: dict[Slot, Rest] = {}
        self._kicked = asyncio.Event()

    def kick(self) -> None:
        """Something was told in this process: don't wait for the poll."""
        self._kicked.set()

    @property
    def kicked(self) -> bool:
        """Whether something was told that no wave has looked for yet."""
        return self._kicked.is_set()

    async def wait(self, seconds: float) -> None:
        """Until kicked, or so long."""
        await is_set(self._kicked, seconds)
        self._kicked.clear()

    async def wave(self) -> int:
        """Send what waits and move what was acknowledged, wave after wave; returns how many rows were told.

        While a wave is on its way, the one before is moved and the one behind is looked for.
        """
        told, before, stuck, moving = 0, list[OutboxRow](), set[Slot](), None
        waiting = await self.unsent()
        try:
            for _ in range(WAVES):
                if not waiting:
                    break
                faults.point("relay.selected")
                sent, behind = await self._send(before, waiting, stuck)
                if moving is not None:
                    await moving  # in the log nothing stands in front of what was told before it
                moving = asyncio.ensure_future(self._moved(waiting, sent))
                told += len(sent.acknowledged)
                if len(sent.acknowledged) < len(waiting):
                    stuck |= {row.slot for row in waiting if row.id not in sent.acknowledged}
                # behind a row that is not told yet nothing is told, even if its slot has rested enough meanwhile
                before, waiting = waiting, [row for row in behind if row.slot not in stuck] if stuck else behind
            if moving is not None:
                await moving
        except Exception:
            if moving is not None:  # what was acknowledged before is moved, whatever failed now
                await asyncio.gather(moving, return_exceptions=True)
            raise
        finally:
            await end(moving)
        return told

    async def _send(
        self, before: Sequence[OutboxRow], waiting: Sequence[OutboxRow], stuck: Collection[Slot]
    ) -> tuple[Sent, list[OutboxRow]]:
        """Send a wave; if it is full, look meanwhile for what stands behind it.

        Not by a cursor: a row may become visible below those that were sent, and its key would be told in disorder.
        """
        full = len(waiting) == self.most
        looking = asyncio.ensure_future(self.unsent([*before, *waiting], stuck)) if full else None
        try:
            sent = await self.bus.send(waiting)
            faults.point("relay.acked")
            self._rest(waiting, sent)
            return sent, await _found(looking) if looking is not None else []
        finally:
            await end(looking)

    async def _moved(self, waiting: Sequence[OutboxRow], sent: Sent) -> None:
        if not sent.acknowledged and not sent.unsendable:
            return
        await self.db.transact(lambda db: self._move(db, waiting, sent))
        faults.point("relay.moved")
        topics = Counter(row.topic for row in waiting if row.id in sent.acknowledged)
        self.bus.told(topics)
        for topic, count in topics.items():
            metrics.RELAY_SENT.labels(self.service, topic).inc(count)

    async def unsent(self, besides: Sequence[OutboxRow] = (), stuck: Collection[Slot] = ()) -> list[OutboxRow]:
        """Rows that may be sent now, lowest id first: no slot that rests or is stuck stands in front of the others."""
        now = time.monotonic()
        resting = {slot for slot, rest in self.resting.items() if rest.until > now}.union(stuck)
        asked = {
            "besides": [row.event_id for row in besides],
            "resting": [f"{slot.topic}/{slot.partition}" for slot in resting],
            "most": self.most,
        }
        found = await self.db.glance(lambda db: rows.fetch(db, UNSENT, asked))
        return [OutboxRow(*row) for row in found]

    async def drain(self, seconds: float) -> bool:
        """Tell until nothing is left, at most so long; True when the outbox is empty."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not await self.wave():
                return not await self.db.glance(
                    lambda db: rows.fetch(db, UNSENT, {"besides": [], "resting": [], "most": 1})
                )
        return False

    def _rest(self, waiting: Sequence[OutboxRow], sent: Sent) -> None:
        now = time.monotonic()
        for slot, why in sent.resting.items():
            before = self.resting.get(slot)
            seconds = min(2 * before.seconds, LONGEST_REST) if before else FIRST_REST
            self.resting[slot] = Rest(now + seconds, seconds)
            log.warning("slot rests after an error", error=why)
        if not self.resting:
            return
        for slot in {row.slot for row in waiting if row.id in sent.acknowledged} - sent.resting.keys():
            self.resting.pop(slot, None)  # it takes rows again; what only rested enough keeps the length of its rest

    def _move(self, db: sa.Connection, waiting: Sequence[OutboxRow], sent: Sent) -> None:
        """In one transaction: acknowledged rows get their position and leave the outbox, unsendable ones rest."""
        gone = [row for row in waiting if row.id in sent.acknowledged]
        positions = _next_positions(db, sorted({row.topic for row in waiting}))
        (now,) = rows.bound((self.clock.now(),), rows.binders(db.dialect, tables.event_log, ("told_at",)))
        for topic, last in positions.items():
            places = [(row.id, sent.acknowledged[row.id], str(row.event_id)) for row in gone if row.topic == topic]
            positions[topic] += _append(db, places, last, now)
        rows.upsert(db, tables.log_heads, LOG_HEADS, sorted(positions.items()), keep="position")
        self._compact(db, gone)
        how = rows.binders(db.dialect, tables.outbox, ("blocked_reason", "id", "event_id"))
        blocked = [(sent.unsendable[row.id], row.id, row.event_id) for row in waiting if row.id in sent.unsendable]
        blocked = [rows.bound(row, how) for row in blocked]
        rows.update(db, tables.outbox, ("blocked_reason",), blocked, ("id", "event_id"))

    def _compact(self, db: sa.Connection, gone: Sequence[OutboxRow]) -> None:
        """A tombstone takes the older rows of its key out of the log: this is where readers forget from."""
        log_ = tables.event_log
        for row in gone:
            if row.value is None and row.topic in self.compacted:
                older = (log_.c.topic == row.topic, log_.c.key == row.key, log_.c.sequence < row.sequence)
                db.execute(sa.delete(log_).where(*older))


class LeaderLock:
    """One relay at work per service; the lock saves work, order holds without it."""

    def __init__(self, service: str, db: Db) -> None:
        self.service, self.db = service, db
        self._file: IO[str] | None = None
        self._connection: Any = None

    async def acquire(self) -> bool:
        """Try to become, or stay, the leader."""
        if isinstance(self.db, Postgres):
            return await self._acquire_advisory(self.db)
        if self._file is None:
            file = Path(f"{self.db.url.database}.relay").open("w")  # noqa: ASYNC230, SIM115 - held while we lead
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                return False
            self._file = file
        return True

    async def release(self) -> None:
        """Let another one lead."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _acquire_advisory(self, db: Postgres) -> bool:
        if self._connection is not None:
            try:
                await self._connection.execute(sa.text("SELECT 1"))
            except (OSError, sa.exc.SQLAlchemyError):
                self._connection = None  # the session is gone, and the lock with it
            else:
                return True
        connection = await db.engine.connect()
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        lock = sa.text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
        if (await connection.execute(lock, {"name": f"{self.service}/relay"})).scalar():
            self._connection = connection
            return True
        await connection.close()
        return False


async def _found(looking: "asyncio.Future[list[OutboxRow]]") -> list[OutboxRow]:
    """What the look found; one that failed must not cost the wave that was acknowledged meanwhile."""
    try:
        return await looking
    except Exception as error:  # noqa: BLE001 - the next wave looks again, and says what it meets
        log.warning("nothing was found behind a wave", error=type(error).__name__)
        return []


async def end(task: "asyncio.Future[Any] | None") -> None:
    """Cancel a task, if there is one, and wait until it has let go; how it ended is told elsewhere."""
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _append(db: sa.Connection, places: Sequence[tuple[int, int | None, str]], last: int, now: Any) -> int:
    """Move rows (id, offset, event) of one topic into the log behind position `last`; their bytes stay in the database.

    Returns how many: those that another relay moved meanwhile are not there any more.
    """
    if not places:
        return 0
    if is_sqlite(db.dialect):
        told = orjson.dumps(places).decode()
        moved = rows.on_sqlite(db, SQLITE_APPEND, (last, now, told)).rowcount
        rows.on_sqlite(db, SQLITE_TAKE, (told,))
        return moved
    ids, offsets, _ = zip(*places, strict=True)
    return db.exec_driver_sql(POSTGRES_APPEND, (ids, offsets, last, now, min(ids), max(ids))).rowcount


def _next_positions(db: sa.Connection, topics: Sequence[str]) -> dict[str, int]:
    """The last position per topic, under the lock that makes positions rise as their transactions commit."""
    if not is_sqlite(db.dialect):  # a row must be there to be locked
        rows.insert_new(db, tables.log_heads, LOG_HEADS, [(topic, 0) for topic in topics], "topic")
    found = {topic: position for topic, position in rows.fetch(db, HEADS, {"topics": topics})}  # noqa: C416 - pairs
    return {topic: found.get(topic, 0) for topic in topics}
