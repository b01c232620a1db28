"""A world with an own and a foreign case for every role, and what the matrix says of each request (SEC-ROL-04)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import httpx

from contracts.codes import ExceptionType, Result
from contracts.ids import AppointmentId, CompanyId, TechnicianId
from contracts.roles import MATRIX, Reach, Role
from hub.describing import JSON, described, operations
from kit.auth import Scope
from kit.http import served, web
from kit.service import Service
from kit.store import Unit
from kit.testing import Stage
from services.case_service.acts import act_of, conclude
from services.case_service.api.acting import CASE_ACTIONS
from services.case_service.api.examples import action_body, move_body
from services.case_service.api.moving import MOVE_ACTIONS
from services.case_service.app import build
from services.case_service.domain.case import Case
from services.case_service.domain.exceptions import raise_exception
from services.case_service.domain.flows import open_work_order
from services.case_service.domain.visits import keep_conflict
from services.case_service.settings import Settings
from tests.unit.case_service.builders import COMPANY, TECHNICIAN, a_report, an_order

OWN, FOREIGN = "erp-a:1", "erp-b:2"
BESIDE = "erp-a:3"
"""Another case that is everybody's own, to be linked with."""
SHARED = "erp-a:4"
"""A case with an own and a foreign work order; it is asked about the foreign one."""
UNKNOWN = str(UUID(int=0xDEAD))
STALE = 999
"""A version that nobody has seen: what is allowed is refused because of it, and changes nothing."""
OTHER_TECHNICIAN, OTHER_COMPANY = TechnicianId(UUID(int=0xF1)), CompanyId(UUID(int=0xF2))
POLICY = Settings().policy()
MOVES, ACTIONS = "/v1/work-orders/{work_order_id}/moves", "/v1/cases/{case_id}/actions"
WHOSE = ("own", "foreign", "shared", "unknown")
SCOPED = frozenset({Reach.COMPANY, Reach.OWN, Reach.PARTNER, Reach.VISIT_DAY, Reach.STATUS})
ELSEWHERE = {
    (Role.CUSTOMER, "case:read"): "status words are the portal's; a case shows more than that",
    (Role.INSTALLER, "case:read"): "what an installer announced is found by its announcement",
}
"""Cells that no route of this service opens."""


@dataclass(frozen=True)
class Ask:
    """A request that somebody may make, with the actions that it needs: one of each group."""

    method: str
    path: str
    needs: tuple[tuple[str, ...], ...]
    body: dict[str, Any] | None = None

    @property
    def names_object(self) -> bool:
        """It is about a case of the world, so that own and foreign differ."""
        return any(f"{{{name}}}" in self.path for name in ("case_id", "work_order_id", "conflict_id"))


ELSEWHERE_ONLY = "stock"
"""A limit that leaves nothing of an action in this service: the stock is asset_service's."""


def asks(service: Service) -> Iterator[Ask]:
    """Every request of the service: each route, each move and each action."""
    gates = {(each.method, each.path.replace(":path}", "}")): each.action for each in served(web(service))}
    for method, path, operation in operations(described("case_service")):
        action = gates[method.upper(), path]
        if action is None:
            continue  # open on purpose: tests/house/test_routes.py
        if (method, path) == ("post", MOVES):
            yield from (
                Ask("POST", path, ((action,), MOVE_ACTIONS[move]), move_body(move, STALE)) for move in MOVE_ACTIONS
            )
        elif (method, path) == ("post", ACTIONS):
            yield from (Ask("POST", path, ((action,), (inner,)), action_body(of)) for of, inner in CASE_ACTIONS.items())
        else:
            yield Ask(method.upper(), path, ((action,),), _body(operation))


def _body(operation: dict[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {}).get(JSON)
    if content is None:
        return None
    several = [each["value"] for each in content.get("examples", {}).values()]
    body: dict[str, Any] = dict((several or [content["example"]])[0])
    return body | ({"expected_version": STALE} if "expected_version" in body else {})


def may(role: Role, ask: Ask) -> bool:
    """Whether the matrix lets the role make this request at all; who may only ask for it may not."""
    return all(any(_grants(role, action) for action in group) for group in ask.needs)


def _grants(role: Role, action: str) -> bool:
    grant = MATRIX[action].get(role)
    return grant is not None and grant.reach is not Reach.REQUEST and grant.remark != ELSEWHERE_ONLY


def is_scoped(role: Role, ask: Ask) -> bool:
    """Whether the role reaches only a part of the cases."""
    return any(
        action in MATRIX and role in MATRIX[action] and MATRIX[action][role].reach in SCOPED
        for group in ask.needs
        for action in group
    )


class World:
    """A service with a few cases, and people of every role who know some of them."""

    companies: Mapping[str, str] = {"own": str(COMPANY), "foreign": str(OTHER_COMPANY)}

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.ids: dict[str, dict[str, str]] = {
            "unknown": dict.fromkeys(("case_id", "work_order_id", "conflict_id"), UNKNOWN)
        }
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(web(stage.service)), base_url="http://localhost")

    @classmethod
    async def open(cls, folder: Path) -> Self:
        world = cls(await Stage.open(build, folder, settings=Settings))
        await world.stage.hears(
            an_order(order_key=OWN, order_no="1", metering_point_id="P1"),
            an_order(order_key=FOREIGN, order_no="2", partner="erp-b", metering_point_id="P2"),
            an_order(order_key=BESIDE, order_no="3", metering_point_id="P3"),
            an_order(order_key=SHARED, order_no="4", metering_point_id="P4"),
        )
        await world._give(OWN, "own", TECHNICIAN, COMPANY, 1)
        await world._give(FOREIGN, "foreign", OTHER_TECHNICIAN, OTHER_COMPANY, 2)
        await world._give(BESIDE, "beside", TECHNICIAN, COMPANY, 3)
        await world._give(SHARED, "shared", TECHNICIAN, COMPANY, 4)
        await world._share()
        return world

    async def _give(self, key: str, whose: str, technician: TechnicianId, company: CompanyId, number: int) -> None:
        """The work of a case is somebody's, is today, has an exception and a report that waits for a decision."""

        def command(unit: Unit) -> None:
            case, act = unit.get(Case, key), act_of(unit, POLICY)
            order = case.current
            order.responsible, order.company_id = technician, company
            order.start, order.estimate = unit.now + timedelta(hours=1), 45
            order.appointment_id, order.revision = AppointmentId(UUID(int=0xA0 + number)), 0
            raised = raise_exception(case, act, ExceptionType.INTEGRATION, order=order, reason="test", owner="mdm")
            kept = keep_conflict(case, act, order, a_report(Result.NOT_AT_HOME))
            unit.add(kept)
            conclude(case, unit, act)
            self.ids[whose] = {
                "case_id": str(case.case_id),
                "work_order_id": str(order.work_order_id),
                "conflict_id": str(kept.conflict_id),
                "exception_id": str(raised.exception_id),
            }

        await self.stage.run(command, needs=[(Case, key)])

    async def _share(self) -> None:
        """Another company's technician works on the case as well."""

        def command(unit: Unit) -> None:
            case, act = unit.get(Case, SHARED), act_of(unit, POLICY)
            open_work_order(case, act, kind="repair", plan=case.device_plan)
            conclude(case, unit, act)

        await self.stage.run(command, needs=[(Case, SHARED)])
        await self._give(SHARED, "shared", OTHER_TECHNICIAN, OTHER_COMPANY, 5)

    def token(self, role: Role, *, age: timedelta = timedelta()) -> str:
        """What somebody of this role proves, who knows the own case."""
        scopes = {
            Role.TECHNICIAN: Scope("technician", str(TECHNICIAN)),
            Role.COMPANY_TECHNICIAN: Scope("technician", str(TECHNICIAN)),
            Role.COMPANY_ADMIN: Scope("company", str(COMPANY)),
            Role.CUSTOMER: Scope("appointment", str(UUID(int=0xA1))),
            Role.INSTALLER: Scope("appointment", str(UUID(int=0xA1))),
            Role.SYSTEM: Scope("partner", "erp-a"),
        }
        company = str(COMPANY) if role is Role.COMPANY_TECHNICIAN else None
        now = self.stage.clock.now() - age
        return self.stage.signer.person(f"person:local:{role}", [role], scopes.get(role), now, company=company)

    async def asked(self, ask: Ask, token: str | None, whose: str) -> httpx.Response:
        """Make the request about this case."""
        ids = self.ids[whose]
        path = ask.path
        for name in ("case_id", "work_order_id", "conflict_id"):
            path = path.replace(f"{{{name}}}", ids[name])
        while "{" in path:  # an object that this world does not have
            path = path[: path.index("{")] + UNKNOWN + path[path.index("}") + 1 :]
        body = dict(ask.body) if ask.body is not None else None
        if body is not None and "exception_id" in body:
            body["exception_id"] = ids.get("exception_id", UNKNOWN)
        if body is not None and "linked_case_id" in body:
            body["linked_case_id"] = self.ids["beside"]["case_id"]
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.client.request(ask.method, path, json=body, headers=headers)

    async def close(self) -> None:
        await self.client.aclose()
        await self.stage.close()
