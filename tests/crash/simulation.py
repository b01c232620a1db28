"""One process, one seed: real handlers and SQL, and a scheduler that decides what happens next and where it dies."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TypeVar
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.topics import TOPICS
from kit import faults
from kit.bus import Abandon, Record, Slot
from kit.clock import ManualClock
from kit.db import Sqlite, Work
from kit.effects import Effects
from kit.failures import is_transient
from kit.parking import Parking
from kit.processing import Processor
from kit.relay import Relay
from kit.settings import Settings
from kit.store import Stumbled
from kit.testing import MONDAY_MORNING, numbered_ids
from kit.timers import Timers
from tests.crash import counting
from tests.crash.checker import Verdict, judge
from tests.crash.dump import case, dump, seen_outside
from tests.crash.history import History
from tests.crash.sea import Gateway, GatewayPort, Sea, SimulatedBus

T = TypeVar("T")

CASES = 5
REST_ROUNDS = 400
CRASHES, AWAY = 0.12, 0.03
"""How often a step is to die at a point, and how often its database is away for a moment."""
POINTS = {
    "accept": ("http.flushed", "http.committed"),
    "consume": faults.GROUPS["consume"] + faults.GROUPS["park"][:2],
    "relay": ("relay.selected", "relay.acked", "relay.moved"),
    "time": faults.GROUPS["timer"] + ("park.retry_locked", "park.retried", "consume.handled", "consume.loaded"),
    "effects": faults.GROUPS["effect"],
}
IN_TRANSACTION = ("consume.inboxed", "consume.loaded", "consume.handled", "consume.flushed")
STEPS = (
    "accept",
    "accept",
    "consume",
    "consume",
    "relay",
    "relay",
    "time",
    "effects",
    "effects",
    "rewind",
    "mend",
    "clock",
)
INSIDE = ("accept", "consume", "relay", "time")
"""What may happen while a call to the outside is under way."""


class Inline(Sqlite):
    """The same database without a thread for reads, whose turns nobody could repeat."""

    async def read(self, work: Work[T]) -> T:
        return await self.glance(work)


class Simulation:
    """Two services on two database files, a broker and a gateway outside, and what was asked of them."""

    def __init__(self, seed: int, folder: Path, template: Path) -> None:
        for old in folder.glob("*.db-*"):
            old.unlink()  # of a run that was cut off
        for file in template.glob("*.db"):
            shutil.copy(file, folder)
        self.random = Random(seed)
        self.history = History(seed)
        self.sea, self.gateway = Sea(self.random), Gateway(self.random)
        self.clock, self.new_id = ManualClock(MONDAY_MORNING), numbered_ids()
        self.settings = Settings(data_dir=folder, database_url=f"sqlite:///{folder}/{{service}}.db")
        self.broken: set[tuple[str, int]] = set()
        self.numbers = dict.fromkeys((str(case(number)) for number in range(CASES)), 0)
        self.files: dict[str, Inline] = {}
        """Open as long as the run: a transaction that a crash cut off is rolled back, as a kill would leave it."""
        self.crashes: list[str] = []
        self.failures: list[str] = []
        """Steps that met a passing failure."""
        self.dead, self.depth = False, 0
        self.plan: tuple[str, str] | None = None

    async def run(self, steps: int) -> Verdict:
        """Do so many steps, let everything come to rest, and judge."""
        await self.boot()
        with faults.armed(self.at_point):
            for _ in range(steps):
                await self.step()
        await self.rest()
        await dump(self.history, self.adapter, self.counting, self.sea.told_order)
        seen_outside(self.history, self.gateway.calls)
        await self.close()
        return judge(self.history)

    async def boot(self) -> None:
        """A process starts: everything in memory is new, databases, broker and gateway are as they were."""
        self.dead, self.plan, self.depth = False, None, 0
        port = GatewayPort(self.gateway, self.meanwhile)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("kit.service.database", self.opened)
            self.adapter = counting.build_adapter(self.settings, self.clock, self.new_id)
            self.counting = counting.build(self.settings, port, self.clock, self.new_id, self.broken)
        bus, store, name = SimulatedBus(self.sea, self.meanwhile), self.counting.store, self.counting.name
        self.processor = Processor(name, store, self.counting.handlers)
        self.timers = Timers(name, store, self.counting.handlers)
        self.parking = Parking(name, store, self.counting.handlers)
        self.effects = Effects(store, self.counting.handlers, self.counting.ports)
        compacted = [topic.name for topic in TOPICS.values() if topic.cleanup == "compact"]
        self.relays = [
            Relay(each.name, each.store.db, bus, self.clock, compacted, most=3)  # so few that waves are full
            for each in (self.adapter, self.counting)
        ]
        own = await self.processor.positions()
        self.next = {slot: min(own.get(slot, 0), self.sea.committed.get(slot, 0)) for slot in self.heard_slots()}

    def opened(self, url: str, pool_size: int) -> Inline:
        if url not in self.files:
            self.files[url] = Inline(url)
        return self.files[url]

    async def close(self) -> None:
        for service in (self.adapter, self.counting):
            await service.store.db.close()

    async def step(self) -> None:
        """One thing happens, and perhaps the process dies in it."""
        name = self.random.choice(STEPS)
        self.plan = self.planned(name)
        try:
            await getattr(self, f"do_{name}")()
        except faults.Crashed as crashed:
            self.crashes.append(str(crashed))
            await self.die()
        except Exception as error:
            if not is_transient(error) and not isinstance(error, Stumbled):
                raise
            self.failures.append(repr(error))
        self.plan = None

    def planned(self, name: str) -> tuple[str, str] | None:
        points, how = POINTS.get(name), self.random.random()
        if points and how < CRASHES:
            return "crash", self.random.choice(points)
        if name == "consume" and how < CRASHES + AWAY:
            return "away", self.random.choice(IN_TRANSACTION)
        return None

    def at_point(self, name: str) -> None:
        if self.dead:
            raise faults.Crashed(name)
        if self.plan is None or self.plan[1] != name:
            return
        how, self.plan = self.plan[0], None
        if how == "away":
            raise sa.exc.OperationalError("COMMIT", (), Exception("database is locked"))
        self.dead = True
        raise faults.Crashed(name)

    async def die(self) -> None:
        """Nothing that was under way in this process goes on."""
        mine = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
        await self.boot()

    async def meanwhile(self) -> None:
        """While somebody waits for the outside, other things go on in the same process."""
        if self.dead:
            raise faults.Crashed("in flight")
        if self.depth or self.sea.calm or self.random.random() > 0.25:
            return
        self.depth += 1
        try:
            await getattr(self, f"do_{self.random.choice(INSIDE)}")()
        finally:
            self.depth -= 1

    async def do_accept(self) -> None:
        """Somebody asks for a few facts at once, and may never hear the answer."""
        asked = []
        for _ in range(self.random.randint(1, 4)):
            key = self.random.choice(list(self.numbers))
            self.numbers[key] += 1
            asked.append((key, self.numbers[key]))
            if self.random.random() < 0.04:
                self.broken.add(asked[-1])
        for key, number in asked:
            self.history.note("try", key, number)
        facts = [counting.fact(UUID(key), number) for key, number in asked]
        await self.adapter.store.run(self.adapter.store.actor, lambda unit: unit.tell(*facts))
        for key, number in asked:
            self.history.note("accept", key, number)

    async def do_consume(self) -> None:
        """The reader fetches some of what is there, slots mixed, perhaps with copies, and commits."""
        batch = self.fetched()
        if not batch:
            return
        await self.deliver(batch)
        faults.point("consume.offset_committed")

    async def deliver(self, batch: list[Record]) -> None:
        await self.processor.deliver(batch, Abandon())
        self.commit(batch)

    def commit(self, batch: list[Record]) -> None:
        """The group remembers the offsets, unless the broker did not get the commit."""
        ends = {record.slot: record.offset + 1 for record in batch}
        self.next |= ends
        if self.sea.calm or self.random.random() > 0.15:
            self.sea.committed |= ends

    def fetched(self) -> list[Record]:
        batch: list[Record] = []
        at = {slot: self.next.get(slot, 0) for slot in self.heard_slots()}
        for _ in range(self.random.randint(1, 15)):
            ready = [slot for slot, offset in at.items() if offset < len(self.sea.slots[slot])]
            if not ready:
                break
            slot = self.random.choice(ready)
            batch.append(self.sea.slots[slot][at[slot]])
            at[slot] += 1
            if self.random.random() < 0.05 and not self.sea.calm:
                batch.append(batch[-1])
        return batch

    def heard_slots(self) -> list[Slot]:
        return sorted(slot for slot in self.sea.slots if slot.topic == counting.HEARD)

    async def do_relay(self) -> None:
        """A wave of one of the two relays; what rested may be sent again."""
        relay = self.random.choice(self.relays)
        relay.resting.clear()
        await relay.wave()

    async def do_time(self) -> None:
        """Timers that are due, and parked keys whose time has come."""
        await self.timers.fire()
        await self.parking.retry_due()

    async def do_effects(self) -> None:
        await self.effects.send_due()

    async def do_rewind(self) -> None:
        """A rebalance: the reader starts again somewhere before."""
        if slots := [slot for slot in self.heard_slots() if self.next.get(slot)]:
            slot = self.random.choice(slots)
            self.next[slot] = max(0, self.next[slot] - self.random.randint(1, 10))

    async def do_mend(self) -> None:
        """Somebody mends a bug and tries a parked key again."""
        if self.broken and self.random.random() < 0.3:
            self.broken.discard(self.random.choice(sorted(self.broken)))
        if keys := [(row.topic, row.key) for row in await self.parking.keys()]:
            await self.retry(*self.random.choice(keys))

    async def retry(self, topic: str, key: str) -> None:
        await self.parking.retry(topic, key)

    async def do_clock(self) -> None:
        """Time goes by; now and then the clock is wrong and jumps back."""
        back = self.random.random() < 0.1
        self.clock.advance(timedelta(seconds=-300 if back else self.random.choice((1, 2, 10, 60, 300))))

    async def rest(self) -> None:
        """No more faults: mend, let time go by, read, tell and send until nothing is left to do."""
        self.sea.calm = self.gateway.calm = True
        self.broken.clear()
        for _ in range(REST_ROUNDS):
            for relay in self.relays:
                relay.resting.clear()
                await relay.wave()
            await self.do_consume()
            await self.do_time()
            await self.effects.send_due()
            if await self.at_rest():
                return
        self.history.note("stuck", "run")

    async def at_rest(self) -> bool:
        for row in await self.parking.keys():
            if row.retry_at is None:
                await self.retry(row.topic, row.key)
        if any(self.next.get(slot, 0) < len(self.sea.slots[slot]) for slot in self.heard_slots()):
            return False
        if any([await relay.unsent() for relay in self.relays]):
            return False
        open_ = [await self.timers.next_due(), await self.effects.next_due()]
        open_ += [row.retry_at or self.clock.now() for row in await self.parking.keys()]
        if due := [each for each in open_ if each is not None]:
            self.clock.set(max(self.clock.now(), min(due)) + timedelta(seconds=61))
        return not due
