"""A handover: one fact of a case, told to its recipients; rows, their states, and what follows from them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from contracts.codes import AnnouncedPlan, Decision, Fact
from services.mdm_adapter.documents.answer import Reason
from services.mdm_adapter.documents.matrix import Accept, Role


class RowState(StrEnum):
    """Where one document to one recipient stands."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    ACKED = "ACKED"
    TRANSFERRED = "TRANSFERRED"
    REJECTED = "REJECTED"
    ERROR_TECH = "ERROR_TECH"
    ACCEPTED_BY_EXCEPTION = "ACCEPTED_BY_EXCEPTION"
    SUPERSEDED = "SUPERSEDED"


class Signal(StrEnum):
    """What can happen to a row."""

    TAKEN = "taken"
    """The transport took it."""
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    BROKEN = "broken"
    """It could not be built, delivered or understood."""
    RESENT = "resent"
    EXCEPTED = "excepted"
    """An approved exception stands in for the answer."""
    REPLACED = "replaced"
    """A newer attempt takes its place."""


_Q, _S, _A, _T, _R, _E, _X, _O = RowState
_V = Signal
# fmt: off
MOVES: Mapping[tuple[RowState, Signal], RowState] = MappingProxyType({
    (_Q, _V.TAKEN):    _S,
    (_Q, _V.RECEIVED): _A, (_S, _V.RECEIVED): _A,
    (_Q, _V.ACCEPTED): _T, (_S, _V.ACCEPTED): _T, (_A, _V.ACCEPTED): _T,
    (_R, _V.ACCEPTED): _T, (_E, _V.ACCEPTED): _T,   # late, and all the same it arrived and is accepted
    (_Q, _V.REFUSED):  _R, (_S, _V.REFUSED):  _R, (_A, _V.REFUSED):  _R,
    (_T, _V.REFUSED):  _R, (_E, _V.REFUSED):  _R,   # a late refusal counts
    (_Q, _V.BROKEN):   _E, (_S, _V.BROKEN):   _E, (_A, _V.BROKEN):   _E,
    (_E, _V.RESENT):   _Q, (_S, _V.RESENT):   _Q,
    (_Q, _V.EXCEPTED): _X, (_S, _V.EXCEPTED): _X, (_A, _V.EXCEPTED): _X, (_R, _V.EXCEPTED): _X, (_E, _V.EXCEPTED): _X,
    (_Q, _V.REPLACED): _O, (_S, _V.REPLACED): _O, (_A, _V.REPLACED): _O, (_R, _V.REPLACED): _O, (_E, _V.REPLACED): _O,
})
# fmt: on
SETTLED = frozenset({RowState.TRANSFERRED, RowState.ACCEPTED_BY_EXCEPTION})
WRONG = frozenset({RowState.REJECTED, RowState.ERROR_TECH})


class Outlook(StrEnum):
    """What a handover looks like from outside."""

    WAITING = "Waiting"
    TRANSFERRED = "Transferred"
    ERROR = "Error"


def outlook(required: Iterable[RowState]) -> Outlook:
    """One required row that is refused or broken is an error; all settled is transferred; else it waits."""
    states = set(required)
    if states & WRONG:
        return Outlook.ERROR
    return Outlook.TRANSFERRED if states <= SETTLED else Outlook.WAITING


@dataclass
class Handover:
    """One fact that the case wants told, in one attempt."""

    fact: Fact
    attempt: int
    work_order_id: UUID | None
    order_key: str | None
    decision: Decision | None
    supplement: bool
    final: bool
    visit_id: UUID | None
    visit_version: int | None
    evidence_digest: str | None
    requested_at: datetime
    accepted: bool = False
    plan: AnnouncedPlan | None = None
    statutory: bool = False
    planned_on: date | None = None
    window_from: date | None = None
    window_to: date | None = None


@dataclass(kw_only=True)
class Row:
    """One document to one recipient."""

    row_id: UUID
    fact: Fact
    attempt: int
    work_order_id: UUID | None
    order_key: str
    recipient: str
    document: str
    required: bool = True
    role: Role = Role.ORDERING
    """What the recipient is to the point, or to the case."""
    accept: Accept = Accept.BUSINESS
    """Which answer settles it."""
    state: RowState = RowState.QUEUED
    held: str | None = None
    """Why it has not left yet."""
    delivery: str | None = None
    """delivered or unknown, once it was tried to the end."""
    build: int = 0
    message_id: UUID | None = None
    """The newest message that carries it."""
    business_key: str | None = None
    payload_hash: str | None = None
    was_sent: bool = False
    was_refused: bool = False
    by_silence: bool = False
    """Nobody objected in time."""
    tries: int = 0
    """Automatic resends after a technical answer."""
    resent_at: datetime | None = None
    reasons: tuple[Reason, ...] = ()
    edits: dict[str, Any] = field(default_factory=dict)
    """What a person corrected: place in the document -> value. It holds for every build from then on."""
    numbers: tuple[str, ...] = ()
    """In EDIFACT: numbers of the newest build's documents, one per device for readings; each gets its own receipt."""
    taken: tuple[str, ...] = ()
    """Those of them that the recipient can process."""
    decided_at: datetime | None = None
    """In EDIFACT: when the business answer that counts was written."""

    def meets(self, signal: Signal) -> bool:
        """Move by the table; returns whether the state changed."""
        following = MOVES.get((self.state, signal))
        if following is None:
            return False
        self.state = following
        return True

    def settled_by(self, reached: Accept) -> bool:
        """Whether an answer of this depth is the one that counts."""
        depth = list(Accept)
        return depth.index(reached) >= depth.index(self.accept)

    def took(self, number: str | None) -> bool:
        """The recipient can process a document; whether nothing of the row is missing now. None: all of it."""
        known = self.numbers if number is None else tuple(each for each in self.numbers if each == number)
        self.taken = tuple(each for each in self.numbers if each in self.taken or each in known)
        return len(self.numbers) < 2 or self.taken == self.numbers

    def decides(self, said_at: datetime | None) -> bool:
        """Whether a business answer counts: not, if a later one is here already, in whatever order they came."""
        if said_at is not None and self.decided_at is not None and said_at < self.decided_at:
            return False
        self.decided_at = said_at or self.decided_at
        return True

    @property
    def open(self) -> bool:
        """Neither settled nor replaced."""
        return self.state not in SETTLED and self.state is not RowState.SUPERSEDED
