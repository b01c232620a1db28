"""The model check (lifecycle §14): the real domain, driven breadth-first through every picture that guards can see.

A picture is what guards look at: state, used, outcome, cancellation, rejection, devices on site, review, other orders.
Work orders in C− are left out of it, since nothing changes them any more; so the graph of pictures is finite.
"""

import copy
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from contracts import assets, notices, orders
from contracts.cases import WorkOrderMoved
from contracts.codes import ExceptionType, Fact, Outcome, Result, State, WorkOrderKind
from contracts.event import Event
from contracts.groups import OfHandover
from services.case_service.domain import moves, waits
from services.case_service.domain.act import Act, Policy
from services.case_service.domain.actions import do
from services.case_service.domain.case import Case
from services.case_service.domain.changes import Trail
from services.case_service.domain.exceptions import open_exceptions
from services.case_service.domain.incoming.orders import amend_order, cancel_order
from services.case_service.domain.incoming.scene import ANOM, LATE
from services.case_service.domain.incoming.table import hear, row_of
from services.case_service.domain.matrices import EVENTS, MOVES
from services.case_service.domain.moves import ask_for
from services.case_service.domain.requests import ActionRequest
from services.case_service.domain.serials import plain
from services.case_service.domain.states import Column
from services.case_service.domain.transitions import TRANSITIONS
from services.case_service.domain.visits import keep_conflict
from services.case_service.domain.work_order import WorkOrder
from services.case_service.errors import Objection
from tests.unit.case_service import facts
from tests.unit.case_service.builders import (
    COMPANY,
    IDS,
    NOW,
    OTHER_PERSON,
    PLANNER,
    TECHNICIAN,
    TECHNICIAN_ID,
    a_new_case,
    a_plan,
    a_request,
)
from tests.unit.case_service.lives import fitting_report, laws_hold

POLICY = Policy(attempts=1)
"""One failure is too many already: three would only make the graph larger."""
Step = partial[None]
Picture = tuple[Any, ...]


def act(actor: str = PLANNER, technician: Any = None) -> Act:
    return Act(at=NOW, actor=actor, new_id=IDS, event_id=IDS(), technician=technician, policy=POLICY)


class NothingHappens(Exception):
    """The matrices have nothing here but a line in the history; test_matrix_of_moves and _events prove that."""


# what may happen


def person(case: Case, order: WorkOrder, *, move: str, **given: Any) -> None:
    """Somebody makes a move, with good arguments."""
    if MOVES[move][order.column] in {(), ("conf",)}:
        raise NothingHappens
    field_move = move in {"start", "resolve"}
    doing = act(TECHNICIAN_ID, TECHNICIAN) if field_move else act()
    moves.move(ask_for(case, doing, order.work_order_id, a_request(move, **given), None))


def reports(case: Case, order: WorkOrder, *, result: Result) -> None:
    if MOVES["resolve"][order.column] == ("conf",):
        raise NothingHappens
    person(case, order, move="resolve", report=fitting_report(order, result))


def accepts(case: Case, order: WorkOrder, *, result: Result) -> None:
    """A dispatcher takes a report that had been kept."""
    if not MOVES["accept_report"][order.column]:
        raise NothingHappens
    kept = keep_conflict(case, act(TECHNICIAN_ID, TECHNICIAN), order, fitting_report(order, result))
    moves.move(ask_for(case, act(), order.work_order_id, a_request("accept_report"), None), kept)


def told(case: Case, order: WorkOrder, *, fact: Callable[[Case, WorkOrder], Event]) -> None:
    """Another service tells a fact about the order."""
    news = fact(case, order)
    if EVENTS[row_of(news)][order.column] in {(LATE,), (ANOM,)} and not isinstance(news, OfHandover):
        raise NothingHappens
    hear(case, act("system:case_service"), news)


def accepts_all(case: Case, order: WorkOrder) -> None:
    """asset_service has booked what the visit reported, and the partners accept it."""
    for device in order.installed:
        news = facts.visited(case, order, **facts.of_device(device.role, device.serial))
        hear(case, act("system:case_service"), assets.DeviceInstalled(**news))
    for device in order.removed:
        news = facts.visited(case, order, **facts.of_device(device.role, device.serial))
        hear(case, act("system:case_service"), assets.DeviceRemoved(**news))
    told(case, order, fact=facts.accepted)


def withdraws(case: Case, _: WorkOrder) -> None:
    """The partner cancels, after whatever it wrote before."""
    version = case.references[0].newest + 1
    cancel_order(case, act("system:case_service"), facts_of_order(orders.OrderCancelled, version))


def orders_again(case: Case, _: WorkOrder) -> None:
    """The partner sends a newer version; that takes an undecided withdrawal back."""
    version = case.references[0].newest + 1
    amend_order(case, act("system:case_service"), facts_of_order(orders.OrderAmended, version))


def facts_of_order(kind: type[Event], version: int) -> Any:
    made = {"order_key": "erp-a:4711", "partner": "erp-a", "version": version, "received_at": NOW}
    if kind is orders.OrderCancelled:
        return kind(**made, reason="moved_out", cancelled_by="erp-a")
    return kind(**made, priority=version % 100)


def leaves_undecided(case: Case, order: WorkOrder) -> None:
    """A reply comes, and booking_service does not decide about it in time."""
    told(case, order, fact=facts.replied)
    waits.rearm(case, POLICY)
    key = f"{order.work_order_id}/{order.offer}"
    if f"confirm_missing/{key}" in case.waits:
        waits.ring(case, act(), "confirm_missing", key, case.waits[f"confirm_missing/{key}"].due_at)


def waives(case: Case, order: WorkOrder) -> None:
    """A person asks for a waiver of the review, a second one agrees."""
    asked = {"action": "raise_exception", "type": "qa_waiver", "reason": "photos lost", "owner": "qa"}
    if not open_exceptions(case, ExceptionType.QA_WAIVER):
        do(case, act(), ActionRequest(**asked, due_on=NOW.date(), work_order_id=order.work_order_id))
    agrees(case, order, types=(ExceptionType.QA_WAIVER,))


def agrees(case: Case, _: WorkOrder, *, types: tuple[ExceptionType, ...]) -> None:
    """A second person approves what waits for one."""
    for each in open_exceptions(case, *types):
        if not each.approved:
            do(case, act(OTHER_PERSON), ActionRequest(action="approve_exception", exception_id=each.exception_id))


def slot_given(case: Case, order: WorkOrder) -> Event:
    return facts.bookings.AppointmentProposed(**facts.slot(case, order))


def no_answer(case: Case, order: WorkOrder) -> Event:
    return facts.bookings.AnswerOverdue(**facts.of_appointment(case, order), channel="sms", answer_by=NOW)


def printed(case: Case, order: WorkOrder) -> Event:
    return notices.LetterPrinted(**facts.letter(case, order), printed_on=NOW.date(), pulled_late=False)


def text_sent(case: Case, order: WorkOrder) -> Event:
    return notices.NoticeSent(**facts.sending(case, order), sent_at=NOW, sent_on=NOW.date())


# fmt: off
DESK: Mapping[str, Step] = {
    "start_planning":     partial(person, move="start_planning"),
    "slot":               partial(told, fact=slot_given),
    "follow_up":          partial(person, move="follow_up_manually"),
    "by phone":           partial(person, move="send_to_execution"),
    "plan_again":         partial(person, move="plan_again"),
    "reopen":             partial(person, move="reopen"),
    "cancelled":          partial(person, move="close_case", resolution="cancelled"),
    "no more":            partial(person, move="close_case", resolution="no_more_attempts"),
    "not needed":         partial(person, move="close_case", resolution="not_needed"),
    "take_over":          partial(person, move="take_over"),
    "data_corrected":     partial(person, move="data_corrected"),
    "field, complete":    partial(person, move="order_field_visit", decision="complete_anyway"),
    "field, reverse":     partial(person, move="order_field_visit", decision="reverse"),
    "done":               partial(reports, result=Result.OK),
    "no papers":          partial(reports, result=Result.DOCS_INCOMPLETE),
    "silent":             partial(reports, result=Result.COMMS_PENDING),
    "nobody home":        partial(reports, result=Result.NOT_AT_HOME),
    "more evidence":      partial(person, move="add_evidence"),
    "withdrawn":          partial(withdraws),
    "ordered again":      partial(orders_again),
    "approved":           partial(told, fact=facts.approved),
    "go again":           partial(told, fact=partial(facts.rework, kind="field")),
    "accepted":           partial(accepts_all),
    "rejected":           partial(told, fact=facts.rejected),
    "second person":      partial(agrees, types=(ExceptionType.THREE_FAILED_ATTEMPTS,)),
}
"""Everything that decides about a visit, with the shortest way of planning one."""

TAKEN: Mapping[str, Step] = {
    "accept, done":       partial(accepts, result=Result.OK),
    "accept, no papers":  partial(accepts, result=Result.DOCS_INCOMPLETE),
    "accept, silent":     partial(accepts, result=Result.COMMS_PENDING),
}
"""Reports that had been kept: the shortest way to a visit."""

MORE: Mapping[str, Step] = {
    "letter":             partial(person, move="prepare_letter"),
    "text":               partial(person, move="send_booking"),
    "on hold":            partial(person, move="put_on_hold"),
    "contact":            partial(person, move="contact_made"),
    "start":              partial(person, move="start"),
    "accept, failed":     partial(accepts, result=Result.NOT_AT_HOME),
    **TAKEN,
    "slot moved":         partial(told, fact=partial(facts.moved, agreed=False)),
    "printed":            partial(told, fact=printed),
    "sent":               partial(told, fact=text_sent),
    "not sent":           partial(told, fact=partial(facts.notice_failed, permanence="permanent")),
    "not sent yet":       partial(told, fact=partial(facts.notice_failed, permanence="transient")),
    "undecided reply":    partial(leaves_undecided),
    "confirmed":          partial(told, fact=facts.confirmed),
    "by staff":           partial(told, fact=partial(facts.confirmed, by="staff", notice=True)),
    "questioned":         partial(told, fact=facts.questioned),
    "no answer":          partial(told, fact=no_answer),
    "waived":             partial(waives),
}
# fmt: on
"""All ways of planning and reporting, and what stands in for a review."""


def one_step(case: Case, inputs: Mapping[str, Step]) -> Iterator[tuple[str, Case]]:
    """Everything that may happen next: what is refused leads nowhere."""
    for name, step in inputs.items():
        for order in case.by_sequence:
            if order.column is Column.CLOSED_OTHERWISE and len(case.work_orders) > 1:
                continue
            twin = copy_of(case)
            try:
                step(twin, twin.order(order.work_order_id))
            except (Objection, NothingHappens):
                continue
            yield f"{name} {order.sequence}", twin


def copy_of(case: Case) -> Case:
    """A case that can be changed without the other; parts that are replaced, not changed, are shared."""
    twin = copy.copy(case)
    for name, value in vars(case).items():
        if isinstance(value, list):
            setattr(twin, name, list(value) if name == "history" else [copy.copy(each) for each in value])
    for made in (twin.told, twin.beside, twin.anomalies):
        made.clear()
    twin.trail = Trail()
    return twin


# what guards see


def live(case: Case) -> list[WorkOrder]:
    """Work orders that something may still happen to."""
    return [order for order in case.by_sequence if order.column is not Column.CLOSED_OTHERWISE]


def picture_of(case: Case) -> Picture:
    """What guards, gate and follow-ups look at."""
    on_site = {plain(device.serial) for device in case.on_site}
    return (
        tuple(_order_picture(case, order, on_site) for order in live(case)),
        bool(on_site),
        (case.ending, case.gate_evidence is not None),
        min(case.failed_attempts, POLICY.attempts),
        tuple(sorted(each.type for each in case.exceptions if each.approved)),
    )


def _order_picture(case: Case, order: WorkOrder, on_site: set[str]) -> Picture:
    """What of a work order matters where it stands: what no guard looks at there is left out."""
    column, open_ = order.column, order.state not in {State.RESOLVED, State.CLOSED, State.REJECTED_BY_MDM}
    latest = [each for each in case.handovers if (each.fact, each.attempt) == (Fact.EXCHANGE_COMPLETED, order.handover)]
    carries = bool({plain(device.serial) for device in order.installed} & on_site)
    follows = any(each.work_order_id == order.predecessor for each in live(case))
    return (
        order.kind if follows or order.kind == WorkOrderKind.REVERSAL else None,
        *(column, order.outcome, order.undecided, order.rejection, carries, follows),
        order.result if order.outcome is Outcome.PARTIAL else None,
        order.outcome is not None and order.approved,
        order.decision if column is Column.RO else None,
        column is Column.MF and order.came_from in moves.IN_THE_FIELD,
        (bool(order.device_plan.install), bool(order.device_plan.remove)) if open_ and not order.used else None,
        open_ and not order.used and not order.unplanned(),
        order.pending.channel if order.pending else None,
        tuple((each.state, each.accepted_late) for each in latest),
    )


@dataclass
class Graph:
    """Pictures, how each was reached first, and where each leads."""

    first: dict[Picture, tuple[Picture | None, str]] = field(default_factory=dict)
    back: dict[Picture, list[Picture]] = field(default_factory=dict)
    ends: list[Picture] = field(default_factory=list)
    columns: set[Column] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)

    def way_to(self, picture: Picture) -> list[str]:
        """The shortest way there, for a failure that a person can read."""
        steps, at = [], picture
        while (found := self.first[at])[0] is not None:
            steps.append(found[1])
            at = found[0]
        return steps[::-1]

    def dead_ends(self) -> list[list[str]]:
        """Ways to pictures from which no way leads to a case with everything closed."""
        alive, waiting = set(self.ends), list(self.ends)
        while waiting:
            for before in self.back.get(waiting.pop(), ()):
                if before not in alive:
                    alive.add(before)
                    waiting.append(before)
        return [self.way_to(each) for each in self.first if each not in alive]


def explore(start: Case, inputs: Mapping[str, Step], bound: Callable[[Case], bool], most: int | None = None) -> Graph:
    """Breadth first: every picture inside the bound once, with the laws checked at every step into it."""
    graph, waiting = Graph(), deque[tuple[Picture, Case]]()
    arrive(graph, waiting, start, None, "")
    while waiting:
        here, case = waiting.popleft()
        for name, after in one_step(case, inputs):
            graph.taken |= {fact.move for fact in after.told if isinstance(fact, WorkOrderMoved)}
            there = picture_of(after)
            if there not in graph.first:
                if not bound(after) or len(graph.first) == most:
                    continue
                arrive(graph, waiting, after, here, name)
            graph.back.setdefault(there, []).append(here)
    return graph


def arrive(graph: Graph, waiting: deque[tuple[Picture, Case]], case: Case, before: Picture | None, step: str) -> None:
    """A picture that was not seen before: the laws are checked, and what the graph wants to remember is."""
    picture = picture_of(case)
    graph.first[picture] = (before, step)
    waiting.append((picture, case))
    graph.columns |= {order.column for order in case.work_orders}
    if not case.unclosed:
        graph.ends.append(picture)
    try:
        laws_hold(case)
    except AssertionError as broken:
        broken.add_note(f"after {graph.way_to(picture)}")
        raise


def begun(*, gateway: bool = False) -> Case:
    """A case as its order opens it, bookable from today."""
    case = a_new_case(device_plan=a_plan(gateway=gateway))
    told(case, case.current, fact=lambda case, order: facts.facts(case, order)["BookableFromSet"][0])
    return copy_of(case)


def assigned(case: Case) -> Case:
    """A company is to do it."""
    case.current.company_id = COMPANY
    return case


def alive(most: int) -> Callable[[Case], bool]:
    """At most so many work orders to which something may still happen."""
    return lambda case: len(live(case)) <= most


def only(names: tuple[str, ...]) -> dict[str, Step]:
    return {name: DESK[name] for name in names}


def without(inputs: Mapping[str, Step], *names: str) -> dict[str, Step]:
    return {name: step for name, step in inputs.items() if name not in names}


PARTIAL = ("no papers", "silent", "accept, no papers", "accept, silent")
DECISIONS = (
    *("start_planning", "follow_up", "plan_again", "cancelled", "no more", "not needed", "data_corrected"),
    *("field, reverse", "withdrawn", "approved"),
)
"""What decides about a partial result, its follow-up, and a withdrawal of both."""


def test_one_work_order_reaches_every_state_by_every_row_and_never_a_dead_end() -> None:
    graph = explore(begun(), without({**DESK, **MORE}, *PARTIAL), alive(1))
    assert graph.columns == set(Column)
    assert graph.taken == set(TRANSITIONS)
    assert graph.dead_ends() == []


def test_a_work_order_beside_its_follow_up_breaks_no_law() -> None:
    graph = explore(assigned(begun()), only(DECISIONS) | without(TAKEN, "accept, silent"), alive(2), most=1000)
    assert len(graph.first) == 1000


@pytest.mark.slow
def test_a_work_order_beside_its_follow_up_never_ends_dead() -> None:
    graph = explore(assigned(begun()), only(DECISIONS) | without(TAKEN, "accept, silent"), alive(2))
    assert graph.dead_ends() == []


@pytest.mark.slow
@pytest.mark.parametrize("gateway", [False, True], ids=["meter", "gateway"])
def test_no_way_of_three_work_orders_breaks_a_law(gateway: bool) -> None:
    graph = explore(begun(gateway=gateway), {**DESK, **TAKEN, "waived": MORE["waived"]}, alive(3), most=20_000)
    assert len(graph.first) == 20_000
