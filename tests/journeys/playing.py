"""One rollout in which each of the first orders plays its journey; what became of each is kept for the tests."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hub.demo import Embedded, rollout
from hub.summary import Summary, summarise
from kit import tables
from kit.testing import ShufflingBus
from simulators.erp import Log
from simulators.facts import OrderFacts, number_of
from simulators.journeys import JOURNEYS

SEED = 7


class Quiet:
    """Nobody watches."""

    def update(self, ended: int, now: object) -> None: ...


@dataclass
class Told:
    """What became of one order."""

    case_id: str
    phase: str
    facts: dict[str, list[tuple[str, Mapping[str, Any]]]] = field(default_factory=dict)
    """By topic, in the order of the topic: type without prefix and version, and the data."""
    log: Log = field(default_factory=Log)
    texts: int = 0
    """How often the customer's phone rang."""

    def names(self, topic: str) -> list[str]:
        return [name for name, _ in self.facts.get(f"rollout.{topic}", [])]

    def moves(self, sequence: int = 1) -> list[str]:
        """The moves of one work order, in their order."""
        said = self.facts["rollout.cases"]
        return [data["move"] for name, data in said if name == "work_order_moved" and data["sequence"] == sequence]

    def of(self, topic: str, name: str) -> list[Mapping[str, Any]]:
        return [data for found, data in self.facts.get(f"rollout.{topic}", []) if found == name]


@dataclass(frozen=True)
class Played:
    """A rollout that is over."""

    orders: Mapping[str, Told]
    """By journey."""
    summary: Summary
    quarantined: Sequence[str]


def play(folder: Path, *, shuffled: bool) -> Played:
    """Run the rollout to its end, on a bus that keeps its order or on one that shuffles and repeats."""
    return asyncio.run(_play(folder, shuffled))


async def _play(folder: Path, shuffled: bool) -> Played:
    around = (lambda bus: ShufflingBus(bus, SEED)) if shuffled else (lambda bus: bus)
    async with rollout(len(JOURNEYS), SEED, folder, around=around) as stage:  # type: ignore[arg-type]
        await stage.to_the_end(Quiet())
        summary = await summarise(stage.house, stage.cast, 0.0)
        orders = await _orders(stage)
        found = await _rows(stage, "mdm_adapter", "SELECT cause, state FROM quarantine ORDER BY first_seen")
    return Played(orders, summary, [f"{row.cause} {row.state}" for row in found])


async def _orders(stage: Embedded) -> dict[str, Told]:
    cases = await _rows(stage, "case_service", "SELECT case_id, metering_point_id, phase FROM cases ORDER BY opened_at")
    told = {row.case_id: Told(row.case_id, row.phase) for row in cases}
    for name in stage.house.services:
        log = tables.event_log
        query = sa.select(log.c.topic, log.c.headers, log.c.value).order_by(log.c.topic, log.c.position)
        for row in await stage.house.services[name].store.read(lambda db, query=query: db.execute(query).all()):  # type: ignore[misc]
            data = json.loads(row.value or b"{}")
            if (found := told.get(str(data.get("case_id")))) is not None:
                fact = row.headers["ce_type"].removeprefix("rollout.").split(".")[1]
                found.facts.setdefault(row.topic, []).append((fact, data))
    by_journey = {}
    for row in cases:
        number = number_of(row.metering_point_id)
        found = told[row.case_id]
        found.log = stage.cast.erp.logs[number]
        phone = OrderFacts(number).phone
        found.texts = sum(taken.rings for taken in stage.cast.gateway.taken.values() if taken.to == phone)
        by_journey[str(JOURNEYS[number - 1]["journey"])] = found
    return by_journey


async def _rows(stage: Embedded, service: str, sql: str) -> Sequence[sa.Row[Any]]:
    return await stage.house.services[service].store.read(lambda db: db.execute(sa.text(sql)).all())
