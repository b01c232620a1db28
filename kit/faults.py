"""Named crash points: where a test kills, pauses or breaks a process, to see that nothing is lost or done twice."""

import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from kit.settings import Misconfigured, Settings, is_loopback

KILLED = -signal.SIGKILL
"""How a process ended that died at a point, as its parent sees it (a shell says 137)."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "http": ("http.begun", "http.flushed", "http.committed", "http.answered"),
    "inbound": ("in.archived", "in.parsed", "in.committed", "in.receipt_sent"),
    "consume": (
        *("consume.fetched", "consume.inboxed", "consume.loaded", "consume.handled"),
        *("consume.flushed", "consume.committed", "consume.offset_committed"),
    ),
    "park": ("park.rolled_back", "park.parked", "park.retry_locked", "park.retried"),
    "relay": ("relay.selected", "relay.sent_some", "relay.acked", "relay.moved"),
    "timer": ("timer.claimed", "timer.committed"),
    "effect": ("effect.claimed", "effect.sent", "effect.recorded"),
    "job": ("job.chunk_done", "job.chunk_committed"),
    "other": ("rebalance.revoked", "shutdown.drained", "shutdown.consumers_stopped", "shutdown.relay_flushed"),
}
POINTS = tuple(point for group in GROUPS.values() for point in group)
"""Every point, in order: each is a state that a kill can leave behind."""

Hook = Callable[[str], None]


class Crashed(BaseException):
    """A simulated kill. Not an Exception: no error handling of ours may catch it."""


_hooks: list[Hook] = []


def point(name: str) -> None:
    """Pass a named point; costs one truth test when no fault is planted."""
    if _hooks:
        for hook in tuple(_hooks):
            hook(name)


@contextmanager
def armed(hook: Hook) -> Iterator[None]:
    """Call `hook` at every point while this is open; it may raise `Crashed`. For simulations inside one process."""
    _hooks.append(hook)
    try:
        yield
    finally:
        _hooks.remove(hook)


def plant(environment: Mapping[str, str] = os.environ) -> None:
    """Plant what HUB_CRASH=<point>:<n> and HUB_PAUSE=<point>:<n>:<seconds> ask for; called once at import."""
    if crash := environment.get("HUB_CRASH"):
        name, hit, _ = _parse("HUB_CRASH", crash, 2)
        _hooks.append(_at(name, hit, lambda: os.kill(os.getpid(), signal.SIGKILL)))
    if pause := environment.get("HUB_PAUSE"):
        name, hit, seconds = _parse("HUB_PAUSE", pause, 3)
        _hooks.append(_at(name, hit, lambda: time.sleep(seconds)))


def refuse_outside_tests(settings: Settings) -> None:
    """Refuse to start (exit 2) with planted faults or a test clock where anybody outside could be served."""
    planted = [name for name in ("crash", "pause", "clock") if getattr(settings, name) is not None]
    https = settings.public_url is not None and settings.public_url.startswith("https:")
    if planted and (https or not is_loopback(settings.host)):
        names = ", ".join(f"HUB_{name.upper()}" for name in planted)
        raise Misconfigured(f"{names}: for tests only, refused with an https HUB_PUBLIC_URL or a host beyond loopback")


def _at(name: str, hit: int, act: Callable[[], None]) -> Hook:
    seen, lock = Counter[str](), threading.Lock()  # points are passed in the loop and in database threads

    def hook(passed: str) -> None:
        if passed == name:
            with lock:
                seen[passed] += 1
                now = seen[passed] == hit
            if now:
                act()

    return hook


def _parse(variable: str, text: str, parts: int) -> tuple[str, int, float]:
    name, *numbers = text.split(":")
    well_formed = re.fullmatch(r"[1-9]\d*" if parts == 2 else r"[1-9]\d*:\d+(\.\d+)?", ":".join(numbers))
    if name not in POINTS or not well_formed:
        shape = "<point>:<n>" if parts == 2 else "<point>:<n>:<seconds>"
        raise Misconfigured(f"{variable}={text}: expected {shape} with a point of kit/faults.py")
    return name, int(numbers[0]), float(numbers[-1])


plant()
