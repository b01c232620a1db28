"""Deliveries that concern nobody take no transaction, and never move a position over what was not applied."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from contracts.handovers import HandoverAccepted
from kit import tables
from kit.bus import Abandon, Record
from kit.handlers import Handlers, Received
from kit.processing import MOST_UNWRITTEN, Processor
from kit.relay import Relay
from kit.store import Unit
from tests.adapters.tally import Tally
from tests.adapters.test_bus_suite import sent
from tests.adapters.world import World, accepted, local

READER = "reader"


class Reader:
    """A reader that hears of accepted handovers only."""

    def __init__(self, world: World, records: Sequence[Record]) -> None:
        self.world, self.handlers = world, Handlers(main=Tally)
        self.handled, self.ignored = records

        @self.handlers.on(HandoverAccepted)
        def hear(received: Received[HandoverAccepted], unit: Unit) -> None: ...

        self.processor = Processor(READER, world.tally.store, self.handlers)

    async def hears(self, *records: Record) -> None:
        await self.processor.deliver(records, Abandon())

    async def stored(self) -> int | None:
        query = sa.select(tables.positions.c.next_offset).where(tables.positions.c.reader == READER)
        return await self.world.tally.store.read(lambda db: db.scalar(query))


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Reader]:
    urls = {name: f"sqlite:///{tmp_path}/{name}.db" for name in ("mdm_adapter", "case_service")}
    async with World(tmp_path, urls, local) as world:
        await world.tell(accepted(1, 1), sent(1))
        await Relay("mdm_adapter", world.adapter.store.db, world.bus, world.clock).wave()
        rows = await world.rows(world.adapter, "event_log")
        yield Reader(
            world,
            [Record(row.topic, 0, 0, row.key.encode(), row.headers, row.value) for row in rows],
        )


async def test_what_says_nothing_is_written_with_the_next_that_says_something(reader: Reader) -> None:
    await reader.hears(reader.ignored._replace(offset=10))
    before = await reader.stored()
    await reader.hears(reader.handled._replace(offset=5, partition=1))
    assert (before, await reader.stored()) == (None, 11)


async def test_after_so_many_that_say_nothing_the_position_is_written(reader: Reader) -> None:
    for offset in range(MOST_UNWRITTEN - 1):
        await reader.hears(reader.ignored._replace(offset=offset))
    before = await reader.stored()
    await reader.hears(reader.ignored._replace(offset=MOST_UNWRITTEN))
    assert (before, await reader.stored()) == (None, MOST_UNWRITTEN + 1)


async def test_a_reader_that_starts_again_forgets_what_it_had_passed(reader: Reader) -> None:
    """Its database may have gone back: what was passed before lies ahead of what it has applied."""
    await reader.hears(reader.ignored._replace(offset=100))
    await reader.processor.positions()
    await reader.hears(reader.handled._replace(offset=50))
    assert await reader.stored() == 51
