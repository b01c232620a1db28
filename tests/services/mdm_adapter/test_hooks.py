"""Signed calls, both ways: what proves one, what a repeat gets, when we call again, and whom we never call."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from kit.outward import Outward
from kit.webhooks import Call, Standard, sign
from services.mdm_adapter.transports.webhook import WAITS
from tests.services.mdm_adapter.agreements import CALL_REF, HOOK_REF, OTHER_SECRET, SECRET, URL, agreed, kept_secret
from tests.services.mdm_adapter.scenes import Scene, order

HOOK = f"secrets: {{webhook_in: [{HOOK_REF}], webhook_out: [{CALL_REF}]}}"
BOTH = {"ways_in": "{kind: webhook}", "way_out": f"{{kind: webhook, url: '{URL}'}}", "more": HOOK}


class Far:
    """The partner at the other end of the internet: answers by script, keeps what it was called with."""

    def __init__(self, scene: Scene, *statuses: int, address: str = "198.41.0.4") -> None:
        self.calls, self.statuses, self.addresses = list[httpx.Request](), list(statuses), [address]
        port: Any = scene.service.ports["partner_webhook"]
        port.transport = Outward(inner=httpx.MockTransport(self.answer), resolve=self.resolve)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.calls.append(request)
        return httpx.Response(self.statuses.pop(0) if self.statuses else 204, stream=httpx.ByteStream(b""))

    async def resolve(self, host: str, port: int) -> list[str]:
        assert (host, port) == ("erp-n.example", 443)
        return self.addresses


def call_of(scene: Scene, content: bytes, name: str = "msg-1", secret: str = SECRET, age: int = 0) -> dict[str, Any]:
    at = int(scene.clock.now().timestamp()) - age
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(at),
        "webhook-signature": sign(secret, name, at, content),
    }
    return {"content": content, "headers": headers | {"Content-Type": "application/xml"}}


@pytest.fixture
def partner(scene: Scene) -> Scene:
    """A scene with a partner that signs."""
    agreed(scene, **BOTH)
    kept_secret(scene, HOOK_REF)
    kept_secret(scene, CALL_REF)
    return scene


def an_order(number: str = "WO-1") -> bytes:
    return order(number, source="ERP-N", message_id=f"M-{number}")


async def posts(scene: Scene, *calls: dict[str, Any]) -> list[httpx.Response]:
    async with scene.http("system", name="nobody") as client:
        del client.headers["Authorization"]
        return [await client.post("/v1/hooks/erp-n", **call) for call in calls]


@pytest.mark.rule("SEC-HOOK-01")
async def test_a_signed_call_is_stored_before_it_is_read(partner: Scene) -> None:
    (answer,) = await posts(partner, call_of(partner, an_order()))
    (message,) = await partner.rows("inbound_messages")
    assert (answer.status_code, message.state, message.transport) == (202, "STORED", "webhook")
    await partner.works()
    assert await partner.names() == ["OrderReceived"]


@pytest.mark.rule("SEC-HOOK-02")
async def test_a_repeated_id_gets_the_first_answer_and_has_no_effect(partner: Scene) -> None:
    answers = await posts(partner, *[call_of(partner, an_order())] * 3)
    await partner.works()
    assert ({each.status_code for each in answers}, len({each.content for each in answers})) == ({202}, 1)
    assert (len(await partner.rows("inbound_messages")), await partner.names()) == (1, ["OrderReceived"])


async def test_an_id_that_comes_with_other_bytes_is_a_conflict(partner: Scene) -> None:
    _, other = await posts(partner, call_of(partner, an_order()), call_of(partner, an_order("WO-2")))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-conflict")


@pytest.mark.rule("SEC-HOOK-02")
async def test_what_is_not_proved_is_neither_stored_nor_explained(partner: Scene) -> None:
    content = an_order()
    changed = call_of(partner, content) | {"content": content + b" "}
    unsigned = {"content": content, "headers": {}}
    bad = [changed, unsigned, call_of(partner, content, age=301), call_of(partner, content, secret=OTHER_SECRET)]
    answers = await posts(partner, *bad)
    assert [each.status_code for each in answers] == [401] * 4
    assert (len({each.json()["detail"] for each in answers}), await partner.rows("archive")) == (1, [])


@pytest.mark.rule("SEC-HOOK-02")
async def test_a_second_secret_counts_while_the_first_is_exchanged(partner: Scene) -> None:
    agreed(partner, **BOTH | {"more": f"secrets: {{webhook_in: [{HOOK_REF}, {CALL_REF}], webhook_out: [{CALL_REF}]}}"})
    kept_secret(partner, CALL_REF, OTHER_SECRET)
    answers = await posts(
        partner, call_of(partner, an_order()), call_of(partner, an_order("WO-2"), "msg-2", OTHER_SECRET)
    )
    assert [each.status_code for each in answers] == [202, 202]


async def test_a_partner_without_this_way_is_not_told_apart_from_a_wrong_signature(scene: Scene) -> None:
    agreed(scene)
    (answer,) = await posts(scene, call_of(scene, an_order()))
    assert answer.status_code == 401


async def test_a_secret_that_others_can_read_is_none(partner: Scene) -> None:
    kept_secret(partner, HOOK_REF).chmod(0o644)
    (answer,) = await posts(partner, call_of(partner, an_order()))
    assert (answer.status_code, "partner/erp-n" in answer.text) == (503, False)


async def takes_an_order(scene: Scene) -> None:
    await scene.comes(an_order(), "erp-n")


@pytest.mark.rule("SEC-HOOK-03")
async def test_our_calls_are_signed_and_keep_their_id_over_all_tries(partner: Scene) -> None:
    far = Far(partner, 500, 503)
    await takes_an_order(partner)
    for wait in WAITS[:2]:
        await partner.passes(wait * 1.3)
        await partner.delivers()
    names = {request.headers["webhook-id"] for request in far.calls}
    (message,) = await partner.rows("outbound_messages")
    assert (len(far.calls), names, message.state) == (3, {str(message.id)}, "SENT")
    last = far.calls[-1]
    proved = Standard([SECRET]).check(Call(last.content, last.headers), partner.clock.now())
    assert (proved, last.url.host, last.headers["host"]) == (str(message.id), "198.41.0.4", "erp-n.example")
    assert last.extensions["sni_hostname"] == "erp-n.example"


async def test_after_the_last_try_it_has_failed(partner: Scene) -> None:
    far = Far(partner, *[500] * 20)
    await takes_an_order(partner)
    for wait in WAITS:
        await partner.passes(wait * 1.3)
        await partner.delivers()
    (message,) = await partner.rows("outbound_messages")
    assert (len(far.calls), message.state, message.cause) == (10, "FAILED", "retries_exhausted")


async def test_an_address_that_is_gone_is_not_called_again_until_a_person_says_so(partner: Scene) -> None:
    far = Far(partner, 410)
    await takes_an_order(partner)
    await partner.comes(an_order("WO-2"), "erp-n")
    causes = [row.cause for row in await partner.rows("outbound_messages")]
    assert (len(far.calls), causes) == (1, ["gone", "disabled"])
    async with partner.http("admin") as client:
        answers = [await client.post("/v1/partners/erp-n/endpoint/enable") for _ in range(2)]
    await partner.comes(an_order("WO-3"), "erp-n")
    assert ([each.status_code for each in answers], len(far.calls)) == ([204, 404], 2)


@pytest.mark.rule("SEC-OUT-02")
@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "64:ff9b::a00:1"])
async def test_a_host_that_leads_inwards_is_not_called(partner: Scene, address: str) -> None:
    far = Far(partner, address=address)
    far.addresses = ["198.41.0.4", address]
    await takes_an_order(partner)
    (message,) = await partner.rows("outbound_messages")
    assert (far.calls, message.state, message.cause) == ([], "FAILED", "ssrf")


@pytest.mark.rule("SEC-OUT-02")
async def test_a_redirect_is_a_failure_that_is_not_followed(partner: Scene) -> None:
    far = Far(partner, 302)
    await takes_an_order(partner)
    await partner.passes(timedelta(seconds=1))
    (effect,) = [row for row in await partner.rows("effects") if row.kind == "partner_webhook"]
    assert (len(far.calls), effect.state, effect.cause) == (1, "ready", "http_302")


async def test_a_status_resource_is_named_in_the_answer(partner: Scene) -> None:
    (answer,) = await posts(partner, call_of(partner, an_order()))
    receipt = json.loads(answer.content)
    assert receipt["status_url"].endswith(f"/v1/in/erp-n/{receipt['receipt']}")
