"""Moves after the visit: approve and hand over, try again, give up, correct, reverse (T21–T27, T31, T33)."""

from contracts.codes import (
    Cancellation,
    CloseReason,
    Decision,
    DodItem,
    ExceptionType,
    Fact,
    MoveDecision,
    Outcome,
    State,
    WorkOrderKind,
)
from contracts.ids import Code
from contracts.parts import DevicePlan
from services.case_service.domain.act import Act
from services.case_service.domain.cancelling import (
    answer,
    cancel_follow_up,
    end_abandoned,
    end_cancelled,
    end_reversed,
)
from services.case_service.domain.case import Case
from services.case_service.domain.exceptions import approved, end_all
from services.case_service.domain.flows import exchange_again, open_work_order, remaining
from services.case_service.domain.gate import close_if_done
from services.case_service.domain.guards import Ask
from services.case_service.domain.requests import Resolution
from services.case_service.domain.visits import open_follow_up, reversal_of
from services.case_service.domain.work_order import WorkOrder
from services.case_service.errors import DecisionMissing

REJECTIONS = (ExceptionType.HANDOVER_REJECTED, ExceptionType.HANDOVER_FAILED, ExceptionType.FOREIGN_METER)


def hand_over_done(case: Case, act: Act, order: WorkOrder) -> None:
    """T21: the work is approved, now the partners must hear of it. A reversal ends the case instead."""
    close = CloseReason.DONE_PARTIAL if order.outcome is Outcome.PARTIAL else CloseReason.DONE
    supplement = any(each.handed_over for each in case.work_orders)
    case.step(act, order, "T21", State.CLOSED, close=close, rule="A02")
    case.automated("A02", f"{order.work_order_id}/{order.evidence_version}")
    if order.kind == WorkOrderKind.REVERSAL:
        end_reversed(case, act)
        return
    request_handover(case, act, order, supplement=supplement)


def request_handover(case: Case, act: Act, order: WorkOrder, *, supplement: bool) -> None:
    """Tell the fact that the exchange is done, with the visit and the evidence it rests on.

    Work without devices (measurement) has nothing to hand over: DoD4 is void there (§15).
    """
    if case.flow.is_void(DodItem.DOD4, case.device_plan):
        return
    case.hand_over(
        act,
        Fact.EXCHANGE_COMPLETED,
        order,
        supplement=supplement,
        visit_id=order.visit_id,
        visit_version=order.visit_version,
        evidence_digest=order.approval.digest if order.approval else None,
    )


def reopen(ask: Ask, _: Code) -> None:
    """T22: another attempt is wanted."""
    ask.case.step(ask.act, ask.order, "T22", State.REOPENED, reason=ask.request.code)


def plan_next(ask: Ask) -> None:
    """T23: the attempt ends, the next one begins in planning with what is left to do."""
    case, order, act = ask.case, ask.order, ask.act
    plan = ask.request.device_plan or order.next_plan or _next_plan(case, order)
    case.step(act, order, "T23", State.CLOSED, close=CloseReason.SUPERSEDED, reason=ask.request.code)
    end_all(case, act, (ExceptionType.THREE_FAILED_ATTEMPTS,))
    follow_up = next((each for each in case.unclosed if each.predecessor == order.work_order_id), None)
    if follow_up is None or takes_back(order):
        kind = _next_kind(order)
        rework = kind == WorkOrderKind.REWORK
        due = act.in_working_days(act.policy.field_days) if rework else case.due_on
        open_work_order(
            case, act, kind=kind, plan=plan, state=State.PLANNING, predecessor=_last_of(case, order), due_on=due
        )
        return
    follow_up.device_plan = plan  # the follow-up of a partial result is the next attempt; there is only one successor
    if follow_up.state is State.OPEN:
        case.step(act, follow_up, "T01", State.PLANNING, reason="superseded")


def close_failed(ask: Ask, _: Code) -> None:
    """T24: no more attempts."""
    ask.case.step(ask.act, ask.order, "T24", State.CLOSED, close=CloseReason.FAILED, reason="no_more_attempts")
    ask.case.release_material(ask.order, "no_more_attempts")
    end_abandoned(ask.case, ask.act, ask.order, "no_more_attempts")


def close_case(ask: Ask, choice: Code) -> None:
    """T24, T31: a person ends the order, cancelled, given up or not needed."""
    if choice == "T24":
        close_failed(ask, choice)
        return
    case, act, order, resolution = ask.case, ask.act, ask.order, ask.request.resolution
    if resolution is None:
        raise DecisionMissing("Name the resolution: cancelled, no_more_attempts or not_needed.", fields=["resolution"])
    was_withdrawn = order.undecided
    close = CLOSE_REASON[resolution]
    if was_withdrawn:
        order.cancellation = Cancellation.CONFIRMED
    reason = "cancelled_by_partner" if close is CloseReason.CANCELLED else resolution
    case.step(act, order, "T31", State.CLOSED, close=close, reason=reason)
    case.release_material(order, resolution)
    if was_withdrawn:
        cancel_follow_up(case, act, order)
        end_cancelled(case, act, order)
    elif resolution is Resolution.NO_MORE_ATTEMPTS:
        end_abandoned(case, act, order, "no_more_attempts")
    end_reversed(case, act)


CLOSE_REASON = {
    Resolution.CANCELLED: CloseReason.CANCELLED,
    Resolution.NO_MORE_ATTEMPTS: CloseReason.FAILED,
    Resolution.NOT_NEEDED: CloseReason.NOT_NEEDED,
}


def take_over(ask: Ask, _: Code) -> None:
    """T26: somebody takes care of a refused handover."""
    ask.order.rejection = "taken_over"
    for exception in ask.case.exceptions:
        mine = exception.work_order_id == ask.order.work_order_id
        if exception.open and mine and exception.type is ExceptionType.HANDOVER_REJECTED:
            exception.owner = ask.act.actor
    ask.case.step(ask.act, ask.order, "T26", State.MANUAL_FOLLOW_UP)


def data_corrected(ask: Ask, _: Code) -> None:
    """T27: what was wrong is put right without another visit; the handover goes out again, if it still must."""
    case, act, order = ask.case, ask.act, ask.order
    was_withdrawn = order.undecided
    decision = MoveDecision.COMPLETE_ANYWAY if was_withdrawn else MoveDecision.MDM_ERROR
    if was_withdrawn:
        order.cancellation = Cancellation.COMPLETE_ANYWAY
    close = CloseReason.DONE_PARTIAL if order.outcome is Outcome.PARTIAL else CloseReason.DONE
    supplement = any(each.handed_over for each in case.work_orders)
    case.step(act, order, "T27", State.CLOSED, close=close, decision=decision, reason=decision)
    taken_back = order.kind == WorkOrderKind.REVERSAL
    if not taken_back and not _settled_already(case, order):
        request_handover(case, act, order, supplement=supplement)
    if was_withdrawn and not taken_back:
        answer(case, act, Decision.TOO_LATE, order)
    if order.outcome is Outcome.PARTIAL:
        open_follow_up(case, act, order)
    end_reversed(case, act)
    close_if_done(case, act)  # first: an exception stands in only until it is resolved
    order.rejection = "none"
    end_all(case, act, (*REJECTIONS, ExceptionType.CANCELLED_IN_WORK), order)


def order_field_visit(ask: Ask, _: Code) -> None:
    """T33: somebody must go there again, to finish, to put right or to take back."""
    case, act, order = ask.case, ask.act, ask.order
    was_withdrawn = order.undecided
    decision = ask.request.decision
    if was_withdrawn:
        if decision not in {MoveDecision.COMPLETE_ANYWAY, MoveDecision.REVERSE}:
            raise DecisionMissing("Decide: complete_anyway or reverse.", fields=["decision"])
        order.cancellation = Cancellation(decision)
    else:
        decision = MoveDecision.MDM_ERROR if order.rejection != "none" else MoveDecision.REWORK
    order.next_plan = ask.request.device_plan
    order.rejection = "none"
    go_again(case, act, order, decision)
    end_all(case, act, (*REJECTIONS, ExceptionType.CANCELLED_IN_WORK), order)
    if order.cancellation is Cancellation.REVERSE:
        cancel_follow_up(case, act, order)
    if order.cancellation is Cancellation.COMPLETE_ANYWAY:
        answer(case, act, Decision.TOO_LATE, order)


def go_again(case: Case, act: Act, order: WorkOrder, decision: MoveDecision) -> None:
    """T33, by a person or by a reviewer."""
    case.step(act, order, "T33", State.REOPENED, decision=decision, reason=decision)


def _settled_already(case: Case, order: WorkOrder) -> bool:
    """Accepted after the rejection (7.3), or a foreign meter that two persons agreed on: nothing is sent again."""
    latest = next(
        (each for each in case.handovers if (each.fact, each.attempt) == (Fact.EXCHANGE_COMPLETED, order.handover)),
        None,
    )
    accepted = latest is not None and latest.accepted_late
    return accepted or approved(case, ExceptionType.FOREIGN_METER, order=order) is not None


def _last_of(case: Case, order: WorkOrder) -> WorkOrder:
    """The end of the chain that begins here: a work order has at most one successor (I13)."""
    while (successor := case.successor_of(order)) is not None:
        order = successor
    return order


def takes_back(order: WorkOrder) -> bool:
    """Whether the next visit undoes the work: decided so, or the last one was to undo it and is not done with it."""
    return order.decision is MoveDecision.REVERSE or order.kind == WorkOrderKind.REVERSAL


def _next_kind(order: WorkOrder) -> Code:
    if takes_back(order):
        return WorkOrderKind.REVERSAL
    done = order.outcome is not Outcome.FAILED
    return WorkOrderKind.REWORK if order.decision is MoveDecision.REWORK and done else order.kind


def _next_plan(case: Case, order: WorkOrder) -> DevicePlan:
    if takes_back(order):
        return reversal_of(case)
    if order.decision is MoveDecision.MDM_ERROR:
        return exchange_again(case, order.device_plan)
    return remaining(case, order.device_plan)
