"""An answer of a partner moves the row that it belongs to: accepted, refused, broken, or nothing new."""

from collections.abc import Iterator
from urllib.parse import unquote
from uuid import UUID

from contracts.codes import FailureCause, HubReason, Level, MasterDataOrigin, PartnerStatus
from contracts.ids import order_key
from contracts.orders import MasterDataReceived, OrderAmended
from contracts.parts import Change, Days, HandoverReason
from kit.store import Ref, Unit
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.items import Decoded
from services.mdm_adapter.dialects.reading import answer_about, names_order
from services.mdm_adapter.documents.answer import Answer, ItemState, Reason
from services.mdm_adapter.documents.corrected import Corrected
from services.mdm_adapter.documents.matrix import Accept, DocumentKind
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
from services.mdm_adapter.domain.orders import Order
from services.mdm_adapter.domain.policy import SEND_AGAIN
from services.mdm_adapter.handing_over import RESEND, needs_of_case, release_held
from services.mdm_adapter.linking import link_document
from services.mdm_adapter.metrics import REJECTIONS, UNMAPPED
from services.mdm_adapter.partners.profile import Profile

STATUS = {
    HubReason.ON_HOLD: PartnerStatus.ON_HOLD,
    HubReason.RELEASED: PartnerStatus.RELEASED,
    HubReason.RESCHEDULED: PartnerStatus.RESCHEDULED,
}
PASSING = frozenset({HubReason.BUSY, HubReason.TIMEOUT})
SYNTAX = frozenset({codes.UNREADABLE, codes.VERSION})
Meant = list[tuple[Reason, HubReason]]
"""Reasons as they were given, and what each means to the hub."""


def needs_of_answer(message: InboundMessage, decoded: Decoded, unit: Unit) -> Iterator[Ref]:
    """The case that an answer belongs to, and the orders that it names: these first, as rounds of loading are few."""
    yield from ((Order, key) for key in _keys(message, decoded))
    if decoded.correlation_id:
        name = by_correlation(message.partner, decoded.correlation_id)
        yield Correlation, name
        if found := unit.find(Correlation, name):
            yield from needs_of_case(str(found.case_id), unit)
    elif message.in_reply_to:
        yield OutboundMessage, str(message.in_reply_to)
        if (sent := unit.find(OutboundMessage, str(message.in_reply_to))) and sent.case_id:
            yield from needs_of_case(str(sent.case_id), unit)
    for key in _keys(message, decoded):
        yield Order, key
        if (order := unit.find(Order, key)) and order.case_id:
            yield Dossier, str(order.case_id)


def _keys(message: InboundMessage, decoded: Decoded) -> Iterator[str]:
    """Orders of this partner that an answer names; a number that makes no key is nobody's."""
    for number in decoded.orders:
        try:
            yield order_key(message.partner, number)
        except ValueError:
            continue


def take_answer(unit: Unit, desk: Desk, message: InboundMessage, profile: Profile, decoded: Decoded) -> bool:
    """Apply an answer; False where it belongs to nothing that this partner was sent, and is no status of an order."""
    found = _row_of(unit, message, decoded)
    if found is None:
        return _take_status(unit, desk, message, profile, decoded)
    dossier, row = found
    link_document(unit, message, row)
    order_no = unquote(row.order_key.partition(":")[2])
    answer = answer_about(decoded, order_no)
    _worked_on(message, order_no, answer.items[0].state)
    hear(unit, desk, profile, dossier, row, answer, names_it=names_order(decoded, order_no))
    release_held(unit, desk, dossier)
    return True


def hear(
    unit: Unit, desk: Desk, profile: Profile, dossier: Dossier, row: Row, answer: Answer, *, names_it: bool = True
) -> None:
    """What a partner says about one document moves its row. `names_it`: the answer names this very order."""
    state = answer.items[0].state
    if row.state is RowState.SUPERSEDED:
        unit.anomaly("answer_late", f"case/{dossier.case_id}", row=str(row.row_id), answer=state.value)
    elif state is ItemState.REFUSED:
        _refused(unit, desk, profile, dossier, row, answer, names_it)
    elif state is ItemState.UNKNOWN:
        unit.anomaly("answer_unknown", f"case/{dossier.case_id}", row=str(row.row_id))
    elif state is ItemState.RECEIVED:
        dossier.answered(row, Accept.RECEIVED, Level.TRANSPORT)
    elif answer.level is Level.PROCESSABILITY:
        dossier.answered(row, Accept.PROCESSABILITY, Level.PROCESSABILITY)
    else:
        dossier.answered(row, Accept.BUSINESS, Level.BUSINESS)


def take_correction(unit: Unit, desk: Desk, message: InboundMessage, profile: Profile, decoded: Decoded) -> bool:
    """Tell the corrected data; the document that they answer is accepted. False where nobody knows what is meant."""
    found, corrected = _row_of(unit, message, decoded), decoded.corrected
    if corrected is None:
        return False
    order = next((each for key in _keys(message, decoded) if (each := unit.find(Order, key))), None)
    if found is not None:
        dossier, row = found
        link_document(unit, message, row)
        key = row.order_key
        dossier.answered(row, Accept.BUSINESS, Level.BUSINESS)
    else:
        known = unit.find(Dossier, str(order.case_id)) if order and order.case_id else None
        if order is None or known is None:
            return False
        dossier, key = known, order.order_key
    if not tell_correction(unit, profile, dossier, key, corrected):
        return False
    _worked_on(message, corrected.order_no, "corrected")
    release_held(unit, desk, dossier)
    return True


def tell_correction(unit: Unit, profile: Profile, dossier: Dossier, key: str, corrected: Corrected) -> bool:
    """Somebody sees master data otherwise than we told them; False where the point is not known."""
    if dossier.metering_point_id is None:
        return False
    origin = MasterDataOrigin.MARKET_FEEDBACK if profile.contract == "market" else MasterDataOrigin.PARTNER
    changed = {each.field: Change(**each.model_dump(include={"old", "new"})) for each in corrected.changes}
    unit.tell(
        MasterDataReceived(
            order_key=key,
            metering_point_id=dossier.metering_point_id,
            version=corrected.order_version if origin is MasterDataOrigin.PARTNER else None,
            origin=origin,
            changed=changed,
        )
    )
    return True


def _worked_on(message: InboundMessage, order_no: str, result: str) -> None:
    message.state = InState.PROCESSED
    message.results = (ItemResult(order_no=order_no[:80], result=str(result)),)


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


def _take_status(unit: Unit, desk: Desk, message: InboundMessage, profile: Profile, decoded: Decoded) -> bool:
    """Before it was sent anything, a partner may tell how its own side of an order stands."""
    order = next((each for key in _keys(message, decoded) if (each := unit.find(Order, key))), None)
    if order is None or order.content is None or decoded.correlation_id:
        return False
    answer = answer_about(decoded, order.order_no)
    reasons = [reason for _, reason in _meanings(unit, desk, profile, answer, None)]
    if not reasons or not all(reason in STATUS for reason in reasons):
        return False
    _tell_status(unit, order.case_id, order.order_key, profile, STATUS[reasons[0]], answer)
    _worked_on(message, order.order_no, reasons[0].lower())
    return True


def _meanings(unit: Unit, desk: Desk, profile: Profile, answer: Answer, row: Row | None) -> Meant:
    """What the given reasons mean, by the partner's own map; what nobody knows is OTHER, and counted."""
    partner, meant = desk.partners.codes(profile.id), list[tuple[Reason, HubReason]]()
    for reason in answer.items[0].reasons:
        fact = row.fact if row else None
        found = partner.reason(reason.code, reason.list, fact, unit.now.date(), reason.hub_reason)
        if found is None:
            UNMAPPED.labels(profile.id).inc()
        meant.append((reason, found or HubReason.OTHER))
    return meant


def _refused(
    unit: Unit, desk: Desk, profile: Profile, dossier: Dossier, row: Row, answer: Answer, names_it: bool
) -> None:
    """The level decides where it says technical, else the reasons: status only, technical, or the work itself."""
    meant = _meanings(unit, desk, profile, answer, row)
    if status := [STATUS[reason] for _, reason in meant if reason in STATUS]:
        _tell_status(unit, dossier.case_id, row.order_key, profile, status[0], answer)
        return
    was_used = bool(meant) and all(means is HubReason.DUPLICATE for _, means in meant)
    if was_used and profile.retry.profile == "used_means_received":
        dossier.answered(row, Accept.RECEIVED, Level.TRANSPORT)
        return
    if names_it and _is_repetition(dossier, row, meant):
        dossier.accepted(row)
        return
    business = [reason for _, reason in meant if not reason.technical]
    if not business or answer.level is not Level.BUSINESS:
        row.reasons = answer.items[0].reasons
        _broken(unit, dossier, row, meant[0], answer.level)
        return
    told = tuple(
        HandoverReason(
            hub_reason=HubReason.OTHER if means is HubReason.DUPLICATE else means, code=said.code, list=said.list
        )
        for said, means in meant
    )
    authority = answer.authority or profile.authority
    dossier.refused(row, told, answer.items[0].reasons, authority=authority, window=_window(answer))
    for reason in business:
        REJECTIONS.labels(profile.id, reason).inc()


def _window(answer: Answer) -> Days | None:
    """The days that are offered instead; open on one side: one day."""
    start = answer.window_from or answer.window_to or answer.fixed_on
    return Days(from_=start, to=answer.window_to or start) if start else None


def _tell_status(
    unit: Unit, case_id: UUID | None, key: str, profile: Profile, status: PartnerStatus, answer: Answer
) -> None:
    unit.tell(
        OrderAmended(
            order_key=key,
            partner=profile.id,
            received_at=unit.now,
            partner_status=status,
            window=_window(answer),
        )
    )
    unit.audit("order:status", f"case/{case_id}" if case_id else f"order/{key}", status=status.value)


def _is_repetition(dossier: Dossier, row: Row, meant: Meant) -> bool:
    """The partner has these very words already, and says so: then it has them."""
    declined = all(said.code == codes.DECLINED or means is HubReason.DUPLICATE for said, means in meant)
    return bool(meant) and declined and (row.build > 1 or any(each.was_sent for each in dossier.earlier(row)))


def _broken(unit: Unit, dossier: Dossier, row: Row, first: tuple[Reason, HubReason], level: Level) -> None:
    """Technical: what may pass is sent again by the plan, everything else by a person.

    A receipt that says no (level processability) leaves the document with people here: they correct and resend it.
    """
    said, reason = first
    cause = FailureCause(reason.value) if reason.technical else FailureCause.SCHEMA
    receipt = level is not Level.BUSINESS
    if not receipt:
        level = Level.SYNTAX if said.code in SYNTAX else Level.PROCESSABILITY
    if _comes_too_soon(row, reason):
        _again(unit, dossier, row, cause, level)
    elif reason not in PASSING:
        dossier.broken(row, cause, level, final=not receipt, hub_reason=None if reason.technical else reason)
    elif row.tries < len(SEND_AGAIN):
        _again(unit, dossier, row, cause, level)
    else:
        dossier.broken(row, FailureCause.RETRIES_EXHAUSTED, level)


def _comes_too_soon(row: Row, reason: HubReason) -> bool:
    """Readings of a device that the recipient does not know yet are sent once more by themselves (H2)."""
    return reason is HubReason.UNKNOWN_DEVICE and row.document == DocumentKind.METER_READINGS and row.tries == 0


def _again(unit: Unit, dossier: Dossier, row: Row, cause: FailureCause, level: Level) -> None:
    again = unit.now + SEND_AGAIN[row.tries]
    dossier.broken(row, cause, level, final=False, next_try_at=again)
    unit.later(RESEND, str(row.row_id), again, case_id=str(dossier.case_id))
