"""What comes when nobody waits for it: late reports, due calibrations, houses without coverage (J50, J56, B10)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from contracts import assets, cases
from contracts.codes import CommsCause
from contracts.parts import Address
from contracts.visits import VisitReported
from kit.bus import Abandon
from kit.processing import Processor
from kit.testing import Stage
from services.case_service.app import build
from services.case_service.domain.case import Case
from services.case_service.settings import Settings
from tests.services.case_service.story import Story, bookable, cancelled, installed, removed, wire
from tests.unit.case_service import facts
from tests.unit.case_service.builders import COMPANY, TECHNICIAN, a_device, a_gateway, a_plan, a_report, an_order

INFORMED = {"customer_informed": True, "technician_informed": True}


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    begun = await Story.begin(tmp_path)
    yield begun
    await begun.stage.close()


async def reported_late(story: Story, **given: Any) -> Any:
    """The order was cancelled and decided while the technician was out; the kept report."""
    await story.is_booked()
    await story.hears(cancelled())
    await story.moves("anna", "close_case", resolution="cancelled", reason="agreed", **INFORMED)
    answer = await story.asks("tom", "resolve", report=wire(a_report(**given)))
    assert answer.json()["code"] == "move-not-allowed"
    async with story.person("anna") as anna:
        (kept,) = (await anna.get("/v1/visit-conflicts")).json()["items"]
    return kept


async def opens(story: Story, kept: Any, person: str = "anna") -> Any:
    async with story.person(person) as client:
        path = f"/v1/visit-conflicts/{kept['conflict_id']}/open-case"
        return await client.post(path, json={"reason": "the meter hangs there"})


async def test_J50_a_late_report_opens_a_case_in_which_its_devices_are_booked(story: Story) -> None:
    kept = await reported_late(story)
    assert [fact.type for fact in await story.told(cases.ExceptionRaised)][-1] == "cancelled_after_done"
    answer = await opens(story, kept)
    assert answer.status_code == 201, answer.text
    new = answer.json()
    (before,) = [row for row in await story.stage.rows("cases") if str(row.case_id) != new["case_id"]]
    assert (new["links"], before.phase) == ([{"case_id": str(before.case_id), "kind": "replaces"}], "CANCELLED")
    (visit,) = await story.told(VisitReported)
    assert (str(visit.case_id), visit.on_behalf, visit.technician_id, visit.company_id) == (
        *(new["case_id"], True, TECHNICIAN, COMPANY),
    )
    assert [device.serial for device in visit.installed] == ["NEW1"]
    moves = [fact.move for fact in await story.told(cases.WorkOrderMoved) if str(fact.case_id) == new["case_id"]]
    assert (moves, new["work_orders"][0]["state"], new["phase"]) == (["T01", "T32", "T19"], "RESOLVED", "IN_QA")
    (decided,) = await story.stage.rows("visit_conflicts")
    assert (decided.state, str(decided.opened_case_id)) == ("case_opened", new["case_id"])
    again = await opens(story, kept)
    assert (again.status_code, len(await story.stage.rows("cases"))) == (409, 2)


async def test_J50_the_case_that_took_the_report_is_completed_like_any_other(story: Story) -> None:
    new = (await opens(story, await reported_late(story))).json()
    key = new["case_id"]

    async def hears(line: Any) -> None:
        case = await story.stage.run(lambda unit: unit.get(Case, key), needs=[(Case, key)])
        await story.hears(line(case, case.work_orders[0]))

    report = a_report()
    await hears(lambda case, order: installed(case, order, report.installed[0]))
    await hears(lambda case, order: removed(case, order, report.removed[0]))
    await hears(facts.approved)
    await hears(facts.accepted)
    assert [str(fact.case_id) for fact in await story.told(cases.CaseCompleted)] == [key]


async def test_J50_what_nobody_built_or_what_is_not_closed_opens_nothing(story: Story) -> None:
    kept = await reported_late(story, result="NOT_AT_HOME", installed=(), removed=(), sub_reason="no_access")
    answer = await opens(story, kept)
    assert (answer.status_code, answer.json()["code"]) == (409, "move-not-allowed")
    assert (await opens(story, kept, "mia")).status_code == 403
    assert len(await story.stage.rows("cases")) == 1


async def test_J50_a_report_of_an_order_that_is_open_is_accepted_there(story: Story) -> None:
    await story.is_booked()
    await story.says(lambda case, order: facts.moved(case, order, agreed=False))
    await story.moves("anna", "plan_again")
    await story.asks("tom", "resolve", report=wire(a_report()))
    async with story.person("anna") as anna:
        (kept,) = (await anna.get("/v1/visit-conflicts")).json()["items"]
    answer = await opens(story, kept)
    assert (answer.json()["code"], kept["state"]) == ("move-not-allowed", "open")


def fell_due(device: int = 7, **given: Any) -> assets.CalibrationFellDue:
    made = {
        "device_id": UUID(int=device),
        "serial": "OLD1",
        "manufacturer": "EMH",
        "device_type": "ferraris",
        "due_on": date(2026, 12, 31),
        "class": "mid",
        "metering_point_id": an_order().metering_point_id,
        "operator": "nord",
    }
    return assets.CalibrationFellDue(**(made | given))


async def test_J56_with_an_open_case_a_due_calibration_is_a_note(story: Story) -> None:
    await story.hears(fell_due())
    await story.hears(fell_due())
    notes = [row for row in await story.stage.rows("remarks") if row.code == "calibration_due"]
    assert (len(notes), len(await story.stage.rows("cases"))) == (1, 1)
    await story.hears(fell_due(due_on=date(2027, 12, 31)))
    assert len([row for row in await story.stage.rows("remarks") if row.code == "calibration_due"]) == 2


async def test_J56_a_case_of_another_kind_takes_the_note_too(tmp_path: Path) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    await stage.hears(an_order(kind="repair"))
    await stage.hears(fell_due())
    assert (len(await stage.rows("cases")), [row.code for row in await stage.rows("remarks")]) == (
        1,
        ["calibration_due"],
    )
    await stage.close()


async def test_J56_without_an_open_case_a_new_one_exchanges_the_device_at_the_known_address(story: Story) -> None:
    await story.hears(cancelled())
    await story.hears(fell_due())
    await story.hears(fell_due())
    before, after = await story.stage.rows("cases")
    assert (after.case_type, after.origin, after.legal_basis, after.due_on) == (
        *("exchange", "statutory", "mandatory", date(2026, 12, 31)),
    )
    assert (after.address, after.contact) == (before.address, before.contact)
    assert [(link.case_id, link.kind) for link in after.links] == [(before.case_id, "replaces")]
    assert [each.serial for each in after.device_plan.remove] == ["OLD1"]


async def test_J56_at_a_point_that_no_case_ever_saw_somebody_must_find_the_address(tmp_path: Path) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    await stage.hears(fell_due())
    (case,) = await stage.rows("cases")
    assert (case.phase, [row.code for row in await stage.rows("remarks") if row.hotlist]) == (
        "BACKLOG",
        ["address_unknown"],
    )
    await stage.close()


HOUSE = [
    Address(street="Am Markt", number="1", postcode="00101", city="Musterstadt", country="DE"),
    Address(street="am markt ", number=" 1", postcode="00101", city="Musterstadt-Mitte", country="DE"),
    Address(street="Am Markt", number="1", addition="hinten", postcode="00101", city="Musterstadt", country="DE"),
    Address(street="Am Markt", number="2", postcode="00101", city="Musterstadt", country="DE"),
]


async def a_house(stage: Stage) -> list[Story]:
    """Three flats of one building, differently spelt, and the house next door."""
    stories = []
    for number, address in enumerate(HOUSE):
        order = an_order(
            order_key=f"erp-a:{number}",
            order_no=str(number),
            metering_point_id=f"P{number}",
            address=address,
            device_plan=a_plan(gateway=True),
        )
        await stage.hears(order)
        story = Story(stage, order.order_key)
        await story.hears(bookable(await story.case()))
        stories.append(story)
    return stories


async def is_built_in(story: Story, gateway: str) -> None:
    """The gateway of this flat was put in, and is not heard yet."""
    await story.is_booked()
    report = a_report("COMMS_PENDING", installed=(a_device(f"M-{gateway}"), a_gateway(gateway)))
    await story.is_visited(report, sequence=1)


def silence(case: Case, gateway: str, cause: str = "no_coverage") -> assets.CommissioningPending:
    """It finds no network."""
    found = facts.pending(case, case.by_sequence[0], gateway)
    return found.model_copy(update={"cause": CommsCause(cause)})


async def is_silent(story: Story, gateway: str, cause: str = "no_coverage") -> None:
    await is_built_in(story, gateway)
    await story.says(lambda case, _: silence(case, gateway, cause))


async def flagged(stage: Stage) -> list[str]:
    return [row.metering_point_id for row in await stage.rows("cases") if "ANTENNA_OR_LAN" in row.flags]


async def test_B10_the_second_gateway_without_coverage_warns_every_open_order_of_the_building(tmp_path: Path) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    first, second, third, _ = await a_house(stage)
    await is_silent(first, "GW-A")
    assert await flagged(stage) == []
    await is_silent(second, "GW-B")
    assert await flagged(stage) == ["P0", "P1", "P2"]
    amended = [fact for fact in await stage.told() if isinstance(fact, cases.CaseAmended)]
    assert {(fact.changed, fact.flags) for fact in amended} == {(("flags",), ("ANTENNA_OR_LAN",))}
    rules = [row for row in await stage.rows("audit") if row.action == "automation:A13"]
    assert {row.subject for row in rules} == {f"case/{(await each.case()).case_id}" for each in (first, second, third)}
    assert len(amended) == len(rules) == 3
    await stage.close()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_S0_30_A13_warns_a_building_once_for_copies_and_two_workers(
    tmp_path: Path, request: pytest.FixtureRequest, database: str
) -> None:
    url = request.getfixturevalue("new_database")() if database == "postgresql" else None
    stage = await Stage.open(build, tmp_path, settings=Settings, database_url=url)
    first, second, *_ = await a_house(stage)
    await is_silent(first, "GW-A")
    await is_built_in(second, "GW-B")
    record = stage.record(silence(await second.case(), "GW-B"))
    workers = (stage.processor, Processor(stage.service.name, stage.store, stage.service.handlers))
    await asyncio.gather(*(each.deliver([record] * 2, Abandon()) for each in workers))
    await stage.hears(silence(await second.case(), "GW-B"))  # once more, under another id
    assert await flagged(stage) == ["P0", "P1", "P2"]
    assert len([row for row in await stage.rows("audit") if row.action == "automation:A13"]) == 3
    assert len([fact for fact in await stage.told() if isinstance(fact, cases.CaseAmended)]) == 3
    assert await stage.parked() == []
    await stage.close()


async def test_B10_another_cause_is_no_matter_of_antennas(tmp_path: Path) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    first, second, *_ = await a_house(stage)
    await is_silent(first, "GW-A")
    await is_silent(second, "GW-B", "provisioning")
    assert await flagged(stage) == []
    await stage.close()
