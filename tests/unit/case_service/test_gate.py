"""The definition of done (lifecycle §4): what closes the gate, what opens it, what stands in."""

import pytest

from contracts import assets, cases
from contracts.codes import ExceptionType, Result
from contracts.event import Event
from contracts.parts import EvidenceRef
from services.case_service.domain import actions, moves, waits
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Ending, ExceptionState, HandoverState
from services.case_service.domain.exceptions import raise_exception
from services.case_service.domain.gate import close_if_done, failing
from services.case_service.domain.incoming import table
from services.case_service.domain.moves import ask_for, objections
from services.case_service.domain.phases import phase_of
from services.case_service.domain.requests import ActionRequest, MoveRequest
from services.case_service.domain.states import Column
from services.case_service.errors import AttemptsExhausted, CaseEnded, FourEyes, GateClosed, MoveNotAllowed
from tests.unit.case_service import facts
from tests.unit.case_service.builders import (
    OTHER_PERSON,
    TECHNICIAN_ID,
    BuiltIn,
    a_case,
    a_report,
    a_request,
    an_act,
    follow_up_of,
    in_the_field,
    resolve,
    the_order,
)


def hear(case: Case, act: Act, fact: Event) -> None:
    """A fact arrives; the gate is asked after it, as after every change (`acts.conclude`)."""
    table.hear(case, act, fact)
    close_if_done(case, act)


def do(case: Case, act: Act, request: ActionRequest) -> None:
    """Somebody asks something of the case; the gate is asked after it."""
    actions.do(case, act, request)
    close_if_done(case, act)


def a_case_at_its_end(*, gateway: bool = False) -> Case:
    """Handed over, devices booked; only the acceptance is missing."""
    case = a_case(Column.CLOSED_WELL, gateway=gateway)
    order = the_order(case)
    put_in(case, "meter", "NEW1")
    if gateway:
        order.installed += (BuiltIn(role="smgw", serial="GW1"),)
        put_in(case, "smgw", "GW1")
    gone = facts.visited(case, order, **facts.of_device("meter", "OLD1"))
    hear(case, an_act("system:x"), assets.DeviceRemoved(**gone))
    case.told.clear()
    return case


def put_in(case: Case, role: str, serial: str, **given) -> None:
    made = facts.visited(case, the_order(case), **facts.of_device(role, serial)) | given
    hear(case, an_act("system:x"), assets.DeviceInstalled(**made))


def accept(case: Case) -> None:
    hear(case, an_act("system:x"), facts.accepted(case, the_order(case)))


def completed(case: Case) -> list[cases.CaseCompleted]:
    return [fact for fact in case.told if isinstance(fact, cases.CaseCompleted)]


def make(case: Case, act: Act, request: MoveRequest) -> None:
    moves.move(moves.ask_for(case, act, the_order(case).work_order_id, request, None))


def grant(case: Case, type_: ExceptionType) -> None:
    raised = raise_exception(case, an_act(), type_, reason="so be it", owner="qa")
    request = ActionRequest(action="approve_exception", exception_id=raised.exception_id)
    do(case, an_act(OTHER_PERSON), request)


def test_everything_proved_completes_the_case_with_the_evidence() -> None:
    case = a_case_at_its_end()
    accept(case)
    (done,) = completed(case)
    assert [item.item for item in done.evidence] == ["dod1", "dod2", "dod3", "dod4", "dod5"]
    assert (phase_of(case, an_act()), case.open_point) == ("COMPLETED", None)


def test_DoD1_names_the_role_that_is_not_in_place() -> None:
    case = a_case_at_its_end(gateway=True)
    case.devices = tuple(fact for fact in case.devices if fact.role != "smgw")
    accept(case)
    assert (completed(case), failing(case)[0]) == ([], "DoD1: smgw")


def test_DoD1_another_type_than_planned_needs_an_exception() -> None:
    case = a_case_at_its_end()
    put_in(case, "meter", "NEW1", device_type="other")
    accept(case)
    assert failing(case) == ["DoD1: meter"]
    grant(case, ExceptionType.DEVICE_PLAN_DEVIATION)
    assert completed(case)[0].evidence[0].exception_id == case.exceptions[0].exception_id


def test_DoD1_the_planned_device_must_be_gone_and_dashes_do_not_matter() -> None:
    case = a_case_at_its_end()
    old = case.device_plan.remove[0]
    case.device_plan = case.device_plan.model_copy(update={"remove": (old.model_copy(update={"serial": "OLD-1"}),)})
    assert failing(case)[0].startswith("DoD4")
    case.device_plan = case.device_plan.model_copy(update={"remove": (old.model_copy(update={"serial": "OLD2"}),)})
    assert failing(case)[0] == "DoD1: meter OLD2"


def test_DoD2_a_silent_gateway_needs_a_follow_up_or_its_voice() -> None:
    case = a_case_at_its_end(gateway=True)
    order = the_order(case)
    hear(case, an_act("system:x"), facts.pending(case, order))
    accept(case)
    assert failing(case) == ["DoD2: no follow-up"]
    hear(case, an_act("system:x"), facts.commissioned(case, order))
    assert len(completed(case)) == 1


def test_DoD2_rests_on_a_follow_up_that_lives_on() -> None:
    case = a_case_at_its_end(gateway=True)
    order = the_order(case)
    order.result, order.close_reason = Result.COMMS_PENDING, "DONE_PARTIAL"
    follow_up_of(case, "comms_repair")
    hear(case, an_act("system:x"), facts.pending(case, order))
    accept(case)
    assert (len(completed(case)), len(case.unclosed)) == (1, 1)


def test_an_order_that_somebody_still_works_on_keeps_the_gate_closed() -> None:
    case = a_case_at_its_end()
    follow_up_of(case, "rework", Column.PL)
    accept(case)
    assert failing(case) == ["work order 2 is PLANNING"]


def test_DoD3_names_the_order_whose_evidence_nobody_approved() -> None:
    case = a_case_at_its_end()
    the_order(case).approval = None
    accept(case)
    assert failing(case) == ["DoD3: work order 1 not approved"]


def test_S0_14_DoD3_names_the_photo_that_is_missing_until_it_is_there() -> None:
    case = a_case(Column.RESOLVED_WELL)
    finding = {"rule": "Q01", "severity": "error", "target": "photo_meter_after"}
    hear(case, an_act("system:x"), facts.rework(case, the_order(case), "desk", findings=(finding,)))
    assert "DoD3: photo meter_after" in failing(case)
    evidence = {"evidence_id": "00000000-0000-0000-0000-00000000000e", "kind": "photo_meter_after", "sha256": "ab"}
    make(case, an_act(), a_request("add_evidence", evidence=(EvidenceRef(**evidence),)))
    assert "DoD3: nothing was handed over" in failing(case)


def test_S0_14_DoD3_names_what_the_technician_says_is_missing() -> None:
    case = a_case(Column.IP)
    report = a_report(Result.DOCS_INCOMPLETE, missing=("protocol",))
    make(case, in_the_field(), a_request("resolve", report=report))
    assert "DoD3: protocol" in failing(case)
    hear(case, an_act("system:x"), facts.approved(case, the_order(case)))
    assert [item for item in failing(case) if item.startswith("DoD3")] == []


def test_S0_15_DoD4_names_why_the_handover_was_refused_and_that_nobody_owns_it() -> None:
    case = a_case_at_its_end()
    hear(case, an_act("system:x"), facts.rejected(case, the_order(case)))
    assert "DoD4: REJECTED UNKNOWN_DEVICE, no owner" in failing(case)


def test_DoD4_waits_for_the_acceptance_of_the_latest_attempt() -> None:
    case = a_case_at_its_end()
    assert failing(case) == ["DoD4: WAITING (work order 1)"]
    hear(case, an_act("system:x"), facts.accepted(case, the_order(case), attempt=0))
    assert failing(case) == ["DoD4: WAITING (work order 1)"]


def test_DoD4_an_approved_exception_stands_in() -> None:
    case = a_case_at_its_end()
    hear(case, an_act("system:x"), facts.failed(case, the_order(case)))
    assert case.handovers[0].state is HandoverState.FAILED
    (raised,) = case.exceptions
    assert (raised.type, failing(case)) == (ExceptionType.HANDOVER_FAILED, ["DoD4: FAILED TRANSPORT, no owner"])
    do(case, an_act(OTHER_PERSON), ActionRequest(action="approve_exception", exception_id=raised.exception_id))
    assert completed(case)[0].evidence[3].exception_id == raised.exception_id


def test_DoD5_a_gap_in_the_history_closes_the_gate_and_nothing_stands_in() -> None:
    case = a_case_at_its_end()
    the_order(case).version += 1
    accept(case)
    assert failing(case) == ["DoD5: gap at version 2 of work order 1"]
    for type_ in ExceptionType:
        raise_exception(case, an_act(), type_, reason="x").state = ExceptionState.APPROVED
    assert not close_if_done(case, an_act())


def test_a_case_where_nothing_was_handed_over_is_never_complete() -> None:
    case = a_case(Column.CLOSED_OTHERWISE)
    case.device_plan = case.device_plan.model_copy(update={"install": (), "remove": ()})
    assert failing(case) == ["DoD3: nothing was handed over"]


def test_a_person_who_asks_learns_everything_that_is_missing() -> None:
    case = a_case(Column.RESOLVED_WELL)
    with pytest.raises(GateClosed) as closed:
        do(case, an_act(), ActionRequest(action="check_gate"))
    assert vars(closed.value)["items"] == failing(case)
    assert len(failing(case)) == 3


def act_on(case: Case, action: str, actor: str = OTHER_PERSON, **given) -> None:
    do(case, an_act(actor), ActionRequest(action=action, **given))


@pytest.mark.parametrize("ending", list(Ending))
def test_G12_an_ended_case_takes_no_action(ending: Ending) -> None:
    case = a_case(Column.CLOSED_OTHERWISE)
    case.ending = ending
    with pytest.raises(CaseEnded):
        act_on(case, "check_gate")


def test_G12_a_complete_case_is_not_ended_and_its_gate_stays_open() -> None:
    case = a_case_at_its_end()
    accept(case)
    act_on(case, "check_gate")
    assert len(completed(case)) == 1


@pytest.mark.parametrize("ending", [None, Ending.CANCELLED])
def test_J47_what_a_late_withdrawal_raised_is_resolved_by_a_person_and_escalated_until_then(ending) -> None:
    case = a_case_at_its_end()
    accept(case)
    case.ending = ending
    raised = raise_exception(case, an_act(), ExceptionType.CANCELLED_AFTER_DONE, reason="cancelled_by_partner")
    assert "exception_due" in {each.kind for each in waits.wanted(case, an_act().policy)}
    act_on(case, "resolve_exception", exception_id=raised.exception_id)
    assert not raised.open
    assert "exception_due" not in {each.kind for each in waits.wanted(case, an_act().policy)}


def test_G25_a_follow_up_under_a_complete_case_may_be_tried_once_more_when_a_second_person_agrees() -> None:
    case = a_case_at_its_end()
    accept(case)
    follow_up = follow_up_of(case, "comms_repair", Column.RO)
    for number in range(2):
        resolve(follow_up_of(case, "comms_repair", Column.CLOSED_OTHERWISE), Result.NOT_AT_HOME)
        case.by_sequence[-1].sequence = number + 3
    again = ask_for(case, an_act(), follow_up.work_order_id, a_request("plan_again"), None)
    assert [type(each) for each in objections(again)] == [AttemptsExhausted]
    raised = raise_exception(case, an_act(), ExceptionType.THREE_FAILED_ATTEMPTS, reason="failed_attempts")
    act_on(case, "approve_exception", exception_id=raised.exception_id)
    assert objections(again) == []


def test_an_exception_whose_cause_may_be_past_is_ended_by_hand_once_it_was_approved() -> None:
    case = a_case_at_its_end()
    accept(case)
    raised = raise_exception(case, an_act(), ExceptionType.COMMS_NOT_POSSIBLE, reason="failed_attempts")
    with pytest.raises(MoveNotAllowed):
        act_on(case, "resolve_exception", exception_id=raised.exception_id)
    act_on(case, "approve_exception", exception_id=raised.exception_id)
    act_on(case, "resolve_exception", exception_id=raised.exception_id)
    assert raised.state is ExceptionState.RESOLVED


def test_a_gateway_that_speaks_ends_the_exception_that_it_never_would() -> None:
    case = a_case_at_its_end(gateway=True)
    raised = raise_exception(case, an_act(), ExceptionType.COMMS_NOT_POSSIBLE, reason="failed_attempts")
    hear(case, an_act("system:x"), facts.pending(case, the_order(case)))
    assert raised.open
    hear(case, an_act("system:x"), facts.commissioned(case, the_order(case)))
    assert raised.state is ExceptionState.RESOLVED


@pytest.mark.parametrize("actor", ["person:local:anna", "person:local:olga", TECHNICIAN_ID])
def test_raiser_owner_and_executor_are_no_second_person(actor: str) -> None:
    case = a_case(Column.RESOLVED_WELL)
    raised = raise_exception(case, an_act(), ExceptionType.QA_WAIVER, reason="x", owner="person:local:olga")
    with pytest.raises(FourEyes):
        do(case, an_act(actor), ActionRequest(action="approve_exception", exception_id=raised.exception_id))
