"""Where the scope of a company or a technician ends: at the work order, also of a case on which others work (G3)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.roles import Role
from tests.services.case_service.rights import World

NARROW = [Role.COMPANY_ADMIN, Role.TECHNICIAN]
EVIDENCE = [{"evidence_id": "00000000-0000-0000-0000-00000000000e", "kind": "photo", "sha256": "ab"}]
FIELD = {"form_key": "meter_exchange", "field": "seal_no", "value": "S-1"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.open(tmp_path)
    yield made
    await made.close()


async def asked(world: World, role: Role, method: str, path: str, body: Any = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {world.token(role)}"}
    return await world.client.request(method, path, json=body, headers=headers)


@pytest.mark.parametrize("role", NARROW)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/moves", None),
        ("GET", "/answers", None),
        ("POST", "/moves", {"move": "set_flag", "blocker": "OTHER", "text": "wait", "expected_version": 1}),
        ("POST", "/moves", {"move": "add_evidence", "evidence": EVIDENCE, "expected_version": 1}),
    ],
    ids=str,
)
async def test_G3_a_work_order_of_others_in_an_own_case_is_not_there(
    world: World, role: Role, method: str, path: str, body: Any
) -> None:
    answer = await asked(world, role, method, f"/v1/work-orders/{world.ids['shared']['work_order_id']}{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_G3_a_technician_fills_in_no_form_of_another_s_order(world: World) -> None:
    path = f"/v1/work-orders/{world.ids['shared']['work_order_id']}/edits"
    answer = await asked(world, Role.TECHNICIAN, "POST", path, {"downloaded_version": 1, "edits": [FIELD]})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), answer.text


@pytest.mark.parametrize("given", [{"move": "start_planning"}, {"move": "assign", "responsible": None}], ids=str)
async def test_G3_a_company_plans_no_order_of_another_company(world: World, given: dict[str, Any]) -> None:
    path = f"/v1/work-orders/{world.ids['shared']['work_order_id']}/moves"
    answer = await asked(world, Role.COMPANY_ADMIN, "POST", path, {"expected_version": 1, **given})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("company", ["foreign", None])
async def test_G3_a_company_hands_its_work_to_no_other_company(world: World, company: str | None) -> None:
    path = f"/v1/work-orders/{world.ids['own']['work_order_id']}"
    order = (await asked(world, Role.COMPANY_ADMIN, "GET", path)).json()
    to = world.companies[company] if company else None
    body = {"move": "assign", "company_id": to, "expected_version": order["version"]}
    answer = await asked(world, Role.COMPANY_ADMIN, "POST", f"{path}/moves", body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_G3_a_bulk_move_of_a_company_selects_no_order_of_another_company(world: World) -> None:
    body = {"move": "assign", "filter": {"company": [world.companies["foreign"]]}, "arguments": {"responsible": None}}
    answer = await asked(world, Role.COMPANY_ADMIN, "POST", "/v1/bulk-moves", body)
    assert (answer.status_code, answer.json()["fields"]) == (422, ["filter"]), answer.text


async def test_G3_lists_find_no_order_of_others_and_no_case_by_one(world: World) -> None:
    foreign = world.ids["shared"]["work_order_id"]
    for role in NARROW:
        found = (await asked(world, role, "GET", "/v1/work-orders?company=" + world.companies["foreign"])).json()
        assert found["items"] == []
        found = (await asked(world, role, "GET", "/v1/work-orders")).json()
        assert foreign not in {item["work_order_id"] for item in found["items"]}
        found = (await asked(world, role, "GET", "/v1/cases?company=" + world.companies["foreign"])).json()
        assert found["items"] == []


@pytest.mark.parametrize("role", NARROW)
async def test_a_shared_case_is_seen_without_what_others_do_there(world: World, role: Role) -> None:
    """ADR 20: the case is one, its work orders are whose they are."""
    case_id, foreign = world.ids["shared"]["case_id"], world.ids["shared"]["work_order_id"]
    paths = [f"/v1/cases/{case_id}", f"/v1/cases/{case_id}/history"]
    for path in paths:
        answer = await asked(world, role, "GET", path)
        assert answer.status_code == 200
        assert (foreign in answer.text, world.ids["shared"]["exception_id"] in answer.text) == (False, False), path
    shown = (await asked(world, role, "GET", paths[0])).json()
    everything = (await asked(world, Role.DISPATCHER, "GET", paths[0])).json()
    assert [len(each["work_orders"]) for each in (shown, everything)] == [1, 2]


async def test_a_company_takes_along_the_audit_of_the_case_and_of_its_own_orders(world: World) -> None:
    case_id = world.ids["shared"]["case_id"]
    subjects = []
    for role in (Role.COMPANY_ADMIN, Role.DISPATCHER):
        rows = (await asked(world, role, "GET", f"/v1/cases/{case_id}/audit")).json()["rows"]
        subjects.append({row["subject"] for row in rows})
    own, every = {f"case/{case_id}", f"work_order/{case_id}/1"}, {f"work_order/{case_id}/2"}
    assert (subjects[0], subjects[1]) == (own, own | every)


async def test_a_work_order_that_a_company_adds_is_its_own(world: World) -> None:
    case_id = world.ids["own"]["case_id"]
    plan = (await asked(world, Role.DISPATCHER, "GET", f"/v1/cases/{case_id}")).json()["device_plan"]
    body = {"action": "add_work_order", "kind": "repair", "device_plan": plan}
    answer = await asked(world, Role.COMPANY_ADMIN, "POST", f"/v1/cases/{case_id}/actions", body)
    assert answer.status_code == 200, answer.text
    assert {order["company_id"] for order in answer.json()["work_orders"]} == {world.companies["own"]}
    assert len(answer.json()["work_orders"]) == 2
