"""What may happen to a row, and what a handover looks like from outside: tables, tested by their complement."""

from itertools import permutations, product

import pytest

from services.mdm_adapter.domain.handover import MOVES, Outlook, RowState, Signal, outlook
from tests.unit.mdm_adapter.rows import a_row

WAITING, DONE, WRONG = RowState.SENT, RowState.TRANSFERRED, RowState.REJECTED


@pytest.mark.parametrize(("state", "signal"), sorted(set(product(RowState, Signal)) - MOVES.keys()))
def test_what_the_table_does_not_name_changes_nothing(state: RowState, signal: Signal) -> None:
    row = a_row(state=state)
    assert (row.meets(signal), row.state) == (False, state)


@pytest.mark.parametrize(("state", "signal"), sorted(MOVES))
def test_what_the_table_names_moves_the_row(state: RowState, signal: Signal) -> None:
    row = a_row(state=state)
    assert (row.meets(signal), row.state) == (True, MOVES[state, signal])


def test_a_row_that_was_replaced_or_excepted_never_moves_again() -> None:
    ended = {RowState.SUPERSEDED, RowState.ACCEPTED_BY_EXCEPTION}
    assert [state for state, _ in MOVES if state in ended] == []


def test_the_outlook_of_five_required_rows_over_all_combinations() -> None:
    found = [outlook(states) for states in product((WAITING, DONE, WRONG), repeat=5)]
    counts = {each: found.count(each) for each in Outlook}
    assert counts == {Outlook.TRANSFERRED: 1, Outlook.WAITING: 31, Outlook.ERROR: 211}


ARRIVALS = (Signal.TAKEN, Signal.RECEIVED, Signal.ACCEPTED)


def test_X22_transport_receipt_and_acceptance_end_alike_in_every_order() -> None:
    ends = set()
    for order in permutations(ARRIVALS):
        row = a_row()
        for signal in order:
            row.meets(signal)
        ends.add(row.state)
    assert ends == {RowState.TRANSFERRED}


def test_X22_a_refusal_stands_whenever_transport_and_receipt_speak() -> None:
    ends = set()
    for order in permutations((Signal.TAKEN, Signal.RECEIVED, Signal.REFUSED)):
        row = a_row()
        for signal in order:
            row.meets(signal)
        ends.add(row.state)
    assert ends == {RowState.REJECTED}
