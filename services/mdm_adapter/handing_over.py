"""A fact of a case is handed over: rows are opened, documents built, checked and sent, or held with a reason."""

from collections.abc import Iterable, Iterator

from contracts.cases import HandoverRequested
from contracts.codes import AnnouncedPlan, Fact, FailureCause, Level
from kit.store import Ref, Unit
from services.mdm_adapter import answering, market_writing
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects import writing
from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.edifact_fv.market_sending import CodeRefused, MissingFact
from services.mdm_adapter.dialects.edifact_fv.writing import Unencodable
from services.mdm_adapter.documents.answer import Answer
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.matrix import Accept, DocumentKind, Role
from services.mdm_adapter.domain.calendar import local_day
from services.mdm_adapter.domain.clocks import earliest_announced
from services.mdm_adapter.domain.dossier import Dossier
from services.mdm_adapter.domain.handover import Handover, Row, RowState
from services.mdm_adapter.domain.messages import (
    CHAIN,
    ArchiveHead,
    Correlation,
    InboundMessage,
    OutboundMessage,
    by_correlation,
)
from services.mdm_adapter.domain.orders import Order
from services.mdm_adapter.domain.points import Point
from services.mdm_adapter.domain.recipients import Known, Recipient, recipients
from services.mdm_adapter.domain.reports import Missing, Report, business_key, payload_hash, report
from services.mdm_adapter.filling import master_data_of
from services.mdm_adapter.partners.profile import Profile

FACT_MISSING = "fact_missing"
"""Kind of the timer that ends the wait of a held row; its key is the row."""
ACK_DUE = "ack_due"
"""Kind of the timer that ends the wait for a receipt; its key is the row."""
RESEND = "resend"
"""Kind of the timer that sends a document again, for whatever reason; its key is the row."""
TOLD_READINGS = frozenset({Role.NB, Role.LF})
"""Who is told readings (edifact page, 11: readings.receivers)."""
NOBODY = "nobody"


def needs_rows(case_id: str, order_keys: Iterable[str], unit: Unit) -> Iterator[Ref]:
    """What building documents of a case may touch: case, its orders, the messages they are answered in, the chain."""
    yield Dossier, case_id
    yield ArchiveHead, CHAIN
    dossier = unit.find(Dossier, case_id)
    if dossier and dossier.metering_point_id:
        yield Point, dossier.metering_point_id
    keys = sorted({*order_keys, *(dossier.orders if dossier else ()), *_keys_of_rows(dossier)})
    for key in keys:
        yield Order, key
    for key in keys:
        order = unit.find(Order, key)
        if order and order.cancel_message_id:
            yield InboundMessage, str(order.cancel_message_id)


def needs_of_case(case_id: str, unit: Unit) -> Iterator[Ref]:
    """The case; with its orders, if documents wait that an answer may let leave."""
    yield Dossier, case_id
    dossier = unit.find(Dossier, case_id)
    if dossier and any(row.held for row in dossier.rows):
        yield from needs_rows(case_id, [], unit)


def _keys_of_rows(dossier: Dossier | None) -> Iterator[str]:
    """Orders of rows that may still be built: a reference may have left the case meanwhile."""
    for row in dossier.rows if dossier else ():
        if row.open and row.recipient != NOBODY:
            yield row.order_key


def hand_over(unit: Unit, desk: Desk, dossier: Dossier, fact: HandoverRequested) -> None:
    """Open the attempt with its rows, and send what can be sent."""
    handover = dossier.request(fact, unit.now)
    if handover is None:
        if fact.attempt < dossier.newest(fact.fact):
            unit.anomaly("handover_stale", f"case/{dossier.case_id}", fact=fact.fact.value, attempt=fact.attempt)
        return
    told = _recipients(unit, desk, dossier, handover)
    rows = [_row(unit, handover, each, document) for each in told for document in _documents(unit, desk, dossier, each)]
    for row in rows:
        dossier.add_row(row)
    for row in rows:
        dispatch(unit, desk, dossier, row)
    if told:
        if not rows:  # nobody who has to be told has words for it
            dossier.accept_without_rows(handover)
        return
    if handover.fact is Fact.EXCHANGE_COMPLETED:
        nobody = Recipient(NOBODY, Role.ORDERING, NOBODY, DocumentKind.DEVICE_EXCHANGE_COMPLETED, Accept.BUSINESS)
        row = _row(unit, handover, nobody, nobody.document)
        dossier.add_row(row)
        dossier.broken(row, FailureCause.NO_RECIPIENT, Level.TRANSPORT)
    else:
        dossier.accept_without_rows(handover)


def _recipients(unit: Unit, desk: Desk, dossier: Dossier, handover: Handover) -> list[Recipient]:
    """Who must hear of it, on the day of the fact: that of the visit, the planned one, or today."""
    keys = [*dossier.orders, *([handover.order_key] if handover.order_key else [])]
    orders = {key: order for key in keys if (order := unit.find(Order, key))}
    visit = dossier.visit(handover.visit_id)
    day = local_day(visit.finished_at) if visit else handover.planned_on or local_day(unit.now)
    point = master_data_of(unit, dossier.metering_point_id or "", day)
    known = Known(orders, desk.partners.find, desk.partners.called, point.content())
    return recipients(dossier, handover, known, day)


def _documents(unit: Unit, desk: Desk, dossier: Dossier, recipient: Recipient) -> tuple[DocumentKind, ...]:
    """One document, or two: an exchange as removal and installation, or in the market devices and their readings."""
    kind, profile = recipient.document, _profile(unit, desk, recipient.partner)
    if profile is None:
        return (kind,)
    if not writing.is_market(profile, local_day(unit.now)):
        splits = profile.options.removal_first and kind is DocumentKind.DEVICE_EXCHANGE_COMPLETED
        return (DocumentKind.DEVICE_REMOVED, DocumentKind.DEVICE_INSTALLED) if splits else (kind,)
    has_readings = recipient.role in TOLD_READINGS or profile.role in {each.value.upper() for each in TOLD_READINGS}
    match kind:
        case DocumentKind.CANCELLATION_ANSWER:
            return ()  # no interchange says so
        case DocumentKind.DEVICE_EXCHANGE_COMPLETED if has_readings:
            return (kind, DocumentKind.METER_READINGS)
        case DocumentKind.VALUES_WITHDRAWN if any(dossier.readings_sent(recipient.partner)):
            return (DocumentKind.READINGS_WITHDRAWN, kind)
    return (kind,)


def _row(unit: Unit, handover: Handover, recipient: Recipient, document: DocumentKind) -> Row:
    return Row(
        row_id=unit.new_id(),
        fact=handover.fact,
        attempt=handover.attempt,
        work_order_id=handover.work_order_id,
        order_key=recipient.order_key,
        recipient=recipient.partner,
        role=recipient.role,
        accept=recipient.accept,
        document=document.value,
    )


def dispatch(unit: Unit, desk: Desk, dossier: Dossier, row: Row) -> None:
    """Build the document of a queued row, check it and have it sent; a missing fact holds it for a while."""
    known_as = row.recipient
    profile = _recipient(unit, desk, row)
    order = unit.find(Order, row.order_key) if row.recipient != NOBODY else None
    if profile is None or order is None or desk.way_out(profile) is None:
        dossier.broken(row, FailureCause.NO_RECIPIENT, Level.TRANSPORT)
        return
    handover = dossier.handover(row.fact, row.attempt)
    if known_as != profile.id:  # it was known by its code alone: now it is told all that it must be
        _add_missing(unit, desk, dossier, row, handover)
    if wait := dossier.must_wait(row) or _announced_late(unit, profile, handover, row):
        row.held = wait
        return
    document = report(dossier, handover, row, order)
    if isinstance(document, Missing):
        _hold(unit, desk, dossier, row, document)
        return
    if isinstance(document, DeviceExchangeCompleted) and not (document.installed or document.removed):
        row.held = None
        dossier.nothing_to_tell(row)
        return
    row.held, row.payload_hash = None, payload_hash(document)
    row.business_key = business_key(row, dossier, document)
    unit.never(FACT_MISSING, str(row.row_id))
    if dossier.carried_over(row):
        return
    dialect = writing.dialect_for(profile, document, local_day(unit.now))
    if dialect is None:  # nothing that is agreed with the partner has words for it
        dossier.broken(row, FailureCause.NO_RECIPIENT, Level.TRANSPORT)
    elif dialect == edifact.NAME:
        _send_interchange(unit, desk, profile, dossier, row, order, document)
    elif isinstance(document, Answer):
        _send_answer(unit, desk, profile, dossier, row, order, document, dialect)
    else:
        _send(unit, desk, profile, dossier, row, document, dialect)


def _add_missing(unit: Unit, desk: Desk, dossier: Dossier, row: Row, handover: Handover) -> None:
    told = Recipient(row.recipient, row.role, row.order_key, DocumentKind(row.document), row.accept)
    there = {each.document for each in dossier.rows_of(handover) if each.recipient == row.recipient}
    for document in _documents(unit, desk, dossier, told):
        if document not in there:
            more = _row(unit, handover, told, document)
            dossier.add_row(more)
            dispatch(unit, desk, dossier, more)


def _recipient(unit: Unit, desk: Desk, row: Row) -> Profile | None:
    """The profile of a recipient; a party that was known by its code alone may have got one meanwhile."""
    profile = _profile(unit, desk, row.recipient)
    if profile is not None:
        row.recipient = profile.id
    return profile


def _profile(unit: Unit, desk: Desk, partner: str) -> Profile | None:
    return desk.partners.find(partner) or desk.partners.called(partner, local_day(unit.now))


def _announced_late(unit: Unit, profile: Profile, handover: Handover, row: Row) -> str | None:
    """Work that the market hears of too late for its day is held, with the first day that would do (H7)."""
    if row.document != DocumentKind.WORK_ANNOUNCED or not writing.is_market(profile, local_day(unit.now)):
        return None
    plan = handover.plan or AnnouncedPlan.IMS
    planned = handover.planned_on if plan is AnnouncedPlan.IMS else handover.window_from
    first = earliest_announced(local_day(unit.now), competing=row.role is Role.WMSB)
    if planned is None or planned >= first:
        return None
    return f"M-DL-01: told too late for {planned}, the first day would be {first}"


def _hold(unit: Unit, desk: Desk, dossier: Dossier, row: Row, missing: Missing) -> None:
    if row.held is None:
        unit.later(FACT_MISSING, str(row.row_id), unit.now + desk.fact_wait, case_id=str(dossier.case_id))
    row.held = f"FACT_MISSING: {', '.join(missing.facts)}"[:200]


def _send_answer(
    unit: Unit, desk: Desk, profile: Profile, dossier: Dossier, row: Row, order: Order, document: Answer, dialect: str
) -> None:
    """The answer to a cancellation, in the dialect of the message that asked; it stands there for copies as well."""
    asked = unit.find(InboundMessage, str(order.cancel_message_id)) if order.cancel_message_id else None
    if asked is not None:
        asked.answered(document, unit.now)
        if asked.dialect and writing.answers(asked.dialect):
            dialect = asked.dialect
    _send(unit, desk, profile, dossier, row, document, dialect, correlation_id=order.cancel_correlation_id)


def _send(
    unit: Unit,
    desk: Desk,
    profile: Profile,
    dossier: Dossier,
    row: Row,
    document: Report,
    dialect: str,
    *,
    correlation_id: str | None = None,
) -> None:
    message = answering.outbound(unit, profile, row.document, dialect, correlation_id)
    message.case_id, message.row_id = dossier.case_id, row.row_id
    content = writing.encode(dialect, document, answering.sending(unit, desk, profile, message))
    row.build += 1
    row.message_id = message.id
    if faults := writing.own_faults(dialect, content):
        unit.anomaly("own_output_invalid", f"case/{dossier.case_id}", document=row.document, place=faults[0][:200])
        dossier.broken(row, FailureCause.OWN_OUTPUT_INVALID, Level.SYNTAX)
        return
    _remember(unit, profile, message, dossier, row)
    answering.post(unit, desk, profile, message, content, lane=_lane(dossier, row))


def _send_interchange(
    unit: Unit, desk: Desk, profile: Profile, dossier: Dossier, row: Row, order: Order, document: Report
) -> None:
    """A fact that the market wants to know holds the document; a code that does not hold any more stops it."""
    message = answering.outbound(unit, profile, row.document, edifact.NAME)
    message.case_id, message.row_id = dossier.case_id, row.row_id
    try:
        content, numbers = market_writing.written(unit, desk, profile, dossier, row, order, document, message)
    except MissingFact as missing:
        _hold(unit, desk, dossier, row, Missing((missing.field,)))
        return
    except (CodeRefused, Unencodable) as refused:
        unit.anomaly("not_written", f"case/{dossier.case_id}", document=row.document, why=str(refused)[:200])
        dossier.broken(row, FailureCause.OWN_OUTPUT_INVALID, Level.SYNTAX)
        return
    row.build += 1
    row.message_id, row.numbers, row.taken = message.id, numbers, ()
    if faults := edifact.own_faults(content, unit.now, to_supplier=row.role is Role.LF):
        unit.anomaly("own_output_invalid", f"case/{dossier.case_id}", document=row.document, place=faults[0][:200])
        dossier.broken(row, FailureCause.OWN_OUTPUT_INVALID, Level.SYNTAX)
        return
    for reference in edifact.keys_of(content):
        name = by_correlation(profile.id, market_writing.key_of(reference))
        unit.add(Correlation(name=name, case_id=dossier.case_id, row_id=row.row_id, message_id=message.id))
    answering.post(unit, desk, profile, message, content, lane=_lane(dossier, row))


def _lane(dossier: Dossier, row: Row) -> str:
    """To one recipient all that is told about a point leaves in the order in which it was decided (H1)."""
    return dossier.metering_point_id or row.order_key


def _remember(unit: Unit, profile: Profile, message: OutboundMessage, dossier: Dossier, row: Row) -> None:
    """An answer names the message by its id; one that names what an answer of ours echoed means nothing to us."""
    name = by_correlation(profile.id, str(message.id))
    unit.add(Correlation(name=name, case_id=dossier.case_id, row_id=row.row_id, message_id=message.id))


def release_held(unit: Unit, desk: Desk, dossier: Dossier) -> None:
    """A fact has come: rows that waited are built again."""
    for row in dossier.rows:
        if row.state is RowState.QUEUED and row.held:
            dispatch(unit, desk, dossier, row)
