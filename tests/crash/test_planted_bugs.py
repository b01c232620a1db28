"""The harness finds what it is for: every planted bug, as the verdict that it must have."""

from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from contracts.cases import CaseCancelled
from contracts.event import Event
from kit.testing import Stage
from services.booking_service import handlers as booking
from services.booking_service.app import Settings, build
from tests.crash.bugs import SIMULATED, Bug
from tests.crash.report import say
from tests.crash.simulation import Simulation
from tests.services.booking_service import story

MOST = 100
"""Schedules in which a bug must show."""


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


async def test_I8_no_appointment_of_a_cancelled_case_is_active_in_any_order_of_events(tmp_path: Path) -> None:
    assert await active_after_cancellation(tmp_path) == [0] * 24


async def test_P12_a_booking_that_ignores_a_cancellation_that_came_first_is_found_as_I8(tmp_path: Path) -> None:
    end: Callable[..., None] = booking._end_case

    def ignoring(unit: Any, case_id: Any, reason: str) -> None:
        if booking._case(unit, case_id).work_orders:
            end(unit, case_id, reason)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(booking, "_end_case", ignoring)
        active = await active_after_cancellation(tmp_path)
    found = [at for at, count in enumerate(active, 1) if count]
    say(f"P12 (booking ignores a cancellation that came first) found as I8 after {found[0]} of 24 orders")
    assert found


async def active_after_cancellation(folder: Path) -> list[int]:
    """Each order of hearing of a case, its work order, contact and cancellation; then somebody tries to plan it."""
    stage = await Stage.open(build, folder, settings=Settings)
    office = story.Office(stage)
    await office.opens()
    active = []
    for number, order in enumerate(permutations(range(4))):
        facts = facts_of(UUID(int=0xC100 + number), UUID(int=0xA100 + number))
        for at in order:
            await stage.hears(facts[at])
        start = {"technician_id": office.people["Tilo"], "start": story.START}
        await office.posts("/v1/appointments", {"work_order_id": str(UUID(int=0xA100 + number)), **start})
        open_ = [row for row in await stage.rows("work_orders") if row.case_id == UUID(int=0xC100 + number)]
        active.append(sum(row.appointment_id is not None for row in open_))
    await stage.close()
    return active


def facts_of(case_id: UUID, order_id: UUID) -> Sequence[Event]:
    """What is told of one case that is cancelled."""
    return (
        story.opened(case_id=case_id),
        story.work_order(order_id, case_id=case_id),
        story.contact(case_id=case_id),
        CaseCancelled(case_id=case_id, reason="cancelled_by_partner", orders=()),
    )
