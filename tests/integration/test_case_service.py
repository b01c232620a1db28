"""case_service where it matters which database it stands on: orders in parallel, and what is looked up by a listing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from contracts import cases
from kit.bus import Abandon
from kit.testing import Stage
from services.case_service.app import build
from services.case_service.settings import Settings
from tests.services.case_service.story import Story, bookable, cancelled
from tests.services.case_service.test_late_facts import a_house, fell_due, flagged, is_silent
from tests.services.case_service.test_leaving import boss, completed, export
from tests.unit.case_service.builders import an_order

POINTS = 20


@pytest.fixture(params=["sqlite", "postgresql"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    new_database: Callable[[], str] = request.getfixturevalue("new_database") if request.param != "sqlite" else str
    made = await Stage.open(build, tmp_path, settings=Settings, database_url=new_database() or None)
    yield made
    await made.close()


async def test_S2_05_orders_of_two_systems_in_parallel_are_one_case_per_point(stage: Stage) -> None:
    orders = [
        an_order(order_key=f"{partner}:{point}", partner=partner, order_no=str(point), metering_point_id=f"P{point}")
        for point in range(POINTS)
        for partner in ("erp-a", "mdm-b")
    ]
    records = [stage.record(order) for order in orders]
    await asyncio.gather(*(stage.processor.deliver([record], Abandon()) for record in records))
    opened = [fact for fact in await stage.told() if isinstance(fact, cases.CaseOpened)]
    references = await stage.rows("case_orders")
    assert await stage.parked() == []
    assert (len(await stage.rows("cases")), len(opened)) == (POINTS, POINTS)
    assert {row.order_key for row in references} == {order.order_key for order in orders}
    assert len(references) == 2 * POINTS


async def test_B10_the_cases_of_a_building_are_found(stage: Stage) -> None:
    first, second, *_ = await a_house(stage)
    await is_silent(first, "GW-A")
    await is_silent(second, "GW-B")
    assert await flagged(stage) == ["P0", "P1", "P2"]


async def test_J56_the_newest_case_of_a_point_is_found(stage: Stage) -> None:
    await stage.hears(an_order())
    await stage.hears(cancelled())
    await stage.hears(fell_due())
    before, after = await stage.rows("cases")
    assert [link.case_id for link in after.links] == [before.case_id]


async def test_S2_20_B16_a_completed_case_is_exported_once_and_erased_by_two(stage: Stage) -> None:
    await stage.hears(an_order())
    story = Story(stage, "erp-a:4711")
    await story.hears(bookable(await story.case()))
    await completed(story)
    assert [len((await export(story)).json()["lines"]) for _ in range(2)] == [1, 0]
    case = await story.case()
    async with boss(story, "max") as max_, boss(story, "eva") as eva:
        asked = await max_.post("/v1/erasures", json={"case_id": str(case.case_id), "reason": "wrote"})
        answer = await eva.post(f"/v1/erasures/{asked.json()['erasure_id']}/approve")
    assert (answer.status_code, (await story.case()).purged) == (200, "all")
