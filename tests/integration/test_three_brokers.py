"""Three real brokers: three copies of everything, and a wave goes on when the leader of its slot is killed."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from contracts.topics import TOPICS, Topic
from kit.bus import Abandon, OutboxRow, Record, Slot
from kit.kafka import KafkaBus
from kit.settings import Kafka as KafkaSettings
from kit.settings import Settings
from tests.servers.kafka import Kafka, kafka_cluster

LIMIT = 60.0
ROWS = 300


@pytest.fixture
async def brokers() -> AsyncIterator[Kafka]:
    with kafka_cluster(nodes=3) as cluster:
        yield cluster


async def described(cluster: Kafka, topic: Topic) -> dict[int, tuple[int, int]]:
    """Per partition: its leader, and how many copies it has."""
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    await admin.start()
    try:
        while not (found := (await admin.describe_topics([topic.name]))[0])["partitions"]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # a broker that has not yet heard of a new topic says nothing of it
    finally:
        await admin.close()
    return {each["partition"]: (each["leader"], len(each["replicas"])) for each in found["partitions"]}


def a_row(topic: Topic, number: int) -> OutboxRow:
    return OutboxRow(number, UUID(int=number), topic.name, 0, "case-1", number, "{}", str(number).encode())


async def told(bus: KafkaBus, row: OutboxRow) -> float:
    """Send one row until it is acknowledged, as the relay does; the seconds that it took."""
    begun = time.monotonic()
    while row.id not in (await bus.send([row])).acknowledged:
        assert time.monotonic() - begun < LIMIT, "the row was never acknowledged"
        await asyncio.sleep(0.2)
    return time.monotonic() - begun


async def test_a_killed_leader_costs_seconds_and_no_row(
    brokers: Kafka, record_property: Callable[[str, object], None]
) -> None:
    topic = replace(TOPICS["rollout.cases"], name=f"test.{uuid4().hex}")
    kafka = KafkaSettings(servers=brokers.bootstrap, session_timeout_ms=6_000)
    bus = KafkaBus(Settings(bus="kafka", kafka=kafka))
    await bus.start()
    heard, all_heard = list[int](), asyncio.Event()

    async def deliver(records: Sequence[Record], _: Abandon) -> None:
        heard.extend(int(record.value or b"") for record in records)
        if len(set(heard)) == ROWS:
            all_heard.set()

    async def positions() -> Mapping[Slot, int]:
        return {Slot(topic.name, 0): len(set(heard))}

    try:
        await bus.provision([topic])
        bus.listen(topic.name, [topic.name], deliver, positions)
        before = await described(brokers, topic)
        waits = [await told(bus, a_row(topic, number)) for number in range(ROWS // 2)]
        leader, _ = before[0]
        brokers.kill(leader)
        waits += [await told(bus, a_row(topic, number)) for number in range(ROWS // 2, ROWS)]
        await asyncio.to_thread(brokers.restart, leader)
        await asyncio.wait_for(all_heard.wait(), LIMIT)
    finally:
        await bus.stop()
    record_property("longest seconds without an acknowledgement", max(waits))
    assert {copies for _, copies in before.values()} == {3}
    assert list(dict.fromkeys(heard)) == list(range(ROWS))
    assert max(waits) <= 15
