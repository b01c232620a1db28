"""What falls due (lifecycle §11), and what is no longer waited for."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from contracts import cases
from kit.testing import Stage
from services.case_service.app import build
from services.case_service.settings import Settings
from tests.services.case_service.story import SENT, Story, cancelled, offered
from tests.unit.case_service import facts
from tests.unit.case_service.builders import an_order

STANDING = frozenset({"purge_due", "sla_at_risk", "sla_breach", "daily_hotlist", "exception_due"})
MINUTES, DAYS = timedelta(minutes=11), timedelta(days=4)


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    begun = await Story.begin(tmp_path)
    yield begun
    await begun.stage.close()


async def waiting(story: Story) -> list[str]:
    """What is waited for; targets and lists of the morning run beside every case."""
    return [row.kind for row in await story.stage.rows("timers") if row.kind not in STANDING]


async def hot(story: Story) -> list[str]:
    return [row.code for row in await story.stage.rows("remarks") if row.hotlist]


async def test_a_request_that_nobody_answers_is_seen(story: Story) -> None:
    await story.is_planned()
    await story.moves("anna", "send_booking")
    assert await waiting(story) == ["booking_stuck"]
    await story.stage.passes(MINUTES)
    assert (await story.stage.anomalies(), await hot(story)) == (["booking_stuck"], ["booking_stuck"])


async def test_an_offer_that_is_never_sent_is_seen_after_two_working_days(story: Story) -> None:
    await story.is_planned()
    await story.moves("anna", "send_booking")
    await story.says(offered)
    await story.stage.passes(MINUTES)
    assert await story.stage.anomalies() == []
    await story.stage.passes(DAYS)
    assert await story.stage.anomalies() == ["booking_stuck"]


async def test_the_sending_ends_the_wait(story: Story) -> None:
    await story.is_planned()
    await story.is_offered()
    assert await waiting(story) == []


async def test_T08_a_reply_that_nobody_decides_goes_to_a_person(story: Story) -> None:
    await story.is_planned()
    await story.is_offered()
    await story.says(facts.replied)
    await story.stage.passes(MINUTES)
    (moved,) = [fact for fact in await story.told(cases.WorkOrderMoved) if fact.move == "T08"]
    assert (moved.reason, moved.actor) == ("reply_not_decided", "system:case_service")


async def test_a_visit_that_nobody_reports_is_seen_four_hours_after_its_end(story: Story) -> None:
    await story.is_booked()
    assert await waiting(story) == ["visit_unreported"]
    await story.stage.passes(timedelta(days=7, hours=6))
    assert await hot(story) == ["visit_not_reported"]


async def test_a_review_that_takes_too_long_is_seen(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.stage.passes(DAYS)
    assert await hot(story) == ["review_overdue"]


async def test_a_silent_handover_is_an_exception_until_any_answer(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    await story.stage.passes(timedelta(days=20))
    assert [fact.type for fact in await story.told(cases.ExceptionRaised)] == ["handover_silent"]
    await story.says(facts.accepted)
    assert [fact.type for fact in await story.told(cases.ExceptionResolved)] == ["handover_silent"]


@pytest.mark.parametrize("answer", ["failed and sent again", "a status"])
async def test_a_handover_whose_answer_decided_nothing_is_waited_for_anew(story: Story, answer: str) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    await story.stage.passes(timedelta(days=5))
    if answer == "a status":
        await story.says(lambda case, order: facts.rejected(case, order, "ON_HOLD"))
    else:
        await story.says(facts.failed)
        await story.says(lambda case, order: facts.facts(case, order)[SENT][0])
    await story.stage.passes(timedelta(days=10))
    assert [each.type for each in (await story.case()).exceptions if each.open] == []
    await story.stage.passes(timedelta(days=10))
    assert [each.type for each in (await story.case()).exceptions if each.open] == ["handover_silent"]


async def test_an_order_on_hold_is_shown_on_its_day_and_nothing_is_booked(story: Story) -> None:
    await story.is_planned()
    await story.moves("anna", "put_on_hold", return_on="2026-04-01")
    await story.stage.passes(timedelta(days=31))
    assert (await hot(story), (await story.order()).state) == (["hold_return"], "ON_HOLD")
    assert len(await story.told(cases.BookingRequested)) == 0


async def test_an_undecided_withdrawal_presses_sooner_when_somebody_is_on_the_way(story: Story) -> None:
    await story.is_booked()
    await story.hears(cancelled())
    await story.stage.passes(timedelta(hours=3))
    assert await hot(story) == ["call_technician", "tell_customer", "cancel_decision_overdue"]


async def test_a_decision_ends_every_wait_of_the_order(story: Story) -> None:
    await story.is_booked()
    await story.hears(cancelled())
    told = {"customer_informed": True, "technician_informed": True}
    await story.moves("anna", "close_case", resolution="cancelled", reason="agreed", **told)
    assert await waiting(story) == []


async def test_a_timer_rings_once(story: Story) -> None:
    await story.is_booked()
    await story.stage.passes(timedelta(days=7, hours=6))
    await story.says(lambda case, order: facts.facts(case, order)["NoticeDelivered"][0])
    await story.stage.passes(timedelta(days=7))
    assert (await hot(story), await waiting(story)) == (["visit_not_reported"], [])


async def test_A09_a_notice_that_is_missing_is_announced_and_the_phase_ends_on_the_day(tmp_path: Path) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    await stage.hears(an_order())
    story = Story(stage, "erp-a:4711")
    await story.says(lambda case, order: facts.facts(case, order)["BookableFromSet"][1])
    (asked,) = await story.told(cases.HandoverRequested)
    assert (asked.fact, asked.statutory, str(asked.planned_on)) == ("rollout_announced", True, "2026-06-17")
    assert await story.phases() == ["BACKLOG", "NOTICE"]
    later = (stage.clock.now() + timedelta(days=5)).date()
    await story.says(
        lambda case, order: facts.facts(case, order)["BookableFromSet"][0].model_copy(
            update={"bookable_from": later, "notice_required": True}
        )
    )
    await stage.passes(timedelta(days=6))
    assert await story.phases() == ["BACKLOG", "NOTICE", "BACKLOG"]
    await stage.close()
