"""Which messages answer a Vorgang, by the action of the script and by the role that speaks."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from simulators.edifact.documents import ANNOUNCED, MASTER_DATA, Item
from simulators.edifact.letters import FIELDS, Body, Pen, Quoted, Refusal
from simulators.partner import ACTIONS, Action, Unspeakable

FEEDBACK = {"nb": "55648", "lf": "55658"}
REMOVAL = "17009"
TEXT = "as scripted"


@dataclass(frozen=True, eq=False)
class Said:
    """One message that answers one Vorgang."""

    after: timedelta
    type: str
    write: Callable[[Pen, Quoted], Body]
    item: Item
    action: Action
    accepted: bool | None = None
    """Whether the document is taken over; None: nothing is said of that. An answer may say it before the receipt."""

    @classmethod
    def receipt(
        cls, item: Item, action: Action, refusals: Sequence[Refusal] = (), after: timedelta = timedelta()
    ) -> "Said":
        """APERAK 312, or 313 with these errors."""

        def write(pen: Pen, quoted: Quoted) -> Body:
            return pen.aperak(quoted, refusals)

        return cls(after, "APERAK", write, item, action, not refusals)


def answers(item: Item, action: Action, role: str) -> Iterator[Said]:
    """Everything that the action has this role say. Raises Unspeakable where the market has no such message."""
    now, later = ACTIONS[action.verb]
    for word in now:
        yield from _said(word, item, action, role, timedelta())
    for word in later:
        yield from _said(word, item, action, role, action.after)


def _said(word: str, item: Item, action: Action, role: str, after: timedelta) -> Iterator[Said]:
    is_first = not after or action.verb == "late"
    match word:
        case "received":
            yield Said.receipt(item, action, after=after)
        case "yes":
            yield Said.receipt(item, action, after=after)
            if _owes_answer(item, role) or (action.verb == "accept" and action.code):
                yield _positive(item, action, role, after)
        case "answer" | "accepted":
            yield _positive(item, action, role, after)
        case "no":
            if is_first:
                yield Said.receipt(item, action, after=after)
            yield _negative(item, action, role, after)
        case "unreadable":
            error = Refusal(action.code, action.text or action.list or TEXT, item.first("LOC+"))
            yield Said.receipt(item, action, [error], after)
        case "corrected":
            yield _corrected(item, action, role, after)
        case "part":
            raise Unspeakable("every Vorgang has its own receipt")


def _owes_answer(item: Item, role: str) -> bool:
    """A competing operator answers the announcement of an intelligent system, an old one the order to remove."""
    return item.pid == REMOVAL or (role == "wmsb" and item.pid == ANNOUNCED and item.is_intelligent)


def _positive(item: Item, action: Action, role: str, after: timedelta) -> Said:
    code = action.code if action.verb == "accept" else ""
    if item.pid == ANNOUNCED and role == "wmsb":
        return Said(after, "IFTSTA", lambda pen, q: pen.agreement(item, q, "21030", code or "A03"), item, action)
    if item.pid == REMOVAL:
        return Said(after, "ORDRSP", lambda pen, q: pen.order_answer(q, "19015", code or "ZB4"), item, action)
    return _feedback(item, action, role, after, code or "A01")


def _negative(item: Item, action: Action, role: str, after: timedelta) -> Said:
    code, list_ = action.code, action.list or "E_0233"
    if item.pid == ANNOUNCED and role == "wmsb":
        return Said(after, "IFTSTA", lambda pen, q: pen.agreement(item, q, "21031", code, list_), item, action)
    if item.pid == REMOVAL:
        text = action.text
        return Said(after, "ORDRSP", lambda pen, q: pen.order_answer(q, "19016", code, text), item, action)
    return _feedback(item, action, role, after, code)


def _feedback(item: Item, action: Action, role: str, after: timedelta, code: str) -> Said:
    pid = FEEDBACK.get(role)
    if item.pid not in MASTER_DATA or pid is None or code not in {"A01", "Z88"}:
        raise Unspeakable(f"{role} cannot answer {item.pid} with {code}")
    accepted = True if code == "A01" else None
    return Said(after, "UTILMD", lambda pen, q: pen.feedback(item, q, pid, code), item, action, accepted)


def _corrected(item: Item, action: Action, role: str, after: timedelta) -> Said:
    """55648, 55658 with A02: one value is seen otherwise."""
    name, _, value = action.detail.partition("=")
    pid = FEEDBACK.get(role)
    if item.pid not in MASTER_DATA or pid is None or name not in FIELDS:
        raise Unspeakable(f"{role} cannot correct {name} of {item.pid}")
    seen = (name, str(json.loads(value)))
    return Said(after, "UTILMD", lambda pen, q: pen.feedback(item, q, pid, "A02", seen), item, action, True)
