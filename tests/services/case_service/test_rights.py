"""Roles × actions, cell by cell: every route, move and action of the service, asked by every role (SEC-ROL-01…04)."""

import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from contracts.roles import Role
from tests.services.case_service.rights import ELSEWHERE, WHOSE, Ask, World, asks, is_scoped, may

HOUR = timedelta(hours=1)
FEWEST = 2_400
"""Cells; a generator that finds nothing proves nothing."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.open(tmp_path)
    yield made
    await made.close()


def verdict(answer: httpx.Response) -> str:
    """What an answer means for whoever asked: in, no role, not there, nobody."""
    if answer.status_code == 401:
        return "nobody"
    if answer.status_code == 403 and answer.json()["code"] == "role-missing":
        return "no role"
    return "not there" if answer.status_code == 404 else "in"


def expected(role: Role, ask: Ask, whose: str) -> str:
    """What the matrix says."""
    if not may(role, ask):
        return "no role"
    if not ask.names_object:
        return "not there" if ask.path == PORTAL and role is not Role.CUSTOMER else "in"
    elsewhere = any((role, action) in ELSEWHERE for group in ask.needs for action in group)
    if whose == "unknown" or elsewhere or (whose == "foreign" and is_scoped(role, ask)):
        return "not there"
    if whose == "shared" and (role is Role.CUSTOMER or (role in OF_ORDERS and "work_order_id" in ask.path)):
        return "not there"
    return "in"


OF_ORDERS = frozenset({Role.TECHNICIAN, Role.COMPANY_ADMIN, Role.COMPANY_TECHNICIAN})
"""Roles whose scope ends at the work order; a partner's ends at the case."""
PORTAL = "/v1/portal/contact"
"""Names no case: it is that of the appointment that was proved, and only a customer proves one."""


async def test_SEC_ROL_04_every_cell_of_the_matrix_is_what_happens(world: World) -> None:
    wrong, count, requests = [], 0, list(asks(world.stage.service))
    for role in Role:
        token = world.token(role)
        for ask in requests:
            for whose in WHOSE if ask.names_object else WHOSE[:1]:
                answer, count = await world.asked(ask, token, whose), count + 1
                found, meant = verdict(answer), expected(role, ask, whose)
                if found != meant and not _names_another_object(ask, found, meant):
                    wrong.append((str(role), ask.method, ask.path, _named(ask), whose, found, meant))
    sys.stdout.write(f"{count} cells: {len(requests)} requests × {len(Role)} roles\n")
    assert (wrong, count > FEWEST) == ([], True)


def _named(ask: Ask) -> str:
    body = ask.body or {}
    return str(body.get("move") or body.get("action") or "")


def _names_another_object(ask: Ask, found: str, meant: str) -> bool:
    """A request about an object that this world does not have: only the role was asked for."""
    return not ask.names_object and ask.path != PORTAL and (found, meant) == ("not there", "in")


async def test_SEC_ROL_03_an_expired_token_and_none_at_all_are_nobody_everywhere(world: World) -> None:
    wrong, count = [], 0
    for ask in asks(world.stage.service):
        for token in (world.token(Role.DISPATCHER, age=HOUR), world.token(Role.CUSTOMER, age=HOUR), None, "a.b.c"):
            answer, count = await world.asked(ask, token, "own"), count + 1
            if verdict(answer) != "nobody" or answer.json()["code"] != "invalid-token":
                wrong.append((ask.method, ask.path, answer.status_code))
    sys.stdout.write(f"{count} cells\n")
    assert (wrong, count > 150) == ([], True)


async def test_a_foreign_id_answers_as_an_unknown_one_to_the_letter(world: World) -> None:
    compared, different = 0, []
    for role in (Role.TECHNICIAN, Role.COMPANY_TECHNICIAN, Role.COMPANY_ADMIN, Role.CUSTOMER, Role.SYSTEM):
        token = world.token(role)
        for ask in asks(world.stage.service):
            if ask.names_object and may(role, ask):
                unknown = await world.asked(ask, token, "unknown")
                shared = ("shared",) if role in OF_ORDERS and "work_order_id" in ask.path else ()
                for whose in ("foreign", *shared):
                    found, compared = await world.asked(ask, token, whose), compared + 1
                    if told(found) != told(unknown):
                        different.append((str(role), ask.method, ask.path, told(found), told(unknown)))
    assert (different, compared > 50) == ([], True)


def told(answer: httpx.Response) -> tuple[object, ...]:
    """All that a caller learns, but the number of the request."""
    body = answer.json()
    body.pop("instance", None)
    headers = {name: value for name, value in answer.headers.items() if "request" not in name and name != "date"}
    return answer.status_code, body, {name: headers[name] for name in headers if name != "traceparent"}


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.COMPANY_TECHNICIAN, Role.COMPANY_ADMIN])
async def test_a_foreign_case_in_the_body_is_not_there(world: World, role: Role) -> None:
    body = {"action": "link", "linked_case_id": world.ids["foreign"]["case_id"], "kind": "same_house"}
    headers = {"Authorization": f"Bearer {world.token(role)}"}
    path = f"/v1/cases/{world.ids['own']['case_id']}/actions"
    answer = await world.client.post(path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.COMPANY_TECHNICIAN, Role.COMPANY_ADMIN, Role.SYSTEM])
async def test_a_filter_finds_nothing_foreign(world: World, role: Role) -> None:
    headers = {"Authorization": f"Bearer {world.token(role)}"}
    filters = (
        "metering_point_id=P2",
        "order_key=erp-b:2",
        "priority_from=0&operator=no",
        *([f"responsible={UUID(int=0xF1)}"] if role in OF_ORDERS else []),
    )
    for path in ("/v1/cases", "/v1/work-orders"):
        for narrowed in filters:
            answer = await world.client.get(f"{path}?{narrowed}", headers=headers)
            assert (answer.status_code, answer.json()["items"]) == (200, [])
        everything = (await world.client.get(path, headers=headers)).json()["items"]
        assert {item["metering_point_id"] for item in everything} <= {"P1", "P3", "P4"}


@pytest.mark.parametrize(
    ("path", "role", "id_"),
    [
        ("/v1/visit-conflicts", Role.DISPATCHER, "conflict_id"),
        ("/v1/erasures", Role.MANAGEMENT, "erasure_id"),
        ("/v1/person-exports", Role.MANAGEMENT, "case_id"),
    ],
)
async def test_lists_that_people_work_off_have_as_many_pages_as_it_takes(
    world: World, path: str, role: Role, id_: str
) -> None:
    headers = {"Authorization": f"Bearer {world.token(role)}"}
    for whose in ("own", "foreign", "beside") if role is Role.MANAGEMENT else ():
        body = {"case_id": world.ids[whose]["case_id"], "reason": "wrote"}
        assert (await world.client.post(path, json=body, headers=headers)).status_code == 201
    whole = (await world.client.get(path, headers=headers)).json()
    seen, after = [], {}
    while True:
        page = (await world.client.get(path, params={"limit": 2} | after, headers=headers)).json()
        seen += [item[id_] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert (seen, whole["next"], len(seen) >= 3) == ([item[id_] for item in whole["items"]], None, True)


async def test_a_refusal_names_the_action_and_never_the_object(world: World) -> None:
    path = f"/v1/cases/{world.ids['own']['case_id']}/contact"
    answer = await world.client.get(path, headers={"Authorization": f"Bearer {world.token(Role.QA)}"})
    assert (answer.status_code, answer.json()["action"]) == (403, "contact:read")
    assert world.ids["own"]["case_id"] not in answer.text


async def test_who_tried_what_he_may_not_is_in_the_audit(world: World) -> None:
    for ask in asks(world.stage.service):
        if ask.path.endswith(("/moves", "/actions")) and ask.method == "POST":
            await world.asked(ask, world.token(Role.AUDITOR), "own")
    rows = [row.action for row in await world.stage.rows("audit") if row.actor == "person:local:auditor"]
    assert {"refused:move:start_planning", "refused:move:close_case", "refused:action:approve_exception"} <= set(rows)


async def test_every_change_that_a_role_may_not_make_is_in_the_audit_and_with_its_case(world: World) -> None:
    """Lifecycle §2.2: role refusals too, also those of whoever may not even read."""
    own, count = world.ids["own"], 0
    for ask in asks(world.stage.service):
        if ask.method != "GET" and not may(Role.PLATFORM, ask):
            before, count = set(await world.stage.rows("audit")), count + 1
            await world.asked(ask, world.token(Role.PLATFORM), "own")
            (row,) = set(await world.stage.rows("audit")) - before
            assert (row.actor, row.action.startswith("refused:")) == ("person:local:platform", True), ask
            if "case_id" in ask.path or "work_order_id" in ask.path:
                assert row.subject.split("/")[1] == own["case_id"], ask
    assert count > 40


async def test_a_refusal_of_scope_is_in_the_audit_of_the_case(world: World) -> None:
    for ask in asks(world.stage.service):
        if ask.method != "GET" and "work_order_id" in ask.path and may(Role.COMPANY_ADMIN, ask):
            await world.asked(ask, world.token(Role.COMPANY_ADMIN), "shared")
    case_id = world.ids["shared"]["case_id"]
    rows = [row for row in await world.stage.rows("audit") if row.actor == "person:local:company_admin"]
    assert {row.subject for row in rows} == {f"work_order/{case_id}/2"}
    assert {row.details for row in rows} == {'{"code":"not-found"}'}
