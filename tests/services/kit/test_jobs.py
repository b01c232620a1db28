"""Long work in chunks: whose it is, where it goes on, what becomes of it when somebody dies, stops it or stumbles."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from kit import faults, tables
from kit.aggregate import Mapped
from kit.auth import Principal, Scope, recalled, remembered, system
from kit.clock import ManualClock
from kit.db import database
from kit.errors import Refused, Unavailable
from kit.jobs import Jobs, Running, Verdict
from kit.store import Step, Store, Unit
from kit.testing import MONDAY_MORNING, numbered_ids
from tests.services.kit.probe import Note, metadata, notes

LEASE = timedelta(seconds=60)
ITEMS = 10


class Numbering:
    """Writes a note for every number up to `given["up_to"]`; some numbers stumble."""

    size = 3

    def __init__(self) -> None:
        self.refused: set[int] = set()
        self.broken: set[int] = set()
        self.records: list[int] = []
        self.away: Exception | None = None

    def take(self, db: sa.Connection, running: Running, most: int) -> Sequence[int]:
        if self.away is not None:
            raise self.away
        start = int(running.after or -1) + 1
        return range(start, min(start + most, running.given["up_to"]))

    def key(self, item: int) -> str:
        return str(item)

    def step(self, running: Running, item: int) -> Step[Verdict]:
        def write(unit: Unit) -> Verdict:
            unit.add(Note(note_id=unit.new_id(), number=item))
            if item in self.refused:
                raise Refused("not this one")
            if item in self.broken:
                raise ZeroDivisionError
            return Verdict("done", said={"by": unit.principal.id})

        return Step(lambda _: (), write, running.cause)

    def record(self, db: sa.Connection, verdicts: Sequence[tuple[int, Verdict]], running: Running) -> None:
        self.records += [item for item, _ in verdicts]


class Place:
    """A database with workers on it, as processes of their own have."""

    def __init__(self, url: str) -> None:
        self.url, self.clock, self.new_id = url, ManualClock(MONDAY_MORNING), numbered_ids()
        self.job = Numbering()
        self.stores: list[Store] = []
        self.jobs = self.worker()

    def worker(self) -> Jobs:
        kinds = {Note: Mapped(Note, notes)}
        store = Store("case_service", database(self.url), kinds, self.clock, self.new_id, system("case_service"))
        self.stores.append(store)
        return Jobs(store, {"numbering": self.job}, LEASE)

    async def asked(self, up_to: int = ITEMS, key: str = "1") -> UUID:
        store = self.stores[0]
        return await store.run(store.actor, lambda unit: unit.job("numbering", key, up_to, up_to=up_to))

    async def stopped(self, job_id: UUID) -> None:
        store = self.stores[0]
        await store.run(store.actor, lambda unit: unit.stop_job(job_id))

    async def row(self) -> Any:
        return await self.stores[0].read(lambda db: db.execute(sa.select(tables.jobs)).one())

    async def numbers(self) -> list[int]:
        return await self.stores[0].read(
            lambda db: list(db.scalars(sa.select(notes.c.number).order_by(notes.c.number)))
        )

    async def ends(self, jobs: Jobs | None = None) -> int:
        """Let a worker go on until there is nothing to do; how many times it had something."""
        chunks = 0
        while await (jobs or self.jobs).work():
            chunks += 1
        return chunks


@pytest.fixture(params=["sqlite", "postgres"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/jobs.db"
    else:
        new_database: Callable[[], str] = request.getfixturevalue("new_database")
        url = new_database()
    found = Place(url)
    await found.stores[0].db.transact(metadata.create_all)
    yield found
    for store in found.stores:
        await store.db.close()


def counters(row: Any) -> tuple[str, int, int, int, Any]:
    return row.state, row.done, row.refused, row.failed, row.cursor.get("after")


async def test_a_job_is_done_in_chunks_with_cursor_and_counters_in_each(place: Place) -> None:
    await place.asked()
    seen = []
    while await place.jobs.work():
        seen.append(counters(await place.row()))
    assert seen == [
        ("running", 3, 0, 0, "2"),
        ("running", 6, 0, 0, "5"),
        ("running", 9, 0, 0, "8"),
        ("done", 10, 0, 0, "9"),
    ]
    assert await place.numbers() == list(range(ITEMS))


async def test_a_job_without_items_is_done_at_once(place: Place) -> None:
    await place.asked(0)
    assert (await place.ends(), counters(await place.row())) == (1, ("done", 0, 0, 0, None))


async def test_the_same_job_asked_twice_is_one(place: Place) -> None:
    await place.asked()
    await place.asked()
    await place.ends()
    assert await place.numbers() == list(range(ITEMS))


async def test_an_item_that_stumbles_costs_the_others_nothing(place: Place) -> None:
    place.job.refused, place.job.broken = {1, 2}, {4}
    await place.asked()
    await place.ends()
    assert counters(await place.row()) == ("done", 7, 2, 1, "9")
    assert await place.numbers() == [0, 3, 5, 6, 7, 8, 9]
    assert place.job.records == list(range(ITEMS)), "each item is recorded once"


async def test_a_lease_keeps_others_away_until_its_holder_does_not_come_back(place: Place) -> None:
    other = place.worker()
    await place.asked()
    assert await place.jobs.work()
    assert not await other.work(), "the lease is held"
    assert await other.next_due() == place.clock.now() + LEASE
    place.clock.advance(LEASE / 2)
    assert await place.jobs.work(), "its holder goes on, and renews it"
    place.clock.advance(LEASE - timedelta(seconds=1))
    assert not await other.work()
    place.clock.advance(timedelta(seconds=1))
    assert await other.work()
    assert not await place.jobs.work(), "whoever comes back late has lost it"
    await place.ends(other)
    assert (await place.numbers(), counters(await place.row())) == (list(range(ITEMS)), ("done", 10, 0, 0, "9"))


async def test_two_workers_at_once_never_do_a_chunk_twice(place: Place) -> None:
    workers = [place.jobs, place.worker(), place.worker()]
    await place.asked(30)
    while any(await asyncio.gather(*(worker.work() for worker in workers))):
        place.clock.advance(LEASE)  # every lease has ended: all of them want the next chunk
    assert await place.numbers() == list(range(30))
    assert counters(await place.row()) == ("done", 30, 0, 0, "29")


@pytest.mark.parametrize("point", faults.GROUPS["job"])
@pytest.mark.parametrize("hit", [1, 2, 4])
async def test_a_killed_job_goes_on_at_its_cursor(place: Place, point: str, hit: int) -> None:
    await place.asked()
    passed = 0

    def die(name: str) -> None:
        nonlocal passed
        passed += name == point
        if name == point and passed == hit:
            raise faults.Crashed(name)

    with faults.armed(die), pytest.raises(faults.Crashed):
        await place.ends()
    undone = [counters(await place.row())[1], len(await place.numbers())]
    assert undone == [3 * (hit - 1) + (point == "job.chunk_committed") * (1 if hit == 4 else 3)] * 2
    heir = place.worker()
    assert not await heir.work() or hit == 1, "the lease of the dead has not ended"
    place.clock.advance(LEASE)
    await place.ends(heir)
    assert (await place.numbers(), counters(await place.row())) == (list(range(ITEMS)), ("done", 10, 0, 0, "9"))


async def test_a_cancelled_job_ends_after_its_chunk(place: Place) -> None:
    job = await place.asked()
    assert await place.jobs.work()
    await place.stopped(job)
    assert (await place.ends(), counters(await place.row())) == (0, ("cancelled", 3, 0, 0, "2"))


async def test_what_has_ended_cannot_be_cancelled(place: Place) -> None:
    job = await place.asked()
    await place.ends()
    await place.stopped(job)
    assert (await place.row()).state == "done"


async def test_what_stumbled_in_a_cancelled_job_is_tried_in_the_next(place: Place) -> None:
    place.job.broken = {0}
    job = await place.asked(1)
    assert await place.jobs.work(), "the chunk is taken back"
    await place.stopped(job)
    place.job.broken = set()
    await place.asked(1, key="2")
    await place.ends()
    assert await place.numbers() == [0]


async def test_a_job_that_never_began_is_cancelled_at_once(place: Place) -> None:
    await place.stopped(await place.asked())
    assert (await place.ends(), await place.numbers()) == (0, [])


async def test_a_passing_failure_takes_its_chunk_back_and_the_job_goes_on(place: Place) -> None:
    await place.asked()
    place.job.away = Unavailable("the disk is full")
    with pytest.raises(Unavailable):
        await place.jobs.work()
    place.job.away = None
    await place.ends()
    assert await place.numbers() == list(range(ITEMS))


async def test_a_job_that_is_itself_broken_fails_and_says_where(place: Place) -> None:
    await place.asked()
    place.job.away = ZeroDivisionError("personal data")
    assert await place.jobs.work()
    row = await place.row()
    assert (row.state, "ZeroDivisionError" in row.result["error"], "personal" in str(row.result)) == (
        "failed",
        True,
        False,
    )


async def test_a_job_of_a_kind_that_this_service_does_not_know_waits(place: Place) -> None:
    await place.asked()
    stranger = Jobs(place.stores[0], {})
    assert (await stranger.work(), await stranger.next_due()) == (False, None)


@pytest.mark.parametrize("actions", [None, frozenset({"import:run"})])
def test_whoever_asked_is_remembered_as_they_were(actions: frozenset[str] | None) -> None:
    who = Principal("key:4f7q", frozenset({"system"}), Scope("partner", "erp-a"), "key", actions)  # type: ignore[arg-type]
    assert recalled(remembered(who)) == who
