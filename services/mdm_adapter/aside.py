"""What cannot be processed is put aside for a person, under one of these causes."""

from kit.store import Unit
from services.mdm_adapter.domain.messages import FIX, InboundMessage, InState, KnownMessage, QuarantineEntry, by_id
from services.mdm_adapter.domain.orders import Order

UNKNOWN_PARTNER, ID_REUSED, CONFLICT, UNCORRELATED = "UNKNOWN_PARTNER", "ID_REUSED", "CONFLICT", "UNCORRELATED"
SENDER_MISMATCH, TOO_LARGE, POISON = "SENDER_MISMATCH", "TOO_LARGE", "POISON"


def is_reused(unit: Unit, message: InboundMessage, message_id: str | None) -> bool:
    """Whether the sender gave this id to other bytes before; else it is remembered.

    A copy that a person corrected keeps the id: it stands for what the sender gave it to.
    """
    if not message_id:
        return False
    name = by_id(message.partner, message_id)
    known = unit.find(KnownMessage, name)
    if known is None:
        unit.add(KnownMessage(name=name, message_id=message.id, sha256=message.sha256))
        return False
    return known.sha256 != message.sha256 and message.transport != FIX


def quarantine(
    unit: Unit,
    message: InboundMessage,
    cause: str,
    detail: str,
    *,
    order: Order | None = None,
    row: int | None = None,
) -> None:
    """Put a message, or one row of it, aside for a person."""
    case_id = order.case_id if order else None
    unit.add(QuarantineEntry.open(unit.new_id(), message, cause, detail, unit.now, case_id=case_id, row=row))
    message.state = InState.QUARANTINED
