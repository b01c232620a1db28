"""One service on the local bus and SQLite, and the same statements written by hand without anything around them."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from fastapi import APIRouter

from kit.db import kernel
from kit.handlers import Handlers
from kit.local import LocalBus
from kit.serve import settle
from kit.service import Runtime, Service, open_store
from kit.settings import Settings
from kit.unit import Unit
from tests.bench import child, workload
from tests.bench.kernel import Stopwatch, all_told
from tests.bench.statements import by_hand


def teller(settings: Settings, router: APIRouter | None = None) -> Service:
    """The neighbour whose event log is the topic."""
    metadata = sa.MetaData()
    kernel(metadata)
    store = open_store("mdm_adapter", settings, {})
    handlers = Handlers(main=workload.Case)
    return Service("mdm_adapter", settings, store, handlers, metadata, router or APIRouter(), tells=(workload.HEARD,))


async def tell(service: Service, events: int) -> None:
    """Tell the backlog and move it into the log, before anybody listens."""
    await service.store.db.transact(service.metadata.create_all)
    runtime = Runtime(service, LocalBus({workload.HEARD: service.store.db}))
    for at in range(0, events, 5_000):

        def command(unit: Unit, at: int = at) -> None:
            unit.tell(*(workload.rejected(number) for number in range(at, min(at + 5_000, events))))

        await service.store.run(service.store.actor, command)
    while await runtime.relay.wave():
        pass


async def run(events: int, batch: int = 500) -> child.Measured:
    """Apply the backlog embedded, then run the raw statements of the same work."""
    with TemporaryDirectory(prefix="bench-") as folder:
        settings = Settings(data_dir=Path(folder), batch_max=batch)
        adapter, service = teller(settings), workload.build(settings)
        await tell(adapter, events)
        await service.store.db.transact(workload.metadata.create_all)
        bus = LocalBus({workload.HEARD: adapter.store.db, workload.TOLD: service.store.db})
        runtime = Runtime(service, bus)
        watch = Stopwatch(runtime.processor)
        await runtime.start()
        settle()
        await all_told(service, events)
        measured = watch.measured(events)
        await runtime.stop()
        await adapter.store.db.close()
        neighbour, file = Path(folder) / "mdm_adapter.db", Path(folder) / "by_hand.db"
        raw = await asyncio.to_thread(by_hand, neighbour, file, events, batch)
    return {**measured, "raw_events_per_s": raw, "ratio_raw": measured["events_per_s"] / raw}


if __name__ == "__main__":
    child.main(run)
