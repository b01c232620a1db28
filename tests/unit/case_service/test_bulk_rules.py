"""What may be done to many work orders at once: the rules of planning and undoing, without any database."""

from typing import Any
from uuid import UUID

import pytest

from contracts.codes import State
from services.case_service.domain.bulk import (
    IN_BULK,
    ROWS,
    BulkMove,
    BulkRequest,
    Frozen,
    check_plan,
    check_undo,
    freeze,
    refusal,
    request_of,
    undo_record,
)
from services.case_service.domain.guards import Ask
from services.case_service.domain.matrices import MOVES
from services.case_service.domain.moves import choice_of, move, objections
from services.case_service.domain.states import Column
from services.case_service.errors import BatchBusy, NothingToDo, NotInBulk, NoUndo, Objection, SelectionInvalid
from tests.unit.case_service.builders import COMPANY, NOW, TECHNICIAN, a_case, a_request, an_act, withdrawn

FIRST, SECOND = UUID(int=1), UUID(int=2)


def an_ask(column: Column | str, name: str, version: int = 0, **given: Any) -> Ask:
    """What one item of a batch asks for."""
    case = a_case(column)
    order = case.work_orders[0]
    return Ask(case, order, an_act(), a_request(name, expected_version=order.version + version, **given))


def test_the_rows_of_the_page_that_say_bulk() -> None:
    assert sorted(ROWS) == ["T01", "T02", "T04", "T15", "T17", "T22", "T23", "T31", "T32"]
    assert {
        *("start_planning", "prepare_letter", "send_booking", "put_on_hold", "plan_again", "reopen"),
        *("close_case", "follow_up_manually", "assign"),
    } == IN_BULK


@pytest.mark.parametrize("name", sorted(MOVES.keys() - IN_BULK))
def test_any_other_move_is_refused_before_anything_is_selected(name: str) -> None:
    with pytest.raises(NotInBulk) as refused:
        check_plan(BulkRequest(move=name, ids=(FIRST,)))
    assert vars(refused.value)["possible"] == sorted(IN_BULK)


@pytest.mark.parametrize("column", list(Column))
@pytest.mark.parametrize("name", sorted(IN_BULK))
def test_an_item_is_refused_exactly_where_the_single_move_is_or_its_row_is_made_one_by_one(
    column: Column, name: str
) -> None:
    ask = an_ask(column, name)
    single, choice, found = objections(ask), choice_of(ask), refusal(ask)
    one_by_one = choice is not None and choice not in ROWS and name != "assign"
    assert (found is None) == (not single and not one_by_one)
    if found is None:
        move(ask)  # what the preview lets through does not stumble
    elif not one_by_one:
        assert found.code == single[0].code


@pytest.mark.parametrize(("column", "name"), [("R−", "close_case"), ("AR", "follow_up_manually")])
def test_T24_and_T10_are_made_one_by_one_though_their_moves_have_bulk_rows(column: str, name: str) -> None:
    found = refusal(an_ask(column, name))
    assert found is not None
    assert found.code == "move-not-allowed"


@pytest.mark.parametrize("column", list(Column))
def test_a_changed_item_is_stale_whatever_else_objects(column: Column) -> None:
    found = refusal(an_ask(column, "start_planning", version=-1))
    assert found is not None
    assert found.code == "stale-version"


@pytest.mark.parametrize(
    ("name", "given", "code"),
    [
        ("close_case", {"resolution": "cancelled"}, "cancel-by-mdm-only"),
        ("follow_up_manually", {"channel": "phone"}, "not-planned"),
    ],
)
def test_what_a_move_would_stumble_over_is_asked_before(name: str, given: dict[str, Any], code: str) -> None:
    column = "MF" if name == "close_case" else "PL"
    ask = an_ask(column, name, **given)
    ask.order.appointment_id = None
    before = repr(ask.case)
    found = refusal(ask)
    assert (found.code if found else None, repr(ask.case)) == (code, before)


def test_a_withdrawn_order_may_be_closed_as_cancelled() -> None:
    case = withdrawn(a_case("MF"))
    order = case.work_orders[0]
    asked = a_request("close_case", resolution="cancelled", expected_version=order.version)
    assert refusal(Ask(case, order, an_act(), asked)) is None


@pytest.mark.parametrize(
    ("asked", "objection"),
    [
        ({"move": "start_planning"}, SelectionInvalid),
        ({"move": "start_planning", "ids": (FIRST,), "filter": {}}, SelectionInvalid),
        ({"move": "assign", "ids": (FIRST,), "arguments": {"reason": "x"}}, Objection),
        ({"move": "close_case", "ids": (FIRST,), "arguments": {"reason": "x"}}, Objection),
    ],
)
def test_a_plan_that_no_item_could_follow_is_refused(asked: dict[str, Any], objection: type[Objection]) -> None:
    with pytest.raises(objection):
        check_plan(BulkRequest(**asked))


def test_a_selection_is_frozen_with_its_versions_each_order_once() -> None:
    assert freeze([FIRST, SECOND, FIRST], {FIRST: 7}) == [Frozen(FIRST, 7), Frozen(SECOND, 0)]
    assert freeze([], {SECOND: 3}) == [Frozen(SECOND, 3)]


def test_nothing_is_no_selection() -> None:
    with pytest.raises(SelectionInvalid):
        freeze([], {})


def test_an_item_asks_for_the_move_with_its_own_version_and_its_own_arguments() -> None:
    asked = request_of("assign", {"reason": "ill"}, Frozen(FIRST, 4, {"responsible": None}))
    assert (asked.expected_version, asked.reason, asked.responsible) == (4, "ill", None)
    assert asked.model_fields_set == {"move", "expected_version", "reason", "responsible"}


@pytest.mark.parametrize(
    ("given", "record"),
    [
        ({"responsible"}, {"responsible": str(TECHNICIAN)}),
        ({"responsible", "company_id", "reason"}, {"responsible": str(TECHNICIAN), "company_id": str(COMPANY)}),
    ],
)
def test_an_undo_record_holds_what_the_assignment_changed_and_nothing_else(
    given: set[str], record: dict[str, str]
) -> None:
    assert undo_record("assign", a_case("PL").work_orders[0], given) == record


def test_assigned_undone_and_nothing_is_left_of_it() -> None:
    order = (ask := an_ask("PL", "assign", responsible=UUID(int=5))).order
    record = undo_record("assign", order, ask.request.model_fields_set)
    move(ask)
    assert order.responsible == UUID(int=5)
    back = request_of("assign", {}, Frozen(order.work_order_id, order.version, record))
    undoing = Ask(ask.case, order, ask.act, back)
    assert refusal(undoing) is None
    move(undoing)
    assert (order.responsible, order.company_id, order.state) == (TECHNICIAN, COMPANY, State.PLANNING)


@pytest.mark.parametrize("name", sorted(IN_BULK - {"assign"}))
def test_no_other_move_has_an_undo(name: str) -> None:
    assert undo_record(name, a_case("PL").work_orders[0], {"responsible"}) is None
    with pytest.raises(NoUndo):
        check_undo(name, [Frozen(FIRST, 1)])


def test_a_batch_that_assigned_nothing_has_nothing_to_undo() -> None:
    with pytest.raises(NothingToDo):
        check_undo("assign", [])


def test_of_two_who_start_something_at_once_the_second_is_refused() -> None:
    batch = BulkMove(
        batch_id=FIRST,
        move="assign",
        arguments={},
        selected=1,
        job_id=FIRST,
        created_by="person:local:anna",
        scope="all:",
        created_at=NOW,
    )
    batch.goes_on(0, SECOND)
    with pytest.raises(BatchBusy):
        batch.goes_on(0, FIRST)
    assert (batch.job_id, batch.runs) == (SECOND, 1)
