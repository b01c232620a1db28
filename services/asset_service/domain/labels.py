"""How a scanned or typed label becomes the form in which devices are compared (D-DEV-1 to D-DEV-3)."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from services.asset_service.errors import BadSerial

LONGEST = 35
"""Characters of a serial (D-DEV-1); longer texts are labels of something else."""
LONGEST_SCAN = 300

OFFICIAL = re.compile(r"[0-9A-Z]([A-Z]{3})[0-9A-Z]{2}([0-9]{8})")
PLAIN = re.compile(r"[0-9A-Z/+_:%]{1,35}")
SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
DROPPED = re.compile(r"[\s.\-\u2010-\u2015\u2212]+")
SEPARATOR = "\x1d"
UNKNOWN_MANUFACTURER = "UNKNOWN"
"""No FLAG code: those have three letters."""
FNC1 = "\u00e8"
"""How scanners without a group separator print FNC1."""

# fmt: off
LOOK_ALIKES = str.maketrans({
    "А": "A", "В": "B", "Е": "E", "К": "K", "М": "M", "Н": "H", "О": "O", "Р": "P", "С": "C", "Т": "T", "Х": "X",
    "У": "Y", "І": "I", "Ј": "J", "Ѕ": "S",
    "Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M", "Ν": "N", "Ο": "O", "Ρ": "P",
    "Τ": "T", "Υ": "Y", "Χ": "X",
})
"""Cyrillic and Greek capitals that look like Latin ones."""
# fmt: on

GS1_SYMBOLOGIES = frozenset({"]C1", "]d2", "]Q3", "]e0"})
BRACKETED = re.compile(r"\((01|21|240|250)\)([^(]+)")
TRADE_NO = re.compile(r"01([0-9]{14})")
GS1_OPEN = ("240", "250", "21")
"""Application identifiers of open length on device labels: additional id, secondary serial, serial."""

MISTAKABLE = {"O": "O0", "0": "0O", "I": "I1", "1": "1I"}
MOST_MISTAKABLE = 8


@dataclass(frozen=True, slots=True)
class Label:
    """A label as it is compared. `manufacturer` is known from the official id, or was given beside it."""

    serial: str
    """Of an official id the last eight digits."""
    manufacturer: str | None = None
    official_id: str | None = None
    trade_no: str | None = None
    """GS1 AI 01."""
    findings: tuple[str, ...] = ()
    """`homoglyph`: letters of another script were read as Latin ones; `legacy_id`: not an official id."""

    @property
    def full(self) -> str:
        """The whole text in the form in which it is compared."""
        return self.official_id or self.serial

    @property
    def key(self) -> str:
        """The key of the device (D-DEV-2); without a manufacturer only the serial."""
        return f"{self.manufacturer}/{self.full}" if self.manufacturer else self.full

    @property
    def keys(self) -> Iterator[str]:
        """Under which keys the device may be known, the surest first; the others count if only one device has them."""
        yield self.key
        yield f"{self.manufacturer}#{self.serial}" if self.manufacturer else f"{UNKNOWN_MANUFACTURER}/{self.serial}"

    def names(self, other: "Label") -> bool:
        """Whether both can be labels of one device: as far as both name a manufacturer or an official id."""
        makers = {self.manufacturer, other.manufacturer} - {None}
        official = {self.official_id, other.official_id} - {None}
        return self.serial == other.serial and len(makers) <= 1 and len(official) <= 1


def read_label(text: str, manufacturer: str | None = None) -> Label:
    """Read a label in any of its forms; raises BadSerial. O and 0, I and 1 are never exchanged."""
    if not text or len(text) > LONGEST_SCAN:
        raise BadSerial(f"a label has 1 to {LONGEST_SCAN} characters")
    fields = _fields(text)
    printed = fields.get("21") or fields.get("250") or fields.get("240") or ""
    upper = DROPPED.sub("", unicodedata.normalize("NFKC", printed).upper())
    latin = upper.translate(LOOK_ALIKES)
    findings = ("homoglyph",) if latin != upper else ()
    if not PLAIN.fullmatch(latin):
        raise BadSerial(f"a serial has 1 to {LONGEST} characters of 0-9, A-Z")
    maker = _maker(manufacturer)
    if official := OFFICIAL.fullmatch(latin):
        return Label(official.group(2), official.group(1), latin, fields.get("01"), findings)
    return Label(latin, maker, None, fields.get("01"), (*findings, "legacy_id"))


def variants(serial: str) -> Sequence[str]:
    """The serials that differ from this one only by O for 0 or I for 1: for proposals to a person, never for answers.

    None where more than eight signs can be mistaken.
    """
    choices = [MISTAKABLE.get(sign, sign) for sign in serial]
    if sum(len(choice) > 1 for choice in choices) > MOST_MISTAKABLE:
        return ()
    return [made for made in map("".join, product(*choices)) if made != serial]


def _maker(manufacturer: str | None) -> str | None:
    return unicodedata.normalize("NFKC", manufacturer).strip().upper() or None if manufacturer else None


def _fields(text: str) -> Mapping[str, str]:
    """The GS1 fields of a label by application identifier; a text that is not GS1 is one serial."""
    symbology = SYMBOLOGY.match(text)
    bare = text[symbology.end() :] if symbology else text
    if bracketed := BRACKETED.findall(bare):
        return dict(bracketed)
    if not (SEPARATOR in bare or FNC1 in bare or (symbology and symbology.group() in GS1_SYMBOLOGIES)):
        return {"21": bare}
    found = dict[str, str]()
    for part in filter(None, re.split(rf"[{SEPARATOR}{FNC1}]", bare)):
        found |= _element_strings(part)
    return found


def _element_strings(text: str) -> Mapping[str, str]:
    """Fields in a row: those of fixed length need no separator behind them."""
    if trade_no := TRADE_NO.match(text):
        rest = text[trade_no.end() :]
        return {"01": trade_no.group(1), **(_element_strings(rest) if rest else {})}
    ai = next((ai for ai in GS1_OPEN if text.startswith(ai)), None)
    return {ai: text[len(ai) :]} if ai else {"21": text}
