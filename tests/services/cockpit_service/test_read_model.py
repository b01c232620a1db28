"""The read model is the fold of the topics: in whatever order they meet, told twice, or read again."""

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from contracts.cases import CaseOpened, CasePurged, CaseReopened
from contracts.contacts import ContactRecorded
from contracts.event import EVENTS
from contracts.handovers import MessageQuarantined
from contracts.topics import TOPICS
from kit.bus import Abandon, Record
from kit.testing import Stage, wire
from services.cockpit_service.app import build
from services.cockpit_service.handlers import handlers
from services.cockpit_service.rebuilding import rebuild
from services.cockpit_service.settings import Settings
from services.cockpit_service.tables import READ_MODEL
from tests.services.cockpit_service.story import CASE, ORDER, PERSONAL, of, phase, story


def records(stage: Stage) -> list[Record]:
    """The story as records, a minute apart."""
    made = []
    for fact in story():
        stage.clock.advance(timedelta(minutes=1))
        made.append(stage.record(fact))
    return made


def shuffled(told: Sequence[Record], seed: int) -> list[Record]:
    """Topics and keys against each other; inside one key the order stays."""
    draw, lines = random.Random(seed), dict[tuple[str, bytes | None], list[Record]]()
    for record in told:
        lines.setdefault((record.topic, record.key), []).append(record)
    keys = [key for key, line in lines.items() for _ in line]
    draw.shuffle(keys)
    return [lines[key].pop(0) for key in keys]


async def deliver(stage: Stage, told: Sequence[Record], batch: int) -> None:
    for begin in range(0, len(told), batch):
        await stage.processor.deliver(told[begin : begin + batch], Abandon())


async def read_model(stage: Stage) -> dict[str, list[dict[str, Any]]]:
    """Every row; the version alone depends on how batches were cut."""
    return {table.name: [without_version(row) for row in await stage.rows(table.name)] for table in READ_MODEL}


def without_version(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name != "version"}


async def only(stage: Stage, table: str) -> Any:
    (row,) = await stage.rows(table)
    return row


async def test_the_story_ends_in_the_rows_that_people_see(stage: Stage) -> None:
    await stage.hears(*story())
    case, order = await only(stage, "cases"), await only(stage, "work_orders")
    assert (case.phase, case.operator, case.orders) == ("COMPLETED", "auental", ("erp:4500012345",))
    assert (order.work_order_id, order.state, order.move, order.close_reason) == (ORDER, "CLOSED", "T21", "DONE")
    assert (order.appointment_state, order.visit_version, order.review_state) == ("KEPT", 2, "APPROVED")
    assert order.material == "RESERVED"
    attempts = [(row.attempt, row.state) for row in await stage.rows("handovers")]
    assert attempts == [(1, "REJECTED"), (2, "ACCEPTED")]
    assert len(await stage.rows("timeline")) == len(story())
    assert not await stage.parked()
    assert stage.processor.cuts == 0


@pytest.mark.parametrize("seed", range(25))
async def test_topics_in_any_order_and_any_batches_end_in_the_same_rows(tmp_path: Path, seed: int) -> None:
    found = []
    for number, (order, size) in enumerate(((0, 500), (seed + 1, 1 + seed % 7))):
        folder = tmp_path / str(number)
        folder.mkdir()
        stage = await Stage.open(build, folder, settings=Settings)
        told = records(stage)
        await deliver(stage, shuffled(told, order) if order else told, size)
        found.append(await read_model(stage))
        assert stage.processor.cuts == 0
        await stage.close()
    assert found[0] == found[1]


async def test_copies_change_nothing(stage: Stage) -> None:
    told = records(stage)
    await deliver(stage, told, 500)
    before = await read_model(stage)
    await deliver(stage, [*told, *told], 10)
    assert await read_model(stage) == before


async def test_an_older_event_of_a_topic_adds_its_line_and_changes_nothing_else(stage: Stage) -> None:
    await stage.hears(of(CaseOpened), phase("PLANNING"), phase("BOOKED"))
    late = wire(phase("BACKLOG"), UUID(int=0xEE), stage.clock.now(), 2, 999)
    await deliver(stage, [late], 1)
    assert (await only(stage, "cases")).phase == "BOOKED"
    assert len(await stage.rows("timeline")) == 4


async def test_a_tombstone_deletes_the_contact(stage: Stage) -> None:
    await stage.hears(of(ContactRecorded))
    assert (await only(stage, "contacts")).name == "Kim Muster"
    await stage.hears_forget(ContactRecorded, str(CASE))
    assert not await stage.rows("contacts")


@pytest.mark.parametrize("purge_first", [True, False])
async def test_a_purge_deletes_the_contact_whichever_topic_is_ahead(stage: Stage, purge_first: bool) -> None:
    told = [of(CasePurged, scope="contact"), of(ContactRecorded)]
    await stage.hears(*(told if purge_first else reversed(told)))
    assert not await stage.rows("contacts")


async def test_nothing_but_the_contact_holds_what_is_personal(stage: Stage) -> None:
    await stage.hears(*story())
    rows = await read_model(stage)
    assert any(PERSONAL[0] in row["name"] for row in rows.pop("contacts"))
    assert not [word for word in PERSONAL if word in str(rows)]


async def test_a_rebuilt_read_model_equals_the_one_before(stage: Stage) -> None:
    told = records(stage)
    await deliver(stage, told, 500)
    before = await read_model(stage)
    await rebuild(stage.store)
    assert not any((await read_model(stage)).values())
    assert not await stage.processor.positions()
    await deliver(stage, told, 7)
    assert await read_model(stage) == before


async def test_a_reopened_case_has_not_ended(stage: Stage) -> None:
    await stage.hears(*story(), of(CaseReopened))
    assert (await only(stage, "cases")).ended_at is None


async def test_a_quarantined_message_needs_no_case(stage: Stage) -> None:
    await stage.hears(of(MessageQuarantined, case_id=None))
    assert (await only(stage, "quarantined")).cause == "unknown_order"
    assert not await stage.rows("timeline")


def heard() -> Iterable[str]:
    return sorted(handlers.topics)


def test_every_topic_that_the_console_may_read_is_heard() -> None:
    assert heard() == sorted(name for name, topic in TOPICS.items() if "cockpit_service" in topic.readers)


def test_every_event_that_can_belong_to_a_case_is_heard() -> None:
    ours = [kind for kind in EVENTS.values() if "cockpit_service" in TOPICS[kind.topic].readers]
    assert {kind for kind in ours if "case_id" in kind.model_fields} == set(handlers.events.values())
