"""Interchanges: the head, then messages one by one, with every rule of the envelope; and how they are built."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import accumulate
from typing import BinaryIO, NamedTuple

from services.mdm_adapter.dialects.edifact_fv.syntax import Batch, Place, Segment, SyntaxFault, Tokens

MESSAGES, SEGMENTS = 100_000, 100_000
REFERENCE_LENGTH = 14
MANDATORY = ((2, 1), (2, 2), (3, 1), (4, 1), (5, 1), (5, 2), (6, 1))
"""Of UNB, element and component: syntax and its version, sender, receiver, date, time, reference."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, UNH to UNT. Equal when its segments are, wherever it stood."""

    segments: tuple[Segment, ...]
    number: int = field(default=1, compare=False)
    """In its interchange, from 1."""
    begin: int = field(default=0, compare=False)
    """Offset of what stands behind the terminator before it."""
    texts: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """Its segments as they stood; their lengths give the offsets."""

    @property
    def reference(self) -> str:
        """DE0062."""
        return self.segments[0].at(2)

    @property
    def type(self) -> str:
        """DE0065: IFTSTA, UTILMD and so on."""
        return self.segments[0].at(3)

    @property
    def version(self) -> str:
        """DE0057: the version of the market, such as S2.2."""
        return self.segments[0].at(3, 5)

    def offset_of(self, segment: int) -> int:
        """Where a segment begins in the file; segments count from 1."""
        before, text = self.texts[: segment - 1], self.texts[segment - 1] if self.texts else ""
        return self.begin + _size(before) + len(text) - len(text.lstrip("\r\n"))

    def offsets(self) -> list[int]:
        """Where each segment begins in the file."""
        begins = accumulate((len(text) + 1 for text in self.texts), initial=self.begin)
        pairs = zip(begins, self.texts, strict=False)  # the last one is the begin of what follows
        return [begin + len(text) - len(text.lstrip("\r\n")) for begin, text in pairs] or [0] * len(self.segments)

    def place(self, segment: int, element: int = 0, component: int = 0) -> Place:
        """A place in this message."""
        return Place(self.number, segment, element, component, offset=self.offset_of(segment))


class Interchange(NamedTuple):
    """A whole interchange as a value."""

    head: Segment
    messages: tuple[Message, ...]
    trailer: Segment


class Head(NamedTuple):
    """UNB, and what it says."""

    segment: Segment
    sent_at: datetime
    """S004 without a zone: the market writes its local time."""
    offset: int = 0

    @property
    def charset(self) -> str:
        """S001, such as UNOC:3."""
        return f"{self.segment.at(2)}:{self.segment.at(2, 2)}"

    @property
    def sender(self) -> str:
        """DE0004."""
        return self.segment.at(3)

    @property
    def receiver(self) -> str:
        """DE0010."""
        return self.segment.at(4)

    @property
    def reference(self) -> str:
        """DE0020."""
        return self.segment.at(6)

    @property
    def application(self) -> str:
        """DE0026: VL, TL or EM before MSCONS."""
        return self.segment.at(8)

    @property
    def is_test(self) -> bool:
        """DE0035."""
        return self.segment.at(12) == "1"


class Reading:
    """An interchange that is being read: its head is known, its messages come one by one, its trailer at the end.

    Every fault is a `SyntaxFault`; the first one ends the reading, and the whole interchange counts as not received.
    """

    def __init__(self, source: bytes | BinaryIO) -> None:
        self.tokens = Tokens(source)
        self.warnings = self.tokens.warnings
        self.trailer: Segment | None = None
        self.messages = self.segments = 0
        self._references = set[str]()
        self._batches = iter(self.tokens)
        self._offset = self.tokens.offset
        self._batch = self._first()
        self.head = _head_of(self._batch.segments[0], self._offset)

    def _first(self) -> Batch:
        """The batch that begins with UNB."""
        batch = next(self._batches, None)
        while batch and not batch.segments and not batch.fault:
            batch = next(self._batches, None)
        if batch and batch.segments and batch.segments[0].tag == "UNB":
            return batch
        if batch and batch.fault and not batch.segments:
            raise _moved(batch.fault, Place(tag="UNB", offset=self._offset))
        raise SyntaxFault("13", Place(tag="UNB", offset=self._offset), "there is no head of an interchange")

    def __iter__(self) -> Iterator[Message]:
        """Its messages, each when its UNT has been read."""
        segments: list[Segment] = []
        texts: list[str] = []
        batch: Batch | None = self._batch
        taken, inside = 1, False
        self._offset += _size(self._batch.texts[:1])
        while batch is not None:
            for mark in batch.marks[0 if taken == 0 else 1 :]:
                tag = batch.segments[mark].tag
                if inside and tag == "UNT":
                    last, last_texts = batch.segments[taken : mark + 1], batch.texts[taken : mark + 1]
                    yield self._message(
                        segments + last if segments else last, texts + last_texts if texts else last_texts
                    )
                    segments, texts, taken, inside = [], [], mark + 1, False
                elif inside:
                    raise self._unfinished(tag, _size(texts) + _size(batch.texts[taken:mark]))
                else:
                    self._check_between(batch, taken, mark, tag)
                    inside, taken = tag == "UNH", mark if tag == "UNH" else mark + 1
            if inside:
                segments += batch.segments[taken:]
                texts += batch.texts[taken : len(batch.segments)]
                if len(segments) > SEGMENTS:
                    raise SyntaxFault("TOO_LARGE", Place(self.messages + 1, 1), f"more than {SEGMENTS} segments")
            elif taken < len(batch.segments):
                raise self._stray(batch.texts[taken], 0)
            if batch.fault:
                raise self._faulty(batch, len(segments) + 1 if inside else 0, _size(texts))
            taken, batch = 0, next(self._batches, None)
        self._end(len(segments), _size(texts))

    def whole(self) -> Interchange:
        """All of it, as a value."""
        messages = tuple(self)
        assert self.trailer is not None  # noqa: S101 -- without one a fault was raised
        return Interchange(self.head.segment, messages, self.trailer)

    def _message(self, segments: list[Segment], texts: list[str]) -> Message:
        """A message is complete: its frame must fit."""
        self.messages += 1
        if self.messages > MESSAGES:
            raise SyntaxFault("TOO_LARGE", Place(self.messages, 1), f"more than {MESSAGES} messages")
        self.segments += len(segments)
        message = Message(tuple(segments), self.messages, self._offset, tuple(texts))
        self._offset += _size(texts)
        reference = _reference_of(message)
        if reference in self._references:
            raise SyntaxFault("26", message.place(1, 2), "two messages of the interchange have this reference")
        self._references.add(reference)
        return message

    def _check_between(self, batch: Batch, taken: int, mark: int, tag: str) -> None:
        """Between messages stands nothing, and after them UNZ."""
        if mark > taken or self.trailer is not None or tag in {"UNT", "UNA"}:
            raise self._stray(batch.texts[taken], 0)
        if tag in {"UNG", "UNE", "UNB"}:
            raise self._unfinished(tag, 0)
        if tag == "UNZ":
            self.trailer = batch.segments[mark]
            if not self.messages:
                raise SyntaxFault("13", Place(tag="UNH", offset=self._offset), "there is no message")
            _check_trailer(self.trailer, self.messages, self.head.reference, Place(tag="UNZ", offset=self._offset))
            self._offset += _size(batch.texts[mark : mark + 1])

    def _unfinished(self, tag: str, before: int) -> SyntaxFault:
        """A segment of the envelope comes too early."""
        offset = self._offset + before
        if tag in {"UNG", "UNE"}:
            return SyntaxFault("47", Place(tag=tag, element=1, offset=offset), "functional groups are not supported")
        missing = "UNT" if before else "UNZ"
        return SyntaxFault("13", Place(tag=missing, offset=offset), f"{missing} is missing before {tag}")

    def _stray(self, text: str, before: int) -> SyntaxFault:
        """What stands outside of messages; behind UNZ, another interchange is another matter."""
        bare = text.lstrip("\r\n")
        offset = self._offset + before + len(text) - len(bare)
        if self.trailer is not None and bare.startswith(("UNA", "UNB")):
            return SyntaxFault("MULTIPLE_INTERCHANGES", Place(tag="UNB", offset=offset), "one file is one interchange")
        tag = "".join(each for each in bare[:3] if each.isascii() and each.isalnum())
        return SyntaxFault("33", Place(tag=tag or "UNZ", element=1, offset=offset), "stands outside of a message")

    def _faulty(self, batch: Batch, segment: int, before: int) -> SyntaxFault:
        """The fault of a text that is no segment, where it was met."""
        assert batch.fault is not None  # noqa: S101 -- asked before
        text = batch.texts[len(batch.segments)]
        offset = self._offset + before + len(text) - len(text.lstrip("\r\n"))
        if segment:
            return _moved(batch.fault, Place(self.messages + 1, segment, offset=offset))
        return _moved(batch.fault, Place(tag="UNH", offset=offset)) if self.trailer is None else self._stray(text, 0)

    def _end(self, count: int, before: int) -> None:
        """The data are at their end: is the interchange?"""
        rest, offset = self.tokens.rest(), self._offset + before
        if self.trailer is not None:
            if rest:
                raise self._stray(rest, 0)
        elif found := self.tokens.dangling():
            at = Place(self.messages + 1, count + 1, offset=offset) if count else Place(tag="UNZ", offset=offset)
            raise _moved(SyntaxFault("21", found, "the release character releases nothing: the data end here"), at)
        else:
            missing = "UNT" if count else "UNZ"
            raise SyntaxFault("13", Place(tag=missing, offset=offset), f"the data end before {missing}")


def read(source: bytes | BinaryIO) -> Reading:
    """Begin to read an interchange: its head is understood, its messages wait to be asked for."""
    return Reading(source)


def build(head: Segment, messages: Iterable[Iterable[Segment]]) -> Interchange:
    """Put an interchange together: each message is given from UNH on, without UNT; counts and references are ours."""
    built = []
    for number, body in enumerate(messages, 1):
        segments = tuple(body)
        end = Segment("UNT", ((str(len(segments) + 1),), (segments[0].at(2),)))
        built.append(Message((*segments, end), number))
    return Interchange(head, tuple(built), Segment("UNZ", ((str(len(built)),), (head.at(6),))))


def _moved(fault: SyntaxFault, at: Place) -> SyntaxFault:
    """A fault inside a segment, in the place where the segment stands."""
    inside = fault.place
    place = at._replace(element=inside.element, component=inside.component, offset=at.offset + inside.offset)
    return SyntaxFault(fault.fault, place, fault.detail)


def _size(texts: list[str] | tuple[str, ...]) -> int:
    """Bytes of texts with their terminators."""
    return sum(map(len, texts)) + len(texts)


def _head_of(segment: Segment, offset: int) -> Head:
    """UNB must be complete, and its time a real one."""
    for element, component in () if _is_complete(segment) else MANDATORY:
        if not segment.at(element, component):
            place = Place(0, 0, element, component if element in {2, 5} else 0, "UNB", offset)
            raise SyntaxFault("13", place, "a mandatory part of the head is missing")
    sent_at = _local_time(segment.at(5), segment.at(5, 2))
    if sent_at is None:
        raise SyntaxFault("12", Place(0, 0, 5, 0, "UNB", offset), "not a date YYMMDD and a time HHMM")
    if len(segment.at(6)) > REFERENCE_LENGTH:
        raise SyntaxFault("39", Place(0, 0, 6, 0, "UNB", offset), "more than 14 characters")
    return Head(segment, sent_at, offset)


def _is_complete(segment: Segment) -> bool:
    match segment.elements:
        case ((syntax, version, *_), (sender, *_), (receiver, *_), (date, time, *_), (reference, *_), *_):
            return bool(syntax and version and sender and receiver and date and time and reference)
    return False


@lru_cache(1024)
def _local_time(date: str, time: str) -> datetime | None:
    """A date and a time of UNB; None: there is no such moment."""
    if not (len(date) == 6 and len(time) == 4 and (date + time).isascii() and (date + time).isdigit()):
        return None
    numbers = (int(date[:2]) + 2000, int(date[2:4]), int(date[4:]), int(time[:2]), int(time[2:]))
    try:
        return datetime(*numbers)  # noqa: DTZ001 -- local time of the market
    except ValueError:
        return None


def _reference_of(message: Message) -> str:
    """DE0062 of a message whose UNH and UNT fit together."""
    head, end, last = message.segments[0], message.segments[-1], len(message.segments)
    match head.elements:
        case [[reference, *_], [type_, version, release, agency, *_], *_] if (
            0 < len(reference) <= REFERENCE_LENGTH and type_ and version and release and agency
        ):
            if end.elements != ((str(last),), (reference,)):
                _check_trailer(end, last, reference, message.place(last))
            return reference
    if not head.at(2):
        raise SyntaxFault("13", message.place(1, 2), "the reference of the message is missing")
    if len(head.at(2)) > REFERENCE_LENGTH:
        raise SyntaxFault("39", message.place(1, 2), "more than 14 characters")
    missing = next(component for component in (1, 2, 3, 4) if not head.at(3, component))
    raise SyntaxFault("13", message.place(1, 3, missing), "the identifier of the message is not complete")


def _check_trailer(end: Segment, count: int, reference: str, at: Place) -> None:
    """UNT or UNZ: a count, and a reference once more."""
    for element, name in ((2, "count"), (3, "reference")):
        if not end.at(element):
            raise SyntaxFault("13", at._replace(element=element), f"the {name} is missing")
    counted = end.at(2)
    if not (counted.isascii() and counted.isdigit() and len(counted) <= 10 and int(counted) == count):
        raise SyntaxFault("29", at._replace(element=2), f"{count} were counted")
    if end.at(3) != reference:
        raise SyntaxFault("28", at._replace(element=3), "not the reference of the head")
