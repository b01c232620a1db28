"""A partner on a Kafka cluster of its own: its records are messages, each once, and so are ours in its topic."""

import asyncio
import time
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.mdm_adapter.app import build
from services.mdm_adapter.settings import Settings
from tests.services.mdm_adapter.agreements import agreed
from tests.services.mdm_adapter.erp import text
from tests.services.mdm_adapter.scenes import POINT, Scene, opened, order, requested, visited

LIMIT = 60.0


class OnTopics(Scene):
    """ERP N orders by one topic and hears in another."""

    orders: str
    news: str
    servers: str

    async def puts(self, *contents: bytes) -> None:
        """Records of the partner."""
        async with AIOKafkaProducer(bootstrap_servers=self.servers) as producer:
            for content in contents:
                await producer.send_and_wait(self.orders, content)

    async def takes(self, count: int) -> None:
        """The adapter looks until it has stored so many messages in all."""
        end = time.monotonic() + LIMIT
        while len(await self.rows("inbound_messages")) < count:
            assert time.monotonic() < end, "the records did not come"
            await self.service.polls["topics"]()
        await self.works()

    async def heard(self, count: int) -> list[Any]:
        """What lies in the partner's topic."""
        consumer = AIOKafkaConsumer(self.news, bootstrap_servers=self.servers, auto_offset_reset="earliest")
        async with consumer:
            return [await asyncio.wait_for(consumer.getone(), LIMIT) for _ in range(count)]


async def provided(servers: str, *topics: str) -> None:
    """The partner's own topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1) for topic in topics])
    finally:
        await admin.close()


@pytest.fixture
async def scene(tmp_path: Path, kafka_bootstrap: str) -> AsyncIterator[OnTopics]:
    """An adapter with a partner on the broker of the tests."""
    opened_ = await OnTopics.open(
        build,
        tmp_path,
        settings=Settings,
        partners_dir=tmp_path / "partners",
        partner_clusters={"bus": {"servers": kafka_bootstrap, "protocol": "PLAINTEXT"}},
    )
    name = uuid4().hex
    opened_.orders, opened_.news, opened_.servers = f"orders.{name}", f"news.{name}", kafka_bootstrap
    await provided(kafka_bootstrap, opened_.orders, opened_.news)
    agreed(
        opened_,
        f"{{kind: topic, cluster: bus, topic: {opened_.orders}}}",
        f"{{kind: topic, cluster: bus, topic: {opened_.news}}}",
    )
    yield opened_
    await opened_.service.ports["partner_topic"].close()
    await opened_.close()


def an_order(number: str = "WO-1") -> bytes:
    return order(number, source="ERP-N", message_id=f"M-{number}")


async def test_a_record_is_a_message_and_its_answer_a_record(scene: OnTopics) -> None:
    await scene.puts(an_order())
    await scene.takes(1)
    (answer,) = await scene.heard(1)
    headers = {name: value.decode() for name, value in answer.headers}
    assert (await scene.names(), text(answer.value, "Reply/Result")) == (["OrderReceived"], "OK")
    assert headers["sha256"] == sha256(answer.value).hexdigest()
    assert (headers["noun"], headers["verb"], headers["correlation_id"]) == ("answer", "reply", "M-WO-1")


async def test_documents_of_a_point_have_its_key(scene: OnTopics) -> None:
    await scene.puts(an_order())
    await scene.takes(1)
    await scene.hears(opened("erp-n:WO-1"), visited(), requested())
    await scene.works()
    _, document = await scene.heard(2)
    assert (document.key, dict(document.headers)["noun"]) == (POINT.encode(), b"device_exchange_completed")
    assert (await scene.names())[-1] == "HandoverSent"


async def test_E15_a_hundred_copies_in_a_topic_have_one_effect_and_equal_answers(scene: OnTopics) -> None:
    await scene.puts(*[an_order()] * 100)
    await scene.takes(100)
    for _ in range(30):
        await scene.works()
    answers = await scene.heard(100)
    assert await scene.names() == ["OrderReceived"]
    assert {(text(each.value, "Reply/Result"), text(each.value, "Header/CorrelationID")) for each in answers} == {
        ("OK", "M-WO-1")
    }


async def test_what_was_stored_and_not_committed_is_read_again_and_is_no_second_message(scene: OnTopics) -> None:
    await scene.puts(an_order(), an_order("WO-2"))
    await scene.takes(2)
    topics: Any = scene.service.polls["topics"].__self__  # type: ignore[attr-defined]
    (reader,) = topics._readers.values()
    await reader.stop()  # it dies; and the offset that it had committed is lost
    reader._group = f"{reader._group}.again"
    end = time.monotonic() + LIMIT
    while not await scene.service.polls["topics"]():
        assert time.monotonic() < end
    await scene.works()
    assert (len(await scene.rows("inbound_messages")), len(await scene.heard(2))) == (2, 2)
