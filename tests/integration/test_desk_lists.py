"""The desk of messages asks the same of both databases, and is answered the same."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from hub.archive_proof import prove_archive
from services.mdm_adapter.app import build
from services.mdm_adapter.measuring import Gauges
from services.mdm_adapter.settings import Settings
from tests.services.mdm_adapter.erp import Erp
from tests.services.mdm_adapter.scenes import CASE, Scene, order, requested, visited

WHY = {"reason": "agreed with the partner"}
QUERIES = {
    "": 5,
    f"case={CASE}": 4,
    "order=WO-1": 4,
    "q=WO-1": 4,
    "q=M-1": 2,
    "direction=out": 2,
    "direction=in&state=QUARANTINED": 1,
    "partner=erp-a&from=2026-03-01T00:00:00Z&to=2027-01-01T00:00:00Z": 4,
}


@pytest.fixture(params=["sqlite", "postgresql"])
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    url = request.getfixturevalue("new_database")() if request.param == "postgresql" else None
    urls = {"erp-a": "http://erp-a.example/in"}
    opened = await Scene.open(build, tmp_path, settings=Settings, database_url=url, partner_urls=urls)
    opened.erp = Erp()
    opened.service.ports["partner_rest"].client = httpx.AsyncClient(transport=httpx.MockTransport(opened.erp.answer))
    yield opened
    await opened.close()


async def test_lists_chain_quarantine_and_agreements(scene: Scene) -> None:
    await scene.given_a_case(visited(), requested())
    await scene.comes(order("WO-9", message_id="M-9"), "erp-unknown")
    async with scene.http("mdm") as client, scene.http("admin", name="ada") as admin:

        async def got(path: str) -> Any:
            answer = await client.get(f"/v1/{path}")
            assert answer.status_code == 200, answer.text
            return answer.json()

        found = {query: len((await got(f"messages?{query}"))["items"]) for query in QUERIES}
        (waiting,) = await got("quarantine?state=OPEN&cause=UNKNOWN_PARTNER")
        chain = await got(f"messages/{(await got('messages?q=M-1'))['items'][0]['id']}/answers")
        (handover,) = await got(f"handovers?fact=exchange_completed&case={CASE}&state=TRANSFERRED")
        profile = {**(await got("partners/erp-a"))["profile"], "name": "ERP One"}
        put = await admin.put("/v1/partners/erp-a", json={**WHY, "profile": profile})
        rows = [{"partner_code": "1", "hub_reason": "BUSY"}]
        mapped = await client.put("/v1/partners/erp-a/codes", json={**WHY, "rows": rows})
        seen = (await got("partners/erp-a"))["versions"], await got("partners/erp-a/codes/unmapped")
        discarded = await client.post(f"/v1/quarantine/{waiting['id']}/discard", json=WHY)
    assert found == QUERIES
    assert sorted(step["what"] for step in chain["steps"]) == ["answer", "document", "order", "receipt"]
    assert (handover["outlook"], put.json()["state"], mapped.json()["number"]) == ("Transferred", "in_force", 1)
    assert ([each["number"] for each in seen[0]], seen[1], discarded.json()) == ([1], [], {"state": "OPEN"})
    await Gauges(scene.store)()
    assert REGISTRY.get_sample_value("rollout_mdm_quarantine_open", {"cause": "UNKNOWN_PARTNER"}) == 1
    proof = await prove_archive(scene.store.db, scene.service.settings)
    assert (proof.messages, proof.broken) == (5, [])
