"""The SLA clock (lifecycle §9): the page's vectors, and any history counted hour by hour."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from contracts.cases import SlaAtRisk, SlaBreached
from contracts.codes import Phase, State
from contracts.orders import OrderCancelled
from kit.workdays import is_working_day
from services.case_service.domain import moves, sla, waits
from services.case_service.domain.act import Act
from services.case_service.domain.announcing import announce
from services.case_service.domain.calendar import local_day
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Pause, PauseCause, SlaState, SlaTarget
from services.case_service.domain.incoming.orders import cancel_order
from services.case_service.domain.moves import ask_for
from services.case_service.domain.phases import is_on_hold, phase_of
from services.case_service.domain.sla_targets import SlaTargets, TargetRule, aim
from services.case_service.errors import Objection
from tests.unit.case_service.builders import NOW, a_new_case, a_request, an_act

ZONE = "Europe/Berlin"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


def of_march(day: int) -> datetime:
    return MARCH + (day - 1) * DAY


def opened(at: datetime, *pauses: tuple[datetime, datetime | None], days: int = 30, working: bool = False) -> Case:
    case = a_new_case()
    case.opened_at, case.sla_target = at, SlaTarget(days=days, working_days=working)
    case.pauses = [
        Pause(number=number, started_at=start, ended_at=end, cause=PauseCause.HOLD)
        for number, (start, end) in enumerate(pauses, 1)
    ]
    return case


def test_B4_held_from_the_5th_to_the_25th_eight_days_are_used() -> None:
    case = opened(of_march(3), (of_march(5), of_march(25)))
    assert sla.elapsed(case, of_march(31), ZONE) == 8 * DAY


def test_B4_twenty_six_days_without_a_pause_are_at_risk() -> None:
    case = opened(of_march(5))
    assert sla.elapsed(case, of_march(31), ZONE) == 26 * DAY
    at_risk, breach = sla.due(case, ZONE)
    assert (at_risk, breach) == (of_march(29), of_march(35))


def test_B4_pauses_that_overlap_count_once() -> None:
    case = opened(of_march(3), (of_march(5), of_march(10)), (of_march(8), of_march(12)))
    assert of_march(31) - of_march(3) - sla.elapsed(case, of_march(31), ZONE) == 7 * DAY


def test_B4_a_pause_inside_a_weekend_costs_nothing_in_working_days() -> None:
    friday, saturday, sunday = (datetime(2026, 3, day, 12, tzinfo=UTC) for day in (6, 7, 8))
    held = opened(friday, (saturday, sunday), days=2, working=True)
    assert sla.due(held, ZONE) == sla.due(opened(friday, days=2, working=True), ZONE)
    assert sla.elapsed(held, datetime(2026, 3, 9, 11, tzinfo=UTC), ZONE) == timedelta(hours=11 + 12)


def test_B4_the_night_of_the_clock_change_is_no_shorter() -> None:
    case = opened(datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert sla.elapsed(case, datetime(2026, 3, 29, 12, tzinfo=UTC), ZONE) == DAY


HISTORIES = some.lists(some.tuples(some.integers(0, 2_000), some.integers(1, 600)), max_size=6)


@given(some.integers(0, 400), HISTORIES, some.integers(0, 3_000), some.booleans(), some.integers(1, 60))
@example(0, [(24 * 5, 24 * 5), (24 * 8, 24 * 4)], 24 * 31, False, 30)
@settings(max_examples=150, deadline=None)
def test_B4_whatever_the_history_the_rows_say_what_counting_by_hand_says(
    start: int, history: list[tuple[int, int]], later: int, working: bool, days: int
) -> None:
    begin = datetime(2026, 10, 1, tzinfo=UTC) + start * HOUR  # over the clock change, Christmas and many weekends
    pauses = [(begin + at * HOUR, begin + (at + length) * HOUR) for at, length in history]
    case = opened(begin, *pauses, days=days, working=working)
    by_hand = sum(_runs(begin + hour * HOUR, pauses, working) for hour in range(later))
    assert sla.elapsed(case, begin + later * HOUR, ZONE) == by_hand * HOUR
    at_risk, breach = sla.due(case, ZONE)
    assert at_risk is not None
    assert breach is not None
    assert sla.elapsed(case, breach, ZONE) == days * DAY
    assert sla.elapsed(case, at_risk, ZONE) == days * DAY * 0.8
    assert sla.elapsed(case, breach - timedelta(seconds=1), ZONE) < days * DAY


def _runs(hour: datetime, pauses: list[tuple[datetime, datetime]], working: bool) -> bool:
    held = any(start <= hour < end for start, end in pauses)
    return not held and (not working or is_working_day(local_day(hour, ZONE)))


@given(HISTORIES, some.integers(1, 60), some.booleans())
@settings(max_examples=50, deadline=None)
def test_B4_another_target_keeps_the_pauses(history: list[tuple[int, int]], days: int, working: bool) -> None:
    pauses = [(MARCH + at * HOUR, MARCH + (at + length) * HOUR) for at, length in history]
    case = opened(MARCH, *pauses)
    before = list(case.pauses)
    changed = sla.retarget(case, days, working_days=working)
    assert case.pauses == before
    assert sla.due(case, ZONE) == sla.due(opened(MARCH, *pauses, days=days, working=working), ZONE)
    assert case.sla_target.version == (2 if changed else 1)


def test_the_clock_stands_still_while_a_pause_is_open_and_goes_on_after_it() -> None:
    case = opened(of_march(1))
    case.on_hold, case.phase = True, Phase.PLANNING
    sla.follow(case, an_act(at=of_march(4)))
    assert sla.due(case, ZONE) == (None, None)
    sla.follow(case, an_act(at=of_march(6)))
    assert len(case.pauses) == 1
    case.on_hold = False
    sla.follow(case, an_act(at=of_march(9)))
    assert [(each.cause, each.started_at, each.ended_at) for each in case.pauses] == [
        (PauseCause.HOLD, of_march(4), of_march(9))
    ]
    assert case.sla_due_at == of_march(1) + 35 * DAY


def test_the_notice_to_the_customer_is_a_pause() -> None:
    case = opened(of_march(1))
    case.phase = Phase.NOTICE
    sla.follow(case, an_act(at=of_march(2)))
    case.phase = Phase.BACKLOG
    sla.follow(case, an_act(at=of_march(20)))
    assert sla.elapsed(case, of_march(21), ZONE) == 2 * DAY


def test_a_case_that_ended_uses_no_time_and_the_time_until_it_is_reopened_is_a_pause() -> None:
    case = opened(of_march(1))
    case.ended_at = of_march(11)
    sla.follow(case, an_act(at=of_march(11)))
    assert sla.elapsed(case, of_march(31), ZONE) == 10 * DAY
    sla.reopen(case, an_act(at=of_march(16)))
    assert [each.cause for each in case.pauses] == [PauseCause.REOPEN]
    assert sla.elapsed(case, of_march(18), ZONE) == 12 * DAY


def test_J65_at_risk_and_breached_are_told_once_per_target() -> None:
    case = opened(of_march(1))
    act = an_act(at=of_march(25))
    _rings(case, act.at)
    _rings(case, of_march(31))
    _rings(case, of_march(31))
    told = [fact for fact in case.told if isinstance(fact, SlaAtRisk | SlaBreached)]
    assert [(type(fact), fact.target_version) for fact in told] == [(SlaAtRisk, 1), (SlaBreached, 1)]
    assert told[0].elapsed_seconds == 24 * 86_400
    assert case.sla_state is SlaState.BREACHED
    assert sla.retarget(case, 60, working_days=False)
    _rings(case, of_march(32))
    assert case.sla_state is SlaState.OK


def _rings(case: Case, at: datetime) -> None:
    """Whatever is due by then rings; a timer that rang is not set again."""
    policy = an_act().policy
    waits.rearm(case, policy)
    for name, wait in sorted(case.waits.items(), key=lambda item: item[1].due_at):
        kind, _, key = name.partition("/")
        if wait.due_at <= at and not wait.fired:
            waits.ring(case, an_act(at=wait.due_at), kind, key, wait.due_at)
    waits.rearm(case, policy)


RULES = (
    TargetRule(days=30),
    TargetRule(days=20, min_priority=70),
    TargetRule(case_type="exchange", days=40, working_days=True),
    TargetRule(case_type="exchange", min_priority=90, days=5),
)


@pytest.mark.parametrize(("priority", "days"), [(10, 40), (75, 40), (95, 5)])
def test_the_narrowest_target_counts(priority: int, days: int) -> None:
    case = a_new_case()
    case.priority = priority
    aim(case, SlaTargets(operator="nord", rules=RULES), an_act().policy)
    assert (case.sla_target.days, case.sla_target.version) == (days, 1)


def test_without_targets_the_hub_s_default_counts() -> None:
    case = a_new_case()
    aim(case, None, an_act().policy)
    assert case.sla_target == SlaTarget(days=30)


def test_A09_an_announcement_without_a_date_names_three_months_and_ten_working_days() -> None:
    case = a_new_case()
    announce(case, an_act(at=datetime(2026, 11, 23, 9, tzinfo=UTC)), statutory=True)
    assert case.told[-1].planned_on == date(2027, 3, 10)


TRIED = ("start_planning", "put_on_hold", "contact_made", "plan_again", "follow_up_manually", "withdrawn", "retargeted")


def try_step(case: Case, act: Act, step: str) -> None:
    """Somebody tries a step; what is refused changes nothing. Then phase, hold and clock follow, as they always do."""
    if step == "withdrawn":
        cancel_order(case, act, withdrawal_of(case))
    elif step == "retargeted":
        sla.retarget(case, 20 if case.sla_target.days == 30 else 30, working_days=False)
    else:
        with suppress(Objection):
            given = {"return_on": act.today + DAY * 9} if step == "put_on_hold" else {}
            moves.move(ask_for(case, act, case.work_orders[0].work_order_id, a_request(step, **given), None))
    case.phase, case.on_hold = phase_of(case, act), is_on_hold(case)
    sla.follow(case, act)


def withdrawal_of(case: Case) -> OrderCancelled:
    known = {"order_key": case.references[0].order_key, "partner": "erp-a", "cancelled_by": "erp-a"}
    return OrderCancelled(**known, version=case.references[0].newest + 1, reason="moved_out", received_at=NOW)


def holds(case: Case) -> list[list[datetime]]:
    """When the order stood on hold, by its history alone; one that has no end still lasts."""
    spans: list[list[datetime]] = []
    for line in sorted(case.history, key=lambda line: line.version):
        lasts = bool(spans) and len(spans[-1]) == 1
        if line.to_state is State.ON_HOLD and not lasts:
            spans.append([line.at])
        elif line.to_state is not State.ON_HOLD and lasts:
            spans[-1].append(line.at)
    return spans


@given(some.lists(some.tuples(some.sampled_from(TRIED), some.integers(0, 400)), min_size=1, max_size=40))
@settings(max_examples=200, deadline=None)
def test_B4_whatever_moves_a_case_the_stored_due_time_is_the_recomputed_one(steps: list[tuple[str, int]]) -> None:
    case, at = a_new_case(), NOW
    for step, hours in steps:
        at += hours * HOUR
        try_step(case, an_act(at=at), step)
        spans = holds(case)
        if case.ended_at is None and all(len(span) == 2 for span in spans):
            due = case.opened_at + case.sla_target.length
            for start, end in spans:
                due += end - start if start < due else timedelta()
            assert case.sla_due_at == due
            assert sla.elapsed(case, at, ZONE) == at - case.opened_at - sum((e - s for s, e in spans), timedelta())
