"""Lists of cases answer the same on both databases: nested values, sorts and pages are the database's work."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.parts import Area
from kit.testing import Stage
from services.case_service.app import build
from services.case_service.settings import Settings
from tests.unit.case_service.builders import an_order

STAGES = ("3", "4", None, "3", "4", "3")


@pytest.fixture(params=["sqlite", "postgresql"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """Six cases, of which some are alike in all that they are sorted by."""
    url = request.getfixturevalue("new_database")() if request.param == "postgresql" else None
    made = await Stage.open(build, tmp_path, settings=Settings, database_url=url)
    for number, area_stage in enumerate(STAGES):
        key = {"order_key": f"erp-a:{number}", "order_no": str(number), "metering_point_id": f"P{number}"}
        area = Area(postcode=f"0010{number % 2}", municipality="05111000", stage=area_stage)
        due = date(2026, 5, 1 + number // 2) if number % 3 else None
        await made.hears(an_order(**key, area=area, priority=50 + 10 * (number % 2), due_on=due))
    yield made
    await made.close()


async def points(on: Stage, path: str, **query: Any) -> list[str]:
    async with on.http("dispatcher") as anna:
        answer = await anna.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return [item["metering_point_id"] for item in answer.json()["items"]]


@pytest.mark.parametrize("path", ["/v1/cases", "/v1/work-orders"])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["P3", "P1", "P5", "P0", "P2", "P4"]),
        ({"stage": "3"}, ["P3", "P5", "P0"]),
        ({"stage": ["3", "4"], "postcode": "00101"}, ["P3", "P1", "P5"]),
        ({"municipality": "05111000", "due_after": "2026-05-01"}, ["P5", "P2", "P4"]),
        ({"flag": "IMPORTANT"}, []),
        ({"blocker": "OTHER"}, []),
        ({"exception_type": "refusal"}, []),
        ({"defect": False, "on_hold": False, "unplanned": True, "opened_after": "2026-01-01T00:00:00Z"}, None),
        ({"sort": "-due,postcode,opened"}, ["P4", "P5", "P2", "P1", "P0", "P3"]),
    ],
    ids=str,
)
async def test_a_list_is_the_same_on_both(
    stage: Stage, path: str, query: dict[str, Any], found: list[str] | None
) -> None:
    listed = await points(stage, path, **query)
    assert listed == (found if found is not None else await points(stage, path))


@pytest.mark.parametrize("sort", ["-priority,due", "due,-opened", "postcode,-due,priority"])
@pytest.mark.parametrize("path", ["/v1/cases", "/v1/work-orders"])
async def test_pages_put_together_are_the_list(stage: Stage, path: str, sort: str) -> None:
    whole, parts, more = await points(stage, path, sort=sort), list[str](), None
    async with stage.http("dispatcher") as anna:
        while True:
            asked = {"sort": sort, "limit": 2} | ({"after": more} if more else {})
            page = (await anna.get(path, params=asked)).json()
            parts += [item["metering_point_id"] for item in page["items"]]
            more = page["next"]
            if more is None:
                break
    assert (parts, len(parts)) == (whole, 6)
