"""The real adapter dies at its own points: every order that was dropped is told once, and every file is answered."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kit import faults
from kit.clock import ManualClock
from kit.effects import Effects
from kit.service import Service
from kit.testing import MONDAY_MORNING, numbered_ids
from kit.timers import Timers
from services.mdm_adapter.app import build
from services.mdm_adapter.settings import Settings
from tests.crash.report import say
from tests.services.mdm_adapter.scenes import order

ORDERS = 6
ROW = "B-{};1;exchange;DE000123001010000000000000001234A;Am Hang;7;00101;Nordstadt;01001001"
BATCH = "\n".join(
    (
        "order_no;version;kind;metering_point_id;street;number;postcode;city;municipality",
        *(ROW.format(number) for number in range(ORDERS)),
        "",
    )
)
SOON = timedelta(seconds=75)
"""Lets a lease end and a copy be worked on."""


class Adapter:
    """The adapter as a process that dies at the n-th passing of a point, and starts again on the same files."""

    def __init__(self, folder: Path, point: str, hit: int, **options: Any) -> None:
        self.folder, self.point, self.left, self.options = folder, point, hit, options
        self.clock, self.new_id = ManualClock(MONDAY_MORNING), numbered_ids()
        self.dead, self.deaths = False, 0
        self.service = self.built()

    def built(self) -> Service:
        url = f"sqlite:///{self.folder}/{{service}}.db"
        settings = Settings(data_dir=self.folder, database_url=url, drop_settle_seconds=0, **self.options)
        return build(settings, self.clock, self.new_id)

    def at_point(self, name: str) -> None:
        self.left -= name == self.point
        if self.dead or (name == self.point and self.left == 0):
            self.dead = True
            raise faults.Crashed(name)

    async def lives(self) -> None:
        """Look into the folders, work, send, let time go by; dying in between."""
        for _ in range(12):
            try:
                await self.works()
            except faults.Crashed:
                await self.starts_again()
            self.clock.advance(SOON)

    async def works(self) -> None:
        service, store = self.service, self.service.store
        await service.polls["drop"]()
        while await Timers(service.name, store, service.handlers).fire():
            pass
        while await Effects(store, service.handlers, service.ports).send_due():
            pass

    async def starts_again(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.gather(*others, return_exceptions=True)
        await self.service.store.db.close()
        self.service, self.dead, self.deaths = self.built(), False, self.deaths + 1

    async def rows(self, table: str) -> list[Any]:
        found = self.service.metadata.tables[table]
        return await self.service.store.read(lambda db: list(db.execute(sa.select(found))))


@pytest.mark.parametrize("hit", [1, 3])
@pytest.mark.parametrize("point", faults.GROUPS["inbound"])
async def test_the_adapter_dies_and_no_order_is_lost_or_told_twice(tmp_path: Path, point: str, hit: int) -> None:
    adapter = Adapter(tmp_path, point, hit)
    await adapter.service.store.db.transact(adapter.service.metadata.create_all)
    home = tmp_path / "drop" / "erp-csv"
    (home / "in").mkdir(parents=True)
    for number in range(ORDERS):
        content = order(f"WO-{number}", message_id=f"M-{number}", source="ERP-CSV")
        (home / "in" / f"{number}.xml").write_bytes(content)
    with faults.armed(adapter.at_point):
        await adapter.lives()
    told = [row.key for row in await adapter.rows("outbox")]
    states = {row.state for row in await adapter.rows("inbound_messages")}
    answers = list((home / "out").glob("*.xml"))
    await adapter.service.store.db.close()
    say(f"{point}:{hit} embedded: {adapter.deaths} death, {len(told)} orders told, {len(answers)} answers")
    assert adapter.deaths == 1
    assert sorted(told) == [f"erp-csv:WO-{number}" for number in range(ORDERS)]
    assert "STORED" not in states
    assert not any((home / "in").iterdir())
    assert len(answers) >= ORDERS


@pytest.mark.parametrize("point", ["in.archived", "in.parsed", "in.receipt_sent", "effect.sent", "effect.recorded"])
async def test_X19_a_fetched_batch_is_stored_and_then_acknowledged_once(tmp_path: Path, point: str) -> None:
    """The drop folder is what we poll; the batch's outer id is its name, its acknowledgement the file beside it."""
    adapter = Adapter(tmp_path, point, 1)
    await adapter.service.store.db.transact(adapter.service.metadata.create_all)
    home = tmp_path / "drop" / "erp-csv"
    (home / "in").mkdir(parents=True)
    (home / "in" / "batch.csv").write_text(BATCH)
    with faults.armed(adapter.at_point):
        await adapter.lives()
    told = [row.key for row in await adapter.rows("outbox")]
    await adapter.service.store.db.close()
    assert adapter.deaths == 1
    assert sorted(told) == [f"erp-csv:B-{number}" for number in range(ORDERS)]
    assert [file.name for file in sorted((home / "accepted").iterdir())] == ["batch.csv", "batch.csv.result.json"]
