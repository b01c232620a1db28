"""A process dies in the middle of a bulk move: the next one goes on, the totals add up, nothing moves twice."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kit import faults
from services.case_service.bulk import CHUNK
from tests.crash.report import say
from tests.services.case_service.crowd import Crowd

ROOT = Path(__file__).resolve().parents[2]
SIZE, MOVED_BEFORE = 45, 3


async def process(crowd: Crowd, crash: str = "") -> int:
    """Let a process of its own work; its exit code."""
    given = {"HUB_DATABASE_URL": crowd.stage.service.settings.database_url, "HUB_LEASE_SECONDS": "0.2"}
    given |= {"HUB_CRASH": crash} if crash else {}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    command = [sys.executable, "-m", "tests.crash.bulk_process"]
    run = subprocess.run
    done = await asyncio.to_thread(run, command, cwd=ROOT, env=kept | given, capture_output=True, check=False)
    assert done.returncode in {0, faults.KILLED}, done.stderr.decode()[-2000:]
    return done.returncode


def totals(shown: Any) -> tuple[int, int, int, int]:
    counts = shown["counts"]
    assert sum(counts.values()) == shown["selected"] == SIZE
    return counts["pending"], counts["moved"], counts["refused"], counts["failed"]


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
