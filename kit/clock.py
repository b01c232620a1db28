"""Where time comes from: every stored instant is read on an injected clock, so that tests and the demo move it."""

import asyncio
from asyncio import Event
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

LOOK_AGAIN_SECONDS = 0.05
"""How often a shared clock file is looked at while somebody waits for it."""


class Clock(Protocol):
    """The hub's idea of now; waiting in memory (polls, back-off, time limits) is on the monotonic clock instead."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""

    async def wait_until(self, due: datetime | None, at_most_seconds: float, woken: Event | None = None) -> None:
        """Return once `due` has come on this clock, so many real seconds have gone by, or `woken` is set."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait_until(self, due: datetime | None, at_most_seconds: float, woken: Event | None = None) -> None:
        left = at_most_seconds if due is None else (due - self.now()).total_seconds()
        await is_set(woken or Event(), max(0.0, min(left, at_most_seconds)))


class FrozenClock:
    """Always the same instant."""

    def __init__(self, at: datetime) -> None:
        self._at = in_utc(at)

    def now(self) -> datetime:
        return self._at

    async def wait_until(self, due: datetime | None, at_most_seconds: float, woken: Event | None = None) -> None:
        await is_set(woken or Event(), 0.0 if due is not None and due <= self._at else at_most_seconds)


class ManualClock:
    """Moves when it is told to, and wakes whoever waits for what became due. May be moved from any thread."""

    def __init__(self, start: datetime) -> None:
        self._now = in_utc(start)
        self._waiting: set[tuple[asyncio.AbstractEventLoop, Event, datetime]] = set()

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self.set(self._now + by)

    def set(self, at: datetime) -> None:
        """Move to an instant, also backwards: a wrong clock is one of the faults that are tested."""
        self._now = in_utc(at)
        for loop, moved, due in tuple(self._waiting):
            if due <= self._now and not loop.is_closed():
                loop.call_soon_threadsafe(moved.set)

    async def wait_until(self, due: datetime | None, at_most_seconds: float, woken: Event | None = None) -> None:
        event = woken or Event()
        if due is None:
            await is_set(event, at_most_seconds)
            return
        waiter = (asyncio.get_running_loop(), event, due)
        self._waiting.add(waiter)
        try:
            if due > self._now:
                await is_set(event, at_most_seconds)
        finally:
            self._waiting.discard(waiter)


class FileClock:
    """One RFC 3339 instant in a file, replaced by rename: several processes share a test clock (HUB_CLOCK)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None
        self._now = self.now()

    def now(self) -> datetime:
        status = self.path.stat()
        version = (status.st_ino, status.st_mtime_ns)
        if version != self._seen:
            self._now = in_utc(datetime.fromisoformat(self.path.read_text("ascii").strip()))
            self._seen = version
        return self._now

    def set(self, at: datetime) -> None:
        """Move the clock of every process that names this file."""
        beside = self.path.with_name(f"{self.path.name}.new")
        beside.write_text(in_utc(at).isoformat(), "ascii")
        beside.replace(self.path)

    @classmethod
    def starting(cls, path: Path, at: datetime) -> "FileClock":
        """Make the file and the clock that reads it."""
        path.write_text(in_utc(at).isoformat(), "ascii")
        return cls(path)

    async def wait_until(self, due: datetime | None, at_most_seconds: float, woken: Event | None = None) -> None:
        loop, event = asyncio.get_running_loop(), woken or Event()
        end = loop.time() + at_most_seconds
        while (due is None or due > self.now()) and (left := end - loop.time()) > 0:
            if await is_set(event, min(left, LOOK_AGAIN_SECONDS)):
                return


async def is_set(event: Event, at_most_seconds: float) -> bool:
    """Wait for an event; whether it was set before so many real seconds had gone by."""
    with suppress(TimeoutError):
        async with asyncio.timeout(at_most_seconds):
            await event.wait()
    return event.is_set()


def in_utc(at: datetime) -> datetime:
    """The same instant in UTC; an instant without a zone is refused."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return at.astimezone(UTC)


def clock_of(path: Path | None) -> Clock:
    """The clock that the setting HUB_CLOCK names; the machine's own without it."""
    return SystemClock() if path is None else FileClock(path)
