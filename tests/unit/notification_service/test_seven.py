"""The vendor profile `seven`: answers, callbacks, and what the port makes of them."""

import json
from collections.abc import Callable
from hashlib import md5
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some

from kit.effects import Done, Failed, Outcome, Transient, Unknown
from kit.webhooks import Seven
from services.notification_service.channels import seven
from services.notification_service.channels.seven import Answer, Dlr, Mo
from services.notification_service.channels.sms import Message, SmsPort
from services.notification_service.errors import Unreadable

IDS = {"case_id": str(UUID(int=1)), "notice_id": str(UUID(int=2))}


def test_the_pages_signature_vector() -> None:
    url = "https://hub.example/v1/sms/seven/in"
    nonce, digest = "0123456789abcdef0123456789abcdef", "840126bdcc09a49a8bfedb1e04735796"
    signed = Seven.sign("sim-signing-key", "1790000000", nonce, "POST", url, digest)
    assert signed == "3aac3154b1d8a7bdf44a3237613d286b554b1b5618f863e275b7f08288ae2212"
    assert len(digest) == len(md5(b"", usedforsecurity=False).hexdigest())


def test_a_reply_and_a_receipt_are_told_apart() -> None:
    reply = {"webhook_event": "sms_mo", "data": {"id": 7, "sender": "+49151", "text": "OK", "system": "1"}}
    receipt = {"webhook_event": "dlr", "data": {"msg_id": "9", "status": "DELIVERED", "timestamp": "?"}}
    assert seven.parse(json.dumps(reply).encode()) == Mo(id="7", sender="+49151", text="OK")
    assert seven.parse(json.dumps(receipt).encode()) == Dlr(msg_id="9", status="DELIVERED")


@given(body=some.binary())
def test_no_bytes_break_the_reader(body: bytes) -> None:
    with pytest.raises(Unreadable):
        seven.parse(body)


def test_an_unreadable_callback_names_places_and_nothing_of_its_content() -> None:
    body = b'{"webhook_event":"sms_mo","data":{"id":"1","sender":"geheim"}}'
    with pytest.raises(Unreadable) as refused:
        seven.parse(body)
    assert "data/text" in str(refused.value)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        ({"success": "100", "messages": [{"id": "7"}]}, Answer("7", None)),
        ({"success": "100", "messages": []}, None),
        ({"success": "202"}, Answer(None, "invalid_number")),
        ({"success": "900"}, Answer(None, "blocked_by_vendor")),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_an_answer_says_yes_no_or_nothing(document: object, answer: Answer | None) -> None:
    assert seven.answer(document) == answer


def taken(status: int = 200, document: object = None) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, json=document)


def broken(error: type[httpx.TransportError]) -> Callable[[httpx.Request], httpx.Response]:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    return fail


async def sends(vendor: Callable[[httpx.Request], httpx.Response], message: Message | None = None) -> Outcome:
    async def release(*_: object) -> Message | None:
        return message or Message("+4915112345678", "+4915700000001", "Hallo")

    port = SmsPort("http://vendor.example", "key", release, httpx.MockTransport(vendor))
    outcome = await port.send("N01:a", IDS)
    await port.close()
    return outcome


@pytest.mark.parametrize(
    ("vendor", "outcome"),
    [
        (taken(document={"success": "100", "messages": [{"id": "7"}]}), Done("7")),
        (taken(document={"success": "202"}), Failed("invalid_number")),
        (taken(400), Failed("blocked_by_vendor")),
        (taken(429), Transient("rate_limited")),
        (taken(200, []), Unknown("unreadable_answer")),
        (taken(503), Unknown("vendor_5xx")),  # he answers no question either
        (broken(httpx.ConnectError), Transient("connection")),
        (broken(httpx.ConnectTimeout), Transient("timeout_before_send")),
        (broken(httpx.ReadTimeout), Unknown("ReadTimeout")),
        (broken(httpx.WriteError), Unknown("WriteError")),
        (broken(httpx.RemoteProtocolError), Unknown("RemoteProtocolError")),
    ],
)
async def test_only_what_proves_that_nothing_was_taken_is_tried_again(
    vendor: Callable[[httpx.Request], httpx.Response], outcome: Outcome
) -> None:
    assert await sends(vendor) == outcome


async def test_a_500_is_asked_about_at_once() -> None:
    def vendor(request: httpx.Request) -> httpx.Response:
        found = request.url.params.get("foreign_id")
        return httpx.Response(500) if found is None else httpx.Response(200, json={"id": "7", "foreign_id": found})

    assert await sends(vendor) == Done("7", {"asked": True})


async def test_what_is_withheld_never_reaches_the_vendor() -> None:
    async def release(*_: object) -> None:
        return None

    def vendor(_: httpx.Request) -> httpx.Response:
        raise AssertionError("the vendor was called")

    port = SmsPort("http://vendor.example", "key", release, httpx.MockTransport(vendor))
    assert await port.send("N01:a", IDS) == Failed("withheld")
