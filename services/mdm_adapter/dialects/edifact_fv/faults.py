"""A fault of content before it is a finding: what, at which segment of a message, or which segment is missing."""

from dataclasses import dataclass

from services.mdm_adapter.dialects.edifact_fv.patterns import Pattern
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.templates import name_of
from services.mdm_adapter.dialects.edifact_fv.vorgang import Numbered


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; without a segment, something that is missing is named in `hint`."""

    code: str
    """Of ERC."""
    detail: str
    number: int = 0
    segment: Segment | None = None
    element: int = 0
    component: int = 1
    hint: str = ""
    """For people: the segment and what distinguishes it."""
    rule: str | None = None


def missing(pattern: Pattern, detail: str = "") -> Fault:
    """Z29: nothing fits the pattern."""
    return Fault("Z29", detail or f"missing: {name_of(pattern.name)}", hint=pattern.name)


def at(code: str, found: Numbered, detail: str, element: int = 2, component: int = 1, hint: str = "") -> Fault:
    """A fault of a segment that is there."""
    number, segment = found
    return Fault(code, detail, number, segment, element, component, hint or called(segment))


def called(segment: Segment) -> str:
    """A segment as people name it: with its qualifier where it has one."""
    qualifier = segment.at(2)
    return segment.tag if segment.tag in {"PIA", "LIN", "AJT", "BGM"} or not qualifier else f"{segment.tag}+{qualifier}"
