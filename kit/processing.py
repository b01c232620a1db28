"""How a batch is heard: inbox, loads, handlers, facts and position in one transaction (messaging page, section 5)."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import sqlalchemy as sa
import structlog

from kit import faults, metrics, parking, rows, tables
from kit.bus import Abandon, Abandoned, Record, Slot
from kit.failures import is_transient, is_unique_violation
from kit.handlers import Handlers
from kit.inbox import Heard, Unreadable, understand
from kit.outbox import Cause, Told
from kit.outbox import write as write_outbox
from kit.store import Step, Store, Stumbled

log = structlog.get_logger(__name__)

INBOX = ("reader", "event_id", "topic", "partition", "offset", "key", "sequence", "outcome", "seen_at")
POSITIONS = ("reader", "topic", "partition", "next_offset")
DEAD_LETTERS = (
    *("reader", "topic", "partition", "offset", "digest", "key", "headers", "value"),
    *("reason", "detail", "at"),
)
DEAD_LETTER = "rollout.operations.record_dead_lettered.v1"
MOST_UNWRITTEN = 500
"""Records that say nothing to this reader and may have to be read again after a restart."""
FIRST_WAIT, LONGEST_WAIT = 0.1, 10.0
"""Seconds between two tries of a batch that met a passing failure."""


@dataclass(slots=True)
class Batch:
    """A delivery, sorted by what its headers say."""

    heard: list[Heard] = field(default_factory=list)
    dead: list[tuple[Record, Unreadable]] = field(default_factory=list)
    ends: dict[Slot, int] = field(default_factory=dict)
    """Next offset per slot once the whole delivery is done."""
    ignored: int = 0


class Processor:
    """Applies every record exactly once, in the order of its key, in batches."""

    def __init__(self, reader: str, store: Store, handlers: Handlers) -> None:
        self.reader, self.store, self.handlers = reader, store, handlers
        self.lock = asyncio.Lock()
        self._passed: dict[Slot, int] = {}
        """Next offset per slot behind records that say nothing to this reader, while that is not written down."""
        self._unwritten = 0
        self.cuts = 0
        """Batches that did not pass as a whole; tests look at it, for the nets must not hide a broken first line."""

    async def deliver(self, records: Sequence[Record], abandon: Abandon) -> None:
        """Make a delivery durable, however often the database goes away; raises Abandoned."""
        batch = self._sort(records)
        faults.point("consume.fetched")
        wait = FIRST_WAIT
        async with self.lock:
            if self._passes(batch):
                return
            while True:
                try:
                    await self._apply(batch.heard, batch)
                except Exception as error:
                    if not is_transient(error):
                        raise
                    metrics.BATCH_RETRIES.labels(self.reader, "database").inc()
                    log.warning("batch is tried again", error=type(error).__name__)
                    if await abandon.wait(random.uniform(0, wait)):
                        raise Abandoned from None
                    wait = min(2 * wait, LONGEST_WAIT)
                else:
                    self._passed, self._unwritten = {}, 0
                    return

    def _passes(self, batch: Batch) -> bool:
        """Whether a delivery is done without a transaction: nothing in it concerns us, it may well be read again."""
        ends = self._passed | {slot: max(end, self._passed.get(slot, 0)) for slot, end in batch.ends.items()}
        if batch.heard or batch.dead or self._unwritten + batch.ignored >= MOST_UNWRITTEN:
            batch.ends = ends
            return False
        self._passed, self._unwritten = ends, self._unwritten + batch.ignored
        return True

    async def positions(self) -> Mapping[Slot, int]:
        """Where this reader's own database says it stands; from there it reads, whatever it passed before."""
        where = tables.positions.c.reader == self.reader
        query = sa.select(tables.positions).where(where)
        found = await self.store.db.read(lambda db: db.execute(query).all())
        self._passed, self._unwritten = {}, 0
        return {Slot(row.topic, row.partition): row.next_offset for row in found}

    def _sort(self, records: Sequence[Record]) -> Batch:
        batch = Batch()
        for record in records:
            slot = record.slot
            batch.ends[slot] = max(record.offset + 1, batch.ends.get(slot, 0))
            try:
                heard = understand(record)
            except Unreadable as unreadable:
                batch.dead.append((record, unreadable))
                metrics.DEAD_LETTERS.labels(self.reader, unreadable.reason).inc()
                continue
            if self.handlers.handles(heard):
                batch.heard.append(heard)
            else:
                batch.ignored += 1
                metrics.EVENTS.labels(self.reader, heard.type, "ignored").inc()
        return batch

    async def _apply(self, heard: Sequence[Heard], last_of: Batch | None, *, conflicted: bool = False) -> None:
        """Apply records in order; cut the batch where one stumbles, park that one, go on behind it.

        Only the last piece, `last_of` a delivery, moves the position.
        """
        try:
            await self._transact(heard, last_of)
        except Stumbled as stumbled:
            if is_transient(stumbled.error):
                raise stumbled.error from None
            await self._cut(heard, stumbled, last_of)
        except Exception as error:
            if not is_unique_violation(error):
                raise
            if not conflicted:  # another transaction was first: on the next try its row is found
                await self._apply(heard, last_of, conflicted=True)
            elif len(heard) > 1:
                self.cuts += 1
                middle = len(heard) // 2
                await self._apply(heard[:middle], None, conflicted=True)
                await self._apply(heard[middle:], last_of, conflicted=True)
            else:
                await self._park(heard[0], error, last_of)

    async def _cut(self, heard: Sequence[Heard], stumbled: Stumbled, last_of: Batch | None) -> None:
        """What stands before the stumbling record is applied without it; the record again alone, or parked."""
        self.cuts += 1
        at = stumbled.at
        if len(heard) == 1:
            await self._park(heard[0], stumbled.error, last_of)
            return
        if at:
            await self._apply(heard[:at], None)
        await self._apply(heard[at : at + 1], last_of if at + 1 == len(heard) else None)
        if at + 1 < len(heard):
            await self._apply(heard[at + 1 :], last_of)

    async def _transact(self, heard: Sequence[Heard], last_of: Batch | None) -> None:
        def work(db: sa.Connection) -> tuple[list[Heard], list[Heard]]:
            fresh = self._fresh(db, heard)
            faults.point("consume.inboxed")
            waiting = parking.parked_among(db, self.reader, fresh)
            behind, free = [], fresh
            if waiting:
                behind = [each for each in fresh if (each.record.topic, each.key) in waiting]
                free = [each for each in fresh if (each.record.topic, each.key) not in waiting]
            parking.follow(db, self.reader, behind, self.store.clock.now())
            self._work(db, heard, free)
            self._finish(db, last_of)
            faults.point("consume.flushed")
            return free, behind

        applied, behind = await self.store.transact(work)
        faults.point("consume.committed")
        self._count(heard, applied, behind)
        self.store.after_commit()

    def _work(self, db: sa.Connection, heard: Sequence[Heard], free: Sequence[Heard]) -> None:
        """Decode and handle; what stumbles is named by its place in the whole batch."""
        try:
            self.store.work(db, [self._step(at, each) for at, each in enumerate(free)])
        except Stumbled as stumbled:
            stumbling = free[stumbled.at]
            place = next(at for at, each in enumerate(heard) if each is stumbling)
            raise Stumbled(place, stumbled.error) from stumbled.error

    def _step(self, at: int, heard: Heard) -> Step[None]:
        try:
            return self.handlers.step(heard)
        except Exception as error:
            raise Stumbled(at, error) from error

    def _fresh(self, db: sa.Connection, heard: Sequence[Heard]) -> list[Heard]:
        """The records that were never applied; from now on they are. The first copy of an id counts."""
        first: dict[str, Heard] = {}
        for each in heard:
            first.setdefault(each.cause.causation_id, each)
        if not first:
            return []
        (now,) = rows.bound((self.store.clock.now(),), rows.binders(db.dialect, tables.inbox, ("seen_at",)))
        made = []
        for event_id, each in sorted(first.items()):  # sorted: no two readers wait in a circle
            place = each.record.topic, each.record.partition, each.record.offset
            made.append((self.reader, event_id, *place, each.key, each.sequence, "applied", now))
        new = {str(row[0]) for row in rows.insert_new(db, tables.inbox, INBOX, made, "event_id")}
        return [each for event_id, each in first.items() if event_id in new]

    def _finish(self, db: sa.Connection, last_of: Batch | None) -> None:
        if last_of is None:
            return
        self._bury(db, last_of)
        ends = [(self.reader, slot.topic, slot.partition, end) for slot, end in sorted(last_of.ends.items())]
        rows.upsert(db, tables.positions, POSITIONS, ends, keep="next_offset")

    def _bury(self, db: sa.Connection, batch: Batch) -> None:
        """Keep the bytes of what could not be told from noise, and tell operations of it."""
        if not batch.dead:
            return
        now, how, told = self.store.clock.now(), rows.binders(db.dialect, tables.dead_letters, DEAD_LETTERS), []
        made = []
        for record, why in batch.dead:
            digest = sha256(b"\0".join((record.key or b"", record.value or b""))).hexdigest()
            place = (self.reader, *record.slot, record.offset, digest)
            made.append(
                rows.bound((*place, record.key, record.header_texts(), record.value, why.reason, why.detail, now), how)
            )
            original = (record.key or b"").decode("utf-8", "replace")
            cause = Cause(f"dead:{digest[:16]}", f"dead:{record.topic}/{record.partition}/{record.offset}")
            key = f"{self.store.service}:{original}"[:200]
            more = {"dl_reason": why.reason, "dl_topic": record.topic}
            more |= {"dl_partition": str(record.partition), "dl_offset": str(record.offset)}
            letter = (DEAD_LETTER, "rollout.dead-letters", key, record.value, now, cause, more)
            told.append(Told(str(self.store.new_id()), *letter))
        rows.upsert(db, tables.dead_letters, DEAD_LETTERS, made)
        write_outbox(db, self.store.service, told)
        self.store.touches(db, self.store.told)

    async def _park(self, heard: Heard, error: Exception, last_of: Batch | None) -> None:
        faults.point("park.rolled_back")

        def work(db: sa.Connection) -> None:
            if self._fresh(db, [heard]):
                parking.park(db, self.reader, heard, error, self.store.clock.now())
                self.store.touches(db, self.store.due_changed["timers"])
            self._finish(db, last_of)

        await self.store.transact(work)
        faults.point("park.parked")
        self.store.after_commit()
        self._count([], [], [heard])
        log.warning("event is parked", event_id=str(heard.id), type=heard.type, error=type(error).__name__)

    def _count(self, heard: Sequence[Heard], applied: Sequence[Heard], parked: Sequence[Heard]) -> None:
        for outcome, those in (("applied", applied), ("parked", parked)):
            for kind, count in Counter([each.type for each in those]).items():
                metrics.EVENTS.labels(self.reader, kind, outcome).inc(count)
        if copies := len(heard) - len(applied) - len(parked):
            metrics.EVENTS.labels(self.reader, "", "duplicate").inc(max(copies, 0))
