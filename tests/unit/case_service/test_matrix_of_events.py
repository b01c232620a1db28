"""State × incoming event (lifecycle §2.4): every cell, and that nothing is silently ignored."""

import pytest

from contracts.cases import WorkOrderMoved
from contracts.event import Event
from services.case_service.domain.entries import Remark
from services.case_service.domain.incoming.table import EFFECTS, hear, row_of
from services.case_service.domain.matrices import EVENTS, steps
from services.case_service.domain.states import Column
from services.case_service.domain.work_order import PendingOffer
from tests.unit.case_service.builders import NOW, a_case, an_act, the_order
from tests.unit.case_service.facts import facts

ORDERS = {"OrderReceived (known order)", "OrderAmended", "MasterDataReceived", "OrderCancelled"}
"""Rows with a room of their own (incoming/orders.py), tested in test_orders.py and test_cancelling.py."""
LATER = {"CalibrationFellDue"}
"""The row stands in the table; nobody tells it yet."""
CELLS = [(row, column) for row in EVENTS if row not in ORDERS | LATER for column in Column]


def given(column: Column):
    """A case in this column, with an open offer where one can be."""
    case = a_case(column)
    case.bookable, order = None, the_order(case)
    if column in {Column.PL, Column.RP}:
        order.offer = 1
        order.pending = PendingOffer(channel="letter" if column is Column.RP else "sms", asked_at=NOW)
    return case, order


def known(case) -> str:
    """All that the case knows, and what was written down beside it."""
    return repr({name: value for name, value in vars(case).items() if name != "trail"})


def taken(case, fact: Event) -> set[str]:
    """What a fact does: rows of the table, late, anom, or a change; if nothing at all is seen of it, it was ignored."""
    before = known(case)
    hear(case, an_act("system:case_service"), fact)
    moves = [fact.move for fact in case.told if isinstance(fact, WorkOrderMoved)]
    codes = {remark.code for remark in case.beside if isinstance(remark, Remark)}
    marks = {"late"} & codes | ({"anom"} if "unexpected_event" in codes else set())
    changed = {"upd"} if known(case) != before else {"ignored"}
    return ({"+".join(moves)} if moves else set()) | marks or changed


@pytest.mark.parametrize(("row", "column"), CELLS, ids=[f"{row}-{column}" for row, column in CELLS])
def test_a_cell_allows_what_a_fact_does_and_nothing_else(row: str, column: Column) -> None:
    choices = set(EVENTS[row][column]) | {"late"}  # a footnote or an older number makes any fact late
    for number in range(len(facts(*given(column))[row])):
        case, order = given(column)
        fact: Event = facts(case, order)[row][number]
        assert row_of(fact) == row
        excused = {"upd"} if row == "HandoverRejected (exchange)" else set()
        assert taken(case, fact) <= choices | excused, fact


@pytest.mark.parametrize(("row", "column"), CELLS, ids=[f"{row}-{column}" for row, column in CELLS])
def test_a_cell_that_lets_something_happen_is_not_always_late(row: str, column: Column) -> None:
    seen = set()
    for number in range(len(facts(*given(column))[row])):
        case, order = given(column)
        seen |= taken(case, facts(case, order)[row][number])
    assert seen & set(EVENTS[row][column])


def test_every_fact_that_we_hear_has_a_row_and_an_effect() -> None:
    case, order = given(Column.RESOLVED_WELL)
    told = {type(fact) for found in facts(case, order).values() for fact in found}
    assert told == set(EFFECTS)


def test_the_table_speaks_of_no_step_that_the_transitions_lack() -> None:
    from services.case_service.domain.transitions import TRANSITIONS

    named = {step for cells in EVENTS.values() for cell in cells.values() for choice in cell for step in steps(choice)}
    assert named <= set(TRANSITIONS)
