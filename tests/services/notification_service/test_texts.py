"""What people write: comments, notes of calls, and texts where they make sense."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from contracts.codes import Direction, MessageChannel, Visibility
from contracts.messages import MessageRecorded
from contracts.notices import NoticeSent
from kit.auth import Scope
from simulators.sms_gateway.script import replies
from tests.services.notification_service.story import House, World


async def post(
    world: World, path: str, body: dict[str, Any], role: str = "dispatcher", scope: Scope | None = None
) -> httpx.Response:
    async with world.stage.http(role, scope=scope) as http:
        answer = await http.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    await world.settle()
    return answer


async def a_case(folder: Path, state: str = "PLANNING", **options: Any) -> tuple[World, House]:
    world, house = await World.open(folder, **options), House()
    await world.hears(*house.known(), house.moved("T01", "OPEN", state))
    return world, house


async def test_S3_14_a_comment_has_author_and_time_is_internal_and_never_changes(tmp_path: Path) -> None:
    world, house = await a_case(tmp_path)
    path = f"/v1/cases/{house.case_id}/comments"
    made = (await post(world, path, {"text": "Hund im Hof"})).json()
    assert (made["author"], made["visibility"]) == ("person:local:anna", "internal")
    assert made["at"] == world.stage.clock.now().isoformat().replace("+00:00", "Z")
    newer = await post(world, path, {"text": "kein Hund", "visibility": "customer", "replaces": made["comment_id"]})
    kept = [(row.text, row.visibility) for row in await world.stage.rows("comments")]
    assert (newer.status_code, kept) == (201, [("Hund im Hof", "internal"), ("kein Hund", "customer")])
    first, second = await world.told(MessageRecorded)
    assert (first.direction, first.channel, first.visibility) == (
        Direction.NOTE,
        MessageChannel.COMMENT,
        Visibility.INTERNAL,
    )
    assert (second.visibility, str(second.replaces)) == (Visibility.CUSTOMER, made["comment_id"])
    async with world.stage.http("dispatcher") as http:
        for method in ("PUT", "PATCH", "DELETE"):
            assert (await http.request(method, path, json={"text": "x"})).status_code == 405
    await world.close()


@pytest.mark.parametrize("state", ["OPEN", "READY_TO_PRINT", "IN_PROGRESS", "RESOLVED", "CLOSED", "ON_HOLD"])
async def test_S3_14_a_comment_is_possible_in_every_state(tmp_path: Path, state: str) -> None:
    world, house = await a_case(tmp_path, state)
    assert (await post(world, f"/v1/cases/{house.case_id}/comments", {"text": "notiert"})).status_code == 201
    await world.close()


async def test_S3_14_a_comment_replaces_only_one_of_its_own_case(tmp_path: Path) -> None:
    world, house = await a_case(tmp_path)
    body = {"text": "neu", "replaces": str(UUID(int=9))}
    assert (await post(world, f"/v1/cases/{house.case_id}/comments", body)).status_code == 404
    await world.close()


async def test_a_call_is_noted_in_the_same_timeline(tmp_path: Path) -> None:
    world, house = await a_case(tmp_path)
    answer = await post(world, f"/v1/cases/{house.case_id}/calls", {"text": "passt ab 10"})
    (told,) = await world.told(MessageRecorded)
    assert (answer.status_code, told.direction, told.channel, told.author) == (
        *(201, Direction.NOTE, MessageChannel.PHONE),
        "person:local:anna",
    )
    await world.close()


async def test_another_companys_case_is_not_there_to_be_commented(tmp_path: Path) -> None:
    world, house = await a_case(tmp_path)
    scope = Scope("company", "another")
    for path in ("comments", "calls"):
        answer = await post(world, f"/v1/cases/{house.case_id}/{path}", {"text": "x"}, "company_admin", scope)
        assert answer.status_code == 404
    await world.close()


async def test_S3_36_free_words_are_sent_stand_in_the_timeline_and_change_nothing(tmp_path: Path) -> None:
    world, house = await a_case(tmp_path)
    answer = await post(world, f"/v1/cases/{house.case_id}/sms", {"text": "Bitte Kellerschlüssel bereithalten."})
    assert (answer.status_code, world.texts) == (202, ["Stadtwerke Auental: Bitte Kellerschlüssel bereithalten."])
    (sent,) = await world.told(NoticeSent)
    (message,) = await world.told(MessageRecorded)
    assert (sent.template, sent.appointment_id, message.text) == ("free_text", None, world.texts[0])
    await world.close()


async def test_S3_36_three_texts_a_day_and_no_fourth(tmp_path: Path) -> None:
    world, house = await a_case(tmp_path)
    answers = [await post(world, f"/v1/cases/{house.case_id}/sms", {"text": f"Text {n}"}) for n in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert (answers[3].json()["code"], world.rings) == ("rate-limited", 3)
    assert len(await world.notices()) == 3  # nothing waits for tomorrow
    await world.close()


@pytest.mark.parametrize("state", ["PLANNING", "AWAITING_REPLY", "MANUAL_FOLLOW_UP", "READY", "ON_HOLD"])
async def test_S3_19_a_text_may_be_sent_where_it_makes_sense(tmp_path: Path, state: str) -> None:
    world, house = await a_case(tmp_path, state)
    assert (await post(world, f"/v1/cases/{house.case_id}/sms", {"text": "Hallo"})).status_code == 202
    await world.close()


@pytest.mark.parametrize(
    "state", ["OPEN", "READY_TO_PRINT", "IN_PROGRESS", "RESOLVED", "REOPENED", "CLOSED", "REJECTED_BY_MDM"]
)
async def test_S3_19_in_any_other_state_it_is_refused(tmp_path: Path, state: str) -> None:
    world, house = await a_case(tmp_path, state)
    answer = await post(world, f"/v1/cases/{house.case_id}/sms", {"text": "Hallo"})
    assert (answer.status_code, answer.json()["code"], world.rings) == (409, "sms-not-possible", 0)
    await world.close()


@pytest.mark.parametrize("why", ["no number", "no consent", "opted out"])
async def test_S3_19_who_cannot_or_will_not_be_texted_is_not(tmp_path: Path, why: str) -> None:
    world, house = await World.open(tmp_path, replies("STOP")), House()
    known = {"no number": {"phone": None}, "no consent": {"sms_allowed": False}}.get(why, {})
    await world.hears(house.opened(), house.contact(**known), house.ordered(), house.proposed())
    await world.hears(house.moved("T01", "OPEN", "PLANNING"))
    if why == "opted out":
        await world.hears(house.offered())
        await world.passes(until=house.block.replace(day=3))
    rings = world.rings
    answer = await post(world, f"/v1/cases/{house.case_id}/sms", {"text": "Hallo"})
    assert (answer.status_code, answer.json()["code"], world.rings) == (409, "sms-not-possible", rings)
    await world.close()


async def test_a_text_of_more_than_three_segments_is_refused(tmp_path: Path) -> None:
    world, house = await a_case(tmp_path)
    answer = await post(world, f"/v1/cases/{house.case_id}/sms", {"text": "ж" * 190})
    assert (answer.status_code, answer.json()["code"], world.rings) == (422, "too-long", 0)
    await world.close()


async def test_T11_the_confirmation_by_hand_names_the_appointment_that_stands_once(tmp_path: Path) -> None:
    world, house = await a_case(tmp_path, "MANUAL_FOLLOW_UP")
    path, body = f"/v1/cases/{house.case_id}/sms", {"template": "booking_confirmation"}
    assert (await post(world, path, body)).status_code == 202
    (sent,) = await world.told(NoticeSent)
    assert (sent.template, sent.appointment_id, sent.revision) == ("booking_confirmation", house.appointment_id, 0)
    assert (await post(world, path, body)).status_code == 409
    await world.close()


async def test_only_dispatchers_write_texts(tmp_path: Path) -> None:
    world, house = await a_case(tmp_path)
    for role in ("qa", "technician", "company_admin", "mdm"):
        scope = Scope("company", str(UUID(int=1))) if role == "company_admin" else None
        answer = await post(world, f"/v1/cases/{house.case_id}/sms", {"text": "x"}, role, scope)
        assert answer.status_code == 403
    await world.close()
