"""Service characters and segments: bytes become segments one by one, strictly, in linear time, or end in a fault."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, NamedTuple

from kit.errors import Invalid

BLOCK_BYTES = 65_536
SEGMENT_BYTES = 65_536
FILE_BYTES = 200_000_000

_TAG = re.compile(r"[A-Z][A-Z0-9]{2}")
_BLANKS = " \t\r\n"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Text is read one character per byte, so characters above 0xFF are free to stand for what was released: the release
# character, the element, component and terminator characters, and a release that was not needed. None is printable.
_QUERY, _PLUS, _COLON, _QUOTE, _NEEDLESS = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
ENVELOPE = frozenset({"UNA", "UNB", "UNG", "UNH", "UNT", "UNE", "UNZ"})


class Place(NamedTuple):
    """Where something is: numbers count from 1, UNH is segment 1, the tag is element 1 (as in DE0098); 0 is silent."""

    message: int = 0
    segment: int = 0
    element: int = 0
    component: int = 0
    tag: str = ""
    """A segment outside of messages, or one that is missing."""
    offset: int = 0
    """In bytes, from 0."""

    def __str__(self) -> str:
        numbers = (("e", self.element), ("c", self.component))
        whole = self.tag or f"m{self.message}.s{self.segment}"
        return ".".join([whole, *(f"{letter}{number}" for letter, number in numbers if number)])


class SyntaxFault(Invalid):
    """An interchange cannot be read: a code of DE0085, or the cause of quarantine where nobody can be answered."""

    code = "edifact-syntax"

    def __init__(self, fault: str, place: Place, detail: str) -> None:
        super().__init__(f"{fault} at {place}, byte {place.offset}: {detail}")
        self.fault, self.place, self.detail = fault, place, detail

    @property
    def quarantined(self) -> bool:
        """NOT_EDIFACT, TOO_LARGE or MULTIPLE_INTERCHANGES: it is kept, and not answered."""
        return not self.fault.isdigit()


class Segment(NamedTuple):
    """One segment: a tag, and elements of components. Trailing empty ones are kept as they were read."""

    tag: str
    elements: tuple[tuple[str, ...], ...]

    def at(self, element: int, component: int = 1) -> str:
        """A component by its place (tag = element 1, components from 1); what is not there is empty."""
        try:
            return self.elements[element - 2][component - 1]
        except IndexError:
            return ""

    def trimmed(self) -> "Segment":
        """Without trailing empty components and elements: what the canonical form carries."""
        elements = [without_tail(element) or ("",) for element in self.elements]
        while elements and elements[-1] == ("",):
            elements.pop()
        return Segment(self.tag, tuple(elements))


def without_tail(element: tuple[str, ...]) -> tuple[str, ...]:
    """An element without its trailing empty components."""
    length = len(element)
    while length and not element[length - 1]:
        length -= 1
    return element[:length]


@dataclass(frozen=True, slots=True)
class Service:
    """The characters that structure an interchange (UNA)."""

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    """A blank means that nothing is released (ISO 9735)."""
    terminator: str = "'"

    @classmethod
    def of(cls, una: str, offset: int) -> "Service":
        """Read the six characters behind UNA: four different ones that are neither letter nor digit, or fault 22."""
        if len(una) == 6:
            service = cls(una[0], una[1], una[2], una[3], una[5])
            four = (service.component, service.element, service.release, service.terminator)
            if len({*four}) == 4 and all(ord(c) < 0x7F and not c.isalnum() for c in four) and una[2] in ".,":
                return service
        raise SyntaxFault("22", Place(tag="UNA", element=1, offset=offset), "no service characters that can be used")

    def marked(self, text: str) -> str:
        """Text with a mark for everything that is released; no mark is ever split."""
        text = text.replace(self.release * 2, _QUERY).replace(self.release + self.element, _PLUS)
        text = text.replace(self.release + self.component, _COLON).replace(self.release + self.terminator, _QUOTE)
        return text.replace(self.release, _NEEDLESS)

    def unmarked(self, text: str) -> str:
        """What marked text means."""
        if text.isprintable():
            return text
        text = text.replace(_PLUS, self.element)
        if text.isprintable():
            return text
        text = text.replace(_COLON, self.component).replace(_QUOTE, self.terminator)
        return text.replace(_NEEDLESS, "").replace(_QUERY, self.release)


# Most segments of a message come again and again, such as CCI+++E13, a partner's NAD or the begin of a day: each is one
# object. Those of the envelope are not kept: they are counted.
SHORT, SHORTS = 32, 4_096
_DEFAULT = Service()
_SHORT: dict[str, Segment] = {}
_KINDS = dict.fromkeys(ENVELOPE, True)
"""Tags that were met, and whether they belong to the envelope; there are 33,696 at most."""


class Batch(NamedTuple):
    """The segments that end in one block of the source."""

    texts: list[str]
    """As they stood between terminators, one character per byte."""
    segments: list[Segment]
    marks: list[int]
    """Which of them belong to the envelope."""
    fault: SyntaxFault | None
    """What is wrong with the text behind the last segment; its offset counts from there."""


def is_edifact(data: bytes) -> bool:
    """Whether bytes look like an interchange: the first thing in them is UNA or UNB."""
    bare = data[:BLOCK_BYTES].removeprefix(codecs.BOM_UTF8).lstrip(_BLANKS.encode())
    return bare.startswith((b"UNA", b"UNB"))


class Tokens:
    """The segments of one interchange, block by block; what was learnt on the way is in the attributes.

    A source that holds other bytes than ASCII is read twice, the first time for its character set.
    """

    def __init__(self, source: bytes | BinaryIO) -> None:
        self.source = BytesIO(source) if isinstance(source, bytes) else source
        self.warnings: list[str] = []
        self.service = Service()
        self.is_utf8 = False
        self.offset, self._text = 0, ""
        self._open()

    def _open(self) -> None:
        """Skip what may stand before UNA or UNB, and take the service characters."""
        begin = self.source.tell()
        first = self.source.read(BLOCK_BYTES)
        is_whole = len(first) < BLOCK_BYTES and not self.source.read(1)
        if first.startswith(codecs.BOM_UTF8):
            self.warnings.append("BOM")
            self.offset, first = 3, first[3:]
        if not is_whole:
            self._learn_charset(begin + self.offset)
            self.source.seek(begin + self.offset + len(first))
        elif not first.isascii():
            self._try_utf8(first)
        text = first.decode("latin-1")
        bare = text.lstrip(_BLANKS)
        self.offset += len(text) - len(bare)
        if not bare.startswith(("UNA", "UNB")):
            raise SyntaxFault("NOT_EDIFACT", Place(tag="UNB", offset=self.offset), "begins with neither UNA nor UNB")
        if bare.startswith("UNA"):
            self.service = Service.of(bare[3:9], self.offset)
            self.offset, bare = self.offset + 9, bare[9:]
        self._text = bare

    def _try_utf8(self, whole: bytes) -> None:
        """UTF-8 where all of it is valid UTF-8, else ISO 8859-1."""
        try:
            whole.decode("utf-8")
        except UnicodeDecodeError:
            return
        self.is_utf8 = True
        self.warnings.append("UTF8_UNDER_UNOC")

    def _learn_charset(self, begin: int) -> None:
        """The same for what is longer than a block."""
        self.source.seek(begin)
        decoder, is_ascii = codecs.getincrementaldecoder("utf-8")(), True
        try:
            while block := self.source.read(BLOCK_BYTES):
                is_ascii = is_ascii and block.isascii()
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return
        if not is_ascii:
            self.is_utf8 = True
            self.warnings.append("UTF8_UNDER_UNOC")

    def __iter__(self) -> Iterator[Batch]:  # noqa: C901 -- every segment comes through here, and calls cost
        """The segments, block by block. Faults are handed over in the batch: what stands before them is still good."""
        plus, colon, release = self.service.element, self.service.component, self.service.release
        new, kinds = tuple.__new__, _KINDS
        short = _SHORT if self.service == _DEFAULT else {}
        for texts in self._texts():
            segments: list[Segment] = []
            marks: list[int] = []
            append, get_short, fault = segments.append, short.get, None
            for as_read in texts:
                segment = get_short(as_read)
                if segment is not None:
                    append(segment)
                    continue
                text = as_read.lstrip("\r\n")  # line ends before a tag mean nothing
                if release in text or not text.isprintable():
                    try:
                        segment = self._with_care(text)
                    except SyntaxFault as found:
                        fault = found
                        break
                    is_envelope = segment[0] in ENVELOPE
                    if is_envelope:
                        marks.append(len(segments))
                    append(segment)
                    if len(as_read) <= SHORT and not is_envelope:
                        short[as_read] = segment
                    continue
                parts = text.split(plus)
                tag = parts.pop(0)
                kind = kinds.get(tag)
                if kind is None:
                    if not _TAG.fullmatch(tag):
                        fault = _no_tag()
                        break
                    kinds[tag] = False
                elif kind:
                    marks.append(len(segments))
                if len(parts) == 1:  # as in half of all segments; a comprehension would cost them a third
                    elements: tuple[tuple[str, ...], ...] = (tuple(parts[0].split(colon)),)
                elif colon in text:
                    elements = tuple([tuple(part.split(colon)) for part in parts])
                else:
                    elements = tuple(zip(parts, strict=True))
                segment = new(Segment, (tag, elements))
                append(segment)
                if len(as_read) <= SHORT and not kind:
                    short[as_read] = segment
            if len(short) > SHORTS:
                short.clear()  # the frequent ones come back soon enough
            if self.is_utf8 or self.service.decimal == ",":
                segments = [self._understood(segment) for segment in segments]
            yield Batch(texts, segments, marks, fault)
            if fault:
                return

    def _texts(self) -> Iterator[list[str]]:
        """What stands between terminators, block by block."""
        terminator, release = self.service.terminator, self.service.release
        text, size = self._text, len(self._text)
        self._text = ""
        while True:
            block = self.source.read(BLOCK_BYTES)
            texts = text.split(terminator)
            rest = texts.pop()
            if release != " " and release + terminator in text:
                rest = _rejoined(texts, rest, release, terminator)
            if len(rest) > SEGMENT_BYTES or (size > SEGMENT_BYTES and max(map(len, texts), default=0) > SEGMENT_BYTES):
                raise SyntaxFault("TOO_LARGE", Place(tag="UNB"), f"a segment of more than {SEGMENT_BYTES} bytes")
            yield texts
            size += len(block)
            if size > FILE_BYTES:
                raise SyntaxFault("TOO_LARGE", Place(tag="UNB", offset=size), f"more than {FILE_BYTES} bytes")
            if not block:
                self._text = rest
                return
            text = rest + block.decode("latin-1")

    def rest(self) -> str:
        """What follows the last terminator, without line ends: nothing, or a segment that was cut off."""
        return self._text.lstrip("\r\n")

    def dangling(self) -> Place | None:
        """Where the data end in a release character that releases nothing."""
        rest, release = self.rest(), self.service.release
        if release == " " or not _ends_released(rest, release):
            return None
        element, component = _place_in(self.service.marked(rest[:-1]), self.service)
        return Place(element=element, component=component, offset=len(rest) - 1)

    def _with_care(self, text: str) -> Segment:
        """A segment with something released, with text that cannot be printed, or with control characters."""
        service = self.service
        if not text.isprintable() and _CONTROL.search(text):
            self._refuse_control(text)
        plus, colon, unmarked = service.element, service.component, service.unmarked
        if service.release != " ":
            marked = text.replace(service.release + plus, _PLUS)  # the zone of times, and most often nothing else
            text = service.marked(text) if service.release in marked else marked
        tag, *parts = text.split(plus)
        if tag not in _KINDS and not _TAG.fullmatch(tag):
            raise _no_tag()
        if len(parts) == 1:
            return Segment(tag, (tuple([unmarked(part) for part in parts[0].split(colon)]),))
        return Segment(tag, tuple([tuple([unmarked(part) for part in each.split(colon)]) for each in parts]))

    def _refuse_control(self, text: str) -> None:
        """Fault 21 at the first control character that is no service character."""
        service = self.service
        own = {service.component, service.element, service.release, service.terminator}
        for found in _CONTROL.finditer(text):
            if found[0] not in own:
                before = text[: found.start()]
                element, component = _place_in(service.marked(before) if service.release != " " else before, service)
                place = Place(element=element, component=component, offset=len(before))
                raise SyntaxFault("21", place, f"control character 0x{ord(found[0]):02X}")

    def _understood(self, segment: Segment) -> Segment:
        """Its text as the UTF-8 that it is, its quantity with the decimal mark that we write."""
        elements = segment.elements
        if self.is_utf8:
            elements = tuple([tuple([_in_utf8(part) for part in each]) for each in elements])
        if segment.tag == "QTY" and self.service.decimal == "," and "," in segment.at(2, 2):
            (qualifier, value, *more), *others = elements
            elements = ((qualifier, value.replace(",", "."), *more), *others)
        return Segment(segment.tag, elements)


def _no_tag() -> SyntaxFault:
    return SyntaxFault("15", Place(element=1), "no tag of a segment: a capital letter, then two capitals or digits")


def _ends_released(text: str, release: str) -> bool:
    """Whether the character behind a text is released by its end."""
    return text.endswith(release) and (len(text) - len(text.rstrip(release))) % 2 == 1


def _rejoined(texts: list[str], rest: str, release: str, terminator: str) -> str:
    """Undo, in place, the splits at terminators that were released; gives what is not complete."""
    whole: list[str] = []
    pending: list[str] = []
    for text in texts:
        pending.append(text)
        if not _ends_released(text, release):
            whole.append(terminator.join(pending))
            pending = []
    texts[:] = whole
    return terminator.join([*pending, rest])


def _place_in(before: str, service: Service) -> tuple[int, int]:
    """Element and component in which marked text ends."""
    last = before.rpartition(service.element)[2]
    return before.count(service.element) + 1, last.count(service.component) + 1


def _in_utf8(part: str) -> str:
    """Text that was read one character per byte; service characters are ASCII, so they cut no character in two."""
    return part if part.isascii() else part.encode("latin-1").decode("utf-8")
