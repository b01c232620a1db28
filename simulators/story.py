"""What is to happen to an order, as data; most fates are drawn by the order's number in seeded shares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any

STATES = ("OPEN", "PLANNING", "AWAITING_REPLY", "MANUAL_FOLLOW_UP", "READY", "RESOLVED", "CLOSED")
NOBODY = ""
"""Who plays a turn in which everybody waits."""


@dataclass(frozen=True)
class Turn:
    """Something that one person does with an order where its work stands, instead of what people usually do there.

    Turns of a story are played in their order; while one is due everybody else leaves the order alone.
    """

    who: str
    """A person by name; erp; technician: whoever was there; NOBODY: all wait while the work order stands here."""
    state: str
    act: str = "wait"
    given: Mapping[str, Any] = field(default_factory=dict)
    sequence: int = 1
    once: str = ""
    """A field of the work order that must be set before."""
    hours: float = 0.0
    """Waits so long, from the first look at which all else fits."""
    days_before: float | None = None
    """Waits until so many days before the visit."""
    refused: str = ""
    """The code with which the hub must refuse."""

    def fits(self, item: Mapping[str, Any]) -> bool:
        """The work order stands where this turn is played, whenever that may be."""
        here = (item["state"], item["sequence"]) == (self.state, self.sequence)
        return here and (not self.once or item[self.once] not in (None, (), [], {}, "none"))


@dataclass(frozen=True)
class Story:
    """One order's fate. All that is not named goes well."""

    number: int
    journey: str = ""
    turns: tuple[Turn, ...] = ()
    plan: str = "MME"
    """The devices that the ERP orders."""
    slot_after_days: int = 0
    """So many days from today the dispatcher begins to look for a place; 0: as soon as an answer allows."""
    replies: tuple[tuple[float, str], ...] = ((3.0, "OK {code}"),)
    """What the customer writes back, each so many hours after the text."""
    patient: bool = False
    """The dispatcher waits for the answer instead of calling."""
    visits: tuple[str, ...] = ()
    """Results of the first visits, in order, each with its sub-reason behind a slash; behind them OK."""
    wrong_serial: bool = False
    offline: bool = False
    """The technician's phone has no net from the morning of the visit on: the report comes all the same, twice."""
    finishes: bool = False
    """What the technician has begun he reports, whatever happens meanwhile."""
    rework: str | None = None
    """desk, field: what the reviewer asks for at first."""
    reject: tuple[str, ...] = ()
    """Codes with which the ERP refuses the first completions."""
    fix: str = "data"
    """How a rejection is mended: data, field."""
    second_thoughts: tuple[tuple[float, str], ...] = ()
    """What the ERP answers to the first completion so many hours after its first answer; `0.0` is its yes."""
    broken_first: bool = False
    """The ERP's endpoint answers 503 once before it takes the document."""
    answers_twice: bool = False
    answers_late_hours: float = 0.0
    cancelled_before: bool = False
    """The cancellation comes before its order."""
    hold_days: int = 0
    copies: int = 1
    """How often the same bytes are sent."""
    spoilt: tuple[str, ...] = ()
    """Kinds of garbage as which a partner of the market sends its order before it sends it whole."""
    by_file: bool = False
    unknown_partner: bool = False
    mobile: bool = True
    """The customer can be texted; else the partner knows a line at home only."""
    texts: tuple[str, ...] = ("accept",)
    """What the vendor does with each try to send a text: accept, broken, refuse; the last one goes on."""
    receipt: str | None = "DELIVERED"
    """What the vendor says of a text that he took; None: nothing."""
    cases: int = 1
    """Cases that come of it."""
    parties: tuple[str, ...] = ()
    """Roles of the market that the ERP's order names: nb, lf, wmsb; each is a partner of its own."""
    market: tuple[tuple[str, str], ...] = ()
    """What a role (nb, lf, wmsb, erp) does with the first document about the order, if not `accept`.

    Actions: see `simulators/partner.py`.
    """
    ordered_by: str | None = None
    """Who orders instead of the ERP: mdm-b, or nb-nord, which expects an answer."""
    also_ordered_by: str | None = None
    """Who else of the market orders the same work."""
    ordered_twice: bool = False
    """The ERP orders the same work as well."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Header properties of the order."""


def cancelled_at(state: str, **more: Any) -> Turn:
    """The partner withdraws its order when the work stands there; in planning, once a time is set aside."""
    return Turn("erp", state, "cancel", once="appointment_id" if state == "PLANNING" else "", **more)


REASONS = ((0.60, "2.4", "data"), (0.75, "2.13", "field"), (1.0, "5.3", "data"))
"""Codes with which partners refuse, up to which part of all refusals, and how they are mended."""


def stream(seed: int, name: str, index: int) -> Random:
    """A draw that no other draw shifts (kpis-and-data page, section 5)."""
    return Random(int.from_bytes(sha256(f"{seed}/{name}/{index}".encode()).digest()[:8]))


def drawn(number: int, seed: int) -> Story:
    """A fate by the shares of the demo recipe."""
    visit, disturbance = stream(seed, "visit", number), stream(seed, "disturbance", number).random()
    handover = stream(seed, "handover", number)
    fate = handover.random()
    code, fix = _refusal(stream(seed, "reason", number))
    texts, receipt = _texting(stream(seed, "sms", number))
    state = stream(seed, "cancel", number).choice(STATES)
    return Story(
        number,
        turns=(cancelled_at(state),) if disturbance < 0.02 else (),
        replies=_replies(stream(seed, "reply", number)),
        visits=_visits(visit),
        rework="desk" if stream(seed, "crew", number).random() < 0.08 else None,
        reject=(code,) if fate < 0.04 else (),
        fix=fix,
        broken_first=0.04 <= fate < 0.06,
        answers_twice=0.06 <= fate < 0.08,
        answers_late_hours=min(handover.lognormvariate(1.79, 0.9), 72.0),
        hold_days=stream(seed, "hold", number).randint(5, 30) if 0.02 <= disturbance < 0.05 else 0,
        by_file=number % 10 == 0,
        mobile=stream(seed, "contact", number).random() < 0.82,
        texts=texts,
        receipt=receipt,
    )


def _visits(luck: Random) -> tuple[str, ...]:
    failed = tuple("NOT_AT_HOME/customer_not_home" for _ in range(2) if luck.random() < 0.18)
    return (*failed, "DOCS_INCOMPLETE") if luck.random() < 0.03 else failed


def _texting(luck: Random) -> tuple[tuple[str, ...], str | None]:
    """What the vendor does with texts to a number: refused for good, or taken; receipts get lost.

    None is refused for a moment only: its next try and the case's own waiting would be due in one jump of the clock,
    and the same seed could end in two ways.
    """
    refused, arrives = luck.random() < 0.005, luck.random() >= 0.02
    return ("refuse",) if refused else ("accept",), "DELIVERED" if arrives else None


def _refusal(luck: Random) -> tuple[str, str]:
    drawn = luck.random()
    return next((code, fix) for share, code, fix in REASONS if drawn < share)


def _replies(luck: Random) -> tuple[tuple[float, str], ...]:
    fate, delay = luck.random(), min(luck.lognormvariate(1.1, 1.2), 60.0)
    for share, text in (
        (0.52, "OK {code}"),
        (0.61, "Ok, passt {code}"),
        (0.66, "KONTAKT {code}"),
        (0.70, "Wer sind Sie? {code}"),
    ):
        if fate < share:
            return ((delay, text),)
    return ()
