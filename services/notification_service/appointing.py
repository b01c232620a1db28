"""What appointments make of notices: offers with their codes, reminders, confirmations, moves and releases."""

from collections.abc import Iterable

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
from contracts.groups import OfAppointment
from kit.handlers import Handlers, Received
from kit.store import Ref, Unit
from services.notification_service import alerting, printing, sending
from services.notification_service.acts import apply_rules, case_of, stop_waiting, to_send
from services.notification_service.domain.correspondence import AppointmentState, Correspondence
from services.notification_service.domain.desk import CONFIRMED_TOO_LATE, Desk
from services.notification_service.domain.dialogues import Dialogue, DialogueState


def register(handlers: Handlers, desk: Desk) -> None:
    """All of rollout.bookings that is about an appointment."""
    _hear_offers(handlers, desk)
    _hear_appointments(handlers, desk)


def _hear_offers(handlers: Handlers, desk: Desk) -> None:
    def needs(event: AppointmentOffered, unit: Unit) -> Iterable[Ref]:
        for _, code in desk.code_candidates(event.appointment_id, event.revision, event.attempt):
            yield Correspondence, desk.hash(code)
        yield from sending.needs_of(unit, event.key())

    @handlers.on(AppointmentOffered, needs=needs)
    def open_dialogue(received: Received[AppointmentOffered], unit: Unit) -> None:
        """An offer goes out with a code of its own, by whichever channel (N01)."""
        event, case = received.event, case_of(unit, received.event.case_id)
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
        apply_rules(unit, desk, case, event)

    @handlers.on(AnswerOverdue, needs=to_send)
    def remind_of_offer(received: Received[AnswerOverdue], unit: Unit) -> None:
        """Nobody answered: the reminder repeats the code (N03)."""
        event, case = received.event, case_of(unit, received.event.case_id)
        appointment = case.appointment(event.appointment_id)
        if appointment.state is AppointmentState.OFFERED:
            appointment.state = AppointmentState.REMINDED
        apply_rules(unit, desk, case, event)


def _hear_appointments(handlers: Handlers, desk: Desk) -> None:
    @handlers.on(AppointmentProposed)
    def know_appointment(received: Received[AppointmentProposed], unit: Unit) -> None:
        case_of(unit, received.event.case_id).propose(received.event)

    @handlers.on(AppointmentMoved, needs=to_send)
    def move_appointment(received: Received[AppointmentMoved], unit: Unit) -> None:
        """Another window: codes and letters of the old one are void; who had been told of it is told again (N06)."""
        event, case = received.event, case_of(unit, received.event.case_id)
        told = case.was_told_of(event.appointment_id)
        case.propose(event)
        if event.window_changed:
            case.close_dialogues(event.appointment_id, DialogueState.VOID)
            stop_waiting(unit, case, "moved", event.appointment_id)
            printing.pull(unit, case, lambda notice: notice.appointment_id == event.appointment_id)
        apply_rules(unit, desk, case, event, told=told)

    @handlers.on(AppointmentConfirmed, needs=to_send)
    def confirm_appointment(received: Received[AppointmentConfirmed], unit: Unit) -> None:
        """It stands: its code is answered; a confirmation and a reminder may follow (N04, N05)."""
        event, case = received.event, case_of(unit, received.event.case_id)
        appointment = case.appointment(event.appointment_id)
        appointment.state = AppointmentState.CONFIRMED
        case.close_dialogues(event.appointment_id, DialogueState.ANSWERED)
        too_late = appointment.block_start - received.time < CONFIRMED_TOO_LATE
        apply_rules(unit, desk, case, event, too_late=too_late)

    @handlers.on(AppointmentQuestioned, needs=lambda event, _: alerting.needs_of(alerting.QUESTION, event))
    def question_appointment(received: Received[AppointmentQuestioned], unit: Unit) -> None:
        """An answer that does not confirm: a person is told (N15)."""
        event = received.event
        case_of(unit, event.case_id).question(event.appointment_id, event.cause)
        alerting.alert(unit, desk, alerting.QUESTION, event)

    @handlers.on(AppointmentReleased, needs=to_send)
    def release_appointment(received: Received[AppointmentReleased], unit: Unit) -> None:
        """The slot was given back: who knows of it is told (N07), and nothing more is said about it."""
        event = received.event
        told = case_of(unit, event.case_id).was_told_of(event.appointment_id)
        case = _finish(unit, event)
        case.close_dialogues(event.appointment_id, DialogueState.VOID)
        stop_waiting(unit, case, "released", event.appointment_id)
        printing.pull(unit, case, lambda notice: notice.appointment_id == event.appointment_id)
        apply_rules(unit, desk, case, event, told=told)

    @handlers.on(AppointmentKept)
    def keep_appointment(received: Received[AppointmentKept], unit: Unit) -> None:
        _finish(unit, received.event)

    @handlers.on(AppointmentMissed)
    def miss_appointment(received: Received[AppointmentMissed], unit: Unit) -> None:
        _finish(unit, received.event)


def _free_code(desk: Desk, unit: Unit, event: AppointmentOffered) -> tuple[int, str]:
    """Salt and hash of the first code whose hash nobody has."""
    found = list(desk.code_candidates(event.appointment_id, event.revision, event.attempt))
    for salt, code in found:
        if unit.find(Correspondence, desk.hash(code)) is None:
            return salt, desk.hash(code)
    raise LookupError(f"{len(found)} codes in a row are taken")


def _finish(unit: Unit, event: OfAppointment) -> Correspondence:
    case = case_of(unit, event.case_id)
    case.appointment(event.appointment_id).state = AppointmentState.OVER
    return case
