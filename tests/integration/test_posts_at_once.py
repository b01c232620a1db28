"""A partner posts from many connections at once: every message is taken, a copy is no second message."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from kit.auth import Scope
from services.mdm_adapter.app import build
from services.mdm_adapter.archive import broken_links
from services.mdm_adapter.settings import Settings
from services.mdm_adapter.store import chain
from tests.services.kit.probe import probing
from tests.services.mdm_adapter.scenes import Scene, order

XML = {"Content-Type": "application/xml"}
POSTS = 20


@pytest.fixture
async def scene(tmp_path: Path, new_database: Callable[[], str]) -> AsyncIterator[Scene]:
    """An empty adapter on PostgreSQL, where transactions run side by side."""
    opened = await Scene.open(build, tmp_path, settings=Settings, database_url=new_database())
    yield opened
    await opened.close()


@pytest.mark.parametrize("kinds", [1, POSTS], ids=["copies", "different"])
async def test_posts_at_once_are_all_taken_and_each_content_is_kept_once(scene: Scene, kinds: int) -> None:
    async with scene.partner() as client:
        posts = [client.post("/v1/in/erp-a", content=order(f"WO-{at % kinds}"), headers=XML) for at in range(POSTS)]
        answers = await asyncio.gather(*posts)
    assert [answer.status_code for answer in answers] == [202] * POSTS
    assert len({answer.json()["receipt"] for answer in answers}) == kinds
    assert (len(await scene.rows("archive")), len(await scene.rows("inbound_messages"))) == (kinds, POSTS)
    everything = Scope.everything("the check looks at all")
    assert broken_links(await scene.store.read(lambda db: chain(db, everything))) == (kinds, [])


async def test_two_processes_asked_the_same_at_once_do_it_once_and_answer_alike(
    tmp_path: Path, new_database: Callable[[], str]
) -> None:
    async with probing(tmp_path, database_url=new_database()) as first:
        second = first.beside()
        async with first.client() as here, second.client() as there:
            asked = [
                client.post("/v1/notes", json={"number": number}, headers={"Idempotency-Key": f"note-{number}"})
                for number in range(20, 20 + POSTS)
                for client in (here, there)
            ]
            answers = await asyncio.gather(*asked)
        assert [answer.status_code for answer in answers] == [201] * 2 * POSTS
        assert [answer.content for answer in answers[::2]] == [answer.content for answer in answers[1::2]]
        assert await first.written() == POSTS
        await second.store.db.close()
