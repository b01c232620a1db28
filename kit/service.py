"""What a service is made of, and what keeps it running: reader, relay, timers, effects, jobs, looks outside."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from fastapi import APIRouter
from uuid_utils.compat import uuid7

from contracts.topics import TOPICS
from kit import faults, gauges, metrics, rows, tables
from kit.anchors import Anchors
from kit.auth import system
from kit.bus import Bus, Subscription
from kit.clock import Clock, clock_of
from kit.db import database
from kit.effects import FAR, OPEN, Effects, Port
from kit.failures import is_transient
from kit.handlers import Handlers
from kit.health import Health
from kit.http import Authenticate, SubjectOf
from kit.jobs import ACTIVE, Job, Jobs
from kit.local import LocalSubscription
from kit.parking import Parking
from kit.processing import Processor
from kit.relay import LeaderLock, Relay, end
from kit.settings import Settings
from kit.store import Store, Unit
from kit.timers import Timers
from kit.unit import Kinds

log = structlog.get_logger(__name__)

Poll = Callable[[], Awaitable[bool]]
"""A look at the outside world; True when there was something to do."""

POLL_SECONDS = 0.2
NET_SECONDS = 1.0
"""Embedded, whoever commits wakes the loops that it concerns; looking again is for what another process wrote."""
JOB_REST = 2
"""A job rests after a chunk for so many times what the chunk took: two thirds of the time are everybody else's."""
GAUGE_SECONDS = 15.0
ANCHOR_SECONDS = 60.0
LEADER_SECONDS = 2.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Service:
    """One service, put together and not started; its app.py builds it."""

    name: str
    settings: Settings
    store: Store
    handlers: Handlers
    metadata: sa.MetaData
    router: APIRouter
    tells: Sequence[str] = ()
    """The topics that it owns."""
    ports: Mapping[str, Port] = field(default_factory=dict)
    jobs: Mapping[str, Job] = field(default_factory=dict)
    """Its kinds of long work."""
    polls: Mapping[str, Poll] = field(default_factory=dict)
    seed: Callable[[Unit], None] | None = None
    """What must be there from the first start on; harmless when done again."""
    seed_needs: Callable[[Unit], Any] = lambda _: ()
    prepare: Callable[[], Awaitable[None]] | None = None
    """What must be read from the own database before anything runs."""
    authenticate: Authenticate | None = None
    """Finds out who asks where a bearer token is not the only way in."""
    subject_of: SubjectOf = lambda _, subject: subject
    """Under which subject a refusal stands in the audit, where that is not the id in the path."""


def open_store(
    name: str,
    settings: Settings,
    repositories: Kinds,
    clock: Clock | None = None,
    new_id: Callable[[], UUID] | None = None,
) -> Store:
    """The store of a service on the database that its settings name."""
    db = database(settings.database(name), settings.pool_size)
    return Store(name, db, repositories, clock or clock_of(settings.clock), new_id or uuid7, system(name))


class Runtime:
    """A service at work on a bus."""

    def __init__(self, service: Service, bus: Bus) -> None:
        self.service, self.bus = service, bus
        store, handlers, name = service.store, service.handlers, service.name
        compacted = [topic.name for topic in TOPICS.values() if topic.cleanup == "compact"]
        self.relay = Relay(name, store.db, bus, store.clock, compacted)
        self.leader = LeaderLock(name, store.db)
        self.processor = Processor(name, store, handlers)
        self.timers = Timers(name, store, handlers)
        self.parking = Parking(name, store, handlers)
        lease = timedelta(seconds=service.settings.lease_seconds)
        self.effects = Effects(store, handlers, service.ports, lease)
        self.anchors = Anchors(store, service.settings)
        self.jobs = Jobs(store, service.jobs, lease)
        self.health = Health(name)
        self.health.starting = True
        self.subscription: Subscription | None = None
        self.due: datetime | None = None
        """The earliest stored time of timers, effects and parked keys, when `quiet` last asked."""
        self._settled_at = -1
        self._look_again = POLL_SECONDS if service.settings.bus == "kafka" else NET_SECONDS
        self._changed = {name: asyncio.Event() for name in store.due_changed}
        for name, changed in self._changed.items():
            store.due_changed[name].append(changed.set)
        self._tasks: list[asyncio.Task[None]] = []
        store.told.append(self.relay.kick)

    async def start(self) -> None:
        """Seed, listen and start the loops; returns when they run."""
        service = self.service
        if service.seed is not None:
            await service.store.run(service.store.actor, service.seed, needs=service.seed_needs)
        if service.prepare is not None:
            await service.prepare()
        if service.handlers.topics:
            self.subscription = self.bus.listen(
                service.name,
                service.handlers.topics,
                self.processor.deliver,
                self.processor.positions,
                batch_max=service.settings.batch_max,
            )
        loops: dict[str, Callable[[], Awaitable[None]]] = {"relay": self._relay, "timers": self._timers}
        loops["gauges"], loops["anchors"], loops["beat"] = self._gauges, self._anchors, self.health.beat
        loops["guard"] = lambda: self.health.guard(self.lag, self.position)
        self.health.check("database", self._writable)
        if service.ports:
            loops["effects"] = self._effects
        if service.jobs:
            loops["jobs"] = self._jobs
        for name, poll in service.polls.items():
            loops[name] = lambda poll=poll: self._poll(poll)  # type: ignore[misc]
        for name, loop in loops.items():
            task = asyncio.create_task(self._forever(name, loop), name=f"{service.name}:{name}")
            self.health.watch(name, lambda task=task: not task.done())  # type: ignore[misc]
            self._tasks.append(task)
        self.health.starting = False

    async def stop(self) -> None:
        """Stop fetching, end what runs, tell what is left; being killed at any step is harmless."""
        if self.subscription is not None:
            await self.subscription.stop()
        faults.point("shutdown.consumers_stopped")
        for task in self._tasks:
            if not task.get_name().endswith(":relay"):
                await end(task)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._drained(), STOP_SECONDS / 2)
        faults.point("shutdown.relay_flushed")
        for task in self._tasks:
            await end(task)
        await self.leader.release()
        for port in self.service.ports.values():
            await port.close()
        await self.service.store.db.close()

    def idle(self) -> bool:
        """Nothing to read or to tell as far as known in memory."""
        reading = isinstance(self.subscription, LocalSubscription) and not self.subscription.idle()
        return not (reading or self.effects.running or self.relay.kicked)

    async def quiet(self) -> bool:
        """Nothing to read, to tell, to send, and nothing due: only time can bring work."""
        store = self.service.store
        if not self.idle():
            return False
        if store.transactions != self._settled_at:
            asked_at = store.transactions
            at_work, self.due = await store.glance(standing)
            self._settled_at = asked_at if not at_work and store.transactions == asked_at else -1
        return self._settled_at >= 0 and not _has_come(self.due, store.clock)

    async def _forever(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Keep one loop going: a passing failure waits, a bug is loud, and both are tried again."""
        while True:
            try:
                await loop()
            except Exception as error:  # noqa: BLE001 - a loop of the kernel never ends
                level = log.warning if is_transient(error) else log.error
                level("loop failed", loop=name, service=self.service.name, error=type(error).__name__, exc_info=error)
                await asyncio.sleep(1)

    async def _relay(self) -> None:
        poll = 0.05 if self.service.settings.bus == "kafka" else POLL_SECONDS
        until = 0.0
        while True:
            if time.monotonic() >= until:
                while not await self.leader.acquire():
                    metrics.RELAY_LEADER.labels(self.service.name).set(0)
                    await asyncio.sleep(LEADER_SECONDS)
                metrics.RELAY_LEADER.labels(self.service.name).set(1)
                until = time.monotonic() + LEADER_SECONDS
            if await self.relay.wave() < self.relay.most:
                await self.relay.wait(poll)  # whatever was told meanwhile has kicked, and ends it at once

    async def _timers(self) -> None:
        changed = self._changed["timers"]
        clock = self.service.store.clock
        while True:
            changed.clear()
            due = _earliest(await self.service.store.glance(lambda db: rows.instants(db, WAITING)))
            if not (_has_come(due, clock) and (await self.timers.fire() or await self.parking.retry_due())):
                await self._until(changed, due)

    async def _effects(self) -> None:
        changed = self._changed["effects"]
        clock = self.service.store.clock
        while True:
            changed.clear()
            due = await self.effects.next_due()
            if not (_has_come(due, clock) and await self.effects.send_due()):
                await self._until(changed, due)

    async def _jobs(self) -> None:
        changed = self._changed["jobs"]
        clock = self.service.store.clock
        while True:
            changed.clear()
            due, began = await self.jobs.next_due(), time.monotonic()
            if _has_come(due, clock) and await self.jobs.work():
                await asyncio.sleep(JOB_REST * (time.monotonic() - began))
            else:
                await self._until(changed, due)

    async def _poll(self, poll: Poll) -> None:
        while True:
            if not await poll():
                await asyncio.sleep(POLL_SECONDS)

    async def _gauges(self) -> None:
        while True:
            await gauges.read(self.service.name, self.service.store)
            await asyncio.sleep(GAUGE_SECONDS)

    async def _anchors(self) -> None:
        while True:
            due = await self.anchors.keep()
            await self.service.store.clock.wait_until(due, ANCHOR_SECONDS)

    async def _until(self, changed: asyncio.Event, due: datetime | None) -> None:
        """Until something was committed here, the due time has come, or the next poll.

        What is due already, and yet was not done, is at work elsewhere: it is looked for again at the poll.
        """
        clock = self.service.store.clock
        await clock.wait_until(None if _has_come(due, clock) else due, self._look_again, changed)

    async def _drained(self) -> None:
        while not await self.relay.drain(STOP_SECONDS):  # noqa: ASYNC110 - ends by its time limit
            await asyncio.sleep(0.05)

    def lag(self) -> dict[Hashable, int]:
        return dict(self.subscription.lag()) if self.subscription else {}

    def position(self) -> dict[Hashable, int]:
        return dict(self.subscription.position()) if self.subscription else {}

    async def _writable(self) -> str | None:
        """Whether the own database takes a write; a broker that is away is no reason to refuse requests."""
        own = [("health", "", 0, 0)]
        columns = ("reader", "topic", "partition", "next_offset")
        await self.service.store.db.transact(lambda db: rows.upsert(db, tables.positions, columns, own))
        return None


_e = tables.effects
_waiting = (
    sa.select(sa.func.min(tables.timers.c.due_at).label("due")),
    sa.select(sa.func.min(tables.parked_keys.c.retry_at)),
)
WAITING = sa.union_all(*_waiting)
_at_work = (
    sa.exists(sa.select(tables.outbox.c.id)),
    sa.exists(sa.select(tables.jobs.c.id).where(rows.said(tables.jobs.c.state, ACTIVE))),
)
_due = (
    *_waiting,
    sa.select(sa.func.min(_e.c.due_at)).where(
        rows.said(_e.c.state, OPEN), rows.said(_e.c.state, ("ready", "unknown")), _e.c.due_at < FAR
    ),
    sa.select(sa.func.min(_e.c.lease_until)).where(rows.said(_e.c.state, OPEN), rows.said(_e.c.state, ("sending",))),
)
AT_WORK, DUE = sa.select(sa.or_(*_at_work)), sa.union_all(*_due)


def standing(db: sa.Connection) -> tuple[bool, datetime | None]:
    """Whether something is unsent or a job is at work, and when the next thing is due."""
    ((at_work,),) = rows.fetch(db, AT_WORK, {})
    return bool(at_work), _earliest(rows.instants(db, DUE))


def _earliest(dues: Sequence[datetime | None]) -> datetime | None:
    return min(filter(None, dues), default=None)


def _has_come(due: datetime | None, clock: Clock) -> bool:
    return due is not None and due <= clock.now()


def main(build: Callable[[Any], Service], settings_of: type[Settings]) -> None:
    """Run one service as a process of its own; what every service's __main__.py calls."""
    from kit.serve import run  # the embedded hub has a roof of its own

    run(build, settings_of.load())
