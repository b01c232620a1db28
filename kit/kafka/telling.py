"""How a wave of facts gets into its slots: in order, acknowledged by every copy, and never by guess."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    ProducerClosed,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)

from kit import faults
from kit.bus import OutboxRow, Sent, Slot
from kit.kafka.client import client, why
from kit.settings import Settings

CONNECT_SECONDS = 10.0
SEND_SECONDS = 10.0
"""A slot that takes longer rests: an idempotent producer by itself would try for ever."""
TOPIC_SECONDS = 3.0
"""How long a topic may be unknown, as it is for a moment after it was made."""
CLOSE_SECONDS = 10.0
BATCH_BYTES, REQUEST_BYTES = 1_000_000, 1_048_576
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


class Teller:
    """The idempotent producer, and what is done when it fails: it is given up, and the next wave makes another."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()
        self._one_by_one: set[Slot] = set()
        """Slots in which a batch was too large: the next wave finds out which row it is."""
        self._closing: set[asyncio.Task[None]] = set()

    async def send(self, rows: Sequence[OutboxRow]) -> Sent:
        """A slot that fails rests, and so does what stands behind a row that can never be sent."""
        sent, slots = Sent(), dict[Slot, list[OutboxRow]]()
        for row in rows:
            slots.setdefault(row.slot, []).append(row)
        try:
            producer = await self._connected()
        except (KafkaError, TimeoutError) as error:
            sent.resting = dict.fromkeys(slots, why(error))
            return sent
        healthy = False
        try:
            await asyncio.gather(*(self._fill(producer, slot, waiting, sent) for slot, waiting in slots.items()))
            healthy = not sent.resting
        finally:
            if not healthy:  # a batch that failed has left a gap in the producer's own numbering of its slot
                self._discard()
        return sent

    async def stop(self) -> None:
        self._discard()
        await asyncio.gather(*self._closing)

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                compression = self._settings.kafka.compression
                producer = AIOKafkaProducer(
                    **client(self._settings),
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=0,
                    max_batch_size=BATCH_BYTES,
                    max_request_size=REQUEST_BYTES,
                    compression_type=None if compression == "none" else compression,
                )
                try:
                    await asyncio.wait_for(producer.start(), CONNECT_SECONDS)
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _fill(self, producer: AIOKafkaProducer, slot: Slot, rows: Sequence[OutboxRow], sent: Sent) -> None:
        """One batch in flight: the next one leaves when all copies have this one."""
        batch_rows: Sequence[OutboxRow] = ()
        most = 1 if slot in self._one_by_one else len(rows)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                known = await asyncio.wait_for(producer.partitions_for(slot.topic), TOPIC_SECONDS)
                if slot.partition not in known:
                    raise UnknownTopicOrPartitionError
                for batch, batch_rows in _batches(producer, rows, most):
                    stored = await (await producer.send_batch(batch, slot.topic, partition=slot.partition))
                    for place, row in enumerate(batch_rows):  # -1: the broker has them, but no longer knows where
                        sent.acknowledged[row.id] = stored.offset + place if stored.offset >= 0 else None
                    faults.point("relay.sent_some")
        except TOO_LARGE as error:
            if len(batch_rows) == 1:
                sent.unsendable[batch_rows[0].id] = why(error)
            self._one_by_one.add(slot)
            sent.resting[slot] = why(error)
        except (KafkaError, TimeoutError) as error:
            sent.resting[slot] = why(error)
        else:
            self._one_by_one.discard(slot)

    def _discard(self) -> None:
        if self._producer is not None:
            closing = asyncio.create_task(_close(self._producer))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            self._producer = None


def _batches(
    producer: AIOKafkaProducer, rows: Sequence[OutboxRow], most: int
) -> Iterator[tuple[Any, Sequence[OutboxRow]]]:
    """Batches of at most 1 MB and so many rows, with the rows in each; a larger row gets its own."""
    batch, batch_rows = producer.create_batch(), list[OutboxRow]()
    for row in rows:
        record = {"timestamp": None, "key": row.key.encode(), "value": row.value, "headers": row.pairs()}
        if len(batch_rows) == most or batch.append(**record) is None:
            yield batch, batch_rows
            batch, batch_rows = producer.create_batch(), []
            batch.append(**record)
        batch_rows.append(row)
    if batch_rows:
        yield batch, batch_rows


async def _close(producer: AIOKafkaProducer) -> None:
    """Close a producer at once. Its own `stop` waits for batches, and an idempotent one tries them for ever.

    With a batch on its way `stop` ends by the cancelling of its own sender, before it has closed any connection.
    """
    if task := producer._sender.sender_task:  # noqa: SLF001 - there is no public way
        task.cancel()
    producer._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(producer.stop(), return_exceptions=True), CLOSE_SECONDS)
    await producer.client.close()
