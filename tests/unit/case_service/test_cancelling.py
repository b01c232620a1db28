"""The cancellation matrix (lifecycle §6): every column, and before, while and after the visit."""

from datetime import timedelta

import pytest

from contracts import cases
from contracts.codes import Cancellation, MoveDecision, Result, State
from contracts.orders import MasterDataReceived, OrderCancelled
from services.case_service.domain import moves, waits
from services.case_service.domain.actions import do
from services.case_service.domain.case import Case, Ending
from services.case_service.domain.entries import OrderReference
from services.case_service.domain.incoming.orders import cancel_order, receive_again, take_master_data
from services.case_service.domain.incoming.table import hear
from services.case_service.domain.matrices import EVENTS
from services.case_service.domain.moves import ask_for
from services.case_service.domain.phases import phase_of
from services.case_service.domain.requests import ActionRequest
from services.case_service.domain.states import Column
from services.case_service.domain.visits import VisitConflict, open_follow_up
from services.case_service.domain.work_order import BuiltIn
from services.case_service.errors import CancellationOpen, DeviceOnSite, NothingToCorrect
from tests.unit.case_service import facts
from tests.unit.case_service.builders import (
    NOW,
    OTHER_PERSON,
    a_case,
    a_device,
    a_gateway,
    a_report,
    a_request,
    an_act,
    an_order,
    approve,
    follow_up_of,
    in_the_field,
    resolve,
    the_order,
)


def cancel(case: Case, version: int = 1) -> None:
    event = OrderCancelled(
        order_key="erp-a:4711",
        partner="erp-a",
        version=version,
        reason="moved_out",
        cancelled_by="erp-a",
        received_at=NOW,
    )
    cancel_order(case, an_act("system:case_service"), event)


def master_data(version: int | None, **changed: object) -> MasterDataReceived:
    return MasterDataReceived(
        order_key="erp-a:4711",
        metering_point_id="P",
        version=version,
        origin="partner",
        changed={name: {"new": value} for name, value in changed.items()},
    )


def told(case: Case, kind) -> list:
    return [fact for fact in case.told if isinstance(fact, kind)]


def answers(case: Case) -> list[str]:
    return [fact.decision for fact in told(case, cases.HandoverRequested) if fact.fact == "cancelled"]


BEGUN = [column for column in Column if EVENTS["OrderCancelled"][column][0] in {"T29", "T30"}]


@pytest.mark.parametrize("column", BEGUN)
def test_what_has_begun_waits_for_a_person_and_no_partner_is_answered_yet(column: Column) -> None:
    case = a_case(column)
    cancel(case)
    order = the_order(case)
    assert [fact.move for fact in told(case, cases.WorkOrderMoved)] == list(EVENTS["OrderCancelled"][column])
    assert (order.state, order.cancellation) == (State.MANUAL_FOLLOW_UP, Cancellation.UNDECIDED)
    assert (answers(case), phase_of(case, an_act()), order.pending) == ([], "EXCEPTION", None)


def test_an_order_that_nobody_began_ends_its_case() -> None:
    case = a_case(Column.OP)
    cancel(case)
    assert (answers(case), phase_of(case, an_act())) == (["confirmed"], "CANCELLED")


def test_J47_after_the_work_it_is_too_late() -> None:
    case = a_case(Column.CLOSED_WELL)
    cancel(case)
    assert (answers(case), told(case, cases.WorkOrderMoved)) == (["too_late"], [])
    assert [fact.type for fact in told(case, cases.ExceptionRaised)] == ["cancelled_after_done"]


def test_J47_however_the_partner_says_it_and_how_often_it_is_answered_once() -> None:
    case = a_case(Column.CLOSED_WELL)
    for _ in range(2):
        hear(case, an_act("system:x"), facts.rejected(case, the_order(case), "CANCELLED_BY_CIS"))
    cancel(case)
    assert (answers(case), case.references[0].live) == (["too_late"], False)
    assert [fact.type for fact in told(case, cases.ExceptionRaised)] == ["cancelled_after_done"]


def test_J47_who_ordered_nothing_withdraws_nothing() -> None:
    case = a_case(Column.CLOSED_WELL)
    hear(case, an_act("system:x"), facts.rejected(case, the_order(case), "CANCELLED_BY_CIS", recipient="grid-1"))
    assert (answers(case), [remark.code for remark in case.beside]) == ([], ["handover_rejected"])


def test_J47_with_several_orders_that_nobody_began_it_is_answered_once() -> None:
    case = a_case(Column.CLOSED_WELL)
    for number in (2, 3):
        added = follow_up_of(case, "repair")
        added.predecessor, added.sequence = None, number
    cancel(case)
    assert answers(case) == ["too_late"]


def test_a_withdrawal_of_a_newer_version_is_answered_anew() -> None:
    case = a_case(Column.CLOSED_WELL)
    cancel(case)
    cancel(case, 3)
    assert answers(case) == ["too_late", "too_late"]


@pytest.mark.parametrize(("column", "hours"), [(Column.RD, 2), (Column.MF, 48)])
def test_T29_a_decision_presses_only_where_the_withdrawal_met_somebody_on_the_way(column: Column, hours: int) -> None:
    case = a_case(column, came_from=State.READY)
    cancel(case)
    (due,) = [each.due_at for each in waits.wanted(case, an_act().policy) if each.kind == "cancel_decision"]
    assert (due - NOW).total_seconds() / 3600 >= hours > (due - NOW).total_seconds() / 3600 - 24
    assert the_order(case).came_from is State.READY


def test_G5_names_the_partner_that_withdrew_last() -> None:
    case = a_case(Column.PL)
    case.references[0].cancelled_version, case.references[0].cancelled_at = 1, NOW
    other = OrderReference(order_key="mdm-b:9", current_key="mdm-b:9", partner="mdm-b", order_version=1)
    other.cancelled_version, other.cancelled_at = 1, NOW - timedelta(days=1)
    case.references.append(other)
    the_order(case).cancellation = Cancellation.UNDECIDED
    hold = ask_for(case, an_act(), the_order(case).work_order_id, a_request("put_on_hold"), None)
    assert str(moves.objections(hold)[0]).startswith("erp-a cancelled")


def test_J47_what_was_given_up_without_a_trace_is_confirmed() -> None:
    case = a_case(Column.CLOSED_OTHERWISE)
    cancel(case)
    assert answers(case) == ["confirmed"]


@pytest.mark.parametrize("column", [Column.OP, Column.PL, Column.CLOSED_WELL])
def test_the_second_copy_of_a_withdrawal_is_late(column: Column) -> None:
    case = a_case(column)
    cancel(case)
    before = len(case.told)
    cancel(case)
    assert len(case.told) == before


def test_a_withdrawal_of_an_older_version_is_late() -> None:
    case = a_case(Column.PL)
    case.references[0].order_version = 3
    cancel(case, 2)
    assert case.told == []


@pytest.mark.parametrize("version", [None, 2], ids=["the market's", "the partner's"])
@pytest.mark.parametrize("column", BEGUN)
def test_T34_master_data_take_no_withdrawal_back(column: Column, version: int | None) -> None:
    case = a_case(column)
    cancel(case)
    take_master_data(case, an_act("system:case_service"), master_data(version, priority=90))
    assert (the_order(case).cancellation, case.references[0].live, case.priority) == (Cancellation.UNDECIDED, False, 90)
    assert told(case, cases.ExceptionResolved) == []
    assert [fact.reason for fact in told(case, cases.WorkOrderMoved)][-1] == "amended"


def test_another_live_order_keeps_the_work_going() -> None:
    case = a_case(Column.PL)
    other = OrderReference(order_key="mdm-b:9", current_key="mdm-b:9", partner="mdm-b", order_version=1)
    case.references.append(other)
    cancel(case)
    (asked,) = told(case, cases.HandoverRequested)
    assert (asked.decision, asked.order_key, the_order(case).state) == ("confirmed", "erp-a:4711", State.PLANNING)
    assert [remark.code for remark in case.beside if remark.hotlist] == ["still_wanted"]


def partly_done() -> Case:
    """A visit that left a silent gateway, and the follow-up for it that nobody began."""
    case = a_case(Column.IP, gateway=True)
    report = a_request("resolve", report=a_report("COMMS_PENDING", installed=(a_device(), a_gateway())))
    moves.move(ask_for(case, in_the_field(), the_order(case).work_order_id, report, None))
    case.told.clear()
    return case


def person(case: Case, move: str, **given: object) -> None:
    moves.move(ask_for(case, an_act(), the_order(case).work_order_id, a_request(move, **given), None))


def test_S3_47_a_follow_up_that_nobody_began_waits_for_the_decision_about_its_predecessor() -> None:
    case = partly_done()
    cancel(case)
    follow_up = case.by_sequence[1]
    assert (the_order(case).state, follow_up.state, follow_up.undecided) == (State.MANUAL_FOLLOW_UP, State.OPEN, False)
    begin = ask_for(case, an_act(), follow_up.work_order_id, a_request("start_planning"), None)
    assert [type(each) for each in moves.objections(begin)] == [CancellationOpen]
    assert (answers(case), case.ending) == ([], None)


def test_T27_what_is_completed_all_the_same_keeps_its_follow_up() -> None:
    case = partly_done()
    cancel(case)
    hear(case, an_act("system:x"), facts.approved(case, the_order(case)))
    person(case, "data_corrected")
    assert [order.close_reason for order in case.by_sequence] == ["DONE_PARTIAL", None]


def test_T34_a_withdrawal_that_is_taken_back_leaves_the_follow_up_as_it_was() -> None:
    case = partly_done()
    cancel(case)
    receive_again(case, an_act("system:case_service"), an_order(version=2))
    assert [order.state for order in case.by_sequence] == [State.MANUAL_FOLLOW_UP, State.OPEN]
    assert the_order(case).cancellation is Cancellation.NONE


def test_T33_what_is_taken_back_needs_no_follow_up() -> None:
    case = partly_done()
    cancel(case)
    person(case, "order_field_visit", decision="reverse")
    assert case.by_sequence[1].close_reason == "CANCELLED"


def test_T31_a_follow_up_ends_with_its_predecessor_and_so_does_the_case() -> None:
    case = partly_done()
    the_order(case).installed = ()
    cancel(case)
    person(case, "close_case", resolution="cancelled")
    assert [order.close_reason for order in case.by_sequence] == ["CANCELLED", "CANCELLED"]
    assert (answers(case), case.ending) == (["confirmed"], Ending.CANCELLED)


def test_J47_a_follow_up_of_work_that_was_handed_over_lives_on_and_somebody_must_look() -> None:
    case = a_case(Column.CLOSED_WELL)
    follow_up = follow_up_of(case, "comms_repair")
    cancel(case)
    assert (answers(case), follow_up.state) == (["too_late"], State.OPEN)
    assert [fact.type for fact in told(case, cases.ExceptionRaised)] == ["cancelled_after_done"]


def test_the_last_of_several_orders_ends_the_case() -> None:
    case = a_case(Column.RO)
    second = follow_up_of(case, "meter_exchange", Column.PL)
    cancel(case)
    close = a_request("close_case", resolution="cancelled")
    moves.move(ask_for(case, an_act(), the_order(case).work_order_id, close, None))
    assert case.ending is None
    moves.move(ask_for(case, an_act(), second.work_order_id, close, None))
    assert (len(told(case, cases.CaseCancelled)), answers(case)) == (1, ["confirmed"])


def test_the_withdrawal_comes_first_and_the_report_is_recorded() -> None:
    case = a_case(Column.IP)
    cancel(case)
    request = a_request("resolve", report=a_report())
    moves.move(ask_for(case, in_the_field(), the_order(case).work_order_id, request, None))
    assert (the_order(case).state, the_order(case).outcome) == (State.MANUAL_FOLLOW_UP, "OK")
    close = a_request("close_case", resolution="cancelled")
    with pytest.raises(DeviceOnSite):
        moves.move(ask_for(case, an_act(), the_order(case).work_order_id, close, None))


def test_A05_a_third_failure_reported_while_withdrawn_can_be_approved_when_the_work_is_wanted_again() -> None:
    case = a_case(Column.IP)
    for number in range(2):
        resolve(follow_up_of(case, "meter_exchange", Column.CLOSED_OTHERWISE), Result.NOT_AT_HOME)
        case.by_sequence[-1].sequence, case.by_sequence[-1].predecessor = number + 2, None
    cancel(case)
    failed = a_request("resolve", report=a_report("NOT_AT_HOME"))
    moves.move(ask_for(case, in_the_field(), the_order(case).work_order_id, failed, None))
    assert [fact.type for fact in told(case, cases.ExceptionRaised)][1:] == ["three_failed_attempts"]
    receive_again(case, an_act("system:case_service"), an_order(version=2))
    person(case, "order_field_visit")
    raised = case.exceptions[-1]
    do(case, an_act(OTHER_PERSON), ActionRequest(action="approve_exception", exception_id=raised.exception_id))
    person(case, "plan_again")
    assert (the_order(case).close_reason, case.current.state) == ("SUPERSEDED", State.PLANNING)


def test_A05_a_refusal_reported_while_withdrawn_is_an_exception() -> None:
    case = a_case(Column.IP)
    cancel(case)
    refused = a_request("resolve", report=a_report("NOT_AT_HOME", sub_reason="customer_refuses"))
    moves.move(ask_for(case, in_the_field(), the_order(case).work_order_id, refused, None))
    assert [fact.type for fact in told(case, cases.ExceptionRaised)] == ["cancelled_in_work", "refusal"]
    person(case, "close_case", resolution="cancelled")
    assert not [each for each in case.exceptions if each.open]


def test_a_report_after_the_decision_is_kept_and_somebody_must_look() -> None:
    case = a_case(Column.CLOSED_OTHERWISE)
    request = a_request("resolve", report=a_report())
    kept = moves.move(ask_for(case, in_the_field(), the_order(case).work_order_id, request, None))
    assert isinstance(kept, VisitConflict)
    assert [fact.type for fact in told(case, cases.ExceptionRaised)] == ["cancelled_after_done"]


def test_an_OK_after_the_withdrawal_confirms_nothing() -> None:
    case = a_case(Column.AR)
    cancel(case)
    hear(case, an_act("system:x"), facts.confirmed(case, the_order(case)))
    assert the_order(case).state is State.MANUAL_FOLLOW_UP
    assert "guard_failed" in {remark.code for remark in case.beside}


@pytest.mark.parametrize("column", BEGUN)
def test_every_withdrawn_order_can_be_brought_to_an_end(column: Column) -> None:
    case = a_case(column)
    cancel(case)
    order = the_order(case)
    if case.on_site:
        hear(case, an_act("system:x"), facts.approved(case, order))
        moves.move(ask_for(case, an_act(), order.work_order_id, a_request("data_corrected"), None))
        assert answers(case) == ["too_late"]
    else:
        request = a_request("close_case", resolution="cancelled")
        moves.move(ask_for(case, an_act(), order.work_order_id, request, None))
        assert answers(case) == ["confirmed"]
    assert order.closed


# what the model check found: none of this may come back


def reversal_at(column: Column, result: str = "OK") -> Case:
    """A case whose work was built in, and whose second order is there to take it back."""
    case = a_case(Column.CLOSED_WELL)
    first = the_order(case)
    first.close_reason, first.approval = "SUPERSEDED", None
    case.references[0].cancelled_version, case.references[0].cancelled_at = 1, NOW
    reversal = follow_up_of(case, "reversal", column)
    if reversal.used:
        resolve(reversal, Result(result))
    if reversal.used and result != "NOT_AT_HOME":
        reversal.installed = (BuiltIn(role="meter", serial="OLD1"),)
        reversal.removed = (BuiltIn(role="meter", serial="NEW1"),)
    return case


def test_J48_a_reversal_that_lacks_papers_ends_the_case_only_with_its_follow_up() -> None:
    case = reversal_at(Column.RESOLVED_WELL, "DOCS_INCOMPLETE")
    open_follow_up(case, an_act(), case.by_sequence[1])
    third = case.by_sequence[2]
    assert third.kind == "reversal"
    third.state = State.MANUAL_FOLLOW_UP
    hear(case, an_act("system:x"), facts.approved(case, case.by_sequence[1]))
    assert (case.by_sequence[1].close_reason, case.ending) == ("DONE_PARTIAL", None)
    close = a_request("close_case", resolution="not_needed")
    moves.move(ask_for(case, an_act(), third.work_order_id, close, None))
    assert (case.ending, answers(case)) == ("cancelled", ["confirmed"])


def test_J48_a_reversal_that_left_a_device_does_not_end_the_case() -> None:
    case = reversal_at(Column.RESOLVED_WELL)
    case.by_sequence[1].removed = ()
    hear(case, an_act("system:x"), facts.approved(case, case.by_sequence[1]))
    assert (case.by_sequence[1].state, case.ending, answers(case)) == (State.CLOSED, None, [])
    assert [remark.code for remark in case.beside if remark.hotlist] == ["cancelled_with_devices_on_site"]


def test_J48_a_reversal_that_failed_is_tried_again_with_what_is_left_to_take_back() -> None:
    case = reversal_at(Column.RO, "NOT_AT_HOME")
    moves.move(ask_for(case, an_act(), case.by_sequence[1].work_order_id, a_request("plan_again"), None))
    plan = case.by_sequence[2].device_plan
    assert case.by_sequence[2].kind == "reversal"
    assert ([item.role for item in plan.install], [item.serial for item in plan.remove]) == (["meter"], ["NEW1"])


def test_J48_a_reversal_corrected_at_the_desk_hands_nothing_over_and_ends_the_case() -> None:
    case = reversal_at(Column.RESOLVED_WELL)
    second = case.by_sequence[1]
    second.state = State.MANUAL_FOLLOW_UP
    approve(second)
    moves.move(ask_for(case, an_act(), second.work_order_id, a_request("data_corrected"), None))
    assert [fact.fact for fact in told(case, cases.HandoverRequested)] == ["cancelled"]
    assert case.ending == "cancelled"


def test_a_rejection_of_an_attempt_that_never_was_or_of_an_ended_case_is_late() -> None:
    case = a_case(Column.CLOSED_WELL)
    hear(case, an_act("system:x"), facts.rejected(case, the_order(case), attempt=2))
    case.ending = Ending.CANCELLED
    hear(case, an_act("system:x"), facts.rejected(case, the_order(case)))
    assert told(case, cases.WorkOrderMoved) == []
    assert [remark.code for remark in case.beside] == ["late", "late"]


def test_a_withdrawn_order_whose_work_another_one_built_in_can_be_completed_or_taken_back() -> None:
    case = a_case(Column.CLOSED_WELL)
    the_order(case).close_reason = "SUPERSEDED"
    second = follow_up_of(case, "rework", Column.PL)
    cancel(case)
    close = ask_for(case, an_act(), second.work_order_id, a_request("close_case", resolution="cancelled"), None)
    assert [type(each) for each in moves.objections(close)] == [DeviceOnSite]
    desk = ask_for(case, an_act(), second.work_order_id, a_request("data_corrected"), None)
    assert NothingToCorrect in [type(each) for each in moves.objections(desk)], "nobody was there yet"
    field = a_request("order_field_visit", decision="reverse")
    moves.move(ask_for(case, an_act(), second.work_order_id, field, None))
    assert second.state is State.REOPENED


def test_a_follow_up_of_withdrawn_work_does_not_become_the_reversal() -> None:
    case = a_case(Column.RO, decision=MoveDecision.REVERSE)
    resolve(the_order(case), Result.DOCS_INCOMPLETE)
    follow_up = follow_up_of(case, "rework", Column.PL)
    moves.move(ask_for(case, an_act(), the_order(case).work_order_id, a_request("plan_again"), None))
    assert [order.kind for order in case.by_sequence] == ["meter_exchange", "rework", "reversal"]
    assert case.by_sequence[2].predecessor == follow_up.work_order_id


def test_a_rework_after_three_failures_is_no_fourth_attempt() -> None:
    case = a_case(Column.RO)
    resolve(the_order(case), Result.OK)
    for number in range(3):
        resolve(follow_up_of(case, "meter_exchange", Column.CLOSED_OTHERWISE), Result.NOT_AT_HOME)
        case.by_sequence[-1].sequence = number + 2
    ask = ask_for(case, an_act(), the_order(case).work_order_id, a_request("plan_again"), None)
    assert moves.objections(ask) == []


def test_no_work_is_added_while_nobody_decided_about_a_withdrawal() -> None:
    case = a_case(Column.PL)
    cancel(case)
    more = ActionRequest(action="add_work_order", kind="repair", device_plan=case.device_plan)
    with pytest.raises(CancellationOpen):
        do(case, an_act(), more)
    assert len(case.work_orders) == 1
