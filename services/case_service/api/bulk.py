"""Bulk moves (lifecycle §12): plan, preview, run, retry what failed, cancel, undo. The work itself is a job."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query

from kit.auth import Principal, RoleMissing, Scope, needs
from kit.http import cursor, read_cursor
from kit.jobs import ACTIVE, refuse_while_behind
from kit.store import Store, Unit
from services.case_service import bulk_store as queries
from services.case_service.api.moving import MOVE_ACTIONS
from services.case_service.api.refusals import audited
from services.case_service.api.views import TheStore, View
from services.case_service.domain import bulk
from services.case_service.domain.bulk import BulkMove, BulkRequest, Frozen, ItemState, RetryRequest
from services.case_service.errors import BatchBusy, NothingToDo

router = APIRouter()
Limit = Annotated[int, Query(ge=1, le=500)]
Planner = Annotated[Principal, Depends(needs("work_order:plan"))]
AT_WORK = {bulk.PREVIEW: "previewing", bulk.RUN: "running"}
AT_REST = {bulk.PREVIEW: "planned", bulk.RUN: "done"}


class Counts(View):
    """Where the items stand; the four numbers are the selection at every moment."""

    pending: int = 0
    moved: int = 0
    refused: int = 0
    failed: int = 0


class ItemView(View):
    """One work order of a batch."""

    work_order_id: UUID
    version: int
    """On which whoever planned decided; changed since then, it is refused."""
    preview: str | None
    """would_move, or the code that objected; null until it was looked at."""
    state: ItemState
    code: str | None
    """Why it was refused or failed."""


class BulkMoveView(View):
    """A batch, and a page of its items."""

    batch_id: UUID
    move: str
    arguments: dict[str, Any]
    state: str
    """previewing, planned, running, done, cancelled or failed: what its newest job does, or how it ended."""
    selected: int
    counts: Counts
    preview: dict[str, int]
    """How many would move, and how many would be refused with which code; what is missing is not looked at yet."""
    codes: dict[str, int]
    """How many were refused or failed with which code."""
    undo_of: UUID | None
    created_by: str
    created_at: datetime
    items: tuple[ItemView, ...]
    next: str | None


@router.post("/v1/bulk-moves", status_code=202)
async def plan(body: BulkRequest, planner: Planner, store: TheStore) -> BulkMoveView:
    """Freeze a selection; whether its work orders would move is found out at once, and nothing is moved."""
    batch_id = await audited(f"bulk:{body.move}", "bulk_move/new", _plan(store, planner, body))
    return await store.read(lambda db: _view(db, planner.scope, UUID(batch_id)))


@router.get("/v1/bulk-moves/{batch_id}")
async def read_batch(
    batch_id: UUID,
    planner: Planner,
    store: TheStore,
    state: ItemState | None = None,
    code: str | None = None,
    after: str | None = None,
    limit: Limit = 100,
) -> BulkMoveView:
    """Preview, progress or result: totals of the batch, and its items in a state or with a code, page by page."""
    begin = UUID(read_cursor(after, str)[0]) if after else None
    states = [state] if state else []
    return await store.read(
        lambda db: _view(db, planner.scope, batch_id, states=states, code=code, after=begin, limit=limit)
    )


@router.post("/v1/bulk-moves/{batch_id}/run", status_code=202)
async def run(batch_id: UUID, planner: Planner, store: TheStore) -> BulkMoveView:
    """Move what is pending; also what a cancelled run left."""
    return await _going_on(store, planner, batch_id, "run", [ItemState.PENDING])


@router.post("/v1/bulk-moves/{batch_id}/retry", status_code=202)
async def retry(batch_id: UUID, body: RetryRequest, planner: Planner, store: TheStore) -> BulkMoveView:
    """Move what failed, and on request also what was refused."""
    states = [ItemState.FAILED, ItemState.REFUSED] if body.refused else [ItemState.FAILED]
    return await _going_on(store, planner, batch_id, "retry", states)


@router.post("/v1/bulk-moves/{batch_id}/cancel", status_code=202)
async def cancel(batch_id: UUID, planner: Planner, store: TheStore) -> BulkMoveView:
    """End the job that is at work: after its chunk nothing more is moved."""
    running = _cancel(store, planner, batch_id)
    await audited("bulk:cancel", f"bulk_move/{batch_id}", running)
    return await store.read(lambda db: _view(db, planner.scope, batch_id))


@router.post("/v1/bulk-moves/{batch_id}/undo", status_code=202)
async def undo(batch_id: UUID, planner: Planner, store: TheStore) -> BulkMoveView:
    """Plan another batch that assigns what was there before; what changed since then will be refused."""
    running = _undo(store, planner, batch_id)
    made = await audited("bulk:undo", f"bulk_move/{batch_id}", running)
    return await store.read(lambda db: _view(db, planner.scope, UUID(made)))


async def _plan(store: Store, planner: Principal, body: BulkRequest) -> str:
    bulk.check_plan(body)
    _may(planner, body.move)
    versions = await store.read(lambda db: queries.selected(db, planner.scope, body.ids, body.filter))
    arguments = body.arguments.model_dump(mode="json", exclude_unset=True)
    return await _begin(store, planner, body.move, arguments, bulk.freeze(body.ids, versions))


async def _undo(store: Store, planner: Principal, batch_id: UUID) -> str:
    batch, items = await store.read(
        lambda db: (queries.batch(db, planner.scope, batch_id), queries.undoable(db, batch_id))
    )
    _may(planner, batch.move)
    _refuse_busy(batch)
    bulk.check_undo(batch.move, items)
    return await _begin(store, planner, batch.move, {}, items, batch_id)


async def _begin(
    store: Store,
    planner: Principal,
    move: str,
    arguments: dict[str, Any],
    frozen: Sequence[Frozen],
    undo_of: UUID | None = None,
) -> str:
    await store.read(refuse_while_behind)

    def command(unit: Unit) -> str:
        batch_id = unit.new_id()
        batch = BulkMove(
            batch_id=batch_id,
            move=move,
            arguments=arguments,
            selected=len(frozen),
            undo_of=undo_of,
            job_id=batch_id,
            created_by=planner.id,
            scope=queries.scope_text(planner.scope),
            created_at=unit.now,
            frozen=frozen,
        )
        batch.job_id = _job(unit, batch, bulk.PREVIEW, list(ItemState), len(frozen))
        unit.add(batch)
        unit.audit("bulk:plan", f"bulk_move/{batch_id}", move=move, selected=len(frozen))
        return str(batch_id)

    return await store.run(planner, command)


async def _going_on(
    store: Store, planner: Principal, batch_id: UUID, what: str, states: Sequence[ItemState]
) -> BulkMoveView:
    await audited(f"bulk:{what}", f"bulk_move/{batch_id}", _go_on(store, planner, batch_id, what, states))
    return await store.read(lambda db: _view(db, planner.scope, batch_id))


async def _go_on(store: Store, planner: Principal, batch_id: UUID, what: str, states: Sequence[ItemState]) -> None:
    batch, counted = await store.read(
        lambda db: (queries.batch(db, planner.scope, batch_id), queries.counts(db, batch_id))
    )
    _may(planner, batch.move)
    _refuse_busy(batch)
    await store.read(refuse_while_behind)
    total = sum(count for state, _, _, count in counted if state in states)
    if not total:
        raise NothingToDo(f"No item of the batch is {' or '.join(states)}.")

    def command(unit: Unit) -> None:
        kept = unit.get(BulkMove, str(batch_id))
        kept.goes_on(batch.runs, _job(unit, kept, bulk.RUN, states, total))
        unit.audit(f"bulk:{what}", f"bulk_move/{batch_id}", items=total)

    await store.run(planner, command, needs=[(BulkMove, str(batch_id))])


async def _cancel(store: Store, planner: Principal, batch_id: UUID) -> None:
    batch = await store.read(lambda db: queries.batch(db, planner.scope, batch_id))
    _may(planner, batch.move)
    if batch.job_state not in ACTIVE:
        raise NothingToDo("No job is at work on this batch.")

    def command(unit: Unit) -> None:
        unit.stop_job(batch.job_id)
        unit.audit("bulk:cancel", f"bulk_move/{batch_id}")

    await store.run(planner, command)


def _job(unit: Unit, batch: BulkMove, kind: str, states: Sequence[ItemState], total: int) -> UUID:
    given = {"batch_id": str(batch.batch_id), "move": batch.move, "arguments": batch.arguments}
    return unit.job(kind, f"{batch.batch_id}/{batch.runs}", total, states=list(states), **given)


def _may(planner: Principal, move: str) -> None:
    """The route lets planners in; some moves need more than planning."""
    actions = MOVE_ACTIONS[move]
    if not any(planner.may(action) for action in actions):
        raise RoleMissing(actions[0])


def _refuse_busy(batch: Any) -> None:
    if batch.job_state in ACTIVE:
        raise BatchBusy(f"The batch is {AT_WORK[batch.job_kind]}.")


def _view(
    db: sa.Connection,
    scope: Scope,
    batch_id: UUID,
    *,
    states: Sequence[ItemState] = (),
    code: str | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> BulkMoveView:
    batch, counted = queries.batch(db, scope, batch_id), queries.counts(db, batch_id)
    items = queries.items(db, batch_id, states=states, code=code, after=after, limit=limit)
    where, preview, codes = Counter[str](), Counter[str](), Counter[str]()
    for state, its_code, previewed, count in counted:
        where[state] += count
        preview[previewed or ""] += count
        codes[its_code or ""] += count
    doing = AT_WORK if batch.job_state in ACTIVE else AT_REST
    ended_well = batch.job_state in (*ACTIVE, "done")
    names = ("batch_id", "move", "arguments", "selected", "undo_of", "created_by", "created_at")
    return BulkMoveView(
        **{name: getattr(batch, name) for name in names},
        state=doing[batch.job_kind] if ended_well else batch.job_state,
        counts=Counts(**where),
        preview={name: count for name, count in preview.items() if name},
        codes={name: count for name, count in codes.items() if name},
        items=tuple(ItemView.model_validate(item) for item in items),
        next=cursor(str(items[-1].work_order_id)) if len(items) == limit else None,
    )
