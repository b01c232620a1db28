"""A message arrives: its bytes are stored before anybody looks into them, and worked on as soon as they are."""

from dataclasses import dataclass
from uuid import UUID

from kit.problems import IdempotencyConflict
from kit.store import Ref, Unit
from services.mdm_adapter.answering import head_of
from services.mdm_adapter.domain.messages import (
    CHAIN,
    ArchiveHead,
    InboundMessage,
    KnownMessage,
    archive,
    by_bytes,
    by_delivery,
    digest,
)

PROCESS = "process_inbound"
"""Kind of the timer that works on a stored message; due at once, so a crash in between loses nothing."""


@dataclass(frozen=True, slots=True)
class Arriving:
    """What came, from whom, and on which way. The partner is that of the credential or folder, known or not."""

    partner: str
    content: bytes
    transport: str
    transport_key: str | None = None
    in_reply_to: UUID | None = None
    once: str | None = None
    """The transport's own name of this one delivery: repeated, it is no second message, and has the first receipt."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender is told once its message is stored; copies of a message have the receipt of the first."""

    receipt: str
    sha256: str
    message_id: UUID
    """The message itself, also where it is a copy."""


def needs_receiving(arriving: Arriving) -> list[Ref]:
    """What must be loaded to receive a message."""
    names = (_name(arriving), *_delivery(arriving))
    return [(ArchiveHead, CHAIN), *((KnownMessage, name) for name in names)]


def _name(arriving: Arriving) -> str:
    """What makes two arrivals one. A fault names nothing: equal ones in two exchanges are two."""
    name = by_bytes(arriving.partner, digest(arriving.content))
    return f"{name}|{arriving.in_reply_to}" if arriving.in_reply_to else name


def _delivery(arriving: Arriving) -> tuple[str, ...]:
    return (by_delivery(arriving.partner, arriving.once),) if arriving.once else ()


def receive(unit: Unit, arriving: Arriving) -> Receipt:
    """Store a message: transaction A. What follows is a transaction of its own.

    Raises IdempotencyConflict where the transport gave the name of this delivery to other bytes.
    """
    for delivery in _delivery(arriving):
        if before := unit.find(KnownMessage, delivery):
            if before.sha256 != digest(arriving.content):
                raise IdempotencyConflict("this id was used for another message")
            return Receipt(receipt_of(before.message_id), before.sha256, before.message_id)
    message = keep(unit, arriving)
    for delivery in _delivery(arriving):
        unit.add(KnownMessage(name=delivery, message_id=message.copy_of or message.id, sha256=message.sha256))
    unit.later(PROCESS, str(message.id), unit.now)
    return Receipt(receipt_of(message.copy_of or message.id), message.sha256, message.id)


def keep(unit: Unit, arriving: Arriving) -> InboundMessage:
    """Store a message with its bytes; those of a copy are there already. Nobody works on it yet."""
    own = digest(arriving.content)
    name = _name(arriving)
    first = unit.find(KnownMessage, name)
    message = InboundMessage(
        id=unit.new_id(),
        partner=arriving.partner,
        transport=arriving.transport,
        transport_key=arriving.transport_key,
        received_at=unit.now,
        sha256=own,
        size=len(arriving.content),
        copy_of=first.message_id if first else None,
        in_reply_to=arriving.in_reply_to,
    )
    if first is None:
        unit.add(archive(head_of(unit), message.id, "in", arriving.partner, unit.now, arriving.content))
        unit.add(KnownMessage(name=name, message_id=message.id, sha256=own))
    unit.add(message)
    return message


def receipt_of(message_id: UUID) -> str:
    """The receipt of a message."""
    return f"in-{message_id}"


def message_of(receipt: str) -> UUID | None:
    """The message that a receipt stands for."""
    try:
        return UUID(receipt.removeprefix("in-")) if receipt.startswith("in-") else None
    except ValueError:
        return None
