"""What booking_service hears: one small function per event and timer."""

from collections.abc import Iterable, Iterator
from datetime import date

from contracts.cases import (
    BookingRequested,
    CaseAbandoned,
    CaseAmended,
    CaseCancelled,
    CaseCompleted,
    CaseOpened,
    CasePurged,
    CaseReopened,
    ExceptionApproved,
    WorkOrderMoved,
    WorkOrderOpened,
)
from contracts.codes import (
    Channel,
    ConfirmedBy,
    ExceptionType,
    Permanence,
    QuestionCause,
    Reading,
    ReleaseReason,
    State,
)
from contracts.contacts import ContactRecorded
from contracts.event import Event
from contracts.ids import CaseId
from contracts.notices import CustomerOptedOut, NoticeFailed, NoticeSent, ReplyReceived
from kit.handlers import Handlers, Timer
from kit.inbox import Received
from kit.store import Ref, Unit
from services.booking_service import acts, metrics
from services.booking_service.acts import case_and_operator, open_appointment, operator_of, set_timers
from services.booking_service.domain import offering, replies
from services.booking_service.domain.appointments import UNDELIVERED, UNREPORTED, Appointment
from services.booking_service.domain.cases import BookedCase, WorkOrder
from services.booking_service.domain.moves import Effect, effect_of
from services.booking_service.domain.operators import DEFAULT, Operator
from services.booking_service.domain.states import AppointmentState, Step
from services.booking_service.following import FOLLOW, closing_reason

handlers = Handlers(main=BookedCase)

STATUTORY = "statutory_37"
OFFERS = frozenset({"N01", "N02"})
"""Rules of the notices that carry an offer; others about an appointment change nothing here."""
PLACE = frozenset({"address", "area", "metering_point_id", "metering_point_scheme", "device_plan", "position"})
"""What makes an appointment worth another look when it changes."""


def _of_case(event: Event, unit: Unit) -> Iterator[Ref]:
    yield from case_and_operator(event.key(), unit)


def _of_whole_case(event: Event, unit: Unit) -> Iterator[Ref]:
    yield from case_and_operator(event.key(), unit)
    case = unit.find(BookedCase, event.key())
    for order in case.work_orders if case else ():
        if order.appointment_id is not None:
            yield Appointment, str(order.appointment_id)


def _of_appointment(event: BookingRequested | ReplyReceived | NoticeSent | NoticeFailed, unit: Unit) -> Iterator[Ref]:
    if event.appointment_id is not None:
        yield Appointment, str(event.appointment_id)
    yield from case_and_operator(event.key(), unit)


def _of_opening(event: CaseOpened, unit: Unit) -> Iterable[Ref]:  # noqa: ARG001 - the form of all needs
    return (BookedCase, event.key()), (Operator, DEFAULT), (Operator, event.operator)


def _case(unit: Unit, case_id: CaseId) -> BookedCase:
    """The case, if need be an empty one: topics may overtake each other."""
    case = unit.find(BookedCase, str(case_id))
    if case is None:
        case = BookedCase(case_id=case_id)
        unit.add(case)
    return case


def _today(unit: Unit, operator: Operator) -> date:
    return operator.days.local_day(unit.now)


def _gone(unit: Unit, order: WorkOrder, source: str) -> None:
    metrics.TOMBSTONE_HITS.labels(source).inc()
    unit.anomaly("gone_work_order", f"work_order/{order.work_order_id}", heard=source, reason=order.gone_reason)


@handlers.on(CaseOpened, needs=_of_opening)
def learn_of_case(received: Received[CaseOpened], unit: Unit) -> None:
    """A case may be planned from a day on, or its customers must be told first (N37)."""
    event = received.event
    case = _case(unit, event.case_id)
    operator = unit.find(Operator, event.operator) or unit.get(Operator, DEFAULT)
    if case.case_version < event.version:
        case.open(event, operator, _today(unit, operator))


@handlers.on(CaseAmended, needs=_of_whole_case)
def amend_case(received: Received[CaseAmended], unit: Unit) -> None:
    """Appointments whose place or meter changed are marked; nothing moves by itself."""
    event = received.event
    case = _case(unit, event.case_id)
    if event.version <= case.case_version:
        return
    operator = operator_of(unit, case)
    case.amend(event, operator, _today(unit, operator))
    if PLACE & set(event.changed):
        for order in case.work_orders:
            if appointment := open_appointment(unit, order):
                appointment.recheck = True


@handlers.on(WorkOrderOpened)
def learn_of_work_order(received: Received[WorkOrderOpened], unit: Unit) -> None:
    """A work order can be planned, unless its closing or the end of its case was heard first."""
    event = received.event
    case = _case(unit, event.case_id)
    known = case.order(event.work_order_id)
    if known is None:
        known = case.add(event)
        if case.ended_at is not None:
            known.bury(case.ended_reason or "closed", unit.now)
    if known.gone:
        _gone(unit, known, "work_order_opened")


def _of_move(event: WorkOrderMoved, unit: Unit) -> Iterator[Ref]:
    yield from case_and_operator(event.key(), unit)
    case = unit.find(BookedCase, event.key())
    order = case.order(event.work_order_id) if case else None
    if order is not None and order.appointment_id is not None:
        yield Appointment, str(order.appointment_id)


@handlers.on(WorkOrderMoved, needs=_of_move)
def follow_work_order(received: Received[WorkOrderMoved], unit: Unit) -> None:
    """The appointment follows its work order, by the table of section 8."""
    event = received.event
    case = _case(unit, event.case_id)
    effect = effect_of(event.move, event.from_state, event.reason)
    order = case.order(event.work_order_id)
    if order is None:
        if effect is Effect.CLOSE:
            case.bury_unheard(event.work_order_id, event.sequence, closing_reason(event), unit.now)
        else:
            unit.anomaly("unknown_work_order", f"work_order/{event.work_order_id}", move=event.move)
        return
    if event.version <= order.moved_version:
        return
    order.moved_version, order.state = event.version, event.to_state
    if effect is not None:
        FOLLOW[effect](received, unit, case, order)
        if appointment := open_appointment(unit, order):
            set_timers(unit, operator_of(unit, case), appointment)


def _end_case(unit: Unit, case_id: CaseId, reason: str) -> None:
    """As closed, for every work order of the case."""
    case = _case(unit, case_id)
    case.ended_at, case.ended_reason = unit.now, reason
    for order in case.work_orders:
        if appointment := open_appointment(unit, order):
            acts.release(unit, operator_of(unit, case), order, appointment, ReleaseReason.CLOSED)
        order.bury(reason, unit.now)


@handlers.on(CaseCompleted, needs=_of_whole_case)
def end_completed_case(received: Received[CaseCompleted], unit: Unit) -> None:
    """The work is done and proved. A follow-up that is still open lives on with its own visit (lifecycle §4)."""
    for order in _case(unit, received.event.case_id).work_orders:
        if order.state is State.CLOSED:
            order.bury("completed", unit.now)


@handlers.on(CaseCancelled, needs=_of_whole_case)
def end_cancelled_case(received: Received[CaseCancelled], unit: Unit) -> None:
    """The order was withdrawn: no appointment of the case can become active, in any order of events."""
    _end_case(unit, received.event.case_id, "cancelled")


@handlers.on(CaseAbandoned, needs=_of_whole_case)
def end_abandoned_case(received: Received[CaseAbandoned], unit: Unit) -> None:
    """The work cannot or need not be done."""
    _end_case(unit, received.event.case_id, "abandoned")


@handlers.on(CaseReopened)
def reopen_case(received: Received[CaseReopened], unit: Unit) -> None:
    """The case may get new work orders; tombstones of old ones stay."""
    case = _case(unit, received.event.case_id)
    case.ended_at = case.ended_reason = None


@handlers.on(ContactRecorded)
def learn_contact(received: Received[ContactRecorded], unit: Unit) -> None:
    """How the customer can be reached; may come before the case itself."""
    _case(unit, received.event.case_id).record_contact(received.event)


@handlers.forgotten(ContactRecorded)
def forget_contact(key: str, unit: Unit) -> None:
    """The retention of the contact ended."""
    if case := unit.find(BookedCase, key):
        case.forget_contact()


@handlers.on(CasePurged)
def purge_case(received: Received[CasePurged], unit: Unit) -> None:
    """Delete what is personal; the tombstones of work orders are not."""
    forget_contact(received.event.key(), unit)


@handlers.on(BookingRequested, needs=_of_appointment)
def offer_appointment(received: Received[BookingRequested], unit: Unit) -> None:
    """Offer it (A2), or say by which code it cannot be offered."""
    event = received.event
    case = _case(unit, event.case_id)
    order, operator = case.order(event.work_order_id), operator_of(unit, case)
    if order is None:
        unit.anomaly("unknown_work_order", f"work_order/{event.work_order_id}", heard="booking_requested")
        return
    if order.gone:
        _gone(unit, order, "booking_requested")
        return
    if event.attempt <= order.attempt:
        return
    order.attempt = event.attempt
    appointment = unit.find(Appointment, str(event.appointment_id))
    refusal = _refusal(event, case, order, appointment, operator, unit)
    if appointment is None or refusal is not None:
        code = refusal.code if refusal else "state-forbids"
        first = refusal.first_possible if refusal else None
        if appointment is not None and appointment.may(Step.OFFER):
            appointment.attempt = event.attempt
        metrics.OFFER_REFUSED.labels(code).inc()
        cause = QuestionCause.OFFER_REFUSED
        acts.question(unit, appointment, event, cause, channel=event.channel, code=code, first_possible=first)
        return
    sent_on = offering.sending_day(event.channel, operator, unit.now)
    answer_by = offering.answer_by(event.channel, sent_on, appointment.block_start, operator)
    entry_right = offering.gives_entry_right(event.channel, operator, unit.now)
    appointment.offer(event.attempt, event.channel, answer_by, entry_right=entry_right, now=unit.now)
    set_timers(unit, operator, appointment)


def _refusal(
    event: BookingRequested,
    case: BookedCase,
    order: WorkOrder,
    appointment: Appointment | None,
    operator: Operator,
    unit: Unit,
) -> offering.Refusal | None:
    if appointment is None:
        return offering.Refusal("state-forbids")
    if event.revision != appointment.revision:
        return offering.Refusal("stale-version")
    return next(offering.refusals(case, order, appointment, event.channel, operator, unit.now), None)


@handlers.on(NoticeSent, needs=_of_appointment)
def note_sending(received: Received[NoticeSent], unit: Unit) -> None:
    """An offer left the house (A3), or a part of the statutory notice did (N37)."""
    event = received.event
    case = _case(unit, event.case_id)
    operator = operator_of(unit, case)
    if event.template == STATUTORY:
        case.note_statutory(event, operator, _today(unit, operator))
        return
    appointment = _offered_by(event, unit, case)
    if appointment is not None and appointment.state is AppointmentState.OFFERED and appointment.channel is not None:
        appointment.sent(offering.answer_by(appointment.channel, event.sent_on, appointment.block_start, operator))
        if appointment.frozen:
            appointment.stop_waiting()
        set_timers(unit, operator, appointment)


@handlers.on(NoticeFailed, needs=_of_appointment)
def note_failure(received: Received[NoticeFailed], unit: Unit) -> None:
    """An offer could not be sent (A4), or did not arrive; what may still succeed by itself changes nothing."""
    event = received.event
    case = _case(unit, event.case_id)
    appointment = _offered_by(event, unit, case)
    if appointment is None or event.permanence is Permanence.TRANSIENT:
        return
    if appointment.state is AppointmentState.OFFERED:
        appointment.not_sent()
    elif appointment.state in {AppointmentState.SENT, AppointmentState.REMINDED}:
        acts.ask_staff(appointment, UNDELIVERED)
        appointment.stop_waiting()
    set_timers(unit, operator_of(unit, case), appointment)


def _offered_by(event: NoticeSent | NoticeFailed, unit: Unit, case: BookedCase) -> Appointment | None:
    """The appointment whose newest offer this notice carried."""
    if event.rule_id not in OFFERS or event.appointment_id is None:
        return None
    appointment = unit.find(Appointment, str(event.appointment_id))
    order = case.order(event.work_order_id) if event.work_order_id else None
    if order is not None and order.gone:
        _gone(unit, order, "notice")
        return None
    if appointment is None or (event.revision, event.attempt) != (appointment.revision, appointment.attempt):
        return None
    return appointment


@handlers.on(CustomerOptedOut, needs=_of_case)
def note_opt_out(received: Received[CustomerOptedOut], unit: Unit) -> None:
    """No text message any more; what was confirmed stands."""
    if received.event.channel is Channel.SMS:
        _case(unit, received.event.case_id).opted_out = True


@handlers.on(ReplyReceived, needs=_of_appointment)
def decide_reply(received: Received[ReplyReceived], unit: Unit) -> None:
    """Booking alone decides whether a reply confirms; every other answer becomes a question."""
    event = received.event
    case = _case(unit, event.case_id)
    order, operator = case.order(event.work_order_id), operator_of(unit, case)
    if order is None:
        unit.anomaly("unknown_work_order", f"work_order/{event.work_order_id}", heard="reply_received")
        return
    appointment = unit.find(Appointment, str(event.appointment_id))
    current = appointment if appointment is not None and replies.is_current(event, appointment) else None
    verdict = replies.judge(event, appointment, order, operator, unit.now)
    if order.gone:
        metrics.TOMBSTONE_HITS.labels("reply_received").inc()
    if verdict.confirms and current is not None:
        acts.confirm(unit, operator, current, ConfirmedBy.REPLY, reply_id=event.reply_id)
        return
    if current is not None and not order.frozen:
        _take_answer(unit, operator, current, event)
    if verdict.cause is not None:
        acts.question(unit, appointment, event, verdict.cause, reply_id=event.reply_id)


def _take_answer(unit: Unit, operator: Operator, appointment: Appointment, event: ReplyReceived) -> None:
    """A reply to an offer proves its sending; who answered, in whatever words, needs no reminder."""
    if appointment.state is AppointmentState.OFFERED:
        appointment.sent(None)
    if event.reading is Reading.DECLINE and appointment.may(Step.DECLINE):
        appointment.decline()
    appointment.stop_waiting()
    set_timers(unit, operator, appointment)


@handlers.on(ExceptionApproved, needs=_of_case)
def lift_notice(received: Received[ExceptionApproved], unit: Unit) -> None:
    """Two persons decided that the three months need not be waited for."""
    if received.event.type is ExceptionType.NOTICE_OVERRIDE:
        case = _case(unit, received.event.case_id)
        operator = operator_of(unit, case)
        case.lift_notice(operator, _today(unit, operator))


def _of_timer(timer: Timer, unit: Unit) -> Iterator[Ref]:
    yield Appointment, timer.key
    appointment = unit.find(Appointment, timer.key)
    if appointment is not None:
        yield from case_and_operator(appointment.case_id, unit)


@handlers.due(acts.ANSWER_DUE, needs=_of_timer)
def miss_answer(timer: Timer, unit: Unit) -> None:
    """The customer did not answer in time (A5): a reminder goes out, and a person takes over."""
    appointment = unit.find(Appointment, timer.key)
    if appointment is None or appointment.frozen or appointment.answer_by is None:
        return
    named = (timer.payload["revision"], timer.payload["attempt"])
    if appointment.may(Step.OVERDUE) and named == (appointment.revision, appointment.attempt):
        appointment.overdue()


@handlers.due(UNREPORTED, needs=_of_timer)
def miss_report(timer: Timer, unit: Unit) -> None:
    """The visit should be over, and nobody reported it: listed until somebody does."""
    appointment = unit.find(Appointment, timer.key)
    if appointment is None or timer.payload["revision"] != appointment.revision:
        return
    if appointment.state is AppointmentState.CONFIRMED and not appointment.frozen:
        acts.ask_staff(appointment, UNREPORTED)
