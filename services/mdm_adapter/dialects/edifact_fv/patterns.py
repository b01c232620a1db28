"""Patterns of segments as the tables write them: `STS+Z15+[Z13]`."""

from dataclasses import dataclass
from functools import cache

from services.mdm_adapter.dialects.edifact_fv.syntax import Segment

Part = tuple[int, int, frozenset[str]]
"""Element and component (as in `Segment.at`), and what may stand there."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a segment is known by, and what is demanded of it then."""

    text: str
    tag: str
    known_by: tuple[Part, ...]
    demanded: tuple[Part, ...]

    def fits(self, segment: Segment) -> bool:
        """Whether this is the segment that is meant."""
        return segment[0] == self.tag and all(segment.at(e, c) in choices for e, c, choices in self.known_by)

    def broken_at(self, segment: Segment) -> tuple[int, int] | None:
        """Where a segment that is meant does not hold what is demanded."""
        return next(((e, c) for e, c, choices in self.demanded if segment.at(e, c) not in choices), None)

    @property
    def name(self) -> str:
        """As people write it."""
        return self.text.replace("[", "").replace("]", "")


@cache
def pattern(text: str) -> Pattern:
    """Read a pattern."""
    tag, *elements = text.split("+")
    known_by: list[Part] = []
    demanded: list[Part] = []
    for e, element in enumerate(elements, 2):
        for c, component in enumerate(element.split(":"), 1):
            if component:
                part = (e, c, frozenset(component.strip("[]").split("|")))
                (demanded if component.startswith("[") else known_by).append(part)
    return Pattern(text, tag, tuple(known_by), tuple(demanded))
