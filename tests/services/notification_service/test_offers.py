"""Offers, reminders and confirmations: given, hears, told."""

from datetime import timedelta
from pathlib import Path

import pytest

from contracts.cases import CaseCancelled, CaseCompleted, CasePurged
from contracts.codes import Match, Reading
from contracts.contacts import ContactRecorded
from contracts.messages import MessageRecorded
from contracts.notices import CustomerOptedOut, NoticeFailed, NoticeSent, ReplyReceived
from contracts.samples import example
from simulators.sms_gateway.script import Plan, replies
from tests.services.notification_service.story import MOBILE, OTHER_MOBILE, TECHNICIAN, TECHNICIAN_MOBILE, House, World

KERNEL = frozenset({"outbox", "event_log"})
"""Holds what was told; purging it is the kernel's."""


async def test_J01_an_offer_goes_out_by_sms_and_its_OK_is_told_once(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path, replies("OK {code}")), House()
    await world.hears(*house.known(), house.offered())
    assert world.rings == 1
    assert world.texts[0].startswith("Stadtwerke Auental: Ihr Stromzähler wird am Mo 16.03.2026 zwischen 10:00-12:00")
    assert await world.kinds() == ["NoticeSent", "MessageRecorded"]
    await world.passes(timedelta(hours=4))
    assert await world.kinds() == ["NoticeDelivered", "ReplyReceived", "MessageRecorded"]
    (reply,) = await world.told(ReplyReceived)
    assert (reply.reading, reply.match, reply.revision, reply.attempt) == (Reading.EXACT_OK, Match.CODE, 0, 1)
    assert (await world.states(), await world.stage.parked()) == ({"N01": "DELIVERED"}, [])
    await world.close()


async def test_what_is_told_of_an_offer_names_its_rule_and_offer(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.offered())
    (sent,) = await world.told(NoticeSent)
    named = (sent.rule_id, sent.template, sent.appointment_id, sent.revision, sent.attempt, sent.part, sent.parts)
    assert named == ("N01", "booking_offer", house.appointment_id, 0, 1, 1, 1)
    await world.close()


async def test_no_code_is_kept_or_told(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path, replies("OK {code}")), House()
    await world.hears(*house.known(), house.offered())
    await world.passes(timedelta(hours=4))
    code = world.texts[0].split("OK ")[1][:11]
    messages = await world.told(MessageRecorded)
    kept = [row.text for row in await world.notices()] + [row.text for row in await world.stage.rows("replies")]
    assert len(messages) == 2
    assert not [text for text in [*kept, *(message.text for message in messages)] if code in text]
    await world.close()


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (3, 4, 2, 1, 0), (3, 2, 4, 0, 1)])
async def test_topics_may_overtake_each_other_and_the_offer_goes_out_once(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    world, house = await World.open(tmp_path), House()
    events = [*house.known(), house.offered()]  # of three topics; bookings are the last two
    for at in order:
        await world.hears(events[at])
    assert (world.rings, await world.states()) == (1, {"N01": "SENT"})
    await world.close()


async def test_an_offer_that_is_offered_by_letter_makes_no_sms_but_a_code(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.offered(channel="letter"))
    assert (world.rings, len(await world.stage.rows("dialogues"))) == (0, 1)
    await world.close()


async def test_J11_the_reminder_repeats_the_code_and_a_late_OK_is_told(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path, Plan(), replies("OK {code}")), House()
    await world.hears(*house.known(), house.offered())
    await world.passes(timedelta(days=3))
    await world.hears(house.overdue())
    first, second = world.texts
    assert second.startswith("Stadtwerke Auental: Wir haben noch keine Antwort")
    assert first.split("OK ")[1][:11] == second.split("OK ")[1][:11]
    await world.passes(timedelta(hours=4))
    (reply,) = await world.told(ReplyReceived)
    assert (reply.match, reply.reading) == (Match.CODE, Reading.EXACT_OK)
    await world.close()


async def test_N03_is_not_sent_to_who_confirmed_in_the_meantime(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.offered())
    await world.hears(house.confirmed(), house.overdue())
    assert (await world.states())["N03"] == "SUPPRESSED"
    await world.close()


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({"by": "staff", "agreed_via": "phone", "notice": True}, True),
        ({"by": "staff", "agreed_via": "phone", "notice": False}, False),
        ({"by": "reply", "notice": True}, False),
    ],
)
async def test_N04_confirms_what_staff_agreed_and_nothing_else(
    tmp_path: Path, changes: dict[str, object], sent: bool
) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.confirmed(**changes))
    assert ("N04" in await world.states()) is sent
    assert world.rings == sent
    await world.close()


async def test_N05_reminds_one_working_day_before_at_four(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.offered())
    await world.hears(house.confirmed(), house.moved("T07", "AWAITING_REPLY", "READY"))
    friday = house.block.replace(day=13, hour=15, minute=0)  # 16:00 in Berlin
    await world.passes(until=friday - timedelta(minutes=1))
    assert world.rings == 1
    await world.passes(timedelta(minutes=1))
    assert world.texts[1].startswith("Stadtwerke Auental: Erinnerung: Zählerwechsel am Mo 16.03.2026")
    assert [row.sent_at for row in await world.notices() if row.rule_id == "N05"] == [friday]
    await world.close()


async def test_N05_stays_unsent_while_the_work_order_is_not_ready(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.confirmed())
    await world.hears(house.moved("T07", "AWAITING_REPLY", "READY"))
    await world.hears(house.moved("T32", "READY", "MANUAL_FOLLOW_UP", version=2))
    await world.passes(until=house.block)
    assert (world.rings, await world.states()) == (0, {"N05": "SUPPRESSED"})
    await world.close()


async def test_N05_is_not_planned_for_who_confirms_less_than_20_hours_before(tmp_path: Path) -> None:
    world = await World.open(tmp_path)
    near = House(block=world.stage.clock.now() + timedelta(hours=19, minutes=59))
    far = House(2, block=world.stage.clock.now() + timedelta(hours=20))
    await world.hears(*near.known(), near.confirmed(), *far.known(), far.confirmed())
    assert [row.case_id for row in await world.notices()] == [far.case_id]
    await world.close()


async def test_a_moved_appointment_is_reminded_of_in_its_new_time_only(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.confirmed(), house.moved("T07", "AWAITING_REPLY", "READY"))
    later = house.block + timedelta(days=2)
    await world.hears(house.moved_to(later, agreed=True), house.confirmed(revision=1, by="portal"))
    await world.passes(until=later)
    states = [(row.revision, row.state) for row in await world.notices()]
    assert (sorted(states), world.rings) == ([(0, "SUPPRESSED"), (1, "DELIVERED")], 1)
    await world.close()


async def test_a_change_of_technician_alone_leaves_code_and_reminder(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path, replies("OK {code}")), House()
    await world.hears(*house.known(), house.offered())
    await world.hears(house.moved_to(house.block, agreed=True, window_changed=False, revision=0))
    assert [row.state for row in await world.stage.rows("dialogues")] == ["OPEN"]
    await world.close()


async def test_an_offer_that_is_moved_before_it_is_sent_stays_unsent(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.stage.hears(*house.known(), house.offered())  # the effect is written, and nobody has claimed it
    await world.stage.hears(house.moved_to(house.block + timedelta(days=1)))
    await world.settle()
    assert (world.rings, await world.states()) == (0, {"N01": "SUPPRESSED"})
    assert await world.told(NoticeFailed) == []
    assert [row.state for row in await world.stage.rows("dialogues")] == ["VOID"]
    await world.close()


async def test_an_offer_that_waits_for_the_morning_is_suppressed_when_the_slot_is_given_back(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    world.stage.clock.advance(timedelta(hours=12))  # 21:00
    await world.hears(*house.known(), house.offered())
    assert await world.states() == {"N01": "HELD"}
    await world.hears(house.released())
    await world.passes(timedelta(days=1))
    assert (world.rings, await world.states()) == (0, {"N01": "SUPPRESSED"})
    await world.close()


async def test_D_DP_10_an_offer_of_the_evening_goes_out_at_eight(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    world.stage.clock.advance(timedelta(hours=12))
    await world.hears(*house.known(), house.offered())
    await world.passes(timedelta(hours=10))
    assert world.rings == 0
    await world.passes(timedelta(hours=1))
    (sent,) = await world.told(NoticeSent)
    assert f"{sent.sent_at:%H:%M}" == "07:00"  # 08:00 in Berlin
    await world.close()


async def test_SEC_LIM_09_a_fourth_text_in_24_hours_waits(tmp_path: Path) -> None:
    world = await World.open(tmp_path)
    houses = [House(number) for number in range(1, 5)]
    for house in houses:
        await world.hears(*house.known(), house.offered())
    assert min((row.state, row.gate) for row in await world.notices()) == ("HELD", "budget")
    assert world.rings == 3
    await world.passes(timedelta(hours=24))
    assert world.rings == 4
    await world.close()


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"phone": None}, "no_number"),
        ({"phone": "+49301234567"}, "not_mobile"),
        ({"phone": "+491378123456"}, "special_number"),
        ({"phone": "+49900123456"}, "invalid_number"),
        ({"sms_allowed": False}, "not_allowed"),
    ],
)
async def test_J07_who_cannot_be_texted_fails_for_good(tmp_path: Path, changes: dict[str, object], cause: str) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(house.opened(), house.contact(**changes), house.ordered(), house.proposed(), house.offered())
    (failed,) = await world.told(NoticeFailed)
    assert (failed.cause, failed.permanence, failed.after_send, failed.try_no) == (cause, "permanent", False, 1)
    assert (world.rings, await world.states()) == (0, {"N01": "FAILED"})
    await world.close()


async def test_a_second_offer_of_the_work_order_has_its_own_code(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.offered())
    await world.hears(house.moved("T32", "AWAITING_REPLY", "MANUAL_FOLLOW_UP"), house.offered(attempt=2))
    first, second = [text.split("OK ")[1][:11] for text in world.texts]
    assert first != second
    assert [row.state for row in await world.stage.rows("dialogues")] == ["VOID", "OPEN"]
    await world.close()


async def test_J41_a_cancellation_in_the_field_stops_the_technician_at_any_hour(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    async with world.stage.http("admin") as admin:
        answer = await admin.put(f"/v1/staff-contacts/{TECHNICIAN}", json={"number": TECHNICIAN_MOBILE})
    assert (answer.status_code, answer.json()["number"]) == (200, "+49 ••• ••• •99")
    await world.hears(*house.known(), house.confirmed(), house.moved("T07", "AWAITING_REPLY", "READY"))
    world.stage.clock.advance(timedelta(hours=13))
    await world.hears(house.moved("T29", "READY", "MANUAL_FOLLOW_UP", version=2))
    (taken,) = world.gateway.taken.values()
    assert (taken.to, taken.text.split(":")[1].strip()) == (TECHNICIAN_MOBILE, "STOPP")
    assert await world.states() == {"N05": "SUPPRESSED", "N09": "SENT"}
    assert [fact.rule_id for fact in await world.told(NoticeSent)] == ["N09"]
    assert await world.told(MessageRecorded) == []
    await world.close()


async def test_T29_from_a_state_without_a_technician_on_his_way_texts_nobody(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.offered())
    await world.hears(house.moved("T29", "AWAITING_REPLY", "MANUAL_FOLLOW_UP"))
    assert (world.rings, await world.states()) == (1, {"N01": "SENT"})
    await world.close()


async def test_a_text_to_a_technician_without_a_number_fails_visibly(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.confirmed(), house.moved("T07", "AWAITING_REPLY", "READY"))
    await world.hears(house.moved("T29", "READY", "MANUAL_FOLLOW_UP", version=2))
    assert [(fact.rule_id, fact.cause) for fact in await world.told(NoticeFailed)] == [("N09", "no_number")]
    await world.close()


async def test_J13_STOP_ends_all_texts_and_is_told_at_every_open_case(tmp_path: Path) -> None:
    world, house, other = await World.open(tmp_path, replies("STOP {code}")), House(), House(2)
    await world.hears(*other.known(), other.confirmed(), *house.known(), house.offered())
    await world.passes(timedelta(hours=4))
    assert [fact.case_id for fact in await world.told(CustomerOptedOut)] == [other.case_id, house.case_id]
    assert [fact.reading for fact in await world.told(ReplyReceived)] == [Reading.STOP]
    assert world.texts[-1].startswith("Stadtwerke Auental: Sie erhalten keine SMS mehr")
    assert (await world.states())["N05"] == "SUPPRESSED"
    await world.hears(house.offered(attempt=2))
    assert [fact.cause for fact in await world.told(NoticeFailed)] == ["opted_out"]
    assert world.rings == 2
    await world.close()


async def test_after_a_purge_no_number_name_or_text_is_left(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path, replies("Grüße von Kanarienvogel {code}")), House()
    await world.hears(house.opened(), house.contact(name="Kanarienvogel Ü"), house.ordered(), house.proposed())
    await world.hears(house.offered())
    await world.passes(timedelta(hours=4))
    await world.stage.hears_forget(ContactRecorded, str(house.case_id))
    await world.hears(example(CasePurged, case_id=house.case_id, scope="contact"))
    ours = [name for name in world.stage.service.metadata.tables if name not in KERNEL]
    dump = repr([tuple(row) for name in ours for row in await world.stage.rows(name)])
    assert [canary for canary in ("Kanarienvogel", MOBILE[3:], "Stromzähler") if canary in dump] == []
    assert [row.text for row in await world.notices()] == ["[purged]"]
    await world.close()


async def test_a_cancelled_case_gets_no_text_any_more(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.confirmed(), house.moved("T07", "AWAITING_REPLY", "READY"))
    await world.hears(example(CaseCancelled, case_id=house.case_id))
    await world.hears(house.offered(attempt=2))
    await world.passes(until=house.block)
    assert (world.rings, set((await world.states()).values())) == (0, {"SUPPRESSED"})
    await world.close()


async def test_J22_the_customer_of_a_follow_up_hears_of_it_although_the_case_is_completed(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), example(CaseCompleted, case_id=house.case_id), house.offered())
    assert world.rings == 1
    await world.close()


async def test_a_new_number_of_the_contact_is_the_one_that_is_texted_and_answers(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known())
    await world.hears(house.contact(version=2, phone=OTHER_MOBILE))
    await world.hears(house.contact(version=1), house.offered())
    (taken,) = world.gateway.taken.values()
    assert taken.to == OTHER_MOBILE
    assert [len(row.cases) for row in await world.stage.rows("lines")].count(1) == 1
    world.gateway.say(OTHER_MOBILE, "OK")
    await world.passes(timedelta(seconds=1))
    assert [fact.match for fact in await world.told(ReplyReceived)] == [Match.NUMBER_UNIQUE]
    await world.close()


async def test_a_customer_is_addressed_in_his_language_or_the_operators(tmp_path: Path) -> None:
    world, norwegian, french = await World.open(tmp_path), House(1), House(2, OTHER_MOBILE)
    for house, language in ((norwegian, "nb"), (french, "fr")):
        await world.hears(house.opened(), house.contact(language=language), house.ordered(), house.proposed())
        await world.hears(house.offered())
    assert [text[20:40] for text in world.texts] == ["Vi bytter strømmåler", "Ihr Stromzähler wird"]
    await world.close()


async def test_a_replay_of_everything_sends_nothing_again(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.offered())
    await world.hears(house.confirmed(by="staff", notice=True))
    await world.hears(house.opened(), house.contact(), house.offered(), house.confirmed(by="staff", notice=True))
    assert (world.rings, sorted(await world.states())) == (2, ["N01", "N04", "N05"])
    await world.close()
