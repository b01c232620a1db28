"""What comes in: raw callbacks, replies on their way to a case, and what a vendor says about his messages."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from contracts.codes import Match, Reading
from kit.store import Aggregate
from services.notification_service.domain.notices import PURGED


@dataclass(kw_only=True, eq=False)
class Inbound(Aggregate):
    """A callback as it came, kept before it is acknowledged and read afterwards. Its nonce is its name."""

    inbound_id: str
    """`<vendor>:<nonce>`: a repeat is the same callback."""
    vendor: str
    received_at: datetime
    peer: str
    body: bytes | None
    parsed_as: str | None = None
    error: str | None = None

    def key(self) -> str:
        return self.inbound_id

    def purge(self) -> None:
        self.body = None


class ReplyState(StrEnum):
    """Where a reply is: told to booking_service, or waiting for a person."""

    NEW = "NEW"
    TOLD = "TOLD"
    QUEUED = "QUEUED"
    HANDLED = "HANDLED"


@dataclass(kw_only=True, eq=False)
class Reply(Aggregate):
    """One text of a customer. It ends either at a case or in a visible queue."""

    reply_id: UUID
    provider_key: str
    """`<vendor>:<message id>`: a repeat is the same reply."""
    inbound_id: str
    received_at: datetime
    sender: str
    text: str
    """Without its code, which is kept only as a hash."""
    reading: Reading
    confidence: Decimal
    hint: str | None = None
    match: Match | None = None
    state: ReplyState = ReplyState.NEW
    queued_for: str | None = None
    case_id: UUID | None = None
    appointment_id: UUID | None = None
    dismissed_for: str | None = None

    def key(self) -> str:
        return str(self.reply_id)

    def keys(self) -> tuple[str, str]:
        return str(self.reply_id), self.provider_key

    def queue(self, reason: str) -> None:
        """Nobody can tell where it belongs: a person decides."""
        self.state, self.queued_for = ReplyState.QUEUED, reason

    def purge(self) -> None:
        self.sender = self.text = PURGED


@dataclass(kw_only=True)
class Receipt:
    """A state of a message as its vendor told it, once."""

    number: int
    """In the order of hearing: which of two came first decides."""
    status: str
    at: datetime


@dataclass(kw_only=True, eq=False)
class Delivery(Aggregate):
    """What a vendor told about one of his messages, perhaps before we knew which notice it is."""

    provider_key: str
    case_id: UUID | None = None
    notice_id: UUID | None = None
    receipts: list[Receipt] = field(default_factory=list)

    def key(self) -> str:
        return self.provider_key

    def hear(self, status: str, at: datetime) -> bool:
        """Keep a receipt; False if it was heard before."""
        if any(each.status == status for each in self.receipts):
            return False
        self.receipts.append(Receipt(number=len(self.receipts) + 1, status=status, at=at))
        return True


@dataclass(kw_only=True, eq=False)
class StaffContact(Aggregate):
    """How a technician is texted; kept by admins, never in events."""

    staff_id: UUID
    number: str
    language: str

    def key(self) -> str:
        return str(self.staff_id)
