"""The table of moves: every cell of it, and its complement."""

from itertools import product

import pytest

from contracts.quality import ReviewOpened
from services.qa_service.domain.states import NEXT, OPEN, Cause, Column, ReviewState
from tests.unit.qa_service.builders import a_case, an_act

EVERYTHING = sorted(product(Column, Cause))
ALLOWED = sorted(NEXT)


@pytest.mark.parametrize(("column", "cause"), sorted(set(EVERYTHING) - NEXT.keys()))
def test_what_the_table_does_not_name_moves_nothing(column: Column, cause: Cause) -> None:
    case, same = a_case(column), a_case(column)
    assert not case.move(case.work_orders[0], cause, an_act())
    assert (case.reviews, case.told) == (same.reviews, [])


@pytest.mark.parametrize(("column", "cause"), ALLOWED)
def test_what_the_table_names_leads_where_it_says(column: Column, cause: Cause) -> None:
    case, step = a_case(column), NEXT[column, cause]
    before = len(case.reviews)
    assert case.move(case.work_orders[0], cause, an_act())
    newest = case.review_of(case.work_orders[0])
    assert newest is not None
    assert newest.state is step.to
    assert len(case.reviews) == before + step.new_round
    assert [type(fact) for fact in case.told] == [ReviewOpened] * step.new_round


def test_only_a_reviewer_approves() -> None:
    ways = {(column, cause) for (column, cause), step in NEXT.items() if step.to is ReviewState.APPROVED}
    assert ways == {(Column.IN_REVIEW, Cause.APPROVED)}


def test_a_new_round_leaves_the_decided_one_as_it_was() -> None:
    for column in (Column.APPROVED, Column.DESK_REWORK):
        case = a_case(column)
        case.move(case.work_orders[0], Cause.ADDED, an_act())
        old, new = case.reviews
        assert (old.column, new.round) == (column, 2)


def test_closed_and_waived_reviews_are_the_end() -> None:
    assert not [pair for pair in NEXT if pair[0] in {Column.CLOSED, Column.WAIVED}]


def test_every_row_of_the_page_that_has_a_person_is_in_the_table() -> None:
    rows = {step.row for step in NEXT.values()} - {""}
    assert rows == {"V1", "V2", "V3", "V4", "V6", "V7", "V8", "V9", "V10"}  # V5 belongs to modes without a person


def test_a_person_can_decide_what_waits_or_was_taken() -> None:
    assert sorted(OPEN) == ["IN_REVIEW", "PENDING"]
