"""Exceptions of a case (lifecycle §5): who raises which, what each stands in for, who ends it."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import NamedTuple

from contracts.cases import ExceptionApproved, ExceptionRaised, ExceptionResolved
from contracts.codes import ExceptionDecision, ExceptionResult, ExceptionType, Fact
from contracts.ids import Code, ExceptionId, Principal
from kit.errors import NotFound
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.entries import CaseException, ExceptionState
from services.case_service.domain.work_order import WorkOrder
from services.case_service.errors import ExceptionIncomplete, FourEyes, MoveNotAllowed

LONGEST = timedelta(days=90)


class Kind(NamedTuple):
    """One row of the page's table."""

    by_person: bool
    blocking: bool
    second: bool
    """Counts only when a second person approved it."""
    ends_by_person: bool
    """A person may resolve it; the others end with their cause."""


# fmt: off
KINDS: Mapping[ExceptionType, Kind] = MappingProxyType({
    #                                         by person blocking second ends by person
    ExceptionType.HANDOVER_REJECTED:     Kind(False,    True,    True,  False),
    ExceptionType.HANDOVER_FAILED:       Kind(False,    True,    True,  False),
    ExceptionType.HANDOVER_SILENT:       Kind(False,    False,   True,  False),
    ExceptionType.FOREIGN_METER:         Kind(True,     True,    True,  False),
    ExceptionType.CANCELLED_IN_WORK:     Kind(False,    True,    False, False),
    ExceptionType.CANCELLED_AFTER_DONE:  Kind(False,    False,   False, True),
    ExceptionType.REFUSAL:               Kind(False,    True,    True,  False),
    ExceptionType.THREE_FAILED_ATTEMPTS: Kind(False,    True,    True,  False),
    ExceptionType.DEVICE_PLAN_DEVIATION: Kind(True,     False,   True,  False),
    ExceptionType.COMMS_NOT_POSSIBLE:    Kind(True,     False,   True,  False),
    ExceptionType.QA_WAIVER:             Kind(True,     False,   True,  False),
    ExceptionType.NOTICE_OVERRIDE:       Kind(True,     False,   True,  False),
    ExceptionType.ANNOUNCEMENT_OBJECTED: Kind(False,    True,    False, True),
    ExceptionType.INTEGRATION:           Kind(False,    False,   False, True),
    ExceptionType.MASTER_DATA_CONFLICT:  Kind(False,    False,   False, False),
})
# fmt: on

ENDED_BY_COMPLETION = frozenset(
    {
        ExceptionType.DEVICE_PLAN_DEVIATION,
        ExceptionType.COMMS_NOT_POSSIBLE,
        ExceptionType.QA_WAIVER,
        ExceptionType.NOTICE_OVERRIDE,
    }
)
QUEUE_OF: Mapping[ExceptionType, Principal] = MappingProxyType(
    {
        ExceptionType.HANDOVER_REJECTED: "mdm",
        ExceptionType.HANDOVER_FAILED: "mdm",
        ExceptionType.HANDOVER_SILENT: "mdm",
        ExceptionType.INTEGRATION: "mdm",
        ExceptionType.CANCELLED_AFTER_DONE: "mdm",
    }
)
"""Who owns what nobody raised by hand; everything else is the dispatchers'."""


def open_exceptions(case: Case, *types: ExceptionType, order: WorkOrder | None = None) -> list[CaseException]:
    """Exceptions of these types that have not ended; with an order only its own and those of the whole case."""
    return [
        each
        for each in case.exceptions
        if each.open and each.type in types and (order is None or each.work_order_id in {None, order.work_order_id})
    ]


def approved(case: Case, *types: ExceptionType, order: WorkOrder | None = None) -> CaseException | None:
    """The approved exception that stands in; only APPROVED counts."""
    return next((each for each in open_exceptions(case, *types, order=order) if each.approved), None)


def raise_exception(
    case: Case,
    act: Act,
    type_: ExceptionType,
    *,
    order: WorkOrder | None = None,
    reason: str,
    owner: Principal | None = None,
    due_on: date | None = None,
    fact: Fact | None = None,
    attempt: int | None = None,
    codes: tuple[Code, ...] = (),
) -> CaseException:
    """Raise an exception and tell it; one that is open for the same cause already is not raised twice."""
    for same in open_exceptions(case, type_, order=order):
        if same.attempt == attempt:
            same.codes = tuple(dict.fromkeys(same.codes + codes))
            return same
    raised = CaseException(
        exception_id=ExceptionId(act.new_id()),
        type=type_,
        state=ExceptionState.RAISED,
        reason=reason,
        owner=owner or QUEUE_OF.get(type_, "dispatcher"),
        due_on=due_on or act.in_working_days(act.policy.exception_days),
        raised_by=act.actor,
        raised_at=act.at,
        work_order_id=order.work_order_id if order else None,
        fact=fact,
        attempt=attempt,
        codes=codes,
    )
    case.exceptions.append(raised)
    case.told.append(
        ExceptionRaised(
            case_id=case.case_id,
            work_order_id=raised.work_order_id,
            exception_id=raised.exception_id,
            type=type_,
            blocking=KINDS[type_].blocking,
            owner_=raised.owner,
            due_on=raised.due_on,
            raised_by=act.actor,
            needs_second=KINDS[type_].second,
            fact=fact,
            attempt=attempt,
        )
    )
    return raised


def raise_by_person(
    case: Case,
    act: Act,
    type_: ExceptionType | None,
    *,
    order: WorkOrder | None,
    reason: str | None,
    owner: Principal | None,
    due_on: date | None,
) -> CaseException:
    """A person asks for an exception: type, reason, owner and due date are mandatory."""
    missing = [name for name, value in (("type", type_), ("owner", owner), ("due_on", due_on)) if value is None]
    if not (reason and reason.strip()):
        missing.append("reason")
    if missing or type_ is None or due_on is None or reason is None:
        raise ExceptionIncomplete(f"Missing: {', '.join(missing)}.", fields=missing)
    if not KINDS[type_].by_person:
        raise ExceptionIncomplete(f"{type_} is not raised by persons.", fields=["type"])
    if not act.today <= due_on <= act.today + LONGEST:
        raise ExceptionIncomplete("The due date lies within 90 days from today.", fields=["due_on"])
    if type_ is ExceptionType.FOREIGN_METER and (order is None or order.rejection != "taken_over"):
        raise MoveNotAllowed("A foreign meter is stated after a rejection was taken over.")
    handover = order.handover if order and type_ is ExceptionType.FOREIGN_METER else None
    return raise_exception(
        case,
        act,
        type_,
        order=order,
        reason=reason,
        owner=owner,
        due_on=due_on,
        fact=Fact.EXCHANGE_COMPLETED if handover else None,
        attempt=handover,
    )


def find(case: Case, exception_id: ExceptionId) -> CaseException:
    """The exception with this id; raises NotFound."""
    for each in case.exceptions:
        if each.exception_id == exception_id:
            return each
    raise NotFound(f"there is no exception {exception_id}")


def approve(case: Case, act: Act, exception: CaseException) -> None:
    """A second person approves: another than the raiser, the owner and whoever did the work."""
    if exception.state is not ExceptionState.RAISED:
        raise MoveNotAllowed(f"The exception is {exception.state}.")
    executors = {person for order in case.work_orders for person in order.performed_by}
    if act.actor in {exception.raised_by, exception.owner} | executors:
        raise FourEyes("The second person must be another than raiser, owner and executor.")
    exception.state, exception.approver, exception.approved_at = ExceptionState.APPROVED, act.actor, act.at
    case.told.append(
        ExceptionApproved(
            case_id=case.case_id,
            work_order_id=exception.work_order_id,
            exception_id=exception.exception_id,
            type=exception.type,
            approver=act.actor,
            fact=exception.fact,
            attempt=exception.attempt,
        )
    )


def end(
    case: Case,
    act: Act,
    exception: CaseException,
    result: ExceptionResult = ExceptionResult.RESOLVED,
    decision: ExceptionDecision | None = None,
) -> None:
    """Resolved, refused or withdrawn: the exception counts no longer."""
    exception.state, exception.ended_at = ExceptionState(result.upper()), act.at
    case.told.append(
        ExceptionResolved(
            case_id=case.case_id,
            exception_id=exception.exception_id,
            type=exception.type,
            result=result,
            decision=decision,
        )
    )


def end_all(case: Case, act: Act, types: Iterable[ExceptionType], order: WorkOrder | None = None) -> None:
    """The cause is gone: exceptions of these types are resolved."""
    for exception in open_exceptions(case, *types, order=order):
        end(case, act, exception)
