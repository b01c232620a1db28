"""The service that faults are tried on: it counts what each case heard, sets timers, and rings outside."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter

from contracts.cases import CasePhaseChanged
from contracts.codes import Fact, Phase
from contracts.event import Event
from contracts.handovers import HandoverAccepted, HandoverSent
from contracts.ids import CaseId
from kit.aggregate import Aggregate, Mapped
from kit.clock import Clock
from kit.db import Id, Json, kernel
from kit.effects import Port
from kit.errors import NotFound
from kit.handlers import Handlers, Received, Sent, Timer
from kit.service import Service, open_store
from kit.settings import Settings
from kit.store import Unit

TOLD, HEARD = "rollout.cases", "rollout.handovers"
WAITS = timedelta(seconds=0.9)
"""How long the number that waits is not heard of yet: less than the first retry."""
Broken = Collection[tuple[str, int]]

metadata, books = sa.MetaData(), sa.MetaData()
kernel(metadata)
kernel(books)
counts = sa.Table(
    "counts",
    metadata,
    sa.Column("case_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("numbers", Json(list[int]), nullable=False),
    sa.Column("reminded", Json(list[int]), nullable=False),
    sa.Column("rung", Json(list[int]), nullable=False),
)


def waits(number: int) -> bool:
    return number % 10 == 7


def reminds(number: int) -> bool:
    return number % 4 == 1


def rings(number: int) -> bool:
    return number % 3 == 0


def fact(case_id: UUID, number: int) -> Event:
    """The fact with this number: some must wait for something that is not heard of yet."""
    exchanged = Fact.EXCHANGE_COMPLETED
    if waits(number):
        more = {"document": "DeviceExchangeCompleted", "recipient": "erp-a", "required": True, "message_ref": "m"}
        return HandoverSent(case_id=CaseId(case_id), fact=exchanged, attempt=number, row_id=case_id, **more)
    return HandoverAccepted(
        case_id=CaseId(case_id), fact=exchanged, attempt=number, by_silence=False, by_exception=False
    )


@dataclass(kw_only=True, eq=False)
class Count(Aggregate):
    """What one case heard, was reminded of, and rang for."""

    case_id: UUID
    numbers: list[int] = field(default_factory=list)
    reminded: list[int] = field(default_factory=list)
    rung: list[int] = field(default_factory=list)

    def key(self) -> str:
        return str(self.case_id)


def hear(case_id: UUID, number: int, unit: Unit) -> None:
    """Count, tell, and set going what the number asks for."""
    count = unit.find(Count, str(case_id))
    if count is None:
        count = Count(case_id=case_id)
        unit.add(count)
    count.numbers.append(number)
    count.told.append(CasePhaseChanged(case_id=CaseId(case_id), to_phase=Phase.PLANNING, on_hold=False))
    payload = {"case_id": str(case_id), "number": number}
    if reminds(number):
        unit.later("remind", f"{case_id}/{number}", unit.now + timedelta(seconds=number % 5), **payload)
    if rings(number):
        unit.effect("ring", f"{case_id}/{number}", payload)


def handlers(broken: Broken = ()) -> Handlers:
    """Handlers of which some numbers are broken until somebody mends them."""
    made = Handlers(main=Count)

    @made.on(HandoverAccepted)
    def accepted(received: Received[HandoverAccepted], unit: Unit) -> None:
        event = received.event
        hear(event.case_id, event.attempt, unit)
        if (event.key(), event.attempt) in broken:
            raise RuntimeError("a bug that is mended later")

    @made.on(HandoverSent)
    def sent(received: Received[HandoverSent], unit: Unit) -> None:
        if unit.now < received.time + WAITS:
            raise NotFound("what this needs is not heard of yet")
        hear(received.event.case_id, received.event.attempt, unit)

    @made.due("remind", needs=lambda timer, unit: [(Count, timer.payload["case_id"])])
    def remind(timer: Timer, unit: Unit) -> None:
        unit.get(Count, timer.payload["case_id"]).reminded.append(timer.payload["number"])

    @made.sent("ring", needs=lambda sent, unit: [(Count, sent.payload["case_id"])])
    def rung(sent: Sent, unit: Unit) -> None:
        if sent.state == "done":
            unit.get(Count, sent.payload["case_id"]).rung.append(sent.payload["number"])

    return made


def build(
    settings: Settings,
    port: Port,
    clock: Clock | None = None,
    new_id: Callable[[], UUID] | None = None,
    broken: Broken = (),
) -> Service:
    """The counting service; it stands in for the case service on the topics."""
    store = open_store("case_service", settings, {Count: Mapped(Count, counts)}, clock, new_id)
    return Service(
        "case_service", settings, store, handlers(broken), metadata, APIRouter(), tells=(TOLD,), ports={"ring": port}
    )


def build_adapter(
    settings: Settings,
    clock: Clock | None = None,
    new_id: Callable[[], UUID] | None = None,
    router: APIRouter | None = None,
) -> Service:
    """The adapter: it accepts facts and tells them, and hears nothing."""
    store = open_store("mdm_adapter", settings, {}, clock, new_id)
    return Service("mdm_adapter", settings, store, Handlers(main=Count), books, router or APIRouter(), tells=(HEARD,))
