"""The door over HTTP: who may hand in, what is stored before anything is understood, and what can be asked."""

from hashlib import sha256
from types import SimpleNamespace

import pytest

from kit.auth import Scope
from services.mdm_adapter.archive import broken_links
from services.mdm_adapter.store import chain
from tests.services.mdm_adapter.scenes import Scene, order, requested, visited

XML = {"Content-Type": "application/xml"}


async def test_P1_the_bytes_are_stored_before_anybody_looks_into_them(scene: Scene) -> None:
    async with scene.partner() as client:
        answer = await client.post("/v1/in/erp-a", content=b"<not xml", headers=XML)
    (stored,) = await scene.rows("archive")
    (message,) = await scene.rows("inbound_messages")
    assert (answer.status_code, stored.content, message.state) == (202, b"<not xml", "STORED")
    assert answer.json()["sha256"] == stored.sha256 == sha256(b"<not xml").hexdigest()


async def test_the_receipt_leads_to_what_became_of_the_message(scene: Scene) -> None:
    async with scene.partner() as client:
        answer = await client.post("/v1/in/erp-a", content=order(), headers=XML)
        before = await client.get(answer.json()["status_url"])
        await scene.works()
        after = await client.get(answer.json()["status_url"])
    assert (before.json()["state"], after.json()["state"]) == ("STORED", "PROCESSED")
    assert after.json()["records"] == [{"order_no": "WO-1", "result": "accepted", "row": None, "findings": []}]
    assert after.json()["answers"][0]["answer"]["items"][0]["state"] == "accepted"


async def test_the_same_bytes_again_get_the_same_202(scene: Scene) -> None:
    async with scene.partner() as client:
        answers = [await client.post("/v1/in/erp-a", content=order(), headers=XML) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert (len(await scene.rows("archive")), len(await scene.rows("inbound_messages"))) == (1, 3)


async def test_an_idempotency_key_with_other_bytes_is_refused(scene: Scene) -> None:
    async with scene.partner() as client:
        headers = XML | {"Idempotency-Key": "k-1"}
        first = await client.post("/v1/in/erp-a", content=order(), headers=headers)
        same = await client.post("/v1/in/erp-a", content=order(), headers=headers)
        other = await client.post("/v1/in/erp-a", content=order("WO-2"), headers=headers)
    assert (first.status_code, same.status_code, same.content) == (202, 202, first.content)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-conflict")


async def test_another_partners_door_is_not_there(scene: Scene) -> None:
    async with scene.partner("erp-csv") as client:
        post = await client.post("/v1/in/erp-a", content=order(), headers=XML)
        receipt = await scene.comes(order())
        ask = await client.get(f"/v1/in/erp-a/{receipt}")
        own_door = await client.get(f"/v1/in/erp-csv/{receipt}")
    assert [each.status_code for each in (post, ask, own_door)] == [404, 404, 404]


@pytest.mark.parametrize("receipt", ["in-1", "out-1", "in-0197f000-0000-7000-8000-ffffffffffff", "%00"])
async def test_a_receipt_that_is_none_is_not_found(scene: Scene, receipt: str) -> None:
    async with scene.partner() as client:
        answer = await client.get(f"/v1/in/erp-a/{receipt}")
    assert answer.status_code == 404


async def test_people_do_not_hand_in(scene: Scene) -> None:
    async with scene.http("mdm") as client:
        answer = await client.post("/v1/in/erp-a", content=order(), headers=XML)
    assert answer.status_code == 403


async def test_a_body_that_no_dialect_reads_is_not_taken(scene: Scene) -> None:
    async with scene.partner() as client:
        answer = await client.post("/v1/in/erp-a", content=b"{}", headers={"Content-Type": "application/json"})
    assert (answer.status_code, await scene.rows("archive")) == (415, [])


async def test_a_message_that_is_too_large_is_not_taken(scene: Scene) -> None:
    async with scene.partner() as client:
        answer = await client.post("/v1/in/erp-a", content=b"<" * 10_000_001, headers=XML)
    assert (answer.status_code, await scene.rows("archive")) == (413, [])


async def test_the_chain_of_the_archive_shows_the_byte_that_was_changed(scene: Scene) -> None:
    for number in range(5):
        await scene.comes(order(f"WO-{number}", message_id=f"M-{number}"))
    everything = Scope.everything("the check looks at all")
    entries = await scene.store.read(lambda db: chain(db, everything))
    assert broken_links(entries) == (10, [])
    damaged = [SimpleNamespace(**entry._mapping) for entry in entries]
    damaged[3].content = b"x" + damaged[3].content[1:]
    assert broken_links(damaged) == (10, [str(entries[3].id)])


async def test_messages_are_listed_newest_first_and_page_by_page(scene: Scene) -> None:
    for number in range(3):
        await scene.comes(order(f"WO-{number}", message_id=f"M-{number}"))
    async with scene.http("mdm") as client:
        first = (await client.get("/v1/messages?limit=4")).json()
        second = (await client.get("/v1/messages", params={"limit": 4, "after": first["after"]})).json()
        ins = (await client.get("/v1/messages?direction=in&partner=erp-a&state=PROCESSED")).json()
    ids = [item["id"] for item in first["items"] + second["items"]]
    assert (len(ids), len(set(ids)), second["after"]) == (6, 6, None)
    assert len(ins["items"]) == 3


async def test_a_partner_lists_its_own_messages_only(scene: Scene) -> None:
    await scene.comes(order())
    async with scene.partner("erp-csv") as client:
        listed = (await client.get("/v1/messages")).json()
        partners = (await client.get("/v1/partners")).json()
    assert (listed["items"], [partner["id"] for partner in partners]) == ([], ["erp-csv"])


async def test_raw_bytes_come_as_a_file_and_reading_them_is_recorded(scene: Scene) -> None:
    await scene.comes(order())
    (message,) = await scene.rows("inbound_messages")
    async with scene.http("mdm") as client:
        answer = await client.get(f"/v1/messages/{message.id}/raw")
        detail = (await client.get(f"/v1/messages/{message.id}")).json()
    actions = [row.action for row in await scene.rows("audit")]
    assert (answer.content, answer.headers["content-disposition"][:10]) == (order(), "attachment")
    assert ("message:read" in actions, detail["answers"][0]["document"]) == (True, "answer")


async def test_handovers_are_listed_with_their_outlook(scene: Scene) -> None:
    await scene.given_a_case(visited(), requested())
    async with scene.http("dispatcher") as client:
        (handover,) = (await client.get("/v1/handovers")).json()
        none = (await client.get("/v1/handovers?state=ERROR_TECH")).json()
    assert (handover["outlook"], handover["rows"][0]["state"], none) == ("Transferred", "TRANSFERRED", [])


async def test_a_settled_document_is_not_resent(scene: Scene) -> None:
    await scene.given_a_case(visited(), requested())
    (row,) = await scene.rows("handover_rows")
    async with scene.http("mdm") as client:
        answer = await client.post(f"/v1/messages/{row.row_id}/resend", json={"reason": "just to be sure about it"})
        without = await client.post(f"/v1/messages/{row.row_id}/resend", json={"reason": "no"})
        unknown = await client.post(f"/v1/messages/{row.case_id}/resend", json={"reason": "just to be sure about it"})
    assert [each.status_code for each in (answer, without, unknown)] == [409, 422, 404]
    assert without.json()["code"] == "reason-missing"
