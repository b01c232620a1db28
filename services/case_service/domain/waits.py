"""What a case waits for (lifecycle §11): which timers should run follows from its state, so none is forgotten."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from contracts.codes import BookingChannel, ExceptionType, Fact, PurgeReason, PurgeScope, State, WorkOrderKind
from kit.workdays import after_working_days, working_days_after
from services.case_service.domain import sla
from services.case_service.domain.act import Act, Policy
from services.case_service.domain.calendar import at_local, local_day
from services.case_service.domain.case import Case
from services.case_service.domain.entries import HandoverState, SlaState, Wait
from services.case_service.domain.exceptions import raise_exception
from services.case_service.domain.privacy import purge
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

    @property
    def subject(self) -> str:
        """What it is about: the first part of its key."""
        return self.key.partition("/")[0]

    @property
    def step(self) -> str:
        """Which of several timers about one thing: the last part of its key."""
        return self.key.rpartition("/")[2]


LATE_STEP = "late"
FOLLOW_UP_LATE_DAYS = 5
ESCALATIONS = (0, 2, 5)
"""Working days past due at which an open exception goes one level up (lifecycle §5)."""
AGES: Mapping[State, int] = MappingProxyType(
    {State.AWAITING_REPLY: 5, State.MANUAL_FOLLOW_UP: 2, State.REJECTED_BY_MDM: 1}
)
"""Days in a state after which an order is on the hotlist of the morning (A11)."""
FOLLOW_UPS = frozenset({WorkOrderKind.COMMS_REPAIR, WorkOrderKind.REWORK})
URGENT = frozenset({State.READY, State.IN_PROGRESS})


def wanted(case: Case, policy: Policy) -> Iterator[Waiting]:
    """All timers that should run for this case as it stands now."""
    if case.ended_at is not None and case.purged is None and not case.unclosed:
        yield Waiting("purge_due", str(case.case_id), case.ended_at + policy.purge_after, None)
    yield from _of_exceptions(case, policy)
    if case.ending is not None:
        return
    for order in case.unclosed:
        yield from _of_order(case, order, policy)
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
    if not case.terminal:
        yield from _of_targets(case, policy)


def _of_exceptions(case: Case, policy: Policy) -> Iterator[Waiting]:
    for each in case.exceptions:
        for level, days in enumerate(ESCALATIONS if each.open else ()):
            due = _morning(working_days_after(each.due_on, days), policy)
            yield Waiting("exception_due", f"{each.exception_id}/{level}", due, None)


def _of_targets(case: Case, policy: Policy) -> Iterator[Waiting]:
    at_risk, breach = sla.due(case, policy.zone)
    key = f"{case.case_id}/{case.sla_target.version}"
    if at_risk and case.sla_state is SlaState.OK:
        yield Waiting("sla_at_risk", key, at_risk, None)
    if breach and case.sla_state is not SlaState.BREACHED:
        yield Waiting("sla_breach", key, breach, None)
    if case.due_on is not None:
        day = case.due_on + timedelta(days=1)
        yield Waiting("daily_hotlist", f"{case.case_id}/overdue", _morning(day, policy), None)


def _of_order(case: Case, order: WorkOrder, policy: Policy) -> Iterator[Waiting]:
    key = str(order.work_order_id)
    if (days := AGES.get(order.state)) is not None:
        yield Waiting("daily_hotlist", f"{key}/{order.state}", _next_morning(case.since(order), days, policy), order)
    if order.predecessor is not None and order.kind in FOLLOW_UPS and order.due_on is not None:
        late = working_days_after(order.due_on, FOLLOW_UP_LATE_DAYS)
        yield Waiting("follow_up_due", f"{key}/due", _morning(order.due_on, policy), order)
        yield Waiting("follow_up_due", f"{key}/{LATE_STEP}", _morning(late, policy), order)
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
        yield Waiting("hold_return", key, _morning(order.hold_until, policy), order)
    if order.undecided and order.withdrawn_at:
        due = after_working_days(order.withdrawn_at, policy.decision_days, policy.zone)
        if _was_urgent(case, order):
            due = order.withdrawn_at + policy.urgent_decision_after
        yield Waiting("cancel_decision", key, due, order)


def _was_urgent(case: Case, order: WorkOrder) -> bool:
    """The withdrawal met it READY or IN_PROGRESS; that it came from there earlier does not press."""
    taken = [line for line in case.history if line.work_order_id == order.work_order_id and line.move == "T29"]
    return bool(taken) and max(taken, key=lambda line: line.version).from_state in URGENT


def _morning(day: date, policy: Policy) -> datetime:
    return at_local(day, policy.hotlist_hour, policy.zone)


def _next_morning(since: datetime, days: int, policy: Policy) -> datetime:
    """The first morning at which something is older than so many days."""
    old = since + timedelta(days=days)
    day = local_day(old, policy.zone)
    return _morning(day, policy) if _morning(day, policy) > old else _morning(day + timedelta(days=1), policy)


def _stuck_at(pending: PendingOffer, policy: Policy) -> datetime:
    if pending.offered_at is None:
        return pending.asked_at + policy.stuck_after
    days = policy.unsent_letter_days if pending.channel is BookingChannel.LETTER else policy.unsent_sms_days
    return after_working_days(pending.offered_at, days, policy.zone)


def _decide_reply(case: Case, act: Act, due: Waiting) -> None:
    if order := due.order:
        order.replied_at = None
        case.step(act, order, "T08", State.MANUAL_FOLLOW_UP, reason="reply_not_decided")


def _call_handover_silent(case: Case, act: Act, due: Waiting) -> None:
    if order := due.order:
        raise_exception(
            case,
            act,
            ExceptionType.HANDOVER_SILENT,
            order=order,
            reason="no_answer",
            fact=Fact.EXCHANGE_COMPLETED,
            attempt=order.handover,
        )


def _call_stuck(case: Case, act: Act, due: Waiting) -> None:
    if due.order:
        case.anomaly(act, due.order, "booking_stuck", attempt=due.order.offer)


def _call_follow_up(case: Case, act: Act, due: Waiting) -> None:
    """Late by five working days, somebody must decide whether it is still awaited."""
    if due.order is None:
        return
    case.hotlist(act, due.order, "follow_up_due")
    if due.step == LATE_STEP:
        comms = due.order.kind == WorkOrderKind.COMMS_REPAIR
        kind = ExceptionType.COMMS_NOT_POSSIBLE if comms else ExceptionType.QA_WAIVER
        raise_exception(case, act, kind, order=due.order, reason="follow_up_late")


def _escalate(case: Case, act: Act, due: Waiting) -> None:
    case.hotlist(act, due.order, "exception_overdue", exception_id=due.subject, level=due.step, queue="management")


def _age(case: Case, act: Act, due: Waiting) -> None:
    """A11: what has waited too long is on the list of the morning, once."""
    case.hotlist(act, due.order, f"aged_{due.step.lower()}" if due.order else "overdue")
    case.automated("A11", due.key)


def _nothing(_case: Case, _act: Act, _due: Waiting) -> None:
    """The phase follows by itself."""


def _purge(case: Case, _act: Act, _due: Waiting) -> None:
    purge(case, PurgeScope.CONTACT, PurgeReason.RETENTION)


def _list(code: str) -> Callable[[Case, Act, Waiting], None]:
    return lambda case, act, due: case.hotlist(act, due.order, code)


EFFECTS: Mapping[str, Callable[[Case, Act, Waiting], None]] = MappingProxyType(
    {
        "booking_stuck": _call_stuck,
        "confirm_missing": _decide_reply,
        "visit_unreported": _list("visit_not_reported"),
        "review_overdue": _list("review_overdue"),
        "hold_return": _list("hold_return"),
        "follow_up_due": _call_follow_up,
        "cancel_decision": _list("cancel_decision_overdue"),
        "handover_silent": _call_handover_silent,
        "exception_due": _escalate,
        "notice_end": _nothing,
        "answer_due": _list("order_answer_due"),
        "sla_at_risk": lambda case, act, _: sla.tell_at_risk(case, act),
        "sla_breach": lambda case, act, _: sla.tell_breached(case, act),
        "daily_hotlist": _age,
        "purge_due": _purge,
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
    EFFECTS[kind](case, act, running[name])
    return True


def rearm(case: Case, policy: Policy) -> tuple[list[Waiting], list[str]]:
    """Compare the timers that should run with those that were set: what to set, and which names to cancel."""
    running = {each.name: each for each in wanted(case, policy)}
    new = [each for name, each in running.items() if name not in case.waits or case.waits[name].due_at != each.due_at]
    gone = [name for name, wait in case.waits.items() if name not in running and not wait.fired]
    kept = {name: wait for name, wait in case.waits.items() if name in running}
    case.waits = kept | {each.name: Wait(due_at=each.due_at) for each in new}
    return new, gone
