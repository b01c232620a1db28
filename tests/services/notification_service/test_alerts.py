"""What the people of the house are alerted of: once, to whom it concerns, when it is due."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from contracts.bookings import WorkOrderAwarded
from contracts.cases import ExceptionRaised, SlaAtRisk, SlaBreached
from contracts.event import Event
from contracts.handovers import HandoverFailed, HandoverRejected, MessageQuarantined
from contracts.quality import ReworkRequested
from contracts.samples import example
from kit.auth import Scope
from simulators.print_shop.shop import Habits
from simulators.sms_gateway.script import Plan, replies
from tests.services.notification_service.story import MOBILE, House, World

CASE = House().case_id
REWORK = example(ReworkRequested, case_id=CASE, company_id=UUID("0197f000-0000-7000-8000-0000000000c1"))
EXCEPTION = example(ExceptionRaised, case_id=CASE, type="refusal")
COMPANY = UUID("0197f000-0000-7000-8000-0000000000c1")


async def seen(
    world: World, role: str = "dispatcher", scope: Scope | None = None, **asked: Any
) -> list[dict[str, Any]]:
    async with world.stage.http(role, scope=scope) as http:
        answer = await http.get("/v1/alerts", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["alerts"]
    return found


@pytest.mark.parametrize(
    ("event", "rule", "audience", "cause"),
    [
        (example(HandoverRejected, case_id=CASE), "N12", "role:mdm", "UNKNOWN_DEVICE"),
        (example(HandoverFailed, case_id=CASE, final=True, cause="transport"), "N12", "role:mdm", "transport"),
        (example(MessageQuarantined, case_id=None, cause="CONFLICT"), "N12", "role:mdm", "CONFLICT"),
        (EXCEPTION, "N14", EXCEPTION.owner_, "refusal"),
        (REWORK, "N11", f"company:{COMPANY}", REWORK.kind),
        (example(WorkOrderAwarded, case_id=CASE, company_id=COMPANY), "N10", f"company:{COMPANY}", None),
    ],
)
async def test_S0_37_an_event_alerts_whom_it_concerns_once(
    tmp_path: Path, event: Event, rule: str, audience: str, cause: str | None
) -> None:
    world = await World.open(tmp_path)
    await world.hears(event)
    await world.hears(event)
    (alert,) = await seen(world)
    assert (alert["rule_id"], alert["audience"]) == (rule, audience)
    assert cause is None or alert["cause"] == cause or rule == "N12"
    await world.close()


async def test_N12_a_failure_that_is_tried_again_alerts_nobody(tmp_path: Path) -> None:
    world = await World.open(tmp_path)
    await world.hears(example(HandoverFailed, case_id=CASE, final=False))
    assert await seen(world) == []
    await world.close()


async def test_J65_targets_are_told_in_the_morning_once_per_version(tmp_path: Path) -> None:
    world = await World.open(tmp_path)
    first = example(SlaAtRisk, case_id=CASE, target_version=1)
    await world.hears(first, first, example(SlaBreached, case_id=CASE, target_version=1))
    assert await seen(world) == []
    await world.passes(timedelta(days=1))
    found = await seen(world)
    assert [(each["rule_id"], each["kind"]) for each in found] == [("N13", "sla_at_risk"), ("N13", "sla_breached")]
    assert {datetime.fromisoformat(each["due_at"]).isoformat() for each in found} == {"2026-03-03T05:00:00+00:00"}
    await world.close()


async def test_J09_a_question_is_told_with_the_next_quarter_of_an_hour(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    world.stage.clock.advance(timedelta(minutes=1))
    await world.hears(*house.known(), house.offered(), house.questioned("unclear"))
    assert await seen(world) == []
    await world.passes(timedelta(minutes=14))
    (alert,) = await seen(world)
    assert (alert["rule_id"], alert["cause"], alert["audience"]) == ("N15", "unclear", "role:dispatcher")
    await world.close()


async def test_N15_a_reply_that_nobody_can_match_is_told(tmp_path: Path) -> None:
    world = await World.open(tmp_path)
    world.gateway.say(MOBILE, "wann kommen Sie?")
    await world.passes(timedelta(minutes=15))
    (alert,) = await seen(world)
    assert (alert["kind"], alert["cause"], alert["case_id"]) == ("reply_queued", "unmatched", None)
    await world.close()


async def test_J38_a_letter_that_went_out_although_it_was_called_back_is_told(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House(phone=None)
    await world.hears(*house.known(), house.by_letter())
    (letter,) = await world.stage.rows("letters")
    world.shop.habits = Habits(ignores=frozenset({str(letter.letter_id)}))
    await world.passes(timedelta(hours=10))
    await world.hears(house.moved("T29", "READY_TO_PRINT", "MANUAL_FOLLOW_UP"))
    await world.passes(timedelta(hours=24))
    assert [each["kind"] for each in await seen(world)] == ["printed_despite_pull"]
    await world.close()


async def test_a_company_sees_its_own_alerts_and_a_technician_none(tmp_path: Path) -> None:
    world = await World.open(tmp_path)
    await world.hears(example(ReworkRequested, case_id=CASE, company_id=COMPANY))
    own = await seen(world, "company_admin", Scope("company", str(COMPANY)))
    others = await seen(world, "company_admin", Scope("company", "another"))
    technician = await seen(world, "technician", Scope("technician", "somebody"))
    assert (len(own), others, technician) == (1, [], [])
    await world.close()


async def test_who_collects_alerts_goes_on_where_the_last_page_ended(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    world.stage.clock.advance(timedelta(minutes=1))
    await world.hears(*house.known(), house.offered(), house.questioned("unclear"))  # due in a quarter of an hour
    await world.hears(EXCEPTION)
    async with world.stage.http("dispatcher") as http:
        first = (await http.get("/v1/alerts")).json()
    await world.passes(timedelta(minutes=15))
    async with world.stage.http("dispatcher") as http:
        second = (await http.get("/v1/alerts", params={"after": first["next"]})).json()
    found = [[each["rule_id"] for each in page["alerts"]] for page in (first, second)]
    assert found == [["N14"], ["N15"]]
    await world.close()


async def test_J18_who_was_asked_is_told_that_the_appointment_is_off_and_the_code_is_void(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.offered())
    await world.hears(house.moved("T15", "AWAITING_REPLY", "ON_HOLD"), house.released())
    (dialogue,) = await world.stage.rows("dialogues")
    assert (await world.states(), dialogue.state) == ({"N01": "SENT", "N07": "SENT"}, "VOID")
    assert "entfällt" in world.texts[1]
    await world.close()


async def test_N07_nobody_is_told_of_an_appointment_that_he_never_heard_of(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.released("staff"))
    assert (world.rings, await world.states()) == (0, {})
    await world.close()


async def test_N07_is_still_true_when_the_case_has_ended(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.offered())
    world.stage.clock.advance(timedelta(hours=13))  # quiet hours
    await world.hears(house.released("closed"))
    assert (await world.states())["N07"] == "HELD"
    await world.hears(house.cancelled())
    await world.passes(timedelta(hours=12))
    assert (world.rings, (await world.states())["N07"]) == (2, "DELIVERED")
    await world.close()


async def test_J16_a_move_that_nobody_asked_about_is_told_by_text(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path, replies("OK {code}"), Plan()), House()
    await world.hears(*house.known(), house.offered())
    await world.passes(timedelta(hours=4))
    await world.hears(house.confirmed(), house.moved_to(house.block + timedelta(days=1)))
    assert (world.rings, (await world.states())["N06"], "wurde verlegt" in world.texts[1]) == (2, "SENT", True)
    await world.close()


async def test_J16_a_colleague_at_the_same_time_bothers_nobody(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.offered())
    await world.hears(house.confirmed())
    await world.hears(house.moved_to(house.block, agreed=True, window_changed=False, revision=0))
    (dialogue,) = await world.stage.rows("dialogues")
    assert (world.rings, "N06" in await world.states(), dialogue.state) == (1, False, "ANSWERED")
    await world.close()


async def test_N06_goes_by_letter_where_no_text_can_go(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House(phone=None)
    await world.hears(*house.known(), house.confirmed(by="staff", agreed_via="phone"))
    await world.hears(house.moved_to(house.block + timedelta(days=1)))
    (moved,) = [row for row in await world.notices() if row.rule_id == "N06"]
    assert (moved.channel, moved.state) == ("letter", "SENDING")
    await world.passes(timedelta(hours=34))
    assert (await world.states())["N06"] == "SENT"
    await world.close()


async def test_S3_38_a_letter_without_an_answer_is_followed_by_one_reminder_where_there_is_a_phone(
    tmp_path: Path,
) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.by_letter(attempt=1))
    await world.passes(timedelta(days=10))
    await world.hears(house.overdue(), house.overdue())
    assert (world.rings, (await world.states())["N03"]) == (1, "SENT")
    await world.close()


async def test_S3_38_without_a_phone_nobody_is_reminded_and_nothing_has_failed(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House(phone=None)
    await world.hears(*house.known(), house.by_letter())
    await world.passes(timedelta(days=10))
    await world.hears(house.overdue())
    assert ((await world.states())["N03"], "NoticeFailed" in await world.kinds()) == ("SUPPRESSED", False)
    await world.close()


@pytest.mark.parametrize("how", ["answered", "taken over"])
async def test_S3_38_who_answered_or_is_called_gets_no_reminder(tmp_path: Path, how: str) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.by_letter())
    await world.passes(timedelta(days=2))
    last = house.confirmed() if how == "answered" else house.moved("T10", "AWAITING_REPLY", "MANUAL_FOLLOW_UP")
    await world.hears(last)
    await world.passes(timedelta(days=8))
    assert (world.rings, "N03" in await world.states()) == (0, False)
    await world.close()
