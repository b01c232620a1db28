"""How long a text is on the air: encoding, units and segments of an SMS (GSM 03.38, own count)."""

from typing import NamedTuple

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("^{}\\[~]|€\f")
"""Each takes two septets: an escape and itself."""


class Length(NamedTuple):
    """What a text costs: `units` are septets (GSM-7) or UTF-16 units (UCS-2), `segments` are paid for."""

    encoding: str
    units: int
    segments: int


def measure(text: str) -> Length:
    """Length of a text. Neither an escape pair nor a surrogate pair is split between two segments."""
    if all(character in BASIC or character in EXTENSION for character in text):
        return _length("GSM-7", [2 if character in EXTENSION else 1 for character in text], whole=160, part=153)
    return _length("UCS-2", [len(character.encode("utf-16-be")) // 2 for character in text], whole=70, part=67)


def _length(encoding: str, sizes: list[int], *, whole: int, part: int) -> Length:
    units = sum(sizes)
    if units <= whole:
        return Length(encoding, units, 1 if units else 0)
    segments, filled = 1, 0
    for size in sizes:
        if filled + size > part:
            segments, filled = segments + 1, 0
        filled += size
    return Length(encoding, units, segments)
