"""Rows of features.md that case_service shows at its API; where a journey tells more, it stands in test_journeys.py."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts import cases
from contracts.codes import Phase, Result, State
from contracts.parts import InstalledDevice, PlanItem
from contracts.roles import Role
from contracts.visits import VisitReported
from kit.auth import Scope
from kit.store import Unit
from kit.testing import Stage
from services.case_service import store
from services.case_service.acts import act_of, conclude
from services.case_service.app import build
from services.case_service.domain.case import Case
from services.case_service.domain.matrices import EVENTS, MOVES, possible_moves
from services.case_service.domain.states import COLUMNS_OF, LABELS, Column
from services.case_service.domain.transitions import allowed
from services.case_service.settings import Settings
from tests.services.case_service.rights import World, asks
from tests.services.case_service.story import Story, cancelled, installed, wire
from tests.unit.case_service import facts
from tests.unit.case_service.builders import (
    NOW,
    TECHNICIAN,
    a_case,
    a_device,
    a_gateway,
    a_plan,
    a_report,
    an_old_device,
    an_order,
)


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    begun = await Story.begin(tmp_path)
    yield begun
    await begun.stage.close()


async def gate(story: Story, part: str = "gate") -> dict[str, Any]:
    """What the gate says, by its lights."""
    case = await story.case()
    async with story.person("anna") as anna:
        found: dict[str, Any] = (await anna.get(f"/v1/cases/{case.case_id}/{part}")).json()
    return found | {light["item"]: light for light in found["lights"]}


async def raised(story: Story, type_: str, **given: Any) -> str:
    """A person raises an exception, another one approves it."""
    asked = {"type": type_, "reason": "equal in all that matters", "owner": "mdm", "due_on": "2026-03-20"} | given
    case = (await story.acts("anna", "raise_exception", **asked)).json()
    exception_id = str(case["exceptions"][-1]["exception_id"])
    assert (await story.acts("quirin", "approve_exception", exception_id=exception_id)).status_code == 200
    return exception_id


async def test_S0_04_nobody_is_sent_without_technician_start_and_estimate(story: Story) -> None:
    await story.moves("anna", "start_planning")
    await story.moves("anna", "follow_up_manually", reason="call")
    by_hand = await story.asks("anna", "send_to_execution", reason="agreed on the phone")
    assert (by_hand.status_code, by_hand.json()["code"]) == (409, "not-planned")
    blocked = await story.asks("anna", "set_flag", blocker="OTHER", text="  ")
    assert (blocked.status_code, blocked.json()["code"]) == (422, "reason-missing")


async def test_S0_04_a_confirmation_makes_nobody_go_whom_nobody_named(story: Story) -> None:
    await story.is_planned()
    await story.is_offered()
    await story.moves("anna", "assign", responsible=None)
    await story.says(facts.confirmed)
    hints = [row for row in await story.stage.rows("remarks") if row.hotlist]
    assert ((await story.order()).state, "T07" in await story.path()) == ("AWAITING_REPLY", False)
    assert [(row.code, row.params["guards"]) for row in hints] == [("guard_failed", ["G7"])]


async def test_S0_05_another_attempt_is_another_work_order_of_the_same_case(story: Story) -> None:
    await story.is_booked()
    await story.is_visited(a_report("NOT_AT_HOME"))
    await story.moves("anna", "reopen", reason="again")
    await story.moves("anna", "plan_again")
    first, second = (await story.case()).by_sequence
    assert (first.close_reason, second.sequence, second.predecessor, second.state) == (
        *("SUPERSEDED", 2, first.work_order_id, State.PLANNING),
    )


BESIDE_THE_GATEWAY = ({"role": "antenna", "serial": "A1"}, {"role": "control_box", "serial": "C1"})


async def test_S0_06_one_work_order_carries_many_devices_each_serial_once(tmp_path: Path) -> None:
    plan = a_plan(gateway=True)
    more = [PlanItem(role=each["role"], quantity=1, alternatives=()) for each in BESIDE_THE_GATEWAY]
    story = await Story.begin(tmp_path, device_plan=plan.model_copy(update={"install": (*plan.install, *more)}))
    await story.is_booked()
    await story.moves("tom", "start")
    twice = a_report(installed=(a_device("X1"), a_gateway("X1")))
    refused = await story.asks("tom", "resolve", report=wire(twice))
    assert (refused.status_code, refused.json()["code"]) == (422, "serial-twice")
    beside = [{"at": NOW, "comms": "none", "registers": ()} | each for each in BESIDE_THE_GATEWAY]
    parts = (a_device("M1"), a_gateway("G1"), *(InstalledDevice(**each) for each in beside))
    await story.reports(a_report(installed=parts))
    order = await story.order()
    serials = {("meter", "M1"), ("smgw", "G1"), ("antenna", "A1"), ("control_box", "C1")}
    assert {(each.role, each.serial) for each in order.installed} == serials
    (line,) = await story.told(VisitReported)
    assert {(each.role, each.serial) for each in line.installed} == serials
    await story.stage.close()


@pytest.mark.parametrize("result", Result)
async def test_S0_09_a_visit_ends_in_exactly_one_of_five_ways(story: Story, result: Result) -> None:
    await story.is_booked()
    await story.moves("tom", "start")
    report = wire(a_report(result))
    none = await story.asks(
        "tom", "resolve", report={name: value for name, value in report.items() if name != "result"}
    )
    two = await story.asks("tom", "resolve", report=report | {"result": [result, "OK"]})
    wrong = await story.asks("tom", "resolve", report=wire(a_report("NOT_AT_HOME", sub_reason=None)))
    assert [each.status_code for each in (none, two, wrong)] == [422] * 3
    assert wrong.json()["code"] == "result-invalid"
    if result is not Result.COMMS_PENDING:  # needs a gateway: test_S0_13
        await story.reports(a_report(result))
        assert (await story.order(1)).result is result


async def test_S0_12_every_device_of_the_plan_has_to_be_installed(tmp_path: Path) -> None:
    story = await Story.begin(tmp_path, device_plan=a_plan(gateway=True))
    await story.is_booked()
    await story.moves("tom", "start")
    await story.reports(a_report(installed=(a_device(), a_gateway())))
    order = await story.order()
    meter = next(each for each in order.installed if each.role == "meter")
    await story.says(lambda case, order: installed(case, order, meter))
    refused = (await story.acts("anna", "check_gate")).json()
    assert (refused["code"], refused["items"][0]) == ("gate-closed", "DoD1: smgw, meter OLD1")
    light = (await gate(story))["dod1"]
    assert (light["passed"], light["missing"], len(light["event_ids"])) == (False, ["smgw", "meter OLD1"], 1)
    await story.stage.close()


async def test_S0_13_it_communicates_or_somebody_has_to_see_to_it_by_a_day(tmp_path: Path) -> None:
    story = await Story.begin(tmp_path, device_plan=a_plan(gateway=True))
    await story.is_booked()
    await story.moves("tom", "start")
    await story.reports(a_report(Result.COMMS_PENDING, installed=(a_device(), a_gateway())))
    await story.devices_are_booked(1)
    silent = (await gate(story))["dod2"]
    assert (silent["passed"], silent["missing"]) == (False, ["smgw"])
    await story.says(facts.pending, 1)
    follow_up = await story.order(2)
    light = (await gate(story))["dod2"]
    assert (follow_up.kind, follow_up.due_on is not None, light["passed"]) == ("comms_repair", True, True)
    await story.stage.close()


async def test_S0_14_without_an_approved_review_the_gate_stays_closed(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    assert (await gate(story))["dod3"]["missing"] == ["nothing was handed over"]
    await story.says(facts.approved)
    evidence = [{"evidence_id": "00000000-0000-0000-0000-00000000000e", "kind": "photo_meter_after", "sha256": "ab"}]
    light = (await gate(story))["dod3"]
    assert (light["passed"], light["digest"] is not None, len(light["event_ids"])) == (True, True, 1)
    late = await story.asks("anna", "add_evidence", evidence=evidence)
    assert late.json()["code"] == "move-not-allowed", "what was approved is not changed behind the reviewer's back"


async def test_S0_15_a_refused_handover_keeps_the_gate_closed_until_two_persons_own_it(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    await story.says(facts.rejected)
    await story.moves("mia", "take_over")
    order = await story.order()
    closed = await gate(story)
    assert (closed["passed"], (await story.case()).phase) == (False, Phase.EXCEPTION)
    exception_id = await raised(story, "foreign_meter", work_order_id=str(order.work_order_id))
    await story.moves("mia", "data_corrected", reason="not ours")
    done = await gate(story, "done")
    assert (done["passed"], done["dod4"]["exception"]["exception_id"]) == (True, exception_id)
    assert (done["dod4"]["exception"]["owner"], done["dod4"]["exception"]["due_on"]) == ("mdm", "2026-03-20")


async def test_S0_15_the_done_page_is_the_gate_and_keeps_what_proved_it(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    before = await gate(story)
    assert (before["passed"], before["failing"], before["waiting"]) == (False, ["DoD4: WAITING (work order 1)"], [])
    await story.says(facts.accepted)
    after, (told,) = await gate(story), await story.told(cases.CaseCompleted)
    assert (after["passed"], after["failing"], after == await gate(story, "done")) == (True, [], True)
    proofs = {item.item: tuple(str(each) for each in item.event_ids) for item in told.evidence}
    assert {light["item"]: tuple(light["event_ids"]) for light in after["lights"]} == proofs
    assert all(light["passed"] for light in after["lights"])


async def test_S0_17_nobody_closes_before_the_gate_whatever_the_entrance(tmp_path: Path) -> None:
    """Every role, every route, move and action, with the version that is on the screen: nothing completes."""
    world = await World.open(tmp_path)
    tried = 0
    for ask in asks(world.stage.service):
        for role in Role:
            body = dict(ask.body) if ask.body is not None else None
            if body is not None and "expected_version" in body:
                body["expected_version"] = await present(world, "version" if "move" in body else "edition")
            await world.asked(type(ask)(ask.method, ask.path, ask.needs, body), world.token(role), "own")
            tried += 1
    completed = [fact for fact in await world.stage.told() if isinstance(fact, cases.CaseCompleted)]
    rows = await world.stage.rows("cases")
    assert (completed, [row.phase for row in rows if row.phase is Phase.COMPLETED], tried > 700) == ([], [], True)
    states = {row.state for row in await world.stage.rows("work_orders")}
    assert State.CLOSED not in states
    await world.close()


async def present(world: World, name: str) -> int:
    """The version of the own case, or of its work order, as it is now."""
    ids = world.ids["own"]
    path = f"/v1/work-orders/{ids['work_order_id']}" if name == "version" else f"/v1/cases/{ids['case_id']}"
    headers = {"Authorization": f"Bearer {world.token(Role.DISPATCHER)}"}
    return int((await world.client.get(path, headers=headers)).json()[name])


@pytest.mark.parametrize("missing", ["type", "reason", "owner", "due_on"])
async def test_S0_18_an_exception_has_type_reason_owner_and_day(story: Story, missing: str) -> None:
    asked = {"type": "qa_waiver", "reason": "lens broken", "owner": "mdm", "due_on": "2026-03-20"}
    del asked[missing]
    answer = await story.acts("anna", "raise_exception", **asked)
    assert (answer.status_code, answer.json()["code"], answer.json()["fields"]) == (
        422,
        "exception-incomplete",
        [missing],
    )


async def test_S0_18_it_counts_when_a_second_person_agreed_and_is_listed_until_it_ends(story: Story) -> None:
    asked = {"type": "qa_waiver", "reason": "lens broken", "owner": "mdm", "due_on": "2026-03-20"}
    exception_id = (await story.acts("quirin", "raise_exception", **asked)).json()["exceptions"][0]["exception_id"]
    alone = await story.acts("quirin", "approve_exception", exception_id=exception_id)
    assert (alone.status_code, alone.json()["code"]) == (403, "four-eyes")
    async with story.person("anna") as anna:
        listed = (await anna.get("/v1/cases", params={"exception_type": "qa_waiver"})).json()["items"]
        await story.acts("quirin", "resolve_exception", exception_id=exception_id, result="withdrawn")
        after = (await anna.get("/v1/cases", params={"exception_type": "qa_waiver"})).json()["items"]
    assert (len(listed), after) == (1, [])


async def test_S0_31_nobody_adds_a_state(story: Story) -> None:
    assert (set(LABELS), len(State)) == (set(State), 12)
    async with story.person("anna") as anna:
        order = await story.order()
        refused = [
            await anna.get("/v1/work-orders", params={"state": "PARKED"}),
            await anna.patch(
                f"/v1/cases/{(await story.case()).case_id}", json={"expected_version": 1, "state": "PARKED"}
            ),
            await anna.post(
                f"/v1/work-orders/{order.work_order_id}/moves", json={"move": "park", "expected_version": 1}
            ),
        ]
    assert [each.status_code for each in refused] == [422, 422, 409]
    assert refused[2].json()["code"] == "move-not-allowed"


async def test_S2_05_two_systems_order_the_same_in_parallel_and_it_is_one_case(tmp_path: Path) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    first, second = an_order(), an_order(order_key="erp-b:9", order_no="9", partner="erp-b")
    await asyncio.gather(stage.hears(first), stage.hears(second))
    rows, references = await stage.rows("cases"), await stage.rows("case_orders")
    assert (len(rows), {row.order_key for row in references}) == (1, {"erp-a:4711", "erp-b:9"})
    await stage.close()


async def test_S3_01_an_effect_that_fails_takes_its_move_back(story: Story) -> None:
    """Asking for an offer without an appointment fails behind the guards' back: nothing of the step remains."""
    await story.moves("anna", "start_planning", responsible=str(TECHNICIAN))

    def without_appointment(unit: Unit) -> None:
        order = unit.get(Case, story.order_key).current
        order.start, order.estimate, order.appointment_id = unit.now + timedelta(days=7), 45, None

    await story.stage.run(without_appointment, needs=[(Case, story.order_key)])
    before = await story.order()
    answer = await story.asks("anna", "send_booking")
    after = await story.order()
    assert (answer.status_code, answer.json()["code"]) == (409, "not-planned")
    assert (after.version, after.offer, after.pending, after.state) == (before.version, 0, None, State.PLANNING)
    assert await story.told(cases.BookingRequested) == []


async def put(stage: Stage, column: Column) -> Case:
    """A case whose work order stands in this column."""
    case = a_case(column)

    def command(unit: Unit) -> None:
        unit.add(case)
        conclude(case, unit, act_of(unit, Settings().policy()))

    await stage.run(command)
    await stage.told_since()
    return case


@pytest.mark.parametrize("column", Column)
async def test_S3_12_exactly_the_legal_moves_are_shown_and_only_those_pass(tmp_path: Path, column: Column) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    order = (await put(stage, column)).work_orders[0]
    path = f"/v1/work-orders/{order.work_order_id}/moves"
    legal = {move for move, cells in MOVES.items() if cells[column] and cells[column] != ("conf",)}
    async with stage.http("dispatcher") as anna:
        shown = (await anna.get(path)).json()["moves"]
        refused = set()
        for move in MOVES:
            answer = await anna.post(path, json={"move": move, "expected_version": 999})
            refused |= {move} if answer.json()["code"] == "move-not-allowed" else set()
    reports = {"resolve"} if "resolve" not in legal else set()  # refused for want of a report, which would be kept
    assert (set(shown), refused) == (legal, set(MOVES) - legal - reports)
    await stage.close()


async def test_S3_40_what_is_ready_is_in_the_mobile_list_and_what_is_not_any_more_is_gone(story: Story) -> None:
    async def seen() -> int:
        async with story.person("tom") as tom:
            return len((await tom.get("/v1/work-orders")).json()["items"])

    await story.is_planned()
    assert await seen() == 0
    await story.is_offered()
    await story.says(facts.confirmed)
    assert await seen() == 1
    await story.moves("anna", "assign", responsible="00000000-0000-0000-0000-000000000077")
    assert await seen() == 0, "reassigned"
    await story.moves("anna", "assign", responsible=str(TECHNICIAN))
    assert await seen() == 1
    await story.hears(cancelled())
    assert await seen() == 0, "cancelled"


AFTER = {"T28": "CLOSED", "T29": "MANUAL_FOLLOW_UP", "T30": "MANUAL_FOLLOW_UP"}


@pytest.mark.parametrize("column", [each for each in Column if EVENTS["OrderCancelled"][each] != ("upd",)])
async def test_S3_47_a_withdrawal_in_every_state_writes_down_where_the_work_stood(
    tmp_path: Path, column: Column
) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    order = (await put(stage, column)).work_orders[0]
    (move,) = EVENTS["OrderCancelled"][column]
    await stage.hears(cancelled())
    told = await stage.told_since()
    (moved,) = [fact for fact in told if isinstance(fact, cases.WorkOrderMoved)]
    assert (moved.move, moved.to_state, moved.from_state) == (move, AFTER[move], order.state)
    answers = [fact.decision for fact in told if isinstance(fact, cases.HandoverRequested)]
    released = [fact for fact in told if isinstance(fact, cases.MaterialReleased)]
    if move == "T28":
        assert (moved.close_reason, answers, len(released)) == ("CANCELLED", ["confirmed"], 1)
    else:
        (line,) = [row for row in await stage.rows("remarks") if row.code == "cancelled_by_partner"]
        wanted = {"state": order.state, "outcome": order.outcome, "result": order.result}
        assert line.params == {name: str(value) for name, value in wanted.items() if value is not None}
        assert (moved.cancellation, answers, released) == ("undecided", [], [])
        assert [fact.type for fact in told if isinstance(fact, cases.ExceptionRaised)] == ["cancelled_in_work"]
        row = next(row for row in await stage.rows("work_orders") if row.work_order_id == order.work_order_id)
        assert row.dispatched is False
    await stage.close()


@pytest.mark.parametrize(
    ("column", "decision"), [(Column.CLOSED_WELL, "too_late"), (Column.CLOSED_OTHERWISE, "confirmed")]
)
async def test_S3_47_what_is_closed_is_not_moved_and_the_partner_learns_why(
    tmp_path: Path, column: Column, decision: str
) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    await put(stage, column)
    await stage.hears(cancelled())
    told = await stage.told_since()
    assert [fact for fact in told if isinstance(fact, cases.WorkOrderMoved)] == []
    assert [fact.decision for fact in told if isinstance(fact, cases.HandoverRequested)] == [decision]
    visible = [fact.type for fact in told if isinstance(fact, cases.ExceptionRaised)]
    assert visible == (["cancelled_after_done"] if decision == "too_late" else [])
    await stage.close()


async def test_S3_48_who_knows_of_the_visit_is_told_before_it_is_closed_and_the_decision_is_written_down(
    story: Story,
) -> None:
    await story.is_booked()
    await story.hears(cancelled())
    close = {"resolution": "cancelled"}
    codes = [
        (await story.asks("anna", "close_case", **close)).json()["code"],
        (await story.asks("anna", "close_case", **close, reason="agreed")).json()["code"],
        (await story.asks("anna", "close_case", **close, reason="agreed", customer_informed=True)).json()["code"],
    ]
    assert codes == ["reason-missing", "customer-not-informed", "technician-not-informed"]
    await story.moves("anna", "close_case", **close, reason="agreed", customer_informed=True, technician_informed=True)
    async with story.person("anna") as anna:
        lines = (await anna.get(f"/v1/cases/{(await story.case()).case_id}/history")).json()["lines"]
    assert [line["text"] for line in lines if line["kind"] == "words"] == ["agreed"]
    assert (await story.order()).close_reason == "CANCELLED"


async def test_S4_07_what_goes_wrong_has_a_queue_a_day_and_is_counted(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.says(facts.approved)
    await story.says(facts.failed)
    (fact,) = [each for each in await story.told(cases.ExceptionRaised) if each.type == "handover_failed"]
    counted = await story.stage.store.read(lambda db: store.counts(db, Scope("all"))["exceptions"])
    assert counted == {("handover_failed", "RAISED"): 1}
    assert (fact.owner_, fact.due_on > story.stage.clock.now().date()) == ("mdm", True)
    async with story.person("mia") as mia:
        items = (await mia.get("/v1/cases", params={"exception_type": "handover_failed"})).json()["items"]
        case = (await mia.get(f"/v1/cases/{items[0]['case_id']}")).json()
    assert [(each["owner"], each["state"]) for each in case["exceptions"]] == [("mdm", "RAISED")]
    await story.stage.passes(timedelta(days=(fact.due_on - story.stage.clock.now().date()).days + 2))
    assert [row.hotlist for row in await story.stage.rows("remarks") if row.code == "exception_overdue"][:1] == [True]


async def test_B17_a_wrong_installation_is_taken_back_and_the_case_ends_cancelled(story: Story) -> None:
    """The case's part; the ledger and the market's messages net to zero in asset_service and mdm_adapter."""
    await story.is_booked()
    await story.is_visited()
    await story.hears(cancelled())
    await story.moves("anna", "order_field_visit", decision="reverse", reason="installed by mistake")
    await story.moves("anna", "plan_again")
    assert (await story.order()).kind == "reversal"
    await story.is_booked()
    await story.is_visited(a_report(installed=(a_device("OLD1"),), removed=(an_old_device("NEW1"),)))
    await story.says(facts.approved)
    case = await story.case()
    assert (case.phase, [each.serial for each in case.on_site]) == (Phase.CANCELLED, [])
    assert [(fact.fact, fact.decision) for fact in await story.told(cases.HandoverRequested)] == [
        ("cancelled", "confirmed")
    ]


STAFF = (Role.DISPATCHER, Role.DISPATCHER, Role.DISPATCHER, Role.TECHNICIAN, Role.MDM, Role.QA)


@pytest.mark.parametrize("seed", range(3))
async def test_B3_whatever_is_asked_in_whatever_order_every_step_is_a_row_of_the_table(
    tmp_path: Path, seed: int
) -> None:
    """A short walk over every route, move and action with facts in between; the long one is test_walk.py."""
    world, chance = await World.open(tmp_path), random.Random(seed)
    requests = [ask for ask in asks(world.stage.service) if ask.method != "GET" and ask.names_object]
    key = world.ids["own"]["case_id"]
    for step in range(150):
        case: Case = await world.stage.run(lambda unit: unit.get(Case, key), needs=[(Case, key)])
        legal = [ask for ask in requests if (ask.body or {}).get("move") in possible_moves(case.current.column)]
        ask, role = chance.choice(legal if legal and step % 3 else requests), chance.choice(STAFF)
        body = dict(ask.body) if ask.body is not None else None
        if body is not None and "expected_version" in body:
            body["expected_version"] = case.current.version if "move" in body else case.edition
        await world.asked(type(ask)(ask.method, ask.path, ask.needs, body), world.token(role), "own")
        if step % 2:
            told = [each for group in facts.facts(case, case.current).values() for each in group]
            await world.stage.hears(chance.choice(told))
    case = await world.stage.run(lambda unit: unit.get(Case, key), needs=[(Case, key)])
    moved = [fact for fact in await world.stage.told() if isinstance(fact, cases.WorkOrderMoved)]
    wrong = [
        (fact.move, fact.from_state, fact.to_state)
        for fact in moved
        if not any(
            allowed(fact.move, before, fact.to_state, fact.close_reason) for before in COLUMNS_OF[fact.from_state]
        )
    ]
    last = {fact.work_order_id: fact.to_state for fact in moved}
    assert (wrong, bool(moved)) == ([], True)
    assert {order.work_order_id: order.state for order in case.work_orders if order.work_order_id in last} == {
        order.work_order_id: last[order.work_order_id] for order in case.work_orders if order.work_order_id in last
    }
    assert (case.phase is Phase.COMPLETED) == (case.gate_evidence is not None)
    await world.close()
