"""The embedded bus: a topic is its owner's `event_log`, a reader keeps its position in its own database."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import orjson
import sqlalchemy as sa
import structlog

from contracts.topics import Topic
from kit import rows, tables
from kit.bus import Abandon, Abandoned, Deliver, OutboxRow, Positions, Record, Sent, Slot
from kit.clock import is_set
from kit.db import Db
from kit.failures import is_transient

POLL = 1.0
"""Seconds after which a reader looks by itself; a net only, for the relays of this process wake whom they tell."""

AGAIN = 1.0
"""Seconds between a failure and the next try."""

log = structlog.get_logger(__name__)
_log = tables.event_log
AHEAD = (
    rows.raw(_log, ("position", "key", "headers", "value"))
    .where(_log.c.topic == sa.bindparam("topic"), _log.c.position >= sa.bindparam("position"))
    .order_by(_log.c.position)
    .limit(sa.bindparam("most"))
)


class LocalBus:
    """One process, several services, one database each; `owners` says in whose database a topic lies."""

    def __init__(self, owners: Mapping[str, Db]) -> None:
        self.owners = owners
        self.waves = 0
        """How often something was told; who remembers the number sees whether anything happened since."""
        self._readers: list[LocalSubscription] = []

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        for reader in list(self._readers):
            await reader.stop()

    async def provision(self, topics: Iterable[Topic]) -> None:
        """A topic is there as soon as its owner's tables are."""

    async def send(self, rows: Sequence[OutboxRow]) -> Sent:
        """The relay's move into `event_log` is the publication, so there is nothing to wait for."""
        return Sent(acknowledged={row.id: None for row in rows})

    def told(self, topics: Iterable[str]) -> None:
        """Wake whoever reads these topics."""
        told = set(topics)
        self.waves += 1
        for reader in self._readers:
            if told & reader.ahead.keys():
                reader.wake(told)

    async def ends(self, topics: Iterable[str]) -> Mapping[Slot, int]:
        found = {}
        for topic in topics:
            query = sa.select(tables.log_heads.c.position).where(tables.log_heads.c.topic == topic)
            last = await self.owners[topic].read(lambda db, query=query: db.scalar(query))  # type: ignore[misc]
            found[Slot(topic, 0)] = (last or 0) + 1
        return found

    def listen(
        self, reader: str, topics: Sequence[str], deliver: Deliver, positions: Positions, *, batch_max: int = 500
    ) -> "LocalSubscription":
        owners = {topic: self.owners[topic] for topic in topics if topic in self.owners}
        subscription = LocalSubscription(reader, owners, deliver, positions, batch_max)
        self._readers.append(subscription)
        return subscription


class LocalSubscription:
    """A reader of event logs: a batch is what has arrived, an equal share per topic, filled up by the oldest."""

    def __init__(
        self, reader: str, owners: Mapping[str, Db], deliver: Deliver, positions: Positions, batch_max: int
    ) -> None:
        self.owners, self.batch_max = owners, batch_max
        self.ahead: dict[str, deque[tuple[str, Record]]] = {topic: deque() for topic in owners}
        self._deliver, self._positions = deliver, positions
        self._next: dict[str, int] = {}
        self._fetched: dict[str, int] = {}
        self._stale = set(owners)
        self._resting = False
        """Nothing is being fetched or delivered: the reader waits to be woken."""
        self._woken, self._abandon = asyncio.Event(), Abandon()
        self.task = asyncio.create_task(self._keep_reading(), name=f"read:{reader}")

    def wake(self, topics: Iterable[str]) -> None:
        self._stale |= set(topics) & self.ahead.keys()
        self._woken.set()

    def lag(self) -> Mapping[Slot, int]:
        return {Slot(topic, 0): len(ahead) for topic, ahead in self.ahead.items()}

    def position(self) -> Mapping[Slot, int]:
        return {Slot(topic, 0): offset for topic, offset in self._next.items()}

    def idle(self) -> bool:
        """Nothing is under way or fetched, nothing told that was not looked at."""
        return self._resting and not self._stale and not any(self.ahead.values())

    async def stop(self) -> None:
        self._abandon.set()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _keep_reading(self) -> None:
        """A database that was away, or a batch that could not be delivered: read again from what is durable."""
        while True:
            try:
                await self._read()
            except Abandoned:
                return
            except Exception as error:  # noqa: BLE001 - a reader that ended would never be missed
                level = log.warning if is_transient(error) else log.error
                level("reading failed", error=type(error).__name__, exc_info=error)
                await asyncio.sleep(AGAIN)

    async def _read(self) -> None:
        at = await self._positions()
        self._next = {topic: at.get(Slot(topic, 0), 1) for topic in self.owners}
        self._fetched, self._stale = dict(self._next), set(self.owners)
        for ahead in self.ahead.values():
            ahead.clear()
        while True:
            await self._fetch()
            if batch := self._batch():
                await self._deliver(batch, self._abandon)
                for record in batch:
                    self._next[record.topic] = record.offset + 1
                continue
            self._woken.clear()
            if self._stale:
                continue
            self._resting = True
            try:
                if not await is_set(self._woken, POLL):
                    self._stale = set(self.owners)
            finally:
                self._resting = False

    async def _fetch(self) -> None:
        """Fill up what was told since."""
        for topic in [topic for topic in self._stale if not self.ahead[topic]]:
            self._stale.discard(topic)
            values = {"topic": topic, "position": self._fetched[topic], "most": self.batch_max}
            found = await self.owners[topic].glance(lambda db, values=values: rows.fetch(db, AHEAD, values))  # type: ignore[misc]
            for position, key, text, value in found:
                headers = orjson.loads(text)
                record = Record(topic, 0, position, key.encode(), headers, value)
                self.ahead[topic].append((headers["ce_time"], record))
                self._fetched[topic] = position + 1
            if len(found) == self.batch_max:
                self._stale.add(topic)

    def _batch(self) -> list[Record]:
        waiting = [ahead for ahead in self.ahead.values() if ahead]
        if not waiting:
            return []
        share = self.batch_max // len(waiting)
        batch = [ahead.popleft()[1] for ahead in waiting for _ in range(min(share, len(ahead)))]
        while len(batch) < self.batch_max and (left := [ahead for ahead in waiting if ahead]):
            batch.append(min(left, key=lambda ahead: ahead[0][0]).popleft()[1])
        return batch
