"""The main job, shown: a whole rollout through every service and the simulators, on a clock that jumps."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import Any, Protocol, Self
from zoneinfo import ZoneInfo

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hub.house import House
from hub.summary import Summary, summarise
from hub.up import Running, running
from kit import logs
from kit.auth import Signer
from kit.bus import Bus
from kit.clock import FileClock, ManualClock
from kit.local import LocalBus
from kit.serve import listening
from kit.settings import Settings
from simulators.cast import Cast, cast, options_for
from simulators.journeys import stories
from simulators.marketplace import Speech
from simulators.story import Story
from simulators.world import Actor

START = datetime(2026, 1, 5, 6, tzinfo=ZoneInfo("Europe/Berlin"))
GRAIN = timedelta(minutes=15)
"""The clock jumps to full quarters of an hour, so that what is due together is done together."""
LONGEST = timedelta(days=120)
"""Simulated days after which what is still open is reported as open."""
STUCK_SECONDS = 60.0
"""Real seconds without quiet after which the run has failed."""


def run(*, cases: int, seed: int, until_done: bool, as_json: bool, data: Path | None) -> int:
    """Run the rollout and print its summary; 0 when every order is accounted for and no invariant is broken."""
    logs.configure("error", "console", sys.stderr)
    with TemporaryDirectory(prefix="rollout-") as scratch:
        return uvloop.run(_run(cases, seed, until_done, as_json, data or Path(scratch)))


async def _run(cases: int, seed: int, until_done: bool, as_json: bool, folder: Path) -> int:
    began = time.monotonic()
    async with rollout(stories(cases, seed), seed, folder) as play:
        with _progress(cases, as_json) as show:
            await play.to_the_end(show)
        summary = await summarise(play.hub.house, play.cast, time.monotonic() - began)
        if not until_done:
            sys.stderr.write(f"the hub stays up at {play.hub.url}; stop it with Ctrl-C\n")
            await asyncio.Event().wait()
    _print(summary, as_json)
    return 0 if summary.accounted_for and not summary.violations else 1


class Watched(Protocol):
    """The services, as far as the play has to know of them."""

    @property
    def waves(self) -> int:
        """How often something was told; who remembers the number sees whether anything happened since."""

    async def quiet(self) -> bool:
        """Whether only time can bring work."""

    def next_due(self) -> datetime | None:
        """The earliest stored time that the clock still has to reach, as `quiet` last saw it."""


class Play:
    """The hub, the people and counterparties around it, and the clock that all of them share."""

    def __init__(self, watched: Watched, crowd: Cast, clock: ManualClock | FileClock) -> None:
        self.watched, self.cast, self.clock = watched, crowd, clock
        self._seen: dict[str, int] = {}
        self._rests: dict[str, datetime] = {}
        self._told_on: date | None = None

    async def to_the_end(self, show: "Show") -> None:
        """Let everybody act until nobody has anything left to do, or too much time has gone by."""
        await self.cast.set_up()
        await self.settle()
        end = self.clock.now() + LONGEST
        while True:
            if await self.act():
                continue
            await self._tell(show)
            due = self.next_due()
            if due is None or due > end or await self.cast.done():
                return
            self.clock.set(max(self.clock.now(), _to_grain(due)))
            await self.settle()

    async def _tell(self, show: "Show") -> None:
        """How far it has come, once a simulated day."""
        if (today := self.clock.now().date()) != self._told_on:
            self._told_on = today
            show.update(await self.cast.ended(), self.clock.now())

    async def act(self) -> bool:
        """Everybody for whom something may have changed looks, in a fixed order; whether anybody did something."""
        did = False
        for actor in self.cast.actors:
            if self._looks(actor):
                self._seen[actor.name] = self.watched.waves
                if await actor.act():
                    did = True
                    self._rests.pop(actor.name, None)
                    await self.settle()
                elif actor.rhythm:
                    self._rests[actor.name] = self.clock.now() + actor.rhythm
        return did

    def _looks(self, actor: Actor) -> bool:
        """What is due is done at once; what only changed waits until the actor looks again."""
        due, now = actor.next_due(), self.clock.now()
        if due is not None and due <= now:
            return True
        changed = actor.rhythm is not None and self._seen.get(actor.name) != self.watched.waves
        return changed and self._rests.get(actor.name, now) <= now

    async def settle(self) -> None:
        """Wait until only time can bring work."""
        end = time.monotonic() + STUCK_SECONDS
        while not self.cast.quiet() or not await self.watched.quiet():  # what leaves their hands is stored before
            if time.monotonic() > end:
                raise TimeoutError("the hub did not come to rest")
            await asyncio.sleep(0.002)

    def next_due(self) -> datetime | None:
        waves = self.watched.waves
        due = [actor.next_due() for actor in self.cast.actors]
        due += [self._rests.get(actor.name) for actor in self.cast.actors if self._seen.get(actor.name) != waves]
        return min(filter(None, [*due, self.watched.next_due()]), default=None)


class Embedded(Play):
    """A play around a hub in this process."""

    def __init__(self, hub: Running, crowd: Cast, clock: ManualClock) -> None:
        super().__init__(hub.house, crowd, clock)
        self.hub = hub

    @property
    def house(self) -> House:
        return self.hub.house


@asynccontextmanager
async def rollout(
    told: Sequence[Story],
    seed: int,
    folder: Path,
    *,
    around: Callable[[LocalBus], Bus] = lambda bus: bus,
    speaks: Mapping[str, Speech] | None = None,
) -> AsyncIterator[Embedded]:
    """Everything that a rollout needs, in one process, on free ports of the loopback; `speaks`: see `cast`."""
    clock, (own, theirs) = ManualClock(START), free_ports(2)
    outside = f"http://127.0.0.1:{theirs}"
    options: dict[str, Any] = {"data_dir": folder, "port": own, "host": "127.0.0.1"}
    options |= options_for(folder, f"http://127.0.0.1:{own}", outside)
    settings = Settings.load(data_dir=folder, port=own)
    async with AsyncExitStack() as stack:
        signer = Signer.open(settings)
        crowd = await stack.enter_async_context(
            cast(clock, f"http://127.0.0.1:{own}", signer, folder, told=told, seed=seed, speaks=speaks)
        )
        await stack.enter_async_context(listening(Settings.load(data_dir=folder, port=theirs), crowd.app))
        hub = await stack.enter_async_context(running(settings, options, clock=clock, around=around))
        yield Embedded(hub, crowd, clock)


class Show(Protocol):
    """Where progress goes."""

    def update(self, ended: int, now: datetime) -> None: ...


class _Bar:
    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.task = progress, progress.add_task("", total=total)

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def update(self, ended: int, now: datetime) -> None:
        self.progress.update(self.task, completed=ended, description=f"{now:%Y-%m-%d %H:%M}")


class _Lines:
    """Plain lines where nobody looks at a terminal: one per simulated week."""

    def __init__(self, total: int) -> None:
        self.total, self.week = total, -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, ended: int, now: datetime) -> None:
        if (week := now.isocalendar().week) != self.week:
            self.week = week
            sys.stderr.write(f"{now:%Y-%m-%d %H:%M} {ended}/{self.total} ended\n")
            sys.stderr.flush()


def _progress(total: int, as_json: bool) -> _Bar | _Lines:
    if as_json or not sys.stderr.isatty():
        return _Lines(total)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return _Bar(Progress(*columns, console=Console(stderr=True)), total)


def _print(summary: Summary, as_json: bool) -> None:
    for line in summary.lines():
        (sys.stderr if as_json else sys.stdout).write(f"{line}\n")
    if as_json:
        sys.stdout.write(f"{json.dumps(summary.as_dict())}\n")


def _to_grain(due: datetime) -> datetime:
    over = timedelta(seconds=due.timestamp() % GRAIN.total_seconds())
    return due if not over else due - over + GRAIN


def free_ports(number: int) -> Sequence[int]:
    """Ports of the loopback that nobody listens on, all different."""
    held = [socket() for _ in range(number)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
