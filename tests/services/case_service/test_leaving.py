"""What leaves the case when it is done: the line for the invoice, and then its customer (S2-20, S4-10, B16)."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from contracts import cases
from contracts.contacts import ContactRecorded
from contracts.orders import MasterDataReceived
from kit.auth import Scope
from kit.http import served, web
from kit.proof import prove
from tests.services.case_service.story import Story, cancelled
from tests.unit.case_service import facts
from tests.unit.case_service.builders import COMPANY, TECHNICIAN, an_order

NUMBER, CANARIES = "15112345678", ("A. Kunde", "+4915112345678", "Am Markt", "the dog bites")
RUN = {"from": "2026-03-01", "to": "2026-03-31"}


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    begun = await Story.begin(tmp_path)
    yield begun
    await begun.stage.close()


async def completed(story: Story) -> None:
    """J01 from end to end."""
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    await story.says(facts.accepted)
    assert (await story.case()).phase == "COMPLETED"


async def export(story: Story, person: str = "mia", **given: Any) -> Any:
    async with story.person(person) as client:
        return await client.post("/v1/exports/completed", json=RUN | given)


async def test_S2_20_a_completed_case_is_one_line_and_none_the_second_time(story: Story) -> None:
    await completed(story)
    first, second = (await export(story)).json(), (await export(story)).json()
    case = await story.case()
    (line,) = first["lines"]
    assert (line["case_id"], line["orders"], line["kind"], line["completed_on"]) == (
        *(str(case.case_id), ["erp-a:4711"], "exchange", "2026-03-02"),
    )
    assert (second["lines"], second["more"]) == ([], False)


async def test_S2_20_a_case_that_was_reopened_and_completed_again_is_told_again(story: Story) -> None:
    await completed(story)
    await export(story)
    await story.says(facts.rejected)
    await story.moves("mia", "take_over")
    await story.moves("mia", "data_corrected", reason="number was wrong")
    await story.says(facts.accepted)
    (line,) = (await export(story)).json()["lines"]
    assert line["completion"] == 2


async def test_S2_20_only_the_days_that_are_asked_for(story: Story) -> None:
    await completed(story)
    assert (await export(story, **{"from": "2026-03-03"})).json()["lines"] == []
    assert (await export(story, **{"from": "2026-03-03", "to": "2026-03-01"})).status_code == 422
    assert (await export(story, "tom")).status_code == 403


async def test_S2_20_only_the_house_s_own_run_takes_a_line_away(story: Story) -> None:
    await completed(story)
    company = {"role": "company_admin", "name": "carl", "scope": Scope("company", str(COMPANY))}
    partner = {"role": "system", "name": "key", "scope": Scope("partner", "erp-a")}
    foreign = {"role": "system", "name": "key", "scope": Scope("partner", "erp-b")}

    async def run_by(role: str, **who: Any) -> list[Any]:
        async with story.stage.http(role, **who) as client:
            return list((await client.post("/v1/exports/completed", json=RUN)).json()["lines"])

    assert [len(await run_by(**who)) for who in (company, company, partner, foreign)] == [1, 1, 1, 0]
    assert [len((await export(story)).json()["lines"]) for _ in range(2)] == [1, 0]
    assert [len(await run_by(**who)) for who in (company, partner)] == [1, 1], "what was invoiced is still theirs"


async def test_S2_20_a_warehouse_exports_its_stock_and_no_completed_cases(story: Story) -> None:
    """The matrix grants export:run to a warehouse for the stock only, which is not here."""
    await completed(story)
    async with story.stage.http("warehouse", name="walter") as walter:
        refused = await walter.post("/v1/exports/completed", json=RUN)
    assert (refused.status_code, refused.json()["code"]) == (403, "role-missing")
    assert len((await export(story)).json()["lines"]) == 1


async def test_S4_10_the_line_triggers_an_invoice_and_names_no_amount(story: Story) -> None:
    await completed(story)
    (line,) = (await export(story)).json()["lines"]
    assert set(line) == {"case_id", "completion", "operator", "kind", "orders", "completed_on"}


def company_technician(story: Story) -> httpx.AsyncClient:
    """Somebody of the company, who is also the technician of the visit."""
    client = story.stage.http("company_technician", name="carla")
    scope = Scope("technician", str(TECHNICIAN))
    now = story.stage.clock.now()
    token = story.stage.signer.person("person:local:carla", ["company_technician"], scope, now, company=str(COMPANY))
    client.headers["Authorization"] = f"Bearer {token}"
    return client


async def test_B16_no_answer_to_a_company_has_the_full_number_before_or_after_the_end(story: Story) -> None:
    await completed(story)
    case = await story.case()
    ids = {"case_id": str(case.case_id), "work_order_id": str(case.work_orders[0].work_order_id)}
    routes = [
        route for route in served(web(story.stage.service)) if route.method == "GET" and route.path.startswith("/v1")
    ]
    asked = [route.path.format(**ids) for route in routes if set(_names(route.path)) <= set(ids)]
    async with (
        company_technician(story) as carla,
        story.stage.http("company_admin", name="carl", scope=Scope("company", str(COMPANY))) as carl,
    ):
        answers = [await who.get(path) for who in (carla, carl) for path in asked]
    assert len(asked) > 10
    assert {200, 403} <= {answer.status_code for answer in answers}
    assert [answer.url.path for answer in answers if NUMBER in answer.text] == []
    shown = [answer.json()["phone"] for answer in answers if answer.url.path.endswith("/contact") and answer.is_success]
    assert shown == ["+49 ••• ••• •78"]


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


async def test_B16_own_technicians_see_the_number_on_the_day_and_a_day_after_the_report(story: Story) -> None:
    path = f"/v1/cases/{(await story.case()).case_id}/contact"

    async def asked() -> int:
        async with story.person("tom") as tom:
            return (await tom.get(path)).status_code

    await story.is_booked()
    seen = [await asked()]
    await story.stage.passes(timedelta(days=7))
    seen.append(await asked())
    await story.is_visited()
    await story.stage.passes(timedelta(hours=23))
    seen.append(await asked())
    await story.stage.passes(timedelta(hours=2))
    seen.append(await asked())
    assert seen == [404, 200, 200, 404]
    reads = [row for row in await story.stage.rows("audit") if row.action == "contact:read"]
    assert [row.actor for row in reads] == ["person:local:tom"] * 2


async def tombstones(story: Story) -> int:
    rows = await story.stage.rows("outbox")
    return sum(row.value is None and row.topic == ContactRecorded.topic for row in rows)


async def test_B16_ninety_days_after_the_end_the_customer_is_forgotten(story: Story) -> None:
    await completed(story)
    await story.stage.passes(timedelta(days=89))
    assert ((await story.case()).contact is not None, await tombstones(story)) == (True, 0)
    await story.stage.passes(timedelta(days=2))
    case = await story.case()
    assert (case.contact, case.building, case.address.street, case.purged) == (None, None, "", "contact")
    (purged,) = await story.told(cases.CasePurged)
    assert (purged.scope, purged.reason, await tombstones(story)) == ("contact", "retention", 1)
    (row,) = await story.stage.rows("cases")
    assert not [text for text in CANARIES if text in json.dumps(list(row), default=str)]


async def test_B16_a_cancelled_case_forgets_as_well(story: Story) -> None:
    await story.hears(cancelled())
    await story.stage.passes(timedelta(days=91))
    assert [fact.scope for fact in await story.told(cases.CasePurged)] == ["contact"]


async def test_B16_a_reopened_case_keeps_its_customer(story: Story) -> None:
    await completed(story)
    await story.says(facts.rejected)
    await story.stage.passes(timedelta(days=100))
    assert ((await story.case()).contact is not None, await story.told(cases.CasePurged)) == (True, [])


async def test_B16_a_late_word_of_the_partner_does_not_bring_the_customer_back(story: Story) -> None:
    await completed(story)
    await story.stage.passes(timedelta(days=91))
    address = an_order().address.model_dump(mode="json", exclude_none=True)
    news = MasterDataReceived(
        order_key=story.order_key,
        metering_point_id=an_order().metering_point_id,
        origin="market_feedback",
        changed={"address": {"new": address}},
    )
    await story.hears(news)
    assert (await story.case()).address.street == ""


def boss(story: Story, name: str) -> httpx.AsyncClient:
    """Somebody of the management."""
    return story.stage.http("management", name=name)


async def test_B16_an_erasure_needs_two_persons_and_takes_everything_personal(story: Story) -> None:
    await story.moves("anna", "set_flag", flag="IMPORTANT", text="the dog bites")
    await completed(story)
    case = await story.case()
    async with boss(story, "max") as max_, boss(story, "eva") as eva:
        asked = await max_.post("/v1/erasures", json={"case_id": str(case.case_id), "reason": "A. Kunde wrote"})
        path = f"/v1/erasures/{asked.json()['erasure_id']}/approve"
        own = await max_.post(path)
        assert (asked.status_code, own.status_code, own.json()["code"]) == (201, 403, "four-eyes")
        (listed,) = (await eva.get("/v1/erasures", params={"state": "REQUESTED"})).json()["items"]
        assert listed["reason"] == "A. Kunde wrote"
        granted = await eva.post(path)
        assert (granted.status_code, granted.json()["state"]) == (200, "GRANTED"), granted.text
        assert (await eva.post(path)).status_code == 409
    (purged,) = await story.told(cases.CasePurged)
    assert (purged.scope, purged.reason, str(purged.request_id)) == ("all", "erasure", asked.json()["erasure_id"])
    rows: list[Any] = []
    for table in ("cases", "reasons", "visits", "answers", "erasures"):
        rows += await story.stage.rows(table)
    assert not [text for text in CANARIES if text in json.dumps([list(row) for row in rows], default=str)]
    (visit,) = await story.stage.rows("visits")
    assert [device.serial for device in visit.report.installed] == ["NEW1"]  # what the law wants kept is kept
    assert (await prove(story.stage.store.db, "case_service")).breaks == []


async def test_B16_nobody_is_forgotten_while_the_work_needs_them(story: Story) -> None:
    case = await story.case()
    async with boss(story, "max") as max_, boss(story, "eva") as eva:
        asked = await max_.post("/v1/erasures", json={"case_id": str(case.case_id), "reason": "wrote"})
        early = await eva.post(f"/v1/erasures/{asked.json()['erasure_id']}/approve")
        assert (early.status_code, early.json()["code"]) == (409, "move-not-allowed")
        assert (await eva.post(f"/v1/erasures/{UUID(int=1)}/approve")).status_code == 404
    async with story.person("anna") as anna:
        assert (await anna.post("/v1/erasures", json={"case_id": str(case.case_id), "reason": "x"})).status_code == 403


async def test_B16_what_is_kept_of_a_person_leaves_by_two_persons_and_once(story: Story) -> None:
    case = await story.case()
    path, export_of = f"/v1/persons/{case.case_id}/export", f"/v1/person-exports/{case.case_id}/approve"
    body = {"case_id": str(case.case_id), "reason": "A. Kunde wrote"}
    async with boss(story, "max") as max_, boss(story, "eva") as eva:
        alone = await max_.get(path)
        assert (alone.status_code, alone.json()["code"]) == (403, "four-eyes")
        assert (await eva.post(export_of)).status_code == 404
        assert (await max_.post("/v1/person-exports", json=body)).status_code == 201
        assert (await max_.post("/v1/person-exports", json=body)).status_code == 409
        (listed,) = (await eva.get("/v1/person-exports", params={"state": "REQUESTED"})).json()["items"]
        assert (listed["requested_by"], listed["reason"]) == ("person:local:max", "A. Kunde wrote")
        own, early = await max_.post(export_of), await max_.get(path)
        assert [(each.status_code, each.json()["code"]) for each in (own, early)] == [(403, "four-eyes")] * 2
        assert (await eva.post(export_of)).json()["approved_by"] == "person:local:eva"
        assert (await eva.post(export_of)).status_code == 409
        assert [(await max_.get(path)).status_code for _ in range(2)] == [200, 403]
        assert (await eva.post("/v1/person-exports", json=body)).status_code == 201
    (row,) = await story.stage.rows("person_exports")
    assert (row.state, row.requested_by, row.approved_by) == ("REQUESTED", "person:local:eva", None)
    rows = [(row.action, row.actor) for row in await story.stage.rows("audit") if "person:export" in row.action]
    assert rows.count(("person:export", "person:local:max")) == 2, "asked for, and taken"
    assert rows.count(("person:export", "person:local:eva")) == 2, "approved, and asked for again"
    assert ("refused:person:export", "person:local:max") in rows


async def test_B16_who_is_forgotten_leaves_no_words_in_a_wish_to_know(story: Story) -> None:
    await completed(story)
    case = await story.case()
    body = {"case_id": str(case.case_id), "reason": "A. Kunde wrote"}
    async with boss(story, "max") as max_, boss(story, "eva") as eva:
        await max_.post("/v1/person-exports", json=body)
        asked = await max_.post("/v1/erasures", json=body)
        assert (await eva.post(f"/v1/erasures/{asked.json()['erasure_id']}/approve")).status_code == 200
    (row,) = await story.stage.rows("person_exports")
    assert "Kunde" not in row.reason


async def test_B16_a_person_gets_what_is_kept_of_them_and_the_reading_is_audited(story: Story) -> None:
    await story.hears(an_order(order_key="erp-a:2", order_no="2", kind="repair"))
    await completed(story)
    case = await story.case()
    async with boss(story, "max") as max_, boss(story, "eva") as eva:
        await eva.post("/v1/person-exports", json={"case_id": str(case.case_id), "reason": "asked for it"})
        await max_.post(f"/v1/person-exports/{case.case_id}/approve")
        before = len(await story.stage.rows("audit"))
        found = (await max_.get(f"/v1/persons/{case.case_id}/export")).json()["cases"]
    assert [each["contact"]["name"] for each in found] == ["A. Kunde", "A. Kunde"]
    mine = next(each for each in found if each["case_id"] == str(case.case_id))
    assert [each["installed"][0]["serial"] for each in mine["reports"]] == ["NEW1"]
    reads = [row for row in await story.stage.rows("audit") if row.action == "person:export" and "TAKEN" in row.details]
    assert [row.actor for row in reads] == ["person:local:max"] * 2
    assert len(await story.stage.rows("audit")) == before + 2
    async with story.person("anna") as anna:
        assert (await anna.get(f"/v1/persons/{case.case_id}/export")).status_code == 403
