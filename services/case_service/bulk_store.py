"""How bulk moves are selected, frozen, taken a chunk at a time and counted: the SQL of this part of the service."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kit import rows
from kit import tables as kernel
from kit.auth import Scope
from kit.errors import NotFound
from kit.store import Mapped
from services.case_service import tables
from services.case_service.domain.bulk import BulkMove, Frozen, ItemState
from services.case_service.domain.selection import Selection
from services.case_service.store import Row, like, mine, visible

_orders, _cases = tables.work_orders, tables.cases
_batches, _items, _jobs = tables.bulk_moves, tables.bulk_items, kernel.jobs
FROZEN = ("batch_id", "work_order_id", "version", "given", "state")
KEY = ("batch_id", "work_order_id")


class BulkMoves(Mapped[BulkMove]):
    """Batches; the items of a new one are written with it, and never loaded as a whole."""

    def save(self, db: sa.Connection, aggregates: Sequence[BulkMove], removed: Sequence[BulkMove] = ()) -> None:
        """Write batches, and the selection of those that are new."""
        new = [each for each in aggregates if each.loaded is None]
        super().save(db, aggregates, removed)
        how = rows.binders(db.dialect, _items, FROZEN)
        frozen = [
            rows.bound((batch.batch_id, item.work_order_id, item.version, item.given, ItemState.PENDING), how)
            for batch in new
            for item in batch.frozen
        ]
        rows.insert(db, _items, FROZEN, frozen)


BULK_MOVES = BulkMoves(BulkMove, _batches)


def selected(db: sa.Connection, scope: Scope, ids: Sequence[UUID], chosen: Selection | None) -> dict[UUID, int]:
    """The versions of the work orders that are meant, as far as they are in scope, oldest first."""
    query = sa.select(_orders.c.work_order_id, _orders.c.version).join(_cases, _cases.c.case_id == _orders.c.case_id)
    wanted = [visible(scope), mine(scope)]
    wanted += [rows.one_of(_orders.c.work_order_id, "ids")] if ids else []
    wanted += like(chosen, scope) if chosen else []
    asked = {"ids": ids} if ids else {}
    found = db.execute(query.where(*wanted).order_by(_orders.c.work_order_id), asked)
    return {row.work_order_id: row.version for row in found}


def batch(db: sa.Connection, scope: Scope, batch_id: UUID) -> Row:
    """A batch with its job; raises NotFound where it is not there for whoever asks."""
    job = (_jobs.c.kind.label("job_kind"), _jobs.c.state.label("job_state"))
    wanted = [_batches.c.batch_id == batch_id]
    wanted += [] if scope.kind == "all" else [_batches.c.scope == scope_text(scope)]
    query = sa.select(_batches, *job).join(_jobs, _jobs.c.id == _batches.c.job_id).where(*wanted)
    found = db.execute(query).one_or_none()
    if found is None:
        raise NotFound(f"there is no bulk move {batch_id}")
    return found


def counts(db: sa.Connection, batch_id: UUID) -> Sequence[tuple[ItemState, str | None, str | None, int]]:
    """How many items stand where: state, code and what the preview said, from one look."""
    by = (_items.c.state, _items.c.code, _items.c.preview)
    query = sa.select(*by, sa.func.count()).where(_items.c.batch_id == batch_id).group_by(*by)
    return [(row[0], row[1], row[2], row[3]) for row in db.execute(query)]


def items(
    db: sa.Connection,
    batch_id: UUID,
    *,
    states: Sequence[ItemState] = (),
    code: str | None = None,
    after: UUID | None = None,
    limit: int,
) -> Sequence[Row]:
    """Items of a batch in their order, a page or a chunk of them."""
    wanted = [_items.c.batch_id == batch_id]
    wanted += [_items.c.state.in_(states)] if states else []
    wanted += [sa.or_(_items.c.code == code, _items.c.preview == code)] if code else []
    wanted += [_items.c.work_order_id > after] if after else []
    return db.execute(sa.select(_items).where(*wanted).order_by(_items.c.work_order_id).limit(limit)).all()


def undoable(db: sa.Connection, batch_id: UUID) -> Sequence[Frozen]:
    """What a batch assigned: the version it left behind, and the values that were there before."""
    wanted = (_items.c.batch_id == batch_id, _items.c.state == ItemState.MOVED, _items.c.undo.is_not(None))
    query = sa.select(_items).where(*wanted).order_by(_items.c.work_order_id)
    return [Frozen(row.work_order_id, row.moved_to, row.undo) for row in db.execute(query)]


def write_down(db: sa.Connection, batch_id: UUID, found: Sequence[Mapping[str, Any]]) -> None:
    """Set these columns of some items of a batch; every mapping has the same ones, and the work order's id."""
    if not found:
        return
    columns = tuple(name for name in found[0] if name not in KEY)
    how = rows.binders(db.dialect, _items, (*columns, *KEY))
    made = [rows.bound((*(each[name] for name in columns), batch_id, each["work_order_id"]), how) for each in found]
    rows.update(db, _items, columns, made, KEY)


def scope_text(scope: Scope) -> str:
    """How far somebody reaches, as it is kept with a batch."""
    return f"{scope.kind}:{scope.id}"
