"""Random lives of a case: whatever people, partners, services and timers do in whatever order, the laws hold."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as some

from contracts.cases import CaseCompleted
from contracts.codes import CloseReason, ExceptionType, Result, State
from contracts.orders import MasterDataReceived, OrderAmended, OrderCancelled
from services.case_service.domain import moves, waits
from services.case_service.domain.actions import do
from services.case_service.domain.case import Case
from services.case_service.domain.exceptions import open_exceptions, raise_exception
from services.case_service.domain.gate import close_if_done
from services.case_service.domain.incoming.orders import amend_order, cancel_order, take_master_data
from services.case_service.domain.incoming.table import hear
from services.case_service.domain.matrices import MOVES
from services.case_service.domain.moves import ask_for
from services.case_service.domain.requests import ActionRequest, Report
from services.case_service.domain.transitions import allowed
from services.case_service.domain.visits import keep_conflict
from services.case_service.domain.work_order import WorkOrder
from services.case_service.errors import Objection
from tests.unit.case_service import facts
from tests.unit.case_service.builders import (
    NOW,
    OTHER_PERSON,
    a_new_case,
    a_plan,
    a_request,
    an_act,
    in_the_field,
)
from tests.unit.case_service.lives import (
    completion_is_proved,
    fitting_report,
    laws_hold,
    story_is_whole,
    undecided,
    withdrawals_stand,
)

SYSTEM = "system:case_service"
MOVE_NAMES = tuple(MOVES)
RESULTS = tuple(Result)
RESOLUTIONS = ("cancelled", "no_more_attempts", "not_needed")
DECISIONS = ("complete_anyway", "reverse", None)
Step = tuple[int, int, int]


def report_of(order: WorkOrder, variant: int) -> Report:
    """A report that fits the plan, with one of the five results."""
    return fitting_report(order, RESULTS[variant % len(RESULTS)])


def person_moves(case: Case, order: WorkOrder, variant: int) -> None:
    """Somebody makes any move, with good arguments."""
    name = MOVE_NAMES[variant % len(MOVE_NAMES)]
    given = {}
    if name in {"resolve", "correct_report"}:
        given["report"] = report_of(order, variant // len(MOVE_NAMES))
    if name == "close_case":
        given["resolution"] = RESOLUTIONS[variant // len(MOVE_NAMES) % 3]
    if name == "order_field_visit":
        given["decision"] = DECISIONS[variant // len(MOVE_NAMES) % 3]
    act = in_the_field() if name in {"start", "resolve"} else an_act()
    conflict = None
    if name == "accept_report":
        conflict = keep_conflict(case, in_the_field(), order, report_of(order, variant))
    moves.move(ask_for(case, act, order.work_order_id, a_request(name, **given), None), conflict)


def others_tell(case: Case, order: WorkOrder, variant: int) -> None:
    """Another service tells any fact about the order."""
    told = [fact for found in facts.facts(case, order).values() for fact in found]
    hear(case, an_act(SYSTEM), told[variant % len(told)])


def partner_withdraws(case: Case, _: WorkOrder, variant: int) -> None:
    event = OrderCancelled(
        order_key="erp-a:4711",
        partner="erp-a",
        version=variant % 5 + 1,
        reason="moved_out",
        cancelled_by="erp-a",
        received_at=NOW,
    )
    cancel_order(case, an_act(SYSTEM), event)


def partner_amends(case: Case, _: WorkOrder, variant: int) -> None:
    event = OrderAmended(
        order_key="erp-a:4711", partner="erp-a", version=variant % 5 + 1, received_at=NOW, priority=variant % 100
    )
    amend_order(case, an_act(SYSTEM), event)


def master_data_change(case: Case, _: WorkOrder, variant: int) -> None:
    event = MasterDataReceived(
        order_key="erp-a:4711",
        metering_point_id=case.metering_point_id,
        origin="market_feedback",
        changed={"priority": {"new": variant % 100}},
    )
    take_master_data(case, an_act(SYSTEM), event)


def time_passes(case: Case, _: WorkOrder, variant: int) -> None:
    """One of the timers that run falls due."""
    waits.rearm(case, an_act().policy)
    running = sorted(case.waits)
    if running:
        kind, _, key = running[variant % len(running)].partition("/")
        waits.ring(case, an_act(SYSTEM, at=NOW + timedelta(days=30)), kind, key, case.waits[f"{kind}/{key}"].due_at)


def second_person_approves(case: Case, _: WorkOrder, variant: int) -> None:
    raised = [each for each in case.exceptions if each.state == "RAISED"]
    if raised:
        exception = raised[variant % len(raised)]
        do(case, an_act(OTHER_PERSON), ActionRequest(action="approve_exception", exception_id=exception.exception_id))


def somebody_asks_for_a_waiver(case: Case, order: WorkOrder, variant: int) -> None:
    types = (ExceptionType.QA_WAIVER, ExceptionType.DEVICE_PLAN_DEVIATION, ExceptionType.COMMS_NOT_POSSIBLE)
    if not case.terminal:
        raise_exception(case, an_act(), types[variant % 3], order=order, reason="walk", owner="qa")


ACTORS: tuple[Callable[[Case, WorkOrder, int], None], ...] = (
    person_moves,
    others_tell,
    person_moves,
    others_tell,
    partner_withdraws,
    partner_amends,
    master_data_change,
    time_passes,
    second_person_approves,
    somebody_asks_for_a_waiver,
)
STEPS = some.lists(
    some.tuples(some.integers(0, len(ACTORS) - 1), some.integers(0, 3), some.integers(0, 400)), max_size=50
)
GOOD_BEGINNINGS: tuple[tuple[str, ...], ...] = (
    (),
    ("start_planning", "AppointmentProposed"),
    ("start_planning", "AppointmentProposed", "send_booking", "AppointmentConfirmed"),
    ("start_planning", "AppointmentProposed", "send_booking", "AppointmentConfirmed", "start"),
    ("start_planning", "AppointmentProposed", "send_booking", "AppointmentConfirmed", "start", "resolve"),
    (
        *("start_planning", "AppointmentProposed", "send_booking", "AppointmentConfirmed", "start", "resolve"),
        *("DeviceInstalled, DeviceRemoved", "ReviewApproved"),
    ),
    (
        *("start_planning", "AppointmentProposed", "send_booking", "AppointmentConfirmed", "start", "resolve"),
        *("ReviewApproved", "HandoverRejected (exchange)", "take_over"),
    ),
)


def begin(gateway: bool, beginning: tuple[str, ...]) -> Case:
    """A case that has gone some way already: random steps alone seldom get far."""
    case = a_new_case(device_plan=a_plan(gateway=gateway))
    hear(case, an_act(SYSTEM), facts.facts(case, case.current)["BookableFromSet"][0])
    for step in beginning:
        order = case.current
        if step in MOVES:
            act = in_the_field() if step in {"start", "resolve"} else an_act()
            given = {"report": report_of(order, 0)} if step == "resolve" else {}
            moves.move(ask_for(case, act, order.work_order_id, a_request(step, **given), None))
        else:
            for fact in facts.facts(case, order)[step][: 2 if step.startswith("Device") else 1]:
                hear(case, an_act(SYSTEM), fact)
    return case


@given(some.booleans(), some.sampled_from(GOOD_BEGINNINGS), STEPS)
@settings(max_examples=400, deadline=None)
def test_no_life_of_a_case_breaks_a_law(gateway: bool, beginning: tuple[str, ...], steps: list[Step]) -> None:
    case = begin(gateway, beginning)
    for actor, which, variant in steps:
        order = case.by_sequence[which % len(case.work_orders)]
        before, waiting = case.completion, undecided(case)
        try:
            ACTORS[actor](case, order, variant)
        except Objection:
            continue  # refused; what a refusal leaves behind is rolled back by the store
        close_if_done(case, an_act(SYSTEM))
        laws_hold(case)
        withdrawals_stand(case, waiting)
        if case.completion > before:
            completion_is_proved(case)
    story_is_whole(case.told)
    assert case.completion == sum(isinstance(fact, CaseCompleted) for fact in case.told)


@given(some.booleans(), some.sampled_from(GOOD_BEGINNINGS), STEPS)
@settings(max_examples=100, deadline=None)
def test_nothing_completes_before_the_gate_lets_it(
    gateway: bool, beginning: tuple[str, ...], steps: list[Step]
) -> None:
    case = begin(gateway, beginning)
    for actor, which, variant in steps:
        try:
            ACTORS[actor](case, case.by_sequence[which % len(case.work_orders)], variant)
        except Objection:
            continue
        close_if_done(case, an_act(SYSTEM))
    accepted = [each for each in case.handovers if each.state == "accepted" or each.accepted_late]
    stood_in = [each for each in case.exceptions if each.approver]
    assert not case.completion or accepted or stood_in


def test_an_order_in_an_ended_case_never_waits_for_a_decision() -> None:
    case = begin(False, GOOD_BEGINNINGS[4])
    partner_withdraws(case, case.current, 1)
    assert open_exceptions(case, ExceptionType.CANCELLED_IN_WORK)
    assert allowed("T31", case.current.column, State.CLOSED, CloseReason.CANCELLED)
