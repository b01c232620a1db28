"""What a dialect finds in a message: a code of the answer, a place, the words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, or one warning. `position` is a field name, an XPath, or row and column."""

    code: str
    """What the sender is answered: a CIM reply code, a CSV finding or a rule id."""
    position: str
    detail: str
    line: int | None = None
    rule: str | None = None
    """The rule of ours that was broken: DTD, SCHEMA, D-GSRN-1 and so on."""
    segment: str | None = None
    """The segment as it was received, in EDIFACT."""
    value: str | None = None
    """What stands there, in EDIFACT."""
    offset: int | None = None
    """Where in the bytes, in EDIFACT."""
