"""The Kafka bus against a real broker: what it sends and delivers, where it starts, and what it does when it fails."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from contracts.topics import TOPICS, Topic
from kit.bus import Abandon, Abandoned, OutboxRow, Record, Slot, partition_of
from kit.errors import Unavailable
from kit.kafka import KafkaBus, PartitionsChanged
from kit.settings import Kafka, Settings
from tests.servers.kafka import kafka_cluster

LIMIT = 60.0
"""Seconds after which waiting for a condition has failed."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, never for a time."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        await asyncio.sleep(0.02)


def settings(bootstrap: str) -> Settings:
    kafka = Kafka(servers=bootstrap, session_timeout_ms=6_000)
    return Settings(bus="kafka", kafka=kafka, fetch_wait_ms=20)


def a_topic(partitions: int = 12) -> Topic:
    """A topic that no other test uses."""
    return replace(TOPICS["rollout.cases"], name=f"test.{uuid4().hex}", partitions=partitions)


def a_row(topic: Topic, number: int, key: str = "case-000001", value: bytes | None = b"{}") -> OutboxRow:
    return OutboxRow(
        id=number,
        event_id=UUID(int=number),
        topic=topic.name,
        partition=partition_of(key, topic.partitions),
        key=key,
        sequence=number,
        headers=json.dumps({"ce_id": str(UUID(int=number)), "ce_sequence": str(number)}),
        value=value,
    )


@dataclass
class Reader:
    """A reader that remembers what it was given, and by it where it stands: a service's database in small."""

    heard: list[Record] = field(default_factory=list)
    own: dict[Slot, int] = field(default_factory=dict)
    before: Callable[[Sequence[Record], Abandon], Awaitable[None]] | None = None

    async def deliver(self, records: Sequence[Record], abandon: Abandon) -> None:
        if self.before is not None:
            await self.before(records, abandon)
        self.heard.extend(records)
        self.own.update({record.slot: record.offset + 1 for record in records})

    async def positions(self) -> Mapping[Slot, int]:
        return dict(self.own)

    def values(self) -> list[bytes | None]:
        return [record.value for record in self.heard]


@pytest.fixture
async def bus(kafka_bootstrap: str) -> AsyncIterator[KafkaBus]:
    async with on_bus(kafka_bootstrap) as bus:
        yield bus


@asynccontextmanager
async def on_bus(bootstrap: str) -> AsyncIterator[KafkaBus]:
    bus = KafkaBus(settings(bootstrap))
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


async def tell_foreign(
    bootstrap: str, topic: Topic, *records: tuple[bytes | None, list[tuple[str, bytes | None]]]
) -> None:
    """Send as another client would: values and headers as they come, to slot 0."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for value, headers in records:
            await producer.send_and_wait(topic.name, value, key=b"k", headers=headers, partition=0)


async def test_topics_are_made_as_the_table_says_and_made_once(bus: KafkaBus, kafka_bootstrap: str) -> None:
    contacts = replace(TOPICS["rollout.contacts"], name=f"test.{uuid4().hex}")
    await bus.provision([contacts])
    await bus.provision([contacts])
    assert await bus.ends([contacts.name]) == {Slot(contacts.name, number): 0 for number in range(12)}
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, contacts.name)])
    finally:
        await admin.close()
    found = {name: value for name, value, *_ in answer.resources[0][4]}
    assert (found["cleanup.policy"], found["unclean.leader.election.enable"]) == ("compact", "false")


async def test_a_changed_number_of_partitions_is_refused(bus: KafkaBus) -> None:
    topic = a_topic(partitions=3)
    await bus.provision([topic])
    with pytest.raises(PartitionsChanged, match="has 3 partitions, the table says 12"):
        await bus.provision([replace(topic, partitions=12)])


async def test_rows_are_acknowledged_with_their_offsets_in_their_order_per_slot(bus: KafkaBus) -> None:
    topic = a_topic()
    await bus.provision([topic])
    keys = [f"case-{number % 20:06}" for number in range(200)]
    rows = [a_row(topic, number, keys[number], str(number).encode()) for number in range(200)]
    sent = await bus.send(rows[:120])
    more = await bus.send(rows[120:])
    assert (sent.resting, sent.unsendable) == ({}, {})
    offsets = sent.acknowledged | more.acknowledged
    reader = Reader()
    bus.listen(topic.name, [topic.name], reader.deliver, reader.positions)
    await until(lambda: len(reader.heard) == 200)
    assert {int(record.value or b""): record.offset for record in reader.heard} == offsets
    for key in set(keys):
        numbers = [int(record.value or b"") for record in reader.heard if record.key == key.encode()]
        assert numbers == sorted(numbers)


async def test_a_wave_larger_than_one_batch_keeps_its_order(bus: KafkaBus) -> None:
    topic = a_topic()
    await bus.provision([topic])
    rows = [a_row(topic, number, value=b"x" * 250_000) for number in range(10)]
    sent = await bus.send(rows)
    assert [sent.acknowledged[number] for number in range(10)] == list(range(10))


async def test_a_row_that_is_too_large_is_named_and_what_stands_before_it_is_told(bus: KafkaBus) -> None:
    topic = a_topic()
    await bus.provision([topic])
    rows = [a_row(topic, 1), a_row(topic, 2, value=b"x" * 2_000_000), a_row(topic, 3)]
    first = await bus.send(rows)
    assert (first.acknowledged, list(first.unsendable)) == ({1: 0}, [2])
    assert list(first.resting) == [rows[2].slot]
    second = await bus.send(rows[2:])
    assert (second.acknowledged, second.resting) == ({3: 1}, {})


async def test_the_row_is_found_that_a_narrower_broker_does_not_take_in_a_batch(
    bus: KafkaBus, kafka_bootstrap: str
) -> None:
    topic = a_topic()
    await make_narrow(kafka_bootstrap, topic, 10_000)
    rows = [a_row(topic, 1), a_row(topic, 2, value=b"x" * 20_000), a_row(topic, 3)]
    batch = await bus.send(rows)
    assert (batch.acknowledged, batch.unsendable, list(batch.resting)) == ({}, {}, [rows[0].slot])
    singly = await bus.send(rows)
    assert (singly.acknowledged, list(singly.unsendable)) == ({1: 0}, [2])
    rest = await bus.send(rows[2:])
    assert rest.acknowledged == {3: 1}


async def make_narrow(bootstrap: str, topic: Topic, size: int) -> None:
    """A topic whose broker takes only small batches."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        limit = {"max.message.bytes": str(size)}
        await admin.create_topics([NewTopic(topic.name, topic.partitions, 1, topic_configs=limit)])
    finally:
        await admin.close()


async def test_a_slot_of_a_missing_topic_rests_and_the_others_are_told(bus: KafkaBus) -> None:
    topic, missing = a_topic(), a_topic()
    await bus.provision([topic])
    sent = await bus.send([a_row(topic, 1), a_row(missing, 2)])
    assert (sent.acknowledged, list(sent.resting)) == ({1: 0}, [a_row(missing, 2).slot])


async def test_a_producer_given_up_with_a_batch_on_its_way_leaves_no_connection_open(
    kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, on_its_way = a_topic(), asyncio.Event()

    async def unanswered(*_: object) -> None:
        on_its_way.set()
        await asyncio.Event().wait()

    async with on_bus(kafka_bootstrap) as bus:
        await bus.provision([topic])
        producer = await bus._teller._connected()
        monkeypatch.setattr(producer._sender, "_send_produce_req", unanswered)
        sending = asyncio.create_task(bus.send([a_row(topic, 1)]))
        await on_its_way.wait()
        connections = list(producer.client._conns.values())
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    assert connections
    assert [each for each in connections if each.connected()] == []


async def test_rows_sent_again_are_copies_behind_the_first(bus: KafkaBus) -> None:
    topic = a_topic()
    await bus.provision([topic])
    rows = [a_row(topic, number) for number in range(3)]
    await bus.send(rows)
    again = await bus.send(rows)
    assert again.acknowledged == {0: 3, 1: 4, 2: 5}


async def test_records_reach_the_reader_untouched(bus: KafkaBus, kafka_bootstrap: str) -> None:
    topic = a_topic()
    await bus.provision([topic])
    strange: list[tuple[str, bytes | None]] = [("ce_id", None), ("ce_type", b"\xff\xfe"), ("ce_id", b"twice")]
    await tell_foreign(kafka_bootstrap, topic, (b"not json", strange), (None, []), (b"{}", []))
    reader = Reader()
    bus.listen(topic.name, [topic.name], reader.deliver, reader.positions)
    await until(lambda: len(reader.heard) == 3)
    assert reader.values() == [b"not json", None, b"{}"]
    assert list(reader.heard[0].headers) == strange


async def test_exactly_the_offsets_of_what_was_delivered_are_committed(bus: KafkaBus, kafka_bootstrap: str) -> None:
    topic = a_topic()
    await bus.provision([topic])
    await bus.send([a_row(topic, number) for number in range(10)])
    reader = Reader()

    async def stop_at_the_second_batch(records: Sequence[Record], abandon: Abandon) -> None:
        if records[0].offset > 0:
            await abandon.wait(LIMIT)
            raise Abandoned

    reader.before = stop_at_the_second_batch
    subscription = bus.listen(topic.name, [topic.name], reader.deliver, reader.positions, batch_max=4)
    await until(lambda: len(reader.heard) == 4)
    assert await committed(kafka_bootstrap, topic) == {a_row(topic, 0).slot: 4}
    await subscription.stop()
    assert await committed(kafka_bootstrap, topic) == {a_row(topic, 0).slot: 4}


async def committed(bootstrap: str, topic: Topic) -> Mapping[Slot, int]:
    """What the group of this topic's reader has committed."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(topic.name)
    finally:
        await admin.close()
    return {Slot(*slot): each.offset for slot, each in offsets.items() if each.offset >= 0}


async def test_a_reader_that_starts_again_goes_on_where_it_stood(bus: KafkaBus) -> None:
    topic, reader = a_topic(), Reader()
    await bus.provision([topic])
    await bus.send([a_row(topic, number, value=b"old") for number in range(5)])
    subscription = bus.listen(topic.name, [topic.name], reader.deliver, reader.positions)
    await until(lambda: len(reader.heard) == 5)
    await until(lambda: subscription.position()[a_row(topic, 0).slot] == 5)
    await subscription.stop()
    await bus.send([a_row(topic, 9, value=b"new")])
    bus.listen(topic.name, [topic.name], reader.deliver, reader.positions)
    await until(lambda: b"new" in reader.values())
    assert reader.values() == [b"old"] * 5 + [b"new"]


@pytest.mark.parametrize("restored", [None, 2], ids=["empty", "older"])
async def test_a_database_restored_from_before_rewinds_its_reader(bus: KafkaBus, restored: int | None) -> None:
    topic, reader = a_topic(), Reader()
    slot = a_row(topic, 0).slot
    await bus.provision([topic])
    await bus.send([a_row(topic, number) for number in range(5)])
    subscription = bus.listen(topic.name, [topic.name], reader.deliver, reader.positions)
    await until(lambda: subscription.position().get(slot) == 5)
    await subscription.stop()
    reader.heard.clear()
    reader.own = {} if restored is None else {slot: restored}
    bus.listen(topic.name, [topic.name], reader.deliver, reader.positions)
    await until(lambda: any(record.offset == 4 for record in reader.heard))
    assert [record.offset for record in reader.heard] == list(range(restored or 0, 5))


async def test_a_position_beyond_the_end_of_a_lost_topic_starts_at_its_beginning(
    bus: KafkaBus, kafka_bootstrap: str
) -> None:
    topic, reader = a_topic(), Reader()
    full, empty = a_row(topic, 1).slot, a_row(topic, 1, "case-000002").slot
    await bus.provision([topic])
    await bus.send([a_row(topic, 1)])
    reader.own = {full: 700, empty: 700}
    await commit(kafka_bootstrap, topic, reader.own)
    subscription = bus.listen(topic.name, [topic.name], reader.deliver, reader.positions)
    await until(lambda: len(reader.heard) == 1)
    assert (reader.heard[0].offset, subscription.position()[empty]) == (0, 0)


async def commit(bootstrap: str, topic: Topic, offsets: Mapping[Slot, int]) -> None:
    """What the group would have committed before the topic was lost."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=topic.name, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(*slot) for slot in offsets])
        await consumer.commit({TopicPartition(*slot): offset for slot, offset in offsets.items()})
    finally:
        await consumer.stop()


async def test_position_and_lag_are_known_without_asking(bus: KafkaBus) -> None:
    topic, reader, free = a_topic(), Reader(), asyncio.Event()
    slot = a_row(topic, 0).slot
    await bus.provision([topic])
    await bus.send([a_row(topic, number) for number in range(5)])

    async def wait(_: Sequence[Record], __: Abandon) -> None:
        await free.wait()

    reader.before = wait
    subscription = bus.listen(topic.name, [topic.name], reader.deliver, reader.positions)
    await until(lambda: subscription.lag().get(slot) == 5)
    free.set()
    await until(lambda: subscription.lag().get(slot) == 0)
    assert subscription.position()[slot] == 5


async def test_a_batch_that_waits_is_abandoned_when_another_process_joins_and_read_again(
    bus: KafkaBus, kafka_bootstrap: str
) -> None:
    topic, first, second = a_topic(), Reader(), Reader()
    await bus.provision([topic])
    await bus.send([a_row(topic, number, f"case-{number:06}") for number in range(40)])
    waiting = asyncio.Event()

    async def wait_until_taken_away(_: Sequence[Record], abandon: Abandon) -> None:
        if not waiting.is_set():
            waiting.set()
            assert await abandon.wait(LIMIT)
            raise Abandoned

    first.before = wait_until_taken_away
    bus.listen(topic.name, [topic.name], first.deliver, first.positions)
    await waiting.wait()
    async with on_bus(kafka_bootstrap) as other:
        other.listen(topic.name, [topic.name], second.deliver, second.positions)
        await until(lambda: len(first.heard) + len(second.heard) == 40)
    heard = {record.slot: id(reader) for reader in (first, second) for record in reader.heard}
    assert len({record.key for reader in (first, second) for record in reader.heard}) == 40
    assert set(heard.values()) == {id(first), id(second)}


async def test_a_batch_that_breaks_the_delivery_is_delivered_again_and_nothing_is_skipped(bus: KafkaBus) -> None:
    topic, reader = a_topic(), Reader()
    await bus.provision([topic])
    await bus.send([a_row(topic, number) for number in range(5)])
    failures = iter([True, False])

    async def break_once(_: Sequence[Record], __: Abandon) -> None:
        if next(failures, False):
            raise ZeroDivisionError

    reader.before = break_once
    bus.listen(topic.name, [topic.name], reader.deliver, reader.positions)
    await until(lambda: len(reader.heard) == 5)
    assert [record.offset for record in reader.heard] == list(range(5))


async def test_a_reader_waits_for_a_topic_that_is_not_there_yet(bus: KafkaBus) -> None:
    topic, reader = a_topic(), Reader()
    bus.listen(topic.name, [topic.name], reader.deliver, reader.positions)
    await bus.provision([topic])
    await bus.send([a_row(topic, 1)])
    await until(lambda: len(reader.heard) == 1)
    assert reader.heard[0].key == b"case-000001"


async def test_without_a_broker_rows_rest_and_the_reader_goes_on_trying_until_one_is_back() -> None:
    topic, reader = a_topic(), Reader()
    with kafka_cluster() as cluster:
        async with on_bus(cluster.bootstrap) as bus:
            await bus.provision([topic])
            cluster.kill()
            bus.listen(topic.name, [topic.name], reader.deliver, reader.positions)
            sent = await bus.send([a_row(topic, 1)])
            assert (sent.acknowledged, list(sent.resting)) == ({}, [a_row(topic, 1).slot])
            with pytest.raises(Unavailable):
                await bus.ends([topic.name])
            await asyncio.to_thread(cluster.restart)
            await until_told(bus, a_row(topic, 1))
            await until(lambda: len(reader.heard) > 0)
            assert reader.heard[0].key == b"case-000001"


async def test_a_producer_whose_broker_died_in_a_wave_is_made_anew_and_tells_without_a_gap() -> None:
    topic, reader = a_topic(), Reader()
    with kafka_cluster() as cluster:
        async with on_bus(cluster.bootstrap) as bus:
            await bus.provision([topic])
            bus.listen(topic.name, [topic.name], reader.deliver, reader.positions)
            for number in range(30):
                if number in (10, 20):
                    cluster.kill()
                    wave = asyncio.create_task(until_told(bus, a_row(topic, number, value=str(number).encode())))
                    await asyncio.to_thread(cluster.restart)
                    await wave
                else:
                    await until_told(bus, a_row(topic, number, value=str(number).encode()))
            await until(lambda: b"29" in reader.values())
    firsts = list(dict.fromkeys(int(value or b"") for value in reader.values()))
    assert firsts == list(range(30))


async def until_told(bus: KafkaBus, row: OutboxRow) -> None:
    """What the relay does: the same row again until it is acknowledged."""
    end = time.monotonic() + LIMIT
    while row.id not in (await bus.send([row])).acknowledged:
        assert time.monotonic() < end, "the row was never acknowledged"
        await asyncio.sleep(0.1)


async def test_nothing_is_read_twice_after_a_stop_in_good_order(bus: KafkaBus, kafka_bootstrap: str) -> None:
    topic, reader = a_topic(), Reader()
    await bus.provision([topic])
    await bus.send([a_row(topic, number, f"case-{number:06}") for number in range(100)])
    subscription = bus.listen(topic.name, [topic.name], reader.deliver, reader.positions, batch_max=7)
    await until(lambda: len(reader.heard) >= 20)
    await subscription.stop()
    bus.listen(topic.name, [topic.name], reader.deliver, reader.positions, batch_max=7)
    await until(lambda: len(reader.heard) >= 100)
    assert len({(record.slot, record.offset) for record in reader.heard}) == len(reader.heard) == 100
