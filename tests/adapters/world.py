"""Two services on one bus: the adapter tells, the tally hears; the suite runs it over both buses and both databases."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter

from contracts.codes import Fact
from contracts.event import Event
from contracts.handovers import HandoverAccepted
from contracts.ids import CaseId
from contracts.topics import TOPICS
from kit import tables
from kit.bus import Bus
from kit.clock import ManualClock
from kit.db import kernel
from kit.handlers import Handlers
from kit.local import LocalBus
from kit.service import Runtime, Service, open_store
from kit.settings import Settings
from kit.store import Unit
from kit.testing import MONDAY_MORNING
from kit.unit import Kinds
from tests.adapters import tally

LIMIT = 60.0
"""Seconds after which waiting for a condition has failed."""
READ = ("rollout.handovers", "rollout.contacts")


def case(number: int) -> CaseId:
    return CaseId(UUID(int=(0x0197F000 << 96) + (7 << 76) + (2 << 62) + number))


def accepted(number: int, attempt: int) -> HandoverAccepted:
    """The fact that the suite sends: case and a number that shows its place."""
    return HandoverAccepted(
        case_id=case(number), fact=Fact.EXCHANGE_COMPLETED, attempt=attempt, by_silence=False, by_exception=False
    )


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, never for a time."""
    end = time.monotonic() + LIMIT
    while not await condition():
        assert time.monotonic() < end, "the condition did not come true"
        await asyncio.sleep(0.02)


@dataclass
class World:
    """Where the two services stand; they can be stopped and started again on what they remember."""

    folder: Path
    urls: Mapping[str, str]
    make_bus: Callable[["World"], Bus]
    options: Mapping[str, Any] = field(default_factory=dict)
    clock: ManualClock = field(default_factory=lambda: ManualClock(MONDAY_MORNING))
    handlers: Handlers | None = None
    running: list[Runtime] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        await self.open()
        for service in (self.adapter, self.tally):
            await service.store.db.transact(service.metadata.drop_all)
            await service.store.db.transact(service.metadata.create_all)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self.adapter.store.db.close()
        await self.tally.store.db.close()

    async def open(self) -> None:
        self.adapter = teller(self._settings("mdm_adapter"), self.clock)
        self.tally = tally.build(self._settings("case_service"), self.clock, handlers=self.handlers)
        self.bus = self.make_bus(self)
        await self.bus.start()
        await self.bus.provision(
            [topic for topic in TOPICS.values() if topic.name in (*READ, "rollout.cases", "rollout.dead-letters")]
        )

    async def start(self) -> None:
        """Both at work."""
        for service in (self.adapter, self.tally):
            runtime = Runtime(service, self.bus)
            await runtime.start()
            self.running.append(runtime)

    async def stop(self) -> None:
        """Both stopped, as a deployment does; what they remember stays."""
        for runtime in reversed(self.running):
            await runtime.stop()
        if self.running:
            self.running.clear()
        await self.bus.stop()

    async def restart(self) -> None:
        await self.stop()
        await self.open()
        await self.start()

    async def tell(self, *facts: Event, by: Service | None = None) -> None:
        store = (by or self.adapter).store
        await store.run(store.actor, lambda unit: unit.tell(*facts))

    async def forget(self, fact: type[Event], key: str) -> None:
        """The tally tells the readers of contacts, itself among them, to forget."""

        def command(unit: Unit) -> None:
            unit.forget(fact, key)

        await self.tally.store.run(self.tally.store.actor, command)

    async def counted(self) -> dict[UUID, list[int]]:
        """What each case heard, in order."""
        found = await self.tally.store.read(lambda db: db.execute(sa.select(tally.tallies)).all())
        return {row.case_id: row.numbers for row in found}

    async def rows(self, service: Service, table: str) -> list[Any]:
        found = service.metadata.tables[table]
        query = sa.select(found).order_by(*found.primary_key)
        return await service.store.read(lambda db: list(db.execute(query)))

    async def quiet(self) -> bool:
        """All that was told is heard, and all that was heard is told."""

        def told(db: sa.Connection) -> set[UUID]:
            return set(db.scalars(sa.select(tables.event_log.c.event_id).where(tables.event_log.c.topic.in_(READ))))

        def heard(db: sa.Connection) -> set[UUID]:
            return set(db.scalars(sa.select(tables.inbox.c.event_id)))

        if await self._unsent(self.adapter):
            return False
        if not await self.adapter.store.read(told) <= await self.tally.store.read(heard):
            return False
        return not await self._unsent(self.tally)  # asked last: hearing comes before telling

    async def _unsent(self, service: Service) -> bool:
        return bool(await service.store.read(lambda db: db.scalar(sa.select(tables.outbox.c.id).limit(1))))

    def _settings(self, service: str) -> Settings:
        return Settings(data_dir=self.folder, database_url=self.urls[service], **self.options)


def teller(settings: Settings, clock: ManualClock) -> Service:
    """An adapter that hears nothing."""
    metadata = sa.MetaData()
    kernel(metadata)
    kinds: Kinds = {}
    store = open_store("mdm_adapter", settings, kinds, clock)
    handlers = Handlers(main=tally.Tally)
    return Service("mdm_adapter", settings, store, handlers, metadata, APIRouter(), tells=("rollout.handovers",))


def local(world: World) -> Bus:
    db = world.adapter.store.db
    own = world.tally.store.db
    return LocalBus({"rollout.handovers": db, "rollout.contacts": own, "rollout.cases": own})
