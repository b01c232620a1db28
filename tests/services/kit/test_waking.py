"""A service at work notices what is committed in its own process by being woken, not by looking again."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from kit import service as kit_service
from kit.clock import ManualClock
from kit.effects import Done, Outcome
from kit.local import LocalBus
from kit.service import Runtime
from kit.settings import Settings
from kit.store import Unit
from kit.testing import MONDAY_MORNING
from tests.adapters.tally import Tally, build, metadata
from tests.adapters.world import until

CASE = "11111111-1111-7111-8111-111111111111"
NEVER = 10_000.0
"""Seconds: a loop that is not woken looks again long after the test has failed."""


class Bell:
    """An outside that remembers what it was sent."""

    repeatable = True
    retry: Sequence[timedelta] = (timedelta(minutes=1),)

    def __init__(self) -> None:
        self.rung = list[str]()

    async def send(self, reference: str, payload: Mapping[str, Any]) -> Outcome:
        self.rung.append(reference)
        return Done()

    async def ask(self, reference: str) -> Outcome | None:
        return None

    async def close(self) -> None:
        pass


@pytest.fixture
async def at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Runtime, Bell, ManualClock]]:
    monkeypatch.setattr(kit_service, "NET_SECONDS", NEVER)
    monkeypatch.setattr(kit_service, "POLL_SECONDS", NEVER)
    bell, clock = Bell(), ManualClock(MONDAY_MORNING)
    made = build(
        Settings(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path}/tally.db"), clock, ports={"ring": bell}
    )
    await made.store.db.transact(metadata.create_all)
    runtime = Runtime(made, LocalBus({}))
    await runtime.start()
    await until(runtime.quiet)
    yield runtime, bell, clock
    await runtime.stop()


def tally(unit: Unit) -> None:
    unit.add(Tally(case_id=UUID(CASE)))


async def test_a_timer_that_is_due_at_once_and_one_that_the_clock_reaches(
    at_work: tuple[Runtime, Bell, ManualClock],
) -> None:
    runtime, _, clock = at_work
    store = runtime.service.store

    async def counted(numbers: list[int]) -> bool:
        return await store.run(
            store.actor, lambda unit: unit.get(Tally, CASE).numbers == numbers, needs=[(Tally, CASE)]
        )

    await store.run(store.actor, tally)
    await store.run(store.actor, lambda unit: unit.later("remind", CASE, unit.now, number=1))
    await until(lambda: counted([1]))
    await store.run(store.actor, lambda unit: unit.later("remind", CASE, unit.now + timedelta(days=1), number=2))
    await until(runtime.quiet)
    clock.advance(timedelta(days=1))
    await until(lambda: counted([1, 2]))
    assert await store.read(lambda db: db.execute(metadata.tables["timers"].select()).all()) == []


async def test_an_effect_is_sent(at_work: tuple[Runtime, Bell, ManualClock]) -> None:
    runtime, bell, _ = at_work
    store = runtime.service.store
    await store.run(store.actor, tally)
    await store.run(store.actor, lambda unit: unit.effect("ring", "once", {"case_id": CASE}))

    async def rung() -> bool:
        return bell.rung == ["once"]

    await until(rung)
    assert bell.rung == ["once"], "and only once"
