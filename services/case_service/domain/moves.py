"""What people may ask of a work order: objections beside moves, one function for every path (lifecycle §2.3)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from contracts.codes import State
from contracts.ids import Code, WorkOrderId
from services.case_service.domain import deciding, fieldwork, guards, planning
from services.case_service.domain.act import Act
from services.case_service.domain.activities import open_planned
from services.case_service.domain.answers import FieldAnswers
from services.case_service.domain.case import Case
from services.case_service.domain.entries import FormVersion
from services.case_service.domain.flow import SubReasons
from services.case_service.domain.guards import BESIDE, GUARDS, ONLY_NOT_NEEDED, Ask
from services.case_service.domain.matrices import MOVES, possible_moves
from services.case_service.domain.ownership import refuse_foreign
from services.case_service.domain.requests import MoveRequest
from services.case_service.domain.states import Column
from services.case_service.domain.transitions import TRANSITIONS
from services.case_service.domain.visits import ConflictState, VisitConflict, keep_conflict
from services.case_service.errors import MoveNotAllowed, Objection, ResultInvalid

OFFLINE = frozenset({"start", "resolve"})
"""Moves of clients that may have been offline: the version they saw is stored, not enforced (lifecycle §14)."""
IN_THE_FIELD = frozenset({State.READY, State.IN_PROGRESS})

Do = Callable[[Ask, Code], None]


def _plan_again(ask: Ask, choice: Code) -> None:
    deciding.plan_next(ask) if choice == "T23" else planning.plan_again(ask)


# fmt: off
DO: Mapping[str, Do] = MappingProxyType({
    "start_planning":     planning.start_planning,
    "prepare_letter":     planning.prepare_letter,
    "send_booking":       planning.send_booking,
    "follow_up_manually": planning.follow_up_manually,
    "send_to_execution":  planning.send_to_execution,
    "put_on_hold":        planning.put_on_hold,
    "contact_made":       planning.contact_made,
    "plan_again":         _plan_again,
    "start":              fieldwork.start,
    "resolve":            fieldwork.resolve,
    "reopen":             deciding.reopen,
    "close_case":         deciding.close_case,
    "take_over":          deciding.take_over,
    "data_corrected":     deciding.data_corrected,
    "order_field_visit":  deciding.order_field_visit,
    "correct_report":     fieldwork.correct_report,
    "add_evidence":       fieldwork.add_evidence,
    "accept_report":      fieldwork.resolve,
    "assign":             planning.assign,
    "set_flag":           planning.set_flag,
    "acknowledge_change": planning.acknowledge_change,
})
"""What each move does once nothing objects."""

# fmt: on
GUARDS_OF_OK: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"correct_report": ("G15", "G16", "G17", "G18"), "add_evidence": (), "assign": ()}
)
"""Moves without a transition ask these."""


def choice_of(ask: Ask) -> str | None:
    """The cell's choice for this move in this state; None where the matrix has none (G1)."""
    cells = MOVES.get(ask.request.move, {}).get(ask.order.column, ())
    if cells != ("T19", "rec"):
        return cells[0] if cells else None
    if ask.order.used:
        return "conf" if ask.request.move == "resolve" else None
    if ask.order.undecided:
        return "rec"
    offline = ask.order.came_from in IN_THE_FIELD or ask.request.move == "accept_report"
    return "T19" if offline else "conf"


def objections(ask: Ask) -> list[Objection]:
    """Ask: every reason why this move may not be made now. No reason means that it may."""
    refuse_foreign(ask.request)
    choice, move = choice_of(ask), ask.request.move
    found: list[Objection | None] = [] if move in OFFLINE else [guards.as_decided(ask)]
    if choice is None:
        possible = possible_moves(ask.order.column)
        text = f"{move} is not possible in {ask.order.state}. Possible: {', '.join(possible) or 'nothing'}."
        found.insert(0, MoveNotAllowed(text, possible=possible, state=ask.order.state))
    elif choice != "conf":
        found += [guard(ask) for guard in _guards_of(move, choice)] + [guards.steps_complete(ask)]
    return [objection for objection in found if objection]


def move(ask: Ask, conflict: VisitConflict | None = None) -> VisitConflict | None:
    """Do: make the move, or refuse with the first objection, naming all. A report that may not be taken is kept.

    Returns the kept report; None when the move was made.
    """
    if ask.request.move == "accept_report" and choice_of(ask) is not None:
        ask = _with_report(ask, conflict)
    if found := objections(ask):
        found[0].__dict__["objections"] = [{"code": each.code, "detail": str(each)} for each in found]
        raise found[0]
    choice = choice_of(ask)
    if choice == "conf" and ask.request.report is not None:
        return keep_conflict(ask.case, ask.act, ask.order, ask.request.report)
    if choice is None or choice == "conf":
        raise ResultInvalid("A report is needed.", fields=["report"])
    if ask.request.move not in {"resolve", "accept_report"}:
        ask.case.words(ask.act, ask.order, ask.request.move, ask.request.reason)
    DO[ask.request.move](ask, choice)
    _follow(ask)
    if conflict is not None and ask.request.move == "accept_report":
        conflict.state = ConflictState.ACCEPTED
    return None


def _follow(ask: Ask) -> None:
    """The conditions of the flow are met: what follows opens, once per case and step (S2-03)."""
    for step in guards.steps_due(ask):
        if step.activity and step.step not in ask.case.steps_done:
            ask.case.steps_done = (*ask.case.steps_done, step.step)
            open_planned(ask.case, ask.act, step.activity, step)


def refused_report(order_state: State) -> MoveNotAllowed:
    """The answer to a report that was kept instead of taken."""
    return MoveNotAllowed(f"resolve is not possible in {order_state}. The report is kept.", state=order_state)


def possible(case: Case, act: Act, work_order_id: WorkOrderId) -> dict[str, list[dict[str, str]]]:
    """Ask for a screen: every move that the matrix has here, with what objects to it."""
    order = case.order(work_order_id)
    answers = {}
    for name in possible_moves(order.column):
        found = objections(Ask(case, order, act, MoveRequest(move=name)))
        answers[name] = [{"code": each.code, "detail": str(each)} for each in found]
    return answers


def ask_for(
    case: Case,
    act: Act,
    work_order_id: WorkOrderId,
    request: MoveRequest,
    form: FormVersion | None,
    sub_reasons: SubReasons | None = None,
    answers: FieldAnswers | None = None,
) -> Ask:
    """Put together what guards look at; who is no technician reports on behalf of one."""
    on_behalf, saved = act.technician is None, answers.given if answers else {}
    return Ask(case, case.order(work_order_id), act, request, form, on_behalf, sub_reasons, saved)


def _with_report(ask: Ask, conflict: VisitConflict | None) -> Ask:
    if conflict is None or conflict.state is not ConflictState.OPEN:
        raise ResultInvalid("Name an open entry of the visit-conflict list.", fields=["conflict_id"])
    report = conflict.report.model_copy(
        update={
            "performed_by": conflict.report.performed_by or (conflict.reported_by,),
            "technician_id": conflict.report.technician_id or conflict.technician_id,
        }
    )
    return replace(ask, request=ask.request.model_copy(update={"report": report}), on_behalf=True)


def _guards_of(move: str, choice: str) -> list[guards.Guard]:
    if choice == "ok":
        names: tuple[str, ...] = GUARDS_OF_OK.get(move, ())
    elif choice == "rec":
        names = ("G14", "G15", "G16", "G17")
    else:
        names = TRANSITIONS[choice].guards
    narrower = ONLY_NOT_NEEDED if choice == "T31" else {}
    numbered = [narrower.get(name, GUARDS[name]) for name in names if name in GUARDS and name != "G4"]
    return [*numbered, *BESIDE.get(choice, ())]


__all__ = ["Column", "ask_for", "choice_of", "move", "objections", "possible", "refused_report"]
