"""Messages in and out, the chain that their bytes are kept in, and what waits in quarantine."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from contracts.handovers import MessageQuarantined
from contracts.ids import CaseId, QuarantineId
from kit.store import Aggregate
from services.mdm_adapter.dialects.items import Decoded
from services.mdm_adapter.documents.answer import Answer
from services.mdm_adapter.documents.values import Value
from services.mdm_adapter.errors import EntryClosed, SamePerson

SUPERSEDED = "superseded"
"""Cause of a message that was not sent, because a newer attempt took its place."""
OVERTAKEN = "version_over"
"""Cause of a message that was not sent, because other versions hold by now (H8)."""
FIX = "fix"
"""The way on which a copy comes in that a person corrected."""
CHAIN = "archive"
START = "0" * 64
NUMBERED_FROM, TICK = datetime(2025, 1, 1, tzinfo=UTC), timedelta(milliseconds=10)
"""11 digits last until 2056."""


def digest(data: bytes) -> str:
    """SHA-256, hexadecimal."""
    return sha256(data).hexdigest()


@dataclass(kw_only=True, eq=False)
class ArchiveHead(Aggregate):
    """The end of the chain: whoever archives continues from here."""

    name: str = CHAIN
    hash: str = START
    entries: int = 0
    numbered: int = 0
    """The number of the last interchange of ours."""

    def key(self) -> str:
        return self.name

    def number(self, at: datetime) -> int:
        """A number that no interchange of ours has had: the time in hundredths of a second, or one more than the last.

        Whoever goes on from an older copy of the database has newer time, and repeats none.
        """
        self.numbered = max(self.numbered + 1, (at - NUMBERED_FROM) // TICK)
        return self.numbered


@dataclass(kw_only=True, eq=False)
class Archived(Aggregate):
    """The bytes of one message, exactly as they came or left; written once, never changed."""

    id: UUID
    direction: str
    partner: str
    at: datetime
    sha256: str
    content: bytes
    number: int
    prev_hash: str
    hash: str

    def key(self) -> str:
        return str(self.id)


def archive(head: ArchiveHead, id_: UUID, direction: str, partner: str, at: datetime, content: bytes) -> Archived:
    """Add bytes to the chain: hash = SHA-256(hash before ‖ SHA-256 of the bytes ‖ id)."""
    own = digest(content)
    before, head.hash = head.hash, digest(f"{head.hash}{own}{id_}".encode())
    head.entries += 1
    return Archived(
        id=id_,
        direction=direction,
        partner=partner,
        at=at,
        sha256=own,
        content=content,
        number=head.entries,
        prev_hash=before,
        hash=head.hash,
    )


class InState(StrEnum):
    """How far an inbound message has come."""

    STORED = "STORED"
    PROCESSED = "PROCESSED"
    REFUSED = "REFUSED"
    QUARANTINED = "QUARANTINED"


class Noted(Value):
    """A finding as it is kept with its message."""

    code: str
    position: str
    detail: str
    line: int | None = None
    rule: str | None = None


class ItemResult(Value):
    """What became of one order of a message."""

    order_no: str
    result: str
    row: int | None = None
    findings: tuple[Noted, ...] = ()


class Change(Value):
    """What an edit did at one place; None: there was, or is, nothing."""

    before: str | None = None
    after: str | None = None


class StoredAnswer(Value):
    """An answer that the sender was given; a copy of the message gets it again."""

    answer: Answer
    at: datetime


@dataclass(kw_only=True, eq=False)
class InboundMessage(Aggregate):
    """One message that arrived. Its bytes lie in the archive under the same id; a copy's under that of the first."""

    id: UUID
    partner: str
    transport: str
    """rest, webhook, file_drop, topic, import, fix, or reply: in the body of an answer to a message of ours."""
    transport_key: str | None = None
    received_at: datetime
    sha256: str
    size: int
    state: InState = InState.STORED
    copy_of: UUID | None = None
    in_reply_to: UUID | None = None
    """The message of ours in whose exchange it came."""
    dialect: str | None = None
    verb: str | None = None
    noun: str | None = None
    foreign_id: str | None = None
    correlation_id: str | None = None
    orders: tuple[str, ...] = ()
    findings: tuple[Noted, ...] = ()
    results: tuple[ItemResult, ...] = ()
    answers: tuple[StoredAnswer, ...] = ()
    decoded: Decoded | None = field(default=None, repr=False)
    """Transient: read once in a transaction, however often it is asked for."""

    def key(self) -> str:
        return str(self.id)

    def answered(self, answer: Answer, at: datetime) -> None:
        """Keep an answer for copies of this message, and for who asks about it."""
        self.answers = (*self.answers, StoredAnswer(answer=answer, at=at))

    def note(self, decoded: Decoded) -> None:
        """Keep what could be read of it."""
        self.dialect, self.verb, self.noun = decoded.dialect, decoded.verb, decoded.noun
        self.foreign_id, self.correlation_id = decoded.message_id, decoded.correlation_id
        self.orders = tuple(order for order in decoded.orders if order)
        self.findings = noted((*decoded.findings, *decoded.warnings))


def noted(findings: object) -> tuple[Noted, ...]:
    """Findings of a dialect as they are kept; at most 20."""
    kept = list(findings)[:20]  # type: ignore[call-overload]
    return tuple(
        Noted(code=each.code, position=each.position, detail=each.detail, line=each.line, rule=each.rule)
        for each in kept
    )


@dataclass(kw_only=True, eq=False)
class KnownMessage(Aggregate):
    """A name under which a message was met before: its bytes, or the sender's own id for it."""

    name: str
    message_id: UUID
    sha256: str

    def key(self) -> str:
        return self.name


def by_bytes(partner: str, sha: str) -> str:
    """The name of bytes of a partner."""
    return f"bytes|{partner}|{sha}"


def by_delivery(partner: str, name: str) -> str:
    """The name of one delivery by its transport."""
    return f"once|{partner}|{name}"


def by_id(partner: str, foreign_id: str) -> str:
    """The name of a message by the partner's own id."""
    return f"id|{partner}|{foreign_id}"


class OutState(StrEnum):
    """How far a message of ours has come."""

    READY = "READY"
    SENT = "SENT"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    """Nobody knows whether it arrived, and no try is left."""


@dataclass(kw_only=True, eq=False)
class OutboundMessage(Aggregate):
    """One message of ours: a document of a handover, or an answer. Its bytes lie in the archive under its id."""

    id: UUID
    partner: str
    document: str
    dialect: str
    transport: str
    created_at: datetime
    sha256: str
    correlation_id: str | None = None
    case_id: UUID | None = None
    row_id: UUID | None = None
    answers_to: UUID | None = None
    state: OutState = OutState.READY
    finished_at: datetime | None = None
    cause: str | None = None

    def key(self) -> str:
        return str(self.id)


@dataclass(kw_only=True, eq=False)
class Correlation(Aggregate):
    """Which row of which case a message of ours belongs to: so its answers find their way."""

    name: str
    case_id: UUID
    row_id: UUID
    message_id: UUID

    def key(self) -> str:
        return self.name


@dataclass(kw_only=True, eq=False)
class Link(Aggregate):
    """What an inbound message speaks of: an order, and where it is an answer, the document that it answers."""

    id: UUID
    message_id: UUID
    order_key: str
    row_id: UUID | None = None

    def key(self) -> str:
        return str(self.id)


@dataclass(kw_only=True, eq=False)
class Edit(Aggregate):
    """A person corrected a message: both versions lie in the archive, here is what was changed, by whom, and why.

    `changed` holds what stood at each place before and what stands there now.
    """

    id: UUID
    original_id: UUID | None
    """None: the document was never written before, because it lacked what the edit says."""
    edited_id: UUID
    row_id: UUID | None = None
    changed: dict[str, Change]
    by: str
    reason: str
    at: datetime

    def key(self) -> str:
        return str(self.id)


def by_correlation(partner: str, correlation_id: str) -> str:
    """The name under which an answer of this partner is looked up; another partner's finds nothing."""
    return f"{partner}|{correlation_id}"


@dataclass(kw_only=True, eq=False)
class Endpoint(Aggregate):
    """A partner's address that said it is gone: nothing is sent there until a person says so, or it is another one."""

    partner: str
    url: str
    disabled_at: datetime

    def key(self) -> str:
        return self.partner


class EntryState(StrEnum):
    """How far a quarantine entry has come."""

    OPEN = "OPEN"
    RETRIED = "RETRIED"
    FIXED = "FIXED"
    """A corrected copy of the message was taken in its place."""
    DISCARDED = "DISCARDED"


@dataclass(kw_only=True, eq=False)
class QuarantineEntry(Aggregate):
    """Something that could not be processed, until a person has dealt with it. The bytes stay archived for ever."""

    id: UUID
    message_id: UUID
    cause: str
    detail: str
    partner: str
    case_id: UUID | None = None
    row: int | None = None
    first_seen: datetime
    state: EntryState = EntryState.OPEN
    reason: str | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    discard_asked_by: str | None = None

    def key(self) -> str:
        return str(self.id)

    @classmethod
    def open(
        cls,
        id_: UUID,
        message: InboundMessage,
        cause: str,
        detail: str,
        at: datetime,
        *,
        case_id: UUID | None = None,
        row: int | None = None,
    ) -> "QuarantineEntry":
        """Put a message, or one of its rows, aside, and tell operations."""
        entry = cls(
            id=id_,
            message_id=message.id,
            cause=cause,
            detail=detail[:500],
            partner=message.partner,
            case_id=case_id,
            row=row,
            first_seen=at,
        )
        entry.told.append(
            MessageQuarantined(
                case_id=CaseId(case_id) if case_id else None,
                quarantine_id=QuarantineId(id_),
                partner=message.partner,
                cause=cause,
            )
        )
        return entry

    def retry(self, by: str, reason: str, at: datetime) -> None:
        """A person has it processed again."""
        self._close(EntryState.RETRIED, by, reason, at)

    def fix(self, by: str, reason: str, at: datetime) -> None:
        """A person corrected it; the corrected copy is a message of its own."""
        self._close(EntryState.FIXED, by, reason, at)

    def discard(self, by: str, reason: str, at: datetime) -> bool:
        """The first person asks, a second one confirms; returns whether it is discarded now."""
        self._must_be_open()
        if self.discard_asked_by is None:
            self.discard_asked_by, self.reason = by, reason
            return False
        if self.discard_asked_by == by:
            raise SamePerson
        self._close(EntryState.DISCARDED, by, f"{self.reason} · {reason}", at)
        return True

    def _close(self, state: EntryState, by: str, reason: str, at: datetime) -> None:
        self._must_be_open()
        self.state, self.closed_by, self.reason, self.closed_at = state, by, reason, at

    def _must_be_open(self) -> None:
        if self.state is not EntryState.OPEN:
            raise EntryClosed(self.state)
