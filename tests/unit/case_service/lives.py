"""What random, exhaustive and played lives of a case have in common: reports that fit, and laws that always hold."""

from collections.abc import Iterable
from itertools import pairwise

from contracts.cases import WorkOrderMoved
from contracts.codes import Cancellation, CloseReason, ExceptionType, Phase, Result, State
from contracts.event import Event
from contracts.ids import WorkOrderId
from contracts.parts import InstalledDevice, RemovedDevice
from services.case_service.domain.case import Case, Ending
from services.case_service.domain.gate import DONE
from services.case_service.domain.phases import phase_of
from services.case_service.domain.requests import Report
from services.case_service.domain.serials import plain
from services.case_service.domain.states import COLUMNS_OF, Column
from services.case_service.domain.transitions import allowed
from services.case_service.domain.work_order import WorkOrder
from tests.unit.case_service.builders import a_device, a_gateway, a_report, an_act, an_old_device


def fitting_report(order: WorkOrder, result: Result) -> Report:
    """A report that fits the order's plan, with this result."""
    if result.outcome == "FAILED":
        return a_report(result)
    new: tuple[InstalledDevice, ...] = tuple(
        a_gateway(f"GW{order.sequence}") if item.role == "smgw" else a_device(f"N{order.sequence}")
        for item in order.device_plan.install
    )
    old: tuple[RemovedDevice, ...] = tuple(an_old_device(item.serial or "OLD1") for item in order.device_plan.remove)
    return a_report(result, installed=new, removed=old)


def laws_hold(case: Case) -> None:
    """What no sequence of steps may break, whatever people, partners, services and timers do."""
    waived = any(each.type is ExceptionType.QA_WAIVER and each.approver for each in case.exceptions)
    on_site = {plain(device.serial) for device in case.on_site}
    for order in case.work_orders:
        mine = {plain(device.serial) for device in order.installed}
        assert not (order.close_reason is CloseReason.CANCELLED and mine & on_site), "cancelled, and built in"
        assert not order.handed_over or order.approved or waived, "handed over without a review"
        assert not (order.state is State.READY and order.undecided), "on the way although withdrawn"
        assert (order.state is State.CLOSED) == (order.close_reason is not None)
        versions = [line.version for line in case.history if line.work_order_id == order.work_order_id]
        assert sorted(versions) == list(range(1, order.version + 1)), "DoD5"
    predecessors = [order.predecessor for order in case.work_orders if order.predecessor]
    assert len(predecessors) == len(set(predecessors)), "I13: at most one successor"
    assert not (case.ending is Ending.CANCELLED and on_site)
    assert phase_of(case, an_act()) is not Phase.COMPLETED or case.gate_evidence, "I4"
    assert case.ending is None or not case.unclosed, "an ended case has nothing open"


def undecided(case: Case) -> frozenset[WorkOrderId]:
    """Work orders whose withdrawal nobody has decided."""
    return frozenset(order.work_order_id for order in case.work_orders if order.undecided)


def withdrawals_stand(case: Case, before: frozenset[WorkOrderId]) -> None:
    """A withdrawal ends by a decision (T27, T31, T33), or because its partner wants the work again."""
    ended = [order for order in case.work_orders if order.work_order_id in before - undecided(case)]
    wanted = any(reference.live for reference in case.references)
    assert wanted or all(order.cancellation is not Cancellation.NONE for order in ended), "nobody took it back"


def completion_is_proved(case: Case) -> None:
    """I4: the case completed just now, so nothing of the definition of done may be missing."""
    missing = [item.missing for item in (check(case) for check in DONE.values()) if item.missing]
    exceptions = {evidence.item for evidence in case.gate_evidence or () if evidence.exception_id}
    # exceptions that end with the completion stood in for their items until then
    assert all(any(each.startswith(item.replace("dod", "DoD")) for item in exceptions) for each in missing)


def story_is_whole(told: Iterable[Event]) -> None:
    """I16, B3: every step told is a row of the table, each begins where the one before ended; C+ is left by T25."""
    by_order: dict[object, list[WorkOrderMoved]] = {}
    for fact in told:
        if isinstance(fact, WorkOrderMoved):
            by_order.setdefault(fact.work_order_id, []).append(fact)
    for steps in by_order.values():
        assert all(earlier.to_state == later.from_state for earlier, later in pairwise(steps))
        assert all(_is_a_row(step) for step in steps)
        closed = [step for step in steps if step.from_state == State.CLOSED]
        assert {step.move for step in closed} <= {"T25"}


def _is_a_row(step: WorkOrderMoved) -> bool:
    """Of RESOLVED and CLOSED the fact does not say which column it came from; one of the two must be allowed."""
    columns = [column for column in Column if _state_of(column) is step.from_state]
    return any(allowed(step.move, column, step.to_state, step.close_reason) for column in columns)


def _state_of(column: Column) -> State:
    return next(state for state, columns in COLUMNS_OF.items() if column in columns)
