"""What happens to a text and what its reader does: per number, or by shares that are drawn from seed and number."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from random import Random


class Try(StrEnum):
    """What a request to send is met with."""

    ACCEPT = "accept"
    BUSY = "busy"
    """429, nothing taken."""
    BROKEN = "broken"
    """503, nothing taken."""
    REFUSE = "refuse"
    """A result code for good: this number gets nothing."""
    HANG = "hang"
    """Taken, and the connection is lost before the answer."""
    DROP = "drop"
    """Nothing taken, and the connection is lost."""
    LIE = "lie"
    """Taken, and answered 500."""
    MUMBLE = "mumble"
    """Taken, and answered in words that say neither yes nor no."""


TAKEN = frozenset({Try.ACCEPT, Try.HANG, Try.LIE, Try.MUMBLE})
"""After these the phone rings."""


@dataclass(frozen=True)
class Callback:
    """A call to the hub some time after a text was taken: a receipt, or what the customer writes back."""

    after: timedelta
    status: str | None = None
    """Of the receipt; None for a reply."""
    text: str | None = None
    """Of the reply; `{code}` becomes the code in the text that it answers. Without one there it is not written."""
    sender: str | None = None
    """Another number or name than the one that was texted."""
    copies: int = 1
    forged: bool = False
    """Signed with a wrong key."""


RECEIPTS = (Callback(timedelta(seconds=5), status="DELIVERED"),)


@dataclass(frozen=True)
class Plan:
    """One text's fate: what each try to send it meets (the last one goes on), and the calls that follow."""

    tries: tuple[Try, ...] = (Try.ACCEPT,)
    callbacks: tuple[Callback, ...] = RECEIPTS

    def met_by(self, number: int) -> Try:
        """What the n-th try meets, counted from 0."""
        return self.tries[min(number, len(self.tries) - 1)]


def replies(text: str, after: timedelta = timedelta(hours=3), **more: object) -> Plan:
    """A plan for a customer who gets the text and writes back."""
    return Plan(callbacks=(*RECEIPTS, Callback(after, text=text, **more)))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Shares:
    """How customers and the vendor behave where no number is scripted: parts of 1, drawn per number."""

    transient: float = 0.01
    permanent: float = 0.005
    receipt_lost: float = 0.02
    answers: Mapping[str, float] = field(
        default_factory=lambda: {
            "OK {code}": 0.52,
            "Ok, passt {code}": 0.09,
            "KONTAKT {code}": 0.05,
            "Wer sind Sie? {code}": 0.04,
        }
    )
    """Texts and their shares; the rest does not answer."""


def lognormal_hours(median: float = 3.0, sigma: float = 1.2, most: float = 72.0) -> Callable[[Random], timedelta]:
    """Delays of answers; hours, cut off so that nobody answers weeks later."""
    return lambda random: timedelta(hours=min(random.lognormvariate(math.log(median), sigma), most))


class Script:
    """Plans by number. A number's own plans come one per text to it, the last one goes on; all others are drawn."""

    def __init__(
        self,
        seed: int = 0,
        shares: Shares | None = None,
        numbers: Mapping[str, Sequence[Plan]] | None = None,
        answer_delay: Callable[[Random], timedelta] | None = None,
    ) -> None:
        self.seed, self.shares = seed, shares
        self.numbers: dict[str, Sequence[Plan]] = dict(numbers or {})
        self.answer_delay = answer_delay or lognormal_hours()

    def plan(self, number: str, index: int, *, asks: bool) -> Plan:
        """The plan of the n-th text to a number, counted from 0; only a text that asks for an answer gets one."""
        if plans := self.numbers.get(number):
            return plans[min(index, len(plans) - 1)]
        return self._drawn(number, index, asks) if self.shares else Plan()

    def _drawn(self, number: str, index: int, asks: bool) -> Plan:
        shares, luck = self._need_shares(), self.stream("sms", f"{number}/{index}")
        fate, lost = luck.random(), luck.random()
        if fate < shares.permanent:
            return Plan((Try.REFUSE,))
        tries = (Try.BROKEN, Try.ACCEPT) if fate < shares.permanent + shares.transient else (Try.ACCEPT,)
        receipts = () if lost < shares.receipt_lost else RECEIPTS
        return Plan(tries, (*receipts, *(self._answer(number, index) if asks else ())))

    def _answer(self, number: str, index: int) -> tuple[Callback, ...]:
        luck = self.stream("reply", f"{number}/{index}")
        drawn = luck.random()
        for text, share in self._need_shares().answers.items():
            if drawn < share:
                return (Callback(self.answer_delay(luck), text=text),)
            drawn -= share
        return ()

    def stream(self, stream: str, index: str) -> Random:
        """Draws of one object: a new stream never shifts an old one, and the order of arrival never matters."""
        return Random(int.from_bytes(sha256(f"{self.seed}/{stream}/{index}".encode()).digest()[:8]))

    def _need_shares(self) -> Shares:
        return self.shares or Shares()
