"""What carries facts from service to service: the protocol that the Kafka bus and the local bus both keep."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Protocol
from uuid import UUID

import orjson

from contracts.topics import Topic


class Slot(NamedTuple):
    """One partition of one topic: inside it, order is kept."""

    topic: str
    partition: int


Headers = Sequence[tuple[str, bytes | None]] | Mapping[str, str]
"""Pairs as a broker carries them, where anything may be broken, or the texts that a database of ours keeps."""


class Record(NamedTuple):
    """What a bus delivers, undecoded: anything in it may be broken."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: Headers
    value: bytes | None

    @property
    def slot(self) -> Slot:
        return Slot(self.topic, self.partition)

    def header_texts(self) -> list[tuple[str, str | None]]:
        """The headers one by one as latin-1, which keeps any bytes and gives them back."""
        if isinstance(self.headers, Mapping):
            return [(name, said.encode().decode("latin-1")) for name, said in self.headers.items()]
        return [(name, None if said is None else said.decode("latin-1")) for name, said in self.headers]


class OutboxRow(NamedTuple):
    """A fact that waits to be told, as the driver gives it. A null value is a tombstone."""

    id: int
    event_id: UUID | str
    topic: str
    partition: int
    key: str
    sequence: int
    headers: str
    """CloudEvents attributes: a JSON object of texts."""
    value: bytes | None

    @property
    def slot(self) -> Slot:
        return Slot(self.topic, self.partition)

    def pairs(self) -> list[tuple[str, bytes]]:
        """The headers as a record carries them."""
        return [(name, text.encode()) for name, text in orjson.loads(self.headers).items()]


@dataclass(slots=True)
class Sent:
    """What became of the rows of one wave."""

    acknowledged: dict[int, int | None] = field(default_factory=dict)
    """Row id to its offset in the topic; None where the bus has no offsets of its own."""
    unsendable: dict[int, str] = field(default_factory=dict)
    """Row id to the reason why it can never be sent: its key rests until a person decides."""
    resting: dict[Slot, str] = field(default_factory=dict)
    """Slots that failed for now; their unacknowledged rows are sent again whole."""


class Abandon:
    """Tells a batch at work that its slots were taken away: a waiting retry is dropped, a running transaction ends."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    async def wait(self, seconds: float) -> bool:
        """Wait at most so long; True as soon as the slots are gone."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        return True


class Abandoned(Exception):
    """The slots were taken away before the batch was durable: nothing is committed, somebody else reads it again."""


Deliver = Callable[[Sequence[Record], Abandon], Awaitable[None]]
"""When it returns, the batch is durable and the bus may commit {slot: last + 1}; else Abandoned, or cancelled."""

Positions = Callable[[], Awaitable[Mapping[Slot, int]]]
"""Where the reader's own database says it stands: next offset per slot."""


class Subscription(Protocol):
    """A running reader."""

    def lag(self) -> Mapping[Slot, int]:
        """Records not yet read per slot, as far as known in the process."""

    def position(self) -> Mapping[Slot, int]:
        """Next offset to read per slot."""

    async def stop(self) -> None:
        """Stop fetching; a batch at work ends or is cancelled within ten seconds."""


class Bus(Protocol):
    """At least once, in the order of each key."""

    async def start(self) -> None:
        """Get ready; returns at once, a broker that is away is tried again in the background."""

    async def stop(self) -> None: ...

    async def provision(self, topics: Iterable[Topic]) -> None:
        """Make missing topics; refuses to change a partition count."""

    async def send(self, rows: Sequence[OutboxRow]) -> Sent:
        """Send rows in their order per slot and wait for every acknowledgement."""

    def told(self, topics: Iterable[str]) -> None:
        """The rows have moved to `event_log`."""

    async def ends(self, topics: Iterable[str]) -> Mapping[Slot, int]:
        """Next offset that each slot will give."""

    def listen(
        self, reader: str, topics: Sequence[str], deliver: Deliver, positions: Positions, *, batch_max: int = 500
    ) -> Subscription:
        """Read from the lower of committed offset and the reader's own position; from the start where neither is."""


def murmur2(data: bytes) -> int:
    """Kafka's murmur2 (seed 0x9747b28c), as a signed 32-bit number: the hash that Java clients place keys by."""
    m, mask, length = 0x5BD1E995, 0xFFFFFFFF, len(data)
    h = 0x9747B28C ^ length
    whole = length & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    h ^= h >> 15
    return h - 0x100000000 if h & 0x80000000 else h


@lru_cache(maxsize=100_000)
def partition_of(key: str, partitions: int) -> int:
    """The slot number of a key, equal to that of Java clients."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
