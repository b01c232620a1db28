"""Shifts, and which places are free: the vectors of section 11."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from contracts.parts import Days
from services.booking_service.domain.grid import cells, is_on_grid, rounded_up, start_of
from services.booking_service.domain.operators import Hours
from services.booking_service.domain.slots import Wanted, narrowed, search
from services.booking_service.domain.technicians import Absence, DayShift
from services.booking_service.errors import ShiftsOverlap
from tests.unit.booking_service.given import MONDAY, a_technician, a_week, an_operator

BERLIN = ZoneInfo("Europe/Berlin")
ROUND_WINDOWS = an_operator(windows=tuple(Hours(from_=time(hour), to=time(hour + 2)) for hour in (8, 10, 12, 14)))


def _at(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


BOOKED = (*cells(_at(8), 60), *cells(_at(10), 45))


def _wanted(minutes: int, **changes) -> Wanted:
    usual = {
        "minutes": minutes,
        "skills": frozenset({"meter_3ph"}),
        "company_id": None,
        "first_day": MONDAY,
        "last_day": MONDAY,
        "not_before": _at(0),
        "grid_minutes": 15,
    }
    return Wanted(**{**usual, **changes})


def _starts(technician, wanted: Wanted) -> list[str]:
    return [f"{slot.start.astimezone(BERLIN):%H:%M}" for slot in search([technician], wanted, ROUND_WINDOWS, 100)]


@pytest.mark.parametrize(
    ("minutes", "starts"),
    [
        (60, ["09:00", "12:00", "14:00"]),
        (45, ["09:00", "10:45", "12:00", "14:00"]),
        (90, ["12:00", "14:00"]),
        (105, ["12:00"]),
    ],
)
def test_the_earliest_start_of_each_window_is_beside_break_and_other_work(minutes: int, starts: list[str]) -> None:
    assert _starts(a_technician(BOOKED), _wanted(minutes)) == starts


def test_who_is_away_is_not_proposed() -> None:
    away = Absence(absence_id=UUID(int=8), starts_at=_at(7), ends_at=_at(12, 30), kind="training")
    assert _starts(a_technician(absences=[away]), _wanted(60)) == ["12:30", "14:00"]


def test_a_full_shift_is_not_proposed() -> None:
    assert _starts(a_technician(BOOKED, week=a_week(max_jobs=1)), _wanted(45)) == []


def test_who_lacks_a_skill_or_works_for_another_company_is_not_proposed() -> None:
    assert _starts(a_technician(), _wanted(45, skills=frozenset({"meter_ct"}))) == []
    assert _starts(a_technician(), _wanted(45, company_id=UUID(int=77))) == []


def test_nobody_is_proposed_on_a_public_holiday() -> None:
    good_friday = date(2026, 4, 3)
    assert _starts(a_technician(), _wanted(45, first_day=good_friday, last_day=good_friday)) == []


def test_the_least_booked_technician_of_a_window_comes_first() -> None:
    busy, free = a_technician(BOOKED), a_technician(technician_id=UUID(int=40))
    found = search([busy, free], _wanted(45), ROUND_WINDOWS, 2)
    assert [slot.technician_id for slot in found] == [free.technician_id, busy.technician_id]
    assert [slot.booked_minutes for slot in found] == [0, 105]


def test_a_search_starts_on_the_grid_not_before_it_may() -> None:
    assert _starts(a_technician(), _wanted(45, not_before=_at(9, 5))) == ["09:15", "10:00", "12:00", "14:00"]


def test_a_shift_of_the_day_stands_instead_of_those_of_the_week() -> None:
    late = DayShift(day=MONDAY, seq=0, starts_at=_at(12), ends_at=_at(20))
    technician = a_technician(days=[late])
    assert [(shift.starts_at, shift.manual) for shift in technician.shifts_on(MONDAY)] == [(_at(12), True)]
    assert [shift.manual for shift in technician.shifts_on(MONDAY + timedelta(days=1))] == [False]


def test_nobody_works_before_the_first_or_after_the_last_day() -> None:
    technician = a_technician(active_from=MONDAY, active_to=MONDAY)
    assert [bool(technician.shifts_on(MONDAY + timedelta(days=days))) for days in (-3, 0, 1)] == [False, True, False]


def test_shifts_of_one_technician_do_not_overlap() -> None:
    technician = a_technician()
    with pytest.raises(ShiftsOverlap, match="overlap"):
        technician.plan_week([*a_week(), *a_week(time(15), time(18), seq=1)])
    with pytest.raises(ShiftsOverlap, match="split"):
        technician.plan_week(a_week(time(22), time(6)))
    assert technician.week == a_week()


def test_what_no_shift_covers_any_more_is_named_and_stays() -> None:
    technician = a_technician(BOOKED)
    assert technician.uncovered(15) == set()
    technician.plan_week(a_week(time(12), time(18), break_from=None))
    assert technician.uncovered(15) == {UUID(int=99)}
    assert len(technician.busy) == len(BOOKED)


def test_blocks_lie_on_the_grid_in_whole_cells() -> None:
    assert (rounded_up(40), rounded_up(45), is_on_grid(_at(8, 10)), is_on_grid(_at(8, 15))) == (45, 45, False, True)
    assert (len(cells(_at(8), 40)), start_of(cells(_at(8), 40)[0])) == (3, _at(8))


def test_a_search_keeps_to_what_rules_and_partner_allow() -> None:
    days = Days(from_=date(2026, 3, 10), to=date(2026, 3, 12))
    assert narrowed(MONDAY, days, date(2026, 3, 11), 14) == (date(2026, 3, 11), date(2026, 3, 12))
    assert narrowed(MONDAY, None, date(2026, 3, 1), 14) == (MONDAY, date(2026, 3, 22))
