"""One service on the local bus and SQLite, and the same statements written by hand without anything around them."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter

from kit import tables
from kit.db import SQLITE_PRAGMAS, kernel
from kit.handlers import Handlers
from kit.local import LocalBus
from kit.service import Runtime, Service, open_store
from kit.settings import Settings
from kit.unit import Unit
from tests.bench import child, workload
from tests.bench.kernel import Stopwatch, all_told

Row = tuple[Any, ...]


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
        await all_told(service, events)
        measured = watch.measured(events)
        await runtime.stop()
        await adapter.store.db.close()
        raw = await asyncio.to_thread(by_hand, Path(folder), events, batch)
    return {**measured, "raw_events_per_s": raw, "ratio_raw": measured["events_per_s"] / raw}


def by_hand(folder: Path, events: int, batch: int) -> float:
    """The statements of a batch and of its wave, with values made before; events per second."""
    schema = sa.create_engine(f"sqlite:///{folder / 'raw.db'}")
    workload.metadata.create_all(schema)
    schema.dispose()
    db = sqlite3.connect(folder / "raw.db", isolation_level=None)
    for pragma in SQLITE_PRAGMAS:
        db.execute(f"PRAGMA {pragma}")
    batches = [_values(range(at, min(at + batch, events))) for at in range(0, events, batch)]
    began = time.monotonic()
    for values in batches:
        _apply(db, *values)
        _move(db)
    seconds = time.monotonic() - began
    (moved,) = db.execute("SELECT count(*) FROM event_log").fetchone()
    assert moved == events, "the statements did something else"
    db.close()
    return events / seconds


NOW = "2026-03-02T08:00:00.000000Z"


def _values(numbers: Sequence[int]) -> tuple[list[Row], list[Row], list[Row]]:
    heard, changed, told = [], [], []
    for number, record in zip(numbers, workload.records(numbers), strict=True):
        key, event = record.key.decode(), dict(record.headers)["ce_id"].decode()
        attempt = number // workload.CASES + 1
        heard.append(("case_service", event, workload.HEARD, 0, number, key, attempt, "applied", NOW))
        reasons = json.dumps(json.loads(record.value)["reasons"])
        changed.append((key, attempt, attempt, reasons, NOW))
        headers = json.dumps({name: text.decode() for name, text in record.headers})
        value = b'{"case_id":"%s","to_phase":"planning","on_hold":false}' % record.key
        told.append((event, workload.TOLD, record.partition, key, attempt, headers, value, NOW))
    return heard, changed, told


def _apply(db: sqlite3.Connection, heard: list[Row], changed: list[Row], told: list[Row]) -> None:
    """One batch: inbox, cases loaded and written, heads, outbox, audit in its chains, position."""
    keys = json.dumps([row[0] for row in changed])
    db.execute("BEGIN IMMEDIATE")
    values = ", ".join(f"value->>{at}" for at in range(9))
    source = f"SELECT {values} FROM json_each(?) WHERE true"
    db.execute(f"INSERT INTO inbox {source} ON CONFLICT DO NOTHING RETURNING event_id", (json.dumps(heard),)).fetchall()
    db.execute("SELECT * FROM cases WHERE case_id IN (SELECT value FROM json_each(?))", (keys,)).fetchall()
    db.executemany(
        f"INSERT INTO cases VALUES ({_marks(5)}) ON CONFLICT DO UPDATE SET version = excluded.version,"
        " attempt = excluded.attempt, reasons = excluded.reasons, rejected_at = excluded.rejected_at",
        changed,
    )
    db.execute(
        "INSERT INTO heads SELECT ?, value, 1 FROM json_each(?) WHERE true"
        " ON CONFLICT DO UPDATE SET sequence = sequence + 1 RETURNING key, sequence",
        (workload.TOLD, keys),
    ).fetchall()
    columns = 'event_id, topic, "partition", "key", sequence, headers, value, recorded_at'
    db.executemany(f"INSERT INTO outbox ({columns}) VALUES ({_marks(8)})", told)
    heads = {shard: seq for shard, seq, _ in db.execute("SELECT * FROM audit_heads")}
    rows = []
    for at, row in enumerate(told):
        shard = at % tables.SHARDS
        heads[shard] = heads.get(shard, 0) + 1
        subject = f"case/{row[3]}"
        details = f'{{"event":"{row[0]}"}}'
        rows.append((shard, heads[shard], "rejected", subject, "system", row[0], details, NOW, bytes(32)))
    db.executemany(f"INSERT INTO audit VALUES ({_marks(9)})", rows)
    db.executemany(
        "INSERT INTO audit_heads VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
        [(shard, seq, bytes(32)) for shard, seq in heads.items()],
    )
    db.execute(
        "INSERT INTO positions VALUES ('case_service', ?, 0, ?) ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset",
        (workload.HEARD, heard[-1][4] + 1),
    )
    db.execute("COMMIT")


def _move(db: sqlite3.Connection) -> None:
    """The wave of a batch: out of the outbox, into the log."""
    db.execute("BEGIN IMMEDIATE")
    waiting = db.execute("SELECT * FROM outbox ORDER BY id LIMIT 2000").fetchall()
    (last,) = db.execute("SELECT coalesce(max(position), 0) FROM log_heads").fetchone()
    log = [(row[2], last + at, row[0], row[1], row[3], None, *row[4:9], NOW) for at, row in enumerate(waiting, 1)]
    db.executemany(f"INSERT INTO event_log VALUES ({_marks(12)})", log)
    db.executemany("DELETE FROM outbox WHERE id = ?", [(row[0],) for row in waiting])
    db.execute(
        "INSERT INTO log_heads VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position",
        (workload.TOLD, last + len(waiting)),
    )
    db.execute("COMMIT")


def _marks(count: int) -> str:
    return ", ".join("?" * count)


if __name__ == "__main__":
    child.main(run)
