"""Health: each cause has its answer, and work that stands still ends the process."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from kit.health import GAVE_UP, Health, Watchdog

SLOT = ("rollout.cases", 0)


class Stopwatch:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def health(watch: Stopwatch) -> Health:
    return Health("case_service", watch)


async def test_a_process_without_a_cause_is_alive_started_and_ready(health: Health) -> None:
    assert (await health.live(), await health.startup(), await health.ready()) == ({}, {}, {})


async def test_an_ended_loop_makes_it_unready_but_leaves_it_alive(health: Health) -> None:
    health.watch("relay", lambda: False)
    health.watch("timers", lambda: True)
    assert await health.ready() == {"relay": "ended"}
    assert await health.live() == {}


async def test_a_check_that_says_no_or_breaks_makes_it_unready(health: Health) -> None:
    async def refused() -> str | None:
        return "disk full"

    async def broken() -> str | None:
        raise ConnectionError("postgres at 10.0.0.7")

    health.check("database", refused)
    health.check("leader", broken)
    assert await health.ready() == {"database": "disk full", "leader": "ConnectionError"}
    assert await health.startup() == {}


async def test_a_process_that_is_being_started_is_neither_started_nor_ready(health: Health) -> None:
    health.starting = True
    assert list(await health.startup()) == list(await health.ready()) == ["starting"]


async def test_an_answer_is_kept_for_five_seconds(health: Health, watch: Stopwatch) -> None:
    asked = []

    async def ask() -> str | None:
        asked.append(watch.at)
        return None

    health.check("database", ask)
    for at in (0.0, 4.9, 5.0, 9.9):
        watch.at = 1_000 + at
        await health.ready()
    assert asked == [1_000, 1_005]


async def test_a_process_that_is_being_stopped_takes_nothing_new(health: Health) -> None:
    health.stopping = True
    assert list(await health.ready()) == ["stopping"]


async def test_a_deaf_event_loop_is_not_alive(health: Health, watch: Stopwatch) -> None:
    health._turned_at = watch.at
    watch.at += 5.0
    assert await health.live() == {}
    watch.at += 0.1
    assert list(await health.live()) == ["loop"]


async def test_the_beat_notes_when_the_loop_turned(health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit.health.BEAT_SECONDS", 0)
    beating = asyncio.create_task(health.beat())
    for _ in range(5):
        await asyncio.sleep(0)
    beating.cancel()
    assert health._turned_at == 1_000.0


@pytest.mark.parametrize(
    ("lag", "moves", "standing"),
    [({SLOT: 5}, False, 60.0), ({SLOT: 0}, False, 0.0), ({}, False, 0.0), ({SLOT: 5}, True, 0.0)],
    ids=["work, no move", "no work", "nothing known", "work and moves"],
)
def test_only_work_that_does_not_move_counts_as_standing(
    lag: Mapping[Any, int], moves: bool, standing: float, watch: Stopwatch
) -> None:
    dog = Watchdog(watch)
    for step in range(7):
        dog.look(lag, {SLOT: step if moves else 0})
        watch.at += 10
    watch.at -= 10
    assert dog.standing_seconds() == standing


def test_a_slot_that_was_taken_away_is_not_waited_for(watch: Stopwatch) -> None:
    dog = Watchdog(watch)
    dog.look({SLOT: 5}, {SLOT: 0})
    watch.at += 100
    dog.look({}, {})
    assert dog.standing_seconds() == 0


async def test_a_minute_without_progress_is_unready_three_end_the_process(
    health: Health, watch: Stopwatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Ended(BaseException):
        pass

    codes = []

    def give_up(code: int) -> None:
        codes.append(code)
        raise Ended

    health.watchdog.look({SLOT: 5}, {SLOT: 0})
    watch.at += 60
    health.watchdog.look({SLOT: 5}, {SLOT: 0})
    assert list(await health.ready()) == ["progress"]
    watch.at += 120
    with pytest.raises(Ended):
        await health.guard(lambda: {SLOT: 5}, lambda: {SLOT: 0}, give_up)
    assert codes == [GAVE_UP]
    assert "test_health.py" in capfd.readouterr().err


async def test_all_checks_are_shown_with_their_answers(health: Health) -> None:
    health.watch("relay", lambda: True)
    health.watch("timers", lambda: False)
    assert await health.every() == {
        "loop": "ok",
        "progress": "ok",
        "starting": "ok",
        "stopping": "ok",
        "relay": "ok",
        "timers": "ended",
    }
