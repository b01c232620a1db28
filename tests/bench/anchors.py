"""What the machine can do without us: pgbench, and aiokafka alone."""

import asyncio
import os
import re
import subprocess
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.bench.workload import HEARD, PARTITIONS, TOLD, Fresh
from tests.servers.install import postgres_binaries

SCALE = 10


def pgbench(url: str, *options: str) -> str:
    """Run pgbench on a database and give back what it says."""
    at = urlsplit(url)
    place = {"PGHOST": str(at.hostname), "PGPORT": str(at.port), "PGUSER": str(at.username)}
    place |= {"PGPASSWORD": str(at.password), "PGDATABASE": at.path[1:]}
    command = [str(postgres_binaries() / "pgbench"), *options]
    done = subprocess.run(command, env={**os.environ, **place}, capture_output=True, text=True, check=True)
    return done.stdout


def tpc_b(url: str, clients: int, seconds: int) -> float:
    """Transactions per second of TPC-B."""
    said = pgbench(url, "-n", "-c", str(clients), "-j", "2", "-T", str(seconds))
    found = re.search(r"^tps = ([\d.]+)", said, re.MULTILINE)
    assert found, said
    return float(found[1])


async def fresh_topics(kafka: str) -> None:
    """Two empty topics; with the old ones go the offsets that groups committed in them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        if old := [name for name in await admin.list_topics() if name.startswith("rollout.")]:
            await admin.delete_topics(old)
        while any(name.startswith("rollout.") for name in await admin.list_topics()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in (HEARD, TOLD)])
        while not {HEARD, TOLD} <= set(await admin.list_topics()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    finally:
        await admin.close()


async def send_batches(kafka: str, topic: str, records: Sequence[Fresh]) -> float:
    """Send everything by `send_batch`, partitions beside each other, each with one batch in flight; seconds it took."""
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka, acks="all", enable_idempotence=True, linger_ms=0, max_batch_size=1_000_000
    )
    await producer.start()
    try:
        await producer.partitions_for(topic)
        slots: dict[int, list[Fresh]] = {}
        for record in records:
            slots.setdefault(record.partition, []).append(record)
        began = time.monotonic()
        await asyncio.gather(*(_fill(producer, topic, slot, waiting) for slot, waiting in slots.items()))
        return time.monotonic() - began
    finally:
        await producer.stop()


async def _fill(producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Fresh]) -> None:
    batch = producer.create_batch()
    for record in records:
        values = {"timestamp": None, "key": record.key, "value": record.value, "headers": record.headers}
        if batch.append(**values) is None:
            await (await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(**values)
    await (await producer.send_batch(batch, topic, partition=partition))
