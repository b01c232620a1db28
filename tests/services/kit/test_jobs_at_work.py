"""A service at work does its jobs by itself, rests between chunks, and is not quiet before they are done."""

from pathlib import Path

import pytest
from fastapi import APIRouter
from prometheus_client import REGISTRY

from kit import gauges
from kit.handlers import Handlers
from kit.local import LocalBus
from kit.service import Runtime, Service
from kit.settings import Settings
from tests.adapters.world import until
from tests.services.kit.probe import Note, metadata
from tests.services.kit.test_jobs import ITEMS, Place


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    found = Place(f"sqlite:///{tmp_path}/jobs.db")
    await found.stores[0].db.transact(metadata.create_all)
    return found


def runtime_of(place: Place) -> Runtime:
    service = Service(
        "case_service",
        Settings(database_url=place.url),
        place.stores[0],
        Handlers(main=Note),
        metadata,
        APIRouter(),
        jobs={"numbering": place.job},
    )
    return Runtime(service, LocalBus({}))


async def test_a_job_is_done_in_the_background_and_the_service_is_quiet_when_it_is(place: Place) -> None:
    await place.asked()
    runtime = runtime_of(place)
    assert not await runtime.quiet(), "a job waits"
    await runtime.start()
    await until(runtime.quiet)
    assert (await place.numbers(), (await place.row()).state) == (list(range(ITEMS)), "done")
    await runtime.stop()


async def test_a_job_that_is_asked_for_while_the_service_rests_wakes_it(place: Place) -> None:
    runtime = runtime_of(place)
    await runtime.start()
    await until(runtime.quiet)
    await place.asked()

    async def done() -> bool:
        return (await place.row()).state == "done"

    await until(done)
    assert await place.numbers() == list(range(ITEMS))
    await runtime.stop()


async def test_a_service_that_stops_leaves_its_job_to_the_next(place: Place) -> None:
    await place.asked(300)
    runtime = runtime_of(place)
    await runtime.start()

    async def begun() -> bool:
        return (await place.row()).done > 0

    await until(begun)
    await runtime.stop()
    heir = place.worker()
    place.stores[0] = heir.store
    place.clock.advance(runtime.jobs.lease)
    await place.ends(heir)
    assert await place.numbers() == list(range(300)), "nothing twice, nothing left out"
    await heir.store.db.close()


async def test_jobs_and_their_items_are_counted(place: Place) -> None:
    def counted(result: str) -> float:
        labels = {"service": "case_service", "kind": "numbering", "result": result}
        return REGISTRY.get_sample_value("hub_job_rows_total", labels) or 0

    def gauge(state: str) -> float | None:
        labels = {"service": "case_service", "kind": "numbering", "state": state}
        return REGISTRY.get_sample_value("hub_jobs", labels)

    before = {result: counted(result) for result in ("done", "refused", "failed")}
    place.job.refused, place.job.broken = {1}, {2, 3}
    await place.asked()
    await gauges.read("case_service", place.stores[0])
    waiting = gauge("queued")
    await place.ends()
    await gauges.read("case_service", place.stores[0])
    assert {result: counted(result) - number for result, number in before.items()} == {
        "done": 7,
        "refused": 1,
        "failed": 2,
    }
    assert (waiting, gauge("queued"), gauge("done")) == (1, 0, 1)
    await place.stores[0].db.close()
