"""Field edits of clients that were offline are merged by field; what met another value waits for a person (B5)."""

from typing import Any
from uuid import UUID

import pytest

from services.case_service.domain.answers import (
    FieldAnswers,
    FieldConflict,
    FieldEdit,
    Side,
    conflict_id,
    decide,
    merge,
)
from services.case_service.domain.case import Case
from services.case_service.errors import MoveNotAllowed, StaleVersion
from tests.unit.case_service.builders import a_case, an_act, in_the_field


def saved(case: Case, **given: Any) -> FieldAnswers:
    """Answers of the first work order in one form."""
    own = case.work_orders[0].work_order_id
    return FieldAnswers(work_order_id=own, case_id=case.case_id, given={"survey": dict(given)})


def edit(field: str, value: Any, based_on: Any = None) -> FieldEdit:
    return FieldEdit(form_key="survey", field=field, value=value, based_on=based_on)


def merged(case: Case, answers: FieldAnswers, *edits: FieldEdit, known: tuple[UUID, ...] = ()) -> list[FieldConflict]:
    return merge(case, in_the_field(), case.work_orders[0], answers, edits, known)


def test_B5_a_field_that_changed_meanwhile_is_a_conflict_and_the_others_are_applied() -> None:
    case = a_case("RD")
    answers = saved(case, floor=2, door="left")
    (kept,) = merged(case, answers, edit("floor", 3, 1), edit("door", "right", "left"), edit("fuse", 63))
    assert answers.given == {"survey": {"floor": 2, "door": "right", "fuse": 63}}
    assert (kept.field, kept.present, kept.edited, kept.state) == ("floor", {"value": 2}, {"value": 3}, "open")
    assert [each.code for each in case.beside] == ["field_conflict"]  # type: ignore[attr-defined]


def test_B5_the_same_edit_again_has_no_second_effect() -> None:
    case = a_case("RD")
    answers, again = saved(case, floor=2), edit("floor", 3, 1)
    (kept,) = merged(case, answers, again, again)
    assert merged(case, answers, again, known=(kept.conflict_id,)) == []
    assert merged(case, answers, edit("floor", 2, 1)) == []
    assert kept.conflict_id == conflict_id(case.work_orders[0].work_order_id, again)


def test_B5_an_order_that_is_closed_takes_no_value_but_loses_none() -> None:
    case = a_case("C+")
    answers = saved(case)
    (kept,) = merged(case, answers, edit("floor", 3))
    assert (answers.given, kept.edited) == ({"survey": {}}, {"value": 3})


@pytest.mark.parametrize(("side", "floor"), [(Side.PRESENT, 2), (Side.EDITED, 3)])
def test_B5_a_dispatcher_chooses_between_both_values_once(side: Side, floor: int) -> None:
    case = a_case("RD")
    answers = saved(case, floor=2)
    (kept,) = merged(case, answers, edit("floor", 3, 1))
    decide(an_act(), kept, answers, side)
    assert (answers.given["survey"]["floor"], kept.state, kept.chosen) == (floor, "decided", side)
    with pytest.raises(MoveNotAllowed):
        decide(an_act(), kept, answers, side)


def test_B5_a_field_that_changed_again_is_looked_at_again() -> None:
    case = a_case("RD")
    answers = saved(case, floor=2)
    (kept,) = merged(case, answers, edit("floor", 3, 1))
    answers.write("survey", "floor", 4)
    with pytest.raises(StaleVersion):
        decide(an_act(), kept, answers, Side.EDITED)
