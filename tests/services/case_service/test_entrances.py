"""Lives of cases through every way in (B3): people over HTTP, facts, partners, time. No step is illegal, ever.

A life is 50 steps by whoever; most of them are likely, some are nonsense. All lives share one database.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from contracts import assets
from contracts.cases import WorkOrderMoved
from contracts.codes import ExceptionType
from contracts.event import EVENTS as KINDS
from contracts.event import Event
from kit import tables
from kit.auth import Scope
from kit.http import web
from kit.testing import Stage
from services.case_service.app import build
from services.case_service.domain import matrices, moves
from services.case_service.domain.case import Case
from services.case_service.domain.gate import failing
from services.case_service.domain.states import Column
from services.case_service.domain.work_order import WorkOrder
from services.case_service.settings import Settings
from tests.services.case_service.ground import (
    IN_THE_FIELD,
    PLACES,
    Ground,
    a_case_at,
    of_its_order,
    variants,
    withdrawal,
)
from tests.unit.case_service import facts
from tests.unit.case_service.builders import TECHNICIAN, plan
from tests.unit.case_service.lives import completion_is_proved, laws_hold, story_is_whole, undecided, withdrawals_stand

STEPS = some.lists(
    some.tuples(some.integers(0, 16), some.integers(0, 3), some.integers(0, 999)), min_size=50, max_size=50
)
STARTS = some.sampled_from(("OP", "PL", "RD", "IP", "R+", "C+"))


@dataclass
class Life:
    """One case, and everybody who has to do with it."""

    ground: Ground
    app: Any
    case_id: UUID
    closed: set[UUID] = field(default_factory=set)
    """Work orders that were seen in C−, which nothing leaves."""
    completions: int = 0
    waiting: frozenset[UUID] = frozenset()
    """Work orders that were seen withdrawn and undecided."""

    async def case(self) -> Case:
        (found,) = await self.ground.kept([self.case_id])
        return found

    async def posts(self, role: str, path: str, body: dict[str, Any]) -> httpx.Response:
        """Somebody of the staff asks; whatever is asked, no answer is a failure of ours."""
        name = {"technician": "tom", "qa": "quirin"}.get(role, "anna")
        scope = Scope("technician", str(TECHNICIAN)) if role == "technician" else None
        stage = self.ground.stage
        token = stage.signer.person(f"person:local:{name}", [role], scope, stage.clock.now())
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code < 500, (path, body, answer.text)
        assert answer.is_success or answer.json()["code"], answer.text
        return answer

    async def lawful(self) -> None:
        """Nothing that the tables do not have came to be, and what was at its end still is."""
        case = await self.case()
        laws_hold(case)
        withdrawals_stand(case, self.waiting)
        self.waiting = undecided(case)
        assert case.terminal or failing(case), "whatever can complete has completed already"
        if case.completion > self.completions:
            completion_is_proved(case)
        self.completions = case.completion
        now = {o.work_order_id for o in case.work_orders if o.column is Column.CLOSED_OTHERWISE}
        assert self.closed <= now, "I16"
        self.closed = now

    async def told(self) -> list[Event]:
        """What was told of the case, oldest first."""
        mine = tables.outbox.c.key == str(self.case_id)
        query = sa.select(tables.outbox.c.headers, tables.outbox.c.value).where(mine).order_by(tables.outbox.c.id)
        rows = await self.ground.stage.store.read(lambda db: db.execute(query).all())
        return [KINDS[row.headers["ce_type"]].from_json(row.value) for row in rows if row.value]


Entrance = Callable[[Life, Case, WorkOrder, int], Awaitable[None]]


async def likely_move(life: Life, case: Case, order: WorkOrder, number: int) -> None:
    """Somebody asks for what the screen offers."""
    legal = matrices.possible_moves(order.column)
    if legal:
        await ask(life, case, order, legal[number % len(legal)], number // len(legal))


async def any_move(life: Life, case: Case, order: WorkOrder, number: int) -> None:
    """Somebody asks for whatever, on whatever version."""
    names = tuple(moves.MOVES)
    await ask(life, case, order, names[number % len(names)], number // len(names), version=order.version - number % 2)


async def ask(life: Life, case: Case, order: WorkOrder, move: str, number: int, version: int | None = None) -> None:
    forms = variants(move, order)
    body = forms[number % len(forms)].model_dump(mode="json", exclude_none=True, by_alias=True)
    stale = version not in {None, order.version} and move not in IN_THE_FIELD
    body["expected_version"] = order.version if version is None else version
    body |= {"expected_edition": case.edition} if "flag" in body else {}
    role = "technician" if move in IN_THE_FIELD else "dispatcher"
    answer = await life.posts(role, f"/v1/work-orders/{order.work_order_id}/moves", body)
    assert not (stale and answer.is_success), "G4"


async def any_fact(life: Life, case: Case, order: WorkOrder, number: int) -> None:
    """Another service tells whatever."""
    known = [fact for found in facts.facts(case, order).values() for fact in found]
    await life.ground.hears([known[number % len(known)]])


async def likely_fact(life: Life, case: Case, order: WorkOrder, number: int) -> None:
    """Another service tells what moves the order on."""
    known = facts.facts(case, order)
    moving = [row for row in known if any(map(matrices.steps, matrices.EVENTS[row][order.column]))]
    if moving:
        found = known[moving[number % len(moving)]]
        await life.ground.hears([found[number // len(moving) % len(found)]])


async def books(life: Life, case: Case, order: WorkOrder, _: int) -> None:
    """asset_service and the partner say what ends a good case."""

    done = [(assets.DeviceInstalled, device) for device in order.installed]
    done += [(assets.DeviceRemoved, device) for device in order.removed]
    about = [kind(**facts.visited(case, order, **facts.of_device(each.role, each.serial))) for kind, each in done]
    await life.ground.hears([*about, facts.accepted(case, order)])


async def partner(life: Life, case: Case, _: WorkOrder, number: int) -> None:
    """The partner withdraws, or writes again: newer, the same, older."""
    version = case.references[0].newest + number % 3
    if number % 4 == 0:
        await life.ground.hears([withdrawal(case, version)])
        return
    news = [found[0].model_copy(update={"version": version}) for found in of_its_order(case).values()]
    await life.ground.hears([news[number // 2 % len(news)]])


async def action(life: Life, case: Case, order: WorkOrder, number: int) -> None:
    """Somebody asks something of the case as a whole."""
    today = life.ground.stage.clock.now().date()
    types = (ExceptionType.QA_WAIVER, ExceptionType.DEVICE_PLAN_DEVIATION, ExceptionType.FOREIGN_METER)
    raising = {"type": types[number % 3], "reason": "so it is", "owner": "qa", "due_on": str(today + timedelta(days=7))}
    open_ones = [each for each in case.exceptions if each.open]
    which = {"exception_id": str(open_ones[number % len(open_ones)].exception_id)} if open_ones else {}
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("qa", {"action": "approve_exception", **which}),
        ("dispatcher", {"action": "raise_exception", "work_order_id": str(order.work_order_id), **raising}),
        ("qa", {"action": "approve_exception", **which}),
        ("dispatcher", {"action": "check_gate"}),
        ("dispatcher", {"action": "resolve_exception", **which, "decision": "carry_on", "reason": "settled"}),
        ("dispatcher", {"action": "announce"}),
    )
    role, body = asked[number % len(asked)]
    await life.posts(role, f"/v1/cases/{life.case_id}/actions", body)


async def bulk(life: Life, case: Case, order: WorkOrder, number: int) -> None:
    """A planner moves all work orders of the case in one batch; what is planned is run, and then nothing is pending."""
    moved = ("start_planning", "put_on_hold", "plan_again", "follow_up_manually", "close_case", "reopen", "assign")
    name = moved[number % len(moved)]
    given = variants(name, order)[0].model_dump(mode="json", exclude_none=True, exclude_unset=True, exclude={"move"})
    ids = [str(each.work_order_id) for each in case.work_orders]
    planned = await life.posts("dispatcher", "/v1/bulk-moves", {"move": name, "ids": ids, "arguments": given})
    assert planned.status_code == 202, planned.text
    await life.ground.stage.works()
    await life.posts("dispatcher", f"/v1/bulk-moves/{planned.json()['batch_id']}/run", {})
    await life.ground.stage.works()
    items = [row for row in await life.ground.stage.rows("bulk_items") if str(row.work_order_id) in ids]
    assert "pending" not in {row.state for row in items}


async def time(life: Life, _: Case, __: WorkOrder, number: int) -> None:
    """Hours go by; what fell due happens."""
    await life.ground.stage.passes(timedelta(hours=number % 24))


ENTRANCES: tuple[Entrance, ...] = (
    *(likely_move, likely_move, likely_move, likely_move, likely_move, any_move),
    *(likely_fact, likely_fact, likely_fact, any_fact, any_fact),
    *(books, partner, action, action, time, bulk),
)
"""Every way in; the likely ones more often. A new one joins by a name."""


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    yield Ground(stage)
    await stage.close()


async def live(ground: Ground, app: Any, start: str, steps: list[tuple[int, int, int]]) -> None:
    """One life, with the laws looked at after every step, and its story told at the end."""
    case, _ = a_case_at(next(place for place in PLACES if place.name == start))
    if start == "OP":
        plan(case.current)
    await ground.places([case])
    life = Life(ground, app, case.case_id)
    await life.lawful()
    for entrance, which, number in steps:
        now = await life.case()
        await ENTRANCES[entrance](life, now, now.by_sequence[which % len(now.work_orders)], number)
        await life.lawful()
    told = await life.told()
    story_is_whole(told)
    ends = {fact.work_order_id: fact.to_state for fact in told if isinstance(fact, WorkOrderMoved)}
    now = await life.case()
    assert all(ends.get(order.work_order_id, order.state) is order.state for order in now.work_orders)


EXAMPLES = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@given(STARTS, STEPS)
@settings(max_examples=25, **EXAMPLES)
async def test_B3_S0_17_no_life_through_any_entrance_breaks_a_law(
    ground: Ground, start: str, steps: list[tuple[int, int, int]]
) -> None:
    await live(ground, web(ground.stage.service, authenticate=ground.stage.service.authenticate), start, steps)
    assert await ground.stage.parked() == []


@pytest.mark.slow
@given(STARTS, STEPS)
@settings(max_examples=500, **EXAMPLES)
async def test_B3_S0_17_five_hundred_lives_of_fifty_steps_break_no_law(
    ground: Ground, start: str, steps: list[tuple[int, int, int]]
) -> None:
    await live(ground, web(ground.stage.service, authenticate=ground.stage.service.authenticate), start, steps)
    assert await ground.stage.parked() == []
