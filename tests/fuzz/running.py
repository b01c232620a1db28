"""One run: so many mutated messages of a dialect, how long the slowest took, and what was opened meanwhile."""

import resource
import sys
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.fuzz.dialects import DIALECTS, verdict
from tests.fuzz.mutations import mutated

OPENINGS = frozenset({"open", "socket.__new__", "socket.connect", "subprocess.Popen", "os.system"})
_watching: list[str] = []
_is_on = False


def _hook(event: str, arguments: Any) -> None:
    if _is_on and event in OPENINGS:
        _watching.append(f"{event} {arguments!r:.80}")


sys.addaudithook(_hook)


@dataclass
class Run:
    """What happened."""

    dialect: str
    inputs: int = 0
    contents: dict[str, int] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    slowest_ms_per_10_kb: float = 0.0

    @property
    def peak_mb(self) -> float:
        """Of the whole process."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def __str__(self) -> str:
        slow = f"slowest {self.slowest_ms_per_10_kb:.1f} ms per 10 kB, peak {self.peak_mb:.0f} MB"
        return f"{self.dialect}: {self.inputs} inputs, {slow}, opened {len(self.opened)}, {self.contents}"


def run(dialect: str, inputs: int, seed: int = 1, seconds: float | None = None) -> Run:
    """Mutate and judge. What escapes is raised, with the input in a note."""
    global _is_on
    which, draw, done = DIALECTS[dialect], Random(seed), Run(dialect)
    seeds = list(which.seeds())
    for data in seeds:  # what is read once, tables and schemas, is read here
        verdict(data)
    began = time.monotonic()
    while done.inputs < inputs and (seconds is None or time.monotonic() - began < seconds):
        data = mutated(draw, draw.choice(seeds), which.words)
        before = time.process_time()
        _is_on = True
        try:
            content = verdict(data).content
        except BaseException as escaped:
            escaped.add_note(repr(data))
            raise
        finally:
            _is_on = False
        taken = (time.process_time() - before) * 1000 / max(1, len(data) / 10_000)
        done.slowest_ms_per_10_kb = max(done.slowest_ms_per_10_kb, taken)
        done.inputs += 1
        done.contents[content] = done.contents.get(content, 0) + 1
    done.opened, _watching[:] = list(_watching), []
    return done
