"""Judges a history: what was lost, done twice, out of order, without cause, stuck, or never found out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from itertools import pairwise

from tests.crash.history import History


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many of each; a run has passed when all are zero."""

    lost: int = 0
    duplicate: int = 0
    disorder: int = 0
    phantom: int = 0
    stuck: int = 0
    unknown_unresolved: int = 0

    @property
    def clean(self) -> bool:
        return not any(astuple(self))

    def __str__(self) -> str:
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return ", ".join(f"{count} {name}" for name, count in found.items())


def judge(history: History) -> Verdict:
    """The verdict on a run that has come to rest."""
    accepted, applied = set(history.of("accept")), list(history.of("apply"))
    asked = accepted | set(history.of("try"))
    parked, told = set(history.of("park")), list(history.of("tell"))
    seen = Counter(history.of("effect"))
    owed = set(history.of("owe"))
    unknown = set(history.of("unknown"))
    lost = accepted - set(applied) - parked
    untold = set(history.of("record")) - set(told)
    return Verdict(
        lost=len(lost) + len(untold) + len(owed - seen.keys() - unknown),
        duplicate=_again(applied) + sum(count - 1 for count in seen.values()) + _in_both(applied, parked),
        disorder=_steps_back(_firsts(applied)) + _gaps(_firsts(told)),
        phantom=len(set(applied) - asked) + len(seen.keys() - owed),
        stuck=history.count("stuck"),
        unknown_unresolved=len(unknown),
    )


def _again(applied: Iterable[tuple[str, int]]) -> int:
    return sum(count - 1 for count in Counter(applied).values())


def _in_both(applied: Iterable[tuple[str, int]], parked: set[tuple[str, int]]) -> int:
    return len(set(applied) & parked)


def _firsts(happened: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Per key the numbers in the order of their first occurrence; copies don't count."""
    lines: dict[str, dict[int, None]] = {}
    for key, number in happened:
        lines.setdefault(key, {})[number] = None
    return {key: list(numbers) for key, numbers in lines.items()}


def _steps_back(lines: dict[str, list[int]]) -> int:
    """Numbers rise as they are asked for; some may be missing, which is another verdict."""
    return sum(later < earlier for line in lines.values() for earlier, later in pairwise(line))


def _gaps(lines: dict[str, list[int]]) -> int:
    """Sequences on a topic count from one, without a gap."""
    return sum(number != place for line in lines.values() for place, number in enumerate(line, 1))
