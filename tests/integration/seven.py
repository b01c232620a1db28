"""The seven services as processes of their own, and what tells from outside whether only time can bring work."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import sqlalchemy as sa

from hub.house import SERVICES, build
from kit import tables
from kit.bus import Record
from kit.clock import FileClock
from kit.db import Db, database
from kit.inbox import short, understand
from kit.service import Service, standing

REPOSITORY = Path(__file__).resolve().parents[2]
_log, _effects = tables.event_log, tables.effects
COUNTS = sa.select(
    sa.select(sa.func.count()).select_from(tables.outbox).scalar_subquery().label("unsent"),
    sa.select(sa.func.count()).select_from(tables.inbox).scalar_subquery().label("heard"),
)
SENDING = sa.select(_effects.c.id, _effects.c.attempts).where(_effects.c.state == "sending")
LAST_SECONDS = 30.0
"""How long what a killed process sent last may be carried out."""
OTHERS = sa.text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


class Seven:
    """Processes, each on its own port and database, all on one Kafka and one clock file."""

    def __init__(
        self, clock: FileClock, addresses: Mapping[str, str], options: Mapping[str, Any], log: IO[bytes]
    ) -> None:
        self.clock, self.addresses, self.options, self.log = clock, addresses, options, log
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.services: dict[str, Service] = {name: build(name, options, clock) for name in SERVICES}
        self.databases: dict[str, Db] = {
            name: database(service.settings.database(name), pool_size=1) for name, service in self.services.items()
        }
        self.waves = 0
        self._due: datetime | None = None
        self._read = Counter[str]()
        self._meant = Counter[str]()
        self._orphans = set[tuple[UUID, int]]()
        """What was on its way when its sender was killed: only the end of its lease, a matter of time, brings it on."""

    def start(self, name: str) -> None:
        """Start one service as a supervisor would."""
        known = type(self.services[name].settings).model_fields
        given = {f"HUB_{option.upper()}": _text(value) for option, value in self.options.items() if option in known}
        environment = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")} | given
        environment |= {"HUB_PORT": self.addresses[short(name)].rpartition(":")[2], "HUB_INSTANCE": "one"}
        command = [sys.executable, "-m", f"services.{name}"]
        self.running[name] = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )

    async def kill(self, name: str) -> None:
        """The end without a farewell."""
        process = self.running[name]
        assert process.poll() is None, f"{name} ended by itself: exit code {process.returncode}"
        process.send_signal(signal.SIGKILL)
        process.wait()
        db = self.databases[name]
        async with asyncio.timeout(LAST_SECONDS):
            while await db.read(lambda db: db.scalar(OTHERS)):  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.01)
        self._orphans |= set(await db.read(_sending))

    def stop(self) -> None:
        """End what still runs."""
        for process in self.running.values():
            process.kill()
            process.wait()

    async def close(self) -> None:
        """Give the databases back."""
        for name, service in self.services.items():
            await self.databases[name].close()
            await service.store.db.close()

    async def quiet(self) -> bool:
        """Whether it rests, twice in a row: what was told between two questions of one look makes it void."""
        before = self.waves
        return await self._rests() and await self._rests() and self.waves == before

    async def _rests(self) -> bool:
        """Everything told was heard by everybody it concerns, nothing is unsent, on its way or due."""
        await asyncio.gather(*(self._read_on(name) for name in self.databases))
        counts = dict(zip(self.databases, await self._ask(lambda db: db.execute(COUNTS).one()), strict=True))
        dues = await self._ask(lambda db: standing(db)[1])
        self._due = min(filter(None, dues), default=None)
        on_their_way = await self._on_their_way()
        all_heard = all(not row.unsent and row.heard >= self._meant[name] for name, row in counts.items())
        return all_heard and not any(on_their_way) and (self._due is None or self._due > self.clock.now())

    async def busy(self) -> list[str]:
        """Services with something unsent, unheard or on its way right now."""
        await asyncio.gather(*(self._read_on(name) for name in self.databases))
        counts, sending = await asyncio.gather(self._ask(lambda db: db.execute(COUNTS).one()), self._on_their_way())
        looked = zip(self.databases, counts, sending, strict=True)
        return [name for name, row, out in looked if row.unsent or out or row.heard < self._meant[name]]

    async def unrest(self) -> str:
        """Who has what left to do, for a message."""
        counts = await self._ask(lambda db: db.execute(COUNTS).one())
        dues = await self._ask(lambda db: standing(db)[1])
        looked = zip(self.databases, counts, dues, await self._on_their_way(), strict=True)
        return f"now {self.clock.now()}; " + "; ".join(
            f"{name}: unsent {row.unsent}, heard {row.heard} of {self._meant[name]}, sending {out}, due {due}, "
            f"exit code {self.running[name].poll()}"
            for name, row, due, out in looked
        )

    def next_due(self) -> datetime | None:
        return self._due

    async def _ask(self, query: Any) -> list[Any]:
        return await asyncio.gather(*(db.read(query) for db in self.databases.values()))

    async def _read_on(self, owner: str) -> None:
        """Count, for every reader, what was told since the last look and concerns it."""
        topics = self.services[owner].tells
        new = (sa.and_(_log.c.topic == topic, _log.c.position > self._read[topic]) for topic in topics)
        columns = (_log.c.topic, _log.c.partition, _log.c.position, _log.c.key, _log.c.headers, _log.c.value)
        query = sa.select(*columns).where(sa.or_(sa.false(), *new)).order_by(_log.c.topic, _log.c.position)
        for row in await self.databases[owner].read(lambda db: db.execute(query).all()):
            heard = understand(Record(row.topic, row.partition, row.position, row.key.encode(), row.headers, row.value))
            for name, service in self.services.items():
                self._meant[name] += row.topic in service.handlers.topics and service.handlers.handles(heard)
            self._read[row.topic] = row.position
            self.waves += 1

    async def _on_their_way(self) -> list[int]:
        """How many effects each service is sending right now."""
        return [len(set(found) - self._orphans) for found in await self._ask(_sending)]


def _sending(db: sa.Connection) -> list[tuple[UUID, int]]:
    return [(row.id, row.attempts) for row in db.execute(SENDING)]


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)
