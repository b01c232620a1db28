"""Whether a process is alive, started and ready, and a watchdog over work that does not move."""

import asyncio
import faulthandler
import os
import sys
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field

import structlog

from kit import metrics

log = structlog.get_logger(__name__)

BEAT_SECONDS = 0.5
DEAF_SECONDS = 5.0
"""An event loop that did not turn for so long is not alive."""
NOT_READY_SECONDS, GIVE_UP_SECONDS = 60.0, 180.0
"""Work without progress: out of the balancer, then out of the process."""
GAVE_UP = 70
"""Exit code of a process that the watchdog ended; the supervisor starts it again."""

Ask = Callable[[], Awaitable[str | None]]
"""A check: None when all is well, else why not."""


@dataclass(slots=True)
class Check:
    """One question, with its last answer."""

    ask: Ask
    keep_seconds: float
    asked_at: float | None = None
    why_not: str | None = None


@dataclass(slots=True)
class Progress:
    """How far one slot had come, and since when it stands there."""

    position: int
    since: float


@dataclass
class Watchdog:
    """Sees slots that have work and do not move."""

    seconds: Callable[[], float] = time.monotonic
    _slots: dict[Hashable, Progress] = field(default_factory=dict)
    _now: float = 0.0

    def look(self, lag: Mapping[Hashable, int], position: Mapping[Hashable, int]) -> None:
        """Note where every slot stands; one without work is not waited for."""
        self._now = self.seconds()
        for slot in [slot for slot in self._slots if slot not in position]:
            del self._slots[slot]
        for slot, at in position.items():
            seen = self._slots.get(slot)
            if seen is None or seen.position != at or lag.get(slot, 0) <= 0:
                self._slots[slot] = Progress(at, self._now)

    def standing_seconds(self) -> float:
        """For how long the slowest slot has not moved, although it has work."""
        return max((self._now - each.since for each in self._slots.values()), default=0.0)


class Health:
    """The answers of /health/live, /health/startup and /health/ready; the service fills in what it depends on."""

    def __init__(self, service: str = "", seconds: Callable[[], float] = time.monotonic) -> None:
        self.service, self.seconds = service, seconds
        self.watchdog = Watchdog(seconds)
        self.starting = self.stopping = False
        self._turned_at: float | None = None
        self._loops: dict[str, Callable[[], bool]] = {}
        self._checks: dict[str, Check] = {}

    def watch(self, name: str, alive: Callable[[], bool]) -> None:
        """A loop of the service: the process is not ready once it has ended."""
        self._loops[name] = alive

    def check(self, name: str, ask: Ask, *, keep_seconds: float = 5.0) -> None:
        """Something without which the process is not ready; never a dependency of a dependency."""
        self._checks[name] = Check(ask, keep_seconds)

    async def live(self) -> dict[str, str]:
        """Why the process should be killed; empty: it should not."""
        if self._turned_at is not None and self.seconds() - self._turned_at > DEAF_SECONDS:
            return {"loop": f"the event loop did not turn for {DEAF_SECONDS:g} s"}
        return {}

    async def startup(self) -> dict[str, str]:
        """What is missing before the process counts as started: migrations at head, topics asked for, the seed sown."""
        return {"starting": "the process is being started"} if self.starting else {}

    async def ready(self) -> dict[str, str]:
        """Why no requests should come here."""
        failing = {name: "ended" for name, alive in self._loops.items() if not alive()}
        if self.stopping:
            failing["stopping"] = "the process is being stopped"
        if (standing := self.watchdog.standing_seconds()) >= NOT_READY_SECONDS:
            failing["progress"] = f"work has not moved for {standing:.0f} s"
        failing |= await self.startup() | await self._ask(self._checks)
        metrics.READY.labels(self.service).set(0 if failing else 1)
        return failing

    async def every(self) -> dict[str, str]:
        """All checks by name, with their answers."""
        failing = await self.live() | await self.startup() | await self.ready()
        names = ("loop", "progress", "starting", "stopping", *self._loops, *self._checks)
        return {name: failing.get(name, "ok") for name in names}

    async def beat(self) -> None:
        """Turn with the event loop and measure how late it comes; runs until cancelled."""
        while True:
            due = self.seconds() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            self._turned_at = self.seconds()
            metrics.LOOP_DELAY.labels(self.service).observe(max(0.0, self._turned_at - due))

    async def guard(
        self,
        lag: Callable[[], Mapping[Hashable, int]],
        position: Callable[[], Mapping[Hashable, int]],
        give_up: Callable[[int], None] = os._exit,
        every_seconds: float = 5.0,
    ) -> None:
        """Look at the slots again and again; end a process whose work stands still (exit code 70)."""
        while True:
            self.watchdog.look(lag(), position())
            if self.watchdog.standing_seconds() >= GIVE_UP_SECONDS:
                log.error("work does not move, the process gives up", service=self.service)
                for task in asyncio.all_tasks():
                    task.print_stack(limit=5, file=sys.stderr)
                faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
                give_up(GAVE_UP)
            await asyncio.sleep(every_seconds)

    async def _ask(self, checks: Mapping[str, Check]) -> dict[str, str]:
        failing = {}
        for name, check in checks.items():
            now = self.seconds()
            if check.asked_at is None or now - check.asked_at >= check.keep_seconds:
                try:
                    check.why_not = await check.ask()
                except Exception as error:  # noqa: BLE001 - whatever a check meets, its answer is no
                    check.why_not = type(error).__name__
                check.asked_at = now
            if check.why_not is not None:
                failing[name] = check.why_not
        return failing
