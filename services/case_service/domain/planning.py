"""Moves that prepare a visit: planning, offering, confirming by hand, holding, assigning, flags (T01–T17, T32)."""

from contracts.cases import BookingRequested
from contracts.codes import Blocker, BookingChannel, ExceptionType, Flag, State
from contracts.ids import AppointmentId, Code
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.edits import set_flags
from services.case_service.domain.exceptions import end_all
from services.case_service.domain.guards import Ask, return_date_fits
from services.case_service.domain.work_order import PendingOffer, WorkOrder
from services.case_service.errors import Blocked, NotPlanned, ReasonMissing, ResultInvalid, ReturnDateInvalid


def start_planning(ask: Ask, _: Code) -> None:
    """T01: a planner begins."""
    if ask.request.responsible:
        ask.order.responsible = ask.request.responsible
    ask.case.step(ask.act, ask.order, "T01", State.PLANNING)


def prepare_letter(ask: Ask, _: Code) -> None:
    """T02: the slot is offered by letter; it goes out when it is printed."""
    _count_offer(ask.act, ask.order, BookingChannel.LETTER)
    ask.case.step(ask.act, ask.order, "T02", State.READY_TO_PRINT)
    _request_booking(ask.case, ask.order, BookingChannel.LETTER)


def send_booking(ask: Ask, _: Code) -> None:
    """T04 asks: the order moves when the message is out."""
    _count_offer(ask.act, ask.order, BookingChannel.SMS)
    ask.case.record(ask.act, ask.order, reason="booking_requested")
    _request_booking(ask.case, ask.order, BookingChannel.SMS)


def follow_up_manually(ask: Ask, choice: Code) -> None:
    """T10, T32: a person takes it from here; from PLANNING also to make the offer by phone."""
    by_phone = ask.order.state is State.PLANNING and ask.request.channel is BookingChannel.PHONE
    ask.order.pending = None
    if by_phone:
        _slot(ask.order)
        ask.order.offer += 1
    ask.case.step(ask.act, ask.order, choice, State.MANUAL_FOLLOW_UP, reason=ask.request.code or "other")
    if by_phone:
        _request_booking(ask.case, ask.order, BookingChannel.PHONE)


def send_to_execution(ask: Ask, _: Code) -> None:
    """T12: agreed on the phone or by a reply that a person understood; no text goes out."""
    make_ready(ask.case, ask.act, ask.order, "T12", ask.request.code or "phone_call")


def make_ready(case: Case, act: Act, order: WorkOrder, move: Code, reason: Code | None = None) -> None:
    """T07, T11–T13: the appointment stands, and its technician sees it."""
    order.dispatched_to, order.customer_knows = order.responsible, True
    order.pending = order.replied_at = None
    case.step(act, order, move, State.READY, reason=reason)
    end_all(case, act, (ExceptionType.REFUSAL,))  # of an earlier attempt: this one is agreed


def put_on_hold(ask: Ask, _: Code) -> None:
    """T15: customer or site is not available until about that day."""
    order = ask.order
    order.hold_until, order.pending, order.replied_at = ask.request.return_on, None, None
    if "responsible" in ask.request.model_fields_set:
        order.responsible = ask.request.responsible
    ask.case.step(ask.act, order, "T15", State.ON_HOLD, reason=ask.request.code or "other")
    ask.case.release_material(order, "on_hold")


def contact_made(ask: Ask, _: Code) -> None:
    """T16: somebody spoke with the customer."""
    ask.order.hold_until = None
    ask.case.step(ask.act, ask.order, "T16", State.MANUAL_FOLLOW_UP, reason=ask.request.code)


def plan_again(ask: Ask) -> None:
    """T17: back to planning; an offer that is out is void."""
    ask.order.hold_until = ask.order.pending = ask.order.replied_at = None
    ask.case.step(ask.act, ask.order, "T17", State.PLANNING, reason=ask.request.code)


def assign(ask: Ask, _: Code) -> None:
    """Name or clear who is responsible; times are booking_service's."""
    given = ask.request.model_fields_set
    if not given & {"responsible", "company_id"} and not ask.request.to_me:
        raise NotPlanned("Name `responsible`, `company_id` or `to_me`.", fields=["responsible", "company_id", "to_me"])
    if ask.request.to_me and ask.act.me is None:
        raise NotPlanned("You are no technician: name `responsible`.", fields=["responsible"])
    if "responsible" in given or ask.request.to_me:
        ask.order.responsible = ask.act.me if ask.request.to_me else ask.request.responsible
        if ask.order.state is State.READY:
            ask.order.dispatched_to = ask.order.responsible
    if "company_id" in given:
        ask.order.company_id = ask.request.company_id
    ask.case.record(ask.act, ask.order, reason="assigned")


def set_flag(ask: Ask, _: Code) -> None:
    """Set or clear a flag of the case, a blocker of the order, or the return date of a hold."""
    request, order = ask.request, ask.order
    if request.return_on is not None:
        if order.state is not State.ON_HOLD:
            raise ReturnDateInvalid("Only an order on hold has a return date.")
        if objection := return_date_fits(request.return_on, ask.act.today):
            raise objection
        order.hold_until = request.return_on
    elif request.blocker is not None:
        _block(ask, request.blocker)
    elif request.flag is not None:
        _flag(ask, request.flag)
    else:
        raise ResultInvalid("Name a flag, a blocker or a return date.", fields=["flag", "blocker", "return_on"])
    ask.case.record(ask.act, order, reason="flagged")


def acknowledge_change(ask: Ask, _: Code) -> None:
    """Somebody saw what the partner changed: the order goes back to its technician."""
    ask.order.blockers = without(ask.order, Blocker.MASTER_DATA_CHANGED)
    if not any(Blocker.MASTER_DATA_CHANGED in order.blockers for order in ask.case.unclosed):
        end_all(ask.case, ask.act, (ExceptionType.MASTER_DATA_CONFLICT,))
    ask.case.record(ask.act, ask.order, reason="acknowledged")


def _block(ask: Ask, blocker: Blocker) -> None:
    text = (ask.request.text or "").strip()
    if ask.request.on and not text:
        raise ReasonMissing("A blocker needs words that say why.", fields=["text"])
    if blocker is Blocker.MASTER_DATA_CHANGED:
        raise Blocked(f"{blocker} comes from the partner and ends with acknowledge_change.", blockers=[blocker])
    if blocker is Blocker.PERMIT_OPEN and ask.case.open_permits:
        raise Blocked(f"{blocker} ends with its permits: {', '.join(ask.case.open_permits)}.", blockers=[blocker])
    ask.order.blockers = without(ask.order, blocker) | ({blocker: text} if ask.request.on else {})


def without(order: WorkOrder, blocker: Blocker) -> dict[Blocker, str]:
    """The other blockers of an order."""
    return {name: text for name, text in order.blockers.items() if name != blocker}


def _flag(ask: Ask, flag: Flag) -> None:
    kept = frozenset(each for each in ask.case.flags if each is not flag)
    text = ask.request.text if flag is Flag.IMPORTANT else ask.case.flag_text
    set_flags(ask.case, ask.act, kept | {flag} if ask.request.on else kept, text)


def _slot(order: WorkOrder) -> tuple[AppointmentId, int]:
    """The appointment that is to be offered, and its revision."""
    if order.appointment_id is None or order.revision is None:
        raise NotPlanned("Missing: appointment.", fields=["appointment"])
    return order.appointment_id, order.revision


def _count_offer(act: Act, order: WorkOrder, channel: BookingChannel) -> None:
    _slot(order)
    order.offer += 1
    order.pending = PendingOffer(channel=channel, asked_at=act.at)


def _request_booking(case: Case, order: WorkOrder, channel: BookingChannel) -> None:
    appointment, revision = _slot(order)
    case.told.append(
        BookingRequested(
            case_id=case.case_id,
            work_order_id=order.work_order_id,
            sequence=order.sequence,
            appointment_id=appointment,
            revision=revision,
            attempt=order.offer,
            channel=channel,
        )
    )
