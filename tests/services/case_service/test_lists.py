"""Lists of cases and work orders: what narrows them, how they are sorted, and pages that stay where they are."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.codes import LegalBasis, OrderKind, Origin
from contracts.parts import Area
from kit.auth import Scope
from services.case_service.domain.selection import CaseQuery, OrderQuery
from tests.services.case_service.story import Story
from tests.unit.case_service import facts
from tests.unit.case_service.builders import COMPANY, TECHNICIAN, an_order

ORDERS: tuple[dict[str, Any], ...] = (
    {"priority": 50, "due_on": date(2026, 5, 1), "area": Area(postcode="00101", municipality="05111000", stage="3")},
    {"priority": 90, "due_on": date(2026, 6, 1), "area": Area(postcode="00102", municipality="05112000", stage="3")},
    {"priority": 90, "due_on": date(2026, 4, 1), "area": Area(postcode="00102", municipality="05112000", stage="4")},
    {"priority": 10, "origin": Origin.CUSTOMER, "legal_basis": LegalBasis.CUSTOMER_REQUEST, "kind": OrderKind.REPAIR},
)
"""Orders beside the story's own (P0: priority 50, no day, no stage)."""


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    begun = await Story.begin(tmp_path, metering_point_id="P0")
    for number, given in enumerate(ORDERS, 1):
        key = {"order_key": f"erp-a:{number}", "order_no": str(number), "metering_point_id": f"P{number}"}
        await begun.stage.hears(an_order(**key, **given))
    yield begun
    await begun.stage.close()


async def listed(story: Story, path: str = "/v1/cases", who: str = "anna", **query: Any) -> list[str]:
    """The metering points of a list."""
    async with story.person(who) as client:
        answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return [item["metering_point_id"] for item in answer.json()["items"]]


async def test_S0_02_the_backlog_comes_by_priority_then_by_due_day_then_by_age(story: Story) -> None:
    assert await listed(story) == ["P3", "P2", "P0", "P1", "P4"]
    async with story.person("anna") as anna:
        items = (await anna.get("/v1/cases")).json()["items"]
    assert {item["metering_point_id"]: item["due_by"] for item in items} == {
        "P0": "2026-04-01",  # nobody named a day: the target of 30 days
        "P1": "2026-05-01",
        "P2": "2026-06-01",
        "P3": "2026-04-01",
        "P4": "2026-04-01",
    }


async def test_S0_02_a_second_work_order_marks_the_case_as_defect(story: Story) -> None:
    assert await listed(story, defect=True) == []
    added = await story.acts(
        "anna", "add_work_order", kind="repair", device_plan={"plan": "MME", "install": [], "remove": []}
    )
    assert (added.json()["defect"], await listed(story, defect=True)) == (True, ["P0"])
    assert len(await listed(story, defect=False)) == 4


async def test_S0_03_origin_and_legal_basis_are_kept_and_filter(story: Story) -> None:
    assert await listed(story, origin="customer") == ["P4"]
    assert await listed(story, legal_basis="mandatory", origin="statutory") == ["P3", "P2", "P0", "P1"]
    async with story.person("anna") as anna:
        (item,) = (await anna.get("/v1/cases", params={"origin": "customer"})).json()["items"]
    assert (item["origin"], item["legal_basis"]) == ("customer", "customer_request")


async def test_S3_23_a_stage_is_selected_whole(story: Story) -> None:
    assert await listed(story, stage="3") == ["P2", "P1"]
    assert await listed(story, "/v1/work-orders", stage=["3", "4"], state="OPEN") == ["P3", "P2", "P1"]
    async with story.person("anna") as anna:
        asked = {"move": "start_planning", "filter": {"stage": ["3"], "state": ["OPEN"]}}
        batch = (await anna.post("/v1/bulk-moves", json=asked)).json()
    assert batch["selected"] == 2


async def test_S3_27_what_is_planned_without_technician_or_start_leaves_the_list_with_them(story: Story) -> None:
    await story.moves("anna", "start_planning")
    wanted = {"state": "PLANNING", "unplanned": True}
    assert await listed(story, "/v1/work-orders", **wanted) == ["P0"]
    await story.is_planned()
    assert await listed(story, "/v1/work-orders", **wanted) == []
    assert await listed(story, "/v1/work-orders", state="PLANNING", unplanned=False) == ["P0"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"phase": ["BACKLOG", "PLANNING"]}, ["P3", "P2", "P1", "P4"]),
        ({"phase": "BOOKED"}, ["P0"]),
        ({"case_type": "fault"}, ["P4"]),
        ({"operator": "nord", "municipality": "05112000"}, ["P3", "P2"]),
        ({"postcode": "00102", "stage": "4"}, ["P3"]),
        ({"priority_from": 50, "priority_to": 89}, ["P0", "P1"]),
        ({"due_before": "2026-05-01"}, ["P3", "P0", "P4"]),
        ({"due_after": "2026-05-01"}, ["P2"]),
        ({"opened_before": "2026-03-02T08:00:00Z"}, []),
        ({"opened_after": "2026-03-01T00:00:00+01:00", "priority_to": 10}, ["P4"]),
        ({"order_key": "erp-a:2"}, ["P2"]),
        ({"metering_point_id": "P1"}, ["P1"]),
        ({"metering_point_id": ["P1", "P2"]}, ["P2", "P1"]),
        ({"state": "READY"}, ["P0"]),
        ({"state": "READY", "responsible": str(TECHNICIAN), "company": str(COMPANY)}, ["P0"]),
        ({"state": "OPEN", "responsible": str(TECHNICIAN)}, []),
        ({"blocker": "MATERIAL_MISSING"}, ["P0"]),
        ({"blocker": "OTHER"}, []),
        ({"flag": ["DIFFICULT", "IMPORTANT"]}, ["P0"]),
        ({"flag": "IMPORTANT"}, []),
        ({"exception_type": "qa_waiver"}, ["P0"]),
        ({"exception_type": "refusal"}, []),
        ({"on_hold": True}, []),
        ({"sla_state": "ok", "phase": "BOOKED"}, ["P0"]),
        ({"sla_state": ["risk", "breached"]}, []),
        ({"dispatched": False, "phase": "BOOKED"}, ["P0"]),
        ({"kind": "meter_exchange", "phase": "BOOKED"}, ["P0"]),
    ],
    ids=str,
)
async def test_every_filter_finds_what_it_says(story: Story, query: dict[str, Any], found: list[str]) -> None:
    await story.is_booked()
    await story.moves("anna", "set_flag", flag="DIFFICULT")
    await story.says(lambda case, order: facts.facts(case, order)["MaterialMissing"][0])
    waiver = {"type": "qa_waiver", "reason": "x", "owner": "mdm", "due_on": "2026-03-20"}
    assert (await story.acts("anna", "raise_exception", **waiver)).status_code == 200
    assert await listed(story, **query) == found
    if not {"exception_type"} & query.keys():
        assert await listed(story, "/v1/work-orders", **query) == found


@pytest.mark.parametrize("path", ["/v1/cases", "/v1/work-orders"])
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"colour": "red"}, "/query/colour"),
        ({"phase": "ASLEEP"}, "/query/phase/0"),
        ({"sort": "metering_point_id"}, "/query/sort"),
        ({"sort": "priority;drop"}, "/query/sort"),
        ({"limit": "501"}, "/query/limit"),
        ({"limit": "0"}, "/query/limit"),
        ({"priority_from": "101"}, "/query/priority_from"),
        ({"responsible": "anna"}, "/query/responsible/0"),
        ({"opened_after": "2026-03-01T00:00:00"}, "/query/opened_after"),
        ({"order_key": "a\x00b"}, "/query/order_key"),
        ({"due_before": "tomorrow"}, "/query/due_before"),
    ],
    ids=str,
)
async def test_what_no_list_knows_is_refused_by_its_name(
    story: Story, path: str, query: dict[str, str], pointer: str
) -> None:
    async with story.person("anna") as anna:
        answer = await anna.get(path, params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-body")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("priority", ["P4", "P0", "P1", "P2", "P3"]),
        ("-due,postcode", ["P2", "P1", "P0", "P4", "P3"]),
        ("opened", ["P0", "P1", "P2", "P3", "P4"]),
        ("-postcode,-priority", ["P2", "P3", "P0", "P1", "P4"]),
    ],
)
async def test_a_list_comes_in_the_order_that_was_asked_for(story: Story, sort: str, found: list[str]) -> None:
    assert await listed(story, sort=sort) == found
    assert await paged(story, "/v1/cases", sort=sort) == found


async def test_work_orders_without_a_start_come_last(story: Story) -> None:
    await story.is_planned()
    assert (await listed(story, "/v1/work-orders", sort="start,-priority"))[0] == "P0"
    assert (await paged(story, "/v1/work-orders", sort="start"))[0] == "P0"


async def paged(story: Story, path: str, **query: Any) -> list[str]:
    """The same list, a row per page."""
    found: list[str] = []
    more: str | None = None
    async with story.person("anna") as anna:
        while True:
            asked = query | {"limit": 1} | ({"after": more} if more else {})
            page = (await anna.get(path, params=asked)).json()
            found += [item["metering_point_id"] for item in page["items"]]
            more = page["next"]
            if more is None:
                return found


async def test_a_page_begins_where_the_one_before_ended_whatever_came_in_between(story: Story) -> None:
    async with story.person("anna") as anna:
        first = (await anna.get("/v1/cases", params={"limit": 2})).json()
        for number, priority in ((7, 95), (8, 90), (9, 5)):
            key = {"order_key": f"erp-a:{number}", "order_no": str(number), "metering_point_id": f"P{number}"}
            await story.hears(an_order(**key, priority=priority, due_on=date(2026, 7, 1)))
        rest = (await anna.get("/v1/cases", params={"limit": 9, "after": first["next"]})).json()
    seen = [item["metering_point_id"] for page in (first, rest) for item in page["items"]]
    # P7 belongs before the place where the reader is, P8 and P9 behind it; nothing is shown twice or left out
    assert seen == ["P3", "P2", "P8", "P0", "P1", "P4", "P9"]


@pytest.mark.parametrize("after", ["nonsense", "WzFd", "WyJvcGVuZWQiLCAiMjAyNi0wMy0wMiAwODowMDowMCIsICJ4Il0"])
async def test_a_cursor_that_no_page_gave_is_refused(story: Story, after: str) -> None:
    async with story.person("anna") as anna:
        answer = await anna.get("/v1/cases", params={"after": after, "sort": "opened"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/query/after")


async def test_a_cursor_belongs_to_its_sort(story: Story) -> None:
    async with story.person("anna") as anna:
        first = (await anna.get("/v1/cases", params={"limit": 1, "sort": "priority"})).json()
        answer = await anna.get("/v1/cases", params={"after": first["next"], "sort": "-priority"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-body")


async def test_a_page_is_one_statement(story: Story) -> None:
    statements: list[str] = []

    def count(db: Any, cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    try:
        everything = {"stage": "3", "state": "OPEN", "flag": "IMPORTANT", "order_key": "erp-a:1", "sort": "-due"}
        for path in ("/v1/cases", "/v1/work-orders"):
            statements.clear()
            await listed(story, path, **everything)
            assert len([each for each in statements if "FROM" in each]) == 1
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", count)


async def test_S0_29_a_technician_of_a_company_lists_the_own_orders_and_finds_no_other(story: Story) -> None:
    await story.is_booked()
    case = await story.case()
    mine = story.stage.http("technician", name="tom", scope=Scope("technician", str(TECHNICIAN)))
    other = story.stage.http("company_admin", name="carl", scope=Scope("company", str(UUID(int=9))))
    own = story.stage.http("company_admin", name="clara", scope=Scope("company", str(COMPANY)))
    async with mine, other, own:
        lists = [(await each.get("/v1/work-orders")).json()["items"] for each in (mine, own, other)]
        answers = [(await each.get(f"/v1/cases/{case.case_id}")).status_code for each in (mine, own, other)]
    assert [[item["metering_point_id"] for item in items] for items in lists] == [["P0"], ["P0"], []]
    assert answers == [200, 200, 404]


HOSTILE = (
    *("' OR 1=1 --", '"; DROP TABLE cases; --', "%", "_", "\\", "${jndi:ldap://x}", "{{7*7}}", "<script>", "../../etc"),
    *("\x00", "\ud7ff", "é" * 300, "0" * 400, "-1", "1e309", "NaN", "null", "[]", "٣", "\u202e", "true;", "2026-02-30"),
    *("99999999999999999999", "9999-12-31", "0001-01-01", "2026-03-01T00:00:00-99:00", ""),
)
"""What strangers write where a value is expected (SEC-RLS-06)."""


@pytest.mark.parametrize(("path", "query"), [("/v1/cases", CaseQuery), ("/v1/work-orders", OrderQuery)])
async def test_SEC_RLS_06_no_hostile_value_breaks_a_list_or_widens_it(
    story: Story, path: str, query: type[CaseQuery] | type[OrderQuery]
) -> None:
    stranger = story.stage.http("company_admin", name="carl", scope=Scope("company", str(UUID(int=9))))
    seen = set()
    async with stranger:
        for name in query.model_fields:
            for value in HOSTILE:
                answer = await stranger.get(path, params={name: value})
                seen.add(answer.status_code)
                assert answer.status_code in {200, 400, 422}, (name, value, answer.text)
                assert answer.json().get("items", []) == [], (name, value)
    assert seen == {200, 400, 422}
