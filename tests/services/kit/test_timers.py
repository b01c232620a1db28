"""Timers that cannot be done: parked, or dealt with by whoever registered for it; the others go on."""

from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from kit.errors import Unavailable
from kit.handlers import Handlers, Timer
from kit.store import Unit
from kit.testing import Stage
from tests.adapters.tally import Tally, build, tallying

BROKEN, WHOLE = "11111111-1111-7111-8111-111111111111", "22222222-2222-7222-8222-222222222222"


def handlers_with(failing: bool | None) -> Handlers:
    """A timer that breaks for one key; with something registered for that, which may break as well."""
    handlers = tallying()

    @handlers.due("check")
    def check(timer: Timer, unit: Unit) -> None:
        if timer.key == BROKEN:
            raise RuntimeError("a defect")
        unit.get(Tally, timer.key).count(1)

    if failing is not None:

        @handlers.failed("check", needs=lambda timer, _: [(Tally, timer.key)])
        def note(timer: Timer, why: str, unit: Unit) -> None:
            if failing:
                raise RuntimeError("another defect")
            unit.get(Tally, timer.key).outcomes.append(why.partition(" ")[0])

    return handlers


def set_both(unit: Unit) -> None:
    for key in (BROKEN, WHOLE):
        unit.add(Tally(case_id=UUID(key)))
        unit.later("check", key, unit.now)


async def fired(folder: Path, failing: bool | None) -> tuple[list[list[str]], list[str]]:
    """Two timers fall due, one of them broken: the outcomes noted, and what is parked."""
    stage = await Stage.open(partial(build, handlers=handlers_with(failing)), folder)

    await stage.run(set_both)
    await stage.passes()
    rows = await stage.rows("tallies")
    noted, parked = [row.outcomes for row in rows], await stage.parked()
    assert [row.numbers for row in rows] == [[], [1]]
    assert await stage.rows("timers") == []
    await stage.close()
    return noted, parked


async def test_a_timer_that_fails_is_parked_and_the_others_go_on(tmp_path: Path) -> None:
    noted, parked = await fired(tmp_path, failing=None)
    assert (noted, [each.partition(" at ")[0] for each in parked]) == ([[], []], [f"{BROKEN}: RuntimeError"])


async def test_whoever_registered_for_the_failure_deals_with_it_instead(tmp_path: Path) -> None:
    assert await fired(tmp_path, failing=False) == ([["RuntimeError"], []], [])


async def test_what_fails_to_deal_with_a_failure_is_parked(tmp_path: Path) -> None:
    noted, parked = await fired(tmp_path, failing=True)
    assert (noted, [each.partition(":")[2].partition(" at ")[2].partition(":")[0] for each in parked]) == (
        [[], []],
        ["check"],
    )


async def test_a_timer_whose_writing_fails_is_parked_and_the_others_go_on(tmp_path: Path) -> None:
    handlers = tallying()

    @handlers.due("check")
    def check(timer: Timer, unit: Unit) -> None:
        unit.get(Tally, timer.key).outcomes = None if timer.key == BROKEN else ["whole"]  # type: ignore[assignment]

    stage = await Stage.open(partial(build, handlers=handlers), tmp_path)
    await stage.run(set_both)
    await stage.passes()
    assert [row.outcomes for row in await stage.rows("tallies")] == [[], ["whole"]]
    assert [each.partition(" at ")[0] for each in await stage.parked()] == [f"{BROKEN}: IntegrityError"]
    await stage.close()


async def test_a_passing_failure_is_told_as_what_it_is_and_leaves_the_timers(tmp_path: Path) -> None:
    handlers = tallying()

    @handlers.due("check")
    def check(timer: Timer, unit: Unit) -> None:
        raise Unavailable("not now")

    stage = await Stage.open(partial(build, handlers=handlers), tmp_path)
    await stage.run(set_both)
    with pytest.raises(Unavailable):
        await stage.timers.fire()
    assert (len(await stage.rows("timers")), await stage.parked()) == (2, [])
    await stage.close()
