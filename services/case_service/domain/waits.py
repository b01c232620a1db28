"""What a case waits for (lifecycle §11): which timers should run follows from its state, so none is forgotten."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from contracts.codes import BookingChannel, ExceptionType, Fact, State
from services.case_service.domain.act import Act, Policy
from services.case_service.domain.calendar import after_working_days, at_local
from services.case_service.domain.case import Case
from services.case_service.domain.entries import HandoverState, Wait
from services.case_service.domain.exceptions import raise_exception
from services.case_service.domain.states import Column
from services.case_service.domain.work_order import PendingOffer, WorkOrder


class Waiting(NamedTuple):
    """A timer that should run: its kind, its key and when it is due."""

    kind: str
    key: str
    due_at: datetime
    order: WorkOrder | None

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.key}"


MORNING = 6
URGENT = frozenset({State.READY, State.IN_PROGRESS})


def wanted(case: Case, policy: Policy) -> Iterator[Waiting]:
    """All timers that should run for this case as it stands now."""
    for order in case.unclosed:
        yield from _of_order(order, policy)
    for each in case.handovers:
        done = next((order for order in case.work_orders if order.work_order_id == each.work_order_id), None)
        waiting = each.state is HandoverState.WAITING and each.fact is Fact.EXCHANGE_COMPLETED
        if waiting and done and done.handed_over and done.handover == each.attempt:
            due = after_working_days(each.requested_at, policy.silent_days, policy.zone)
            yield Waiting("handover_silent", f"{case.case_id}/{each.attempt}", due, done)
    for reference in case.references:
        owed = reference.answer
        if owed and not reference.answered and reference.live:
            early = case.opened_at + (owed.answer_by - case.opened_at) * 0.8
            yield Waiting("answer_due", f"{case.case_id}/{reference.order_key}/80", early, None)
            yield Waiting("answer_due", f"{case.case_id}/{reference.order_key}/100", owed.answer_by, None)
    if case.announced and case.bookable and case.bookable.bookable_from and case.current.state is State.OPEN:
        due = at_local(case.bookable.bookable_from, 0, policy.zone)
        yield Waiting("notice_end", str(case.case_id), due, None)


def _of_order(order: WorkOrder, policy: Policy) -> Iterator[Waiting]:
    key = str(order.work_order_id)
    if order.pending:
        yield Waiting("booking_stuck", f"{key}/{order.offer}", _stuck_at(order.pending, policy), order)
    if order.state is State.AWAITING_REPLY and order.replied_at:
        yield Waiting("confirm_missing", f"{key}/{order.offer}", order.replied_at + policy.reply_decided_after, order)
    if order.state is State.READY and order.start is not None and order.estimate is not None:
        end = order.start + timedelta(minutes=order.estimate)
        yield Waiting("visit_unreported", key, end + policy.unreported_after, order)
    if order.column is Column.RESOLVED_WELL and order.resolved_at:
        due = after_working_days(order.resolved_at, policy.review_days, policy.zone)
        yield Waiting("review_overdue", key, due, order)
    if order.state is State.ON_HOLD and order.hold_until:
        yield Waiting("hold_return", key, at_local(order.hold_until, MORNING, policy.zone), order)
    if order.undecided and order.withdrawn_at:
        due = after_working_days(order.withdrawn_at, policy.decision_days, policy.zone)
        if order.came_from in URGENT:
            due = order.withdrawn_at + policy.urgent_decision_after
        yield Waiting("cancel_decision", key, due, order)


def _stuck_at(pending: PendingOffer, policy: Policy) -> datetime:
    if pending.offered_at is None:
        return pending.asked_at + policy.stuck_after
    days = policy.unsent_letter_days if pending.channel is BookingChannel.LETTER else policy.unsent_sms_days
    return after_working_days(pending.offered_at, days, policy.zone)


def _decide_reply(case: Case, act: Act, order: WorkOrder | None) -> None:
    if order:
        order.replied_at = None
        case.step(act, order, "T08", State.MANUAL_FOLLOW_UP, reason="reply_not_decided")


def _call_handover_silent(case: Case, act: Act, order: WorkOrder | None) -> None:
    if order:
        raise_exception(
            case,
            act,
            ExceptionType.HANDOVER_SILENT,
            order=order,
            reason="no_answer",
            fact=Fact.EXCHANGE_COMPLETED,
            attempt=order.handover,
        )


def _call_stuck(case: Case, act: Act, order: WorkOrder | None) -> None:
    if order:
        case.anomaly(act, order, "booking_stuck", attempt=order.offer)


def _nothing(_case: Case, _act: Act, _order: WorkOrder | None) -> None:
    """The phase follows by itself."""


def _list(code: str) -> Callable[[Case, Act, WorkOrder | None], None]:
    return lambda case, act, order: case.hotlist(act, order, code)


EFFECTS: Mapping[str, Callable[[Case, Act, WorkOrder | None], None]] = MappingProxyType(
    {
        "booking_stuck": _call_stuck,
        "confirm_missing": _decide_reply,
        "visit_unreported": _list("visit_not_reported"),
        "review_overdue": _list("review_overdue"),
        "hold_return": _list("hold_return"),
        "cancel_decision": _list("cancel_decision_overdue"),
        "handover_silent": _call_handover_silent,
        "notice_end": _nothing,
        "answer_due": _list("order_answer_due"),
    }
)
"""What each kind of timer does when it is due."""


def ring(case: Case, act: Act, kind: str, key: str, due_at: datetime) -> bool:
    """A timer fell due. False where it no longer applies: nothing happens then."""
    name = f"{kind}/{key}"
    running = {each.name: each for each in wanted(case, act.policy)}
    wait = case.waits.get(name)
    if name not in running or wait is None or wait.due_at != due_at:
        return False
    case.waits = case.waits | {name: wait.model_copy(update={"fired": True})}
    EFFECTS[kind](case, act, running[name].order)
    return True


def rearm(case: Case, policy: Policy) -> tuple[list[Waiting], list[str]]:
    """Compare the timers that should run with those that were set: what to set, and which names to cancel."""
    running = {each.name: each for each in wanted(case, policy)} if case.ending is None else {}
    new = [each for name, each in running.items() if name not in case.waits or case.waits[name].due_at != each.due_at]
    gone = [name for name, wait in case.waits.items() if name not in running and not wait.fired]
    kept = {name: wait for name, wait in case.waits.items() if name in running}
    case.waits = kept | {each.name: Wait(due_at=each.due_at) for each in new}
    return new, gone
