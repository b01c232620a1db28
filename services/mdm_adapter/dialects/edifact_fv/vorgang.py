"""A Vorgang: the part of a message that is processed, or refused, by itself, with access to what it says."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from services.mdm_adapter.dialects.edifact_fv.envelope import Message
from services.mdm_adapter.dialects.edifact_fv.patterns import pattern
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.templates import kinds

Numbered = tuple[int, Segment]
"""A segment with its number in the message, UNH = 1."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some segments of a message, in order."""

    message: Message
    segments: tuple[Numbered, ...]

    def all(self, text: str) -> Iterator[Numbered]:
        """Segments that fit a pattern, such as `RFF+Z13`."""
        wanted = pattern(text)
        return (each for each in self.segments if wanted.fits(each[1]))

    def first(self, text: str) -> Segment | None:
        """The first segment that fits a pattern."""
        return next((segment for _, segment in self.all(text)), None)

    def value(self, text: str, element: int, component: int = 1) -> str:
        """A component of the first segment that fits; empty without one."""
        found = self.first(text)
        return found.at(element, component) if found else ""

    def reference(self, qualifier: str) -> str:
        """DE1154 of the first RFF with this qualifier."""
        return self.value(f"RFF+{qualifier}", 2, 2)

    def time(self, qualifier: str) -> datetime | None:
        """The moment of the first DTM with this qualifier, in UTC (format 303)."""
        found = self.first(f"DTM+{qualifier}")
        return moment(found.at(2, 2)) if found and found.at(2, 3) == "303" else None

    @property
    def pid(self) -> str:
        """The Prüfidentifikator."""
        return self.reference("Z13")


@dataclass(frozen=True, slots=True)
class Vorgang(Part):
    """One Vorgang; `head` is what stands before the first of its message, the same for all."""

    head: Part
    number: str
    """As an APERAK quotes it in RFF+TN; empty where the message is the Vorgang."""

    @property
    def document(self) -> str:
        """DE1004 of BGM."""
        return self.head.value("BGM", 3)


def vorgaenge(message: Message) -> tuple[Part, list[Vorgang]]:
    """The head of a message, and its Vorgänge."""
    kind = kinds().get(message.type)
    numbered = tuple(enumerate(message.segments[1:-1], 2))
    starts = kind.starts if kind else None
    if starts is None:
        head = Part(message, numbered)
        return head, [Vorgang(message, numbered, head, "")]
    begins = [index for index, (_, segment) in enumerate(numbered) if segment.tag == starts]
    head = Part(message, numbered[: begins[0]] if begins else numbered)
    found = []
    for begin, end in pairwise([*begins, len(numbered)]):
        segments = numbered[begin:end]
        first = segments[0][1]
        number = first.at(2) if starts == "CNI" else first.at(3)
        found.append(Vorgang(message, segments, head, number))
    return head, found


def moment(text: str) -> datetime | None:
    """A time of format 303 as UTC; None: it is none, or of another zone than UTC."""
    if len(text) != 15 or text[12:] != "+00" or not (text[:12].isascii() and text[:12].isdigit()):
        return None
    try:
        return datetime(int(text[:4]), int(text[4:6]), int(text[6:8]), int(text[8:10]), int(text[10:12]), tzinfo=UTC)
    except ValueError:
        return None
