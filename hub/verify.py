"""The invariants of the reliability page that apply now, over every database and, where they are, Kafka's topics."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from contracts.topics import TOPICS
from hub import gate_invariant, job_invariants, kernel_invariants
from hub.looking import Found, Look
from kit.bus import Record
from kit.clock import Clock
from kit.db import Db
from kit.settings import Settings

Invariant = Callable[[Look], Awaitable[Found]]

INVARIANTS: Mapping[str, Invariant] = MappingProxyType(
    {
        "I1": kernel_invariants.one_effect,
        "I2": kernel_invariants.nothing_lost,
        "I3": kernel_invariants.in_order,
        "I4": gate_invariant.complete_by_the_gate,
        "I5": job_invariants.installed_once,
        "I6": job_invariants.told_once,
        "I7": kernel_invariants.chained,
        "I8": job_invariants.stopped,
        "I10": job_invariants.receipts_owed,
        "I11": job_invariants.processed_in_time,
        "I12": job_invariants.cockpit_is_the_fold,
        "I13": job_invariants.at_most_one,
        "I16": job_invariants.terminal_stays,
        "I17": job_invariants.answered_once,
        "I18": job_invariants.devices_conserved,
    }
)
"""Each returns how many rows it looked at and those that break it. The docstring is its rule."""


@dataclass(frozen=True)
class Check:
    """What one invariant came to."""

    id: str
    rule: str
    rows: int
    """Rows looked at; 0 proves nothing, and is said."""
    offending: Sequence[Mapping[str, str]]

    def line(self) -> str:
        """The same for people."""
        looked = f"{self.rows} rows" if self.rows else "nothing to look at"
        verdict = f"{len(self.offending)} BROKEN" if self.offending else "holds"
        return f"{self.id:<4} {verdict:<10} {looked:<20} {self.rule}"


@dataclass(frozen=True)
class Report:
    """All checks of one run."""

    checks: Sequence[Check]

    @property
    def violations(self) -> int:
        return sum(len(check.offending) for check in self.checks)

    @property
    def empty(self) -> list[str]:
        """Checks that found no row to look at."""
        return [check.id for check in self.checks if not check.rows and not check.offending]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "checked": len(self.checks),
            "rows": sum(check.rows for check in self.checks),
            "violations": self.violations,
            "checks": [
                {
                    "id": check.id,
                    "rule": check.rule,
                    "rows": check.rows,
                    "offending": [dict(x) for x in check.offending],
                }
                for check in self.checks
            ],
        }


async def verify(databases: Mapping[str, Db], clock: Clock, kafka: Settings | None = None) -> Report:
    """Look at everything once. Most rules hold at any time; I2, I8 and I12 allow for what is under way."""
    look = Look(databases, clock.now(), await topics_of(kafka) if kafka else None)
    checks = []
    for name, invariant in INVARIANTS.items():
        found = await invariant(look)
        rule = (invariant.__doc__ or "").partition(": ")[2].strip()
        checks.append(Check(name, rule, found.rows, found.offending))
    return Report(checks)


async def topics_of(settings: Settings) -> Mapping[str, Sequence[Record]]:
    """Every topic from its beginning to its end."""
    from kit.kafka.whole import whole  # only here: without Kafka the client is not loaded

    return {topic: await whole(settings, topic) for topic in TOPICS}
