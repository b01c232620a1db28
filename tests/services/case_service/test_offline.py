"""A technician without a network: the queue goes up in order, is killed at any moment, and goes up again (B5)."""

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kit import faults
from tests.services.case_service.story import Story, wire
from tests.unit.case_service.builders import a_report

KILLS = ("before", "http.flushed", "http.committed", "after")
"""Before the request leaves, in its transaction, behind its commit, and with the answer lost on the way."""
EDITS = 30


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    begun = await Story.begin(tmp_path)
    yield begun
    await begun.stage.close()


class Phone:
    """A field client: items with ids of their own, sent in order until each has its answer."""

    def __init__(self, client: httpx.AsyncClient, seed: int) -> None:
        self.client, self.random = client, random.Random(seed)
        self.queue: list[tuple[str, str, dict[str, Any]]] = []
        self.kills = 0

    def later(self, path: str, body: dict[str, Any]) -> None:
        self.queue.append((f"item-{len(self.queue)}-{self.random.random()}", path, body))

    async def sync(self) -> list[httpx.Response]:
        """Send all items; after each kill the app starts again with what has no answer yet."""
        answers: list[httpx.Response] = []
        while len(answers) < len(self.queue):
            key, path, body = self.queue[len(answers)]
            kill = self.random.choice((*KILLS, None))
            answer = await self._send(key, path, body, kill)
            if answer is None:
                self.kills += 1
            else:
                answers.append(answer)
        return answers

    async def _send(self, key: str, path: str, body: dict[str, Any], kill: str | None) -> httpx.Response | None:
        if kill == "before":
            return None

        def die(point: str) -> None:
            if point == kill:
                raise faults.Crashed

        try:
            with faults.armed(die):
                answer = await self.client.post(path, json=body, headers={"Idempotency-Key": key})
        except faults.Crashed:
            return None
        return None if kill == "after" else answer


@pytest.mark.parametrize("seed", range(4))
async def test_B5_a_sync_that_is_killed_loses_nothing_and_does_nothing_twice(story: Story, seed: int) -> None:
    await story.is_booked()
    order = await story.order()
    seen, path = order.version, f"/v1/work-orders/{order.work_order_id}"
    async with story.person("anna") as anna, story.person("tom") as tom:
        desk = [{"form_key": "survey", "field": "field-7", "value": "from the desk"}]
        await anna.post(f"{path}/edits", json={"downloaded_version": seen, "edits": desk})
        phone = Phone(tom, seed)
        phone.later(f"{path}/moves", {"move": "start", "downloaded_version": seen})
        for number in range(EDITS):
            edits = [{"form_key": "survey", "field": f"field-{number}", "value": number}]
            phone.later(f"{path}/edits", {"downloaded_version": seen, "edits": edits})
        phone.later(f"{path}/moves", {"move": "resolve", "downloaded_version": seen, "report": wire(a_report())})
        answers = await phone.sync()
    assert {answer.status_code for answer in answers} == {200}
    assert phone.kills > EDITS
    (kept,) = await story.stage.rows("answers")
    wanted = {f"field-{number}": number for number in range(EDITS)} | {"field-7": "from the desk"}
    assert kept.given == {"survey": wanted}
    (conflict,) = await story.stage.rows("field_conflicts")
    assert (conflict.field, conflict.present, conflict.edited) == ("field-7", {"value": "from the desk"}, {"value": 7})
    assert (await story.path())[-2:] == ["T18", "T20"]
    assert (len(await story.stage.rows("visits")), (await story.order()).downloaded_version) == (1, seen)
    edits = [row for row in await story.stage.rows("audit") if row.action == "answers:edit"]
    assert len(edits) == EDITS + 1


async def test_B5_both_edited_one_field_and_a_dispatcher_decides(story: Story) -> None:
    await story.is_booked()
    order = await story.order()
    path = f"/v1/work-orders/{order.work_order_id}/edits"
    async with story.person("anna") as anna, story.person("tom") as tom:
        mine = [{"form_key": "survey", "field": "floor", "value": 2}]
        theirs = [*mine, {"form_key": "survey", "field": "door", "value": "left"}]
        theirs[0] = mine[0] | {"value": 3}
        await anna.post(path, json={"downloaded_version": 1, "edits": mine})
        merged = (await tom.post(path, json={"downloaded_version": 1, "edits": theirs})).json()
        assert merged["answers"] == {"survey": {"floor": 2, "door": "left"}}
        (item,) = (await anna.get("/v1/field-conflicts")).json()["items"]
        assert (item["present"], item["edited"], item["edited_by"]) == ({"value": 2}, {"value": 3}, "person:local:tom")
        decide = f"/v1/field-conflicts/{item['conflict_id']}/decide"
        assert (await tom.post(decide, json={"keep": "edited"})).status_code == 403
        assert [(await anna.post(decide, json={"keep": "edited"})).status_code for _ in range(2)] == [200, 409]
        read = (await anna.get(path.replace("edits", "answers"))).json()
    assert read["answers"]["survey"]["floor"] == 3


async def test_B5_the_version_that_was_downloaded_is_stored_and_not_enforced(story: Story) -> None:
    await story.is_booked()
    await story.moves("tom", "start", downloaded_version=1)
    assert ((await story.order()).version > 1, (await story.order()).downloaded_version) == (True, 1)
    client = {"downloaded_version": 2, "clock_offset_s": -3}
    await story.reports(a_report(client=client))
    assert (await story.order()).downloaded_version == 2
