"""Segments, messages and interchanges: just enough to read what comes, and to write what a party has to say."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

UNA, SIGNS = "UNA:+.? '", ":+.? '"
HIDDEN = 0xE000
"""Where a released character hides while the text is cut: a range that no character set of the market has."""
_SHOWN = {HIDDEN + code: code for code in range(256)}
_TAG = re.compile(r"[A-Z][A-Z0-9]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class NobodyKnown(Exception):
    """This is no interchange, or its sender cannot be read: nobody can be answered."""


class Segment(NamedTuple):
    """A segment; each element is its components."""

    tag: str
    elements: tuple[tuple[str, ...], ...]

    def at(self, element: int, component: int = 1) -> str:
        """A component, counted as people do: the tag is element 1. Empty where nothing stands."""
        found = self.elements[element - 2] if element - 2 < len(self.elements) else ()
        return found[component - 1] if component <= len(found) else ""

    @property
    def text(self) -> str:
        """As it is written between service characters, without releasing any: `RFF+Z13:55643`."""
        return "+".join([self.tag, *(":".join(element) for element in self.elements)])

    def written(self) -> str:
        """As it is sent: released, nothing empty at its end."""
        elements = [re.sub(":+$", "", ":".join(map(_released, element))) for element in self.elements]
        return re.sub(r"\++$", "", "+".join([self.tag, *elements]))


@dataclass(frozen=True)
class Message:
    """What stands from UNH to UNT."""

    number: str
    identifier: tuple[str, ...]
    """S009: type, version, release, agency, version of the association."""
    segments: tuple[Segment, ...]

    @property
    def type(self) -> str:
        return self.identifier[0]


@dataclass(frozen=True)
class Fault:
    """Why an interchange cannot be read, as a CONTRL says it."""

    code: str
    message: str = ""
    """Number of the message in which it is (DE0062); empty: it is the interchange's."""
    tag: str = ""


@dataclass(frozen=True)
class Interchange:
    """One interchange, and the first fault of its envelope."""

    head: Segment
    sent: datetime
    """S004: local time of the market, without zone."""
    messages: tuple[Message, ...]
    fault: Fault | None = None

    @property
    def number(self) -> str:
        """DE0020."""
        return self.head.at(6)

    @property
    def sender(self) -> str:
        return self.head.at(3)

    @property
    def receiver(self) -> str:
        return self.head.at(4)


def seg(tag: str, *elements: str | Sequence[str]) -> Segment:
    """A segment; a plain text is an element of one component."""
    return Segment(tag, tuple((each,) if isinstance(each, str) else tuple(each) for each in elements))


def written(segments: Iterable[Segment]) -> bytes:
    """The bytes of a whole interchange, a line for each segment."""
    lines = [UNA[:-1], *(segment.written() for segment in segments)]
    return "".join(f"{line}'\n" for line in lines).encode("latin-1")


def read(data: bytes) -> Interchange:
    """Read an interchange; a fault of its envelope lies in `fault`. Raises NobodyKnown where no head can be read."""
    segments, whole = _cut(data.decode("latin-1"))
    head = segments[0] if segments else None
    if head is None or head.tag != "UNB" or not (head.at(3) and head.at(6)):
        raise NobodyKnown
    try:
        sent = datetime.strptime(f"{head.at(5)}{head.at(5, 2)}", "%y%m%d%H%M")  # noqa: DTZ007 -- local time, no zone
    except ValueError as wrong:
        raise NobodyKnown from wrong
    messages = tuple(_messages(segments[1:-1]))
    broken = next(_faults(segments, messages), None) or (None if whole else Fault("21", tag="UNZ"))
    return Interchange(head, sent, messages, broken)


def _released(text: str) -> str:
    """What may not stand in a segment is left out: it can only be a piece of garbage that is quoted."""
    return re.sub(r"([?+:'])", r"?\1", _CONTROL.sub("", text))


def _cut(text: str) -> tuple[list[Segment], bool]:
    """All segments, and whether the text ends with one. Raises NobodyKnown where UNA is cut off."""
    signs, body = (text[3:9], text[9:]) if text.startswith("UNA") else (SIGNS, text)
    component, element, release, end = signs[:1], signs[1:2], signs[3:4], signs[5:]
    if not end:
        raise NobodyKnown
    hidden = re.sub(re.escape(release) + "(.)", lambda found: chr(HIDDEN + ord(found[1])), body, flags=re.DOTALL)
    *pieces, rest = [piece.strip("\r\n") for piece in hidden.split(end)]
    segments = []
    for piece in pieces:
        tag, *elements = piece.split(element)
        parts = tuple(tuple(part.translate(_SHOWN) for part in each.split(component)) for each in elements)
        segments.append(Segment(tag.translate(_SHOWN), parts))
    return segments, not rest and release not in hidden


def _messages(segments: Sequence[Segment]) -> Iterator[Message]:
    begins = [index for index, segment in enumerate(segments) if segment.tag == "UNH"]
    for begin, end in pairwise([*begins, len(segments)]):
        head = segments[begin]
        yield Message(head.at(2), head.elements[1] if len(head.elements) > 1 else ("",), tuple(segments[begin:end]))


def _faults(segments: Sequence[Segment], messages: Sequence[Message]) -> Iterator[Fault]:
    """What is wrong with tags, counts and references."""
    for segment in segments:
        if not _TAG.fullmatch(segment.tag):
            yield Fault("15")
        if _CONTROL.search(segment.text):
            yield Fault("21", tag=segment.tag)
    first, last = segments[0], segments[-1]
    if last.tag != "UNZ":
        yield Fault("13", tag="UNZ")
        return
    if not messages or segments[1].tag != "UNH":
        yield Fault("33" if messages else "13", tag="UNH")
    for message in messages:
        yield from _faults_of(message)
    if last.at(2) != str(len(messages)):
        yield Fault("29", tag="UNZ")
    if last.at(3) != first.at(6):
        yield Fault("28", tag="UNZ")


def _faults_of(message: Message) -> Iterator[Fault]:
    last = message.segments[-1]
    if last.tag != "UNT":
        yield Fault("13", message.number, "UNT")
        return
    if last.at(2) != str(len(message.segments)):
        yield Fault("29", message.number, "UNT")
    if last.at(3) != message.number:
        yield Fault("28", message.number, "UNT")
