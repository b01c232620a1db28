"""Interchanges as bytes in canonical form: UNA, default characters, a line per segment, nothing empty at the end."""

import re
from collections import Counter
from dataclasses import replace

from kit.errors import Invalid
from services.mdm_adapter.dialects.edifact_fv.envelope import Interchange
from services.mdm_adapter.dialects.edifact_fv.syntax import SHORT, SHORTS, Segment, without_tail
from services.mdm_adapter.dialects.edifact_fv.tables import transliterations

UNA = "UNA:+.? '"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# As in reading: what is short comes again and again, and is put together once.
_LINES: dict[Segment, str] = {}


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
    """One segment as it is quoted and written: released, trimmed, without terminator."""
    parts = [segment[0]]
    for element in segment[1]:
        if len(element) == 1:
            (part,) = element
            parts.append(part if not part or part.isalnum() else _released(part))
            continue
        if element and not element[-1]:
            element = without_tail(element)  # noqa: PLW2901 -- the same, trimmed
        parts.append(":".join([part if not part or part.isalnum() else _released(part) for part in element]))
    while not parts[-1]:
        parts.pop()
    return "+".join(parts)


def _released(text: str) -> str:
    """A component whose service characters are released."""
    if not text.isprintable() and (found := _CONTROL.findall(text)):
        raise Unencodable("".join(sorted({*found})))
    return text.replace("?", "??").replace("+", "?+").replace(":", "?:").replace("'", "?'")


def _text_of(interchange: Interchange, line_end: str) -> str:
    segments = [interchange.head]
    for message in interchange.messages:
        segments += message.segments
    segments.append(interchange.trailer)
    lines = [UNA[:-1]]
    for segment in segments:
        line = _LINES.get(segment)
        if line is None:
            line = text_of(segment)
            if len(line) <= SHORT:
                _LINES[segment] = line
        lines.append(line)
    if len(_LINES) > SHORTS:
        _LINES.clear()
    end = f"'{line_end}"
    return f"{end.join(lines)}{end}"


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
