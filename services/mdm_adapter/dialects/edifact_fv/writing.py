"""Interchanges as bytes in canonical form: UNA, default characters, a line per segment, nothing empty at the end."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from operator import itemgetter

from kit.errors import Invalid
from services.mdm_adapter.dialects.edifact_fv.envelope import Interchange
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.tables import transliterations

UNA = "UNA:+.? '"
# Text is put together with separators that no component holds, and what must be released is released in the whole text.
_ELEMENT, _SEGMENT, _COMPONENT = "\x1d", "\x1e", "\x1f"
_EMPTY_COMPONENTS = re.compile("\x1f+(?=[\x1d\x1e])")
_EMPTY_ELEMENTS = re.compile("\x1d+(?=\x1e)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ELEMENTS = itemgetter(1)


class Unencodable(Invalid):
    """A message of ours holds characters that ISO 8859-1 and the table of transliterations do not know: UNENCODABLE."""

    code = "edifact-unencodable"

    def __init__(self, characters: str) -> None:
        codes = ", ".join(f"U+{ord(each):04X}" for each in characters[:10])
        super().__init__(f"cannot be written in ISO 8859-1: {codes}")
        self.characters = characters


def write(interchange: Interchange, line_end: str = "\n", replaced: Counter[str] | None = None) -> bytes:
    """The bytes of an interchange. `replaced` counts the characters that had to be written in another way."""
    try:
        return _text_of(interchange, line_end).encode("latin-1")
    except UnicodeEncodeError:
        return _text_of(_transliterated(interchange, replaced), line_end).encode("latin-1")


def text_of(segment: Segment) -> str:
    """One segment as it is quoted: released, trimmed, without terminator."""
    return _text((segment,), "")[:-1]


def _text_of(interchange: Interchange, line_end: str) -> str:
    segments = [interchange.head]
    for message in interchange.messages:
        segments += message.segments
    return f"{UNA}{line_end}{_text([*segments, interchange.trailer], line_end)}"


def _text(segments: Sequence[Segment], line_end: str) -> str:
    """Segments as text, with a terminator and a line end behind each."""
    components = "".join(chain.from_iterable(chain.from_iterable(map(_ELEMENTS, segments))))
    if not components.isprintable() and (found := _CONTROL.findall(components)):
        raise Unencodable("".join(sorted({*found})))
    join = _COMPONENT.join
    lines = [_ELEMENT.join([tag, *map(join, elements)]) for tag, elements in segments]
    text = f"{_SEGMENT.join(lines)}{_SEGMENT}"
    if "\x1f\x1d" in text or "\x1f\x1e" in text:
        text = _EMPTY_COMPONENTS.sub("", text)
    if "\x1d\x1e" in text:
        text = _EMPTY_ELEMENTS.sub("", text)
    text = text.replace("?", "??").replace("+", "?+").replace(":", "?:").replace("'", "?'")
    return text.replace(_ELEMENT, "+").replace(_COMPONENT, ":").replace(_SEGMENT, "'" + line_end)


def _transliterated(interchange: Interchange, replaced: Counter[str] | None) -> Interchange:
    """The same with every character that ISO 8859-1 has not as the table says; one that it does not say is refused."""
    counts: Counter[str] = Counter() if replaced is None else replaced

    def plain(segment: Segment) -> Segment:
        elements = [[_plain(part, counts) for part in element] for element in segment.elements]
        return Segment(segment.tag, tuple(map(tuple, elements)))

    messages = [replace(each, segments=tuple(map(plain, each.segments))) for each in interchange.messages]
    return Interchange(plain(interchange.head), tuple(messages), plain(interchange.trailer))


def _plain(text: str, counts: Counter[str]) -> str:
    if text.isascii():
        return text
    table = transliterations()
    foreign = [each for each in text if ord(each) > 0xFF]
    if unknown := sorted({each for each in foreign if each not in table}):
        raise Unencodable("".join(unknown))
    counts.update(foreign)
    return "".join(table.get(each, each) if ord(each) > 0xFF else each for each in text)
