"""What APERAK and CONTRL say to us; they are read, never answered, and where they cannot be used a person looks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from services.mdm_adapter.dialects.edifact_fv.envelope import Message
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.tables import rows, rows_at
from services.mdm_adapter.dialects.edifact_fv.vorgang import Part

BEFORE, BEHIND = "sg2", "sg5"
"""References stand before the parties, or behind the first error."""
REJECTED = "4"
ACTIONS = frozenset({REJECTED, "7", "8"})
"""DE0083; 7 and 8 inform, and are tolerated."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One ERC, or one code of CONTRL, and what stands behind it."""

    code: str
    text: str = ""
    references: tuple[tuple[str, str], ...] = ()
    """RFF behind an ERC: qualifier, number."""
    place: str = ""
    """The segment that was refused, as the other side quotes or numbers it."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What one message says about one of ours."""

    type: str
    accepted: bool
    references: tuple[tuple[str, str], ...]
    """ACE, AGO, TN, ACW, before the errors and behind them; UCI of CONTRL as ACE. The first of each counts."""
    refusals: tuple[Refusal, ...] = ()
    unusable: tuple[str, str] | None = None
    """Code and place of what makes it useless."""

    def reference(self, qualifier: str) -> str:
        """The number of a reference; empty without one."""
        return next((number for name, number in self.references if name == qualifier), "")


@dataclass(frozen=True, slots=True)
class Cause:
    """What a refusal means to us: the hub's reason, and what comes next."""

    meaning: str
    reason: str
    next: str


def cause_of(code: str, on: date) -> Cause:
    """What an ERC means on a day; one that nobody knows goes to a person, and its text is kept."""
    for row in rows_at("erc_codes.csv", on):
        if row["code"] == code:
            return Cause(row["meaning"], row["reason"], row["next"])
    return Cause("", "OTHER", "operator")


def meaning_of(code: str, on: date) -> str:
    """What a code of CONTRL (DE0085) means on a day."""
    return next((row["meaning"] for row in rows_at("syntax_codes.csv", on) if row["code"] == code), "")


def layout_of(version: str) -> str:
    """Where an APERAK of a version has its references."""
    return next((row["references"] for row in rows("aperak_layouts.csv") if row["version"] == version), BEFORE)


def read_acknowledgement(message: Message) -> Acknowledgement:
    """Read an APERAK or a CONTRL."""
    return _contrl(message) if message.type == "CONTRL" else _aperak(message)


def aperak_warnings(message: Message) -> Iterator[str]:
    """What an APERAK lacks where version 2.2 has it, and can do without."""
    segments = message.segments[1:-1]
    before = _before_errors(segments)
    for qualifier in ("ACE", "AGO") if layout_of(message.version) == BEFORE else ("ACE",):
        if not any(segment.tag == "RFF" and segment.at(2) == qualifier for segment in before):
            yield f"APERAK_SG2_{qualifier}_MISSING"
    if any(segment.tag == "DTM" and segment.at(2) == "137" and segment.at(2, 3) != "303" for segment in segments):
        yield "DTM_137_FORMAT"


def _before_errors(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    index = next((index for index, segment in enumerate(segments) if segment.tag == "ERC"), len(segments))
    return segments[:index]


def _aperak(message: Message) -> Acknowledgement:
    part = Part(message, tuple(enumerate(message.segments[1:-1], 2)))
    kind = part.value("BGM", 2)
    references = [(segment.at(2), segment.at(2, 2)) for _, segment in part.all("RFF")]
    refusals: list[Refusal] = []
    for _, segment in part.segments:
        match segment:
            case Segment("ERC", ((code, *_), *_)):
                refusals.append(Refusal(code))
            case Segment("RFF", ((qualifier, number, *_), *_)) if refusals:
                last = refusals[-1]
                refusals[-1] = Refusal(last.code, last.text, (*last.references, (qualifier, number)), last.place)
            case Segment("FTX", ((qualifier, *_), *_)) if refusals:
                last, text = refusals[-1], "".join(segment.elements[3]) if len(segment.elements) > 3 else ""
                if qualifier == "Z02":
                    refusals[-1] = Refusal(last.code, last.text, last.references, segment.at(5, 2) or text)
                else:  # an unknown qualifier is no reason to lose the words
                    refusals[-1] = Refusal(last.code, f"{last.text} {text}".strip(), last.references, last.place)
    unusable = None
    if kind not in {"312", "313"}:
        unusable = ("Z39" if kind else "Z29", "BGM")
    elif kind == "313" and not refusals:
        unusable = ("Z29", "ERC")
    return Acknowledgement("APERAK", kind == "312", tuple(references), tuple(refusals), unusable)


def _contrl(message: Message) -> Acknowledgement:
    uci = next((segment for segment in message.segments if segment.tag == "UCI"), None)
    action = uci.at(5) if uci else ""
    refusals = []
    for segment in message.segments:
        match segment.tag:
            case "UCI" if segment.at(6):
                refusals.append(Refusal(segment.at(6), place=segment.at(7)))
            case "UCM" if segment.at(5):
                refusals.append(Refusal(segment.at(5), place=segment.at(2)))
            case "UCS" if segment.at(3):
                refusals.append(Refusal(segment.at(3), place=f"s{segment.at(2)}"))
            case "UCD":
                refusals.append(Refusal(segment.at(2), place=f"e{segment.at(3)}.c{segment.at(3, 2)}"))
    unusable = None if action in ACTIONS else ("12" if action else "13", "UCI")
    references = (("ACE", uci.at(2)),) if uci else ()
    return Acknowledgement("CONTRL", action != REJECTED, references, tuple(refusals), unusable)
