"""State × move (lifecycle §2.3): the complement is refused and changes nothing, a legal cell leads where it says."""

import copy

import pytest

from contracts.cases import WorkOrderMoved
from contracts.codes import Flag, Result
from services.case_service.domain import moves
from services.case_service.domain.matrices import MOVES, possible_moves
from services.case_service.domain.moves import DO, ask_for
from services.case_service.domain.states import Column
from services.case_service.domain.transitions import TRANSITIONS
from services.case_service.domain.visits import VisitConflict, keep_conflict
from services.case_service.errors import MoveNotAllowed
from tests.unit.case_service.builders import (
    a_case,
    a_report,
    a_request,
    an_act,
    approve,
    in_the_field,
    resolve,
    the_order,
)

CELLS = [(move, column) for move in MOVES for column in Column]
IDS = [f"{move}-{column}" for move, column in CELLS]
IN_THE_FIELD = {"start", "resolve"}


def make(case, request, act=None, conflict=None):
    """Make a move of the first work order, in the field where it belongs there."""
    act = act or (in_the_field() if request.move in IN_THE_FIELD else an_act())
    ask = ask_for(case, act, the_order(case).work_order_id, request, None)
    return moves.move(ask, conflict)


def a_case_for(move: str, column: Column):
    """A case in this column that has what the move's guards want."""
    case = a_case(column)
    order = the_order(case)
    if move == "resolve" and column is Column.MF:
        order.came_from = "READY"
    if column is Column.MF and move in {"data_corrected", "order_field_visit", "correct_report", "add_evidence"}:
        resolve(order, Result.OK)
        approve(order)
    if move == "accept_report":
        order.dispatched_to = order.responsible
    return case


def told_moves(case) -> list[str]:
    return [fact.move for fact in case.told if isinstance(fact, WorkOrderMoved)]


def content(case) -> dict:
    """Everything that is kept of a case."""
    kept = copy.deepcopy({name: value for name, value in vars(case).items() if name not in {"told", "loaded"}})
    kept["work_orders"] = [vars(order) for order in kept["work_orders"]]
    return kept


REFUSED = [(move, column) for move, column in CELLS if not MOVES[move][column]]


@pytest.mark.parametrize(("move", "column"), REFUSED, ids=[f"{move}-{column}" for move, column in REFUSED])
def test_what_the_matrix_does_not_have_is_refused_and_changes_nothing(move: str, column: Column) -> None:
    case = a_case_for(move, column)
    before = content(case)
    conflict = keep_conflict(case, in_the_field(), the_order(case), a_report()) if move == "accept_report" else None
    case.beside.clear()
    with pytest.raises(MoveNotAllowed) as refused:
        make(case, a_request(move), conflict=conflict)
    assert vars(refused.value)["possible"] == possible_moves(column)
    after = content(case)
    if move == "accept_report":
        before["exceptions"] = after["exceptions"]  # the kept report of a cancelled order raised one before
        return
    assert (after, case.told) == (before, [])


LEGAL = [(move, column) for move, column in CELLS if MOVES[move][column] and MOVES[move][column] != ("conf",)]


@pytest.mark.parametrize(("move", "column"), LEGAL, ids=[f"{move}-{column}" for move, column in LEGAL])
def test_a_legal_move_leads_where_the_matrix_says(move: str, column: Column) -> None:
    case = a_case_for(move, column)
    order = the_order(case)
    version, choice = order.version, MOVES[move][column][0]
    conflict = keep_conflict(case, in_the_field(), order, a_report()) if move == "accept_report" else None
    failed = {"report": a_report("NOT_AT_HOME")} if column is Column.RESOLVED_FAILED and "report" in move else {}
    make(case, a_request(move, **failed), conflict=conflict)
    if choice == "ok":
        assert (told_moves(case), order.column) == ([], column)
    elif move == "send_booking":
        assert (told_moves(case), order.state) == ([], "PLANNING"), "it asks; the sending moves"
    else:
        assert told_moves(case)[0] == choice
        assert order.state is TRANSITIONS[choice].to
    assert order.version > version


@pytest.mark.parametrize("column", [column for column in Column if MOVES["resolve"][column] == ("conf",)])
def test_a_report_that_may_not_be_taken_is_kept(column: Column) -> None:
    case = a_case(column)
    kept = make(case, a_request("resolve"))
    assert isinstance(kept, VisitConflict)
    assert (kept.report, kept.column) == (a_request("resolve").report, column)
    assert told_moves(case) == []


def test_a_report_in_manual_follow_up_is_taken_only_from_who_had_the_order() -> None:
    case = a_case(Column.MF)
    assert isinstance(make(case, a_request("resolve")), VisitConflict)


def test_every_move_has_a_function() -> None:
    assert set(DO) == set(MOVES)


def test_a_flag_is_told_with_all_that_are_set() -> None:
    case = a_case(Column.PL)
    make(case, a_request("set_flag", flag=Flag.IMPORTANT, text="dog"))
    make(case, a_request("set_flag", flag=Flag.DIFFICULT))
    make(case, a_request("set_flag", flag=Flag.IMPORTANT, on=False))
    assert [fact.flags for fact in case.told] == [("IMPORTANT",), ("DIFFICULT", "IMPORTANT"), ("DIFFICULT",)]
