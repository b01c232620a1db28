"""The same message over and over, on every way, at once and after a restart: one effect, and each is answered alike."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from kit.webhooks import sign
from services.mdm_adapter.app import build, take_in
from services.mdm_adapter.receiving import Arriving
from services.mdm_adapter.settings import Settings
from tests.services.mdm_adapter.agreements import HOOK_REF, SECRET, agreed, kept_secret
from tests.services.mdm_adapter.erp import Erp, text
from tests.services.mdm_adapter.scenes import Scene, order

XML = {"Content-Type": "application/xml"}
COPIES = 100
MANY = 1_000
ADDRESS = "http://erp-n.example/in"


class Again(Scene):
    """A scene that can be ended and begun again on what it has kept."""

    def listen(self) -> None:
        """ERP N keeps what it is sent."""
        self.erp = Erp(lambda _: httpx.Response(200))
        port: Any = self.service.ports["partner_rest"]
        port.client = httpx.AsyncClient(transport=httpx.MockTransport(self.erp.answer))

    async def restarted(self) -> "Again":
        """The service as it comes back."""
        await self.close()
        back = Again(build(self.service.settings, self.clock), self.clock, self.signer)  # type: ignore[arg-type]
        back.listen()
        back._seen = self._seen
        return back

    async def settles(self, answers: int) -> list[tuple[str, str]]:
        """Everything is worked on; what each answer says."""
        while len(self.erp.got) < answers:
            before = len(self.erp.got)
            await self.works()
            assert len(self.erp.got) > before, f"{before} answers, and no more"
        await self.works()
        return [(text(each, "Reply/Result"), text(each, "Header/CorrelationID")) for each in self.erp.got]


@pytest.fixture
async def scene(tmp_path: Path, new_database: Callable[[], str]) -> AsyncIterator[Again]:
    """An adapter on PostgreSQL, where transactions run side by side, with a partner on every way."""
    opened = await Again.open(
        build,
        tmp_path,
        settings=Settings,
        database_url=new_database(),
        drop_settle_seconds=0,
        partners_dir=tmp_path / "partners",
    )
    agreed(
        opened,
        "{kind: rest}, {kind: webhook}, {kind: file_drop}",
        f"{{kind: rest, url: '{ADDRESS}'}}",
        f"secrets: {{webhook_in: [{HOOK_REF}]}}\nlimits: {{per_minute: 100000}}",
    )
    kept_secret(opened, HOOK_REF)
    opened.listen()
    yield opened
    await opened.close()


def an_order(number: str = "WO-1", city: str = "Nordstadt", message_id: str = "M-1") -> bytes:
    return order(number, source="ERP-N", message_id=message_id, city=city)


async def by_rest(scene: Again, count: int) -> None:
    async with scene.partner("erp-n") as client:
        posts = [client.post("/v1/in/erp-n", content=an_order(), headers=XML) for _ in range(count)]
        answers = await asyncio.gather(*posts)
    assert {(each.status_code, each.content) for each in answers} == {(202, answers[0].content)}


async def by_webhook(scene: Again, count: int) -> None:
    """Each call has an id of its own: a repeated id is no second message at all."""
    at = int(scene.clock.now().timestamp())
    ids = [uuid4().hex for _ in range(count)]
    signed = [
        {"webhook-id": each, "webhook-timestamp": str(at), "webhook-signature": sign(SECRET, each, at, an_order())}
        for each in ids
    ]
    async with scene.partner("erp-n") as client:
        posts = [client.post("/v1/hooks/erp-n", content=an_order(), headers=XML | head) for head in signed]
        answers = await asyncio.gather(*posts)
    assert {(each.status_code, each.content) for each in answers} == {(202, answers[0].content)}


async def by_file(scene: Again, count: int) -> None:
    folder = scene.service.settings.data_dir / "drop" / "erp-n" / "in"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"order-{number}.xml").write_bytes(an_order())
    await scene.service.polls["drop"]()


async def by_exchange(scene: Again, count: int) -> None:
    """As the ways without a request hand over what they found: side by side."""
    await asyncio.gather(*(take_in(scene.store, Arriving("erp-n", an_order(), "topic")) for _ in range(count)))


Way = Callable[[Again, int], Any]


@pytest.mark.parametrize("way", [by_rest, by_webhook, by_file, by_exchange])
async def test_E15_a_hundred_copies_on_a_way_and_more_after_a_restart_have_one_effect(scene: Again, way: Way) -> None:
    await way(scene, COPIES)
    first = await scene.settles(COPIES)
    assert await scene.names() == ["OrderReceived"]
    back = await scene.restarted()
    agreed(
        back,
        "{kind: rest}, {kind: webhook}, {kind: file_drop}",
        f"{{kind: rest, url: '{ADDRESS}'}}",
        f"secrets: {{webhook_in: [{HOOK_REF}]}}\nlimits: {{per_minute: 100000}}",
    )
    await way(back, COPIES)
    second = await back.settles(COPIES)
    assert (set(first), set(second), await back.names()) == ({("OK", "M-1")}, {("OK", "M-1")}, [])
    assert (len(first), len(second)) == (COPIES, COPIES)
    await back.close()


async def test_E15_copies_on_different_ways_are_copies_of_each_other(scene: Again) -> None:
    for way in (by_rest, by_webhook, by_file):
        await way(scene, 10)
    answers = await scene.settles(30)
    assert (set(answers), len(answers), await scene.names()) == ({("OK", "M-1")}, 30, ["OrderReceived"])


async def test_X08_a_thousand_at_once_have_one_effect_and_equal_answers_and_other_bytes_are_a_conflict(
    scene: Again,
) -> None:
    await by_rest(scene, MANY)
    answers = await scene.settles(MANY)
    assert (set(answers), len(answers), await scene.names()) == ({("OK", "M-1")}, MANY, ["OrderReceived"])
    await scene.comes(an_order(city="Südstadt"), "erp-n")
    await scene.comes(an_order(city="Südstadt", message_id="M-2"), "erp-n")
    causes = [row.cause for row in await scene.rows("quarantine")]
    assert sorted(causes) == ["CONFLICT", "ID_REUSED"]


async def test_X09_a_copy_is_known_after_a_restart_and_after_399_days(scene: Again) -> None:
    await by_rest(scene, 1)
    await scene.settles(1)
    back = await scene.restarted()
    back.clock.set(back.clock.now() + timedelta(days=399))
    agreed(back, "{kind: rest}", f"{{kind: rest, url: '{ADDRESS}'}}")
    await back.comes(an_order(), "erp-n")
    await back.comes(an_order(message_id="M-9"), "erp-n")  # the same content in another envelope
    assert [text(each, "Reply/Result") for each in back.erp.got] == ["OK", "OK"]
    assert (await back.names(), len(await back.rows("orders"))) == (["OrderReceived"], 1)
    await back.close()
