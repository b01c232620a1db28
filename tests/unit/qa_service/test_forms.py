"""Conditions, working days, and the form that is there from the start."""

from datetime import date, datetime
from typing import Any

import pytest

from contracts.parts import Condition
from kit.workdays import after_working_days, working_days_after
from services.qa_service.domain.conditions import hold
from services.qa_service.domain.forms import Problem, Work, check, wanted_evidence
from services.qa_service.seeding import contents
from tests.unit.qa_service.builders import FORM, KINDS

FACTS = {"installed": 2, "result": "OK", "sealed": False}


@pytest.mark.parametrize(
    ("field", "op", "value", "holds"),
    [
        ("result", "eq", "OK", True),
        ("result", "eq", "FAILED", False),
        ("unknown", "eq", None, False),
        ("result", "ne", "FAILED", True),
        ("unknown", "ne", "OK", True),
        ("result", "in", ("OK", "PARTIAL"), True),
        ("unknown", "in", ("OK",), False),
        ("sealed", "exists", True, True),
        ("sealed", "exists", None, True),
        ("unknown", "exists", True, False),
        ("unknown", "exists", False, True),
        ("installed", "gte", 2, True),
        ("installed", "gte", 3, False),
        ("installed", "lt", 3, True),
        ("installed", "lt", 2, False),
        ("result", "gte", 1, False),
        ("unknown", "lt", 1, False),
    ],
)
def test_a_condition_compares_one_fact(field: str, op: str, value: Any, holds: bool) -> None:
    assert hold([Condition(field=field, op=op, value=value)], FACTS) is holds


def test_all_conditions_must_hold_and_none_always_does() -> None:
    both = [Condition(field="installed", op="gte", value=1), Condition(field="result", op="eq", value="FAILED")]
    assert (hold(both, FACTS), hold(both[:1], FACTS), hold(None, FACTS)) == (False, True, True)


def test_no_answer_hides_what_was_done() -> None:
    lying = {"installed": 0, "removed": 0}
    wanted = {each.kind for each in wanted_evidence(FORM, lying, Work(installed=1, removed=1)) if each.min}
    assert wanted == set(KINDS)


def test_the_first_form_is_a_closed_object_without_texts_and_small_enough_to_tell() -> None:
    (content,) = contents()
    told = FORM.told[0].to_json()
    assert content.answers["additionalProperties"] is False
    assert len(told) < 64 * 1024
    assert b"title" not in told
    assert b"description" not in told


def test_a_missing_answer_is_listed_once() -> None:
    checked = check(FORM, {}, KINDS, Work())
    assert [each.pointer for each in checked.missing] == ["/customer_present", "/installation_safe"]


@pytest.mark.parametrize(
    ("pointer", "params", "target"),
    [
        ("/seal_no", {}, "seal_no"),
        ("/", {}, "answers"),
        ("/Müller wohnt hier", {}, "answers"),
        ("/evidence_kinds", {"kind": "photo_seal"}, "photo_seal"),
    ],
)
def test_a_problem_names_only_what_a_form_can_name(pointer: str, params: dict[str, Any], target: str) -> None:
    assert Problem(pointer=pointer, code="condition", params=params).target == target


def test_D_CAL_1_working_days_leave_out_weekends_and_every_state_s_holidays() -> None:
    assert working_days_after(date(2026, 12, 22), 3) == date(2026, 12, 29)
    assert working_days_after(date(2026, 3, 2), 2) == date(2026, 3, 4)


def test_a_due_time_keeps_the_hour_on_the_wall_over_the_change_to_summer_time() -> None:
    friday = datetime.fromisoformat("2026-03-27T09:00:00Z")
    assert after_working_days(friday, 1, "Europe/Berlin") == datetime.fromisoformat("2026-03-30T08:00:00Z")
