"""The world outside of a simulated process, which survives its crashes: a log with slots, and a gateway that lies."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from contracts.topics import Topic
from kit.bus import Deliver, OutboxRow, Positions, Record, Sent, Slot, Subscription
from kit.effects import Done, Outcome, Transient, Unknown

Meanwhile = Callable[[], Awaitable[None]]
"""What else happens while somebody waits for an answer from outside."""


class Sea:
    """A broker in memory: at least once, in order per slot, and its answers get lost."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.slots: dict[Slot, list[Record]] = defaultdict(list)
        self.told_order: list[tuple[str, str, int]] = []
        self.committed: dict[Slot, int] = {}
        """Offsets of the one reader's group."""
        self.calm = False
        """No more faults: the run comes to rest."""

    def append(self, row: OutboxRow) -> int:
        slot = self.slots[row.slot]
        slot.append(Record(row.topic, row.partition, len(slot), row.key.encode(), row.pairs(), row.value))
        self.told_order.append((row.topic, row.key, row.sequence))
        return len(slot) - 1


class SimulatedBus:
    """One process's connection to the sea."""

    def __init__(self, sea: Sea, meanwhile: Meanwhile) -> None:
        self.sea, self.meanwhile = sea, meanwhile

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def provision(self, topics: Iterable[Topic]) -> None: ...

    async def send(self, rows: Sequence[OutboxRow]) -> Sent:
        """Per slot everything, a part, or everything with the answer lost; meanwhile other things happen."""
        sent = Sent()
        await self.meanwhile()
        for slot in dict.fromkeys(row.slot for row in rows):
            waiting = [row for row in rows if row.slot == slot]
            how = 1.0 if self.sea.calm else self.sea.random.random()
            reaches = waiting[: self.sea.random.randint(0, len(waiting))] if how < 0.1 else waiting
            for row in reaches:
                offset = self.sea.append(row)
                if how > 0.2:
                    sent.acknowledged[row.id] = offset
            if how <= 0.2:
                sent.resting[slot] = "timeout"
        await self.meanwhile()
        return sent

    def told(self, topics: Iterable[str]) -> None: ...

    async def ends(self, topics: Iterable[str]) -> Mapping[Slot, int]:
        wanted = set(topics)
        return {slot: len(records) for slot, records in self.sea.slots.items() if slot.topic in wanted}

    def listen(
        self, reader: str, topics: Sequence[str], deliver: Deliver, positions: Positions, *, batch_max: int = 500
    ) -> Subscription:
        raise RuntimeError("the simulation reads for itself")


class Gateway:
    """Counts what it was asked to do per reference, and lies about it: accepts and loses the answer, or is away."""

    repeatable = False
    retry: Sequence[timedelta] = (timedelta(minutes=1),) * 500

    def __init__(self, random: Random) -> None:
        self.random = random
        self.calls: Counter[str] = Counter()
        self.calm = False

    def ring(self, reference: str) -> None:
        """What a call does, as the other side sees it."""
        self.calls[reference] += 1


class GatewayPort:
    """One process's line to the gateway."""

    repeatable, retry = Gateway.repeatable, Gateway.retry

    def __init__(self, gateway: Gateway, meanwhile: Meanwhile) -> None:
        self.gateway, self.meanwhile = gateway, meanwhile

    async def send(self, reference: str, payload: Mapping[str, Any]) -> Outcome:
        await self.meanwhile()
        how = 1.0 if self.gateway.calm else self.gateway.random.random()
        if how < 0.15:
            return Transient("busy")
        self.gateway.ring(reference)
        await self.meanwhile()
        return Unknown("timeout") if how < 0.4 else Done(reference)

    async def ask(self, reference: str) -> Outcome | None:
        return Done(reference) if self.gateway.calls[reference] else Transient("not there")

    async def close(self) -> None: ...
