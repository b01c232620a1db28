"""The service that is measured and what it hears: records of 1 kB about 5,000 cases."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter
from uuid_utils.compat import uuid7

from contracts.cases import CasePhaseChanged
from contracts.codes import Authority, Fact, HubReason, Level, Phase
from contracts.handovers import HandoverRejected
from contracts.ids import CaseId, RowId, WorkOrderId
from contracts.parts import HandoverReason
from kit.aggregate import Aggregate, Mapped
from kit.bus import partition_of
from kit.db import Choice, Id, Utc, kernel
from kit.handlers import Handlers, Received
from kit.outbox import Cause, headers, seal
from kit.service import Service, open_store
from kit.settings import Settings
from kit.store import Unit

HEARD, TOLD = "rollout.handovers", "rollout.cases"
CASES, PARTITIONS = 5_000, 12

metadata = sa.MetaData()
kernel(metadata)
cases = sa.Table(
    "cases",
    metadata,
    sa.Column("case_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("level", Choice(Level)),
    sa.Column("message_ref", sa.Text),
    sa.Column("rejected_at", Utc),
)


@dataclass(kw_only=True, eq=False)
class Case(Aggregate):
    """A case that was handed over and comes back."""

    case_id: UUID
    attempt: int = 0
    level: Level | None = None
    message_ref: str | None = None
    rejected_at: datetime | None = None

    def key(self) -> str:
        return str(self.case_id)

    def reject(self, event: HandoverRejected, at: datetime) -> None:
        """The row changes, and one fact is told."""
        self.attempt, self.level, self.message_ref, self.rejected_at = event.attempt, event.level, event.message_ref, at
        self.told.append(CasePhaseChanged(case_id=CaseId(self.case_id), to_phase=Phase.PLANNING, on_hold=False))


def reopening() -> Handlers:
    """One handler: one event in, one row changed, one event out."""
    handlers = Handlers(main=Case)

    @handlers.on(HandoverRejected)
    def reopen(received: Received[HandoverRejected], unit: Unit) -> None:
        case = unit.find(Case, received.event.key())
        if case is None:
            case = Case(case_id=received.event.case_id)
            unit.add(case)
        case.reject(received.event, unit.now)

    return handlers


def build(settings: Settings) -> Service:
    """The measured service, under the name that may tell of cases."""
    store = open_store("case_service", settings, {Case: Mapped(Case, cases)})
    return Service("case_service", settings, store, reopening(), metadata, APIRouter(), tells=(TOLD,))


class Fresh(NamedTuple):
    """A record as a producer takes it."""

    partition: int
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


REASON = HandoverReason(hub_reason=next(iter(HubReason)), code="bench:4711", list="bench:list:2026")


def rejected(number: int) -> HandoverRejected:
    """The n-th event; every case is heard of once in each 5,000."""
    return HandoverRejected(
        case_id=CaseId(case_id(number % CASES)),
        work_order_id=WorkOrderId(case_id(number % CASES)),
        fact=Fact.EXCHANGE_COMPLETED,
        attempt=number // CASES + 1,
        row_id=RowId(case_id(number % CASES)),
        recipient="netz-bench",
        authority=next(iter(Authority)),
        level=next(iter(Level)),
        reasons=(REASON,) * 5,
        message_ref=f"bench:{number}",
    )


def case_id(number: int) -> UUID:
    return UUID(int=(0x0197F000 << 96) + (7 << 76) + (2 << 62) + number)


def records(numbers: Iterable[int]) -> Iterator[Fresh]:
    """What the adapter would have told; the correlation is the moment it was made, in nanoseconds."""
    for number in numbers:
        now = datetime.now(UTC)
        told = seal(rejected(number), uuid7(), now, Cause(str(time.time_ns()), f"bench:{number}"))
        pairs = [(name, text.encode()) for name, text in headers("mdm_adapter", told, number // CASES + 1).items()]
        value = told.value or b""
        yield Fresh(partition_of(told.key, PARTITIONS), told.key.encode(), pairs, value)
