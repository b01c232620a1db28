"""The harness finds what it is for: every planted bug, as the verdict that it must have."""

from itertools import permutations
from pathlib import Path

import pytest

from contracts.cases import CaseCancelled
from kit.testing import Stage
from services.booking_service.app import Settings, build
from services.booking_service.domain.cases import WorkOrder
from tests.crash.bugs import SIMULATED, Bug
from tests.crash.report import say
from tests.crash.simulation import Simulation
from tests.services.booking_service import story

MOST = 100
"""Schedules in which a bug must show."""
ENDED = ("RELEASED", "CANCELLED")


@pytest.mark.parametrize("bug", SIMULATED, ids=[f"{bug.name} as {bug.verdict}" for bug in SIMULATED])
async def test_the_simulation_finds_a_planted_bug(bug: Bug, tmp_path: Path, template: Path) -> None:
    found = 0
    for seed in range(1, MOST + 1):
        run = Simulation(seed, tmp_path, template)
        with pytest.MonkeyPatch.context() as patch:
            bug.plant(patch, run)
            verdict = await run.run(200)
        if found := getattr(verdict, bug.verdict):
            say(f"{bug.name} ({bug.what}) found as {bug.verdict} after {seed} schedules: {verdict}")
            break
    assert found, f"{bug.name} was not found in {MOST} schedules"


