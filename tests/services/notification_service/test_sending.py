"""What a vendor can do to a text, and that the phone rings once at most."""

from datetime import timedelta
from pathlib import Path

import pytest

from contracts.notices import NoticeDelivered, NoticeFailed, NoticeSent
from simulators.sms_gateway.script import Callback, Plan, Try
from tests.services.notification_service.story import House, World

NOW, SOON = timedelta(), timedelta(seconds=5)


async def offered(folder: Path, plan: Plan) -> tuple[World, House]:
    """A world in which one offer was handed over, with this fate."""
    world, house = await World.open(folder, plan), House()
    await world.hears(*house.known(), house.offered())
    return world, house


async def tries(world: World) -> list[tuple[str, str, int]]:
    """What was told of failures."""
    return [(fact.permanence, fact.cause, fact.try_no) for fact in await world.told(NoticeFailed)]


@pytest.mark.parametrize(("met", "cause"), [(Try.BUSY, "rate_limited"), (Try.BROKEN, "vendor_5xx")])
async def test_J06_a_passing_failure_is_told_and_tried_again(tmp_path: Path, met: Try, cause: str) -> None:
    world, _ = await offered(tmp_path, Plan((met, met, Try.ACCEPT)))
    assert await tries(world) == [("transient", cause, 1)]
    await world.passes(timedelta(minutes=1))
    assert await tries(world) == [("transient", cause, 1), ("transient", cause, 2)]
    await world.passes(timedelta(minutes=5))
    assert (len(await world.told(NoticeSent)), world.rings) == (1, 1)
    assert await world.states() == {"N01": "SENT"}
    await world.close()


async def test_J06_the_fourth_failure_is_for_good(tmp_path: Path) -> None:
    world, _ = await offered(tmp_path, Plan((Try.BUSY,)))
    await world.passes(timedelta(hours=2))
    assert await tries(world) == [
        ("transient", "rate_limited", 1),
        ("transient", "rate_limited", 2),
        ("transient", "rate_limited", 3),
        ("permanent", "retries_exhausted", 4),
    ]
    assert (world.rings, await world.states()) == (0, {"N01": "FAILED"})
    await world.close()


async def test_J07_what_the_vendor_refuses_is_not_tried_again(tmp_path: Path) -> None:
    world, _ = await offered(tmp_path, Plan((Try.REFUSE,)))
    await world.passes(timedelta(hours=2))
    assert await tries(world) == [("permanent", "invalid_number", 1)]
    await world.close()


async def test_a_lost_answer_is_asked_for_and_the_phone_rings_once(tmp_path: Path) -> None:
    world, _ = await offered(tmp_path, Plan((Try.HANG,), callbacks=()))
    assert (await world.states(), await world.told(NoticeSent)) == ({"N01": "UNKNOWN"}, [])
    await world.passes(timedelta(minutes=2))
    assert (await world.states(), len(await world.told(NoticeSent)), world.rings) == ({"N01": "SENT"}, 1, 1)
    assert await world.told(NoticeFailed) == []
    await world.close()


async def test_a_lost_request_that_the_vendor_never_saw_is_sent_once_more(tmp_path: Path) -> None:
    world, _ = await offered(tmp_path, Plan((Try.DROP, Try.ACCEPT), callbacks=()))
    assert (await world.states(), world.rings) == ({"N01": "UNKNOWN"}, 0)
    await world.passes(timedelta(minutes=2))
    assert (await world.states(), len(await world.told(NoticeSent)), world.rings) == ({"N01": "SENT"}, 1, 1)
    await world.close()


async def test_a_vendor_who_fails_after_he_took_it_is_not_given_it_twice(tmp_path: Path) -> None:
    world, _ = await offered(tmp_path, Plan((Try.LIE,), callbacks=()))
    await world.passes(timedelta(hours=1))
    assert (await world.states(), len(await world.told(NoticeSent)), world.rings) == ({"N01": "SENT"}, 1, 1)
    await world.close()


async def test_a_receipt_with_our_reference_ends_an_unknown_fate(tmp_path: Path) -> None:
    world, _ = await offered(tmp_path, Plan((Try.HANG,), (Callback(SOON, status="DELIVERED"),)))
    await world.passes(SOON)
    assert [type(fact).__name__ for fact in (await world.stage.told())] == [
        "NoticeSent",
        "NoticeDelivered",
        "MessageRecorded",
    ]
    await world.passes(timedelta(hours=1))
    assert (len(await world.told(NoticeSent)), world.rings) == (1, 1)
    await world.close()


async def test_a_fate_that_nobody_can_tell_ends_with_a_person(tmp_path: Path) -> None:
    world, _ = await offered(tmp_path, Plan((Try.HANG,), callbacks=()))
    world.gateway.taken.clear()
    world.gateway.api_key = "changed"  # from here on the vendor answers no question
    await world.passes(timedelta(hours=2))
    assert await tries(world) == [("permanent", "outcome_unknown", 4)]
    assert await world.states() == {"N01": "FAILED"}
    await world.close()


async def test_an_offer_that_is_moved_while_its_fate_is_unknown_is_not_sent_again(tmp_path: Path) -> None:
    world, house = await offered(tmp_path, Plan((Try.DROP, Try.ACCEPT)))
    await world.hears(house.moved_to(house.block + timedelta(days=1)))
    await world.passes(timedelta(hours=1))
    (text,) = world.texts  # perhaps the customer has the offer: the new time is told
    assert ("wurde verlegt" in text, await world.states()) == (True, {"N01": "SUPPRESSED", "N06": "DELIVERED"})
    await world.close()


async def test_I14_a_retry_that_falls_into_the_night_waits_for_the_morning(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path, Plan((Try.BUSY, Try.BUSY, Try.ACCEPT))), House()
    world.stage.clock.advance(timedelta(hours=10, minutes=55))  # 19:55
    await world.hears(*house.known(), house.offered())
    await world.passes(timedelta(minutes=30))
    assert (world.rings, await world.states()) == (0, {"N01": "HELD"})
    await world.passes(timedelta(hours=12))
    (sent,) = await world.told(NoticeSent)
    assert (f"{sent.sent_at:%d %H}", world.rings) == ("03 07", 1)  # after eight in Berlin
    await world.close()


@pytest.mark.parametrize(
    ("statuses", "state", "facts"),
    [
        (("TRANSMITTED", "DELIVERED"), "DELIVERED", ["NoticeSent", "NoticeDelivered"]),
        (("DELIVERED", "TRANSMITTED"), "DELIVERED", ["NoticeSent", "NoticeDelivered"]),
        (("DELIVERED", "NOTDELIVERED"), "DELIVERED", ["NoticeSent", "NoticeDelivered"]),
        (("NOTDELIVERED", "DELIVERED"), "UNDELIVERED", ["NoticeSent", "NoticeFailed"]),
        (("UNKNOWN", "BUFFERED"), "SENT", ["NoticeSent"]),
    ],
)
async def test_receipts_in_any_order_and_twice_move_a_notice_only_forward(
    tmp_path: Path, statuses: tuple[str, ...], state: str, facts: list[str]
) -> None:
    calls = tuple(Callback(SOON * number, status=status, copies=2) for number, status in enumerate(statuses, 1))
    world, _ = await offered(tmp_path, Plan(callbacks=calls))
    await world.passes(timedelta(minutes=1))
    told = [type(fact).__name__ for fact in await world.stage.told() if not hasattr(fact, "text")]
    assert (await world.states(), told) == ({"N01": state}, facts)
    assert sorted({row.status for row in await world.stage.rows("receipts")}) == sorted(statuses)
    await world.close()


async def test_a_delivery_that_failed_says_that_the_vendor_had_it(tmp_path: Path) -> None:
    world, _ = await offered(tmp_path, Plan(callbacks=(Callback(SOON, status="NOTDELIVERED"),)))
    await world.passes(SOON)
    (failed,) = await world.told(NoticeFailed)
    assert (failed.cause, failed.permanence, failed.after_send) == ("undelivered", "permanent", True)
    assert await world.told(NoticeDelivered) == []
    await world.close()


async def test_without_a_vendor_nothing_is_lost_and_the_failure_is_told(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path, sms_url=None), House()
    await world.hears(*house.known(), house.offered())
    assert await tries(world) == [("transient", "connection", 1)]
    await world.close()


async def test_the_text_stands_in_no_effect(tmp_path: Path) -> None:
    world, _ = await offered(tmp_path, Plan())
    (effect,) = await world.stage.rows("effects")
    assert sorted(effect.payload) == ["case_id", "notice_id"]
    assert effect.unique_key == next(iter(world.gateway.taken))
    await world.close()
