"""One line per run: seed, numbers, verdict."""

import sys

from tests.crash.checker import Verdict
from tests.crash.history import History


def say(line: str) -> None:
    """Show a number that a person wants to see (`pytest -s`)."""
    sys.stdout.write(f"{line}\n")


def summary(name: str, history: History, verdict: Verdict, **numbers: object) -> str:
    """What a run did, and what is to be said of it."""
    did = f"{history.count('accept')} accepted, {history.count('apply')} applied, {history.count('tell')} told"
    more = "".join(f", {name} {value}" for name, value in numbers.items())
    return f"{name} (seed {history.seed}): {did}{more}: {verdict}"
