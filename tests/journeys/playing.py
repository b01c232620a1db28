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
from simulators.edifact.party import EdifactParty
from simulators.erp import Log
from simulators.facts import OrderFacts, number_of
from simulators.journeys import played
from simulators.marketplace import Speech
from simulators.story import Story

SEED = 7
REMARKS = "SELECT case_id, code, hotlist FROM remarks ORDER BY at"
REFUSED = "SELECT subject, action, details FROM audit WHERE action LIKE 'refused:%' ORDER BY at"


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
    remarks: list[str] = field(default_factory=list)
    hotlist: list[str] = field(default_factory=list)
    """Remarks that people must look at."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """What somebody asked for in vain, and the code of the refusal."""

    def names(self, topic: str) -> list[str]:
        return [name for name, _ in self.facts.get(f"rollout.{topic}", [])]

    def moves(self, sequence: int = 1) -> list[str]:
        """The moves of one work order, in their order."""
        return [data["move"] for data in self.of("cases", "work_order_moved") if data["sequence"] == sequence]

    def of(self, topic: str, name: str, **having: Any) -> list[Mapping[str, Any]]:
        """The facts of a kind, with these values."""
        found = [data for each, data in self.facts.get(f"rollout.{topic}", []) if each == name]
        return [data for data in found if having.items() <= data.items()]

    def in_order(self, topic: str, *wanted: str) -> bool:
        """Whether these came in this order, whatever lay between them."""
        came = iter(self.names(topic))
        return all(name in came for name in wanted)

    def phases(self) -> list[str]:
        """The phases that the case went through."""
        return [data["to_phase"] for data in self.of("cases", "phase_changed")]

    def closed_as(self) -> list[str]:
        """Why each work order ended, in their order."""
        ends = {
            data["sequence"]: data["close_reason"] for data in self.of("cases", "work_order_moved", to_state="CLOSED")
        }
        return [ends[sequence] for sequence in sorted(ends)]

    def exceptions(self) -> list[tuple[str, str]]:
        """What was raised, approved and resolved, in its order."""
        told = [(name, data) for name, data in self.facts["rollout.cases"] if name.startswith("exception_")]
        return [(name.removeprefix("exception_"), data["type"]) for name, data in told]

    def handovers(self, fact: str = "exchange_completed") -> list[Mapping[str, Any]]:
        """What the case wanted told."""
        return self.of("cases", "handover_requested", fact=fact)


@dataclass(frozen=True)
class Played:
    """A rollout that is over."""

    orders: Mapping[str, Told]
    """By journey."""
    summary: Summary
    quarantined: Sequence[str]
    left: Mapping[int, Any]
    """Turns that nobody could play."""
    parties: Mapping[str, EdifactParty]
    """Partners that spoke EDIFACT."""


def play(
    folder: Path,
    journeys: Sequence[Mapping[str, Any]],
    *,
    shuffled: bool = False,
    speaks: Mapping[str, Speech] | None = None,
) -> Played:
    """Run the rollout to its end, on a bus that keeps its order or on one that shuffles and repeats."""
    return asyncio.run(_play(folder, played(journeys), shuffled, speaks))


async def _play(
    folder: Path, told: Sequence[Story], shuffled: bool, speaks: Mapping[str, Speech] | None = None
) -> Played:
    around = (lambda bus: ShufflingBus(bus, SEED)) if shuffled else (lambda bus: bus)
    async with rollout(told, SEED, folder, around=around, speaks=speaks) as stage:  # type: ignore[arg-type]
        await stage.to_the_end(Quiet())
        summary = await summarise(stage.house, stage.cast, 0.0)
        orders = await _orders(stage)
        found = await _rows(stage, "mdm_adapter", "SELECT cause, state FROM quarantine ORDER BY first_seen")
        parties = stage.cast.market.in_edifact
    return Played(orders, summary, [f"{row.cause} {row.state}" for row in found], stage.cast.script.left(), parties)


async def _orders(stage: Embedded) -> dict[str, Told]:
    cases = await _rows(stage, "case_service", "SELECT case_id, metering_point_id, phase FROM cases ORDER BY opened_at")
    told = {row.case_id: Told(row.case_id, row.phase) for row in cases}
    await _hear(stage, told)
    await _look(stage, told)
    by_journey = dict[str, Told]()
    for row in cases:
        number = number_of(row.metering_point_id)
        found = told[row.case_id]
        found.log = stage.cast.erp.logs[number]
        phone = OrderFacts(number).phone
        found.texts = sum(taken.rings for taken in stage.cast.gateway.taken.values() if taken.to == phone)
        journey = stage.cast.stories[number - 1].journey
        by_journey[f"{journey}, its second case" if journey in by_journey else journey] = found
    return by_journey


async def _hear(stage: Embedded, told: Mapping[str, Told]) -> None:
    """All that was told about each case."""
    for name in stage.house.services:
        log = tables.event_log
        query = sa.select(log.c.topic, log.c.headers, log.c.value).order_by(log.c.topic, log.c.position)
        for row in await stage.house.services[name].store.read(lambda db, query=query: db.execute(query).all()):  # type: ignore[misc]
            data = json.loads(row.value or b"{}")
            if (found := told.get(str(data.get("case_id")))) is not None:
                fact = row.headers["ce_type"].removeprefix("rollout.").split(".")[1]
                found.facts.setdefault(row.topic, []).append((fact, data))


async def _look(stage: Embedded, told: Mapping[str, Told]) -> None:
    """What stands on the history of each case, and who was refused."""
    for row in await _rows(stage, "case_service", REMARKS):
        told[row.case_id].remarks.append(row.code)
        told[row.case_id].hotlist += [row.code] if row.hotlist else []
    for row in await _rows(stage, "case_service", REFUSED):
        case_id = row.subject.split("/")[1]
        if case_id in told:
            code = json.loads(row.details)["code"]
            told[case_id].refused.append((row.action.removeprefix("refused:"), code))


async def _rows(stage: Embedded, service: str, sql: str) -> Sequence[sa.Row[Any]]:
    return await stage.house.services[service].store.read(lambda db: db.execute(sa.text(sql)).all())
