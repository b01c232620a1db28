"""A kept report whose order is closed: a new case takes it, so that what stands on site is booked (J50, §2.3)."""

from contracts.codes import State
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.entries import FormVersion
from services.case_service.domain.flow import Flow, SubReasons
from services.case_service.domain.moves import ask_for, move
from services.case_service.domain.opening import open_like
from services.case_service.domain.requests import MoveRequest
from services.case_service.domain.visits import ConflictState, VisitConflict
from services.case_service.errors import MoveNotAllowed

REASON = "late_report"


def open_for_report(
    before: Case,
    act: Act,
    conflict: VisitConflict,
    *,
    reason: str,
    holds_point: bool,
    flow: Flow,
    form: FormVersion | None,
    sub_reasons: SubReasons | None,
) -> Case:
    """Open a case that replaces the closed one, and resolve the report there on behalf of its technician.

    Its order goes the way of the table: T01, T32, and T19 by `accept_report` with all its guards. Raises
    MoveNotAllowed where the order is not closed (accept it there) or nothing was built (dismiss it).
    """
    order = before.order(conflict.work_order_id)
    if conflict.state is not ConflictState.OPEN:
        raise MoveNotAllowed(f"The report is {conflict.state} already.")
    if not order.closed:
        raise MoveNotAllowed(f"The order is {order.state}: bring it to MANUAL_FOLLOW_UP and accept the report there.")
    if not conflict.report.installed and not conflict.report.removed:
        raise MoveNotAllowed("Nothing was put in or taken out: dismiss the report.")
    case = open_like(act, before, order.device_plan, holds_point=holds_point, kind="replaces", flow=flow)
    first = case.work_orders[0]
    first.company_id = order.company_id
    first.responsible = first.dispatched_to = conflict.technician_id or order.dispatched_to
    case.step(act, first, "T01", State.PLANNING, reason=REASON)
    case.step(act, first, "T32", State.MANUAL_FOLLOW_UP, reason=REASON)
    asked = MoveRequest(move="accept_report", reason=reason, conflict_id=conflict.conflict_id)
    move(ask_for(case, act, first.work_order_id, asked, form, sub_reasons), conflict)
    conflict.state, conflict.opened_case_id = ConflictState.CASE_OPENED, case.case_id
    before.remark(act, order, "report_taken_elsewhere", opened_case_id=str(case.case_id))
    before.words(act, order, "open_case", reason)
    return case
