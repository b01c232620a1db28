"""A reader of Kafka: FastStream fetches, we decide where to start, what is durable and which offsets are committed."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import ConsumerStoppedError, KafkaError, UnknownTopicOrPartitionError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER

from kit import faults
from kit.bus import Abandon, Abandoned, Deliver, Positions, Record, Slot
from kit.errors import Unavailable
from kit.kafka.client import administration, client, why
from kit.settings import Settings

log = structlog.get_logger(__name__)

START_SECONDS = 2.0
"""Between two tries to reach a broker; there is no last one."""
LEAVE_SECONDS = 10.0
"""What a batch at work gets before its slots, or the process, go."""


class KafkaSubscription(ConsumerRebalanceListener):  # type: ignore[misc]
    """A reader: one FastStream subscriber over all its topics, whose batches and offsets are in our own hands."""

    def __init__(
        self,
        settings: Settings,
        reader: str,
        topics: Sequence[str],
        deliver: Deliver,
        positions: Positions,
        batch_max: int,
    ) -> None:
        self.reader, self.topics = reader, topics
        self._settings, self._batch_max = settings, batch_max
        self._deliver, self._positions = deliver, positions
        self._next: dict[Slot, int] = {}
        self._abandon = Abandon()
        self._batch_lock = asyncio.Lock()
        """Held by a batch at work, and by a rebalance from the loss of the old slots to the start of the new ones."""
        self._rebalancing = False
        self._generation = 0
        self._stopping = False
        self._cut_off = False
        """A batch was cut off in the middle: nothing behind it may be read, for that would commit beyond it."""
        self._broker = self._subscribed()
        self._task = asyncio.create_task(self._start(), name=f"start:{reader}")

    def lag(self) -> Mapping[Slot, int]:
        ends = {slot: self._end(slot) for slot in self._next}
        return {slot: max(0, end - self._next[slot]) for slot, end in ends.items() if end is not None}

    def position(self) -> Mapping[Slot, int]:
        return dict(self._next)

    async def stop(self) -> None:
        """Stop fetching; a batch at work ends or is cancelled within ten seconds."""
        if self._stopping:
            return
        self._stopping = True
        self._abandon.set()
        if self._rebalancing:
            self._go_on({})  # a batch that waits for the end of this rebalance need not wait any longer
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        await self._broker.stop()

    def _subscribed(self) -> KafkaBroker:
        kafka, instance = self._settings.kafka, self._settings.instance
        broker = KafkaBroker(
            **client(self._settings),
            client_id=self.reader,
            consumer_only=True,
            allow_auto_create_topics=False,
            graceful_timeout=LEAVE_SECONDS,
            apply_types=False,
            logger=None,
        )
        self._subscriber = broker.subscriber(
            *self.topics,
            group_id=self.reader,
            group_instance_id=instance and f"{self.reader}-{instance}",
            batch=True,
            batch_timeout_ms=20,
            max_records=self._batch_max,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=kafka.session_timeout_ms,
            heartbeat_interval_ms=1_000,
            max_poll_interval_ms=600_000,
            fetch_max_wait_ms=self._settings.fetch_wait_ms,
            max_partition_fetch_bytes=262_144,
            fetch_max_bytes=8_388_608,
            check_crcs=True,
            listener=self,
            parser=_untouched,
            decoder=_undecoded,
            no_reply=True,
        )
        self._subscriber(self._take)
        return broker

    async def _start(self) -> None:
        """Start as soon as a broker answers and has the topics, however long that takes."""
        while True:
            try:
                await self._await_topics()
                await self._broker.start()
            except (Unavailable, KafkaError, TimeoutError) as error:
                log.warning("Kafka cannot be reached", reader=self.reader, error=why(error))
                await self._broker.stop()
                self._broker = self._subscribed()
            else:
                return
            await asyncio.sleep(START_SECONDS)

    async def _await_topics(self) -> None:
        """Raises UnknownTopicOrPartitionError: a consumer would look only every five minutes whether they are there."""
        async with administration(self._settings) as admin:
            if not set(self.topics) <= set(await admin.list_topics()):
                raise UnknownTopicOrPartitionError

    async def _take(self, fetched: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """Deliver one batch, then commit exactly its offsets."""
        generation = self._generation
        async with self._batch_lock:
            if generation != self._generation or self._cut_off:
                return  # its slots were taken away before it began; whoever has them now reads it again
            self._cut_off = True  # and so it stays if the delivery ends in none of the ways below
            try:
                await self._deliver([_record(each) for each in fetched], self._abandon)
            except Abandoned:
                self._cut_off = False
                return
            except Exception as error:  # FastStream would swallow it and read on: a lost batch
                log.exception("batch was not delivered", reader=self.reader, error=why(error))
                await asyncio.sleep(1)
                self._read_again(fetched)
                self._cut_off = False
                return
            self._cut_off = False
            await self._commit(fetched)

    async def _commit(self, fetched: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        ends = {Slot(each.topic, each.partition): each.offset + 1 for each in fetched}
        self._next.update({slot: end for slot, end in ends.items() if slot in self._next})
        try:
            await self._consumer.commit({TopicPartition(*slot): end for slot, end in ends.items()})
        except (KafkaError, ConsumerStoppedError) as error:  # harmless: what is read again is known to the inbox
            log.warning("offsets were not committed", reader=self.reader, error=why(error))
        faults.point("consume.offset_committed")

    def _read_again(self, fetched: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        for each in reversed(fetched):
            with suppress(KafkaError):  # taken away meanwhile
                self._consumer.seek(TopicPartition(each.topic, each.partition), each.offset)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Let the batch at work end, at most ten seconds; then no other begins until the new slots are known."""
        del revoked  # eager protocol: everything is
        self._abandon.set()
        if not self._rebalancing:
            try:
                await asyncio.wait_for(self._batch_lock.acquire(), LEAVE_SECONDS)
                self._rebalancing = True
            except TimeoutError:  # it can do no harm: its inbox rows conflict, and its offsets are refused
                log.warning("batch did not end in time", reader=self.reader)
        faults.point("rebalance.revoked")

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Start each slot where database and group agree that nothing before it is missing."""
        while not self._stopping:
            try:
                starts = await self._starts(assigned)
            except Exception as error:  # noqa: BLE001 - database or broker are gone: without them no start is right
                log.warning("start positions are not known", reader=self.reader, error=why(error))
                await asyncio.sleep(1)
                continue
            for slot, offset in starts.items():
                self._consumer.seek(TopicPartition(*slot), offset)
            self._go_on(starts)
            return

    async def _starts(self, assigned: Collection[TopicPartition]) -> Mapping[Slot, int]:
        """The lower of committed offset and own position; the beginning where one of the two is unknown or not there.

        A restored older database so rewinds its reader, and a topic that was lost is read from its start.
        """
        own = await self._positions()
        committed = await asyncio.gather(*(self._consumer.committed(slot) for slot in assigned))
        first = await self._consumer.beginning_offsets(assigned)
        ends = await self._consumer.end_offsets(assigned)
        starts = {}
        for slot, told in zip(assigned, committed, strict=True):
            start = min(own.get(Slot(*slot), 0), told or 0)
            starts[Slot(*slot)] = start if first[slot] <= start <= ends[slot] else first[slot]
        return starts

    def _go_on(self, starts: Mapping[Slot, int]) -> None:
        self._next, self._abandon = dict(starts), Abandon()
        self._generation += 1
        if self._rebalancing:
            self._rebalancing = False
            self._batch_lock.release()

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        consumer = self._subscriber.consumer
        if consumer is None:
            raise ConsumerStoppedError
        return consumer

    def _end(self, slot: Slot) -> int | None:
        consumer, place = self._subscriber.consumer, TopicPartition(*slot)
        return consumer.highwater(place) if consumer and place in consumer.assignment() else None


async def _untouched(fetched: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaMessage:
    """FastStream's own parser decodes headers, and a null or broken one would cost the whole batch."""
    return KafkaMessage(body=b"", raw_message=fetched, consumer=FAKE_CONSUMER)


async def _undecoded(message: KafkaMessage) -> Any:
    return message.raw_message


def _record(fetched: ConsumerRecord[bytes, bytes]) -> Record:
    return Record(fetched.topic, fetched.partition, fetched.offset, fetched.key, fetched.headers, fetched.value)
