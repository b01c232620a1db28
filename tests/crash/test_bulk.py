"""A process dies in the middle of a bulk move: the next one goes on, the totals add up, nothing moves twice."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from kit import faults
from services.case_service.bulk import CHUNK
from services.case_service.bulk_store import counts
from services.case_service.domain.bulk import ItemState
from tests.crash.report import say
from tests.services.case_service.crowd import Crowd

ROOT = Path(__file__).resolve().parents[2]
SIZE, MOVED_BEFORE = 45, 3


COMMAND = (sys.executable, "-m", "tests.crash.bulk_process")


def environment(crowd: Crowd, crash: str = "") -> dict[str, str]:
    given = {"HUB_DATABASE_URL": crowd.stage.service.settings.database_url, "HUB_LEASE_SECONDS": "0.2"}
    given |= {"HUB_CRASH": crash} if crash else {}
    return {name: value for name, value in os.environ.items() if not name.startswith("HUB_")} | given


@asynccontextmanager
async def at_work(crowd: Crowd) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A process of its own that works until it is killed."""
    quiet = subprocess.DEVNULL
    worker = await asyncio.to_thread(
        subprocess.Popen, COMMAND, cwd=ROOT, env=environment(crowd), stdout=quiet, stderr=quiet
    )
    try:
        yield worker
    finally:
        worker.kill()
        await asyncio.to_thread(worker.wait)


async def process(crowd: Crowd, crash: str = "") -> int:
    """Let a process of its own work; its exit code."""
    run, env = subprocess.run, environment(crowd, crash)
    done = await asyncio.to_thread(run, COMMAND, cwd=ROOT, env=env, capture_output=True, check=False)
    assert done.returncode in {0, faults.KILLED}, done.stderr.decode()[-2000:]
    return done.returncode


def totals(shown: Any, size: int = SIZE) -> tuple[int, int, int, int]:
    counts = shown["counts"]
    assert sum(counts.values()) == shown["selected"] == size
    return counts["pending"], counts["moved"], counts["refused"], counts["failed"]


async def moved_of(crowd: Crowd, batch: str) -> int:
    """How many items moved so far: asked of the database, for a page takes longer than a chunk."""
    counted = await crowd.stage.store.read(lambda db: counts(db, UUID(batch)))
    return sum(count for state, _, _, count in counted if state is ItemState.MOVED)


@pytest.mark.parametrize("size", [150, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_S4_09_a_bulk_move_that_is_killed_at_any_moment_goes_on_and_its_totals_add_up(
    tmp_path: Path, size: int
) -> None:
    """Acceptance 5 of the case service: a real SIGKILL somewhere in the middle, twice, then a retry."""
    crowd, at = await Crowd.begin(tmp_path, size), random.Random(size)
    batch = await crowd.plans("start_planning")
    await crowd.asks(f"/{batch}/run")
    before = 0
    for _ in range(2):
        enough = before + at.randrange(1, size // 3)
        async with at_work(crowd) as worker:
            while await moved_of(crowd, batch) < enough:
                assert worker.poll() is None, "it was done before it could be killed"
                await asyncio.sleep(0.01)
            await asyncio.sleep(at.random() / 50)
        before = totals(await crowd.shows(batch), size)[1]
        assert (worker.returncode, enough <= before < size) == (-signal.SIGKILL, True)
    assert await process(crowd) == 0
    assert totals(await crowd.shows(batch), size) == (0, size, 0, 0)
    assert (await crowd.asks(f"/{batch}/retry", {"refused": True})).json()["code"] == "move-not-allowed"
    moved = [row for row in await crowd.stage.rows("history") if row.move == "T01"]
    say(f"killed twice, the second time after {before} of {size}: {len(moved)} steps")
    assert len(moved) == len({row.work_order_id for row in moved}) == size
    await crowd.stage.close()


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@pytest.mark.parametrize("point", faults.GROUPS["job"])
async def test_S4_09_a_killed_bulk_move_goes_on_and_after_a_retry_its_totals_add_up(
    request: pytest.FixtureRequest, tmp_path: Path, point: str, database: str
) -> None:
    new_database: Callable[[], str] | None = None
    if database == "postgres":
        new_database = request.getfixturevalue("new_database")
    crowd = await Crowd.begin(tmp_path, SIZE, database_url=new_database() if new_database else None)
    for order in (await crowd.orders())[:MOVED_BEFORE]:
        async with crowd.person("dora") as dora:
            body = {"move": "start_planning", "expected_version": order.version}
            await dora.post(f"/v1/work-orders/{order.work_order_id}/moves", json=body)
    batch = await crowd.plans("start_planning")
    await crowd.asks(f"/{batch}/run")
    assert await process(crowd, f"{point}:3") == faults.KILLED
    chunks = 2 + (point == "job.chunk_committed")
    done = chunks * CHUNK
    assert totals(await crowd.shows(batch)) == (SIZE - done, done - MOVED_BEFORE, MOVED_BEFORE, 0)
    assert await process(crowd) == 0
    assert totals(await crowd.shows(batch)) == (0, SIZE - MOVED_BEFORE, MOVED_BEFORE, 0)
    await crowd.asks(f"/{batch}/retry", {"refused": True})
    assert await process(crowd) == 0
    shown = await crowd.shows(batch)
    moved = [row for row in await crowd.stage.rows("history") if row.move == "T01"]
    say(f"{point} on {database}: {shown['counts']}, {len(moved)} steps")
    assert (totals(shown), shown["state"]) == ((0, SIZE - MOVED_BEFORE, MOVED_BEFORE, 0), "done")
    assert len(moved) == len({row.work_order_id for row in moved}) == SIZE
    await crowd.stage.close()
