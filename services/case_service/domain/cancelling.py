"""How a partner's withdrawal is answered and a case ends without its work (lifecycle §6, T28, T31)."""

from contracts.codes import Cancellation, CloseReason, Decision, ExceptionType, Fact, State, WorkOrderKind
from contracts.ids import Code
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Ending, OrderReference
from services.case_service.domain.exceptions import end_all, raise_exception
from services.case_service.domain.states import Column
from services.case_service.domain.work_order import WorkOrder

ENDED_WITH_THE_ORDER = (
    ExceptionType.CANCELLED_IN_WORK,
    ExceptionType.REFUSAL,
    ExceptionType.THREE_FAILED_ATTEMPTS,
    ExceptionType.MASTER_DATA_CONFLICT,
)


def withdrawn_last(case: Case) -> OrderReference | None:
    """The order whose withdrawal is decided: the last one that was withdrawn."""
    withdrawn = [(each.cancelled_at, each.decision is None, each) for each in case.references if each.cancelled_at]
    return max(withdrawn, key=lambda each: each[:2])[2] if withdrawn else None


def answer(
    case: Case, act: Act, decision: Decision, order: WorkOrder | None, reference: OrderReference | None = None
) -> None:
    """Tell the partner what became of its wish to cancel, once, however many work orders are decided for it."""
    reference = reference or withdrawn_last(case)
    if reference is None or reference.decision is decision:
        return
    reference.decision = decision
    case.hand_over(act, Fact.CANCELLED, order, decision=decision, order_key=reference.order_key)


def decided_with_predecessor(case: Case, order: WorkOrder) -> bool:
    """A follow-up that nobody began belongs to the visit before it: what becomes of that decides on it (§6)."""
    before = case.predecessor_of(order)
    return order.state is State.OPEN and before is not None and before.column is not Column.CLOSED_OTHERWISE


def cancel_unbegun(case: Case, act: Act, order: WorkOrder) -> None:
    """T28: nobody began, so nobody has to decide."""
    order.cancellation = Cancellation.CONFIRMED
    case.step(act, order, "T28", State.CLOSED, close=CloseReason.CANCELLED, reason="cancelled_by_partner", rule="A07")
    case.release_material(order, "cancelled_by_partner")


def cancel_follow_up(case: Case, act: Act, order: WorkOrder) -> None:
    """The withdrawn visit is not completed: the follow-up that waited for the decision ends with it."""
    follow_up = case.successor_of(order)
    if follow_up is not None and follow_up.state is State.OPEN:
        cancel_unbegun(case, act, follow_up)


def end_cancelled(case: Case, act: Act, order: WorkOrder) -> None:
    """An order closed as cancelled: the case ends with its last order, unless the work stands on site."""
    end_all(case, act, ENDED_WITH_THE_ORDER, order)
    if any(each.handed_over for each in case.work_orders):
        answer(case, act, Decision.TOO_LATE, order)
    elif not case.unclosed and not case.on_site:
        case.end(act, Ending.CANCELLED, "cancelled_by_partner")
        answer(case, act, Decision.CONFIRMED, order)


def end_reversed(case: Case, act: Act) -> None:
    """The work was taken back: the case ends as cancelled with its last open order, if nothing stands on site (J48)."""
    reversal = next(
        (each for each in case.by_sequence if each.kind == WorkOrderKind.REVERSAL and each.handed_over), None
    )
    if reversal is None or case.unclosed or case.terminal:
        return
    if case.on_site:
        case.hotlist(act, reversal, "cancelled_with_devices_on_site")
        return
    sent = any(each.sent for each in case.handovers if each.fact is Fact.EXCHANGE_COMPLETED)
    answer(case, act, Decision.STORNO if sent else Decision.CONFIRMED, reversal)
    case.end(act, Ending.CANCELLED, "reversed")


def end_abandoned(case: Case, act: Act, order: WorkOrder, reason: Code) -> None:
    """Nobody tries again: the case ends if no other order is open and nothing is on site."""
    end_all(case, act, ENDED_WITH_THE_ORDER, order)
    if not case.unclosed and not case.on_site:
        case.end(act, Ending.ABANDONED, reason)
        case.hand_over(
            act,
            Fact.WORK_NOT_COMPLETED,
            order,
            visit_id=order.visit_id,
            visit_version=order.visit_version or None,
        )


def cancel_closed(case: Case, act: Act) -> None:
    """A withdrawal when every order of the case is closed already: no move, but an answer (J47)."""
    done = next((order for order in case.by_sequence if order.handed_over), None)
    if done:
        answer(case, act, Decision.TOO_LATE, done)
        raise_exception(case, act, ExceptionType.CANCELLED_AFTER_DONE, reason="cancelled_by_partner")
        case.hotlist(act, done, "cancelled_after_done")
    elif not case.on_site:
        answer(case, act, Decision.CONFIRMED, case.current)
    else:
        case.hotlist(act, case.current, "cancelled_with_devices_on_site")
