"""What cannot be understood lies visibly in quarantine, until a person has dealt with it."""

from typing import Any

import httpx
import pytest

from contracts.handovers import MessageQuarantined
from contracts.orders import OrderReceived
from services.mdm_adapter import processing
from tests.services.mdm_adapter.erp import fault, reply, text
from tests.services.mdm_adapter.scenes import Scene, order, requested, visited

WHY = {"reason": "the profile is there now"}
PROFILE = """
id: erp-new
name: New ERP
role: ERP
dialects: [{dialect: cim_xml}]
transports: {in: [{kind: file_drop}], out: [{kind: file_drop}]}
defaults: {operator: nord, country: DE}
"""


async def causes(scene: Scene) -> list[tuple[str, str]]:
    return [(row.cause, row.state) for row in await scene.rows("quarantine")]


async def test_J60_an_unknown_partner_is_quarantined_until_a_profile_exists_and_somebody_retries(scene: Scene) -> None:
    await scene.comes(order(), "erp-new")
    (fact,) = await scene.told_since()
    assert isinstance(fact, MessageQuarantined)
    assert (fact.partner, fact.cause) == ("erp-new", "UNKNOWN_PARTNER")
    folder = scene.service.settings.data_dir / "partners"
    folder.mkdir()
    (folder / "erp-new.yaml").write_text(PROFILE)
    assert await scene.told_since() == []
    async with scene.http("mdm") as client:
        (entry,) = (await client.get("/v1/quarantine?state=OPEN")).json()
        answer = await client.post(f"/v1/quarantine/{entry['id']}/retry", json=WHY)
    await scene.works()
    assert (answer.json(), await scene.names()) == ({"state": "RETRIED"}, ["OrderReceived"])


async def test_retried_too_early_it_is_quarantined_again(scene: Scene) -> None:
    await scene.comes(order(), "erp-new")
    (entry,) = await scene.rows("quarantine")
    async with scene.http("mdm") as client:
        await client.post(f"/v1/quarantine/{entry.id}/retry", json=WHY)
        second = await client.post(f"/v1/quarantine/{entry.id}/retry", json=WHY)
    await scene.works()
    assert (second.status_code, await causes(scene)) == (
        409,
        [("UNKNOWN_PARTNER", "RETRIED"), ("UNKNOWN_PARTNER", "OPEN")],
    )


async def test_a_declared_sender_that_is_somebody_else_is_quarantined_and_answered(scene: Scene) -> None:
    await scene.comes(order(source="ERP-CSV"))
    assert await causes(scene) == [("SENDER_MISMATCH", "OPEN")]
    assert scene.erp.replies() == [("FAILED", ["2.14"])]


@pytest.mark.parametrize(
    "message",
    [
        reply("unknown"),
        reply("").replace(b"<m:CorrelationID></m:CorrelationID>", b""),
        fault("5.1"),
        reply("x").replace(b"<m:Result>OK</m:Result>", b"<m:Result>MAYBE</m:Result>"),
    ],
    ids=["unknown id", "no id", "fault alone", "not valid"],
)
async def test_X12_an_answer_to_nothing_is_quarantined_and_never_answered(scene: Scene, message: bytes) -> None:
    await scene.comes(message)
    assert await causes(scene) == [("UNCORRELATED", "OPEN")]
    assert scene.erp.got == []


async def test_X12_another_partners_answer_finds_nothing(scene: Scene) -> None:
    scene.erp.script = lambda _: httpx.Response(202)
    await scene.given_a_case(visited(), requested())
    (message,) = scene.erp.reports()
    await scene.comes(reply(text(message, "Header/MessageID")).replace(b"ERP-A", b"ERP-CSV"), "erp-csv")
    assert await causes(scene) == [("UNCORRELATED", "OPEN")]
    assert (await scene.rows("handover_rows"))[0].state == "SENT"


async def test_a_fault_in_the_body_of_the_answer_belongs_to_what_was_posted(scene: Scene) -> None:
    scene.erp.script = lambda _: httpx.Response(422, content=fault("2.13"))
    await scene.given_a_case(visited(), requested())
    assert (await scene.names())[-1] == "HandoverRejected"


async def test_SEC_IN_02_a_document_type_is_refused_with_1_8_and_kept(scene: Scene) -> None:
    content = order().replace(b"<m:RequestMessage", b"<!DOCTYPE m><m:RequestMessage", 1)
    await scene.comes(content)
    (message,) = await scene.rows("inbound_messages")
    assert (message.state, message.findings[0].rule, scene.erp.replies()) == (
        "REFUSED",
        "DTD",
        [("FAILED", ["1.8"])],
    )
    assert (await scene.rows("archive"))[0].content == content


async def test_discarding_takes_two_persons_and_leaves_the_archive(scene: Scene) -> None:
    await scene.comes(order(), "erp-new")
    (entry,) = await scene.rows("quarantine")
    why = {"reason": "it was sent by mistake"}
    async with scene.http("mdm", name="anna") as anna, scene.http("mdm", name="bo") as bo:
        asked = await anna.post(f"/v1/quarantine/{entry.id}/discard", json=why)
        same = await anna.post(f"/v1/quarantine/{entry.id}/discard", json=why)
        second = await bo.post(f"/v1/quarantine/{entry.id}/discard", json=why)
        late = await bo.post(f"/v1/quarantine/{entry.id}/retry", json=why)
    assert [asked.json(), second.json()] == [{"state": "OPEN"}, {"state": "DISCARDED"}]
    assert ((same.status_code, same.json()["code"]), late.status_code) == ((403, "four-eyes"), 409)
    assert len(await scene.rows("archive")) == 1


async def test_E25_what_we_fail_to_work_on_three_times_is_put_aside_and_stops_no_other(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = processing.decode

    def breaks(data: bytes, *known: Any) -> Any:
        if b"M-9" in data:
            raise RuntimeError("a defect of ours")
        return read(data, *known)

    monkeypatch.setattr(processing, "decode", breaks)
    await scene.comes(order("WO-9", message_id="M-9"))
    await scene.comes(order("WO-1", message_id="M-1"))
    assert [fact.order_key for fact in await scene.told() if isinstance(fact, OrderReceived)] == ["erp-a:WO-1"]
    await scene.comes(order("WO-9", message_id="M-9"))
    entry, of_copy = await scene.rows("quarantine")
    assert (entry.cause, entry.detail.startswith("RuntimeError at breaks:")) == ("POISON", True)
    assert (of_copy.cause, of_copy.detail.startswith(f"a copy of {entry.message_id}")) == ("POISON", True)
    assert await scene.rows("parked_keys") == []

    monkeypatch.setattr(processing, "decode", read)  # the next release
    async with scene.http("mdm") as client:
        for each in (entry, of_copy):
            await client.post(f"/v1/quarantine/{each.id}/retry", json={"reason": "the defect is mended"})
            await scene.works()
    told = [fact.order_key for fact in await scene.told() if isinstance(fact, OrderReceived)]
    assert told == ["erp-a:WO-1", "erp-a:WO-9"]
    states = {(str(row.id), row.state) for row in await scene.rows("inbound_messages")}
    assert {state for _, state in states} == {"PROCESSED"}
