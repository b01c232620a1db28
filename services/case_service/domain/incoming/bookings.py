"""What booking_service tells: slots, offers, confirmations, questions, releases."""

from types import MappingProxyType

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
    AwardAnswered,
    BookableFromSet,
    Slot,
    WorkOrderAwarded,
)
from contracts.codes import AwardAnswer, ConfirmedBy, QuestionCause, State
from services.case_service.domain.announcing import announce
from services.case_service.domain.entries import Bookable
from services.case_service.domain.flows import request_material
from services.case_service.domain.incoming.scene import LATE, UPD, Effects, Scene
from services.case_service.domain.planning import make_ready
from services.case_service.domain.work_order import WorkOrder

ASKS_FOR_A_PERSON = frozenset(
    {QuestionCause.CONTACT, QuestionCause.DECLINE, QuestionCause.UNCLEAR, QuestionCause.REBOOK_REQUESTED}
)
"""Questions that take a confirmed appointment back to a person (T32)."""


def set_bookable(scene: Scene[BookableFromSet]) -> str:
    """The newest word counts. A notice that is missing is announced (A09)."""
    case, event = scene.case, scene.event
    case.bookable = Bookable(
        notice_required=event.notice_required, bookable_from=event.bookable_from, notice_on=event.notice_on
    )
    missing = event.notice_required and event.bookable_from is None
    if missing and case.flow.notice and not case.announced and scene.order.state is State.OPEN:
        announce(case, scene.act, statutory=True)
    return UPD


def propose(scene: Scene[AppointmentProposed]) -> str:
    """A slot was set aside: technician and time are known, the material can be asked for."""
    _take_slot(scene.order, scene.event)
    taken = UPD
    if scene.order.state is State.MANUAL_FOLLOW_UP:
        taken = scene.stay("T14")
    else:
        scene.case.record(scene.act, scene.order, reason="slot_proposed")
    if not scene.order.material_requested:
        request_material(scene.case, scene.act, scene.order)
    return taken


def move_slot(scene: Scene[AppointmentMoved]) -> str:
    """Another time or technician; unless the customer agreed, somebody must talk to him."""
    order, event = scene.order, scene.event
    _take_slot(order, event)
    if order.state is State.MANUAL_FOLLOW_UP:
        return scene.stay("T14")
    if order.state is State.READY_TO_PRINT or (order.state is not State.PLANNING and not event.agreed):
        return scene.follow_up("T32", "slot_moved")
    if order.state is State.PLANNING and not event.agreed:
        order.pending = None
    if order.state is State.READY:
        order.dispatched_to = order.responsible
    scene.case.record(scene.act, order, reason="slot_moved")
    return UPD


def note_offer(scene: Scene[AppointmentOffered]) -> str:
    """booking_service took the request; now the sending is waited for."""
    pending = scene.order.pending
    if pending and scene.event.attempt == scene.order.offer:
        scene.order.pending = pending.model_copy(update={"offered_at": scene.act.at})
    return scene.note("offer_taken", channel=scene.event.channel)


def confirm(scene: Scene[AppointmentConfirmed]) -> str:
    """The customer, or staff for him, agreed to this very time."""
    order, event, state = scene.order, scene.event, scene.order.state
    if state is State.READY:
        return scene.note("confirmed_again", by=event.by)
    implied = {State.PLANNING: "T04", State.READY_TO_PRINT: "T03"}.get(state)
    if order.undecided:
        scene.hint("tell_customer")
    if (implied and order.pending is None) or scene.hindered("G5", "G6", "G7"):
        return LATE
    if implied:  # the confirmation overtook the word that the offer is out
        order.pending = None
        scene.step(implied, State.AWAITING_REPLY, "implied")
    move = _confirming(event) if state is State.MANUAL_FOLLOW_UP else "T07"
    make_ready(scene.case, scene.act, order, move, "late_reply" if move == "T13" else None)
    return f"{implied}+{move}" if implied else move


def _confirming(event: AppointmentConfirmed) -> str:
    if event.by is not ConfirmedBy.STAFF:
        return "T13"
    return "T11" if event.notice else "T12"


def question(scene: Scene[AppointmentQuestioned]) -> str:
    """An answer that does not confirm, or an offer that may not be made."""
    state, event = scene.order.state, scene.event
    said = {
        "cause": event.cause,
        "suggestion": event.suggestion,
        "problem": event.code,
        "first_possible": event.first_possible.isoformat() if event.first_possible else None,
    }
    if state in {State.PLANNING, State.READY_TO_PRINT}:
        refused = event.cause is QuestionCause.OFFER_REFUSED
        return scene.follow_up("T05", "offer_refused", **said) if refused else LATE
    if state is State.AWAITING_REPLY:
        return scene.follow_up("T08", "question", **said)
    if state is State.READY and event.cause in ASKS_FOR_A_PERSON:
        return scene.follow_up("T32", "question", **said)
    if scene.order.undecided:
        scene.hint("tell_customer")
    return scene.note("question", **said)


def note_award(scene: Scene[WorkOrderAwarded]) -> str:
    """A company is to do it."""
    scene.order.company_id = scene.event.company_id
    return scene.note("awarded")


def note_award_answer(scene: Scene[AwardAnswered]) -> str:
    """The company accepted, or it does not do it after all."""
    if scene.event.answer is not AwardAnswer.ACCEPTED and scene.order.company_id == scene.event.company_id:
        scene.order.company_id = None
    return scene.note("award_answered", answer=scene.event.answer)


def overdue(scene: Scene[AnswerOverdue]) -> str:
    """T09: nobody answered in time; a reminder goes out, and a person looks after it."""
    return scene.follow_up("T09", "no_answer")


def release(scene: Scene[AppointmentReleased]) -> str:
    """The slot is gone. Unless we caused that ourselves, somebody must find another."""
    order, event = scene.order, scene.event
    kept = order.responsible if order.state is State.ON_HOLD else None
    order.clear_plan()
    order.responsible = kept
    if order.state in {State.READY_TO_PRINT, State.AWAITING_REPLY, State.READY} and not event.reason.caused_by_case:
        return scene.follow_up("T32", "slot_released", cause=event.reason)
    order.pending = None
    scene.case.record(scene.act, order, reason="slot_released")
    return UPD


def note_end(scene: Scene[AppointmentKept]) -> str:
    """The appointment is over; the report said it already."""
    return scene.note("appointment_ended", sub_reason=scene.event.sub_reason)


def _take_slot(order: WorkOrder, slot: Slot) -> None:
    order.responsible = slot.technicians[0] if slot.technicians else None
    order.start, order.estimate, order.window = slot.block_start, slot.block_minutes, slot.window
    order.appointment_id, order.revision, order.company_id = slot.appointment_id, slot.revision, slot.company_id


EFFECTS: Effects = MappingProxyType(
    {
        BookableFromSet: set_bookable,
        AppointmentProposed: propose,
        AppointmentMoved: move_slot,
        AppointmentOffered: note_offer,
        AppointmentConfirmed: confirm,
        AppointmentQuestioned: question,
        WorkOrderAwarded: note_award,
        AwardAnswered: note_award_answer,
        AnswerOverdue: overdue,
        AppointmentReleased: release,
        AppointmentKept: note_end,
        AppointmentMissed: note_end,
    }
)
