"""What people may ask of a case as a whole: exceptions, the gate, announcements, answers (lifecycle §2.3, §15)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from contracts.cases import OrderAnswered
from contracts.codes import Answer, CloseReason, ExceptionDecision, ExceptionResult, ExceptionType, Fact, State
from contracts.ids import Code, ExceptionId
from kit.jsons import MISSING, Finding, Misfit
from services.case_service.domain.act import Act
from services.case_service.domain.announcing import announce
from services.case_service.domain.case import Case
from services.case_service.domain.deciding import hand_over_done
from services.case_service.domain.entries import CaseException, Ending, ExceptionState, OrderReference
from services.case_service.domain.exceptions import KINDS, approve, end, find, raise_by_person
from services.case_service.domain.flows import open_work_order
from services.case_service.domain.gate import check_gate
from services.case_service.domain.links import link, part
from services.case_service.domain.ownership import refuse_foreign
from services.case_service.domain.requests import ActionRequest, CaseAction
from services.case_service.domain.states import Column
from services.case_service.domain.work_order import WorkOrder
from services.case_service.errors import (
    AnswerGiven,
    CancellationOpen,
    CaseEnded,
    CodeNotAllowed,
    DecisionMissing,
    ExceptionIncomplete,
    FourEyes,
    MoveNotAllowed,
)

AFTER_THE_END = frozenset({CaseAction.APPROVE_EXCEPTION, CaseAction.RESOLVE_EXCEPTION})
"""What a late withdrawal or report left to people must not stay listed for ever (J47, J50)."""


def do(case: Case, act: Act, request: ActionRequest, other: Case | None = None) -> None:
    """Do what is asked; a case that was cancelled or given up takes nothing any more but ends of exceptions (G12)."""
    refuse_foreign(request)
    if case.ending is not None and request.action not in AFTER_THE_END:
        raise CaseEnded(f"The case is {case.phase}.", phase=case.phase)
    if request.action is CaseAction.LINK:
        _link(case, act, request, other)
    else:
        DO[request.action](case, act, request)


def _link(case: Case, act: Act, request: ActionRequest, other: Case | None) -> None:
    if other is None:
        raise Misfit([Finding(MISSING, "/linked_case_id")])
    if request.on:
        link(case, other, act, request.kind)
    else:
        part(case, other, act)


def _raise(case: Case, act: Act, request: ActionRequest) -> None:
    raised = raise_by_person(
        case,
        act,
        request.type,
        order=_order(case, request),
        reason=request.reason,
        owner=request.owner,
        due_on=request.due_on,
    )
    case.words(act, _order(case, request), f"exception:{raised.type}", request.reason)


def _approve(case: Case, act: Act, request: ActionRequest) -> None:
    exception = _exception(case, request)
    approve(case, act, exception)
    case.words(act, None, f"approval:{exception.type}", request.reason)
    if exception.type is ExceptionType.QA_WAIVER:
        for order in case.unclosed:
            if order.column is Column.RESOLVED_WELL and exception.work_order_id in {None, order.work_order_id}:
                hand_over_done(case, act, order)


def _resolve(case: Case, act: Act, request: ActionRequest) -> None:
    exception = _exception(case, request)
    if not exception.open:
        raise MoveNotAllowed(f"The exception is {exception.state}.")
    _may_end(case, act, exception, request.result)
    abandoned = request.decision is ExceptionDecision.ABANDON
    if exception.type is ExceptionType.ANNOUNCEMENT_OBJECTED:
        if request.decision is None:
            raise DecisionMissing("Decide: carry_on, wait or abandon.", fields=["decision"])
        if request.decision is ExceptionDecision.WAIT:
            if request.due_on is None or request.due_on <= act.today:
                raise ExceptionIncomplete("Until when? Name a due date.", fields=["due_on"])
            exception.due_on = request.due_on
            case.words(act, None, f"wait:{exception.type}", request.reason)
            return
    case.words(act, None, f"{request.result}:{exception.type}", request.reason)
    end(case, act, exception, request.result, request.decision)
    if abandoned and exception.type is ExceptionType.ANNOUNCEMENT_OBJECTED:
        _abandon(case, act, "announcement_objected", announce=case.announced)


def _may_end(case: Case, act: Act, exception: CaseException, result: ExceptionResult) -> None:
    by_person = KINDS[exception.type].ends_by_person or (case.terminal and exception.approved)  # its cause may be past
    if result is ExceptionResult.RESOLVED and not by_person:
        raise MoveNotAllowed(f"{exception.type} ends with its cause, not by hand.")
    if result is not ExceptionResult.RESOLVED and exception.state is not ExceptionState.RAISED:
        raise MoveNotAllowed(f"The exception is {exception.state}.")
    if result is ExceptionResult.WITHDRAWN and act.actor != exception.raised_by:
        raise FourEyes("Only the raiser withdraws an exception.")


def _check_gate(case: Case, act: Act, _: ActionRequest) -> None:
    check_gate(case, act)


def _announce(case: Case, act: Act, _: ActionRequest) -> None:
    if case.announced:
        raise MoveNotAllowed("The case is announced already.")
    statutory = case.bookable is not None and case.bookable.notice_required
    announce(case, act, statutory=statutory)


def _add_work_order(case: Case, act: Act, request: ActionRequest) -> None:
    if request.kind is None or request.device_plan is None:
        raise ExceptionIncomplete("Name kind and device plan.", fields=["kind", "device_plan"])
    if any(order.undecided for order in case.unclosed):  # the partner waits for an answer, not for more work
        raise CancellationOpen("The partner cancelled this order. Decide first.")
    open_work_order(case, act, kind=request.kind, plan=request.device_plan, due_on=request.due_on)


def _answer(case: Case, act: Act, request: ActionRequest) -> None:
    owing = [each for each in case.references if each.answer and request.order_key in {None, each.order_key}]
    if not owing or request.answer is None:
        raise CodeNotAllowed("Name an order that waits for an answer, and the answer.", fields=["order_key", "answer"])
    reference = owing[0]
    if reference.answered:
        raise AnswerGiven("The order was answered already.")
    allowed = reference.answer.allowed if reference.answer else ()
    if request.code is None or (allowed and request.code not in allowed):
        raise CodeNotAllowed(f"Allowed: {', '.join(allowed)}.", allowed=allowed)
    refused = request.answer is Answer.REFUSED
    if refused and any(order.state is not State.OPEN for order in case.unclosed):
        raise MoveNotAllowed("Work on the order has begun; it can no longer be refused.")
    tell_answer(case, act, reference, request.answer, request.code, request)
    if refused:
        _abandon(case, act, "order_refused", announce=False)


def answer_at_once(case: Case, act: Act) -> None:
    """An order whose proposal may be taken without a person is answered as it comes (lifecycle §15)."""
    for reference in case.references:
        owed = reference.answer
        if owed and owed.auto and owed.proposal is Answer.ACCEPTED and not reference.answered:
            tell_answer(case, act, reference, owed.proposal, owed.code)


def tell_answer(
    case: Case,
    act: Act,
    reference: OrderReference,
    decision: Answer,
    code: Code,
    request: ActionRequest | None = None,
) -> None:
    """Once per order: what its partner is told."""
    reference.answered = True
    case.told.append(
        OrderAnswered(
            case_id=case.case_id,
            order_key=reference.order_key,
            order_version=reference.order_version,
            decision=decision,
            code=code,
            list=request.list if request and request.list else reference.answer.list if reference.answer else None,
            fixed_on=request.fixed_on if request else None,
            window=request.window if request else None,
            needs_text=False,
            actor=act.actor,
        )
    )


def _abandon(case: Case, act: Act, reason: Code, *, announce: bool) -> None:
    """T28: the work will not be done, and nobody has begun."""
    for order in case.unclosed:
        if order.state is State.OPEN:
            case.step(act, order, "T28", State.CLOSED, close=CloseReason.NOT_NEEDED, reason=reason)
    if not case.unclosed and not case.on_site:
        case.end(act, Ending.ABANDONED, reason)
        if announce:
            case.hand_over(act, Fact.WORK_NOT_COMPLETED, case.current)


def _exception(case: Case, request: ActionRequest) -> CaseException:
    if request.exception_id is None:
        raise ExceptionIncomplete("Name the exception.", fields=["exception_id"])
    return find(case, ExceptionId(request.exception_id))


def _order(case: Case, request: ActionRequest) -> WorkOrder | None:
    return case.order(request.work_order_id) if request.work_order_id else None


DO: Mapping[CaseAction, Callable[[Case, Act, ActionRequest], None]] = MappingProxyType(
    {
        CaseAction.RAISE_EXCEPTION: _raise,
        CaseAction.APPROVE_EXCEPTION: _approve,
        CaseAction.RESOLVE_EXCEPTION: _resolve,
        CaseAction.CHECK_GATE: _check_gate,
        CaseAction.ANNOUNCE: _announce,
        CaseAction.ANSWER_ORDER: _answer,
        CaseAction.ADD_WORK_ORDER: _add_work_order,
    }
)
