"""How long a killed service needs: from SIGKILL until it has applied the next event, started again at once."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from contracts.topics import TOPICS
from kit import tables
from kit.kafka import KafkaBus
from kit.service import Runtime
from kit.store import Store
from tests.bench import child, kernel, latency, workload

RATE = 100
LONGEST_SECONDS = 60.0


async def serve(database: str, kafka: str, instance: str | None) -> None:
    """The service, until it is killed."""
    service = workload.build(kernel.settings_on(database, kafka, instance=instance))
    bus = KafkaBus(service.settings)
    await bus.start()
    runtime = Runtime(service, bus)
    await runtime.start()
    await asyncio.Event().wait()


async def measured(database: str, kafka: str, instance: str | None) -> child.Measured:
    """Kill it in the middle of steady work; `instance` gives it a name in its group, static membership."""
    service = workload.build(kernel.settings_on(database, kafka))
    await service.store.db.transact(workload.metadata.create_all)
    bus = KafkaBus(service.settings)
    await bus.provision([TOPICS["rollout.dead-letters"]])
    sending = asyncio.create_task(latency.send(kafka, RATE, 10 * LONGEST_SECONDS))
    arguments: dict[str, Any] = {"run": "serve", "database": database, "kafka": kafka, "instance": instance}
    first = child.launch("recovery", **arguments)
    second = None
    try:
        await _heard_after(service.store, datetime.now(UTC))
        await asyncio.sleep(2)
        killed_at = datetime.now(UTC)
        first.kill()
        await asyncio.to_thread(first.wait)
        second = child.launch("recovery", **arguments)
        heard_at = await _heard_after(service.store, killed_at)
    finally:
        sending.cancel()
        for process in (first, second):
            if process is not None:
                process.kill()
                await asyncio.to_thread(process.wait)
        with suppress(asyncio.CancelledError):
            await sending
        await service.store.db.close()
    return {"seconds": (heard_at - killed_at).total_seconds()}


async def _heard_after(store: Store, moment: datetime) -> datetime:
    """When the first event behind this moment was applied."""
    query = sa.select(sa.func.min(tables.inbox.c.seen_at)).where(tables.inbox.c.seen_at > moment)
    end = time.monotonic() + LONGEST_SECONDS
    while (found := await store.read(lambda db: db.scalar(query))) is None:
        assert time.monotonic() < end, "nothing was applied"
        await asyncio.sleep(0.05)
    at: datetime = found
    return at


async def main(run: str, **arguments: Any) -> child.Measured:
    """The service that is killed, or who kills it."""
    if run == "serve":
        await serve(**arguments)
        return {}
    return await measured(**arguments)


if __name__ == "__main__":
    child.main(main)
