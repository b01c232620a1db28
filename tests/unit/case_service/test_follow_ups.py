"""Follow-ups of partial results (lifecycle §8.2): the first value of the pairs in the event table."""

import pytest

from contracts import cases
from contracts.assets import DeviceCommissioned
from contracts.codes import Outcome, Result, State
from services.case_service.domain.incoming.table import hear
from services.case_service.domain.states import Column
from tests.unit.case_service import facts
from tests.unit.case_service.builders import NOW, BuiltIn, a_case, an_act, follow_up_of, the_order

HINTED = [Column.MF, Column.RO, Column.OH]


def partial(result: Result, column: Column = Column.RESOLVED_WELL):
    """A work order with a partial result."""
    case = a_case(column, gateway=result is Result.COMMS_PENDING)
    order = the_order(case)
    order.result, order.outcome = result, Outcome.PARTIAL
    order.installed += (BuiltIn(role="smgw", serial="GW1"),)
    return case


def moved(case, sequence: int = 2) -> list[str]:
    return [fact.move for fact in case.told if isinstance(fact, cases.WorkOrderMoved) and fact.sequence == sequence]


def communicates(column: Column):
    case = partial(Result.COMMS_PENDING)
    follow_up = follow_up_of(case, "comms_repair", column)
    hear(case, an_act("system:x"), facts.pending(case, the_order(case)))
    hear(case, an_act("system:x"), facts.commissioned(case, the_order(case)))
    return case, follow_up


def documents_come(column: Column):
    case = partial(Result.DOCS_INCOMPLETE)
    follow_up = follow_up_of(case, "rework", column)
    hear(case, an_act("system:x"), facts.approved(case, the_order(case)))
    return case, follow_up


@pytest.mark.parametrize("arrives", [communicates, documents_come])
def test_T28_a_follow_up_that_nobody_began_is_not_needed(arrives) -> None:
    case, follow_up = arrives(Column.OP)
    assert (moved(case), follow_up.close_reason) == (["T28"], "NOT_NEEDED")


@pytest.mark.parametrize("column", [Column.PL, Column.RP, Column.AR, Column.RD])
@pytest.mark.parametrize("arrives", [communicates, documents_come])
def test_T32_a_planned_one_goes_to_a_person(arrives, column: Column) -> None:
    case, follow_up = arrives(column)
    assert (moved(case), follow_up.state) == (["T32"], State.MANUAL_FOLLOW_UP)


@pytest.mark.parametrize("column", HINTED)
@pytest.mark.parametrize("arrives", [communicates, documents_come])
def test_elsewhere_a_person_gets_a_hint(arrives, column: Column) -> None:
    case, _ = arrives(column)
    hints = [remark.code for remark in case.beside if getattr(remark, "hotlist", False)]
    assert (moved(case), len(hints)) == ([], 1)


def test_another_gateway_that_is_still_silent_keeps_the_follow_up() -> None:
    case = partial(Result.COMMS_PENDING)
    follow_up_of(case, "comms_repair")
    for serial in ("GW1", "GW2"):
        hear(case, an_act("system:x"), facts.pending(case, the_order(case), serial))
    hear(case, an_act("system:x"), facts.commissioned(case, the_order(case), "GW1"))
    assert moved(case) == []


def test_the_approval_of_completed_documents_hands_over_what_is_partly_done() -> None:
    case, _ = documents_come(Column.OP)
    assert (moved(case, 1), the_order(case).close_reason) == (["T21"], "DONE_PARTIAL")


def test_the_handover_of_a_follow_up_is_a_supplement() -> None:
    case = partial(Result.COMMS_PENDING, Column.CLOSED_WELL)
    the_order(case).close_reason = "DONE_PARTIAL"
    follow_up = follow_up_of(case, "comms_repair", Column.RESOLVED_WELL)
    hear(case, an_act("system:x"), facts.approved(case, follow_up))
    (asked,) = [fact for fact in case.told if isinstance(fact, cases.HandoverRequested)]
    assert (asked.supplement, asked.attempt, asked.work_order_id) == (True, 2, follow_up.work_order_id)


def test_a_meter_that_is_commissioned_by_being_built_in_says_nothing_of_the_gateway() -> None:
    case = partial(Result.COMMS_PENDING)
    follow_up_of(case, "comms_repair")
    built_in = facts.about(case, the_order(case)) | facts.of_device("meter", "NEW1")
    hear(case, an_act("system:x"), DeviceCommissioned(**built_in, at=NOW, by="visit"))
    assert moved(case) == []
