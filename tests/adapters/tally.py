"""The smallest service that uses the whole kernel: it counts what each case heard, and tells the count."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter

from contracts.cases import CasePhaseChanged
from contracts.codes import Phase
from contracts.contacts import ContactRecorded
from contracts.handovers import HandoverAccepted, HandoverFailed, HandoverSent
from contracts.ids import CaseId
from kit.aggregate import Aggregate, Mapped
from kit.clock import Clock
from kit.db import Id, Json, kernel
from kit.effects import Port
from kit.errors import Refused
from kit.handlers import Handlers, Received, Sent, Timer
from kit.service import Service, open_store
from kit.settings import Settings
from kit.store import Unit

metadata = sa.MetaData()
kernel(metadata)
tallies = sa.Table(
    "tallies",
    metadata,
    sa.Column("case_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("numbers", Json(list[int]), nullable=False),
    sa.Column("outcomes", Json(list[str]), nullable=False),
)


@dataclass(kw_only=True, eq=False)
class Tally(Aggregate):
    """What one case heard, in order."""

    case_id: UUID
    numbers: list[int] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)

    def key(self) -> str:
        return str(self.case_id)

    def count(self, number: int) -> None:
        self.numbers.append(number)
        self.told.append(CasePhaseChanged(case_id=CaseId(self.case_id), to_phase=Phase.PLANNING, on_hold=False))


def tallying() -> Handlers:
    """Fresh handlers, so that a test may add a broken one."""
    handlers = Handlers(main=Tally)

    @handlers.on(HandoverAccepted)
    def count(received: Received[HandoverAccepted], unit: Unit) -> None:
        event = received.event
        tally = unit.find(Tally, event.key())
        if tally is None:
            tally = Tally(case_id=event.case_id)
            unit.add(tally)
        tally.count(event.attempt)

    @handlers.on(HandoverFailed)
    def refuse(received: Received[HandoverFailed], unit: Unit) -> None:
        raise Refused("this case counts no failures")

    @handlers.on(HandoverSent)
    def need_a_tally(received: Received[HandoverSent], unit: Unit) -> None:
        unit.get(Tally, received.event.key()).count(received.event.attempt)

    @handlers.forgotten(ContactRecorded)
    def forget(key: str, unit: Unit) -> None:
        if tally := unit.find(Tally, key):
            unit.remove(tally)

    @handlers.due("remind")
    def remind(timer: Timer, unit: Unit) -> None:
        unit.get(Tally, timer.key).count(timer.payload["number"])

    @handlers.sent("ring", needs=lambda sent, unit: [(Tally, sent.payload["case_id"])])
    def record(sent: Sent, unit: Unit) -> None:
        unit.get(Tally, sent.payload["case_id"]).outcomes.append(sent.state)

    return handlers


def build(
    settings: Settings,
    clock: Clock | None = None,
    new_id: Callable[[], UUID] | None = None,
    handlers: Handlers | None = None,
    ports: dict[str, Port] | None = None,
) -> Service:
    repositories = {Tally: Mapped(Tally, tallies)}
    store = open_store("case_service", settings, repositories, clock, new_id)
    return Service(
        name="case_service",
        settings=settings,
        store=store,
        handlers=handlers or tallying(),
        metadata=metadata,
        router=APIRouter(),
        tells=("rollout.cases",),
        ports=ports or {},
    )


RETRY = (timedelta(minutes=1), timedelta(minutes=5))
