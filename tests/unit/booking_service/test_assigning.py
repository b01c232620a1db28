"""The hard checks of section 4, each alone and in their order, and the warnings beside them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.codes import State
from contracts.parts import Days, Span
from services.booking_service.domain.assigning import Assignment, objections, warnings
from services.booking_service.domain.grid import cells
from services.booking_service.domain.states import AppointmentState
from services.booking_service.domain.technicians import Absence
from services.booking_service.errors import MissingSkill, SlotTaken, TooEarly
from tests.unit.booking_service.given import (
    NOW,
    START,
    a_case,
    a_contact,
    a_place,
    a_technician,
    a_week,
    an_appointment,
    an_operator,
    an_order,
)

AWAY = Absence(absence_id=UUID(int=8), starts_at=START, ends_at=START + timedelta(hours=1), kind="sick")


def an_assignment(**changes: Any) -> Assignment:
    order = changes.pop("order", None) or an_order()
    usual = {
        "case": a_case(order),
        "order": order,
        "technician": a_technician(),
        "place": a_place(),
        "operator": an_operator(),
        "now": NOW,
    }
    return Assignment(**{**usual, **changes})


def _codes(ask: Assignment) -> list[str]:
    return [objection.code for objection in objections(ask)]


def test_a_free_place_has_nothing_against_it() -> None:
    assert _codes(an_assignment()) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"order": an_order(gone_at=NOW, gone_reason="T28")}, "work-order-gone"),
        ({"order": an_order(state=State.OPEN)}, "state-forbids"),
        ({"order": an_order(appointment_id=UUID(int=3))}, "state-forbids"),
        ({"order": an_order(frozen=True)}, "frozen"),
        ({"order": an_order(company_id=UUID(int=77))}, "company-mismatch"),
        ({"place": a_place(start=START + timedelta(minutes=10))}, "off-grid"),
        ({"place": a_place(minutes=0)}, "off-grid"),
        ({"place": a_place(window=Span(from_=START - timedelta(hours=2), to=START))}, "off-grid"),
        ({"now": START + timedelta(minutes=1)}, "in-the-past"),
        ({"order": an_order(skills=("meter_ct", "smgw", "meter_3ph"))}, "missing-skill"),
        ({"technician": a_technician(week=[])}, "outside-shift"),
        ({"technician": a_technician(absences=[AWAY])}, "absent"),
        ({"technician": a_technician((*cells(START + timedelta(hours=2), 45),), week=a_week(max_jobs=1))}, "max-jobs"),
        ({"case": a_case(bookable_from=None)}, "too-early"),
        ({"case": a_case(bookable_from=date(2026, 3, 10))}, "too-early"),
        ({"case": a_case(fixed_on=date(2026, 3, 10))}, "outside-window"),
        ({"case": a_case(fixed_days=Days(from_=date(2026, 3, 10), to=date(2026, 3, 20)))}, "outside-window"),
        ({"technician": a_technician((*cells(START + timedelta(minutes=30), 15),))}, "slot-taken"),
    ],
)
def test_each_check_alone_is_answered_with_its_code(changes: dict[str, Any], code: str) -> None:
    assert _codes(an_assignment(**changes)) == [code]


TODAY, FAR_OFF = NOW.date(), date(2026, 3, 10)


@pytest.mark.parametrize(
    ("days", "codes"),
    [
        ({"fixed_on": TODAY}, []),
        ({"fixed_days": Days(from_=TODAY, to=TODAY)}, []),
        ({"fixed_on": FAR_OFF}, ["outside-window"]),
        ({"fixed_days": Days(from_=FAR_OFF, to=FAR_OFF)}, ["outside-window"]),
    ],
)
def test_a_further_visit_is_bound_only_while_days_of_the_partner_lie_ahead(
    days: dict[str, Any], codes: list[str]
) -> None:
    assert _codes(an_assignment(case=a_case(**days), order=an_order(sequence=2, predecessor=UUID(int=8)))) == codes


def test_the_checks_have_their_order() -> None:
    everything_wrong = an_assignment(
        order=an_order(gone_at=NOW, state=State.OPEN, frozen=True, company_id=UUID(int=77), skills=("meter_ct",)),
        place=a_place(start=START - timedelta(days=9, minutes=5)),
        technician=a_technician(absences=[AWAY]),
        case=a_case(bookable_from=None, fixed_on=date(2026, 4, 1)),
    )
    assert _codes(everything_wrong) == [
        *("work-order-gone", "state-forbids", "frozen", "company-mismatch", "off-grid", "off-grid", "in-the-past"),
        *("missing-skill", "outside-shift", "too-early", "outside-window"),
    ]


def test_a_refusal_names_what_would_help() -> None:
    missing = next(objections(an_assignment(order=an_order(skills=("smgw", "meter_ct")))))
    early = next(objections(an_assignment(case=a_case(bookable_from=date(2026, 3, 10)))))
    silent = next(objections(an_assignment(case=a_case(bookable_from=None))))
    assert isinstance(missing, MissingSkill)
    assert missing.skills == ("meter_ct", "smgw")
    assert isinstance(early, TooEarly)
    assert early.first_possible == date(2026, 3, 10)
    assert str(silent) == "too early: no § 37 notice on record"


@pytest.mark.parametrize(("hide", "named"), [(False, UUID(int=99)), (True, None)])
def test_a_company_is_not_told_whose_appointment_is_in_its_way(hide: bool, named: UUID | None) -> None:
    taken = next(objections(an_assignment(technician=a_technician((*cells(START, 15),)), hide_others=hide)))
    assert isinstance(taken, SlotTaken)
    assert taken.appointment_id == named


@pytest.mark.parametrize(
    ("state", "codes"),
    [
        (State.PLANNING, []),
        (State.AWAITING_REPLY, []),
        (State.MANUAL_FOLLOW_UP, []),
        (State.READY, []),
        (State.READY_TO_PRINT, ["letter-in-print"]),
        (State.IN_PROGRESS, ["state-forbids"]),
        (State.ON_HOLD, ["state-forbids"]),
    ],
)
def test_an_appointment_is_moved_while_the_work_order_waits_for_the_visit(state: State, codes: list[str]) -> None:
    later = a_place(start=START + timedelta(minutes=30))
    ask = an_assignment(order=an_order(state=state), moving=an_appointment(), place=later)
    assert _codes(ask) == codes


def test_A14_another_technician_may_take_over_while_the_letter_is_printed() -> None:
    ask = an_assignment(order=an_order(state=State.READY_TO_PRINT), moving=an_appointment())
    assert _codes(ask) == []


def test_an_appointment_is_not_in_its_own_way() -> None:
    moving = an_appointment()
    technician = a_technician(tuple(block.cell for block in moving.blocks))
    technician.busy = [type(busy)(cell=busy.cell, appointment_id=moving.appointment_id) for busy in technician.busy]
    ask = an_assignment(technician=technician, moving=moving, place=a_place(start=START + timedelta(minutes=15)))
    assert _codes(ask) == []


def test_what_is_over_cannot_be_moved() -> None:
    assert _codes(an_assignment(moving=an_appointment(AppointmentState.RELEASED))) == ["state-forbids"]


def test_warnings_never_block() -> None:
    christmas = datetime(2026, 12, 24, 9, tzinfo=UTC)
    window = Span(from_=christmas, to=christmas + timedelta(hours=1))
    order = an_order(due_on=date(2026, 12, 1))
    case = a_case(order, contact=a_contact(points_at_address=3))
    ask = an_assignment(order=order, case=case, place=a_place(start=christmas, window=window))
    assert warnings(ask) == ("after-due", "access-note-missing", "holiday")
    assert _codes(ask) == []


def test_a_usual_place_warns_of_nothing() -> None:
    assert warnings(an_assignment()) == ()
