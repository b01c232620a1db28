"""What was handed over, to whom, with which answer: the matrix of each attempt, and the clocks that run for it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from contracts.codes import Fact
from services.mdm_adapter import store_beside as queries
from services.mdm_adapter.api.asking import Reader, TheStore, View
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.domain.handover import Outlook, RowState, outlook
from services.mdm_adapter.errors import NoSuchThing


class Clock(BaseModel):
    """A time that runs for a document: when it is over, something happens."""

    kind: str
    """silence: nobody objected; fact_missing: the wait for a fact ends; resend: it is sent again; …"""
    due_at: datetime
    seconds_left: int
    """Negative: it is over, and being acted on."""


class RowView(View):
    """One document to one recipient."""

    row_id: UUID
    case_id: UUID
    fact: str
    attempt: int
    order_key: str
    recipient: str
    document: str
    role: str
    """What the recipient is to the point: nb, lf, wmsb, msb_old; or ordering."""
    required: bool
    accept: str
    """Which answer settles it."""
    by_silence: bool
    state: str
    held: str | None
    delivery: str | None
    build: int
    message_id: UUID | None
    requested_at: datetime
    edits: dict[str, Any] = {}
    """What a person corrected in the document."""
    reasons: tuple[dict[str, Any], ...] = ()
    clocks: tuple[Clock, ...] = ()


class HandoverView(BaseModel):
    """One attempt to hand a fact over, as a whole: Waiting, Transferred or Error."""

    case_id: UUID
    fact: str
    attempt: int
    outlook: Outlook
    rows: list[RowView]


def routes(_: Desk) -> APIRouter:
    """Routes of those who look after handovers."""
    router = APIRouter(tags=["handovers"])

    @router.get("/v1/handovers")
    async def handovers(
        reader: Reader,
        store: TheStore,
        state: RowState | None = None,
        fact: Fact | None = None,
        case: UUID | None = None,
    ) -> list[HandoverView]:
        """What was handed over, newest first, with the state of every document and the clocks that run for it."""
        wanted = queries.Attempt(state, fact, case)
        return await _found(reader, store, wanted)

    @router.get("/v1/handovers/{case_id}/{fact}/{attempt}")
    async def handover(case_id: UUID, fact: Fact, attempt: int, reader: Reader, store: TheStore) -> HandoverView:
        """One attempt to hand one fact over."""
        found = await _found(reader, store, queries.Attempt(None, fact, case_id, attempt))
        if not found:
            raise NoSuchThing("there is no such handover")
        return found[0]

    return router


async def _found(reader: Any, store: Any, wanted: queries.Attempt) -> list[HandoverView]:
    rows = await store.read(lambda db: queries.handover_rows(db, reader.scope, wanted))
    ids = [row.row_id for row in rows]
    timers = await store.read(lambda db: queries.clocks_of(db, reader.scope, ids))
    return _handovers(rows, _clocks(timers, store.clock.now()))


def _clocks(timers: Iterable[Any], now: datetime) -> Mapping[str, tuple[Clock, ...]]:
    found: dict[str, tuple[Clock, ...]] = {}
    for timer in timers:
        left = int((timer.due_at - now).total_seconds())
        clock = Clock(kind=timer.kind, due_at=timer.due_at, seconds_left=left)
        found[timer.key] = (*found.get(timer.key, ()), clock)
    return found


def _handovers(rows: Iterable[Any], clocks: Mapping[str, tuple[Clock, ...]]) -> list[HandoverView]:
    attempts: dict[tuple[UUID, str, int], list[Any]] = {}
    for row in rows:
        attempts.setdefault((row.case_id, row.fact, row.attempt), []).append(row)
    return [
        HandoverView(
            case_id=case_id,
            fact=fact,
            attempt=attempt,
            outlook=outlook(row.state for row in found if row.required),
            rows=[_row(row, clocks.get(str(row.row_id), ())) for row in found],
        )
        for (case_id, fact, attempt), found in attempts.items()
    ]


def _row(row: Any, clocks: tuple[Clock, ...]) -> RowView:
    values = {name: getattr(row, name) for name in RowView.model_fields if name not in {"reasons", "clocks"}}
    reasons = tuple(reason.model_dump(exclude_none=True) for reason in row.reasons)
    return RowView(**values, reasons=reasons, clocks=clocks)
