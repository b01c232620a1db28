"""What notification_service tells: notices sent and failed, letters, replies, opt-outs."""

from types import MappingProxyType

from contracts.codes import BookingChannel, Channel, Permanence, State
from contracts.notices import (
    CustomerOptedOut,
    LetterPrepared,
    LetterPrinted,
    NoticeDelivered,
    NoticeFailed,
    NoticeSent,
    ReplyReceived,
)
from services.case_service.domain.incoming.scene import LATE, UPD, Effects, Scene
from services.case_service.domain.orders import record_contact
from services.case_service.domain.planning import make_ready

STATUTORY = "statutory_37"
CONFIRMATION = "booking_confirmation"
OFFERS = frozenset({"N01", "N02"})
"""Rules of the notices that carry an offer."""
SENDS = MappingProxyType({State.PLANNING: ("T04", Channel.SMS), State.READY_TO_PRINT: ("T03", Channel.LETTER)})
"""In which state the sending of an offer by which channel is which step."""
UNDER_WAY = frozenset(
    {State.OPEN, State.PLANNING, State.READY_TO_PRINT, State.AWAITING_REPLY, State.MANUAL_FOLLOW_UP, State.READY}
)


def sent(scene: Scene[NoticeSent]) -> str:
    """The vendor took a notice. If it carries the open offer, the customer is being asked now."""
    order, event = scene.order, scene.event
    if event.template == STATUTORY:
        return scene.note("statutory_notice", sent_on=event.sent_on.isoformat())
    if order.state in SENDS:
        move, channel = SENDS[order.state]
        carries_offer = order.pending is not None and event.channel is channel and event.attempt == order.offer
        if not carries_offer:
            return LATE
        return _asked(scene, move)
    if order.state is State.MANUAL_FOLLOW_UP and event.template == CONFIRMATION:
        if scene.hindered("G5", "G6", "G7"):
            return UPD
        make_ready(scene.case, scene.act, order, "T11")
        return "T11"
    if order.state is State.MANUAL_FOLLOW_UP and event.rule_id in OFFERS and event.attempt == order.offer:
        return _out_after_all(scene)
    return scene.note("notice_sent", template=event.template) if order.state in UNDER_WAY else LATE


def _asked(scene: Scene[NoticeSent], move: str) -> str:
    scene.order.pending, scene.order.customer_knows = None, True
    taken = scene.step(move, State.AWAITING_REPLY)
    scene.note("offer_sent", notice_id=str(scene.event.notice_id), sent_on=scene.event.sent_on.isoformat())
    return taken


def _out_after_all(scene: Scene[NoticeSent] | Scene[LetterPrinted]) -> str:
    """The offer left before it was taken back: the customer knows, and of a withdrawal he must be told (G20)."""
    scene.note("offer_out_after_all")
    if not scene.order.customer_knows:
        scene.order.customer_knows = True
        scene.case.record(scene.act, scene.order, reason="offer_out_after_all")
        if scene.order.undecided:
            scene.case.hotlist(scene.act, scene.order, "tell_customer")
    return UPD


def failed(scene: Scene[NoticeFailed]) -> str:
    """A try failed: for good, then a person must act (T05); for now, then it is tried again by itself (T06)."""
    order, event = scene.order, scene.event
    if order.state not in {*SENDS, State.AWAITING_REPLY}:
        return scene.note("notice_failed", cause=event.cause, permanence=event.permanence)
    carries_offer = event.rule_id in OFFERS and event.attempt == order.offer
    if not carries_offer or (order.state in SENDS and order.pending is None):
        return LATE
    if event.permanence is Permanence.PERMANENT:
        return scene.follow_up("T05", "notice_failed", cause=event.cause)
    scene.case.remark(scene.act, order, "notice_failed", cause=event.cause, try_no=event.try_no)
    return scene.stay("T06", "notice_failed") if order.state in SENDS else UPD


def delivered(scene: Scene[NoticeDelivered]) -> str:
    """The text arrived; that changes nothing here."""
    return scene.note("notice_delivered", notice_id=str(scene.event.notice_id))


def prepared(scene: Scene[LetterPrepared]) -> str:
    """A letter waits for print; that changes nothing here."""
    return scene.note("letter_prepared", letter_id=str(scene.event.letter_id))


def printed(scene: Scene[LetterPrinted]) -> str:
    """T03: the letter goes out; its date stays in the history."""
    scene.note("letter_printed", printed_on=scene.event.printed_on.isoformat())
    if scene.order.state is State.READY_TO_PRINT:
        scene.order.pending, scene.order.customer_knows = None, True
        return scene.step("T03", State.AWAITING_REPLY)
    if scene.event.pulled_late:
        scene.hint("letter_went_out")
        return _out_after_all(scene) if scene.order.state is State.MANUAL_FOLLOW_UP else UPD
    return UPD


def opted_out(scene: Scene[CustomerOptedOut]) -> str:
    """No text messages any more; an offer by text can't be answered then."""
    case, order = scene.case, scene.order
    case.opted_out = case.opted_out or scene.event.channel is Channel.SMS
    if scene.event.channel is Channel.SMS and case.contact is not None and case.contact.sms_allowed:
        case.contact = case.contact.model_copy(update={"sms_allowed": False})
        record_contact(case)
    if order.state is State.AWAITING_REPLY:
        return scene.follow_up("T08", "opted_out")
    by_text = order.pending is not None and order.pending.channel is BookingChannel.SMS
    if order.state is State.PLANNING and by_text:
        return scene.follow_up("T05", "opted_out")
    return scene.note("opted_out", channel=scene.event.channel)


def replied(scene: Scene[ReplyReceived]) -> str:
    """Only recorded: booking_service decides. In AWAITING_REPLY it has ten minutes for that."""
    if scene.order.state is State.AWAITING_REPLY:
        scene.order.replied_at = scene.act.at
    event = scene.event
    return scene.note("reply", reading=event.reading, channel=event.channel, match=event.match)


EFFECTS: Effects = MappingProxyType(
    {
        NoticeSent: sent,
        NoticeFailed: failed,
        NoticeDelivered: delivered,
        LetterPrepared: prepared,
        LetterPrinted: printed,
        CustomerOptedOut: opted_out,
        ReplyReceived: replied,
    }
)
