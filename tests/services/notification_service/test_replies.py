"""Replies and callbacks: matched, queued, proved, told once."""

import json
from datetime import timedelta
from hashlib import md5
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.codes import Match, Reading
from contracts.messages import MessageRecorded
from contracts.notices import ReplyReceived
from kit.auth import Scope
from kit.errors import Unavailable
from kit.http import web
from kit.webhooks import Seven
from services.notification_service.domain.notices import NoticeState
from simulators.sms_gateway.script import Callback, Plan, replies
from tests.services.notification_service.story import MOBILE, OTHER_MOBILE, SECRETS, TECHNICIAN, House, World

CORPUS = Path(__file__).parents[2] / "unit" / "notification_service" / "data" / "sms_replies.jsonl"
ROWS = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]


async def offered(folder: Path, *houses: House, plan: Plan | None = None) -> World:
    """A world in which every house got its offer."""
    world = await World.open(folder, *([plan] if plan else []))
    for house in houses:
        await world.hears(*house.known(), house.offered())
    return world


async def hears_text(world: World, text: str, sender: str = MOBILE) -> None:
    """A customer writes on his own account."""
    world.gateway.say(sender, text)
    await world.passes(timedelta(seconds=1))


async def outcome(world: World) -> tuple[list[tuple[str, str]], list[str | None]]:
    """Readings and matches that were told, and why others wait."""
    told = [(fact.reading.value, fact.match.value) for fact in await world.told(ReplyReceived)]
    waiting = [row.queued_for for row in await world.stage.rows("replies") if row.state == "QUEUED"]
    return told, waiting


async def test_an_OK_without_a_code_belongs_to_the_only_open_offer_of_its_number(tmp_path: Path) -> None:
    world = await offered(tmp_path, House())
    await hears_text(world, "OK")
    assert await outcome(world) == ([("exact_ok", "number_unique")], [])
    await world.close()


async def test_an_OK_without_a_code_for_two_open_offers_waits_for_a_person(tmp_path: Path) -> None:
    world = await offered(tmp_path, House(1), House(2))
    await hears_text(world, "OK")
    assert await outcome(world) == ([], ["ambiguous"])
    await world.close()


async def test_the_same_with_a_code_is_told_at_the_right_one(tmp_path: Path) -> None:
    first, second = House(1), House(2)
    world = await offered(tmp_path, first, second)
    code = world.texts[0].split("OK ")[1][:11]
    await hears_text(world, f"ok {code}")
    (reply,) = await world.told(ReplyReceived)
    assert (reply.case_id, reply.match, reply.hint) == (first.case_id, Match.CODE, None)
    await world.close()


async def test_a_code_from_another_number_is_told_with_a_flag(tmp_path: Path) -> None:
    world = await offered(tmp_path, House())
    code = world.texts[0].split("OK ")[1][:11]
    await hears_text(world, f"OK {code}", sender=OTHER_MOBILE)
    (reply,) = await world.told(ReplyReceived)
    assert (reply.match, reply.hint) == (Match.CODE, "other_number")
    await world.close()


async def test_a_void_code_is_told_with_its_old_revision_and_booking_decides(tmp_path: Path) -> None:
    house = House()
    world = await offered(tmp_path, house)
    code = world.texts[0].split("OK ")[1][:11]
    await world.hears(house.moved_to(house.block + timedelta(days=1)))
    await hears_text(world, f"OK {code}")
    (reply,) = await world.told(ReplyReceived)
    assert (reply.match, reply.revision, reply.attempt) == (Match.CODE, 0, 1)
    await world.close()


async def test_a_reply_of_a_stranger_waits_and_stands_at_no_case(tmp_path: Path) -> None:
    world = await offered(tmp_path, House())
    await hears_text(world, "OK", sender=OTHER_MOBILE)
    assert await outcome(world) == ([], ["unmatched"])
    assert [message.direction for message in await world.told(MessageRecorded)] == ["out"]
    await world.close()


async def test_a_reply_after_the_answer_waits_and_stands_at_the_newest_case_of_its_number(tmp_path: Path) -> None:
    house = House()
    world = await offered(tmp_path, house)
    await world.hears(house.confirmed())
    await hears_text(world, "Wann kommen Sie?")
    assert await outcome(world) == ([], ["unmatched"])
    assert [(fact.case_id, fact.direction) for fact in await world.told(MessageRecorded)][-1] == (house.case_id, "in")
    await world.close()


async def test_an_offer_expires_with_its_block(tmp_path: Path) -> None:
    house = House()
    world = await offered(tmp_path, house)
    await world.passes(until=house.block)
    await hears_text(world, "OK")
    assert await outcome(world) == ([], ["unmatched"])
    await world.close()


async def test_a_name_in_place_of_a_number_is_never_matched_by_number(tmp_path: Path) -> None:
    world = await offered(tmp_path, House())
    await hears_text(world, "NEIN", sender="METER")
    assert await outcome(world) == ([], ["unmatched"])
    await world.close()


async def test_a_wrong_code_says_nothing_and_the_number_decides(tmp_path: Path) -> None:
    world = await offered(tmp_path, House())
    await hears_text(world, "OK 7WC-XP5-T7F")
    assert await outcome(world) == ([("exact_ok", "number_unique")], [])
    await world.close()


async def test_what_a_reply_says_is_told_to_the_timeline_and_not_in_public(tmp_path: Path) -> None:
    world = await offered(tmp_path, House(), plan=replies("Ok, hilsen Kari {code}", timedelta(minutes=1)))
    await world.passes(timedelta(minutes=1))
    (reply,) = await world.told(ReplyReceived)
    assert "Kari" not in reply.to_json().decode()
    assert (await world.told(MessageRecorded))[-1].text == "•••-•••-••• Ok, hilsen Kari"
    await world.close()


@pytest.mark.parametrize(("forged", "told"), [(True, 0), (False, 1)])
async def test_a_forged_callback_is_refused_and_not_kept(tmp_path: Path, forged: bool, told: int) -> None:
    plan = Plan(callbacks=(Callback(timedelta(minutes=1), text="OK {code}", forged=forged, copies=2),))
    world = await offered(tmp_path, House(), plan=plan)
    await world.passes(timedelta(minutes=1))
    assert (len(await world.told(ReplyReceived)), len(await world.stage.rows("inbound_raw"))) == (told, 2 * told)
    assert world.gateway.answers == {401 if forged else 200: 2}
    await world.close()


class Vendor:
    """Calls the hub as the vendor does, with whatever is wrong."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(web(world.stage.service)), base_url="http://localhost"
        )

    async def calls(
        self,
        body: bytes,
        *,
        key: str = "sim-signing-key",
        skew: timedelta = timedelta(),
        nonce: str = "0123456789abcdef0123456789abcdef",
        url: str = SECRETS["sms_callback_url"],
        headers: dict[str, str] | None = None,
    ) -> int:
        """The status that a call gets."""
        time = str(int((self.world.stage.clock.now() + skew).timestamp()))
        digest = md5(body, usedforsecurity=False).hexdigest()
        signature = Seven.sign(key, time, nonce, "POST", url, digest)
        proof = {"X-Signature": signature, "X-Timestamp": time, "X-Nonce": nonce}
        answer = await self.client.post("/v1/sms/seven/in", content=body, headers=proof | (headers or {}))
        await self.world.settle()
        return answer.status_code


def reply_body(text: str = "OK", sender: str = MOBILE, message_id: str = "m1") -> bytes:
    data: dict[str, Any] = {"id": message_id, "sender": sender, "system": "1", "text": text, "time": "1"}
    return json.dumps({"webhook_event": "sms_mo", "data": data}).encode()


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({}, 200),
        ({"key": "another"}, 401),
        ({"skew": timedelta(seconds=-600)}, 401),
        ({"skew": timedelta(seconds=600)}, 401),
        ({"skew": timedelta(seconds=-299)}, 200),
        ({"url": "https://evil.example/v1/sms/seven/in"}, 401),
        ({"headers": {"X-Signature": ""}}, 401),
        ({"headers": {"X-Timestamp": "now"}}, 401),
        ({"headers": {"X-Forwarded-Host": "evil.example"}}, 200),
    ],
)
async def test_SEC_HOOK_02_only_a_proved_callback_of_now_is_kept(
    tmp_path: Path, wrong: dict[str, Any], status: int
) -> None:
    world = await offered(tmp_path, House())
    assert await Vendor(world).calls(reply_body(), **wrong) == status
    assert len(await world.stage.rows("inbound_raw")) == (status == 200)
    await world.close()


async def test_SEC_HOOK_02_a_repeated_callback_gets_the_first_answer_and_has_no_effect(tmp_path: Path) -> None:
    world = await offered(tmp_path, House())
    vendor = Vendor(world)
    answers = [await vendor.calls(reply_body()), await vendor.calls(reply_body())]
    answers.append(await vendor.calls(reply_body(), nonce="f" * 32))
    assert (answers, len(await world.told(ReplyReceived))) == ([200] * 3, 1)
    await world.close()


async def test_a_callback_over_64_kB_is_refused(tmp_path: Path) -> None:
    world = await offered(tmp_path, House())
    assert await Vendor(world).calls(b"x" * (64 * 1024 + 1)) == 413
    await world.close()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"webhook_event":"sms_mo"}', b'{"webhook_event":"call"}', b"\xff"]
)
async def test_a_proved_callback_that_cannot_be_read_is_kept_for_a_person(tmp_path: Path, body: bytes) -> None:
    world = await offered(tmp_path, House())
    assert await Vendor(world).calls(body) == 200
    (kept,) = await world.stage.rows("inbound_raw")
    assert (kept.body, kept.error is not None, await world.stage.anomalies()) == (body, True, ["unreadable_callback"])
    await world.close()


@pytest.mark.parametrize("row", ROWS, ids=[f"{at}-{row['expect'][:30]}" for at, row in enumerate(ROWS)])
async def test_the_corpus_of_replies_changes_only_what_it_may(tmp_path: Path, row: dict[str, Any]) -> None:
    world = await offered(tmp_path, House())
    vendor = Vendor(world)
    how: dict[str, Any] = {"skew": timedelta(seconds=row.get("timestamp_skew_s", 0))}
    if row.get("signature") == "wrong":
        how["key"] = "another"
    status = await vendor.calls(reply_body(row["text"], row["from"]), **how)
    if row.get("replay_same_id"):
        await vendor.calls(reply_body(row["text"], row["from"]), **how)
    told = [(fact.reading, fact.match) for fact in await world.told(ReplyReceived)]
    owned = row["from"] == MOBILE and not row["expect"].startswith("401")
    assert status == (401 if row["expect"].startswith("401") else 200)
    assert [match for _, match in told] == ([Match.NUMBER_UNIQUE] if owned else [])
    assert all(reading is not Reading.EXACT_OK for reading, _ in told)
    await world.close()


async def test_storing_that_fails_is_answered_503_so_that_the_vendor_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await offered(tmp_path, House())
    vendor = Vendor(world)

    async def gone(_: Any) -> None:
        raise Unavailable("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(world.stage.store.db, "transact", gone)
        time = str(int(world.stage.clock.now().timestamp()))
        digest = md5(reply_body(), usedforsecurity=False).hexdigest()
        signature = Seven.sign("sim-signing-key", time, "n" * 32, "POST", SECRETS["sms_callback_url"], digest)
        proof = {"X-Signature": signature, "X-Timestamp": time, "X-Nonce": "n" * 32}
        answer = await vendor.client.post("/v1/sms/seven/in", content=reply_body(), headers=proof)
    assert answer.status_code == 503
    await world.close()


async def test_a_reply_in_the_queue_is_assigned_once_by_a_person(tmp_path: Path) -> None:
    first, second = House(1), House(2)
    world = await offered(tmp_path, first, second)
    await hears_text(world, "OK")
    async with world.stage.http("dispatcher") as anna:
        (waiting,) = (await anna.get("/v1/replies", params={"state": "QUEUED"})).json()["replies"]
        path, asked = f"/v1/replies/{waiting['reply_id']}/assign", {"appointment_id": str(second.appointment_id)}
        answers = [await anna.post(path, json=asked), await anna.post(path, json=asked)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert (waiting["sender"], waiting["queued_for"]) == ("+49 ••• ••• •78", "ambiguous")
    (reply,) = await world.told(ReplyReceived)
    assert (reply.case_id, reply.match, reply.revision, reply.attempt) == (second.case_id, Match.STAFF, 0, 1)
    await world.close()


async def test_a_reply_in_the_queue_is_dismissed_with_a_reason(tmp_path: Path) -> None:
    world = await offered(tmp_path, House())
    await hears_text(world, "Hallo", sender=OTHER_MOBILE)
    (waiting,) = await world.stage.rows("replies")
    async with world.stage.http("dispatcher") as anna:
        refused = await anna.post(f"/v1/replies/{waiting.reply_id}/dismiss", json={"reason": ""})
        answer = await anna.post(f"/v1/replies/{waiting.reply_id}/dismiss", json={"reason": "spam"})
    assert (refused.status_code, answer.status_code, answer.json()["state"]) == (422, 200, "HANDLED")
    assert await world.told(ReplyReceived) == []
    await world.close()


async def test_a_failed_notice_is_sent_again_as_a_new_one(tmp_path: Path) -> None:
    house = House()
    world = await offered(tmp_path, house, plan=Plan(callbacks=(Callback(timedelta(seconds=5), status="FAILED"),)))
    await world.passes(timedelta(minutes=1))
    (failed,) = await world.notices()
    async with world.stage.http("dispatcher") as anna:
        answer = await anna.post(f"/v1/notices/{failed.notice_id}/send-again")
        twice = await anna.post(f"/v1/notices/{failed.notice_id}/send-again")
        listed = (await anna.get("/v1/notices", params={"case": str(house.case_id), "state": "UNDELIVERED"})).json()
    await world.settle()
    assert (answer.status_code, answer.json()["key"], twice.status_code) == (201, f"{failed.key}#2", 409)
    assert [each["notice_id"] for each in listed["notices"]] == [str(failed.notice_id)]
    assert [row.state for row in await world.notices()] == [NoticeState.UNDELIVERED, NoticeState.SENT]
    assert "notice:send_again" in [row.action for row in await world.stage.rows("audit")]
    await world.close()


async def test_a_notice_that_arrived_is_not_sent_again(tmp_path: Path) -> None:
    world = await offered(tmp_path, House())
    await world.passes(timedelta(minutes=1))
    (arrived,) = await world.notices()
    async with world.stage.http("dispatcher") as anna:
        answer = await anna.post(f"/v1/notices/{arrived.notice_id}/send-again")
    assert (answer.status_code, answer.json()["code"]) == (409, "sms-not-possible")
    await world.close()


async def test_a_comment_is_told_to_the_timeline_with_its_author(tmp_path: Path) -> None:
    house = House()
    world = await offered(tmp_path, house)
    async with world.stage.http("dispatcher", name="anna") as anna:
        path, asked = f"/v1/cases/{house.case_id}/comments", {"text": "Klingel defekt"}
        answers = [await anna.post(path, json=asked, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
        unknown = await anna.post(f"/v1/cases/{TECHNICIAN}/comments", json=asked)
    note = (await world.told(MessageRecorded))[-1]
    assert [answer.json() for answer in answers] == [answers[0].json()] * 2
    assert (answers[0].status_code, unknown.status_code) == (201, 404)
    assert (note.direction, note.channel, note.author, note.visibility) == (
        "note",
        "comment",
        "person:local:anna",
        "internal",
    )
    assert len(await world.stage.rows("comments")) == 1
    await world.close()


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("technician", "/v1/notices", 403),
        ("qa", "/v1/replies", 403),
        ("dispatcher", "/v1/notices", 200),
        ("dispatcher", "/v1/replies", 200),
    ],
)
async def test_lists_are_for_dispatchers(tmp_path: Path, role: str, path: str, status: int) -> None:
    world = await World.open(tmp_path)
    async with world.stage.http(role) as somebody:
        assert (await somebody.get(path)).status_code == status
    await world.close()


async def test_a_technician_comments_only_where_he_works(tmp_path: Path) -> None:
    house = House()
    world = await offered(tmp_path, house)
    path, asked = f"/v1/cases/{house.case_id}/comments", {"text": "Schlüssel beim Nachbarn"}
    async with world.stage.http("technician", scope=Scope("technician", str(TECHNICIAN))) as his:
        own = await his.post(path, json=asked)
    async with world.stage.http("technician", scope=Scope("technician", str(house.case_id))) as another:
        foreign = await another.post(path, json=asked)
    assert (own.status_code, foreign.status_code) == (201, 404)
    await world.close()
