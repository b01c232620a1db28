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
        elements = [_without_tail(element) or ("",) for element in self.elements]
        while elements and elements[-1] == ("",):
            elements.pop()
        return Segment(self.tag, tuple(elements))


def _without_tail(element: tuple[str, ...]) -> tuple[str, ...]:
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
        text = text.replace(_PLUS, self.element).replace(_COLON, self.component).replace(_QUOTE, self.terminator)
        return text.replace(_NEEDLESS, "").replace(_QUERY, self.release)


# Half of a message are short segments of codes that come again and again, such as UNS+S or CCI+++E13: each is one
# object. Those of the envelope are not kept: they are counted.
SHORT, SHORTS = 14, 4_096
_DEFAULT = Service()
_SHORT: dict[str, Segment] = {}
_KINDS = dict.fromkeys(ENVELOPE, True)
"""Tags that were met, and whether they belong to the envelope; there are 33,696 at most."""


class Batch(NamedTuple):
    """The segments that end in one block of the source."""

    texts: list[str]
    """As they stood between terminators, with marks for what is released."""
    segments: list[Segment]
    marks: list[int]
    """Which of them belong to the envelope."""
    fault: SyntaxFault | None
    """What is wrong with the text behind the last segment; its offset counts from there."""


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
        if not (is_whole and first.isascii()):
            self._learn_charset(begin + self.offset)
            self.source.seek(begin + self.offset + len(first))
        text = first.decode("latin-1")
        bare = text.lstrip(_BLANKS)
        self.offset += len(text) - len(bare)
        if not bare.startswith(("UNA", "UNB")):
            raise SyntaxFault("NOT_EDIFACT", Place(tag="UNB", offset=self.offset), "begins with neither UNA nor UNB")
        if bare.startswith("UNA"):
            self.service = Service.of(bare[3:9], self.offset)
            self.offset, bare = self.offset + 9, bare[9:]
        self._text = bare

    def _learn_charset(self, begin: int) -> None:
        """ASCII, else UTF-8 where all of it is valid UTF-8, else ISO 8859-1."""
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

    def __iter__(self) -> Iterator[Batch]:
        """The segments, block by block. Faults are handed over in the batch: what stands before them is still good."""
        plus, colon = self.service.element, self.service.component
        new, kinds = tuple.__new__, _KINDS
        short = _SHORT if self.service == _DEFAULT else {}
        for texts in self._texts():
            segments: list[Segment] = []
            marks: list[int] = []
            fault = None
            for text in texts:
                if text in short:
                    segments.append(short[text])
                    continue
                as_read = text
                if not text.isprintable():
                    text = text.lstrip("\r\n")  # noqa: PLW2901 -- line ends before a tag mean nothing
                    if not text.isprintable():
                        try:
                            segments.append(self._with_marks(text))
                        except SyntaxFault as found:
                            fault = found
                            break
                        if segments[-1][0] in ENVELOPE:
                            marks.append(len(segments) - 1)
                        continue
                tag, has_more, more = text.partition(plus)
                kind = kinds.get(tag)
                if kind is None:
                    if not _TAG.fullmatch(tag):
                        fault = _no_tag()
                        break
                    kinds[tag] = False
                elif kind:
                    marks.append(len(segments))
                if plus not in more:  # most have one element; a comprehension would cost them a third
                    elements = (tuple(more.split(colon)),) if has_more else ()
                elif colon in more:
                    elements = tuple([tuple(each.split(colon)) for each in more.split(plus)])
                else:
                    elements = tuple(zip(more.split(plus), strict=False))
                segment = new(Segment, (tag, elements))
                segments.append(segment)
                if len(as_read) <= SHORT and not kind:
                    if len(short) == SHORTS:
                        short.clear()
                    short[as_read] = segment
            if self.is_utf8 or self.service.decimal == ",":
                segments = [self._understood(segment) for segment in segments]
            yield Batch(texts, segments, marks, fault)
            if fault:
                return

    def _texts(self) -> Iterator[list[str]]:
        """What stands between terminators, block by block, marked where something is released."""
        terminator, release = self.service.terminator, self.service.release
        text, rest, size = self._text, "", len(self._text)
        self._text = ""
        while True:
            block = self.source.read(BLOCK_BYTES)
            held = ""
            if release != " " and release in text:
                if block and (len(text) - len(text.rstrip(release))) % 2:
                    held, text = release, text[:-1]
                text = self.service.marked(text)
            texts = (rest + text).split(terminator)
            rest = texts.pop()
            if len(rest) > SEGMENT_BYTES or (size > SEGMENT_BYTES and max(map(len, texts), default=0) > SEGMENT_BYTES):
                raise SyntaxFault("TOO_LARGE", Place(tag="UNB"), f"a segment of more than {SEGMENT_BYTES} bytes")
            yield texts
            size += len(block)
            if size > FILE_BYTES:
                raise SyntaxFault("TOO_LARGE", Place(tag="UNB", offset=size), f"more than {FILE_BYTES} bytes")
            if not block:
                self._text = rest
                return
            text = held + block.decode("latin-1")

    def rest(self) -> str:
        """What follows the last terminator, without line ends: nothing, or a segment that was cut off."""
        return self._text.lstrip("\r\n")

    def dangling(self) -> Place | None:
        """Where the data end in a release character that releases nothing."""
        rest = self.rest()
        if not rest.endswith(_NEEDLESS):
            return None
        element, component = _place_in(rest[:-1], self.service)
        return Place(element=element, component=component, offset=len(rest) - 1 + count_pairs(rest))

    def _with_marks(self, text: str) -> Segment:
        """A segment with something released, with text that cannot be printed, or with a fault: control characters."""
        if _CONTROL.search(text):
            self._refuse_control(text)
        plus, colon, unmarked = self.service.element, self.service.component, self.service.unmarked
        tag, has_more, more = text.partition(plus)
        if tag not in _KINDS and not _TAG.fullmatch(tag):
            raise _no_tag()
        if plus not in more:
            return Segment(tag, (tuple(map(unmarked, more.split(colon))),) if has_more else ())
        return Segment(tag, tuple([tuple(map(unmarked, each.split(colon))) for each in more.split(plus)]))

    def _refuse_control(self, text: str) -> None:
        """Fault 21 at the first control character that is no service character."""
        service = self.service
        own = {service.component, service.element, service.release, service.terminator}
        for found in _CONTROL.finditer(text):
            if found[0] not in own:
                before = text[: found.start()]
                element, component = _place_in(before, service)
                place = Place(element=element, component=component, offset=len(before) + count_pairs(before))
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


def count_pairs(text: str) -> int:
    """How many bytes more a marked text had: where two characters became one mark."""
    return 0 if text.isascii() else text.count(_QUERY) + text.count(_PLUS) + text.count(_COLON) + text.count(_QUOTE)


def _place_in(before: str, service: Service) -> tuple[int, int]:
    """Element and component in which marked text ends."""
    last = before.rpartition(service.element)[2]
    return before.count(service.element) + 1, last.count(service.component) + 1


def _in_utf8(part: str) -> str:
    """Text that was read one character per byte; service characters are ASCII, so they cut no character in two."""
    return part if part.isascii() else part.encode("latin-1").decode("utf-8")
