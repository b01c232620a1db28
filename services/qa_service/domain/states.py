"""The states of a review and the table of its moves (qa page, section 4): the page's rows, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ReviewState(StrEnum):
    """Where a round of a review stands."""

    PENDING = "PENDING"
    IN_REVIEW = "IN_REVIEW"
    APPROVED = "APPROVED"
    REWORK = "REWORK"
    CLOSED = "CLOSED"
    """The case or the order ended, or a follow-up took over."""
    WAIVED = "WAIVED"
    """Only by an approved exception."""


OPEN = frozenset({ReviewState.PENDING, ReviewState.IN_REVIEW})
"""A person can still decide."""


class Column(StrEnum):
    """Columns of the table: the states, rework told apart by who has to act."""

    NONE = "–"
    """The work order has no review yet."""
    PENDING = "PENDING"
    IN_REVIEW = "IN_REVIEW"
    APPROVED = "APPROVED"
    DESK_REWORK = "REWORK (desk)"
    FIELD_REWORK = "REWORK (field)"
    CLOSED = "CLOSED"
    WAIVED = "WAIVED"


class Cause(StrEnum):
    """What moves a review."""

    REPORTED = "a report, or a correction of one"
    ADDED = "evidence was added to a report"
    UPLOADED = "an awaited item came in"
    TAKEN = "a reviewer takes it"
    GIVEN_BACK = "the reviewer gives it back"
    LEASE_OVER = "the reviewer's time is over"
    APPROVED = "the reviewer approves"
    DESK_REWORK = "the reviewer asks for papers"
    FIELD_REWORK = "the reviewer asks for another visit"
    WAIVED = "an exception qa_waiver was approved"
    ENDED = "the order or the case ended, or a follow-up took over"


@dataclass(frozen=True, slots=True)
class Step:
    """One cell: the row of the page, the state it leads to, and whether that is a new round."""

    row: str
    to: ReviewState
    new_round: bool = False


_PENDING, _AGAIN = ReviewState.PENDING, Step("V3", ReviewState.PENDING)
_STAYS = Step("", ReviewState.PENDING)
_WAIVED, _CLOSED = Step("V8", ReviewState.WAIVED), Step("V9", ReviewState.CLOSED)

# fmt: off
NEXT: Mapping[tuple[Column, Cause], Step] = MappingProxyType({
    (Column.NONE,         Cause.REPORTED):     Step("V1", _PENDING, new_round=True),
    (Column.PENDING,      Cause.REPORTED):     _STAYS,  # no move: the rules are asked again
    (Column.PENDING,      Cause.ADDED):        _STAYS,
    (Column.PENDING,      Cause.UPLOADED):     _STAYS,
    (Column.PENDING,      Cause.TAKEN):        Step("V2", ReviewState.IN_REVIEW),
    (Column.IN_REVIEW,    Cause.GIVEN_BACK):   _AGAIN,
    (Column.IN_REVIEW,    Cause.LEASE_OVER):   _AGAIN,
    (Column.IN_REVIEW,    Cause.REPORTED):     _AGAIN,
    (Column.IN_REVIEW,    Cause.ADDED):        _AGAIN,
    (Column.IN_REVIEW,    Cause.UPLOADED):     _AGAIN,
    (Column.IN_REVIEW,    Cause.APPROVED):     Step("V4", ReviewState.APPROVED),
    (Column.IN_REVIEW,    Cause.DESK_REWORK):  Step("V6", ReviewState.REWORK),
    (Column.IN_REVIEW,    Cause.FIELD_REWORK): Step("V6", ReviewState.REWORK),
    (Column.DESK_REWORK,  Cause.REPORTED):     Step("V7", _PENDING, new_round=True),
    (Column.DESK_REWORK,  Cause.ADDED):        Step("V7", _PENDING, new_round=True),
    (Column.APPROVED,     Cause.REPORTED):     Step("V10", _PENDING, new_round=True),
    (Column.APPROVED,     Cause.ADDED):        Step("V10", _PENDING, new_round=True),
    (Column.PENDING,      Cause.WAIVED):       _WAIVED,
    (Column.IN_REVIEW,    Cause.WAIVED):       _WAIVED,
    (Column.DESK_REWORK,  Cause.WAIVED):       _WAIVED,
    (Column.FIELD_REWORK, Cause.WAIVED):       _WAIVED,
    (Column.PENDING,      Cause.ENDED):        _CLOSED,
    (Column.IN_REVIEW,    Cause.ENDED):        _CLOSED,
    (Column.DESK_REWORK,  Cause.ENDED):        _CLOSED,
    (Column.FIELD_REWORK, Cause.ENDED):        _CLOSED,
})
"""Every pair that is not here changes no review: a command is refused, an event is recorded as late."""
# fmt: on
