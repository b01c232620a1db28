"""Random lives of a case: whatever people, partners, services and timers do in whatever order, the laws hold."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as some

from contracts import cases
from contracts.codes import Cancellation, CloseReason, ExceptionType, Result, State
from contracts.orders import OrderAmended, OrderCancelled
from services.case_service.domain import moves, waits
from services.case_service.domain.actions import do
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Ending
from services.case_service.domain.exceptions import open_exceptions, raise_exception
from services.case_service.domain.gate import DONE, close_if_done
from services.case_service.domain.incoming.orders import amend_order, cancel_order
from services.case_service.domain.incoming.table import hear
from services.case_service.domain.matrices import MOVES
from services.case_service.domain.moves import ask_for
from services.case_service.domain.phases import phase_of
from services.case_service.domain.requests import ActionRequest
from services.case_service.domain.transitions import allowed
from services.case_service.domain.visits import keep_conflict
from services.case_service.domain.work_order import WorkOrder
from services.case_service.errors import Objection
from tests.unit.case_service import facts
from tests.unit.case_service.builders import (
    NOW,
    OTHER_PERSON,
    a_device,
    a_gateway,
    a_new_case,
    a_plan,
    a_report,
    a_request,
    an_act,
    an_old_device,
    in_the_field,
)

SYSTEM = "system:case_service"
MOVE_NAMES = tuple(MOVES)
RESULTS = tuple(Result)
RESOLUTIONS = ("cancelled", "no_more_attempts", "not_needed")
DECISIONS = ("complete_anyway", "reverse", None)
Step = tuple[int, int, int]


def report_of(case: Case, order: WorkOrder, variant: int):
    """A report that fits the plan, with one of the five results."""
    result = RESULTS[variant % len(RESULTS)]
    if result.outcome == "FAILED":
        return a_report(result)
    new = tuple(
        a_gateway(f"GW{order.sequence}") if item.role == "smgw" else a_device(f"N{order.sequence}")
        for item in order.device_plan.install
    )
    old = tuple(an_old_device(item.serial or "OLD1") for item in order.device_plan.remove)
    return a_report(result, installed=new, removed=old)


def person_moves(case: Case, order: WorkOrder, variant: int) -> None:
    """Somebody makes any move, with good arguments."""
    name = MOVE_NAMES[variant % len(MOVE_NAMES)]
    given = {}
    if name in {"resolve", "correct_report"}:
        given["report"] = report_of(case, order, variant // len(MOVE_NAMES))
    if name == "close_case":
        given["resolution"] = RESOLUTIONS[variant // len(MOVE_NAMES) % 3]
    if name == "order_field_visit":
        given["decision"] = DECISIONS[variant // len(MOVE_NAMES) % 3]
    act = in_the_field() if name in {"start", "resolve"} else an_act()
    conflict = None
    if name == "accept_report":
        conflict = keep_conflict(case, in_the_field(), order, report_of(case, order, variant))
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
            given = {"report": report_of(case, order, 0)} if step == "resolve" else {}
            moves.move(ask_for(case, act, order.work_order_id, a_request(step, **given), None))
        else:
            for fact in facts.facts(case, order)[step][: 2 if step.startswith("Device") else 1]:
                hear(case, an_act(SYSTEM), fact)
    return case


def completions_are_proved(case: Case, before: int) -> None:
    """I4: whenever the case completed in a step, nothing of the definition of done was missing then."""
    if len([fact for fact in case.told if isinstance(fact, cases.CaseCompleted)]) > before:
        missing = [item.missing for item in (check(case) for check in DONE.values()) if item.missing]
        exceptions = {evidence.item for evidence in case.gate_evidence or () if evidence.exception_id}
        # exceptions that end with the completion stood in for their items until then
        assert all(any(each.startswith(item.replace("dod", "DoD")) for item in exceptions) for each in missing)


def laws_hold(case: Case) -> None:
    """What no sequence of steps may break."""
    waived = any(each.type is ExceptionType.QA_WAIVER and each.approver for each in case.exceptions)
    on_site = {device.serial for device in case.on_site}
    for order in case.work_orders:
        assert not (order.close_reason is CloseReason.CANCELLED and {d.serial for d in order.installed} & on_site)
        assert not order.handed_over or order.approved or waived
        assert not (order.state is State.READY and order.cancellation is Cancellation.UNDECIDED)
        versions = [line.version for line in case.history if line.work_order_id == order.work_order_id]
        assert versions == list(range(1, order.version + 1))
    predecessors = [order.predecessor for order in case.work_orders if order.predecessor]
    assert len(predecessors) == len(set(predecessors)), "I13: at most one successor"
    assert not (case.ending is Ending.CANCELLED and on_site)
    assert phase_of(case, an_act()) != "COMPLETED" or case.gate_evidence


def story_is_whole(case: Case) -> None:
    """I16: every step told is a row of the table, each begins where the one before ended."""
    by_order: dict = {}
    for fact in case.told:
        if isinstance(fact, cases.WorkOrderMoved):
            by_order.setdefault(fact.work_order_id, []).append(fact)
    for steps in by_order.values():
        assert all(earlier.to_state == later.from_state for earlier, later in pairwise(steps))
        closed = [step for step in steps if step.from_state == State.CLOSED]
        assert {step.move for step in closed} <= {"T25"}


@given(some.booleans(), some.sampled_from(GOOD_BEGINNINGS), STEPS)
@settings(max_examples=400, deadline=None)
def test_no_life_of_a_case_breaks_a_law(gateway: bool, beginning: tuple[str, ...], steps: list[Step]) -> None:
    case = begin(gateway, beginning)
    for actor, which, variant in steps:
        order = case.by_sequence[which % len(case.work_orders)]
        before = len([fact for fact in case.told if isinstance(fact, cases.CaseCompleted)])
        try:
            ACTORS[actor](case, order, variant)
        except Objection:
            continue  # refused; what a refusal leaves behind is rolled back by the store
        laws_hold(case)
        completions_are_proved(case, before)
    story_is_whole(case)


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
    accepted = [each for each in case.handovers if each.state == "accepted" or each.accepted_late]
    stood_in = [each for each in case.exceptions if each.approver]
    assert not case.completion or accepted or stood_in
    assert not close_if_done(case, an_act()), "whatever could complete has completed already"


def test_an_order_in_an_ended_case_never_waits_for_a_decision() -> None:
    case = begin(False, GOOD_BEGINNINGS[4])
    partner_withdraws(case, case.current, 1)
    assert open_exceptions(case, ExceptionType.CANCELLED_IN_WORK)
    assert allowed("T31", case.current.column, State.CLOSED, CloseReason.CANCELLED)
