"""One behaviour over both buses and both databases: order, copies, restarts, rewinds, poison, parked keys."""

from random import Random

import sqlalchemy as sa

from contracts.codes import Fact
from contracts.contacts import ContactRecorded
from contracts.event import Event
from contracts.handovers import HandoverFailed, HandoverSent
from contracts.parts import Address
from kit import faults, tables
from kit.bus import Slot
from kit.handlers import Handlers, Received
from kit.store import Unit
from tests.adapters import tally
from tests.adapters.conftest import MakeWorld
from tests.adapters.world import World, accepted, case, until


async def test_what_is_told_is_heard_once_in_the_order_of_its_key(world: World) -> None:
    await world.start()
    for attempt in range(1, 6):
        await world.tell(*(accepted(number, attempt) for number in range(20)))
    await until(world.quiet)
    assert await world.counted() == {case(number): [1, 2, 3, 4, 5] for number in range(20)}
    assert world.running[1].processor.cuts == 0


async def test_a_sequence_without_gap_stands_on_every_key(world: World) -> None:
    await world.start()
    await world.tell(*(accepted(number % 3, number) for number in range(30)))
    await until(world.quiet)
    log = await world.rows(world.tally, "event_log")
    per_key = {key: [row.sequence for row in log if row.key == key] for key in {row.key for row in log}}
    assert len(per_key) == 3
    assert all(sequences == list(range(1, 11)) for sequences in per_key.values())


async def test_copies_change_nothing(world: World) -> None:
    await world.start()
    await world.tell(accepted(1, 1), accepted(1, 2))
    await until(world.quiet)
    await tell_again(world)
    await world.tell(accepted(1, 3))
    await until(world.quiet)
    assert await world.counted() == {case(1): [1, 2, 3]}


async def test_a_stopped_reader_goes_on_where_it_stood(world: World) -> None:
    await world.start()
    await world.tell(accepted(1, 1))
    await until(world.quiet)
    await world.stop()
    await world.open()
    await world.tell(accepted(1, 2), accepted(2, 1))
    await world.start()
    await until(world.quiet)
    assert await world.counted() == {case(1): [1, 2], case(2): [1]}


async def test_a_reader_whose_database_is_older_rewinds_by_itself(world: World) -> None:
    """As after a restore from a backup: position and effects are those of an earlier moment."""
    await world.start()
    await world.tell(*(accepted(number, 1) for number in range(10)))
    await until(world.quiet)
    await world.stop()
    await world.open()
    await world.tally.store.db.transact(forget_everything)
    await world.start()
    await until(world.quiet)
    assert await world.counted() == {case(number): [1] for number in range(10)}


async def test_a_new_reader_starts_at_the_beginning(world: World) -> None:
    await world.tell(*(accepted(number, 1) for number in range(5)))
    await world.start()
    await until(world.quiet)
    assert set(await world.counted()) == {case(number) for number in range(5)}


async def test_a_refused_event_parks_its_key_and_stops_nobody_else(world: World) -> None:
    await world.start()
    await world.tell(accepted(1, 1), failed(1), accepted(1, 2), accepted(2, 1), accepted(1, 3))
    await until(world.quiet)
    assert await world.counted() == {case(1): [1], case(2): [1]}
    (key,) = await world.running[1].parking.keys()
    assert (key.key, key.reason, key.events) == (str(case(1)), "refused", 3)


async def test_a_parked_key_is_replayed_in_its_order_after_the_reason_is_gone(make_world: MakeWorld) -> None:
    broken: list[Exception] = [RuntimeError("not yet mended")]
    async with make_world(mended_later(broken)) as world:
        await world.start()
        await world.tell(accepted(1, 1), failed(1), accepted(1, 2), accepted(1, 3))
        await until(world.quiet)
        parking = world.running[1].parking
        assert [key.reason for key in await parking.keys()] == ["bug"]
        assert not await parking.retry("rollout.handovers", str(case(1)))
        broken.clear()
        assert await parking.retry("rollout.handovers", str(case(1)))
        assert await world.counted() == {case(1): [1, 0, 2, 3]}
        assert await world.rows(world.tally, "parked") == []


async def test_a_discarded_event_lets_the_next_of_its_key_through(world: World) -> None:
    await world.start()
    await world.tell(accepted(1, 1), failed(1), accepted(1, 2))
    await until(world.quiet)
    parking, actor = world.running[1].parking, world.tally.store.actor
    (key,) = await parking.keys()
    await parking.discard(key.topic, key.key, key.first_event_id, actor, "the partner withdrew it")
    assert await parking.retry(key.topic, key.key)
    assert await world.counted() == {case(1): [1, 2]}
    outcomes = {row.event_id: row.outcome for row in await world.rows(world.tally, "inbox")}
    assert outcomes[key.first_event_id] == "discarded"


async def test_what_was_not_heard_of_yet_waits_and_is_tried_again_by_the_clock(world: World) -> None:
    await world.start()
    await world.tell(sent(1))
    await until(world.quiet)
    (key,) = await world.running[1].parking.keys()
    assert key.reason == "waiting"
    await world.tally.store.run(world.tally.store.actor, lambda unit: unit.add(tally.Tally(case_id=case(1))))
    world.clock.set(key.retry_at)

    async def free() -> bool:
        return not await world.running[1].parking.keys()

    await until(free)
    assert await world.counted() == {case(1): [7]}


async def test_an_undecodable_value_parks_its_key_with_the_place_of_the_fault(world: World) -> None:
    await world.tell(accepted(1, 1))
    await world.adapter.store.db.transact(lambda db: spoil(db, b'{"case_id":"no-uuid"}'))
    await world.start()
    await world.tell(accepted(1, 2), accepted(2, 1))
    await until(world.quiet)
    (key,) = await world.running[1].parking.keys()
    assert (key.reason, key.events) == ("undecodable", 2)
    assert "case_id" in key.error
    assert await world.counted() == {case(2): [1]}


async def test_a_foreign_record_becomes_a_dead_letter_with_its_bytes(world: World) -> None:
    await world.tell(accepted(1, 1))
    foreign = '{"ce_id": "0197f000-0000-7000-8000-00000000000a", "ce_type": "rollout.case.opened.v1", '
    headers = foreign + '"ce_source": "case_service", "ce_sequence": "1", "ce_time": "2026-03-02T08:00:00Z"}'
    await world.adapter.store.db.transact(
        lambda db: db.execute(sa.update(tables.outbox).values(headers=as_headers(headers)))
    )
    await world.start()

    async def buried() -> bool:
        return len(await world.rows(world.tally, "dead_letters")) == 1

    await until(buried)
    (letter,) = await world.rows(world.tally, "dead_letters")
    assert (letter.reason, letter.value) == ("foreign_event", accepted(1, 1).to_json())
    assert await world.counted() == {}


async def test_a_tombstone_makes_its_readers_forget_and_leaves_no_older_row(world: World) -> None:
    await world.start()
    await world.tell(accepted(1, 1), accepted(2, 1))
    await world.tell(contact(1), contact(2), by=world.tally)
    await until(world.quiet)
    await world.forget(ContactRecorded, str(case(1)))

    async def forgotten() -> bool:
        return case(1) not in await world.counted()

    await until(forgotten)
    await until(world.quiet)  # a reader may hear it before its teller has moved it to the log
    log = [row for row in await world.rows(world.tally, "event_log") if row.topic == "rollout.contacts"]
    assert [(row.key, row.value is None) for row in log] == [(str(case(2)), False), (str(case(1)), True)]


async def test_ten_thousand_records_survive_random_crashes(make_world: MakeWorld) -> None:
    """The process dies at random points of reader and relay and starts again on what it remembers."""
    random = Random(20260302)
    async with make_world() as world:
        for start in range(0, 10_000, 1_000):
            await world.tell(*(accepted(number % 100, number) for number in range(start, start + 1_000)))
        points = ["consume.inboxed", "consume.handled", "consume.flushed", "consume.committed"]
        points += ["relay.selected", "relay.acked", "relay.moved"]
        for point in random.sample(points, len(points)):
            await world.start()
            await crash_at(world, point, random.randint(1, 3))
            await world.stop()
            await world.open()
        await world.start()
        await until(world.quiet)
        expected = {case(number): list(range(number, 10_000, 100)) for number in range(100)}
        assert await world.counted() == expected


async def test_a_reader_says_where_it_stands(world: World) -> None:
    await world.start()
    await world.tell(accepted(1, 1), accepted(1, 2))
    await until(world.quiet)
    positions = await world.running[1].processor.positions()
    ends = await world.bus.ends(["rollout.handovers"])
    read = {slot: end for slot, end in ends.items() if positions.get(slot)}
    assert {slot: positions[slot] for slot in read} == read
    assert read.keys() <= {Slot("rollout.handovers", partition) for partition in range(12)}


def failed(number: int) -> HandoverFailed:
    return HandoverFailed(
        case_id=case(number),
        fact=Fact.EXCHANGE_COMPLETED,
        attempt=0,
        row_id=case(number),
        recipient="erp-a",
        level="transport",
        cause="BUSY",
        final=False,
    )


def sent(number: int) -> HandoverSent:
    return HandoverSent(
        case_id=case(number),
        fact=Fact.EXCHANGE_COMPLETED,
        attempt=7,
        row_id=case(number),
        document="DeviceExchangeCompleted",
        recipient="erp-a",
        required=True,
        message_ref="m-1",
    )


def contact(number: int) -> Event:
    address = Address(street="Am Hang", number="1", postcode="00101", city="Auental", country="DE")
    return ContactRecorded(
        case_id=case(number),
        version=1,
        name="Erika Beispiel",
        language="de",
        sms_allowed=False,
        address=address,
        points_at_address=1,
    )


def mended_later(broken: list[Exception]) -> Handlers:
    """Handlers with a bug that somebody mends."""
    handlers = tally.tallying()

    def count(received: Received[HandoverFailed], unit: Unit) -> None:
        if broken:
            raise broken[0]
        unit.get(tally.Tally, received.event.key()).count(received.event.attempt)

    del handlers._steps[HandoverFailed.ce_type]
    handlers.on(HandoverFailed)(count)
    return handlers


async def tell_again(world: World) -> None:
    """The relay tells what it told before, as after a crash between sending and moving."""

    def back(db: sa.Connection) -> None:
        log, outbox = tables.event_log, tables.outbox
        copied = [column.name for column in outbox.c if column.name not in ("id", "blocked_reason")]
        query = sa.select(*(log.c[name] for name in copied)).where(log.c.topic == "rollout.handovers")
        db.execute(sa.insert(outbox).from_select(copied, query))

    await world.adapter.store.db.transact(back)


async def crash_at(world: World, point: str, hit: int) -> None:
    """Let one loop die at a point; the next start is on what was committed."""
    seen = 0

    def hook(passed: str) -> None:
        nonlocal seen
        if passed == point:
            seen += 1
            if seen >= hit:
                raise faults.Crashed(point)

    with faults.armed(hook):

        async def died() -> bool:
            return seen >= hit or await world.quiet()

        await until(died)


def forget_everything(db: sa.Connection) -> None:
    for table in (tables.inbox, tables.positions, tables.outbox, tables.event_log, tables.log_heads, tables.heads):
        db.execute(sa.delete(table))
    db.execute(sa.delete(tally.tallies))


def spoil(db: sa.Connection, value: bytes) -> None:
    db.execute(sa.update(tables.outbox).values(value=value))


def as_headers(text: str) -> dict[str, str]:
    import json

    headers: dict[str, str] = json.loads(text)
    return headers
