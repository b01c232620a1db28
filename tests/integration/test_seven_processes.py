"""The main job as utilities run it: seven processes, Kafka, PostgreSQL, and every process killed once on the way."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from hub.demo import START, Play, free_ports
from hub.house import SERVICES
from hub.verify import verify
from kit import migrate
from kit.auth import Signer
from kit.clock import FileClock
from kit.inbox import short
from kit.serve import listening
from kit.settings import Settings
from services.case_service.tables import cases
from simulators.cast import ENDED, Cast, cast, options_for
from simulators.journeys import stories
from tests.adapters.on_kafka import fresh
from tests.integration.seven import Seven
from tests.journeys.playing import Quiet

PHASES = sa.select(cases.c.phase, sa.func.count().label("count")).group_by(cases.c.phase)
ORDERS, SEED = 20, 7
FIRST_KILL, BETWEEN, PATIENCE = 12, 4, 20
"""Rests before the first kill, at least between two kills, and until one is killed that was never seen at work."""

RAREST_FIRST = (
    *("qa_service", "asset_service", "booking_service", "notification_service"),
    *("mdm_adapter", "case_service", "cockpit_service"),
)
"""Who has work at few moments is killed when it has."""


class KilledOnTheWay(Play):
    """A play in which each service is killed once, if it can be while it has work, and started again."""

    def __init__(self, seven: Seven, crowd: Cast, clock: FileClock) -> None:
        super().__init__(seven, crowd, clock)
        self.seven, self.rests, self.next_kill = seven, 0, FIRST_KILL
        self.killed: list[str] = []

    async def settle(self) -> None:
        self.rests += 1
        alive = len(self.killed) < len(SERVICES) and self.rests >= self.next_kill
        left = [name for name in RAREST_FIRST if alive and name not in self.killed]
        busy = await self.seven.busy() if left else []
        at_work = [name for name in left if name in busy or self.rests >= self.next_kill + PATIENCE]
        if at_work:
            name, self.next_kill = at_work[0], self.rests + BETWEEN
            await self.seven.kill(name)
            self.seven.start(name)
            self.killed.append(name)
        try:
            await super().settle()
        except TimeoutError:
            pytest.fail(f"no rest after {self.killed} were killed: {await self.seven.unrest()}")


@pytest.fixture
async def play(kafka_bootstrap: str, new_database: Callable[[], str], tmp_path: Path) -> AsyncIterator[KilledOnTheWay]:
    """Everything that a rollout needs, each service with its own process, port and database."""
    await fresh(kafka_bootstrap)
    clock = FileClock.starting(tmp_path / "now", START)
    theirs, *own = free_ports(1 + len(SERVICES))
    addresses = {short(name): f"http://127.0.0.1:{port}" for name, port in zip(SERVICES, own, strict=True)}
    options = {
        "database_url": await _databases(new_database),
        "bus": "kafka",
        "kafka": {"servers": kafka_bootstrap, "session_timeout_ms": 6000},
        "data_dir": tmp_path,
        "clock": tmp_path / "now",
        "fetch_wait_ms": 20,
        "drain_seconds": 0,
        "log_level": "warning",
        **options_for(tmp_path, "", f"http://127.0.0.1:{theirs}"),
        "sms_callback_url": f"{addresses['notification']}/v1/sms/seven/in",
    }
    async with AsyncExitStack() as stack:
        log = stack.enter_context((tmp_path / "services.log").open("wb"))
        signer = Signer.open(Settings.load(data_dir=tmp_path))
        crowd = await stack.enter_async_context(
            cast(clock, "http://127.0.0.1", signer, tmp_path, told=stories(ORDERS, SEED), seed=SEED, services=addresses)
        )
        await stack.enter_async_context(listening(Settings.load(data_dir=tmp_path, port=theirs), crowd.app))
        seven = Seven(clock, addresses, options, log)
        stack.push_async_callback(seven.close)
        for name, db in seven.databases.items():
            await migrate.upgrade(name, db)
            await db.close()  # connections are opened again; who else has one is seen by that
        stack.callback(seven.stop)
        for name in SERVICES:
            seven.start(name)
        yield KilledOnTheWay(seven, crowd, clock)


async def test_a_rollout_on_seven_processes_each_killed_once_ends_accounted_for(play: KilledOnTheWay) -> None:
    await play.to_the_end(Quiet())
    phases = await play.seven.databases["case_service"].read(
        lambda db: {row.phase: row.count for row in db.execute(PHASES)}
    )
    assert (sum(phases.values()), set(phases) - set(ENDED)) == (ORDERS, set()), await play.seven.unrest()
    report = await verify(play.seven.databases, play.clock, play.seven.services["case_service"].settings)
    broken = {check.id: check.offending for check in report.checks if check.offending}
    assert (broken, report.empty) == ({}, [])
    assert sorted(play.killed) == sorted(SERVICES)
    assert {name: process.poll() for name, process in play.seven.running.items()} == dict.fromkeys(SERVICES)


async def _databases(new_database: Callable[[], str]) -> str:
    """A database per service; the answer is the address of all of them, with {service} in it."""
    url, prefix = make_url(new_database()), f"seven_{uuid4().hex[:8]}"
    admin = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with admin.connect() as db:
        for name in SERVICES:
            await db.execute(sa.text(f"CREATE DATABASE {prefix}_{name}"))
    await admin.dispose()
    return url.set(database=f"{prefix}_NAME").render_as_string(hide_password=False).replace("NAME", "{service}")
