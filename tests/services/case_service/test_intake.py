"""Work that comes from installers and signed quotes, and one case for two systems (S2-05, S2-07, S2-08, S2-19)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts import cases
from kit.auth import Scope
from kit.bus import Abandon
from kit.testing import Stage
from services.case_service.app import build
from services.case_service.settings import Settings
from tests.unit.case_service.builders import an_order

INSTALLER = "installer:elektro-mayer"
ORDER = an_order()
PLACE: Mapping[str, Any] = {
    "operator": "nord",
    "metering_point_id": "DE000123001010000000000000009999Z",
    "metering_point_scheme": "melo",
    "area": {"postcode": "00101", "municipality": "05111000"},
    "address": ORDER.address.model_dump(mode="json", exclude_none=True),
    "contact": {"name": "A. Kunde", "phone": "+4915112345678", "language": "de", "sms_allowed": True},
}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = await Stage.open(build, tmp_path, settings=Settings)
    yield made
    await made.close()


def installer(stage: Stage, name: str = INSTALLER) -> httpx.AsyncClient:
    """An installer behind its link."""
    client = stage.http("installer")
    token = stage.signer.person(name, ["installer"], Scope("appointment", "notice-1"), stage.clock.now())
    client.headers["Authorization"] = f"Bearer {token}"
    return client


async def registered(stage: Stage, **given: Any) -> None:
    async with stage.http("admin", name="ada") as ada:
        entry = {"name": "Elektro Mayer", "email": "post@mayer.example"} | given
        assert (await ada.put(f"/v1/installers/{INSTALLER}", json=entry)).status_code == 200


async def told(stage: Stage, kind: type[Any]) -> list[Any]:
    return [fact for fact in await stage.told() if isinstance(fact, kind)]


async def test_S2_07_a_registered_installer_opens_a_new_connection_once(stage: Stage) -> None:
    await registered(stage)
    async with installer(stage) as mayer:
        answers = [
            await mayer.post("/v1/installer/pre-notifications", json={"notice_id": "M-1"} | PLACE) for _ in range(2)
        ]
    assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
    (opened,) = await told(stage, cases.CaseOpened)
    assert {answer.json()["case_id"] for answer in answers} == {str(opened.case_id)}
    assert (opened.case_type, opened.origin, opened.installer_linked, opened.orders) == (
        *("new_connection", "installer", True, ()),
    )
    (order,) = await told(stage, cases.WorkOrderOpened)
    assert (order.kind, answers[0].json()["phase"]) == ("meter_install", "BACKLOG")


async def test_S2_07_who_is_not_registered_or_not_active_may_announce_nothing(stage: Stage) -> None:
    async with installer(stage) as mayer:
        body = {"notice_id": "M-1"} | PLACE
        answers = [await mayer.post("/v1/installer/pre-notifications", json=body)]
        await registered(stage, active=False)
        answers.append(await mayer.post("/v1/installer/pre-notifications", json=body))
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "role-missing")] * 2
    assert await told(stage, cases.CaseOpened) == []


async def test_S2_07_an_open_case_at_the_point_is_followed_instead_of_opened_again(stage: Stage) -> None:
    await registered(stage)
    await stage.hears(an_order(kind="install", metering_point_id=PLACE["metering_point_id"]))
    async with installer(stage) as mayer:
        answer = await mayer.post("/v1/installer/pre-notifications", json={"notice_id": "M-1"} | PLACE)
    (row,) = await stage.rows("cases")
    assert (answer.json()["case_id"], row.installer) == (str(row.case_id), INSTALLER)
    amended = await told(stage, cases.CaseAmended)
    assert [(fact.changed, fact.installer_linked) for fact in amended] == [(("installer_linked",), True)]


async def test_S2_07_staff_write_for_an_installer_that_they_name(stage: Stage) -> None:
    await registered(stage)
    async with stage.http("dispatcher") as anna:
        unnamed = await anna.post("/v1/installer/pre-notifications", json={"notice_id": "M-1"} | PLACE)
        body = {"notice_id": "M-1", "installer": INSTALLER} | PLACE
        named = await anna.post("/v1/installer/pre-notifications", json=body)
    assert (unnamed.status_code, named.status_code) == (422, 201)


async def test_S2_19_a_completion_notice_opens_the_linked_case_once(stage: Stage) -> None:
    await registered(stage)
    async with installer(stage) as mayer:
        body = {"notice_id": "M-1"} | PLACE
        before = (await mayer.post("/v1/installer/pre-notifications", json=body)).json()["case_id"]
        notice = {"notice_id": "M-1", "case_id": before, "completed_on": "2026-03-01"}
        answers = [await mayer.post("/v1/installer/completion-notices", json=notice) for _ in range(2)]
        foreign = await mayer.post(
            "/v1/installer/completion-notices", json=notice | {"notice_id": "M-2", "case_id": "0" * 8 + before[8:]}
        )
    assert ([answer.status_code for answer in answers], foreign.status_code) == ([201, 201], 404), answers[0].text
    _, opened = await told(stage, cases.CaseOpened)
    assert {answer.json()["case_id"] for answer in answers} == {str(opened.case_id)}
    assert [(str(link.case_id), link.kind) for link in opened.links] == [(before, "belongs_to")]
    assert (opened.installer_linked, opened.case_type) == (True, "new_connection")
    rules = [row for row in await stage.rows("audit") if row.action == "automation:A12"]
    assert [row.subject for row in rules] == [f"case/{opened.case_id}"]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_S0_30_A12_opens_one_case_for_a_notice_that_two_clients_send_at_once(
    tmp_path: Path, request: pytest.FixtureRequest, database: str
) -> None:
    url = request.getfixturevalue("new_database")() if database == "postgresql" else None
    stage = await Stage.open(build, tmp_path, settings=Settings, database_url=url)
    await registered(stage)
    async with installer(stage) as mayer, installer(stage) as colleague:
        before = (await mayer.post("/v1/installer/pre-notifications", json={"notice_id": "M-1"} | PLACE)).json()
        notice = {"notice_id": "M-1", "case_id": before["case_id"], "completed_on": "2026-03-01"}
        clients = (mayer, colleague) * 2
        answers = await asyncio.gather(
            *(each.post("/v1/installer/completion-notices", json=notice) for each in clients)
        )
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    _, opened = await told(stage, cases.CaseOpened)
    assert {answer.json()["case_id"] for answer in answers} == {str(opened.case_id)}
    assert len([row for row in await stage.rows("audit") if row.action == "automation:A12"]) == 1
    await stage.close()


async def test_S2_19_a_notice_about_somebody_else_s_case_finds_none(stage: Stage) -> None:
    await registered(stage)
    await stage.hears(an_order())
    (row,) = await stage.rows("cases")
    notice = {"notice_id": "M-9", "case_id": str(row.case_id), "completed_on": "2026-03-01"}
    async with installer(stage) as mayer:
        assert (await mayer.post("/v1/installer/completion-notices", json=notice)).status_code == 404
    assert len(await stage.rows("cases")) == 1


async def quoted(anna: httpx.AsyncClient) -> str:
    """A quote that the customer has."""
    made = await anna.post("/v1/quotes", json=dict(PLACE) | {"valid_to": "2026-03-31", "installer": INSTALLER})
    assert made.status_code == 201, made.text
    name: str = made.json()["quote_id"]
    return name


async def test_S2_08_a_signed_quote_is_one_case_however_often_it_is_signed(stage: Stage) -> None:
    async with stage.http("dispatcher") as anna:
        name = await quoted(anna)
        early = await anna.post(f"/v1/quotes/{name}/sign")
        assert (early.status_code, early.json()["code"]) == (409, "move-not-allowed")
        assert (await anna.post(f"/v1/quotes/{name}/send")).json()["state"] == "SENT"
        signed = [(await anna.post(f"/v1/quotes/{name}/sign")).json() for _ in range(2)]
    (opened,) = await told(stage, cases.CaseOpened)
    assert [(each["state"], each["case_id"]) for each in signed] == [("SIGNED", str(opened.case_id))] * 2
    assert (opened.origin, opened.case_type, opened.installer_linked) == ("quote", "new_connection", True)
    (row,) = await stage.rows("quotes")
    assert (row.contact, row.address) == (None, None)  # the case has them now, and only the case
    (case,) = await stage.rows("cases")
    assert (case.contact.name, case.address.city) == ("A. Kunde", "Musterstadt")


async def test_S2_08_an_expired_quote_cannot_be_signed(stage: Stage) -> None:
    async with stage.http("dispatcher") as anna:
        name = await quoted(anna)
        await anna.post(f"/v1/quotes/{name}/send")
    await stage.passes(timedelta(days=30))
    async with stage.http("dispatcher") as anna:
        late = await anna.post(f"/v1/quotes/{name}/sign")
        (listed,) = (await anna.get("/v1/quotes")).json()["items"]
    assert (late.status_code, late.json()["code"], listed["state"]) == (409, "quote-expired", "EXPIRED")
    assert await told(stage, cases.CaseOpened) == []


async def test_S2_08_only_the_house_makes_quotes(stage: Stage) -> None:
    async with stage.http("technician", scope=Scope("technician", "7")) as tom, installer(stage) as mayer:
        answers = [await who.post("/v1/quotes", json=dict(PLACE) | {"valid_to": "2026-03-31"}) for who in (tom, mayer)]
    assert [answer.status_code for answer in answers] == [403, 403]


async def signed_by_key(stage: Stage) -> Any:
    """A partner's key makes, sends and signs a quote that names an installer."""
    async with stage.http("system", name="key", scope=Scope("partner", "erp-a")) as key:
        name = await quoted(key)
        await key.post(f"/v1/quotes/{name}/send")
        answers = [await key.post(f"/v1/quotes/{name}/sign") for _ in range(2)]
    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(200, "SIGNED")] * 2
    assert answers[0].json() == answers[1].json()
    return answers[0].json()["case_id"]


async def test_S2_08_a_partner_s_quote_neither_names_nor_changes_a_case_of_others(stage: Stage) -> None:
    await stage.hears(
        an_order(order_key="erp-b:1", partner="erp-b", kind="install", metering_point_id=PLACE["metering_point_id"])
    )
    assert await signed_by_key(stage) is None
    (row,) = await stage.rows("cases")
    assert (row.installer, await told(stage, cases.CaseAmended)) == (None, [])
    assert [(row.code, len(row.params)) for row in await stage.rows("remarks")] == [("quote_signed", 1)]


async def test_S2_08_a_partner_s_quote_joins_its_own_open_case(stage: Stage) -> None:
    await stage.hears(an_order(kind="install", metering_point_id=PLACE["metering_point_id"]))
    named = await signed_by_key(stage)
    (row,) = await stage.rows("cases")
    assert (named, row.installer) == (str(row.case_id), INSTALLER)


async def test_S2_08_a_case_that_a_partner_s_quote_opens_is_the_house_s(stage: Stage) -> None:
    """Its answer is that of a quote at a point with a foreign case, so that it tells nothing of one."""
    assert await signed_by_key(stage) is None
    (opened,) = await told(stage, cases.CaseOpened)
    assert opened.origin == "quote"


async def test_S2_08_a_partner_s_quote_is_not_there_for_another_partner(stage: Stage) -> None:
    first = stage.http("system", name="key-a", scope=Scope("partner", "erp-a"))
    other = stage.http("system", name="key-b", scope=Scope("partner", "erp-b"))
    async with first, other:
        name = await quoted(first)
        answers = [await other.post(f"/v1/quotes/{name}/{act}") for act in ("send", "sign")]
        assert (await other.get("/v1/quotes")).json()["items"] == []
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not-found")] * 2


async def test_S2_07_a_partner_s_key_announces_nothing_for_an_installer(stage: Stage) -> None:
    await registered(stage)
    await stage.hears(
        an_order(order_key="erp-b:1", partner="erp-b", kind="install", metering_point_id=PLACE["metering_point_id"])
    )
    body = {"notice_id": "M-1", "installer": INSTALLER} | PLACE
    async with stage.http("system", name="key", scope=Scope("partner", "erp-a")) as key:
        answer = await key.post("/v1/installer/pre-notifications", json=body)
    (row,) = await stage.rows("cases")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"], row.installer) == (422, "/installer", None)


async def test_S2_05_two_systems_that_order_in_parallel_share_one_case(stage: Stage) -> None:
    orders = [an_order(), an_order(order_key="mdm-b:9", partner="mdm-b", order_no="9")]
    records = [stage.record(order) for order in orders]
    await asyncio.gather(*(stage.processor.deliver([record], Abandon()) for record in records))
    (case,) = await stage.rows("cases")
    references = await stage.rows("case_orders")
    assert {(row.case_id, row.order_key) for row in references} == {
        (case.case_id, "erp-a:4711"),
        (case.case_id, "mdm-b:9"),
    }
    assert (len(await told(stage, cases.CaseOpened)), await stage.parked()) == (1, [])
