"""Flows and sub-reasons are data: what a case starts with, what it must pass, what stays as it was (S2-01, S3-41)."""

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.cases import CaseOpened, WorkOrderOpened
from contracts.codes import CaseType, DodItem, LegalBasis, OrderKind, Origin, Result, WorkOrderKind
from contracts.parts import DevicePlan
from services.case_service.domain.act import Act
from services.case_service.domain.activities import Activity, finish
from services.case_service.domain.case import Case
from services.case_service.domain.flow import (
    STANDARD,
    ActivityKind,
    Flow,
    FlowBook,
    FlowContent,
    FlowStep,
    PlannedActivity,
    SubReasons,
    flow_key,
    numbered,
    valid_on,
)
from services.case_service.domain.gate import failing
from services.case_service.domain.incoming.table import hear
from services.case_service.domain.moves import ask_for, move
from services.case_service.domain.opening import open_in_house
from services.case_service.domain.orders import open_case
from services.case_service.domain.reports import check_result
from services.case_service.domain.requests import MoveRequest
from services.case_service.domain.states import Column
from services.case_service.errors import FormIncomplete, MoveNotAllowed
from tests.unit.case_service import facts
from tests.unit.case_service.builders import (
    NOW,
    a_case,
    a_new_case,
    a_plan,
    a_report,
    a_request,
    an_act,
    an_order,
    in_the_field,
    put,
)

NO_DEVICES = DevicePlan(plan="MEASUREMENT", install=(), remove=())


def a_flow(case_type: CaseType = CaseType.EXCHANGE, **given: Any) -> Flow:
    """The second version of a flow."""
    known = {name: getattr(STANDARD[case_type], name) for name in FlowContent.model_fields}
    return Flow(**(known | {"number": 2, "valid_from": date(2026, 1, 1)} | given))


def measured(act: Act) -> Case:
    """A case of the type that nobody orders: it is opened by hand."""
    order = an_order()
    return open_in_house(
        act,
        operator="nord",
        case_type=CaseType.MEASUREMENT,
        origin=Origin.INTERNAL,
        legal_basis=LegalBasis.CONTRACT,
        metering_point_id=order.metering_point_id,
        metering_point_scheme=order.metering_point_scheme,
        area=order.area,
        address=order.address,
        plan=NO_DEVICES,
        holds_point=True,
    )


@pytest.mark.parametrize(
    ("kind", "gateway", "first"),
    [
        (OrderKind.EXCHANGE, False, WorkOrderKind.METER_EXCHANGE),
        (OrderKind.EXCHANGE, True, WorkOrderKind.IMSYS_INSTALL),
        (OrderKind.INSTALL, False, WorkOrderKind.METER_INSTALL),
        (OrderKind.INSTALL, True, WorkOrderKind.IMSYS_INSTALL),
        (OrderKind.REMOVE, False, WorkOrderKind.REMOVAL),
        (OrderKind.REPAIR, True, WorkOrderKind.REPAIR),
        (OrderKind.TECH_CHANGE, False, WorkOrderKind.REPAIR),
    ],
)
def test_S2_01_each_type_begins_with_its_flow(kind: OrderKind, gateway: bool, first: WorkOrderKind) -> None:
    case = open_case(an_act(), an_order(kind=kind, device_plan=a_plan(gateway=gateway)))
    (order,), opened = case.work_orders, next(fact for fact in case.told if isinstance(fact, CaseOpened))
    assert (order.kind, order.duration_min) == (first, STANDARD[kind.case_type].minutes[first])
    assert order.skills == (("meter_3ph", "silke_trained", "smgw") if gateway else ("meter_3ph",))
    assert opened.flow_version == case.flow.number == 1


def test_S2_01_a_measurement_has_no_devices_so_it_waits_for_no_handover() -> None:
    case = measured(an_act())
    assert case.work_orders[0].kind == WorkOrderKind.MEASUREMENT
    assert [item.partition(":")[0] for item in failing(case)] == ["DoD3", "work order 1 is OPEN"]


def test_S2_01_a_measurement_is_complete_when_its_report_is_approved_and_nothing_is_handed_over() -> None:
    case = measured(an_act())
    put(case, case.work_orders[0], Column.RESOLVED_WELL)
    case.work_orders[0].installed = case.work_orders[0].removed = ()
    hear(case, an_act("system:case_service"), facts.approved(case, case.work_orders[0]))
    told = [type(fact).__name__ for fact in case.told]
    assert (failing(case), "HandoverRequested" in told) == ([], False)


def test_S2_01_an_exchange_without_devices_in_its_flow_still_needs_every_item() -> None:
    case = a_new_case()
    assert [item.partition(":")[0] for item in failing(case)][:2] == ["DoD1", "DoD3"]


def test_S2_01_running_cases_keep_their_version_after_an_edit() -> None:
    book = FlowBook(flow_key="nord/exchange", operator="nord", case_type=CaseType.EXCHANGE)
    minutes = dict(STANDARD[CaseType.EXCHANGE].minutes) | {WorkOrderKind.METER_EXCHANGE: 20}
    known = {name: getattr(a_flow(), name) for name in FlowContent.model_fields}
    book.put(FlowContent(**(known | {"minutes": minutes})), date(2026, 3, 10))
    before, after = (
        valid_on(book, CaseType.EXCHANGE, date(2026, 3, 9)),
        valid_on(book, CaseType.EXCHANGE, date(2026, 3, 10)),
    )
    old, new = (open_case(an_act(), an_order(), flow=flow) for flow in (before, after))
    assert [(each.flow_version, each.work_orders[0].duration_min) for each in (old, new)] == [(1, 45), (2, 20)]
    assert numbered(book, CaseType.EXCHANGE, old.flow_version).minutes_for("meter_exchange") == 45


def test_S2_01_a_case_without_its_version_at_hand_is_a_bug_and_loud() -> None:
    case = a_new_case()
    case.flow_version, case.kept_flow = 2, None
    with pytest.raises(LookupError, match="version 2"):
        _ = case.flow
    with pytest.raises(LookupError):
        numbered(None, CaseType.EXCHANGE, 2)


def test_S2_01_the_same_words_again_are_no_new_version() -> None:
    book = FlowBook(flow_key=flow_key("nord", CaseType.FAULT), operator="nord", case_type=CaseType.FAULT)
    content = FlowContent(**{name: getattr(a_flow(CaseType.FAULT), name) for name in FlowContent.model_fields})
    for day in (date(2026, 5, 1), date(2026, 5, 1), date(2026, 6, 1)):
        book.put(content, day)
    assert [each.number for each in book.versions] == [2, 3]


def test_S0_31_a_flow_has_no_word_for_states_and_skips_no_item_of_the_gate() -> None:
    known = {name: getattr(a_flow(), name) for name in FlowContent.model_fields}
    with pytest.raises(ValidationError, match="states"):
        FlowContent(**known, states=("NEARLY_DONE",))
    with pytest.raises(ValidationError, match="dod1 and dod4"):
        FlowContent(**(known | {"void_without_devices": (DodItem.DOD3,)}))


def test_S3_41_the_operator_s_list_decides_and_other_needs_words() -> None:
    own = SubReasons(
        operator="nord",
        reasons={"dog": Result.NOT_AT_HOME, "other": Result.NOT_AT_HOME, "van_broken": Result.MATERIAL_MISSING},
    )
    wanted = {
        ("NOT_AT_HOME", "dog"): None,
        ("NOT_AT_HOME", "customer_not_home"): "sub_reason",
        ("NOT_AT_HOME", "van_broken"): "sub_reason",
        ("MATERIAL_MISSING", "van_broken"): None,
        ("NOT_AT_HOME", "other"): "sub_reason_text",
    }
    for (result, reason), field in wanted.items():
        objection = check_result(a_report(result, sub_reason=reason), own)
        assert (objection and vars(objection)["fields"]) == (field and [field]), (result, reason)
    assert check_result(a_report("NOT_AT_HOME", sub_reason="other", sub_reason_text="flooded"), own) is None


PLAN = PlannedActivity(code="order_crane", kind=ActivityKind.PREPARATION, due_days=5)
STEP = FlowStep(step="cabinet", move="resolve", form_key="meter_exchange", fields=("cabinet", "fuse"), activity=PLAN)


def test_S2_02_a_step_that_is_not_complete_refuses_the_move_and_names_the_fields() -> None:
    case = a_case("IP")
    case.flow_version, case.kept_flow = 2, a_flow(steps=(STEP,))
    order = case.work_orders[0]
    ask = ask_for(case, in_the_field(), order.work_order_id, a_request("resolve"), None)
    with pytest.raises(FormIncomplete) as refused:
        move(ask)
    assert vars(refused.value)["fields"] == ["meter_exchange/cabinet", "meter_exchange/fuse"]
    assert (order.state, case.beside) == ("IN_PROGRESS", [])


def test_S2_02_a_visit_that_failed_needs_no_answers() -> None:
    case = a_case("IP")
    case.flow_version, case.kept_flow = 2, a_flow(steps=(STEP,))
    request = a_request("resolve", report=a_report("NOT_AT_HOME"))
    move(ask_for(case, in_the_field(), case.work_orders[0].work_order_id, request, None))
    assert case.work_orders[0].outcome == "FAILED"
    assert [each for each in case.beside if isinstance(each, Activity)] == []


def test_S2_03_a_step_that_is_met_moves_once_and_opens_its_activity_once() -> None:
    case = a_case("OP")
    step = FlowStep(step="survey", move="start_planning", form_key="survey", fields=("cabinet",), activity=PLAN)
    case.flow_version, case.kept_flow = 2, a_flow(steps=(step,))
    order, act = case.work_orders[0], an_act()
    ask = ask_for(case, act, order.work_order_id, MoveRequest(move="start_planning"), None)
    with pytest.raises(FormIncomplete):
        move(ask)
    saved = {"survey": {"cabinet": "three phase"}}
    met = type(ask)(case, order, act, ask.request, None, True, None, saved)
    move(met)
    with pytest.raises(MoveNotAllowed):
        move(met)
    (opened,) = (each for each in case.beside if isinstance(each, Activity))
    assert (order.state, opened.code, opened.step, opened.due_on) == (
        "PLANNING",
        "order_crane",
        "survey",
        date(2026, 3, 9),
    )


def test_S2_03_another_work_order_that_passes_the_step_opens_nothing_again() -> None:
    case = a_case("IP")
    case.flow_version, case.kept_flow = 2, a_flow(steps=(STEP,))
    case.steps_done = ("cabinet",)
    report = a_report(answers={"comms_ok": True, "cabinet": "old", "fuse": 63})
    request = a_request("resolve", report=report)
    move(ask_for(case, in_the_field(), case.work_orders[0].work_order_id, request, None))
    assert [each for each in case.beside if isinstance(each, Activity)] == []


def test_S2_13_each_permit_of_an_order_is_an_activity_and_blocks_until_the_last_is_done() -> None:
    case = open_case(an_act(), an_order(permits=("road", "crane")))
    order, activities = case.work_orders[0], [each for each in case.beside if isinstance(each, Activity)]
    assert [(each.kind, each.code, each.mandatory) for each in activities] == [
        ("permit", "road", True),
        ("permit", "crane", True),
    ]
    assert order.blockers == {"PERMIT_OPEN": "road, crane"}
    finish(case, an_act(), activities[0])
    assert order.blockers == {"PERMIT_OPEN": "crane"}
    finish(case, an_act(at=NOW + timedelta(days=1)), activities[1])
    assert (order.blockers, activities[1].state) == ({}, "DONE")
    with pytest.raises(MoveNotAllowed):
        finish(case, an_act(), activities[1])


def test_S2_13_mandatory_activities_of_the_flow_open_with_the_case() -> None:
    planned = (PLAN, PlannedActivity(code="cable", kind=ActivityKind.PERMIT, due_days=0, mandatory=True))
    case = open_case(an_act(), an_order(), flow=a_flow(activities=planned))
    assert [each.code for each in case.beside if isinstance(each, Activity)] == ["order_crane", "cable"]
    opened = next(fact for fact in case.told if isinstance(fact, WorkOrderOpened))
    assert case.order(opened.work_order_id).blockers == {"PERMIT_OPEN": "cable"}
