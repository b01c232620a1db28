"""What people do to messages: resend a document, have a quarantined message processed again."""

from collections.abc import Iterator

from kit.store import Ref, Unit
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.domain.dossier import Dossier
from services.mdm_adapter.domain.handover import RowState, Signal
from services.mdm_adapter.domain.messages import InboundMessage, InState, QuarantineEntry
from services.mdm_adapter.domain.policy import RESEND_BLOCKED
from services.mdm_adapter.errors import AlreadyResent, NoSuchThing, NotResendable
from services.mdm_adapter.handing_over import dispatch
from services.mdm_adapter.metrics import RESENDS
from services.mdm_adapter.receiving import PROCESS


def resend_row(unit: Unit, desk: Desk, row_id: str, reason: str) -> str:
    """Send a document anew that is broken, or of which nobody knows whether it arrived; returns the row's state."""
    dossier = unit.get(Dossier, row_id)
    row = dossier.row(row_id)
    if row is None:  # the case's own id names no document
        raise NoSuchThing("there is no such document")
    if row.resent_at is not None and unit.now - row.resent_at < RESEND_BLOCKED:
        raise AlreadyResent(int((unit.now - row.resent_at).total_seconds()))
    lost = row.state is RowState.SENT and row.delivery == "unknown"
    if not (row.state is RowState.ERROR_TECH or lost):
        raise NotResendable(row.state)
    row.meets(Signal.RESENT)
    row.resent_at, row.delivery = unit.now, None
    unit.audit("handover:resend", f"case/{dossier.case_id}", row=row_id, characters_of_reason=len(reason))
    RESENDS.labels("person").inc()
    dispatch(unit, desk, dossier, row)
    return row.state.value


def needs_retry(entry_id: str, unit: Unit) -> Iterator[Ref]:
    """The entry and its message."""
    yield QuarantineEntry, entry_id
    if entry := unit.find(QuarantineEntry, entry_id):
        yield InboundMessage, str(entry.message_id)


def retry_entry(unit: Unit, entry_id: str, reason: str) -> str:
    """Work on the message once more, from its stored bytes."""
    entry = unit.get(QuarantineEntry, entry_id)
    message = unit.get(InboundMessage, str(entry.message_id))
    entry.retry(unit.principal.id, reason, unit.now)
    message.state, message.findings, message.results = InState.STORED, (), ()
    unit.later(PROCESS, message.key(), unit.now)
    unit.audit("message:release", f"quarantine/{entry_id}")
    return entry.state.value
