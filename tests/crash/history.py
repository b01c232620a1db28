"""What happened in a run, as a list that a checker can judge: what was asked, done, told and seen outside."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

Op = Literal["try", "accept", "apply", "park", "record", "tell", "owe", "effect", "unknown", "stuck"]


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a history.

    try, accept: somebody asked for (key, number); it was answered for. apply: it stands in the state. park: it lies
    visibly aside. record: its owner's books hold (key, number). tell: the topic holds it, in this order. owe, effect:
    an effect was promised; the outside saw it. unknown: nobody can tell. stuck: the run never came to rest.
    """

    op: Op
    key: str
    number: int = 0


@dataclass
class History:
    """Happenings in their order; equal for equal seeds."""

    seed: int = 0
    lines: list[Happening] = field(default_factory=list)

    def note(self, op: Op, key: str, number: int = 0) -> None:
        self.lines.append(Happening(op, key, number))

    def of(self, op: Op) -> Iterator[tuple[str, int]]:
        return ((each.key, each.number) for each in self.lines if each.op == op)

    def count(self, op: Op) -> int:
        return sum(1 for _ in self.of(op))

    def keep(self, path: Path) -> None:
        """Write the history as JSON lines, to look at after a failure."""
        path.write_text("".join(f"{json.dumps(asdict(each))}\n" for each in self.lines), "utf-8")
