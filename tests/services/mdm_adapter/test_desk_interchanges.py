"""The desk and the market: what it lacks is brought, what it says is laid out and corrected, its chain is followed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.mdm_adapter.app import build
from services.mdm_adapter.settings import Settings
from simulators import facts
from tests.services.mdm_adapter.erp import Erp
from tests.services.mdm_adapter.exchanges import ERP, PROFILE, US, Exchange, said
from tests.services.mdm_adapter.market import ADDRESSES, PARTIES
from tests.services.mdm_adapter.scenes import requested, visited

WHY = {"reason": "asked the grid operator"}


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    """An adapter whose partners of the market speak EDIFACT; nothing says which voltage the points have."""
    folder = tmp_path / "partners"
    folder.mkdir()
    (folder / "erp-a.yaml").write_text(ERP.replace("  voltage: E06\n", ""))
    for role, partner in PARTIES.items():
        code = facts.MARKET_CODES[role]
        (folder / f"{partner}.yaml").write_text(PROFILE.format(partner=partner, role=role.upper(), code=code))
    opened = await Exchange.open(
        build, tmp_path, settings=Settings, partners_dir=folder, partner_urls=ADDRESSES, market_id=US
    )
    opened.erp = Erp()
    opened.open_addresses()
    yield opened
    await opened.close()


async def row_to(exchange: Exchange, partner: str) -> Any:
    rows = [row for row in await exchange.rows("handover_rows") if row.recipient == partner]
    return next(row for row in rows if row.document == "device_exchange_completed")


async def resend(exchange: Exchange, id_: str, edit: dict[str, Any]) -> Any:
    async with exchange.http("mdm") as client:
        answer = await client.post(f"/v1/messages/{id_}/resend", json={**WHY, "edit": edit})
    await exchange.works()
    return answer


async def given_a_missing_fact(exchange: Exchange) -> str:
    await exchange.given_the_market("nb")
    await exchange.hears_and_works(visited(), requested())
    row = await row_to(exchange, "nb-nord")
    assert row.held == "FACT_MISSING: master_data.voltage"
    return str(row.row_id)


async def test_a_fact_that_no_document_carries_is_brought_under_the_name_that_asks_for_it(exchange: Exchange) -> None:
    row_id = await given_a_missing_fact(exchange)
    answer = await resend(exchange, row_id, {"master_data.voltage": "E06"})
    (edit,) = await exchange.rows("edits")
    assert (answer.status_code, exchange.kinds("nb"), "E06" in said(exchange.last("nb"), "CAV")) == (
        200,
        ["55643"],
        True,
    )
    assert (edit.original_id, edit.changed["master_data.voltage"].after, edit.by) == (None, "E06", "person:local:anna")


async def test_what_the_market_cannot_take_is_refused_with_its_place(exchange: Exchange) -> None:
    row_id = await given_a_missing_fact(exchange)
    answer = await resend(exchange, row_id, {"master_data.voltage": "E06", "installed.0.serial": "1" * 40})
    problem = answer.json()
    assert (answer.status_code, problem["code"], exchange.sent["nb-nord"]) == (422, "edit-refused", [])
    assert "m1.s" in problem["errors"][0]["position"]


async def test_a_refused_interchange_is_resent_as_corrected_under_new_numbers(exchange: Exchange) -> None:
    await resend(exchange, await given_a_missing_fact(exchange), {"master_data.voltage": "E06"})
    first = exchange.last("nb")
    await exchange.receives("nb", first, "Z35")
    await exchange.minutes_pass(2)
    row = await row_to(exchange, "nb-nord")
    answer = await resend(exchange, str(row.row_id), {"installed.0.serial": "1EMH0012345679"})
    second = exchange.last("nb")
    assert (answer.status_code, b"1EMH0012345679" in second, b"1EMH0012345679" in first) == (200, True, False)
    assert said(first, "UNB", 5) != said(second, "UNB", 5)


async def test_the_market_s_answers_stand_in_the_chain_and_are_found_by_case(exchange: Exchange) -> None:
    await resend(exchange, await given_a_missing_fact(exchange), {"master_data.voltage": "E06"})
    await exchange.receives("nb", exchange.last("nb"))
    row = await row_to(exchange, "nb-nord")
    async with exchange.http("mdm") as client:
        found = (await client.get(f"/v1/messages?case={row.case_id}&partner=nb-nord")).json()["items"]
        chain = (await client.get(f"/v1/messages/{row.message_id}/answers")).json()
    steps = [(step["what"], step["partner"]) for step in chain["steps"] if step["partner"] == "nb-nord"]
    assert sorted(steps) == [("answer", "nb-nord"), ("document", "nb-nord"), ("document", "nb-nord")]
    assert sorted(each["direction"] for each in found) == ["in", "out", "out"]


async def test_an_interchange_is_laid_out_segment_by_segment(exchange: Exchange) -> None:
    await resend(exchange, await given_a_missing_fact(exchange), {"master_data.voltage": "E06"})
    row = await row_to(exchange, "nb-nord")
    async with exchange.http("mdm") as client:
        laid = (await client.get(f"/v1/messages/{row.message_id}/decoded")).json()
    places = [line["at"] for line in laid["lines"]]
    assert (laid["dialect"], laid["message"], laid["pid"], laid["verdict"]) == (
        "edifact_fv",
        "UTILMD",
        "55643",
        "aperak_312",
    )
    assert (places[:3], places[-1]) == (["UNA", "UNB", "m1.s1"], "UNZ")


async def test_a_characteristic_of_a_type_counts_in_the_next_document(exchange: Exchange) -> None:
    own = {"code": "mme_3ph", "valid_from": "2026-01-01", "values": {"mounting": "HUT"}}
    async with exchange.http("mdm") as client:
        answer = await client.put("/v1/device-types", json={**WHY, "rows": [own]})
    await resend(exchange, await given_a_missing_fact(exchange), {"master_data.voltage": "E06"})
    assert (answer.status_code, "HUT" in said(exchange.last("nb"), "CAV")) == (200, True)
