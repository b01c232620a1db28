"""What every simulated partner of the market has: a script per order, and a log of what it got."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Self

LATE = timedelta(hours=6)
ACTIONS = {
    "accept": (("yes",), ()),
    "received": (("received",), ()),
    "silent": ((), ()),
    "late": ((), ("yes",)),
    "answer_twice": (("yes",), ("same",)),
    "duplicate_delivery": (("yes",), ()),
    "answer_other_body": (("yes",), ("other body",)),
    "answer_before_ack": (("answer", "received"), ()),
    "wrong_reference": (("yes",), ()),
    "no_correlation": (("yes",), ()),
    "other_partner_answers": (("yes",), ()),
    "garbage": (("yes",), ()),
    "reject": (("no",), ()),
    "refuse_receipt": (("unreadable",), ()),
    "refuse_syntax": (("syntax",), ()),
    "accept_then_reject": (("yes",), ("no",)),
    "reject_then_accept": (("no",), ("accepted",)),
    "correct": (("yes",), ("corrected",)),
    "partial": (("part",), ()),
    "http": ((), ()),
}
"""What an action says at once, and what later. Not every dialect has words for all of them."""
REFUSALS = frozenset({400, 413, 415, 422})
"""What the hub may answer to garbage."""
Send = Callable[[str, bytes], Awaitable[None]]
"""Hands a message to the hub, in the name of a partner."""


class Unspeakable(ValueError):
    """The script wants something said that this dialect has no message for."""


@dataclass(frozen=True)
class Action:
    """What a partner does with one document.

    As text `verb:code:list:text`: `reject:A01:E_0233`, `refuse_receipt:Z35`, `refuse_syntax:29`, `garbage:truncated`,
    `other_partner_answers:lf-nord`, `http:503`, `duplicate_delivery:100`; `late:12` is twelve hours late;
    `correct:<field>=<JSON value>`.
    """

    verb: str
    code: str = ""
    list: str = ""
    text: str = ""
    detail: str = ""
    """All that stands behind the verb."""
    on: str = "*"
    """Waits for a document of this name or PID; a glob."""
    after: timedelta = LATE
    """How much later the second word follows the first one."""

    def __post_init__(self) -> None:
        if self.verb not in ACTIONS:
            raise ValueError(f"no action: {self.verb}")

    @property
    def copies(self) -> int:
        """How often an answer leaves beside the first time."""
        return int(self.code) - 1 if self.verb == "duplicate_delivery" else 0

    @classmethod
    def of(cls, said: "str | Action") -> "Self | Action":
        """Read an action."""
        if isinstance(said, Action):
            return said
        verb, _, detail = said.partition(":")
        code, list_, text = (*detail.split(":", 2), "", "", "")[:3]
        after = timedelta(hours=float(code)) if verb == "late" and code else LATE
        return cls(verb, code, list_, text, detail, after=after)


ACCEPT = Action("accept")
Scripts = MutableMapping[str, list[str | Action]]
"""Actions by order number or by a glob over order numbers, one per document, in their order; behind them `accept`."""


def next_action(scripts: Scripts, order: str, names: Sequence[str]) -> Action:
    """What the script wants done with a document of these names about an order; each order has the script anew."""
    if order not in scripts:
        glob = next((glob for glob in scripts if fnmatchcase(order, glob)), None)
        if glob is None:
            return ACCEPT
        scripts[order] = list(scripts[glob])
    for index, said in enumerate(scripts[order]):
        action = Action.of(said)
        if any(fnmatchcase(name, action.on) for name in names):
            del scripts[order][index]
            return action
    return ACCEPT


@dataclass
class Log:
    """What one partner was told about one order, and what became of it."""

    documents: list[str] = field(default_factory=list)
    """Names of reports, each counted once."""
    answers: list[tuple[str, str]] = field(default_factory=list)
    """Answers of the hub to this partner's own orders: accepted or rejected with the code, or the level without one."""
    copies: int = 0
    trouble: list[str] = field(default_factory=list)
    """What this partner's own reader has against messages of the hub."""


@dataclass(frozen=True)
class Entry:
    """One line of a partner's journal."""

    at: datetime
    way: str
    """in, out, or trouble: what this side has against something that came."""
    what: str
    number: str
    """Of the interchange or event."""
    order: str = ""
    said: str = ""
    """What the script makes of it, or what stands in it."""


def hand_in(folder: Path, name: str, content: bytes) -> None:
    """Put a whole file into a folder from which the hub takes files."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{name}.tmp"
    beside.write_bytes(content)
    beside.rename(folder / name)
