"""How a notice leaves the house: planned, held at a gate, handed over, and what became of it."""

from collections.abc import Iterable
from uuid import UUID

from contracts.codes import Channel, Direction, MessageChannel, Visibility
from contracts.event import Event
from contracts.ids import CaseId, MessageId, NoticeId
from contracts.messages import MessageRecorded
from kit.handlers import Handlers, Sent, Timer
from kit.store import Ref, Unit
from services.notification_service import metrics
from services.notification_service.channels.seven import MEANING, VENDOR
from services.notification_service.channels.sms import RETRY, WITHHELD, Message
from services.notification_service.domain import segments
from services.notification_service.domain.correspondence import Correspondence
from services.notification_service.domain.desk import (
    Desk,
    Fail,
    Hold,
    Later,
    Send,
    Suppress,
    Text,
    Verdict,
    Wait,
)
from services.notification_service.domain.inbound import Delivery, StaffContact
from services.notification_service.domain.lines import Line
from services.notification_service.domain.notices import WAITING, Notice, NoticeState, Subject
from services.notification_service.domain.rules import Rule
from services.notification_service.errors import MissingVariable

TIMER, EFFECT = "notice_due", "sms"
LETTER = "letter"
"""The effect that writes a letter; what follows is told in printing.py."""


def plan(unit: Unit, case: Correspondence, rule: Rule, key: str, about: Subject) -> Notice | None:
    """A new notice; None if this one was planned before (a rule heard twice, a replay)."""
    if case.has_notice(key):
        return None
    notice = Notice.planned(unit.new_id(), case.case_id, key, rule, about, unit.now)
    case.notices.append(notice)
    return notice


def dispatch(unit: Unit, desk: Desk, case: Correspondence, notice: Notice) -> None:
    """Ask every gate, and do what they say: wait, hold, stop, or hand the notice over."""
    line, staff = line_of(unit, case), _staff(unit, notice)
    verdict: Verdict = desk.verdict(notice, case, line, staff, unit.now)
    while isinstance(verdict, Fail) and (following := notice.next_channel()):
        notice.channel = following  # nothing was sent yet: the reason was known before
        verdict = desk.verdict(notice, case, line, staff, unit.now)
    if isinstance(verdict, Send) and not notice.sendings:
        verdict = desk.over_budget(notice, line, unit.now) or _readable(desk, case, notice, staff) or verdict
    match verdict:
        case Wait():
            return
        case Later(at):
            notice.due_at = at
            _set_timer(unit, notice)
        case Hold(gate, until):
            notice.hold(gate, until)
            _set_timer(unit, notice)
        case Suppress(cause):
            notice.suppress(cause, unit.now)
            _count(notice)
        case Fail(cause):
            tell(case, notice.failed(cause, unit.now), notice)
        case Send():
            _hand_over(unit, line, notice)


def release(unit: Unit, desk: Desk, case_id: UUID, notice_id: UUID, reference: str) -> Message | None:
    """The text of a notice that may go out at this very moment; None if a gate has closed meanwhile."""
    case = unit.get(Correspondence, str(case_id))
    notice = case.notice(notice_id)
    verdict = at_last(unit, desk, case, notice, reference)
    if verdict is None:
        return None
    text = desk.render(notice, case, _staff(unit, notice))
    keep(notice, text)
    notice.segments = segments.measure(text.sent).segments
    if (dialogue := case.dialogue_about(notice)) is not None:
        operator = desk.operators.get(case.operator)
        dialogue.number_hash = desk.hash(verdict.to)
        dialogue.link_hash = desk.hash(desk.link_token(dialogue)) if operator.portal_url else None
    return Message(verdict.to, desk.operators.get(case.operator).sender, text.sent)


def at_last(unit: Unit, desk: Desk, case: Correspondence, notice: Notice, reference: str) -> Send | None:
    """Every gate once more, right before a notice leaves the house; None: it is withheld."""
    if notice.reference != reference or notice.state not in (NoticeState.SENDING, NoticeState.UNKNOWN):
        return None
    verdict = desk.verdict(notice, case, line_of(unit, case), _staff(unit, notice), unit.now)
    return verdict if isinstance(verdict, Send) else None


def keep(notice: Notice, text: Text) -> None:
    """What a notice says, without its code, and by which template."""
    notice.text, notice.language = text.kept, text.template.language
    notice.template_version = text.template.version


def needs_of(unit: Unit, case_id: str, notice_id: str | None = None) -> Iterable[Ref]:
    """What must be loaded to send: the case, its number's line, and whom of the staff its notices are for."""
    yield Correspondence, case_id
    case = unit.find(Correspondence, case_id)
    if case is None:
        return
    if case.number_hash is not None:
        yield Line, case.number_hash
    for notice in case.open_notices():
        if notice.recipient_id is not None and notice_id in (None, str(notice.notice_id)):
            yield StaffContact, str(notice.recipient_id)


def tell(case: Correspondence, facts: Iterable[Event], notice: Notice) -> None:
    """Facts of a notice, in the order in which they became true."""
    facts = list(facts)
    case.told.extend(facts)
    if facts:
        _count(notice)


def register(handlers: Handlers, desk: Desk) -> None:
    """What falls due, and what became of each try."""

    @handlers.due(TIMER, needs=lambda timer, unit: needs_of(unit, timer.payload["case_id"]))
    def send_when_due(timer: Timer, unit: Unit) -> None:
        """A planned or held notice: its gates are asked now."""
        case = unit.get(Correspondence, timer.payload["case_id"])
        notice = case.notice(UUID(timer.payload["notice_id"]))
        if notice.state in WAITING:
            dispatch(unit, desk, case, notice)

    @handlers.sent(EFFECT, needs=_needs_of_outcome)
    def record_outcome(effect: Sent, unit: Unit) -> None:
        """One try has ended; a copy of an earlier handing over says nothing about this one."""
        case = unit.get(Correspondence, effect.payload["case_id"])
        notice = case.notice(UUID(effect.payload["notice_id"]))
        if notice.reference != effect.key:
            return
        notice.tries += effect.cause != WITHHELD
        match effect.state:
            case "done":
                record_sent(unit, desk, case, notice, effect.reference)
            case "ready":
                tell(case, notice.stumbled(effect.cause or "connection"), notice)
            case "failed" if effect.cause == WITHHELD:
                if notice.state in (NoticeState.SENDING, NoticeState.UNKNOWN):
                    dispatch(unit, desk, case, notice)
            case "failed":
                tell(case, notice.failed(effect.cause or "blocked_by_vendor", unit.now), notice)
            case _:
                _lose(case, notice, effect, unit)


def record_sent(unit: Unit, desk: Desk, case: Correspondence, notice: Notice, provider_id: str | None) -> None:
    """The vendor took it: that is told with the text, and receipts that came before are read now."""
    on = desk.operators.get(case.operator).calendar.local(unit.now).date()
    told = notice.sent(provider_id, unit.now, on)
    tell(case, told, notice)
    if told:
        metrics.SEND_SECONDS.labels(notice.rule_id).observe((unit.now - notice.due_at).total_seconds())
        record_text(unit, case, notice)
    if provider_id is None:
        return
    key = f"{VENDOR}:{provider_id}"
    delivery = unit.find(Delivery, key)
    if delivery is None:
        unit.add(Delivery(provider_key=key, case_id=case.case_id, notice_id=notice.notice_id))
        return
    delivery.case_id, delivery.notice_id = case.case_id, notice.notice_id
    for receipt in sorted(delivery.receipts, key=lambda each: each.number):
        apply_receipt(unit, desk, case, notice, provider_id, receipt.status)


def apply_receipt(unit: Unit, desk: Desk, case: Correspondence, notice: Notice, provider_id: str, status: str) -> None:
    """What the vendor says about a message moves its notice forward, or changes nothing."""
    unsent = not notice.was_taken
    on = desk.operators.get(case.operator).calendar.local(unit.now).date()
    match MEANING.get(status):
        case NoticeState.SENT:
            tell(case, notice.sent(provider_id, unit.now, on), notice)
        case NoticeState.DELIVERED:
            tell(case, notice.delivered(provider_id, unit.now, on), notice)
        case NoticeState.UNDELIVERED:
            tell(case, notice.undelivered(provider_id, unit.now), notice)
    if unsent and notice.sent_at is not None:
        record_text(unit, case, notice)


def record_text(unit: Unit, case: Correspondence, notice: Notice) -> None:
    """For the timeline; of what goes to staff, and after a purge, nothing is told."""
    metrics.SEGMENTS.inc(notice.segments or 0)
    if case.purged or notice.text is None or not notice.is_for_customer:
        return
    case.told.append(
        MessageRecorded(
            case_id=CaseId(case.case_id),
            work_order_id=notice.work_order_id,
            message_id=MessageId(unit.new_id()),
            direction=Direction.OUT,
            channel=MessageChannel(notice.channel),
            text=notice.text,
            language=notice.language,
            visibility=Visibility.CUSTOMER,
            notice_id=NoticeId(notice.notice_id),
        )
    )


def _needs_of_outcome(effect: Sent, unit: Unit) -> Iterable[Ref]:
    yield from needs_of(unit, effect.payload["case_id"], effect.payload["notice_id"])
    if effect.reference is not None:
        yield Delivery, f"{VENDOR}:{effect.reference}"


def _lose(case: Correspondence, notice: Notice, effect: Sent, unit: Unit) -> None:
    """Nobody knows whether the vendor took it. When he could not be asked to the last, a person decides."""
    notice.lost(effect.cause or "unknown", unit.now)
    if effect.attempts > len(RETRY):
        tell(case, notice.failed("outcome_unknown", unit.now), notice)


def _hand_over(unit: Unit, line: Line | None, notice: Notice) -> None:
    by_letter = notice.channel is Channel.LETTER
    if line is not None and notice.is_for_customer and not notice.sendings and not by_letter:
        line.take(unit.now)
    notice.hand_over()
    payload = {"case_id": str(notice.case_id), "notice_id": str(notice.notice_id)}
    unit.effect(LETTER if by_letter else EFFECT, notice.reference, payload)


def _readable(desk: Desk, case: Correspondence, notice: Notice, staff: StaffContact | None) -> Fail | None:
    try:
        desk.render(notice, case, staff)
    except MissingVariable:
        return Fail("template_error")
    return None


def _set_timer(unit: Unit, notice: Notice) -> None:
    unit.later(TIMER, notice.key, notice.due_at, case_id=str(notice.case_id), notice_id=str(notice.notice_id))


def line_of(unit: Unit, case: Correspondence) -> Line | None:
    """The line of the customer's number."""
    return unit.find(Line, case.number_hash) if case.number_hash is not None else None


def _staff(unit: Unit, notice: Notice) -> StaffContact | None:
    return unit.find(StaffContact, str(notice.recipient_id)) if notice.recipient_id is not None else None


def _count(notice: Notice) -> None:
    metrics.NOTICES.labels(notice.rule_id, notice.channel, notice.state, notice.cause or "").inc()
