"""A topic from its beginning to its end, read by nobody's group: what checks look at."""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from kit.bus import Record
from kit.kafka.client import administration, client
from kit.settings import Settings

WAIT_MS = 1_000


async def whole(settings: Settings, topic: str) -> Sequence[Record]:
    """All records that are there now, by partition and offset; none where there is no such topic.

    Raises Unavailable while no broker answers.
    """
    async with administration(settings) as admin:
        if topic not in await admin.list_topics():
            return ()
        known = await admin.describe_topics([topic])
        slots = [TopicPartition(topic, part["partition"]) for part in known[0]["partitions"]]
        consumer = AIOKafkaConsumer(**client(settings), group_id=None, enable_auto_commit=False)
        async with consumer:
            consumer.assign(slots)
            await consumer.seek_to_beginning(*slots)
            return await _read(consumer, slots)


async def _read(consumer: AIOKafkaConsumer, slots: Sequence[TopicPartition]) -> list[Record]:
    ends = await consumer.end_offsets(slots)
    found: list[Record] = []
    left = {slot for slot in slots if await consumer.position(slot) < ends[slot]}
    while left:
        for batch in (await consumer.getmany(*left, timeout_ms=WAIT_MS)).values():
            found += [Record(r.topic, r.partition, r.offset, r.key, r.headers, r.value) for r in batch]
        left = {slot for slot in left if await consumer.position(slot) < ends[slot]}
    return sorted((r for r in found if r.offset < ends[TopicPartition(r.topic, r.partition)]), key=_place)


def _place(record: Record) -> tuple[int, int]:
    return record.partition, record.offset
