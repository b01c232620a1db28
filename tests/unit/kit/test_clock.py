"""Clocks: what they tell, and how they wake those who wait."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from kit.clock import FileClock, FrozenClock, ManualClock, SystemClock, clock_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        ManualClock(datetime(2026, 3, 2))  # noqa: DTZ001 - what is refused here


def test_every_clock_tells_utc(tmp_path: Path) -> None:
    berlin = NOON.astimezone(timezone(timedelta(hours=1)))
    clocks = [SystemClock(), FrozenClock(berlin), ManualClock(berlin), FileClock.starting(tmp_path / "clock", berlin)]
    assert [clock.now().utcoffset() for clock in clocks] == [timedelta()] * 4
    assert [clock.now() for clock in clocks[1:]] == [NOON] * 3


def test_a_manual_clock_moves_when_it_is_told_to_also_backwards() -> None:
    clock = ManualClock(NOON)
    clock.advance(timedelta(hours=2))
    assert clock.now() == NOON + timedelta(hours=2)
    clock.set(NOON - timedelta(minutes=10))
    assert clock.now() == NOON - timedelta(minutes=10)


async def test_who_waits_on_a_manual_clock_is_woken_by_its_move_and_not_before() -> None:
    clock = ManualClock(NOON)
    waiting = asyncio.create_task(clock.wait_until(NOON + timedelta(hours=1), 60))
    await asyncio.sleep(0)
    clock.advance(timedelta(minutes=59))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    clock.advance(timedelta(minutes=1))
    await asyncio.wait_for(waiting, 1)
    assert waiting.done()


async def test_what_is_due_already_is_not_waited_for() -> None:
    for clock in (SystemClock(), FrozenClock(NOON), ManualClock(NOON)):
        waiting = asyncio.ensure_future(clock.wait_until(clock.now() - timedelta(seconds=1), 60))
        done, _ = await asyncio.wait([waiting], timeout=30)
        assert done == {waiting}


@pytest.mark.parametrize("due", [None, NOON + timedelta(days=1)])
async def test_nobody_waits_longer_than_asked(due: datetime | None) -> None:
    for clock in (SystemClock(), FrozenClock(NOON), ManualClock(NOON)):
        waiting = asyncio.ensure_future(clock.wait_until(due and clock.now() + timedelta(days=1), 0.001))
        done, _ = await asyncio.wait([waiting], timeout=30)
        assert done == {waiting}


async def test_a_manual_clock_may_be_moved_from_another_thread() -> None:
    clock = ManualClock(NOON)
    waiting = asyncio.create_task(clock.wait_until(NOON + timedelta(hours=1), 60))
    await asyncio.sleep(0)
    await asyncio.to_thread(clock.advance, timedelta(hours=1))
    await asyncio.wait_for(waiting, 1)
    assert clock.now() == NOON + timedelta(hours=1)


async def test_a_clock_in_a_file_moves_for_everybody_who_names_it(tmp_path: Path) -> None:
    clock = FileClock.starting(tmp_path / "clock", NOON)
    other = clock_of(tmp_path / "clock")
    waiting = asyncio.create_task(other.wait_until(NOON + timedelta(hours=1), 60))
    await asyncio.sleep(0)
    clock.set(NOON + timedelta(hours=1))
    await asyncio.wait_for(waiting, 5)
    assert other.now() == NOON + timedelta(hours=1)
    assert (tmp_path / "clock").read_text("ascii") == "2026-03-02T13:00:00+00:00"


def test_a_clock_file_that_holds_no_instant_is_a_mistake_at_once(tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("yesterday")
    with pytest.raises(ValueError, match="yesterday"):
        FileClock(tmp_path / "clock")
    with pytest.raises(FileNotFoundError):
        clock_of(tmp_path / "missing")


def test_without_a_file_the_clock_is_the_machines() -> None:
    assert isinstance(clock_of(None), SystemClock)
