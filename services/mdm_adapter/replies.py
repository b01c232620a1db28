"""An answer of a partner moves the row that it belongs to: accepted, refused, broken, or nothing new."""

from urllib.parse import unquote

from contracts.codes import FailureCause, HubReason, Level, PartnerStatus
from contracts.orders import OrderAmended
from contracts.parts import HandoverReason
from kit.store import Unit
from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.cim_xml.replies import names_own, read_answer
from services.mdm_adapter.dialects.items import Decoded
from services.mdm_adapter.dialects.reply import Reply
from services.mdm_adapter.documents.answer import ItemAnswer, ItemState
from services.mdm_adapter.domain.dossier import Dossier
from services.mdm_adapter.domain.handover import Row, RowState
from services.mdm_adapter.domain.messages import (
    Correlation,
    InboundMessage,
    InState,
    ItemResult,
    OutboundMessage,
    by_correlation,
)
from services.mdm_adapter.domain.policy import SEND_AGAIN
from services.mdm_adapter.metrics import REJECTIONS, UNMAPPED
from services.mdm_adapter.partners.profile import Profile

RESEND = "resend"
"""Kind of the timer that sends a document again after a passing refusal; its key is the row."""
STATUS = {
    HubReason.ON_HOLD: PartnerStatus.ON_HOLD,
    HubReason.RELEASED: PartnerStatus.RELEASED,
    HubReason.RESCHEDULED: PartnerStatus.RESCHEDULED,
}
PASSING = frozenset({HubReason.BUSY, HubReason.TIMEOUT})
SYNTAX = frozenset({codes.UNREADABLE, codes.VERSION})


def take_answer(unit: Unit, message: InboundMessage, profile: Profile, decoded: Decoded) -> bool:
    """Apply an answer; False where it belongs to nothing that this partner was sent."""
    found = _row_of(unit, message, decoded)
    if found is None or decoded.reply is None:
        return False
    dossier, row = found
    order_no = unquote(row.order_key.partition(":")[2])
    (item,) = read_answer(decoded.reply, [order_no]).items
    message.state = InState.PROCESSED
    message.results = (ItemResult(order_no=order_no[:80], result=item.state.value),)
    if row.state is RowState.SUPERSEDED:
        unit.anomaly("answer_late", f"case/{dossier.case_id}", row=str(row.row_id), answer=item.state.value)
        return True
    _apply(unit, profile, dossier, row, item, decoded.reply)
    return True


def _row_of(unit: Unit, message: InboundMessage, decoded: Decoded) -> tuple[Dossier, Row] | None:
    """The row that an answer means: by its correlation id, else by the exchange it came in."""
    if decoded.correlation_id:
        correlation = unit.find(Correlation, by_correlation(message.partner, decoded.correlation_id))
        case_id, row_id = (correlation.case_id, correlation.row_id) if correlation else (None, None)
    elif message.in_reply_to:
        sent = unit.find(OutboundMessage, str(message.in_reply_to))
        case_id, row_id = (sent.case_id, sent.row_id) if sent else (None, None)
    else:
        return None
    dossier = unit.find(Dossier, str(case_id)) if case_id and row_id else None
    row = dossier.row(row_id) if dossier and row_id else None
    return (dossier, row) if dossier and row else None


def _apply(unit: Unit, profile: Profile, dossier: Dossier, row: Row, item: ItemAnswer, reply: Reply) -> None:
    match item.state:
        case ItemState.RECEIVED:
            dossier.received(row, Level.TRANSPORT)
            if profile.accept == "received":
                dossier.accepted(row)
        case ItemState.ACCEPTED:
            dossier.accepted(row)
        case ItemState.UNKNOWN:
            unit.anomaly("answer_unknown", f"case/{dossier.case_id}", row=str(row.row_id))
        case ItemState.REFUSED:
            _refused(unit, profile, dossier, row, item, reply)


def _refused(unit: Unit, profile: Profile, dossier: Dossier, row: Row, item: ItemAnswer, reply: Reply) -> None:
    """The normalised reasons decide: status only, technical, or a refusal of the work itself."""
    reasons = [(reason.code, codes.hub_reason(reason.code)) for reason in item.reasons]
    for code, _ in reasons:
        if code not in codes.HUB_REASON:
            UNMAPPED.labels(profile.id).inc()
    if status := [STATUS[reason] for _, reason in reasons if reason in STATUS]:
        _tell_status(unit, dossier, row, profile, status[0])
        return
    if _is_repetition(dossier, row, reasons, reply, item.item):
        dossier.accepted(row)
        return
    business = [(code, reason) for code, reason in reasons if not reason.technical]
    if business:
        told = tuple(HandoverReason(hub_reason=reason, code=code) for code, reason in reasons)
        dossier.refused(row, told, item.reasons, Level.BUSINESS)
        for _, reason in business:
            REJECTIONS.labels(profile.id, reason).inc()
    else:
        row.reasons = item.reasons
        _broken(unit, dossier, row, reasons[0][0], reasons[0][1])


def _tell_status(unit: Unit, dossier: Dossier, row: Row, profile: Profile, status: PartnerStatus) -> None:
    unit.tell(OrderAmended(order_key=row.order_key, partner=profile.id, received_at=unit.now, partner_status=status))
    unit.audit("order:status", f"case/{dossier.case_id}", status=status.value)


def _is_repetition(
    dossier: Dossier, row: Row, reasons: list[tuple[str, HubReason]], reply: Reply, order_no: str
) -> bool:
    """The partner has these very words already, and says so: then it has them."""
    said = all(code == codes.DECLINED for code, _ in reasons) and names_own(reply, order_no)
    return said and (row.build > 1 or any(each.was_sent for each in dossier.earlier(row)))


def _broken(unit: Unit, dossier: Dossier, row: Row, code: str, reason: HubReason) -> None:
    """Technical: what may pass is sent again by the plan, everything else by a person."""
    level = Level.SYNTAX if code in SYNTAX else Level.PROCESSABILITY
    if reason not in PASSING:
        dossier.broken(row, FailureCause(reason.value), level)
    elif row.tries < len(SEND_AGAIN):
        again = unit.now + SEND_AGAIN[row.tries]
        dossier.broken(row, FailureCause(reason.value), level, final=False, next_try_at=again)
        unit.later(RESEND, str(row.row_id), again, case_id=str(dossier.case_id))
    else:
        dossier.broken(row, FailureCause.RETRIES_EXHAUSTED, level)
