"""The simulated vendor: deterministic, counts every ring, and knows each thing that a real one does wrong."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from kit.clock import ManualClock
from kit.webhooks import Call, Refused, Seven
from simulators.sms_gateway.app import asgi
from simulators.sms_gateway.gateway import SmsGateway
from simulators.sms_gateway.script import Callback, Plan, Script, Shares, Try, replies

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
MOBILE, URL = "+4915112345678", "https://hub.example/v1/sms/seven/in"
OFFER = "Bitte antworten: OK P69-6HK-2HN oder KONTAKT P69-6HK-2HN"


class Hub:
    """Takes the vendor's calls and checks their proof."""

    def __init__(self, *statuses: int) -> None:
        self.calls: list[dict[str, object]] = []
        self.proved: list[bool] = []
        self.statuses = list(statuses)
        self.clock = ManualClock(START)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(json.loads(request.content))
        call = Call(request.content, request.headers, "POST", URL)
        try:
            Seven(["sim-signing-key"]).check(call, self.clock.now())
        except Refused:
            self.proved.append(False)
        else:
            self.proved.append(True)
        return httpx.Response(self.statuses.pop(0) if self.statuses else 200)


def a_gateway(hub: Hub, *plans: Plan, script: Script | None = None) -> SmsGateway:
    client = httpx.AsyncClient(transport=httpx.MockTransport(hub))
    return SmsGateway(hub.clock, script or Script(numbers={MOBILE: plans}), callback_url=URL, client=client)


async def runs(gateway: SmsGateway, hub: Hub, time: timedelta) -> None:
    """Let time go by from one due call to the next."""
    end = hub.clock.now() + time
    while (due := gateway.next_due()) is not None and due <= end:
        hub.clock.set(due)
        await gateway.act(due)
    hub.clock.set(end)


async def post(gateway: SmsGateway, reference: str = "N01:a", key: str = "sim-api-key") -> httpx.Response:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(asgi(gateway)), base_url="http://vendor.example")
    body = {"to": MOBILE, "from": "+4915700000001", "text": OFFER, "foreign_id": reference}
    return await client.post("/api/sms", json=body, headers={"X-Api-Key": key})


async def test_a_text_is_taken_delivered_and_answered_with_its_code() -> None:
    hub = Hub()
    gateway = a_gateway(hub, replies("ok {code}", timedelta(minutes=30)))
    answer = await post(gateway)
    assert (answer.status_code, answer.json()["success"], gateway.rings("N01:a")) == (200, "100", 1)
    await runs(gateway, hub, timedelta(hours=1))
    kinds = [(call["webhook_event"], call["data"].get("status"), call["data"].get("text")) for call in hub.calls]  # type: ignore[attr-defined]
    assert kinds == [("dlr", "DELIVERED", None), ("sms_mo", None, "ok P69-6HK-2HN")]
    assert (hub.proved, gateway.next_due()) == ([True, True], None)


@pytest.mark.parametrize(
    ("met", "status", "rings"),
    [(Try.BUSY, 429, 0), (Try.BROKEN, 503, 0), (Try.LIE, 500, 1), (Try.REFUSE, 200, 0)],
)
async def test_a_try_meets_what_its_script_says(met: Try, status: int, rings: int) -> None:
    gateway = a_gateway(Hub(), Plan((met, Try.ACCEPT)))
    assert (await post(gateway)).status_code == status
    assert gateway.rings("N01:a") == rings
    assert (await post(gateway)).json()["success"] == "100"
    assert gateway.rings("N01:a") == rings + 1


@pytest.mark.parametrize(("met", "rings"), [(Try.HANG, 1), (Try.DROP, 0)])
async def test_a_lost_connection_tells_nothing_about_what_was_taken(met: Try, rings: int) -> None:
    gateway = a_gateway(Hub(), Plan((met,), callbacks=()))
    with pytest.raises(AssertionError):  # the transport in this process finds the answer incomplete
        await post(gateway)
    assert gateway.rings("N01:a") == rings


async def test_who_has_no_key_is_refused() -> None:
    gateway = a_gateway(Hub())
    assert ((await post(gateway, key="wrong")).status_code, gateway.taken) == (401, {})


async def test_a_reference_can_be_asked_for() -> None:
    gateway = a_gateway(Hub())
    await post(gateway)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(asgi(gateway)), base_url="http://vendor.example")
    headers = {"X-Api-Key": "sim-api-key"}
    known = await client.get("/api/status", params={"foreign_id": "N01:a"}, headers=headers)
    unknown = await client.get("/api/status", params={"foreign_id": "N01:b"}, headers=headers)
    log = (await client.get("/log")).json()
    assert (known.json()["foreign_id"], unknown.status_code, log[0]["rings"]) == ("N01:a", 404, 1)


async def test_the_same_reference_sent_twice_rings_twice() -> None:
    gateway = a_gateway(Hub())
    await post(gateway)
    await post(gateway)
    assert gateway.rings("N01:a") == 2


async def test_a_call_that_the_hub_did_not_take_is_made_again_and_a_refused_one_is_not() -> None:
    hub = Hub(503, 200, 401)
    gateway = a_gateway(hub, Plan(), Plan())
    await post(gateway)
    await runs(gateway, hub, timedelta(minutes=5))
    assert len(hub.calls) == 2
    await post(gateway, "N05:a")
    await runs(gateway, hub, timedelta(hours=5))
    assert (len(hub.calls), dict(gateway.answers)) == (3, {503: 1, 200: 1, 401: 1})


async def test_receipts_come_doubled_reordered_and_forged_where_the_script_says_so() -> None:
    hub = Hub()
    second, third = timedelta(seconds=2), timedelta(seconds=3)
    calls = (
        Callback(third, status="TRANSMITTED"),
        Callback(second, status="DELIVERED", copies=2),
        Callback(third * 2, status="DELIVERED", forged=True),
    )
    gateway = a_gateway(hub, Plan(callbacks=calls))
    await post(gateway)
    await runs(gateway, hub, timedelta(minutes=1))
    assert [call["data"]["status"] for call in hub.calls] == ["DELIVERED", "DELIVERED", "TRANSMITTED", "DELIVERED"]  # type: ignore[index]
    assert hub.proved == [True, True, True, False]


async def test_a_customer_writes_on_his_own_account_with_the_last_code() -> None:
    hub = Hub()
    gateway = a_gateway(hub, Plan(callbacks=()))
    await post(gateway)
    gateway.say(MOBILE, "doch OK {code}")
    await gateway.act(hub.clock.now())
    assert hub.calls[0]["data"]["text"] == "doch OK P69-6HK-2HN"  # type: ignore[index]


def test_a_text_without_a_code_gets_no_drawn_answer() -> None:
    script = Script(7, Shares())
    plans = [script.plan(f"+49151{number:08}", 0, asks=False) for number in range(200)]
    assert [callback.text for plan in plans for callback in plan.callbacks if callback.text] == []


def test_draws_depend_on_seed_and_number_and_never_on_arrival() -> None:
    numbers = [f"+49151{number:08}" for number in range(300)]
    forward = {number: Script(7, Shares()).plan(number, 0, asks=True) for number in numbers}
    script = Script(7, Shares())
    backward = {number: script.plan(number, 0, asks=True) for number in reversed(numbers)}
    assert forward == backward
    assert forward != {number: Script(8, Shares()).plan(number, 0, asks=True) for number in numbers}


def test_the_shares_are_those_of_the_page() -> None:
    plans = [Script(7, Shares()).plan(f"+49151{number:08}", 0, asks=True) for number in range(4_000)]
    texts = [callback.text for plan in plans for callback in plan.callbacks if callback.text]
    assert abs(sum(text == "OK {code}" for text in texts) / 4_000 - 0.52) < 0.03
    assert abs(len(texts) / 4_000 - 0.70) < 0.03
    assert abs(sum(plan.tries[0] is Try.BROKEN for plan in plans) / 4_000 - 0.01) < 0.005
