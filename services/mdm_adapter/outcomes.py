"""What became of sending: the transport took a message, refused it, or nobody knows."""

from collections.abc import Iterator
from datetime import timedelta

from contracts.codes import FailureCause, Level
from kit.handlers import Sent, Timer
from kit.store import Ref, Unit
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.edifact_fv.versions import in_changeover
from services.mdm_adapter.documents.matrix import MATRIX, Accept, DocumentKind
from services.mdm_adapter.domain.calendar import MARKET, end_of_wait
from services.mdm_adapter.domain.clocks import aperak_due
from services.mdm_adapter.domain.dossier import Dossier
from services.mdm_adapter.domain.handover import Row, RowState, Signal
from services.mdm_adapter.domain.messages import OVERTAKEN, SUPERSEDED, OutboundMessage, OutState
from services.mdm_adapter.domain.policy import ACK_GRACE, SEND_AGAIN
from services.mdm_adapter.handing_over import ACK_DUE, RESEND, needs_of_case, release_held
from services.mdm_adapter.metrics import MESSAGES

SILENCE = "silence"
"""Kind of the timer that ends the time to object; its key is the row."""
MASTER_DATA = frozenset({DocumentKind.DEVICE_EXCHANGE_COMPLETED, DocumentKind.VALUES_WITHDRAWN})
"""Documents that leave as UTILMD, whose receipts are due sooner."""
EXHAUSTED = "retries_exhausted"
LOST_UNDER_ITS_ID = "answer_lost_new_id"
"""Cause of a try whose outcome nobody knows, to a partner that takes each id once."""
RENEWED = frozenset({OVERTAKEN, LOST_UNDER_ITS_ID})
"""Causes for which a document is built anew."""
LOST = "answer_lost"
"""Cause of a try after which nobody knows whether the message arrived."""


def needs_outcome(sent: Sent, unit: Unit) -> Iterator[Ref]:
    """The message, and the case that its row belongs to."""
    yield OutboundMessage, sent.payload["message_id"]
    if sent.payload["case_id"]:
        yield from needs_of_case(sent.payload["case_id"], unit)


def record(desk: Desk, sent: Sent, unit: Unit) -> None:
    """Keep the outcome of one try; passing failures are tried again without a word."""
    message = unit.get(OutboundMessage, sent.payload["message_id"])
    dossier = unit.find(Dossier, sent.payload["case_id"]) if sent.payload["case_id"] else None
    row = dossier.row(message.row_id) if dossier and message.row_id else None
    match sent.state:
        case "done":
            message.state, message.finished_at, message.cause = OutState.SENT, unit.now, None
            if dossier and row:
                _taken(unit, desk, dossier, row)
                release_held(unit, desk, dossier)
                _await_receipt(unit, dossier, row, message)
        case "failed" if row and sent.cause in RENEWED and row.message_id == message.id:
            message.state, message.finished_at, message.cause = OutState.FAILED, unit.now, sent.cause
            _renew(unit, dossier, row, sent.cause)
        case "failed":
            lost = message.cause == LOST and sent.cause == EXHAUSTED
            message.state, message.finished_at = OutState.UNKNOWN if lost else OutState.FAILED, unit.now
            message.cause = sent.cause
            if dossier and row and sent.cause != SUPERSEDED and row.message_id == message.id:
                row.delivery = "unknown" if lost else None
                cause = FailureCause.RETRIES_EXHAUSTED if sent.cause == EXHAUSTED else FailureCause.TRANSPORT
                dossier.broken(row, cause, Level.TRANSPORT)
        case "unknown" if sent.attempts > len(SEND_AGAIN):
            message.state, message.finished_at, message.cause = OutState.UNKNOWN, unit.now, sent.cause
            if row:
                row.delivery = "unknown"
                row.meets(Signal.TAKEN)
        case _:
            message.cause = sent.cause
            return
    MESSAGES.labels(message.partner, message.document, "out", message.state.lower()).inc()


def _renew(unit: Unit, dossier: Dossier | None, row: Row, cause: str) -> None:
    """The same fact in a message of its own: at once, or by the plan where nobody knows what became of the last one."""
    if dossier is None:
        return
    if cause == LOST_UNDER_ITS_ID and row.tries >= len(SEND_AGAIN):
        row.delivery = "unknown"
        dossier.broken(row, FailureCause.RETRIES_EXHAUSTED, Level.TRANSPORT)
        return
    wait = SEND_AGAIN[row.tries] if cause == LOST_UNDER_ITS_ID else timedelta(0)
    row.tries += cause == LOST_UNDER_ITS_ID
    unit.later(RESEND, str(row.row_id), unit.now + wait, case_id=str(dossier.case_id))


def _await_receipt(unit: Unit, dossier: Dossier, row: Row, message: OutboundMessage) -> None:
    """An interchange is answered by a receipt within its time; without one a person must know before it is too late."""
    if message.dialect == edifact.NAME and row.state is RowState.SENT and row.message_id == message.id:
        type_ = "UTILMD" if row.document in MASTER_DATA else "IFTSTA"
        until = aperak_due(type_, unit.now) + ACK_GRACE
        unit.later(ACK_DUE, str(row.row_id), until, case_id=str(dossier.case_id))


def miss_receipt(timer: Timer, unit: Unit) -> None:
    """No receipt came in time (M-CLK-8). Nothing is sent again by itself; one that comes later counts.

    While versions change over, late receipts are no alarm: a day later they are.
    """
    dossier = unit.get(Dossier, timer.payload["case_id"])
    row = dossier.row(timer.key)
    waits = row is not None and row.state in {RowState.SENT, RowState.ACKED} and row.taken != row.numbers
    if waits and in_changeover(unit.now.astimezone(MARKET)):
        unit.later(ACK_DUE, timer.key, unit.now + timedelta(days=1), case_id=timer.payload["case_id"])
    elif row and waits:
        dossier.broken(row, FailureCause.ACK_MISSING, Level.PROCESSABILITY, final=False)


def _taken(unit: Unit, desk: Desk, dossier: Dossier, row: Row) -> None:
    """The transport took it; where nobody answers this is acceptance, where silence agrees its time begins."""
    if row.state is RowState.SUPERSEDED:
        return
    dossier.sent(row)
    if row.settled_by(Accept.TRANSPORT):
        dossier.accepted(row)
        return
    rule, profile = MATRIX.get((row.fact, row.role)), desk.partners.find(row.recipient)
    if rule and rule.silence_agrees and profile and row.fact in profile.deadlines.silence_accepts:
        until = end_of_wait(unit.now, profile.deadlines.silence_working_days)
        unit.later(SILENCE, str(row.row_id), until, case_id=str(dossier.case_id))
