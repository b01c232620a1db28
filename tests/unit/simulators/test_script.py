"""Whose turn it is: turns come one after the other, each where the work stands that it names."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulators.facts import OrderFacts
from simulators.script import Script
from simulators.story import NOBODY, Story, Turn

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


def item(state: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """A work order as the hub shows it."""
    known: dict[str, Any] = {"case_id": f"case-{number}", "sequence": 1, "start": None, "resolved_at": None}
    return known | {"metering_point_id": OrderFacts(number).metering_point, "state": state} | more


def a_script(*turns: Turn) -> Script:
    return Script([Story(1, turns=turns), Story(2)])


def test_a_turn_is_played_where_it_fits_and_then_the_next_one() -> None:
    first, second = Turn("anna", "READY", "move"), Turn("mia", "READY", "move")
    script = a_script(first, second)
    assert script.turn(item("PLANNING"), NOW) is None
    assert script.turn(item("READY"), NOW) is first
    script.played(item("READY"), first, "", NOW)
    assert script.turn(item("READY"), NOW) is second
    script.played(item("READY"), second, "", NOW)
    assert (script.turn(item("READY"), NOW), script.over) == (None, True)


def test_others_leave_the_work_alone_as_long_as_a_turn_is_due() -> None:
    script = a_script(Turn("anna", "READY", "move"))
    assert script.reserved(item("READY"))
    assert not script.reserved(item("PLANNING"))
    assert not script.reserved(item("READY", 2))
    assert not script.reserved(item("READY", sequence=2))


def test_a_turn_waits_for_its_time() -> None:
    script = a_script(Turn("anna", "READY", "move", hours=6.0))
    assert script.turn(item("READY"), NOW) is None
    assert (script.next_due(), script.reserved(item("READY"))) == (NOW + timedelta(hours=6), True)
    assert script.turn(item("READY"), NOW + timedelta(hours=6)) is not None


def test_a_turn_waits_for_the_day_before_the_visit() -> None:
    script = a_script(Turn("anna", "READY", "move", days_before=1.0))
    visit = item("READY", start=(NOW + timedelta(days=3)).isoformat())
    assert script.turn(visit, NOW) is None
    assert script.turn(visit, NOW + timedelta(days=2)) is not None


def test_a_turn_waits_for_a_field() -> None:
    script = a_script(Turn("anna", "READY", "move", once="resolved_at"))
    assert script.turn(item("READY"), NOW) is None
    assert script.turn(item("READY", resolved_at="2026-01-05"), NOW) is not None


def test_everybody_waits_until_the_turn_behind_fits() -> None:
    script = a_script(Turn(NOBODY, "READY"), Turn("anna", "READY", "move", once="resolved_at"))
    assert (script.turn(item("READY"), NOW), script.reserved(item("READY"))) == (None, True)
    assert script.turn(item("READY", resolved_at="2026-01-05"), NOW) is not None


def test_a_wait_that_nothing_ends_is_nothing_that_is_left() -> None:
    assert a_script(Turn(NOBODY, "READY")).over


def test_a_turn_that_was_refused_is_tried_again_after_a_while() -> None:
    turn = Turn("anna", "READY", "move")
    script = a_script(turn)
    script.played(item("READY"), turn, "stale-version", NOW)
    assert script.turn(item("READY"), NOW) is None
    assert script.turn(item("READY"), NOW + timedelta(hours=1)) is turn
    assert script.said == [(1, "move", "stale-version")]


def test_a_turn_that_must_be_refused_is_played_once_it_was() -> None:
    turn = Turn("anna", "READY", "move", refused="four-eyes")
    script = a_script(turn)
    script.played(item("READY"), turn, "four-eyes", NOW)
    assert script.over
    with pytest.raises(RuntimeError, match="not refused"):
        a_script(turn).played(item("READY"), turn, "", NOW)


def test_a_report_that_somebody_has_a_turn_with_is_not_reviewed() -> None:
    script = a_script(Turn("max", "RESOLVED", "approve"))
    assert not script.reserves_review("case-1", 1)  # nobody has seen the case
    script.turn(item("READY"), NOW)
    assert script.reserves_review("case-1", 1)
    assert not script.reserves_review("case-1", 2)


def test_only_the_orders_that_may_have_a_turn_are_asked_for() -> None:
    late = Turn("anna", "READY", "move", hours=6.0)
    script = Script([Story(1, turns=(Turn("anna", "OPEN"),)), Story(2), Story(3, turns=(late,))])
    points = [OrderFacts(number).metering_point for number in (1, 3)]
    assert list(script.stages(NOW)) == [{"state": ["OPEN", "READY"], "metering_point_id": points}]
    script.turn(item("READY", 3), NOW)
    assert list(script.stages(NOW)) == [{"state": ["OPEN"], "metering_point_id": points[:1]}]


def test_many_orders_are_asked_for_in_parts() -> None:
    script = Script([Story(number, turns=(Turn("anna", "OPEN"),)) for number in range(1, 151)])
    assert [len(stage["metering_point_id"]) for stage in script.stages(NOW)] == [100, 50]
