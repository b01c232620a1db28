"""Another team's view: a plain consumer and Kafka's own console consumer read what case_service tells."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaConsumer, TopicPartition
from fastapi import APIRouter
from jsonschema import Draft202012Validator

from contracts.topics import TOPICS
from kit import tables
from kit.clock import ManualClock
from kit.db import kernel
from kit.handlers import Handlers
from kit.kafka import KafkaBus
from kit.service import Runtime, Service, open_store
from kit.testing import MONDAY_MORNING
from services.case_service.app import build
from services.case_service.domain.case import Case
from services.case_service.settings import Settings
from tests.adapters.on_kafka import fresh
from tests.adapters.world import until
from tests.servers.install import java, kafka_jars
from tests.unit.case_service.builders import an_order

ORDERS = 5
OPENED = "rollout.case.opened.v1"
SCHEMAS = Path(__file__).parents[2] / "contracts" / "schemas"


@pytest.fixture
async def told(kafka_bootstrap: str, tmp_path: Path) -> AsyncIterator[str]:
    """A Kafka on whose topics case_service told of some cases."""
    await fresh(kafka_bootstrap)
    settings = Settings(data_dir=tmp_path, bus="kafka", kafka={"servers": kafka_bootstrap})  # type: ignore[arg-type]
    clock = ManualClock(MONDAY_MORNING)
    adapter, service, bus = an_adapter(settings, clock), build(settings, clock), KafkaBus(settings)
    await bus.start()
    await bus.provision(TOPICS.values())
    runtimes = [Runtime(each, bus) for each in (adapter, service)]
    for runtime in runtimes:
        await runtime.service.store.db.transact(runtime.service.metadata.create_all)
        await runtime.start()
    orders = [
        an_order(order_key=f"erp-a:{number}", order_no=str(number), metering_point_id=f"point-{number}")
        for number in range(ORDERS)
    ]
    await adapter.store.run(adapter.store.actor, lambda unit: unit.tell(*orders))

    async def all_told() -> bool:
        def query(db: sa.Connection) -> tuple[int, int]:
            opened = db.scalar(sa.select(sa.func.count()).select_from(tables.event_log)) or 0
            return opened, db.scalar(sa.select(sa.func.count()).select_from(tables.outbox)) or 0

        logged, waiting = await service.store.read(query)
        return logged >= ORDERS * 3 and waiting == 0

    await until(all_told)
    yield kafka_bootstrap
    for runtime in runtimes:
        await runtime.stop()
    await bus.stop()


async def test_every_record_of_a_public_topic_validates_against_its_schema(told: str) -> None:
    consumer = AIOKafkaConsumer(
        "rollout.cases",
        bootstrap_servers=told,
        group_id="team.billing.invoices",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    seen, sequences = [], dict[str, list[int]]()
    try:
        while seen.count(OPENED) < ORDERS:
            record = await asyncio.wait_for(consumer.getone(), 30)
            headers = {name: value.decode() for name, value in record.headers}
            schema = json.loads((SCHEMAS / f"{headers['ce_type']}.json").read_text("utf-8"))
            Draft202012Validator(schema).validate(json.loads(record.value))
            seen.append(headers["ce_type"])
            sequences.setdefault(headers["ce_subject"], []).append(int(headers["ce_sequence"]))
            await consumer.commit({TopicPartition(record.topic, record.partition): record.offset + 1})
    finally:
        await consumer.stop()
    assert len(sequences) == ORDERS
    assert all(each == list(range(1, len(each) + 1)) for each in sequences.values())


async def test_kafkas_console_consumer_reads_the_topic_with_its_headers(told: str) -> None:
    command = [
        *(java(), "-cp", kafka_jars(), "org.apache.kafka.tools.consumer.ConsoleConsumer"),
        *("--bootstrap-server", told, "--topic", "rollout.cases", "--group", "team.billing.look"),
        *("--from-beginning", "--max-messages", str(ORDERS), "--timeout-ms", "30000"),
        *("--formatter-property", "print.headers=true", "--formatter-property", "print.key=true"),
    ]
    shown = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=True)
    lines = [line for line in shown.stdout.splitlines() if "ce_type:rollout.case." in line]
    assert len(lines) == ORDERS
    assert all("ce_specversion:1.0" in line and '"case_id"' in line for line in lines)


def an_adapter(settings: Settings, clock: ManualClock) -> Service:
    """Whoever tells orders."""
    metadata = sa.MetaData()
    kernel(metadata)
    store = open_store("mdm_adapter", settings, {}, clock)
    return Service(
        "mdm_adapter", settings, store, Handlers(main=Case), metadata, APIRouter(), tells=("rollout.orders",)
    )
