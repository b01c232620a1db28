"""One move for many work orders (lifecycle §12): what is asked, what objects to one of them, what undoes it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import Field

from contracts.codes import BookingChannel
from contracts.event import Part
from contracts.ids import Code, CompanyId, Principal, TechnicianId, WorkOrderId
from kit.store import Aggregate
from services.case_service.domain.guards import Ask, as_decided
from services.case_service.domain.matrices import MOVES, possible_moves
from services.case_service.domain.moves import choice_of, objections
from services.case_service.domain.ownership import Asked, refuse_foreign
from services.case_service.domain.requests import MoveRequest, Resolution, Text
from services.case_service.domain.selection import Selection
from services.case_service.domain.transitions import TRANSITIONS
from services.case_service.domain.work_order import WorkOrder
from services.case_service.errors import (
    BatchBusy,
    DecisionMissing,
    NothingToDo,
    NotInBulk,
    NotPlanned,
    NoUndo,
    Objection,
    SelectionInvalid,
)

PREVIEW, RUN = "bulk_preview", "bulk_move"
"""The jobs of a batch: ask for every item, move every item."""
WOULD_MOVE = "would_move"
"""What a preview says of an item that nothing objects to."""
ROWS = frozenset(name for name, row in TRANSITIONS.items() if "bulk" in row.how)
"""Rows of the transition table that may be taken by many at once."""
IN_BULK = frozenset(move for name in ROWS for move in TRANSITIONS[name].moves) | {"assign"}
ASSIGNED = ("responsible", "company_id")
"""What `assign` changes, and what its undoing needs."""


class ItemState(StrEnum):
    """Where one item of a batch stands. Moved is for good: an item moves at most once in its batch."""

    PENDING = "pending"
    MOVED = "moved"
    REFUSED = "refused"
    FAILED = "failed"


class BulkArguments(Asked):
    """What the move needs, the same for every item; the members mean what they mean for a single move."""

    reason: Text | None = None
    code: Code | None = None
    responsible: TechnicianId | None = None
    company_id: CompanyId | None = None
    return_on: date | None = None
    channel: BookingChannel | None = None
    resolution: Resolution | None = None
    customer_informed: bool = False
    technician_informed: bool = False


class BulkRequest(Asked):
    """`POST /v1/bulk-moves`: a move, and the work orders that are to make it, by their ids or by a filter."""

    move: str
    ids: tuple[WorkOrderId, ...] = Field((), max_length=10_000)
    filter: Selection | None = None
    """As of the lists: a filter with several values wants one of them, all filters have to hold."""
    arguments: BulkArguments = BulkArguments()


class RetryRequest(Part):
    """`POST /v1/bulk-moves/{id}/retry`."""

    refused: bool = False
    """Ask again also for what was refused."""


class Frozen(NamedTuple):
    """One item as it was selected."""

    work_order_id: UUID
    version: int
    """0: there is none that whoever planned may see."""
    given: Mapping[str, Any] | None = None
    """Arguments of this item alone."""


@dataclass(kw_only=True, eq=False)
class BulkMove(Aggregate):
    """A batch: a move, its frozen selection, and the job that previews or runs it."""

    batch_id: UUID
    move: Code
    arguments: dict[str, Any]
    selected: int
    undo_of: UUID | None = None
    job_id: UUID
    """The job that is at work on it, or was last."""
    runs: int = 0
    """How many jobs it had."""
    created_by: Principal
    scope: str
    """How far whoever planned it reaches; others with as much, or everything, may see it."""
    created_at: datetime

    frozen: Sequence[Frozen] = field(default=(), repr=False)
    """The selection, while the batch is new; later it is read a chunk at a time."""

    def key(self) -> str:
        return str(self.batch_id)

    def goes_on(self, seen: int, job_id: UUID) -> None:
        """Another job takes over; raises BatchBusy where somebody else was first."""
        if seen != self.runs:
            raise BatchBusy("Somebody else has just started something with this batch.")
        self.runs, self.job_id = self.runs + 1, job_id


def check_plan(asked: BulkRequest) -> None:
    """Refuse what could be done for no item at all."""
    refuse_foreign(asked)
    refuse_foreign(asked.arguments)
    if asked.move not in IN_BULK:
        known = "is not made in bulk" if asked.move in MOVES else "is no move"
        raise NotInBulk(f"{asked.move} {known}. Possible: {', '.join(sorted(IN_BULK))}.", possible=sorted(IN_BULK))
    if bool(asked.ids) == (asked.filter is not None):
        raise SelectionInvalid("Name either `ids` or a `filter`.", fields=["ids", "filter"])
    if asked.move == "assign" and not asked.arguments.model_fields_set & set(ASSIGNED):
        raise NotPlanned("Name `responsible` or `company_id`.", fields=list(ASSIGNED))
    if asked.move == "close_case" and asked.arguments.resolution is None:
        raise DecisionMissing("Name the resolution: cancelled, no_more_attempts or not_needed.", fields=["resolution"])


def freeze(ids: Sequence[UUID], versions: Mapping[UUID, int]) -> Sequence[Frozen]:
    """The selection with its versions, each work order once; what nobody found is an item too, and will be refused."""
    chosen = dict.fromkeys(ids or versions)
    if not chosen:
        raise SelectionInvalid("No work order fits the filter.", fields=["filter"])
    return [Frozen(each, versions.get(each, 0)) for each in chosen]


def request_of(move: Code, arguments: Mapping[str, Any], item: Frozen) -> MoveRequest:
    """The single move that an item asks for."""
    return MoveRequest(move=move, expected_version=item.version, **{**arguments, **(item.given or {})})


def refusal(ask: Ask) -> Objection | None:
    """Ask for one item: why it may not make the move now. Whatever else has changed, a stale version comes first."""
    choice = choice_of(ask)
    if stale := as_decided(ask):
        return stale
    if choice is not None and choice not in ROWS and ask.request.move != "assign":
        possible = sorted(set(possible_moves(ask.order.column)) & IN_BULK)
        return NotInBulk(f"In {ask.order.state} {ask.request.move} ({choice}) is made one by one.", possible=possible)
    return next(iter(objections(ask)), None)


def undo_record(move: Code, order: WorkOrder, given: Collection[str]) -> dict[str, Any] | None:
    """What an assignment will have changed; no other move can be undone."""
    if move != "assign":
        return None
    values = {name: getattr(order, name) for name in ASSIGNED if name in given}
    return {name: None if value is None else str(value) for name, value in values.items()}


def check_undo(move: Code, items: Sequence[Frozen]) -> None:
    """Refuse to undo what cannot be undone."""
    if move != "assign":
        raise NoUndo(f"{move} has no undo; only assign has.")
    if not items:
        raise NothingToDo("Nothing was assigned by this batch.")
