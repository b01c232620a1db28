"""Partners that wait for the answer in the same call, and partners that ask too often."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx

from tests.services.mdm_adapter.agreements import agreed
from tests.services.mdm_adapter.erp import text
from tests.services.mdm_adapter.scenes import Scene, order

XML = {"Content-Type": "application/xml"}


def an_order(number: str = "WO-1") -> bytes:
    return order(number, source="ERP-N", message_id=f"M-{number}")


async def handed_in(scene: Scene, *contents: bytes, **more: str) -> list[httpx.Response]:
    """Posts of ERP N at once, with the service at work beside them."""
    async with scene.partner("erp-n") as client:
        posts = [client.post("/v1/in/erp-n", content=content, headers=XML | more) for content in contents]
        answers = asyncio.gather(*posts)
        while not answers.done():
            await scene.works()
            await asyncio.sleep(0)
        return list(await answers)


def waits(scene: Scene, seconds: float = 5) -> None:
    agreed(scene, f"{{kind: rest, wait_seconds: {seconds}}}", "{kind: rest, url: 'http://erp-n.example/in'}")


async def test_who_waits_gets_the_answer_in_the_same_call_and_on_no_other_way(scene: Scene) -> None:
    waits(scene)
    (answer,) = await handed_in(scene, an_order())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")
    assert (text(answer.content, "Reply/Result"), text(answer.content, "Header/CorrelationID")) == ("OK", "M-WO-1")
    (message,) = await scene.rows("outbound_messages")
    assert (message.state, scene.erp.got) == ("SENT", [])


async def test_a_repeated_call_with_its_key_is_answered_alike(scene: Scene) -> None:
    waits(scene)
    key = {"Idempotency-Key": "k-1"}
    (first,), (again,) = [await handed_in(scene, an_order(), **key) for _ in range(2)]
    assert (again.content, again.headers["content-type"]) == (first.content, "application/xml")


async def test_a_second_call_with_the_key_of_one_that_still_waits_is_in_progress(scene: Scene) -> None:
    waits(scene)
    answers = await handed_in(scene, an_order(), an_order(), **{"Idempotency-Key": "k-1"})
    assert sorted(each.status_code for each in answers) == [200, 409]
    assert [each.json()["code"] for each in answers if each.status_code == 409] == ["in-progress"]


async def test_a_copy_without_a_key_is_answered_too(scene: Scene) -> None:
    waits(scene)
    (first,), (copy,) = [await handed_in(scene, an_order()) for _ in range(2)]
    assert (copy.status_code, text(copy.content, "Reply/Result")) == (200, "OK")
    assert first.content != copy.content  # in an envelope of its own
    assert await scene.names() == ["OrderReceived"]


async def test_an_answer_that_is_not_there_in_time_leaves_on_its_own_way(scene: Scene) -> None:
    waits(scene, 0.05)
    async with scene.partner("erp-n") as client:
        answer = await client.post("/v1/in/erp-n", content=an_order(), headers=XML)
    await scene.works()
    assert (answer.status_code, len(scene.erp.got)) == (202, 1)


async def test_more_often_than_agreed_is_refused_with_the_time_to_wait(scene: Scene) -> None:
    agreed(scene, more="limits: {per_minute: 3}")
    async with scene.partner("erp-n") as client:
        answers = [await client.post("/v1/in/erp-n", content=an_order(f"W-{at}"), headers=XML) for at in range(4)]
        scene.clock.set(scene.clock.now() + timedelta(minutes=1))
        later = await client.post("/v1/in/erp-n", content=an_order("W-9"), headers=XML)
    refused: Any = answers[-1].json()
    assert [each.status_code for each in answers] == [202, 202, 202, 429]
    assert (refused["code"], answers[-1].headers["retry-after"], later.status_code) == ("rate-limited", "20", 202)
    assert len(await scene.rows("archive")) == 4


async def test_the_key_of_a_partner_goes_with_our_documents(scene: Scene) -> None:
    seen = list[str]()

    async def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200)

    agreed(
        scene, way_out="{kind: rest, url: 'https://erp-n.example/in'}", more="secrets: {api_key: ref:partner/erp-n/key}"
    )
    path = scene.service.settings.data_dir / "secrets/partner/erp-n/key"
    path.parent.mkdir(parents=True)
    path.write_text("a-secret-of-the-partner\n")
    path.chmod(0o600)
    port: Any = scene.service.ports["partner_rest"]
    port.client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    await scene.comes(an_order(), "erp-n")
    assert seen == ["Bearer a-secret-of-the-partner"]
