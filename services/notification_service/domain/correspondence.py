"""The correspondence of one case: whom we write to, what is arranged, what was said and what is still true."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from contracts.bookings import AppointmentOffered, Slot
from contracts.codes import Channel, MessageChannel, QuestionCause, Visibility
from contracts.parts import Address, Span
from kit.auth import Scope
from kit.errors import NotFound
from kit.store import Aggregate
from services.notification_service.domain.dialogues import Dialogue, DialogueState
from services.notification_service.domain.letters import Letter, LetterState
from services.notification_service.domain.notices import FINAL, LOST, PURGED, WAITING, Notice, NoticeState
from services.notification_service.domain.rules import ValidWhile


class AppointmentState(StrEnum):
    """Where an appointment stands, as far as its events tell."""

    PROPOSED = "PROPOSED"
    OFFERED = "OFFERED"
    REMINDED = "REMINDED"
    CONFIRMED = "CONFIRMED"
    REBOOK_REQUESTED = "REBOOK_REQUESTED"
    OVER = "OVER"
    """Kept, missed or released."""


KNOWN = frozenset({AppointmentState.REMINDED, AppointmentState.CONFIRMED, AppointmentState.REBOOK_REQUESTED})
"""In these the customer has heard of the appointment, whoever told him."""


TEXTABLE = frozenset({"PLANNING", "AWAITING_REPLY", "MANUAL_FOLLOW_UP", "READY", "ON_HOLD"})
"""States of work orders in which staff may text the customer."""


@dataclass(kw_only=True)
class Contact:
    """The customer, copied from ContactRecorded; deleted by its tombstone."""

    version: int
    name: str
    phone: str | None
    number_hash: str | None
    email: str | None
    language: str
    sms_allowed: bool
    address: Address
    postcode: str


@dataclass(kw_only=True)
class Appointment:
    """An appointment as told on rollout.bookings."""

    appointment_id: UUID
    work_order_id: UUID
    sequence: int
    state: AppointmentState = AppointmentState.PROPOSED
    revision: int
    attempt: int
    block_start: datetime
    window_from: datetime
    window_to: datetime
    technicians: tuple[UUID, ...]
    company_id: UUID
    answer_by: datetime | None = None
    alternatives: tuple[Span, ...] = ()

    @property
    def window(self) -> Span:
        """What the customer is told."""
        return Span(from_=self.window_from, to=self.window_to)

    @window.setter
    def window(self, window: Span) -> None:
        self.window_from, self.window_to = window.from_, window.to

    def take(self, slot: Slot) -> None:
        """Time and people as told last."""
        self.revision, self.attempt = slot.revision, slot.attempt
        self.block_start, self.window = slot.block_start, slot.window
        self.technicians, self.company_id = tuple(slot.technicians), slot.company_id


@dataclass(kw_only=True)
class WorkOrder:
    """A work order as told on rollout.cases. An older version changes nothing."""

    work_order_id: UUID
    state: str
    version: int = 0


@dataclass(kw_only=True)
class Comment:
    """What a person wrote for the timeline, of his own or of a call; immutable, a newer one may take its place."""

    comment_id: UUID
    author: str
    at: datetime
    visibility: Visibility
    channel: MessageChannel = MessageChannel.COMMENT
    text: str
    replaces: UUID | None = None


@dataclass(kw_only=True, eq=False)
class Correspondence(Aggregate):
    """All that is known and said about one case. Its topics come in any order, so it begins with whichever is first."""

    case_id: UUID
    begun_at: datetime
    operator: str | None = None
    """Known once CaseOpened was heard."""
    ended: bool = False
    purged: bool = False
    """The copy of the contact was deleted; what comes later is recorded without text."""
    replies: tuple[UUID, ...] = ()
    contacts: list[Contact] = field(default_factory=list)
    work_orders: list[WorkOrder] = field(default_factory=list)
    appointments: list[Appointment] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    dialogues: list[Dialogue] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)

    def key(self) -> str:
        return str(self.case_id)

    def keys(self) -> Iterator[str]:
        """A case is also found by its work orders, appointments, notices and letters, and by the hashes of codes."""
        yield str(self.case_id)
        yield from (str(each.appointment_id) for each in self.appointments)
        yield from (each.code_hash for each in self.dialogues)
        yield from (str(each.notice_id) for each in self.notices)
        yield from (str(each.work_order_id) for each in self.work_orders)
        yield from (str(each.letter_id) for each in self.letters)

    @property
    def contact(self) -> Contact | None:
        return self.contacts[0] if self.contacts else None

    @property
    def number_hash(self) -> str | None:
        return self.contact.number_hash if self.contact else None

    def is_visible_to(self, scope: Scope) -> bool:
        """Whether the holder of a token sees this case."""
        match scope.kind:
            case "all":
                return True
            case "company":
                return any(str(each.company_id) == scope.id for each in self.appointments)
            case "technician":
                return any(scope.id in map(str, each.technicians) for each in self.appointments)
        return False

    def appointment(self, appointment_id: UUID) -> Appointment:
        """Raises NotFound: what the event speaks of was not proposed yet."""
        for each in self.appointments:
            if each.appointment_id == appointment_id:
                return each
        raise NotFound(f"there is no appointment {appointment_id}")

    def notice(self, notice_id: UUID) -> Notice:
        for each in self.notices:
            if each.notice_id == notice_id:
                return each
        raise NotFound(f"there is no notice {notice_id}")

    def notice_of(self, reference: str | None) -> Notice | None:
        """The notice that a vendor's client reference names."""
        key = (reference or "").partition("~")[0]
        return next((each for each in self.notices if each.key == key), None)

    def has_notice(self, key: str) -> bool:
        return any(each.key == key for each in self.notices)

    def letter(self, letter_id: UUID) -> Letter:
        for each in self.letters:
            if each.letter_id == letter_id:
                return each
        raise NotFound(f"there is no letter {letter_id}")

    def comment(self, comment_id: UUID) -> Comment:
        for each in self.comments:
            if each.comment_id == comment_id:
                return each
        raise NotFound(f"there is no comment {comment_id}")

    def letters_of(self, notice: Notice) -> list[Letter]:
        """The letter of a notice, after one that was spoiled."""
        return [each for each in self.letters if each.notice_id == notice.notice_id]

    def versions_of(self, notice: Notice) -> list[Notice]:
        """The notice, and those that were sent in its place."""
        return [each for each in self.notices if each.plain_key == notice.plain_key]

    def waiting(self) -> Iterable[Notice]:
        return [each for each in self.notices if each.state in WAITING]

    def dialogue_of(self, code_hash: str) -> Dialogue | None:
        return next((each for each in self.dialogues if each.code_hash == code_hash), None)

    def dialogue_about(self, notice: Notice) -> Dialogue | None:
        """The dialogue of the offer that a notice speaks of."""
        if notice.appointment_id is None or notice.revision is None or notice.attempt is None:
            return None
        about = (notice.appointment_id, notice.revision, notice.attempt)
        return next((each for each in self.dialogues if each.is_about(*about)), None)

    def open_dialogues(self, now: datetime) -> list[Dialogue]:
        return [each for each in self.dialogues if each.is_open(now)]

    def propose(self, slot: Slot) -> None:
        """An appointment was made, or has another time, window or technician."""
        for each in self.appointments:
            if each.appointment_id == slot.appointment_id:
                if slot.revision >= each.revision:
                    if slot.revision > each.revision:
                        each.state = AppointmentState.PROPOSED
                    each.take(slot)
                return
        self.appointments.append(
            Appointment(
                appointment_id=slot.appointment_id,
                work_order_id=slot.work_order_id,
                sequence=slot.sequence,
                revision=slot.revision,
                attempt=slot.attempt,
                block_start=slot.block_start,
                window_from=slot.window.from_,
                window_to=slot.window.to,
                technicians=tuple(slot.technicians),
                company_id=slot.company_id,
            )
        )

    def offer(self, event: AppointmentOffered) -> Appointment:
        """The appointment goes out to the customer."""
        appointment = self.appointment(event.appointment_id)
        appointment.state, appointment.attempt = AppointmentState.OFFERED, event.attempt
        appointment.window, appointment.answer_by = event.window, event.answer_by
        appointment.alternatives = tuple(event.alternatives)
        return appointment

    def question(self, appointment_id: UUID, cause: QuestionCause) -> None:
        """An answer that does not confirm; only some of them take the appointment back."""
        appointment = self.appointment(appointment_id)
        if cause in (QuestionCause.DECLINE, QuestionCause.REBOOK_REQUESTED):
            appointment.state = AppointmentState.REBOOK_REQUESTED
        elif cause is QuestionCause.OFFER_REFUSED:
            appointment.state = AppointmentState.PROPOSED

    def withdraw_offers(self, work_order_id: UUID, attempt: int) -> None:
        """The codes of a work order up to this offer are void; an offer that was out is none any more."""
        for each in self.appointments:
            if each.work_order_id == work_order_id and each.attempt <= attempt:
                self.close_dialogues(each.appointment_id, DialogueState.VOID)
                if each.state in (AppointmentState.OFFERED, AppointmentState.REMINDED):
                    each.state = AppointmentState.PROPOSED

    def close_dialogues(self, appointment_id: UUID, state: DialogueState) -> None:
        for each in self.dialogues:
            if each.appointment_id == appointment_id:
                each.close(state)

    def was_told_of(self, appointment_id: UUID) -> bool:
        """Whether the customer knows of this appointment: a notice about it was seen, or it was answered."""
        for each in self.appointments:
            if each.appointment_id == appointment_id and each.state in KNOWN:
                return True
        about = [each for each in self.notices if each.appointment_id == appointment_id]
        printed = (letter.state is LetterState.PRINTED for each in about for letter in self.letters_of(each))
        return any(each.was_seen for each in about) or any(printed)

    def was_announced(self, rule_id: str, since: datetime) -> bool:
        """Whether a notice by this rule was made since then, and has not come to nothing."""
        found = [each for each in self.notices if each.rule_id == rule_id and each.planned_at > since]
        return any(each.state not in LOST for each in found)

    def still_true(self, notice: Notice, now: datetime) -> bool:
        """Whether what the notice says holds at this moment; past the start of the block it has no purpose."""
        if notice.rule.valid_while is ValidWhile.CASE_OPEN:
            return not self.ended
        if notice.appointment_id is None or notice.rule.valid_while is ValidWhile.ALWAYS:
            return True
        appointment = self.appointment(notice.appointment_id)
        if self.ended or appointment.revision != notice.revision or now >= appointment.block_start:
            return False
        match notice.rule.valid_while:
            case ValidWhile.OFFERED:
                return appointment.state is AppointmentState.OFFERED and appointment.attempt == notice.attempt
            case ValidWhile.UNANSWERED:
                unanswered = appointment.state in (AppointmentState.OFFERED, AppointmentState.REMINDED)
                return unanswered and appointment.attempt == notice.attempt
            case ValidWhile.CONFIRMED_AND_READY:
                return appointment.state is AppointmentState.CONFIRMED and self._is_ready(appointment.work_order_id)
        return appointment.state is not AppointmentState.OVER

    def suppress_waiting(
        self, cause: str, now: datetime, appointment_id: UUID | None = None, *, lasting: bool = True
    ) -> list[Notice]:
        """What waits for this customer (about this appointment) stays unsent; what is true for ever may be spared."""
        stopped = [
            each
            for each in self.waiting()
            if each.is_for_customer
            and appointment_id in (None, each.appointment_id)
            and (lasting or each.rule.valid_while is not ValidWhile.ALWAYS)
        ]
        for each in stopped:
            each.suppress(cause, now)
        return stopped

    def pull_letters(self, now: datetime, concerned: Callable[[Notice], bool]) -> list[Letter]:
        """Letters that are not printed yet are called back; gives those that the print shop has already."""
        notices = [
            each
            for each in self.notices
            if each.channel is Channel.LETTER and each.state is NoticeState.SENDING and concerned(each)
        ]
        for each in notices:
            each.pull(now)
        return [letter for each in notices for letter in self.letters_of(each) if letter.pull()]

    def purge(self, *, everything: bool) -> None:
        """No name, number, address or text of the customer stays. Hashes, dates and states do."""
        self.contacts.clear()
        self.purged = True
        for notice in self.notices:
            if notice.text is not None and notice.is_for_customer:
                notice.text = PURGED
        for comment in self.comments:
            if everything or comment.visibility is Visibility.CUSTOMER:
                comment.text = PURGED

    def may_be_texted(self) -> bool:
        """Whether a text makes sense: some work order stands where the customer has something to hear (S3-19)."""
        return any(each.state in TEXTABLE for each in self.work_orders)

    def current_appointment(self) -> Appointment | None:
        """The appointment of the newest attempt that is not over."""
        going = [each for each in self.appointments if each.state is not AppointmentState.OVER]
        return max(going, key=lambda each: each.sequence, default=None)

    def open_notices(self) -> Iterable[Notice]:
        return [each for each in self.notices if each.state not in FINAL]

    def _is_ready(self, work_order_id: UUID) -> bool:
        return any(each.work_order_id == work_order_id and each.state == "READY" for each in self.work_orders)
