"""One service on a stage: given what it heard, what does it tell? On a real database, with a clock that is moved."""

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Protocol, Self
from uuid import UUID, uuid5

import httpx
import sqlalchemy as sa

from contracts import catalogue
from contracts.event import EVENTS, Event
from contracts.topics import SERVICE_OF
from kit import tables
from kit.auth import Principal, Scope, Signer
from kit.bus import Abandon, Bus, Deliver, OutboxRow, Positions, Record, Subscription
from kit.clock import ManualClock
from kit.effects import Effects
from kit.jobs import Jobs
from kit.outbox import Cause, headers, seal
from kit.parking import Parking
from kit.processing import Processor
from kit.service import Service
from kit.settings import Settings
from kit.store import Needs, Store, Unit
from kit.timers import Timers

MONDAY_MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
SPACE = UUID("0197f000-0000-7000-8000-000000000000")
assert catalogue  # noqa: S101 - imported for what it does: EVENTS is complete


class Build(Protocol):
    """A service's app.build."""

    def __call__(
        self, settings: Any, clock: ManualClock | None = None, new_id: Callable[[], UUID] | None = None
    ) -> Service: ...


def numbered_ids() -> Callable[[], UUID]:
    """Ids that look like ours (version 7) and are the same in every run."""
    numbers = count(1)
    return lambda: UUID(int=(0x0197F000 << 96) + (7 << 76) + (2 << 62) + next(numbers))


def wire(fact: Event, event_id: UUID, at: datetime, sequence: int, offset: int) -> Record:
    """A fact as a topic delivers it."""
    told = seal(fact, event_id, at, Cause(str(event_id), "test"))
    source = SERVICE_OF[fact.owner]
    pairs = [(name, value.encode()) for name, value in headers(source, told, sequence).items()]
    return Record(fact.topic, 0, offset, told.key.encode(), pairs, told.value)


class Stage:
    """A service without its surroundings: the test is every other service, the clock and the partner."""

    def __init__(self, service: Service, clock: ManualClock, signer: Signer) -> None:
        self.service, self.clock, self.signer = service, clock, signer
        self.store: Store = service.store
        self.processor = Processor(service.name, service.store, service.handlers)
        self.timers = Timers(service.name, service.store, service.handlers)
        self.parking = Parking(service.name, service.store, service.handlers)
        self.effects = Effects(service.store, service.handlers, service.ports)
        self.jobs = Jobs(service.store, service.jobs)
        self._sequences: dict[tuple[str, str], int] = {}
        self._offsets = count(1)
        self._seen = 0

    @classmethod
    async def open(
        cls,
        build: Build,
        folder: Path,
        *,
        settings: type[Settings] = Settings,
        database_url: str | None = None,
        at: datetime = MONDAY_MORNING,
        **options: Any,
    ) -> Self:
        """Build the service on an empty database and seed it."""
        clock, signer = ManualClock(at), Signer.new("https://stage.example")
        jwks = folder / "jwks.json"
        signer.write_jwks(jwks)
        url = database_url or f"sqlite:///{folder}/{{service}}.db"
        made = settings(data_dir=folder, database_url=url, jwks_file=jwks, issuer=signer.issuer, **options)
        service = build(made, clock, numbered_ids())
        await service.store.db.transact(service.metadata.drop_all)
        await service.store.db.transact(service.metadata.create_all)
        stage = cls(service, clock, signer)
        if service.seed is not None:
            await service.store.run(service.store.actor, service.seed, needs=service.seed_needs)
        return stage

    async def hears(self, *facts: Event) -> None:
        """Deliver facts in one batch, each of them twice, and the batch once more: a broker may repeat itself."""
        batch = [record for fact in facts for record in [self.record(fact)] * 2]
        await self.processor.deliver(batch, Abandon())
        await self.processor.deliver(batch, Abandon())

    async def hears_forget(self, fact: type[Event], key: str) -> None:
        """Deliver a tombstone of a compacted topic."""
        sequence = self._sequences[fact.topic, key] = self._sequences.get((fact.topic, key), 0) + 1
        made = {
            "ce_specversion": "1.0",
            "ce_id": str(uuid5(SPACE, f"{fact.topic}/{key}/{sequence}")),
            "ce_type": fact.ce_type,
            "ce_source": SERVICE_OF[fact.owner],
            "ce_sequence": str(sequence),
            "ce_time": self.clock.now().isoformat(),
        }
        pairs = [(name, value.encode()) for name, value in made.items()]
        await self.processor.deliver([Record(fact.topic, 0, next(self._offsets), key.encode(), pairs, None)], Abandon())

    def record(self, fact: Event) -> Record:
        """The next record of this fact's topic and key."""
        slot = (fact.topic, fact.key())
        self._sequences[slot] = sequence = self._sequences.get(slot, 0) + 1
        event_id = uuid5(SPACE, f"{fact.topic}/{fact.key()}/{sequence}")
        return wire(fact, event_id, self.clock.now(), sequence, next(self._offsets))

    async def told(self) -> list[Event]:
        """Every fact told so far, in order; tombstones are left out."""
        return [EVENTS[row.headers["ce_type"]].from_json(row.value) for row in await self.rows("outbox") if row.value]

    async def told_since(self) -> list[Event]:
        """The facts told since this was last asked."""
        told = await self.told()
        new, self._seen = told[self._seen :], len(told)
        return new

    async def run(
        self, command: Callable[[Unit], Any], *, needs: Needs = (), principal: Principal | None = None
    ) -> Any:
        """Do a command as a request would."""
        return await self.store.run(principal or self.store.actor, command, needs=needs)

    async def passes(self, time: timedelta | None = None, *, until: datetime | None = None) -> None:
        """Let time go by, stopping at whatever falls due on the way."""
        end = until or self.clock.now() + (time or timedelta())
        while True:
            while await self.timers.fire() or await self.parking.retry_due():
                pass
            due = [at for at in (await self.timers.next_due(), await self._parked_due()) if at is not None]
            if not due or min(due) > end:
                break
            self.clock.set(max(self.clock.now(), min(due)))
        self.clock.set(end)

    async def delivers(self) -> None:
        """Let the effects worker send what is due, until nothing is."""
        while (due := await self.effects.next_due()) is not None and due <= self.clock.now():
            if not await self.effects.send_due():
                break

    async def works(self) -> None:
        """Let the jobs worker go on, chunk by chunk, until no job is left."""
        while await self.jobs.work():
            pass

    async def rows(self, table: str) -> Sequence[sa.Row[Any]]:
        """All rows of a table, in the order of its primary key."""
        found = self.service.metadata.tables[table]
        return await self.store.read(lambda db: db.execute(sa.select(found).order_by(*found.primary_key)).all())

    async def anomalies(self) -> list[str]:
        return [row.code for row in await self.rows("anomalies")]

    async def parked(self) -> list[str]:
        """Key and error of what is parked."""
        return [f"{row.key}: {row.error}" for row in await self.rows("parked_keys")]

    def http(self, role: str, *, name: str = "anna", scope: Scope | None = None) -> httpx.AsyncClient:
        """A client that speaks as this person."""
        from kit.http import web

        token = self.signer.person(f"person:local:{name}", [role], scope, self.clock.now())
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(web(self.service, authenticate=self.service.authenticate)),
            base_url="http://localhost",
            headers={"Authorization": f"Bearer {token}"},
        )

    async def close(self) -> None:
        await self.store.db.close()

    async def _parked_due(self) -> datetime | None:
        return await self.store.read(lambda db: db.scalar(sa.select(sa.func.min(tables.parked_keys.c.retry_at))))


class ShufflingBus:
    """A bus that repeats itself and mixes topics and keys; only the order inside one topic and key is left."""

    def __init__(self, bus: Bus, seed: int) -> None:
        self.bus, self.random = bus, random.Random(seed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bus, name)

    async def send(self, rows: Sequence[OutboxRow]) -> Any:
        return await self.bus.send(rows)

    def listen(
        self, reader: str, topics: Sequence[str], deliver: Deliver, positions: Positions, *, batch_max: int = 500
    ) -> Subscription:
        async def shuffled(records: Sequence[Record], abandon: Abandon) -> None:
            mixed = self.mix(records)
            if self.random.random() < 0.3:  # held back: the others go first
                await asyncio.sleep(0)
            await deliver(mixed, abandon)
            if self.random.random() < 0.3:
                await deliver(self.mix(records), abandon)

        return self.bus.listen(reader, topics, shuffled, positions, batch_max=batch_max)

    def mix(self, records: Iterable[Record]) -> list[Record]:
        """Another order that is allowed: keys against each other, never inside one."""
        lines: dict[tuple[str, bytes | None], list[Record]] = {}
        for record in records:
            lines.setdefault((record.topic, record.key), []).append(record)
        mixed = []
        while lines:
            line = self.random.choice(sorted(lines, key=repr))
            mixed.append(lines[line].pop(0))
            if not lines[line]:
                del lines[line]
        return mixed
