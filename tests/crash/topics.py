"""Reads topics of a real Kafka to their end."""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition


async def read(servers: str, topics: Sequence[str]) -> list[tuple[str, str, int]]:
    """Topic, key and sequence of every record, in the order of each slot."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    found = []
    try:
        slots = [TopicPartition(topic, at) for topic in topics for at in range(12)]
        consumer.assign(slots)
        await consumer.seek_to_beginning(*slots)
        ends = {slot: end for slot, end in (await consumer.end_offsets(slots)).items() if end}
        while ends:
            for slot, records in (await consumer.getmany(timeout_ms=200)).items():
                for record in records:
                    headers = dict(record.headers)
                    found.append((record.topic, record.key.decode(), int(headers["ce_sequence"])))
                if records and records[-1].offset + 1 >= ends.get(slot, 0):
                    ends.pop(slot, None)
    finally:
        await consumer.stop()
    return found
