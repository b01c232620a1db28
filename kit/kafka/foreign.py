"""Clusters that are not the hub's: topics of in-house partners are read and written with settings of their own."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context

from kit.errors import Unavailable
from kit.kafka.client import BACKOFF_MS, REQUEST_MS, limit_logs, why

CONNECT_SECONDS = 10.0
SEND_SECONDS = 15.0
MOST = 20
"""Records of one look."""
LOOK_MS = 100


@dataclass(frozen=True, slots=True)
class Place:
    """How one cluster is reached."""

    servers: str
    protocol: str
    mechanism: str
    user: str | None
    password: str | None
    ca_file: Path | None

    def options(self) -> dict[str, Any]:
        """What every client of this cluster takes."""
        found: dict[str, Any] = {
            "bootstrap_servers": self.servers.split(","),
            "request_timeout_ms": REQUEST_MS,
            "retry_backoff_ms": BACKOFF_MS,
            "security_protocol": self.protocol,
        }
        if self.protocol != "PLAINTEXT":
            found["ssl_context"] = create_ssl_context(cafile=str(self.ca_file) if self.ca_file else None)
        if self.protocol == "SASL_SSL":
            found |= {"sasl_mechanism": self.mechanism, "sasl_plain_username": self.user}
            found["sasl_plain_password"] = self.password
        return found


class Taken(NamedTuple):
    """One record of a topic."""

    topic: str
    partition: int
    offset: int
    value: bytes


class ForeignReader:
    """Reads one topic as a member of our own group there. Connects when it is needed, anew after every failure."""

    def __init__(self, place: Place, topic: str, group: str) -> None:
        self._place, self._topic, self._group = place, topic, group
        self._consumer: AIOKafkaConsumer | None = None

    async def take(self) -> Sequence[Taken]:
        """What lies behind the last committed offset, in order. Raises Unavailable while no broker answers."""
        try:
            consumer = await self._connected()
            found = await consumer.getmany(timeout_ms=LOOK_MS, max_records=MOST)
        except (KafkaError, TimeoutError) as error:
            await self.stop()
            raise Unavailable(f"the partner's cluster does not answer: {why(error)}") from error
        return [
            Taken(record.topic, record.partition, record.offset, record.value or b"")
            for records in found.values()
            for record in records
        ]

    async def done(self, taken: Taken) -> None:
        """What is stored is not read again. Raises Unavailable."""
        if self._consumer is None:
            return
        try:
            await self._consumer.commit({TopicPartition(taken.topic, taken.partition): taken.offset + 1})
        except KafkaError as error:
            await self.stop()
            raise Unavailable(f"the partner's cluster does not answer: {why(error)}") from error

    async def stop(self) -> None:
        """Leave; the next look begins at the committed offset."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            limit_logs()
            consumer = AIOKafkaConsumer(
                self._topic,
                **self._place.options(),
                group_id=self._group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
            )
            try:
                await asyncio.wait_for(consumer.start(), CONNECT_SECONDS)
            except BaseException:
                await consumer.stop()
                raise
            self._consumer = consumer
        return self._consumer


class ForeignWriter:
    """Writes to topics of one cluster; each record is acknowledged by all its copies."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()

    async def write(self, topic: str, key: str | None, value: bytes, headers: Mapping[str, str]) -> str:
        """Write one record; returns where it stands. Raises Unavailable where that is not known."""
        pairs = [(name, text.encode()) for name, text in headers.items()]
        try:
            producer = await self._connected()
            sent = producer.send_and_wait(topic, value, key=key.encode() if key else None, headers=pairs)
            stored = await asyncio.wait_for(sent, SEND_SECONDS)
        except (KafkaError, TimeoutError) as error:
            await self.stop()
            raise Unavailable(f"the partner's cluster does not answer: {why(error)}") from error
        return f"{stored.topic}/{stored.partition}/{stored.offset}"

    async def stop(self) -> None:
        """Let go of connections."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                limit_logs()
                producer = AIOKafkaProducer(**self._place.options(), acks="all", enable_idempotence=True)
                try:
                    await asyncio.wait_for(producer.start(), CONNECT_SECONDS)
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer
