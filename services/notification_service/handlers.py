"""What notification_service hears: one small function per event."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from contracts.cases import (
    CaseAbandoned,
    CaseCancelled,
    CaseCompleted,
    CaseOpened,
    CasePurged,
    CaseReopened,
    HandoverRequested,
    WorkOrderMoved,
    WorkOrderOpened,
)
from contracts.codes import PurgeScope, State
from contracts.contacts import ContactRecorded
from kit.handlers import Handlers, Received
from kit.store import Ref, Unit
from services.notification_service import alerting, appointing, metrics, printing, replying, sending
from services.notification_service.acts import case_of, make, stop_waiting, to_send, try_waiting
from services.notification_service.domain import rules
from services.notification_service.domain.correspondence import Contact, Correspondence, WorkOrder
from services.notification_service.domain.desk import OFFER_BY_LETTER, Desk
from services.notification_service.domain.inbound import Inbound, Reply, StaffContact
from services.notification_service.domain.lines import Line
from services.notification_service.domain.notices import Notice, Subject

VOIDING = frozenset({"T15", "T17", "T29", "T30", "T31", "T32"})
"""Moves that end an offer: its codes are void."""

ANNOUNCED_ONCE_IN = timedelta(days=30)

STOPPING = "T29"
"""The partner withdrew: what waits for this customer stays unsent."""


def hear(desk: Desk) -> Handlers:
    """The table of all that is heard, due and answered."""
    handlers = Handlers(main=Correspondence)
    _hear_cases(handlers, desk)
    _hear_announcements(handlers, desk)
    _hear_ends(handlers)
    _hear_contacts(handlers, desk)
    appointing.register(handlers, desk)
    sending.register(handlers, desk)
    printing.register(handlers, desk)
    alerting.register(handlers, desk)
    replying.register(handlers, desk)
    return handlers


def _hear_cases(handlers: Handlers, desk: Desk) -> None:
    @handlers.on(CaseOpened, needs=to_send)
    def know_operator(received: Received[CaseOpened], unit: Unit) -> None:
        """Whose texts these are; what waited for it goes on."""
        case = case_of(unit, received.event.case_id)
        case.operator = received.event.operator
        try_waiting(unit, desk, case)

    @handlers.on(WorkOrderOpened)
    def know_work_order(received: Received[WorkOrderOpened], unit: Unit) -> None:
        event, case = received.event, case_of(unit, received.event.case_id)
        if all(each.work_order_id != event.work_order_id for each in case.work_orders):
            case.work_orders.append(WorkOrder(work_order_id=event.work_order_id, state=event.state))

    @handlers.on(WorkOrderMoved, needs=_to_stop)
    def follow_work_order(received: Received[WorkOrderMoved], unit: Unit) -> None:
        """Where the work order stands; offers end with some moves, and a cancellation stops what waits (T29)."""
        event, case = received.event, case_of(unit, received.event.case_id)
        if not _moved(case, event):
            return
        if event.move in VOIDING:
            case.withdraw_offers(event.work_order_id, event.attempt)
            printing.pull(unit, case, lambda notice: _carries_offer(notice, event))
        if event.move == STOPPING:
            stop_waiting(unit, case, "cancelled", lasting=False)
            printing.pull(unit, case, lambda _: True)
        for rule in rules.fitting(event):
            key = f"{rule.rule_id}:{event.work_order_id}:v{event.version}:o{event.attempt}:{rule.audience}"
            about = Subject(
                work_order_id=event.work_order_id,
                appointment_id=event.appointment_id,
                revision=event.revision,
                attempt=event.attempt,
                recipient_id=event.responsible,
            )
            make(unit, desk, case, rule, key, about)


def _hear_announcements(handlers: Handlers, desk: Desk) -> None:
    @handlers.on(HandoverRequested, needs=to_send)
    def announce(received: Received[HandoverRequested], unit: Unit) -> None:
        """The law wants the customer to know three months ahead: by letter (N08), not twice in 30 days (D-NOT-5)."""
        event, case = received.event, case_of(unit, received.event.case_id)
        for rule in rules.fitting(event):
            key = f"{rule.rule_id}:{event.case_id}:a{event.attempt}:{rule.audience}"
            about = Subject(work_order_id=event.work_order_id)
            if not case.was_announced(rule.rule_id, unit.now - ANNOUNCED_ONCE_IN):
                make(unit, desk, case, rule, key, about)
            elif (notice := sending.plan(unit, case, rule, key, about)) is not None:
                notice.suppress("told_recently", unit.now)


def _hear_ends(handlers: Handlers) -> None:
    @handlers.on(CaseCompleted)
    def end_completed(received: Received[CaseCompleted], unit: Unit) -> None:
        """A follow-up that is still open lives on, and its customer hears of it (lifecycle §4)."""
        if all(order.state is State.CLOSED for order in case_of(unit, received.event.case_id).work_orders):
            _end(unit, received.event.case_id)

    @handlers.on(CaseCancelled)
    def end_cancelled(received: Received[CaseCancelled], unit: Unit) -> None:
        _end(unit, received.event.case_id)

    @handlers.on(CaseAbandoned)
    def end_abandoned(received: Received[CaseAbandoned], unit: Unit) -> None:
        _end(unit, received.event.case_id)

    @handlers.on(CaseReopened)
    def reopen(received: Received[CaseReopened], unit: Unit) -> None:
        case_of(unit, received.event.case_id).ended = False

    @handlers.on(CasePurged, needs=lambda event, unit: _to_purge(event.key(), unit))
    def purge(received: Received[CasePurged], unit: Unit) -> None:
        """Delete contact copy and texts; doing it twice is harmless."""
        _purge(unit, received.event.key(), everything=received.event.scope is PurgeScope.ALL)

    @handlers.forgotten(ContactRecorded, needs=_to_purge)
    def forget_contact(key: str, unit: Unit) -> None:
        """The tombstone of a contact means the same as a purge of its texts."""
        _purge(unit, key, everything=False)


def _hear_contacts(handlers: Handlers, desk: Desk) -> None:
    def needs(event: ContactRecorded, unit: Unit) -> Iterable[Ref]:
        if (number := desk.number(event.phone, None).e164) is not None:
            yield Line, desk.hash(number)
        yield from sending.needs_of(unit, event.key())

    @handlers.on(ContactRecorded, needs=needs)
    def know_contact(received: Received[ContactRecorded], unit: Unit) -> None:
        """How the customer is reached. An older version changes nothing."""
        event, case = received.event, case_of(unit, received.event.case_id)
        if case.contact is not None and case.contact.version >= event.version:
            return
        number = desk.number(event.phone, None).e164
        number_hash = desk.hash(number) if number else None
        _reconnect(unit, case, number_hash)
        case.purged = False
        case.contacts[:] = [
            Contact(
                version=event.version,
                name=event.name,
                phone=event.phone,
                number_hash=number_hash,
                email=event.email,
                language=event.language,
                sms_allowed=event.sms_allowed,
                address=event.address,
                postcode=event.address.postcode,
            )
        ]
        try_waiting(unit, desk, case)


def _to_stop(event: WorkOrderMoved, unit: Unit) -> Iterable[Ref]:
    if event.responsible is not None:
        yield StaffContact, str(event.responsible)
    yield from sending.needs_of(unit, event.key())


def _to_purge(key: str, unit: Unit) -> Iterable[Ref]:
    """The case, its line, its replies and the callbacks that they came in."""
    yield from sending.needs_of(unit, key)
    case = unit.find(Correspondence, key)
    for reply_id in case.replies if case else ():
        yield Reply, str(reply_id)
    for reply_id in case.replies if case else ():
        if (reply := unit.find(Reply, str(reply_id))) is not None:
            yield Inbound, reply.inbound_id


def _moved(case: Correspondence, event: WorkOrderMoved) -> bool:
    """Take over where the work order stands; False for a version that is not above the stored one."""
    for each in case.work_orders:
        if each.work_order_id == event.work_order_id:
            if event.version <= each.version:
                return False
            each.state, each.version = event.to_state, event.version
            return True
    case.work_orders.append(WorkOrder(work_order_id=event.work_order_id, state=event.to_state, version=event.version))
    return True


def _carries_offer(notice: Notice, event: WorkOrderMoved) -> bool:
    """A letter that offers what the work order has taken back. A newer offer may have been heard of before the move."""
    offered = notice.rule_id == OFFER_BY_LETTER and notice.work_order_id == event.work_order_id
    return offered and (notice.attempt or 0) <= event.attempt


def _end(unit: Unit, case_id: UUID) -> None:
    case = case_of(unit, case_id)
    case.ended = True
    stop_waiting(unit, case, "case_ended", lasting=False)
    printing.pull(unit, case, lambda _: True)


def _reconnect(unit: Unit, case: Correspondence, number_hash: str | None) -> None:
    """The case leaves the line of its old number and joins that of the new one."""
    if case.number_hash not in (None, number_hash) and (old := unit.find(Line, str(case.number_hash))) is not None:
        old.disconnect(case.case_id)
    if number_hash is None:
        return
    line = unit.find(Line, number_hash)
    if line is None:
        line = Line(number_hash=number_hash)
        unit.add(line)
    line.connect(case.case_id)


def _purge(unit: Unit, key: str, *, everything: bool) -> None:
    case = unit.find(Correspondence, key)
    if case is None:
        return
    if not case.purged:
        metrics.PURGED.inc()
    stop_waiting(unit, case, "purged")
    printing.pull(unit, case, lambda _: True)
    printing.shred(unit, case)
    if case.number_hash is not None and (line := unit.find(Line, case.number_hash)) is not None:
        line.disconnect(case.case_id)
    case.purge(everything=everything)
    for reply_id in case.replies:
        if (reply := unit.find(Reply, str(reply_id))) is None:
            continue
        if (inbound := unit.find(Inbound, reply.inbound_id)) is not None:
            inbound.purge()
        reply.purge()
