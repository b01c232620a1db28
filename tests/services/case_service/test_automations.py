"""Each automation fires once per key (lifecycle §13), under copies of its trigger and two workers on one database."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from contracts import assets, cases
from contracts.codes import ExceptionType, Result
from contracts.event import Event
from kit.bus import Abandon
from kit.processing import Processor
from kit.testing import Stage
from kit.timers import Timers
from services.case_service.app import build
from services.case_service.domain.automations import AUTOMATIONS
from services.case_service.domain.case import Case
from services.case_service.domain.incoming.table import hear
from services.case_service.domain.requests import MoveRequest
from services.case_service.domain.states import Column
from services.case_service.settings import Settings
from tests.services.case_service.ground import TOM, Ground, Place, a_case_at, withdrawal
from tests.unit.case_service import facts
from tests.unit.case_service.builders import a_report, a_request, an_act, follow_up_of, put
from tests.unit.case_service.lives import fitting_report

Effects = Callable[[Event], bool]
Cause = Callable[[Ground, Case], Awaitable[None]]


class Rule(NamedTuple):
    """One automation: where its case stands, what sets it off twice at once, what it does once."""

    column: Column
    causes: Cause
    effect: Effects | None
    """The facts that are its effect; None: it only leaves its rule id and a line."""
    times: int = 1
    prepare: Callable[[Case], None] = lambda _: None


def tells(fact: Callable[[Case], Event], *, again: bool = True) -> Cause:
    """The same record twice to each of two workers at once; `again`: told once more under another id as well."""

    async def cause(ground: Ground, case: Case) -> None:
        record = ground.stage.record(fact(case))
        workers = (ground.stage.processor, ground.second)
        await asyncio.gather(*(each.deliver([record] * 2, Abandon()) for each in workers))
        if again:
            await ground.hears([fact(case)])

    return cause


def asks(request: Callable[[Case], MoveRequest]) -> Cause:
    """Two technicians' clients send the same report at once."""

    async def cause(ground: Ground, case: Case) -> None:
        order = case.by_sequence[0].work_order_id
        await asyncio.gather(*(ground.moves(order, request(case), TOM) for _ in range(2)))

    return cause


def waits(time: timedelta) -> Cause:
    """Time passes, and two workers look at the timers at every moment when one is due."""

    async def cause(ground: Ground, _: Case) -> None:
        stage = ground.stage
        other = Timers(stage.service.name, stage.store, stage.service.handlers)
        end = stage.clock.now() + time
        while (due := await stage.timers.next_due()) is not None and due <= end:
            stage.clock.set(max(due, stage.clock.now()))
            await asyncio.gather(stage.timers.fire(), other.fire())
        stage.clock.set(end)

    return cause


def told(kind: type[Event], **known: object) -> Effects:
    return lambda fact: isinstance(fact, kind) and all(getattr(fact, name) == value for name, value in known.items())


def of_first(fact: Callable[..., Event], **given: object) -> Callable[[Case], Event]:
    return lambda case: fact(case, case.by_sequence[0], **given)


def row(name: str, number: int) -> Callable[[Case], Event]:
    return lambda case: facts.facts(case, case.by_sequence[0])[name][number]


def with_devices(case: Case) -> None:
    """asset_service has booked what the visit reported, so that only the partner's word is missing."""
    order = case.by_sequence[0]
    hear(case, an_act(), assets.DeviceInstalled(**facts.visited(case, order)))
    hear(case, an_act(), assets.DeviceRemoved(**facts.visited(case, order, **facts.of_device("meter", "OLD1"))))
    case.told.clear()
    case.beside.clear()


def failed_twice(case: Case) -> None:
    """Two attempts failed before."""
    for number in (2, 3):
        before = follow_up_of(case, "meter_exchange", Column.RESOLVED_FAILED)
        put(case, before, Column.CLOSED_OTHERWISE)
        before.sequence, before.predecessor = number, None


def a_failure(_: Case) -> MoveRequest:
    return a_request("resolve", report=a_report(Result.NOT_AT_HOME))


def a_refusal(_: Case) -> MoveRequest:
    return a_request("resolve", report=a_report(Result.NOT_AT_HOME, sub_reason="customer_refuses"))


def without_papers(case: Case) -> MoveRequest:
    return a_request("resolve", report=fitting_report(case.by_sequence[0], Result.DOCS_INCOMPLETE))


# fmt: off
RULES: dict[str, Rule] = {
    "A02": Rule(Column.RESOLVED_WELL, tells(of_first(facts.approved)),
                told(cases.HandoverRequested, fact="exchange_completed")),
    "A03": Rule(Column.CLOSED_WELL, tells(of_first(facts.accepted)), told(cases.CaseCompleted), prepare=with_devices),
    "A04": Rule(Column.IP, asks(without_papers), told(cases.WorkOrderOpened)),
    "A05 refusal": Rule(Column.IP, asks(a_refusal), told(cases.ExceptionRaised, type=ExceptionType.REFUSAL)),
    "A05 third": Rule(Column.IP, asks(a_failure),
                      told(cases.ExceptionRaised, type=ExceptionType.THREE_FAILED_ATTEMPTS), prepare=failed_twice),
    "A06": Rule(Column.CLOSED_WELL, tells(of_first(facts.rejected)),
                told(cases.ExceptionRaised, type=ExceptionType.HANDOVER_REJECTED)),
    "A07": Rule(Column.RD, tells(withdrawal), told(cases.WorkOrderMoved, move="T29")),
    "A08": Rule(Column.PL, waits(timedelta(days=60)),
                lambda fact: isinstance(fact, cases.SlaAtRisk | cases.SlaBreached), times=2),
    "A09": Rule(Column.OP, tells(row("BookableFromSet", 1)), told(cases.HandoverRequested, fact="rollout_announced")),
    "A10": Rule(Column.RESOLVED_WELL, tells(of_first(facts.rework, kind="desk"), again=False), None),
    "A11": Rule(Column.AR, waits(timedelta(days=9)), None),
}
# fmt: on
"""Of the page's table; A01 is qa_service's. A rule that comes joins by a line."""


@pytest.fixture(params=["sqlite", "postgresql"])
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ground]:
    """case_service with two workers on either database."""
    url: Callable[[], str] = request.getfixturevalue("new_database") if request.param == "postgresql" else str
    stage = await Stage.open(build, tmp_path, settings=Settings, database_url=url() or None)
    yield Ground(stage, Processor(stage.service.name, stage.store, stage.service.handlers))
    await stage.close()


@pytest.mark.parametrize("rule", RULES)
async def test_an_automation_fires_once_for_copies_and_two_workers(ground: Ground, rule: str) -> None:
    column, causes, effect, times, prepare = RULES[rule]
    case, _ = a_case_at(Place(rule, column))
    prepare(case)
    await ground.places([case])
    await ground.stage.told_since()
    (kept,) = await ground.kept([case.case_id])
    await causes(ground, kept)
    since = await ground.stage.told_since()
    action = f"automation:{rule[:3]}"
    rows = [json.loads(each.details) for each in await ground.stage.rows("audit") if each.action == action]
    fired = Counter(each["key"] for each in rows)
    assert len(fired) == times, "it left its rule id, once per key"
    assert set(fired.values()) == {1}
    assert effect is None or sum(map(effect, since)) == times
    assert await ground.stage.parked() == []


def test_every_automation_of_the_page_is_tried_here_or_in_a_test_of_its_own() -> None:
    """A01 is qa_service's; A12 begins with a request (test_intake), A13 with two cases (test_late_facts)."""
    tried = {name[:3] for name in RULES}
    assert set(AUTOMATIONS) - tried <= {"A01", "A12", "A13"}
    assert tried <= set(AUTOMATIONS)
