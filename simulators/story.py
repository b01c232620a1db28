"""What is to happen to each order: the first ones play one journey each, the rest follow seeded shares."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from random import Random

STATES = ("OPEN", "PLANNING", "AWAITING_REPLY", "MANUAL_FOLLOW_UP", "READY", "RESOLVED", "CLOSED")


@dataclass(frozen=True)
class Story:
    """One order's fate. All that is not named goes well."""

    number: int
    journey: str = ""
    reply: str | None = "OK {code}"
    """What the customer writes back; None: nothing."""
    reply_after_hours: float = 3.0
    visits: tuple[str, ...] = ()
    """Results of the first visits, in order; behind them OK."""
    wrong_serial: bool = False
    rework: str | None = None
    """desk, field: what the reviewer asks for at first."""
    reject: tuple[str, ...] = ()
    """Codes with which the ERP refuses the first completions."""
    fix: str = "data"
    """How a rejection is mended: data, field."""
    broken_first: bool = False
    """The ERP's endpoint answers 503 once before it takes the document."""
    answers_twice: bool = False
    answers_late_hours: float = 0.0
    cancel_at: str | None = None
    """State of the work order in which the ERP cancels; BEFORE: before it orders."""
    hold_days: int = 0
    copies: int = 1
    """How often the same bytes are sent."""
    by_file: bool = False
    unknown_partner: bool = False
    mobile: bool = True
    """The customer can be texted; else the partner knows a line at home only."""
    texts: tuple[str, ...] = ("accept",)
    """What the vendor does with each try to send a text: accept, broken, refuse; the last one goes on."""
    receipts: bool = True
    """Receipts of delivery arrive."""
    plan: str = "MME"
    """The devices that the ERP orders."""
    parties: tuple[str, ...] = ()
    """Roles of the market that the ERP's order names: nb, lf, wmsb; each is a partner of its own."""
    market: tuple[tuple[str, str], ...] = ()
    """What a role does with the first document about the order, if not `accept`; actions of `simulators/market.py`."""
    ordered_by: str | None = None
    """Who orders instead of the ERP: mdm-b, or nb-nord, which expects an answer."""
    ordered_twice: bool = False
    """The ERP orders the same work as well."""
    withdrawn_after_hours: float = 0.0
    """So long after its order that partner withdraws it; 0: never."""


# fmt: off
JOURNEYS: tuple[dict[str, object], ...] = (
    {"journey": "J01"},
    {"journey": "J09", "reply": "passt, aber erst ab 10 {code}"},
    {"journey": "J11", "reply_after_hours": 120.0},
    {"journey": "J19", "visits": ("NOT_AT_HOME",)},
    {"journey": "J24", "wrong_serial": True},
    {"journey": "J26", "rework": "desk"},
    {"journey": "J28", "reject": ("2.4",), "fix": "data"},
    {"journey": "J29", "reject": ("2.13",), "fix": "field"},
    {"journey": "J36", "cancel_at": "OPEN"},
    {"journey": "J37", "cancel_at": "PLANNING"},
    {"journey": "J39", "cancel_at": "AWAITING_REPLY"},
    {"journey": "J41", "cancel_at": "READY"},
    {"journey": "J42", "cancel_at": "IN_PROGRESS"},
    {"journey": "J47", "cancel_at": "CLOSED"},
    {"journey": "J51", "cancel_at": "BEFORE"},
    {"journey": "J53", "copies": 20},
    {"journey": "J60", "unknown_partner": True, "by_file": True},
)
# fmt: on
REASONS = ((0.60, "2.4", "data"), (0.75, "2.13", "field"), (1.0, "5.3", "data"))
"""Codes with which partners refuse, up to which part of all refusals, and how they are mended."""


def stream(seed: int, name: str, index: int) -> Random:
    """A draw that no other draw shifts (kpis-and-data page, section 5)."""
    return Random(int.from_bytes(sha256(f"{seed}/{name}/{index}".encode()).digest()[:8]))


def stories(cases: int, seed: int) -> Sequence[Story]:
    """The fates of orders 1 to `cases`: by number, never by arrival."""
    return [
        replace(Story(number), **JOURNEYS[number - 1])  # type: ignore[arg-type]
        if number <= len(JOURNEYS)
        else drawn(number, seed)
        for number in range(1, cases + 1)
    ]


def drawn(number: int, seed: int) -> Story:
    """A fate by the shares of the demo recipe."""
    reply, delay = _reply(stream(seed, "reply", number))
    visit, disturbance = stream(seed, "visit", number), stream(seed, "disturbance", number).random()
    handover = stream(seed, "handover", number)
    fate = handover.random()
    code, fix = _refusal(stream(seed, "reason", number))
    texts, receipts = _texting(stream(seed, "sms", number))
    return Story(
        number,
        reply=reply,
        reply_after_hours=delay,
        visits=tuple("NOT_AT_HOME" for _ in range(2) if visit.random() < 0.18),
        rework="desk" if stream(seed, "crew", number).random() < 0.08 else None,
        reject=(code,) if fate < 0.04 else (),
        fix=fix,
        broken_first=0.04 <= fate < 0.06,
        answers_twice=0.06 <= fate < 0.08,
        answers_late_hours=min(handover.lognormvariate(1.79, 0.9), 72.0),
        cancel_at=stream(seed, "cancel", number).choice(STATES) if disturbance < 0.02 else None,
        hold_days=stream(seed, "hold", number).randint(5, 30) if 0.02 <= disturbance < 0.05 else 0,
        by_file=number % 10 == 0,
        mobile=stream(seed, "contact", number).random() < 0.82,
        texts=texts,
        receipts=receipts,
    )


def _texting(luck: Random) -> tuple[tuple[str, ...], bool]:
    """What the vendor does with texts to a number: refused for good, or taken; receipts get lost.

    None is refused for a moment only: its next try and the case's own waiting would be due in one jump of the clock,
    and the same seed could end in two ways.
    """
    refused, receipts = luck.random() < 0.005, luck.random() >= 0.02
    return ("refuse",) if refused else ("accept",), receipts


def _refusal(luck: Random) -> tuple[str, str]:
    drawn = luck.random()
    return next((code, fix) for share, code, fix in REASONS if drawn < share)


def _reply(luck: Random) -> tuple[str | None, float]:
    fate, delay = luck.random(), min(luck.lognormvariate(1.1, 1.2), 60.0)
    for share, text in (
        (0.52, "OK {code}"),
        (0.61, "Ok, passt {code}"),
        (0.66, "KONTAKT {code}"),
        (0.70, "Wer sind Sie? {code}"),
    ):
        if fate < share:
            return text, delay
    return None, delay
