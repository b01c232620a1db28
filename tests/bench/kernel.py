"""One service of ours at work on a backlog, on Kafka and PostgreSQL: from its first batch until all is told."""

import asyncio
import cProfile
import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from contracts.topics import TOPICS
from kit import tables
from kit.bus import Abandon, Record
from kit.kafka import KafkaBus
from kit.processing import Processor
from kit.serve import settle
from kit.service import Runtime, Service
from kit.settings import Settings
from kit.store import Store
from tests.bench import child, workload


class Stopwatch:
    """Starts with the first batch that is delivered."""

    def __init__(self, processor: Processor) -> None:
        self.began = 0.0
        self.cpu = 0.0
        self.batches = 0
        self._deliver = processor.deliver
        processor.deliver = self.deliver  # type: ignore[method-assign]

    async def deliver(self, records: Sequence[Record], abandon: Abandon) -> None:
        if not self.batches:
            self.began, self.cpu = time.monotonic(), child.cpu_seconds()
        self.batches += 1
        await self._deliver(records, abandon)

    def measured(self, events: int) -> child.Measured:
        """What there is to say when all events are told."""
        seconds, used = time.monotonic() - self.began, child.cpu_seconds() - self.cpu
        return {
            "events_per_s": events / seconds,
            "cpu_us_per_event": used / events * 1e6,
            "batch_size": events / self.batches,
        }


def settings_on(database: str, kafka: str, **more: Any) -> Settings:
    return Settings(database_url=database, bus="kafka", kafka={"servers": kafka}, **more)


async def told(store: Store) -> int:
    """How many events were acknowledged and moved to the log."""
    query = sa.select(tables.log_heads.c.position).where(tables.log_heads.c.topic == workload.TOLD)
    return await store.read(lambda db: db.scalar(query)) or 0


async def all_told(service: Service, events: int) -> None:
    """Until so many are, and the outbox is empty; asked by one small query now and then."""
    while await told(service.store) < events:  # noqa: ASYNC110 - the database tells nobody
        await asyncio.sleep(0.05)
    left = await service.store.read(lambda db: db.scalar(sa.select(sa.func.count()).select_from(tables.outbox)))
    assert left == 0, "more was told than was asked for"


def empty_all_but_inbox(db: sa.Connection) -> None:
    """A database that has heard much before starts on a new topic."""
    names = [table.name for table in workload.metadata.sorted_tables if table.name != "inbox"]
    db.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")  # what is never emptied is emptied here
    db.exec_driver_sql(f"TRUNCATE {', '.join(names)}")
    db.exec_driver_sql("ALTER TABLE audit ENABLE TRIGGER USER")


async def run(
    database: str, kafka: str, events: int, batch: int = 500, used: bool = False, profile: str | None = None
) -> child.Measured:
    """Apply the backlog; rate from the first batch until the outbox is empty."""
    service = workload.build(settings_on(database, kafka, batch_max=batch))
    db = service.store.db
    await db.transact(empty_all_but_inbox if used else workload.metadata.create_all)
    bus = KafkaBus(service.settings)
    await bus.start()
    await bus.provision([TOPICS[name] for name in (workload.HEARD, workload.TOLD, "rollout.dead-letters")])
    if not events:
        return {}
    runtime = Runtime(service, bus)
    watch = Stopwatch(runtime.processor)
    with _profiled(profile):
        await runtime.start()
        settle()
        await all_told(service, events)
        measured = watch.measured(events)
    assert runtime.processor.cuts == 0, "a batch did not pass as a whole"
    await runtime.stop()
    await bus.stop()
    return measured


class _profiled:  # noqa: N801 - reads as a condition of what is inside
    """Write a profile of the block to a file, where one is named."""

    def __init__(self, file: str | None) -> None:
        self.file, self.profile = file, cProfile.Profile()

    def __enter__(self) -> None:
        if self.file:
            self.profile.enable()

    def __exit__(self, *_: object) -> None:
        if self.file:
            self.profile.disable()
            self.profile.dump_stats(self.file)


if __name__ == "__main__":
    child.main(run)
