"""Targets, pauses and hotlists of a case over time (lifecycle §9–§11)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts import cases
from contracts.orders import OrderAmended
from services.case_service.domain import sla
from services.case_service.domain.entries import Pause, PauseCause
from tests.services.case_service.story import Story
from tests.unit.case_service.builders import a_report

ZONE = "Europe/Berlin"
RULES = [{"days": 20, "min_priority": 80}, {"case_type": "exchange", "days": 10, "working_days": True}]


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    """An order came in."""
    begun = await Story.begin(tmp_path)
    yield begun
    await begun.stage.close()


async def hotlist(story: Story) -> list[str]:
    """What waits for a person, oldest first."""
    return [row.code for row in await story.stage.rows("remarks") if row.hotlist]


async def fired(story: Story, rule: str) -> int:
    """How often an automation stands in the audit."""
    return sum(row.action == f"automation:{rule}" for row in await story.stage.rows("audit"))


async def test_J65_a_case_is_at_risk_and_then_overdue_once_each(story: Story) -> None:
    begun = story.stage.clock.now()
    await story.stage.passes(timedelta(days=24))
    (warned,) = await story.told(cases.SlaAtRisk)
    assert (warned.elapsed_seconds, warned.target_seconds) == (24 * 86_400, 30 * 86_400)
    assert await story.told(cases.SlaBreached) == []
    await story.stage.passes(until=begun + timedelta(days=60))
    assert len(await story.told(cases.SlaAtRisk)) == len(await story.told(cases.SlaBreached)) == 1
    assert await fired(story, "A08") == 2


async def test_J65_five_days_on_hold_are_nobody_s(story: Story) -> None:
    begun = story.stage.clock.now()
    await story.is_planned()
    await story.moves("anna", "put_on_hold", reason="away", return_on="2026-03-30")
    await story.stage.passes(timedelta(days=5))
    await story.moves("anna", "contact_made")
    await story.stage.passes(until=begun + timedelta(days=28, hours=23))
    assert await story.told(cases.SlaAtRisk) == []
    await story.stage.passes(until=begun + timedelta(days=29))
    assert len(await story.told(cases.SlaAtRisk)) == 1


async def test_B4_the_rows_are_what_the_told_phases_say(story: Story) -> None:
    await story.is_planned()
    for _ in range(2):
        await story.moves("anna", "put_on_hold", reason="away", return_on="2026-05-30")
        await story.stage.passes(timedelta(days=3, hours=7))
        await story.moves("anna", "plan_again")
        await story.stage.passes(timedelta(days=1))
    spans, since = [], None
    for row in [row for row in await story.stage.rows("outbox") if row.headers["ce_type"].endswith("phase_changed.v1")]:
        fact = cases.CasePhaseChanged.from_json(row.value)
        if fact.on_hold and since is None:
            since = row.recorded_at
        elif not fact.on_hold and since is not None:
            spans.append((since, row.recorded_at))
            since = None
    case = await story.case()
    assert [(each.started_at, each.ended_at) for each in case.pauses] == spans
    told = [Pause(number=n, started_at=a, ended_at=b, cause=PauseCause.HOLD) for n, (a, b) in enumerate(spans, 1)]
    now = story.stage.clock.now()
    recomputed = sum((b - a for a, b in sla.running(case.opened_at, told, now)), timedelta())
    assert sla.elapsed(case, now, ZONE) == recomputed


async def test_B4_another_target_counts_from_the_opening_and_is_warned_of_anew(story: Story) -> None:
    await story.stage.passes(timedelta(days=24))
    async with story.stage.http("admin", name="ada") as admin:
        answer = await admin.put("/v1/sla-targets/nord", json={"rules": RULES})
    assert (answer.status_code, len(answer.json()["rules"])) == (200, 2)
    await story.hears(
        OrderAmended(order_key=story.order_key, partner="erp-a", version=2, received_at=datetime.now(UTC), priority=90)
    )
    target = (await story.case()).sla_target
    assert (target.days, target.working_days, target.version) == (10, True, 2)
    await story.stage.passes(timedelta(minutes=1))
    assert [fact.target_version for fact in await story.told(cases.SlaAtRisk)] == [1, 2]


async def test_the_targets_are_for_admins_to_set(story: Story) -> None:
    async with story.person("anna") as dispatcher:
        refused = await dispatcher.put("/v1/sla-targets/nord", json={"rules": RULES})
        wrong = await dispatcher.get("/v1/sla-targets/nord")
    async with story.stage.http("admin", name="ada") as admin:
        invalid = await admin.put("/v1/sla-targets/nord", json={"rules": [{"days": 0}]})
    assert (refused.status_code, refused.json()["code"]) == (403, "role-missing")
    assert (wrong.status_code, wrong.json()["rules"]) == (200, [])
    assert (invalid.status_code, invalid.json()["code"]) == (422, "invalid-body")


async def test_S3_44_on_hold_asks_for_a_return_date_and_alerts_once_on_its_day(story: Story) -> None:
    await story.is_planned()
    refused = await story.asks("anna", "put_on_hold", reason="away")
    assert (refused.status_code, refused.json()["code"]) == (422, "return-date-invalid")
    await story.moves("anna", "put_on_hold", reason="away", return_on="2026-03-10", responsible=None)
    assert (await story.order()).responsible is None
    await story.stage.passes(until=datetime(2026, 3, 10, 4, 59, tzinfo=UTC))
    assert "hold_return" not in await hotlist(story)
    await story.stage.passes(until=datetime(2026, 3, 12, 12, tzinfo=UTC))
    assert (await hotlist(story)).count("hold_return") == 1
    assert (await story.order()).state == "ON_HOLD"


async def test_A11_what_waits_for_a_person_too_long_is_on_the_list_of_the_morning_once(story: Story) -> None:
    await story.is_planned()
    await story.moves("anna", "follow_up_manually", reason="call")
    await story.stage.passes(timedelta(days=10))
    assert (await hotlist(story)).count("aged_manual_follow_up") == 1
    assert await fired(story, "A11") == 1
    listed = [row.at for row in await story.stage.rows("remarks") if row.code == "aged_manual_follow_up"]
    assert listed == [datetime(2026, 3, 5, 5, tzinfo=UTC)]


async def test_A11_a_case_that_is_overdue_at_midnight_is_on_the_list_that_morning(tmp_path: Path) -> None:
    story = await Story.begin(tmp_path, due_on="2026-03-06")
    await story.stage.passes(until=datetime(2026, 3, 9, 12, tzinfo=UTC))
    listed = [row.at for row in await story.stage.rows("remarks") if row.code == "overdue"]
    await story.stage.close()
    assert listed == [datetime(2026, 3, 7, 5, tzinfo=UTC)]


async def test_an_exception_past_its_day_is_escalated_once_per_level(story: Story) -> None:
    await story.is_booked()
    await story.is_visited(a_report("NOT_AT_HOME", sub_reason="customer_refuses"))
    await story.stage.passes(timedelta(days=40))
    levels = [row.params["level"] for row in await story.stage.rows("remarks") if row.code == "exception_overdue"]
    assert levels == ["0", "1", "2"]
    assert await fired(story, "A05") == 1
