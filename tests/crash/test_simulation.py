"""Real handlers and SQL under a scheduler that decides every interleaving and every crash."""

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.crash import simulation
from tests.crash.report import say, summary

FIRST = int(os.environ.get("ROLLOUT_SIM_SEED", "1"))
ONE = "ROLLOUT_SIM_SEED" in os.environ
STEPS = 200


async def sweep(count: int, folder: Path, template: Path) -> int:
    """Run so many schedules, answer how many were clean; the first that is not names its seed, its history is kept."""
    begun, steps, crashes, points = time.monotonic(), 0, 0, Counter[str]()
    for seed in range(FIRST, FIRST + (1 if ONE else count)):
        run = simulation.Simulation(seed, folder, template)
        verdict = await run.run(STEPS)
        if not verdict.clean:
            run.history.keep(folder / f"history-{seed}.jsonl")
        assert verdict.clean, f"{summary('schedule', run.history, verdict)}; again: ROLLOUT_SIM_SEED={seed}"
        assert run.history.count("apply") > 20, "a run in which nothing happened shows nothing"
        steps, crashes = steps + STEPS, crashes + len(run.crashes)
        points.update(run.crashes)
    seconds = time.monotonic() - begun
    clean = steps // STEPS
    say(f"{clean} schedules, {steps} steps, {crashes} crashes at {len(points)} points, {seconds:.1f} s: all clean")
    return clean


async def test_a_hundred_schedules_lose_double_and_disorder_nothing(tmp_path: Path, template: Path) -> None:
    assert await sweep(100, tmp_path, template) == (1 if ONE else 100)


@pytest.mark.slow
async def test_two_thousand_schedules_lose_double_and_disorder_nothing(tmp_path: Path, template: Path) -> None:
    assert await sweep(2_000, tmp_path, template) == (1 if ONE else 2_000)


async def test_the_same_seed_gives_the_same_history(tmp_path: Path, template: Path) -> None:
    histories = []
    for _ in range(2):
        run = simulation.Simulation(20260302, tmp_path, template)
        await run.run(STEPS)
        histories.append((run.history.lines, run.crashes))
    assert histories[0] == histories[1]
