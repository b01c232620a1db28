"""The servers of one run, and what is measured on them: each function is one repetition, and gives flat names."""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import psutil

from tests.bench import anchors, child, workload
from tests.bench.child import Measured, measure
from tests.servers.kafka import Kafka, kafka_cluster
from tests.servers.postgres import Postgres, postgres_cluster

INBOX_ROWS = 5_000_000
GROW = """
INSERT INTO inbox (reader, event_id, topic, partition, "offset", key, sequence, outcome, seen_at)
SELECT 'case_service',
       (lpad(to_hex(1700000000000 + n * 300), 12, '0') || '7' || substr(md5(n::text), 1, 3)
        || '8' || substr(md5(n::text), 4, 15))::uuid,
       'rollout.handovers', n % 12, n / 12, 'case ' || n % 5000, n / 5000 + 1, 'applied',
       timestamptz '2026-01-01' + n * interval '300 ms'
FROM generate_series(1, {rows}) AS n
"""
"""Ids rise with time, as ours do (UUID version 7): one in 300 ms for 17 days."""


@dataclass
class Ground:
    """One broker and one PostgreSQL for the whole run; a measurement gets empty topics and a database of its own."""

    kafka: Kafka
    postgres: Postgres
    quick: bool
    seconds: int
    databases: int = 0

    def database(self) -> str:
        self.databases += 1
        return self.postgres.create_database(f"bench_{self.databases}")

    def size(self, whole: int) -> int:
        """How many of something; a quick look takes a tenth, and says little."""
        return whole // 10 if self.quick else whole

    def fresh(self, events: int = 0) -> dict[str, str]:
        """Empty topics, a backlog in the first, and an empty database; as arguments."""
        asyncio.run(anchors.fresh_topics(self.kafka.bootstrap))
        if events:
            backlog = list(workload.records(range(events)))
            asyncio.run(anchors.send_batches(self.kafka.bootstrap, workload.HEARD, backlog))
        return {"database": self.database(), "kafka": self.kafka.bootstrap}


@contextmanager
def ground(*, quick: bool, seconds: int) -> Iterator[Ground]:
    """Servers that live as long as the block."""
    with kafka_cluster() as kafka, postgres_cluster() as postgres:
        yield Ground(kafka, postgres, quick, seconds)


def throughput(at: Ground) -> Measured:
    """One service beside the textbook, 1 and 8 workers, and TPC-B."""
    events, few = at.size(60_000), at.size(3_000)
    found = {}
    for workers in (1, 8):
        peer = measure("textbook", **at.fresh(few), events=few, workers=workers)
        found |= _named(f"textbook.{workers}", peer)
    bank = at.database()
    anchors.pgbench(bank, "-i", "-q", "-s", str(anchors.SCALE))
    found["pgbench.32.tps"] = anchors.tpc_b(bank, 32, at.seconds)
    found |= _named("kernel.kafka_postgres", measure("kernel", **at.fresh(events), events=events))
    few = at.size(20_000)
    found |= _named("kernel.batch_50", measure("kernel", **at.fresh(few), events=few, batch=50))
    rate = found["kernel.kafka_postgres.events_per_s"]
    found["kernel.ratio_textbook_1"] = rate / found["textbook.1.events_per_s"]
    found["kernel.ratio_textbook_8"] = rate / found["textbook.8.events_per_s"]
    found["kernel.ratio_pgbench_32"] = rate / found["pgbench.32.tps"]
    found["kernel.batch_50.ratio_textbook_1"] = found["kernel.batch_50.events_per_s"] / found["textbook.1.events_per_s"]
    return found


def relay(at: Ground) -> Measured:
    """A full outbox told, beside the same records sent raw."""
    return _named("relay", measure("relay", **at.fresh(), rows=at.size(100_000)))


def embedded(at: Ground) -> Measured:
    """One service on SQLite and the local bus, beside the statements by hand; and event by event."""
    whole = measure("embedded", events=at.size(30_000))
    single = measure("embedded", events=at.size(2_000), batch=1)
    found = {
        "embedded.events_per_s": whole["events_per_s"],
        "embedded.cpu_us_per_event": whole["cpu_us_per_event"],
        "embedded.raw_sqlite_per_s": whole["raw_events_per_s"],
        "embedded.ratio_raw_sqlite": whole["ratio_raw"],
    }
    found |= _named("embedded.batch_1", single)
    found["embedded.ratio_batch_1"] = whole["events_per_s"] / single["events_per_s"]
    return found


def audited(at: Ground) -> Measured:
    """The same writes with and without the audit: sixteen clients on PostgreSQL, the one writer of SQLite."""
    found = _named("audit.postgres", measure("audited", database=at.database(), clients=16, seconds=2 * at.seconds))
    with TemporaryDirectory(prefix="bench-") as folder:
        file = f"sqlite:///{folder}/audited.db"
        found |= _named("audit.sqlite", measure("audited", database=file, clients=1, seconds=at.seconds))
    return found


def latency(at: Ground) -> Measured:
    """How old an event is when what follows from it is durable."""
    found = {}
    for rate in (200, 1_000):
        taken = measure("latency", run="kafka", **at.fresh(), rate=rate, seconds=at.seconds)
        found |= _named(f"latency.kafka_{rate}", taken)
    return found | _named("latency.embedded_200", measure("latency", run="http", rate=200, seconds=at.seconds))


def bulk(at: Ground) -> Measured:
    """Single moves, idle and beside a bulk move of ten thousand, embedded."""
    asked = {"items": at.size(10_000), "seconds": at.size(2 * at.seconds)}
    return _named("bulk", measure("bulk", run="measured", **asked))


def recovery(at: Ground) -> Measured:
    """SIGKILL until the next event is applied, with and without a name in the group."""
    anew = measure("recovery", run="measured", **at.fresh(), instance=None)
    named = measure("recovery", run="measured", **at.fresh(), instance="bench")
    return {"recovery.seconds": anew["seconds"], "recovery.static_seconds": named["seconds"]}


def growth(at: Ground) -> Measured:
    """A service that has heard five million events, beside one that has heard nothing."""
    events, empty = at.size(60_000), at.fresh()
    measure("kernel", **empty, events=0)
    grown = empty["database"]
    rows = at.size(INBOX_ROWS)
    child.psql(grown, GROW.format(rows=rows), "VACUUM ANALYZE inbox")
    new = measure("kernel", **at.fresh(events), events=events)["events_per_s"]
    at.fresh(events)
    old = measure("kernel", database=grown, kafka=at.kafka.bootstrap, events=events, used=True)["events_per_s"]
    return {
        "growth.inbox_rows": rows,
        "growth.empty_events_per_s": new,
        "growth.grown_events_per_s": old,
        "growth.ratio": old / new,
    }


def codec(at: Ground) -> Measured:
    """Market messages parsed and written, beside pydifact on the same ones; and a long file, message by message."""
    return _named("codec.edifact", measure("codec", count=at.size(752), messages=at.size(10_000)))


def imports(at: Ground) -> Measured:
    """A dry run over a file of orders, from handing it in until the report is there: embedded."""
    return _named("import.csv", measure("imports", rows=at.size(10_000)))


def xml(at: Ground) -> Measured:
    """Orders in CIM XML parsed, validated and mapped, beside lxml alone on the same ones; and a file of 100 MB."""
    return _named("codec.xml", measure("xml_codec", count=at.size(500), megabytes=at.size(100)))


def up(_: Ground) -> Measured:
    """`hub up` from nothing, idle, and again on what is there."""
    with TemporaryDirectory(prefix="bench-") as folder:
        cold, resident = _start(Path(folder), rest=10)
        again, _ = _start(Path(folder), rest=0)
    return {"up.cold_seconds": cold, "up.restart_seconds": again, "up.idle_rss_mib": resident}


def _start(folder: Path, rest: float) -> tuple[float, float]:
    """Seconds until it says ready, and MiB resident when it has rested."""
    environment = {**child.environment(), "HUB_DATA_DIR": str(folder), "HUB_PORT": "0"}
    began = time.monotonic()
    command = [sys.executable, "-m", "hub", "up"]
    hub = subprocess.Popen(command, cwd=child.ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert hub.stdout is not None
        said = hub.stdout.readline().decode()
        seconds = time.monotonic() - began
        assert re.match("ready ", said), f"hub up said {said!r}"
        time.sleep(rest)
        return seconds, psutil.Process(hub.pid).memory_info().rss / 2**20
    finally:
        hub.terminate()
        hub.wait(30)


def _named(prefix: str, measured: Measured) -> Measured:
    return {f"{prefix}.{name}": value for name, value in measured.items()}


ALL = (throughput, relay, embedded, audited, latency, bulk, recovery, growth, codec, xml, imports, up)
BENCHES: Mapping[str, Callable[[Ground], Measured]] = MappingProxyType({bench.__name__: bench for bench in ALL})
