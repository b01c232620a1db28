"""Planted bugs: what the kernel would do wrong without each of its rules. They try the harness, never the product."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from kit import faults, outbox, parking, rows, tables
from kit.bus import Abandon, OutboxRow, Record, Sent, Slot
from kit.effects import Claimed, Effects, Outcome, Port
from kit.inbox import Heard
from kit.outbox import Told
from kit.processing import Batch, Processor
from kit.relay import Relay
from kit.store import Step, Store, Stumbled
from kit.unit import Unit
from tests.crash.simulation import Simulation

Plant = Callable[[pytest.MonkeyPatch, Simulation], None]


@dataclass(frozen=True, slots=True)
class Bug:
    """A rule that is broken, and as what it must be found."""

    name: str
    verdict: str
    what: str
    plant: Plant


def no_inbox(patch: pytest.MonkeyPatch, run: Simulation) -> None:
    patch.setattr(Processor, "_fresh", lambda self, db, heard: list(heard))


def sent_after_commit(patch: pytest.MonkeyPatch, run: Simulation) -> None:
    write, work, done, pending = outbox.write, Store.work, Store.after_commit, list[OutboxRow]()

    def instead(db: sa.Connection, service: str, told: Sequence[Told]) -> None:
        write(db, service, told)
        pending.extend(OutboxRow(*row) for row in db.execute(rows.raw(tables.outbox, OutboxRow._fields).order_by("id")))
        db.execute(sa.delete(tables.outbox))

    def begin(self: Store, db: sa.Connection, steps: Sequence[Step[Any]], principal: Any = None) -> list[Any]:
        pending.clear()
        return work(self, db, steps, principal)

    def after(self: Store) -> None:
        for row in pending:
            run.sea.append(row)
        pending.clear()
        done(self)

    patch.setattr(outbox, "write", instead)
    patch.setattr(Store, "work", begin)
    patch.setattr(Store, "after_commit", after)


def moved_before_the_answer(patch: pytest.MonkeyPatch, run: Simulation) -> None:
    async def wave(self: Relay) -> int:
        waiting = await self.unsent()
        if not waiting:
            return 0
        faults.point("relay.selected")
        moved = Sent(acknowledged={row.id: None for row in waiting})
        await self.db.transact(lambda db: self._move(db, waiting, moved))
        faults.point("relay.moved")
        await self.bus.send(waiting)
        faults.point("relay.acked")
        return len(waiting)

    patch.setattr(Relay, "wave", wave)


def committed_before_the_work(patch: pytest.MonkeyPatch, run: Simulation) -> None:
    async def deliver(self: Simulation, batch: list[Record]) -> None:
        ends = self.processor._sort(batch)
        await self.processor.store.db.transact(lambda db: self.processor._finish(db, ends))
        self.commit(batch)
        await self.processor.deliver(batch, Abandon())

    patch.setattr(Simulation, "deliver", deliver)


def failing_batch_skipped(patch: pytest.MonkeyPatch, run: Simulation) -> None:
    async def apply(
        self: Processor, heard: Sequence[Heard], last_of: Batch | None, *, conflicted: bool = False
    ) -> None:
        try:
            await self._transact(heard, last_of)
        except Stumbled:
            await self.store.db.transact(lambda db: self._finish(db, last_of))

    patch.setattr(Processor, "_apply", apply)


def slot_at_random(patch: pytest.MonkeyPatch, run: Simulation) -> None:
    patch.setattr(outbox, "partition_of", lambda key, partitions: run.random.randrange(partitions))


def nobody_waits_behind(patch: pytest.MonkeyPatch, run: Simulation) -> None:
    patch.setattr(parking, "parked_among", lambda db, reader, heard: ())


def rung_in_the_handler(patch: pytest.MonkeyPatch, run: Simulation) -> None:
    def effect(self: Unit, kind: str, unique_key: str, payload: Mapping[str, Any], *, lane: str | None = None) -> None:
        run.gateway.ring(unique_key)

    patch.setattr(Unit, "effect", effect)


def lost_answer_sent_again(patch: pytest.MonkeyPatch, run: Simulation) -> None:
    async def attempt(self: Effects, port: Port, effect: Claimed) -> Outcome:
        return await port.send(effect.key, effect.payload)

    patch.setattr(Effects, "_try", attempt)


SIMULATED = (
    Bug("P1", "duplicate", "no inbox insert", no_inbox),
    Bug("P2", "lost", "sent after commit instead of through the outbox", sent_after_commit),
    Bug("P3", "lost", "moved to event_log before the acknowledgement", moved_before_the_answer),
    Bug("P4", "lost", "offsets and position committed before the transaction", committed_before_the_work),
    Bug("P7", "lost", "a failing batch is skipped", failing_batch_skipped),
    Bug("P8", "disorder", "partition chosen at random", slot_at_random),
    Bug("P9", "disorder", "a parked key holds nothing back", nobody_waits_behind),
    Bug("P10", "duplicate", "effect called inside the handler", rung_in_the_handler),
    Bug("P11", "duplicate", "a lost answer is sent again", lost_answer_sent_again),
)


class CursorRelay(Relay):
    """P5: remembers the last id that it sent, and never looks back."""

    last = 0

    async def unsent(self, besides: Sequence[OutboxRow] = (), stuck: Collection[Slot] = ()) -> list[OutboxRow]:
        del besides, stuck  # what it saw, it does not see again
        table = tables.outbox
        query = rows.raw(table, OutboxRow._fields).where(table.c.id > self.last).order_by(table.c.id).limit(2_000)
        waiting = [OutboxRow(*row) for row in await self.db.read(lambda db: db.execute(query).all())]
        self.last = waiting[-1].id if waiting else self.last
        return waiting


def no_heads_lock(patch: pytest.MonkeyPatch) -> None:
    """P6: numbers come from a counter beside the transaction, so nobody waits for the one before."""
    insert_new, counters = rows.insert_new, defaultdict[tuple[str, str], int](int)

    def unlocked(
        db: sa.Connection, table: sa.Table, columns: tuple[str, ...], made: rows.Rows, back: str, **more: Any
    ) -> list[tuple[Any, ...]]:
        if table is not tables.heads:
            return insert_new(db, table, columns, made, back, **more)
        for topic, key, count in made:
            counters[topic, key] += count
        return [(topic, key, counters[topic, key]) for topic, key, _ in made]

    patch.setattr(rows, "insert_new", unlocked)
