"""What partners' orders do to a case that exists: newer versions, master data, withdrawals (lifecycle §2.4, §6)."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from contracts.codes import Cancellation, Decision, ExceptionType, State
from contracts.orders import MasterDataReceived, OrderAmended, OrderCancelled, OrderReceived
from contracts.parts import Address, Area, Days, DevicePlan, OrderedSite, Position
from services.case_service.domain.act import Act
from services.case_service.domain.cancelling import (
    answer,
    cancel_closed,
    cancel_unbegun,
    decided_with_predecessor,
    end_cancelled,
)
from services.case_service.domain.case import Case
from services.case_service.domain.entries import OrderReference
from services.case_service.domain.exceptions import raise_exception
from services.case_service.domain.matrices import EVENTS
from services.case_service.domain.orders import amend, apply
from services.case_service.domain.work_order import WorkOrder

MASTER_FIELDS: dict[str, TypeAdapter[Any]] = {
    "address": TypeAdapter(Address),
    "position": TypeAdapter(Position | None),
    "access_note": TypeAdapter(str | None),
    "metering_point_id": TypeAdapter(str),
    "area": TypeAdapter(Area),
    "device_plan": TypeAdapter(DevicePlan),
    "site": TypeAdapter(OrderedSite),
    "window": TypeAdapter(Days | None),
    "priority": TypeAdapter(int),
}
"""Master-owned fields that a case holds."""
IN_THE_FIELD = frozenset({State.READY, State.IN_PROGRESS})
"""Where a technician has the order, and must be called off."""


def reference(case: Case, order_key: str) -> OrderReference:
    """The case's reference to this order."""
    return next(each for each in case.references if each.order_key == order_key)


def receive_again(case: Case, act: Act, order: OrderReceived) -> bool:
    """A known order comes again. False where a new case must be opened for its newer version."""
    known = reference(case, order.order_key)
    if order.version <= known.newest:
        case.remark(act, None, "late", event="OrderReceived", order_version=order.version)
        return True
    if not case.unclosed:
        return False
    _take_back(known, order.version)
    amend(case, act, order)
    return True


def amend_order(case: Case, act: Act, event: OrderAmended) -> None:
    """T34, unless the case is closed or knows a newer version; a partner's status is only written down."""
    known = reference(case, event.order_key)
    if event.version is None:
        case.remark(act, None, "partner_status", status=event.partner_status)
        if event.window is not None and not any(order.used for order in case.unclosed):
            span = {"from": event.window.from_.isoformat(), "to": event.window.to.isoformat()}
            case.hotlist(act, case.current, "partner_proposes", **span)
        return
    if event.version <= known.newest or not case.unclosed:
        case.remark(act, None, "late", event="OrderAmended", order_version=event.version)
        return
    _take_back(known, event.version)
    amend(case, act, event)


def take_master_data(case: Case, act: Act, event: MasterDataReceived) -> None:
    """T34: the system of record says something else. In C+ the values are taken over, nothing is blocked."""
    known = reference(case, event.order_key)
    done = any(order.handed_over for order in case.work_orders)
    stale = event.version is not None and event.version <= known.newest
    given, strange = _values(event)
    if stale or not (case.unclosed or done):
        case.remark(act, None, "late", event="MasterDataReceived")
        return
    if strange:
        case.hotlist(act, None, "master_data_unknown", fields=strange)
    known.order_version = event.version or known.order_version
    apply(case, act, given, takes_back=False)
    if not case.unclosed:
        case.hotlist(act, None, "master_data_after_handover", origin=event.origin)


def cancel_order(case: Case, act: Act, event: OrderCancelled) -> None:
    """The partner withdrew its order."""
    take_withdrawal(case, act, reference(case, event.order_key), event.version)


def take_withdrawal(case: Case, act: Act, known: OrderReference, version: int) -> None:
    """An order is not wanted any more: what follows depends on how far the work is (lifecycle §6)."""
    again = known.cancelled_version is not None and version <= known.cancelled_version
    if version < known.order_version or again:
        case.remark(act, None, "late", event="OrderCancelled", order_version=version)
        return
    known.cancelled_version, known.cancelled_at, known.decision = version, act.at, None
    case.automated("A07", f"{known.order_key}/{version}")
    others = [each for each in case.references if each.live]
    to_decide = [order for order in case.unclosed if not decided_with_predecessor(case, order)]
    if others:
        answer(case, act, Decision.CONFIRMED, None, known)
        case.hotlist(act, None, "still_wanted", by=[each.partner for each in others])
    elif not to_decide:
        cancel_closed(case, act)
    else:
        for order in to_decide:
            withdraw(case, act, order)


def withdraw(case: Case, act: Act, order: WorkOrder) -> None:
    """T28, T29, T30: what a withdrawal does to one work order."""
    (move,) = EVENTS["OrderCancelled"][order.column]
    if move == "T28":
        cancel_unbegun(case, act, order)
        end_cancelled(case, act, order)
        return
    case.remark(act, order, "cancelled_by_partner", state=order.state, outcome=order.outcome, result=order.result)
    order.cancellation, order.withdrawn_at = Cancellation.UNDECIDED, act.at
    order.pending = order.replied_at = order.hold_until = None
    if order.state in IN_THE_FIELD:
        case.hotlist(act, order, "call_technician")
    if order.customer_knows:
        case.hotlist(act, order, "tell_customer")
    case.step(act, order, move, State.MANUAL_FOLLOW_UP, reason="cancelled_by_partner", rule="A07")
    raise_exception(case, act, ExceptionType.CANCELLED_IN_WORK, order=order, reason="cancelled_by_partner")
    if order.installed:
        case.hotlist(act, order, "installed_while_withdrawn")


def _take_back(known: OrderReference, version: int) -> None:
    """A newer version of an order takes back an earlier withdrawal."""
    known.order_version = version
    known.cancelled_version = known.cancelled_at = known.decision = None


def _values(event: MasterDataReceived) -> tuple[dict[str, Any], list[str]]:
    given, strange = {}, []
    for name, change in event.changed.items():
        try:
            given[name] = MASTER_FIELDS[name].validate_python(change.new)
        except (KeyError, ValidationError):
            strange.append(name)
    return given, strange
