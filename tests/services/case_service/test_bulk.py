"""One move for many work orders: planned, previewed, run, tried again, undone; never round the rules of one."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from contracts.cases import BookingRequested
from services.case_service.bulk import CHUNK
from services.case_service.domain import planning
from services.case_service.domain.moves import DO
from tests.services.case_service.crowd import Crowd
from tests.unit.case_service.builders import COMPANY, TECHNICIAN

SIZE = 25
FIRST_CHUNK = (SIZE - CHUNK, CHUNK, 0, 0)


@pytest.fixture(params=["sqlite", "postgres"])
async def crowd(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Crowd]:
    """Twenty-five cases on each database: several chunks of them."""
    new_database: Callable[[], str] | None = None
    if request.param == "postgres":
        new_database = request.getfixturevalue("new_database")
    found = await Crowd.begin(tmp_path, SIZE, database_url=new_database() if new_database else None)
    yield found
    await found.stage.close()


def totals(shown: Any) -> tuple[int, int, int, int]:
    """Pending, moved, refused, failed; they are the selection at every moment."""
    counts = shown["counts"]
    assert sum(counts.values()) == shown["selected"]
    return counts["pending"], counts["moved"], counts["refused"], counts["failed"]


async def one_by_one(crowd: Crowd, order_id: UUID, move: str, version: int, **given: Any) -> int:
    """A planner's single move."""
    async with crowd.person("dora") as dora:
        body = {"move": move, "expected_version": version} | given
        return (await dora.post(f"/v1/work-orders/{order_id}/moves", json=body)).status_code


async def test_S3_25_600_orders_in_bulk_to_PLANNING_595_move_and_5_are_refused_with_code(tmp_path: Path) -> None:
    crowd = await Crowd.begin(tmp_path, 600)
    for order in (await crowd.orders())[:5]:
        assert await one_by_one(crowd, order.work_order_id, "start_planning", order.version) == 200
    batch = await crowd.plans("start_planning")
    shown = await crowd.shows(batch)
    assert (shown["state"], totals(shown)) == ("planned", (600, 0, 0, 0))
    assert shown["preview"] == {"would_move": 595, "move-not-allowed": 5}
    assert (await crowd.states())["OPEN"] == 595, "a preview moves nothing"
    shown = await crowd.runs(batch)
    assert (shown["state"], totals(shown), shown["codes"]) == ("done", (0, 595, 5, 0), {"move-not-allowed": 5})
    assert await crowd.states() == {"PLANNING": 600}
    refused = [row for row in await crowd.stage.rows("audit") if row.action == "refused:move:start_planning"]
    assert {row.actor for row in refused} == {"person:local:anna"}
    moved = [row.case_id for row in await crowd.stage.rows("history") if row.actor == "person:local:dora"]
    assert {row.subject for row in refused} == {f"work_order/{case_id}/1" for case_id in moved}
    assert len(refused) == 5
    await crowd.stage.close()


async def test_J59_600_bookings_in_bulk_595_wait_for_a_reply_5_are_refused_and_a_retry_touches_what_failed_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = await Crowd.begin(tmp_path, 600, silent=5)
    await crowd.are_planned()
    batch = await crowd.plans("send_booking")
    assert (await crowd.shows(batch))["preview"] == {"would_move": 595, "sms-not-allowed": 5}
    broken = {order.work_order_id for order in (await crowd.orders())[100:107]}
    with monkeypatch.context() as patch:
        patch.setattr("services.case_service.domain.moves.DO", {**DO, "send_booking": breaking(broken)})
        shown = await crowd.runs(batch)
    assert (totals(shown), shown["codes"]) == ((0, 588, 5, 7), {"sms-not-allowed": 5, "defect": 7})
    shown = await crowd.runs(batch, "retry", {})
    assert (totals(shown), shown["codes"]) == ((0, 595, 5, 0), {"sms-not-allowed": 5})
    refused = [row for row in await crowd.stage.rows("audit") if row.action == "refused:move:send_booking"]
    assert len(refused) == 5, "a retry does not ask again for what was refused"
    asked = [fact for fact in await crowd.stage.told() if isinstance(fact, BookingRequested)]
    assert len(asked) == len({fact.work_order_id for fact in asked}) == 595
    assert await crowd.states() == {"PLANNING": 600}, "asked, not done"
    await crowd.are_texted(fact.work_order_id for fact in asked)
    assert await crowd.states() == {"AWAITING_REPLY": 595, "PLANNING": 5}
    assert (await crowd.asks(f"/{batch}/retry", {})).json()["code"] == "move-not-allowed"
    await crowd.stage.close()


def breaking(broken: set[Any]) -> Any:
    """A move that meets a bug in some orders, after it has begun to change them."""

    def send_booking(ask: Any, choice: str) -> None:
        planning.send_booking(ask, choice)
        if ask.order.work_order_id in broken:
            raise ZeroDivisionError

    return send_booking


async def test_B2_the_selection_is_frozen_and_whatever_fails_the_totals_add_up(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = await crowd.plans("start_planning", filter={"state": ["OPEN"]})
    broken = {order.work_order_id for order in (await crowd.orders())[:4]}

    def begin(ask: Any, choice: str) -> None:
        planning.start_planning(ask, choice)
        if ask.order.work_order_id in broken:
            raise ZeroDivisionError

    await crowd.asks(f"/{batch}/run")
    seen = []
    with monkeypatch.context() as patch:
        patch.setattr("services.case_service.domain.moves.DO", {**DO, "start_planning": begin})
        while await crowd.stage.jobs.work():
            seen.append(totals(await crowd.shows(batch)))
    assert (seen[0], seen[-1]) == ((25, 0, 0, 0), (0, 21, 0, 4))
    assert await crowd.states() == {"PLANNING": 21, "OPEN": 4}, "what failed is as it was"
    shown = await crowd.runs(batch, "retry", {})
    assert (totals(shown), await crowd.states()) == ((0, 25, 0, 0), {"PLANNING": 25})
    moved = [row for row in await crowd.stage.rows("history") if row.move == "T01"]
    assert len(moved) == 25, "each moved once"


async def test_S3_26_a_planner_moves_an_order_between_two_chunks_and_the_batch_leaves_it_alone(crowd: Crowd) -> None:
    batch = await crowd.plans("start_planning")
    await crowd.asks(f"/{batch}/run")
    assert await crowd.stage.jobs.work()
    assert totals(await crowd.shows(batch)) == FIRST_CHUNK
    last = (await crowd.orders())[-1]
    assert await one_by_one(crowd, last.work_order_id, "start_planning", last.version) == 200
    await crowd.stage.works()
    shown = await crowd.shows(batch)
    assert (totals(shown), shown["codes"]) == ((0, 24, 1, 0), {"stale-version": 1})
    (item,) = await crowd.items(batch, state="refused")
    assert (item["work_order_id"], item["code"]) == (str(last.work_order_id), "stale-version")
    assert (await crowd.orders())[-1].version == last.version + 1, "moved once, by the planner"


async def test_while_too_much_waits_to_be_told_no_batch_begins(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = await crowd.plans("start_planning")
    monkeypatch.setattr("kit.jobs.MOST_UNTOLD", 10)
    for path, body in (("", {"move": "start_planning", "filter": {}}), (f"/{batch}/run", None)):
        answer = await crowd.asks(path, body)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    (order, *_) = await crowd.orders()
    assert await one_by_one(crowd, order.work_order_id, "start_planning", order.version) == 200, "single work goes on"


async def test_what_was_refused_moves_on_request_when_nothing_objects_any_more(tmp_path: Path) -> None:
    crowd = await Crowd.begin(tmp_path, 7, silent=3)
    await crowd.are_planned()
    batch = await crowd.plans("send_booking")
    shown = await crowd.runs(batch)
    assert (totals(shown), shown["codes"]) == ((0, 4, 3, 0), {"sms-not-allowed": 3})
    async with crowd.person("dora") as dora:
        for case in (await crowd.cases())[1:3]:
            body = {"expected_version": case.contact_version, "sms_allowed": True}
            assert (await dora.patch(f"/v1/cases/{case.case_id}/contact", json=body)).status_code == 200
    shown = await crowd.runs(batch, "retry", {"refused": True})
    assert (totals(shown), shown["codes"]) == ((0, 6, 1, 0), {"sms-not-allowed": 1})
    asked = [fact.work_order_id for fact in await crowd.stage.told() if isinstance(fact, BookingRequested)]
    assert (len(asked), len(set(asked))) == (6, 6), "each once"
    await crowd.stage.close()


async def test_what_is_asked_again_on_request_is_refused_again_while_something_objects(crowd: Crowd) -> None:
    await crowd.are_planned()
    batch = await crowd.plans("put_on_hold", arguments={"return_on": "2026-03-20"})
    await crowd.stage.passes(until=crowd.stage.clock.now().replace(day=25))
    shown = await crowd.runs(batch)
    assert (totals(shown), shown["codes"]) == ((0, 0, 25, 0), {"return-date-invalid": 25})
    assert (await crowd.asks(f"/{batch}/retry", {})).status_code == 409
    shown = await crowd.runs(batch, "retry", {"refused": True})
    assert totals(shown) == (0, 0, 25, 0), "the day is still over"


@pytest.mark.slow
async def test_S3_24_600_selected_orders_are_assigned_in_one_batch_and_given_back(tmp_path: Path) -> None:
    crowd, other = await Crowd.begin(tmp_path, 600), str(UUID(int=0xBEEF))
    batch = await crowd.plans("assign", arguments={"responsible": other})
    shown = await crowd.runs(batch)
    items = await crowd.items(batch)
    assert (totals(shown), {(each["state"], each["code"]) for each in items}) == ((0, 600, 0, 0), {("moved", None)})
    undo = (await crowd.asks(f"/{batch}/undo")).json()["batch_id"]
    await crowd.stage.works()
    assert totals(await crowd.runs(undo)) == (0, 600, 0, 0)
    assert {order.responsible for order in await crowd.orders()} == {None}
    await crowd.stage.close()


async def test_S3_23_a_selection_has_no_limit_of_a_thousand(tmp_path: Path) -> None:
    crowd = await Crowd.begin(tmp_path, 1_001)
    planned = (await crowd.asks("", {"move": "start_planning", "filter": {"state": ["OPEN"]}})).json()
    assert (planned["selected"], planned["counts"]["pending"]) == (1_001, 1_001)
    await crowd.stage.close()


async def test_S3_24_a_bulk_assignment_has_a_result_per_order_one_batch_and_an_undo(crowd: Crowd) -> None:
    await crowd.are_planned()
    before = [(order.responsible, order.company_id) for order in await crowd.orders()]
    other = UUID(int=0xBEEF)
    batch = await crowd.plans("assign", arguments={"responsible": str(other)})
    shown = await crowd.runs(batch)
    assert totals(shown) == (0, 25, 0, 0)
    assert {(each["state"], each["code"]) for each in await crowd.items(batch)} == {("moved", None)}
    assert {order.responsible for order in await crowd.orders()} == {other}
    changed = (await crowd.orders())[3]
    given = {"responsible": str(UUID(int=0xCAFE))}
    assert await one_by_one(crowd, changed.work_order_id, "assign", changed.version, **given) == 200
    undo = (await crowd.asks(f"/{batch}/undo")).json()
    assert (undo["undo_of"], undo["selected"], undo["batch_id"] != batch) == (batch, 25, True)
    await crowd.stage.works()
    assert (await crowd.shows(undo["batch_id"]))["preview"] == {"would_move": 24, "stale-version": 1}
    shown = await crowd.runs(undo["batch_id"])
    assert (totals(shown), shown["codes"]) == ((0, 24, 1, 0), {"stale-version": 1})
    after = [(order.responsible, order.company_id) for order in await crowd.orders()]
    assert (after[:3] + after[4:], after[3][0]) == (before[:3] + before[4:], UUID(int=0xCAFE))


async def test_an_undo_gives_back_that_nobody_was_responsible(crowd: Crowd) -> None:
    batch = await crowd.plans("assign", arguments={"responsible": str(TECHNICIAN), "company_id": str(COMPANY)})
    await crowd.runs(batch)
    undo = (await crowd.asks(f"/{batch}/undo")).json()["batch_id"]
    await crowd.stage.works()
    await crowd.runs(undo)
    assert {(order.responsible, order.company_id) for order in await crowd.orders()} == {(None, None)}


async def test_only_assignments_can_be_undone(crowd: Crowd) -> None:
    batch = await crowd.plans("start_planning")
    await crowd.runs(batch)
    answer = await crowd.asks(f"/{batch}/undo")
    assert (answer.status_code, answer.json()["code"]) == (409, "move-not-allowed")


async def test_cancelling_takes_effect_after_the_chunk_and_what_is_left_can_be_run(crowd: Crowd) -> None:
    batch = await crowd.plans("start_planning")
    await crowd.asks(f"/{batch}/run")
    assert await crowd.stage.jobs.work()
    assert (await crowd.asks(f"/{batch}/cancel")).status_code == 202
    await crowd.stage.works()
    shown = await crowd.shows(batch)
    assert (shown["state"], totals(shown)) == ("cancelled", FIRST_CHUNK)
    assert (await crowd.asks(f"/{batch}/cancel")).json()["code"] == "move-not-allowed"
    shown = await crowd.runs(batch)
    assert (shown["state"], totals(shown)) == ("done", (0, 25, 0, 0))


async def test_a_batch_at_work_is_left_alone(crowd: Crowd) -> None:
    batch = (await crowd.asks("", {"move": "start_planning", "filter": {}})).json()
    assert (batch["state"], batch["counts"]["pending"], batch["preview"]) == ("previewing", 25, {})
    for act, body in (("run", None), ("retry", {}), ("undo", None)):
        answer = await crowd.asks(f"/{batch['batch_id']}/{act}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "in-progress")


async def test_G3_a_company_s_bulk_reaches_its_own_orders_only(crowd: Crowd) -> None:
    mine, theirs = (await crowd.orders())[:3], (await crowd.orders())[3:6]
    batch = await crowd.plans("assign", ids=ids(mine), arguments={"company_id": str(COMPANY)})
    await crowd.runs(batch)
    carl = {"name": "carl", "role": "company_admin", "company": COMPANY}
    answer = await crowd.asks("", {"move": "start_planning", "filter": {}}, **carl)
    assert answer.json()["selected"] == 3, "a filter finds what is in reach"
    answer = await crowd.asks("", {"move": "start_planning", "ids": ids([*mine, *theirs])}, **carl)
    own = answer.json()["batch_id"]
    await crowd.stage.works()
    await crowd.asks(f"/{own}/run", **carl)
    await crowd.stage.works()
    shown = await crowd.shows(own, **carl)
    assert (totals(shown), shown["codes"]) == ((0, 3, 3, 0), {"not-found": 3})
    rival = {"name": "rita", "role": "company_admin", "company": UUID(int=1)}
    assert (await crowd.shows(own, **rival))["code"] == "not-found"
    assert (await crowd.asks(f"/{own}/run", **rival)).status_code == 404


@pytest.mark.parametrize(("role", "move"), [("company_admin", "put_on_hold"), ("qa", "start_planning")])
async def test_G2_a_bulk_move_needs_the_action_of_the_single_move(tmp_path: Path, role: str, move: str) -> None:
    crowd = await Crowd.begin(tmp_path, 1)
    company = COMPANY if role == "company_admin" else None
    answer = await crowd.asks("", {"move": move, "filter": {}}, name="carl", role=role, company=company)
    assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")
    await crowd.stage.close()


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"move": "send_to_execution", "filter": {}}, 409, "move-not-allowed"),
        ({"move": "resolve", "filter": {}}, 409, "move-not-allowed"),
        ({"move": "fly", "filter": {}}, 409, "move-not-allowed"),
        ({"move": "start_planning"}, 422, "invalid-body"),
        ({"move": "start_planning", "filter": {}, "ids": [str(UUID(int=1))]}, 422, "invalid-body"),
        ({"move": "start_planning", "filter": {"state": ["CLOSED"]}}, 422, "invalid-body"),
        ({"move": "start_planning", "filter": {"colour": "red"}}, 422, "invalid-body"),
        ({"move": "start_planning", "filter": {}, "due_on": "2026-04-01"}, 403, "master-owned"),
        ({"move": "start_planning", "filter": {}, "arguments": {"priority": 90}}, 403, "master-owned"),
        ({"move": "assign", "filter": {}}, 409, "not-planned"),
        ({"move": "close_case", "filter": {}}, 422, "decision-missing"),
    ],
)
async def test_what_no_item_could_do_is_refused_at_once(
    tmp_path: Path, asked: dict[str, Any], status: int, code: str
) -> None:
    crowd = await Crowd.begin(tmp_path, 1)
    answer = await crowd.asks("", asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await crowd.stage.rows("bulk_moves") == []
    await crowd.stage.close()


async def test_a_plan_that_is_asked_for_twice_is_one_batch(crowd: Crowd) -> None:
    async with crowd.person() as anna:
        asked = {"json": {"move": "start_planning", "filter": {}}, "headers": {"Idempotency-Key": "plan-1"}}
        first, second = [await anna.post("/v1/bulk-moves", **asked) for _ in range(2)]
    assert (first.status_code, second.status_code, first.json()) == (202, 202, second.json())
    assert len(await crowd.stage.rows("bulk_moves")) == 1


async def test_items_are_read_page_by_page_and_by_state(crowd: Crowd) -> None:
    batch = await crowd.plans("start_planning")
    await crowd.runs(batch)
    paged = await crowd.items(batch, limit=7)
    assert [item["work_order_id"] for item in paged] == sorted(ids(await crowd.orders()))
    assert await crowd.items(batch, state="refused") == []


async def test_a_preview_of_a_row_that_is_made_one_by_one_says_so(crowd: Crowd) -> None:
    await crowd.are_planned()
    await crowd.runs(await crowd.plans("send_booking"))
    await crowd.are_texted(order.work_order_id for order in await crowd.orders())
    batch = await crowd.plans("follow_up_manually", arguments={"reason": "call them"})
    assert (await crowd.shows(batch))["preview"] == {"move-not-allowed": 25}, "T10 is no bulk row"


def ids(orders: Any) -> list[str]:
    return [str(order.work_order_id) for order in orders]
