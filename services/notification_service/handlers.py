"""What notification_service hears: one small function per event."""

from collections.abc import Callable, Iterable
from uuid import UUID

from contracts.bookings import (
    AnswerOverdue,
    AppointmentConfirmed,
    AppointmentKept,
    AppointmentMissed,
    AppointmentMoved,
    AppointmentOffered,
    AppointmentProposed,
    AppointmentQuestioned,
    AppointmentReleased,
)
from contracts.cases import (
    CaseAbandoned,
    CaseCancelled,
    CaseCompleted,
    CaseOpened,
    CasePurged,
    CaseReopened,
    WorkOrderMoved,
    WorkOrderOpened,
)
from contracts.codes import PurgeScope, State
from contracts.contacts import ContactRecorded
from contracts.event import Event
from contracts.groups import OfAppointment
from kit.handlers import Handlers, Received
from kit.store import Ref, Unit
from services.notification_service import metrics, replying, sending
from services.notification_service.domain import rules
from services.notification_service.domain.correspondence import AppointmentState, Contact, Correspondence, WorkOrder
from services.notification_service.domain.desk import CONFIRMED_TOO_LATE, Desk
from services.notification_service.domain.dialogues import Dialogue, DialogueState
from services.notification_service.domain.inbound import Inbound, Reply, StaffContact
from services.notification_service.domain.lines import Line
from services.notification_service.domain.notices import Subject
from services.notification_service.domain.rules import Rule

VOIDING = frozenset({"T15", "T17", "T29", "T30", "T31", "T32"})
"""Moves that end an offer: its codes are void."""

STOPPING = "T29"
"""The partner withdrew: what waits for this customer stays unsent."""


def hear(desk: Desk) -> Handlers:
    """The table of all that is heard, due and answered."""
    handlers = Handlers(main=Correspondence)
    _hear_cases(handlers, desk)
    _hear_ends(handlers)
    _hear_contacts(handlers, desk)
    _hear_offers(handlers, desk)
    _hear_appointments(handlers, desk)
    sending.register(handlers, desk)
    replying.register(handlers, desk)
    return handlers


def _hear_cases(handlers: Handlers, desk: Desk) -> None:
    @handlers.on(CaseOpened, needs=_to_send)
    def know_operator(received: Received[CaseOpened], unit: Unit) -> None:
        """Whose texts these are; what waited for it goes on."""
        case = _case(unit, received.event.case_id)
        case.operator = received.event.operator
        _try_waiting(unit, desk, case)

    @handlers.on(WorkOrderOpened)
    def know_work_order(received: Received[WorkOrderOpened], unit: Unit) -> None:
        event, case = received.event, _case(unit, received.event.case_id)
        if all(each.work_order_id != event.work_order_id for each in case.work_orders):
            case.work_orders.append(WorkOrder(work_order_id=event.work_order_id, state=event.state))

    @handlers.on(WorkOrderMoved, needs=_to_stop)
    def follow_work_order(received: Received[WorkOrderMoved], unit: Unit) -> None:
        """Where the work order stands; offers end with some moves, and a cancellation stops what waits (T29)."""
        event, case = received.event, _case(unit, received.event.case_id)
        if not _moved(case, event):
            return
        if event.move in VOIDING:
            case.withdraw_offers(event.work_order_id)
        if event.move == STOPPING:
            _stop_waiting(unit, case, "cancelled")
        for rule in rules.fitting(event):
            key = f"{rule.rule_id}:{event.work_order_id}:v{event.version}:o{event.attempt}:{rule.audience}"
            about = Subject(
                work_order_id=event.work_order_id,
                appointment_id=event.appointment_id,
                revision=event.revision,
                attempt=event.attempt,
                recipient_id=event.responsible,
            )
            notice = sending.plan(unit, case, rule, key, about)
            if notice is not None:
                sending.dispatch(unit, desk, case, notice)


def _hear_ends(handlers: Handlers) -> None:
    @handlers.on(CaseCompleted)
    def end_completed(received: Received[CaseCompleted], unit: Unit) -> None:
        """A follow-up that is still open lives on, and its customer hears of it (lifecycle §4)."""
        if all(order.state is State.CLOSED for order in _case(unit, received.event.case_id).work_orders):
            _end(unit, received.event.case_id)

    @handlers.on(CaseCancelled)
    def end_cancelled(received: Received[CaseCancelled], unit: Unit) -> None:
        _end(unit, received.event.case_id)

    @handlers.on(CaseAbandoned)
    def end_abandoned(received: Received[CaseAbandoned], unit: Unit) -> None:
        _end(unit, received.event.case_id)

    @handlers.on(CaseReopened)
    def reopen(received: Received[CaseReopened], unit: Unit) -> None:
        _case(unit, received.event.case_id).ended = False

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
        event, case = received.event, _case(unit, received.event.case_id)
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
        _try_waiting(unit, desk, case)


def _hear_offers(handlers: Handlers, desk: Desk) -> None:
    def needs(event: AppointmentOffered, unit: Unit) -> Iterable[Ref]:
        for _, code in desk.code_candidates(event.appointment_id, event.revision, event.attempt):
            yield Correspondence, desk.hash(code)
        yield from sending.needs_of(unit, event.key())

    @handlers.on(AppointmentOffered, needs=needs)
    def open_dialogue(received: Received[AppointmentOffered], unit: Unit) -> None:
        """An offer goes out with a code of its own, by whichever channel (N01)."""
        event, case = received.event, _case(unit, received.event.case_id)
        appointment = case.offer(event)
        about = (event.appointment_id, event.revision, event.attempt)
        if not any(each.is_about(*about) for each in case.dialogues):
            salt, code_hash = _free_code(desk, unit, event)
            case.dialogues.append(
                Dialogue(
                    dialogue_id=unit.new_id(),
                    appointment_id=event.appointment_id,
                    revision=event.revision,
                    attempt=event.attempt,
                    salt=salt,
                    key_id=desk.key_id,
                    code_hash=code_hash,
                    expires_at=appointment.block_start,
                )
            )
        _apply_rules(unit, desk, case, event)

    @handlers.on(AnswerOverdue, needs=_to_send)
    def remind_of_offer(received: Received[AnswerOverdue], unit: Unit) -> None:
        """Nobody answered: the reminder repeats the code (N03)."""
        event, case = received.event, _case(unit, received.event.case_id)
        appointment = case.appointment(event.appointment_id)
        if appointment.state is AppointmentState.OFFERED:
            appointment.state = AppointmentState.REMINDED
        _apply_rules(unit, desk, case, event)


def _hear_appointments(handlers: Handlers, desk: Desk) -> None:
    @handlers.on(AppointmentProposed)
    def know_appointment(received: Received[AppointmentProposed], unit: Unit) -> None:
        _case(unit, received.event.case_id).propose(received.event)

    @handlers.on(AppointmentMoved)
    def move_appointment(received: Received[AppointmentMoved], unit: Unit) -> None:
        """Another window: codes of the old one are void, and what waits about it stays unsent."""
        event, case = received.event, _case(unit, received.event.case_id)
        case.propose(event)
        if event.window_changed:
            case.close_dialogues(event.appointment_id, DialogueState.VOID)
            _stop_waiting(unit, case, "moved", event.appointment_id)

    @handlers.on(AppointmentConfirmed, needs=_to_send)
    def confirm_appointment(received: Received[AppointmentConfirmed], unit: Unit) -> None:
        """It stands: its code is answered; a confirmation and a reminder may follow (N04, N05)."""
        event, case = received.event, _case(unit, received.event.case_id)
        appointment = case.appointment(event.appointment_id)
        appointment.state = AppointmentState.CONFIRMED
        case.close_dialogues(event.appointment_id, DialogueState.ANSWERED)
        too_late = appointment.block_start - received.time < CONFIRMED_TOO_LATE
        _apply_rules(unit, desk, case, event, skip=_is_reminder if too_late else None)

    @handlers.on(AppointmentQuestioned)
    def question_appointment(received: Received[AppointmentQuestioned], unit: Unit) -> None:
        event = received.event
        _case(unit, event.case_id).question(event.appointment_id, event.cause)

    @handlers.on(AppointmentReleased)
    def release_appointment(received: Received[AppointmentReleased], unit: Unit) -> None:
        """The slot was given back: nothing more is said about it."""
        case = _finish(unit, received.event)
        case.close_dialogues(received.event.appointment_id, DialogueState.VOID)
        _stop_waiting(unit, case, "released", received.event.appointment_id)

    @handlers.on(AppointmentKept)
    def keep_appointment(received: Received[AppointmentKept], unit: Unit) -> None:
        _finish(unit, received.event)

    @handlers.on(AppointmentMissed)
    def miss_appointment(received: Received[AppointmentMissed], unit: Unit) -> None:
        _finish(unit, received.event)


def _to_send(event: Event, unit: Unit) -> Iterable[Ref]:
    yield from sending.needs_of(unit, event.key())


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


def _case(unit: Unit, case_id: UUID) -> Correspondence:
    """The correspondence of a case; it begins with whatever is heard of it first."""
    found = unit.find(Correspondence, str(case_id))
    if found is None:
        found = Correspondence(case_id=case_id, begun_at=unit.now)
        unit.add(found)
    return found


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


def _apply_rules(
    unit: Unit,
    desk: Desk,
    case: Correspondence,
    event: AppointmentOffered | AnswerOverdue | AppointmentConfirmed,
    *,
    skip: Callable[[Rule], bool] | None = None,
) -> None:
    """Every rule that this event fits makes its notice, once."""
    for rule in rules.fitting(event):
        if skip is not None and skip(rule):
            continue
        key = f"{rule.rule_id}:{event.appointment_id}:r{event.revision}:o{event.attempt}:{rule.audience}"
        about = Subject(
            work_order_id=event.work_order_id,
            appointment_id=event.appointment_id,
            revision=event.revision,
            attempt=event.attempt,
        )
        notice = sending.plan(unit, case, rule, key, about)
        if notice is not None:
            sending.dispatch(unit, desk, case, notice)


def _is_reminder(rule: Rule) -> bool:
    return rule.when is rules.When.WORKING_DAYS_BEFORE


def _free_code(desk: Desk, unit: Unit, event: AppointmentOffered) -> tuple[int, str]:
    """Salt and hash of the first code whose hash nobody has."""
    found = list(desk.code_candidates(event.appointment_id, event.revision, event.attempt))
    for salt, code in found:
        if unit.find(Correspondence, desk.hash(code)) is None:
            return salt, desk.hash(code)
    raise LookupError(f"{len(found)} codes in a row are taken")


def _try_waiting(unit: Unit, desk: Desk, case: Correspondence) -> None:
    for notice in case.waiting():
        sending.dispatch(unit, desk, case, notice)


def _stop_waiting(unit: Unit, case: Correspondence, cause: str, appointment_id: UUID | None = None) -> None:
    for notice in case.suppress_waiting(cause, unit.now, appointment_id):
        unit.never(sending.TIMER, notice.key)


def _finish(unit: Unit, event: OfAppointment) -> Correspondence:
    case = _case(unit, event.case_id)
    case.appointment(event.appointment_id).state = AppointmentState.OVER
    return case


def _end(unit: Unit, case_id: UUID) -> None:
    case = _case(unit, case_id)
    case.ended = True
    _stop_waiting(unit, case, "case_ended")


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
    _stop_waiting(unit, case, "purged")
    if case.number_hash is not None and (line := unit.find(Line, case.number_hash)) is not None:
        line.disconnect(case.case_id)
    case.purge(everything=everything)
    for reply_id in case.replies:
        if (reply := unit.find(Reply, str(reply_id))) is None:
            continue
        if (inbound := unit.find(Inbound, reply.inbound_id)) is not None:
            inbound.purge()
        reply.purge()
