"""One dispatcher asks many customers at once: every item is moved, refused or failed, and each text goes out once."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.demo import Embedded, rollout
from simulators.story import Story

ORDERS, WITHOUT_MOBILE = 45, 5
Item = dict[str, Any]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return asyncio.run(_ask_all(tmp_path_factory.mktemp("bulk")))


async def _ask_all(folder: Path) -> dict[str, Any]:
    told = [Story(number, mobile=number > WITHOUT_MOBILE) for number in range(1, ORDERS + 1)]
    async with rollout(told, 7, folder) as stage:
        return await _bulk(stage)


async def _bulk(stage: Embedded) -> dict[str, Any]:
    await stage.cast.set_up()
    await stage.cast.erp.act()
    await stage.settle()
    await _move_all(stage, "start_planning")
    for item in await _orders(stage):
        await _assign(stage, item)
    await stage.settle()
    first = await _move_all(stage, "send_booking")
    while stage.clock.now().hour < 8:  # no texts at night
        stage.clock.advance(timedelta(minutes=30))
        await stage.settle()
    states = [item["state"] for item in await _orders(stage)]
    again = await stage.cast.planner.post(f"/case/v1/bulk-moves/{first['batch_id']}/retry", {})
    rings = [taken.rings for taken in stage.cast.gateway.taken.values()]
    return {"first": first, "states": states, "again": again, "rings": rings}


async def _move_all(stage: Embedded, move: str) -> Item:
    """Plan, look at the preview, run; gives the batch when it is done."""
    anna = stage.cast.planner
    ids = [item["work_order_id"] for item in await _orders(stage)]
    planned = await anna.post("/case/v1/bulk-moves", {"move": move, "ids": ids, "arguments": {}})
    where = f"/case/v1/bulk-moves/{planned.body['batch_id']}"
    await stage.settle()
    preview = (await anna.get(where))["preview"]
    assert (await anna.post(f"{where}/run", {})).ok
    await stage.settle()
    return await anna.get(where) | {"seen": preview}


async def _assign(stage: Embedded, item: Item) -> None:
    found = await stage.cast.planner.get("/booking/v1/slots", work_order=item["work_order_id"], limit=1)
    slot = {name: found["slots"][0][name] for name in ("technician_id", "start", "minutes", "window")}
    answer = await stage.cast.planner.post("/booking/v1/appointments", {"work_order_id": item["work_order_id"], **slot})
    assert answer.ok, answer.body


async def _orders(stage: Embedded) -> list[Item]:
    page = await stage.cast.planner.get("/case/v1/work-orders", limit=500)
    return list(page["items"])


def test_J59_every_item_is_asked_or_refused_with_its_code(asked: dict[str, Any]) -> None:
    batch = asked["first"]
    assert (batch["state"], batch["selected"]) == ("done", ORDERS)
    assert batch["counts"] == {"pending": 0, "moved": ORDERS - WITHOUT_MOBILE, "refused": WITHOUT_MOBILE, "failed": 0}
    assert batch["codes"] == {"no-mobile": WITHOUT_MOBILE}
    assert batch["seen"] == {"would_move": ORDERS - WITHOUT_MOBILE, "no-mobile": WITHOUT_MOBILE}


def test_J59_who_was_asked_waits_for_the_answer_and_each_phone_rang_once(asked: dict[str, Any]) -> None:
    assert sorted(set(asked["states"])) == ["AWAITING_REPLY", "PLANNING"]
    assert asked["states"].count("AWAITING_REPLY") == ORDERS - WITHOUT_MOBILE
    assert asked["rings"] == [1] * (ORDERS - WITHOUT_MOBILE)


def test_J59_a_retry_touches_what_failed_only_and_nothing_had(asked: dict[str, Any]) -> None:
    assert (asked["again"].status, asked["again"].code) == (409, "move-not-allowed")
