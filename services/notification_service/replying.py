"""How what comes in is understood: a receipt moves its notice, a reply finds its offer or waits for a person."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from contracts.codes import Channel, Direction, Match, MessageChannel, OptOutSource, Reading, Visibility
from contracts.ids import AppointmentId, CaseId, MessageId, ReplyId, WorkOrderId
from contracts.messages import MessageRecorded
from contracts.notices import CustomerOptedOut, ReplyReceived
from kit.handlers import Handlers, Timer
from kit.store import Ref, Unit
from services.notification_service import alerting, metrics, sending
from services.notification_service.channels import seven
from services.notification_service.domain import numbers, reading
from services.notification_service.domain.correspondence import Appointment, Correspondence
from services.notification_service.domain.desk import HIDDEN_CODE, Desk
from services.notification_service.domain.dialogues import Dialogue
from services.notification_service.domain.inbound import Delivery, Inbound, Reply, ReplyState
from services.notification_service.domain.lines import Line
from services.notification_service.domain.notices import PURGED, Subject
from services.notification_service.domain.rules import CLOSING
from services.notification_service.errors import AlreadyHandled, Unreadable

TIMER = "inbound_due"
COMMENT_WITHIN = timedelta(days=90)
"""An unmatched reply is shown at the newest case of its number, if that is not older than this."""

OTHER_NUMBER = "other_number"


def register(handlers: Handlers, desk: Desk) -> None:
    """A callback that was kept is read by a timer that is due at once."""

    @handlers.due(TIMER, needs=lambda timer, unit: _needs(timer, unit, desk))
    def read_callback(timer: Timer, unit: Unit) -> None:
        inbound = unit.get(Inbound, timer.key)
        try:
            found = seven.parse(inbound.body or b"")
        except Unreadable as error:
            inbound.error = str(error)
            unit.anomaly("unreadable_callback", f"callback/{inbound.inbound_id}")
            return
        if isinstance(found, seven.Dlr):
            inbound.parsed_as = "receipt"
            _take_receipt(unit, desk, found)
        else:
            inbound.parsed_as = "reply"
            _take_reply(unit, desk, inbound, found)


@dataclass(frozen=True, slots=True)
class Heard:
    """A text as it came in: who sent it, as far as that is a number, and what it says."""

    number: str | None
    number_hash: str | None
    code_hash: str | None
    read: reading.Read

    @classmethod
    def of(cls, desk: Desk, text: seven.Mo) -> "Heard":
        """The country of the first operator reads a sender that is no full number."""
        operator = desk.operators.get(None)
        number = numbers.sender(text.sender, operator.country)
        read = reading.read(text.text, exact_case=operator.exact_case)
        code_hash = desk.hash(read.code) if read.code else None
        return cls(number, desk.hash(number) if number else None, code_hash, read)


@dataclass(frozen=True, slots=True)
class Found:
    """The offer that a reply answers, and how that is known."""

    case: Correspondence
    appointment: Appointment
    revision: int
    attempt: int
    how: Match
    dialogue: Dialogue | None = None

    @classmethod
    def of(cls, case: Correspondence, dialogue: Dialogue, how: Match) -> "Found":
        """Of the offer that the dialogue belongs to, even if it is an older one: booking_service decides."""
        appointment = case.appointment(dialogue.appointment_id)
        return cls(case, appointment, dialogue.revision, dialogue.attempt, how, dialogue)

    @property
    def number_hash(self) -> str | None:
        return self.dialogue.number_hash if self.dialogue else None


def assign(unit: Unit, reply: Reply, case: Correspondence, appointment_id: UUID) -> None:
    """A person says where a waiting reply belongs: it is told like one that was matched."""
    if reply.state is not ReplyState.QUEUED:
        raise AlreadyHandled(f"this reply is {reply.state}; only one in the queue is assigned")
    appointment = case.appointment(appointment_id)
    _tell(unit, reply, Found(case, appointment, appointment.revision, appointment.attempt, Match.STAFF))


def dismiss(reply: Reply, reason: str) -> None:
    """A person says that a waiting reply belongs nowhere."""
    if reply.state is not ReplyState.QUEUED:
        raise AlreadyHandled(f"this reply is {reply.state}; only one in the queue is dismissed")
    reply.state, reply.dismissed_for = ReplyState.HANDLED, reason


def _needs(timer: Timer, unit: Unit, desk: Desk) -> Iterator[Ref]:
    """The callback; what it names; the cases behind that."""
    yield Inbound, timer.key
    inbound = unit.find(Inbound, timer.key)
    if inbound is None or inbound.body is None:
        return
    try:
        found = seven.parse(inbound.body)
    except Unreadable:
        return
    if isinstance(found, seven.Dlr):
        yield from _needs_of_receipt(unit, found)
    else:
        yield from _needs_of_reply(unit, desk, found)


def _needs_of_receipt(unit: Unit, found: seven.Dlr) -> Iterator[Ref]:
    if (case_key := _case_named_by(found.foreign_id)) is not None:
        yield Correspondence, case_key
    yield Delivery, f"{seven.VENDOR}:{found.msg_id}"
    delivery = unit.find(Delivery, f"{seven.VENDOR}:{found.msg_id}")
    if delivery is not None and delivery.case_id is not None:
        yield Correspondence, str(delivery.case_id)


def _needs_of_reply(unit: Unit, desk: Desk, found: seven.Mo) -> Iterator[Ref]:
    heard = Heard.of(desk, found)
    yield Reply, f"{seven.VENDOR}:{found.id}"
    if heard.code_hash is not None:
        yield Correspondence, heard.code_hash
    if heard.number_hash is None:
        return
    yield Line, heard.number_hash
    line = unit.find(Line, heard.number_hash)
    for case_id in line.cases if line else ():
        yield Correspondence, str(case_id)


def _case_named_by(reference: str | None) -> str | None:
    """Our reference names an appointment or a work order; the first is also a key of its case."""
    parts = (reference or "").split(":")
    return parts[1] if len(parts) > 2 else None


def _take_receipt(unit: Unit, desk: Desk, found: seven.Dlr) -> None:
    """A receipt counts once, moves its notice forward or changes nothing, and may come before we know whose it is."""
    key = f"{seven.VENDOR}:{found.msg_id}"
    delivery = unit.find(Delivery, key)
    if delivery is None:
        delivery = Delivery(provider_key=key)
        unit.add(delivery)
    if not delivery.hear(found.status, unit.now):
        return
    if delivery.case_id is None:
        _recognise(unit, delivery, found.foreign_id)
    if delivery.case_id is None or delivery.notice_id is None:
        return
    case = unit.get(Correspondence, str(delivery.case_id))
    sending.apply_receipt(unit, desk, case, case.notice(delivery.notice_id), found.msg_id, found.status)


def _recognise(unit: Unit, delivery: Delivery, reference: str | None) -> None:
    """The vendor repeats our reference: the receipt may be ahead of the answer to the sending."""
    case_key = _case_named_by(reference)
    case = unit.find(Correspondence, case_key) if case_key else None
    if case is not None and (notice := case.notice_of(reference)) is not None:
        delivery.case_id, delivery.notice_id = case.case_id, notice.notice_id


def _take_reply(unit: Unit, desk: Desk, inbound: Inbound, found: seven.Mo) -> None:
    """A reply is told once, at the offer that it answers; what cannot be matched waits in a visible queue."""
    key = f"{seven.VENDOR}:{found.id}"
    if unit.find(Reply, key) is not None:
        return
    heard = Heard.of(desk, found)
    line = unit.find(Line, heard.number_hash) if heard.number_hash else None
    cases = [case for each in (line.cases if line else ()) if (case := unit.find(Correspondence, str(each)))]
    reply = _new_reply(unit, inbound, found, heard, key)
    unit.add(reply)
    match = _matched(unit, heard, cases)
    if isinstance(match, str):
        _queue(unit, reply, cases, match)
        alerting.raise_queued(unit, desk, reply.reply_id, reply.case_id, match)
    else:
        if match.how is Match.CODE and match.number_hash not in (None, heard.number_hash):
            reply.hint = OTHER_NUMBER
        _tell(unit, reply, match)
    if reply.text == PURGED:
        inbound.purge()
    metrics.REPLIES.labels(reply.reading, reply.match or "none").inc()
    if heard.read.reading is Reading.STOP and line is not None:
        _opt_out(unit, desk, line, cases)


def _new_reply(unit: Unit, inbound: Inbound, found: seven.Mo, heard: Heard, key: str) -> Reply:
    return Reply(
        reply_id=unit.new_id(),
        provider_key=key,
        inbound_id=inbound.inbound_id,
        received_at=inbound.received_at,
        sender=heard.number or found.sender,
        text=_kept(found.text, heard.read),
        reading=heard.read.reading,
        confidence=heard.read.confidence,
        hint=heard.read.hint,
    )


def _kept(text: str, read: reading.Read) -> str:
    """The text without its code, and without what no database takes."""
    plain = f"{HIDDEN_CODE} {read.rest.strip()}".strip() if read.code else text
    return plain.replace("\x00", "")


def _matched(unit: Unit, heard: Heard, cases: Iterable[Correspondence]) -> Found | str:
    """The offer that a text answers, and how that is known; or why nobody can tell."""
    if heard.code_hash is not None:
        case = unit.find(Correspondence, heard.code_hash)
        if case is not None and (dialogue := case.dialogue_of(heard.code_hash)) is not None:
            return Found.of(case, dialogue, Match.CODE)
        metrics.CODES_WRONG.inc()
    found = [(case, dialogue) for case in cases for dialogue in case.open_dialogues(unit.now)]
    if len(found) == 1:
        return Found.of(*found[0], Match.NUMBER_UNIQUE)
    return "ambiguous" if found else "unmatched"


def _tell(unit: Unit, reply: Reply, found: Found) -> None:
    """The reply without its text for everybody, the text for the timeline."""
    case, appointment = found.case, found.appointment
    reply.match, reply.state = found.how, ReplyState.TOLD
    reply.case_id, reply.appointment_id = case.case_id, appointment.appointment_id
    case.told.append(
        ReplyReceived(
            case_id=CaseId(case.case_id),
            work_order_id=WorkOrderId(appointment.work_order_id),
            sequence=appointment.sequence,
            appointment_id=AppointmentId(appointment.appointment_id),
            revision=found.revision,
            attempt=found.attempt,
            reply_id=ReplyId(reply.reply_id),
            channel=Channel.SMS,
            reading=reply.reading,
            confidence=reply.confidence,
            match=found.how,
            hint=reply.hint,
        )
    )
    _record_text(unit, reply, case, WorkOrderId(appointment.work_order_id))


def _queue(unit: Unit, reply: Reply, cases: list[Correspondence], reason: str) -> None:
    """Visible to people; at the newest case of this number as well, so that somebody who looks there finds it."""
    reply.queue(reason)
    recent = [case for case in cases if case.begun_at > unit.now - COMMENT_WITHIN]
    if recent:
        newest = max(recent, key=lambda case: case.begun_at)
        reply.case_id = newest.case_id
        _record_text(unit, reply, newest, None)


def _record_text(unit: Unit, reply: Reply, case: Correspondence, work_order_id: WorkOrderId | None) -> None:
    case.replies = (*case.replies, reply.reply_id)
    if case.purged:
        reply.purge()
    case.told.append(
        MessageRecorded(
            case_id=CaseId(case.case_id),
            work_order_id=work_order_id,
            message_id=MessageId(unit.new_id()),
            direction=Direction.IN,
            channel=MessageChannel.SMS,
            text=reply.text,
            visibility=Visibility.CUSTOMER,
        )
    )


def _opt_out(unit: Unit, desk: Desk, line: Line, cases: Iterable[Correspondence]) -> None:
    """STOP: no more texts to this number, told at every open case that has it; one last text says so."""
    closing = None
    for case in cases:
        operator = desk.operators.get(case.operator)
        line.opt_out(operator.code, unit.now, OptOutSource.REPLY)
        if case.ended:
            continue
        for stopped in case.suppress_waiting("opted_out", unit.now):
            unit.never(sending.TIMER, stopped.key)
        opted_out = CustomerOptedOut(
            case_id=CaseId(case.case_id), channel=Channel.SMS, since=unit.now, source=OptOutSource.REPLY
        )
        case.told.append(opted_out)
        closing = case if operator.closing_text else closing
    if closing is not None:
        _say_goodbye(unit, desk, line, closing)


def _say_goodbye(unit: Unit, desk: Desk, line: Line, case: Correspondence) -> None:
    key = f"{CLOSING.rule_id}:{case.case_id}:{line.number_hash[:12]}:{CLOSING.audience}"
    notice = sending.plan(unit, case, CLOSING, key, Subject())
    if notice is not None:
        sending.dispatch(unit, desk, case, notice)
