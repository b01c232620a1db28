"""The lists that are asked beside the case: settings, activities, forms, quotes, exports, erasures."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kit.auth import Scope
from services.case_service import tables
from services.case_service import tables_beside as beside
from services.case_service.domain.answers import FieldAnswers, FieldConflict
from services.case_service.domain.entries import Words
from services.case_service.domain.privacy import PersonExport
from services.case_service.domain.visits import Visit, VisitConflict
from services.case_service.store import Row, Rows, behind, mine, visible

cases, orders = tables.cases, tables.work_orders
PAGE = 500


def flows(db: sa.Connection, operator: str) -> Rows:
    """What an operator changed of its flows; settings belong to nobody's scope."""
    table = beside.flows
    return db.execute(sa.select(table).where(table.c.operator == operator)).all()


def activities(
    db: sa.Connection,
    scope: Scope,
    *,
    case_id: UUID | None = None,
    owner: str | None = None,
    state: str | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> Rows:
    """Activities of the cases in scope, in the order of their opening."""
    table = beside.activities
    wanted: list[sa.ColumnElement[bool]] = [table.c.case_id.in_(sa.select(cases.c.case_id).where(visible(scope)))]
    wanted += [table.c.case_id == case_id] if case_id else []
    wanted += [table.c.owner == owner] if owner else []
    wanted += [table.c.state == state] if state else []
    wanted += [table.c.activity_id > after] if after else []
    return db.execute(sa.select(table).where(*wanted).order_by(table.c.activity_id).limit(limit)).all()


def answers(db: sa.Connection, scope: Scope, work_order_id: UUID) -> Row | None:
    """What is saved in the forms of a work order, if it is in scope; `given` is None where nothing is."""
    table = beside.answers
    query = (
        sa.select(orders.c.work_order_id, table.c.given)
        .join(cases, cases.c.case_id == orders.c.case_id)
        .outerjoin(table, table.c.work_order_id == orders.c.work_order_id)
        .where(orders.c.work_order_id == work_order_id, visible(scope), mine(scope))
    )
    return db.execute(query).one_or_none()


def conflicts(
    db: sa.Connection, scope: Scope, *, state: str | None = "open", begin: Sequence[Any] = (), limit: int = PAGE
) -> Rows:
    """Reports that could not be taken when they came, oldest first."""
    table = tables.visit_conflicts
    seen = sa.select(cases.c.case_id).where(visible(scope))
    wanted = [table.c.case_id.in_(seen)] + ([table.c.state == state] if state else [])
    return oldest_first(db, table, wanted, (table.c.reported_at, table.c.conflict_id), begin, limit)


def oldest_first(
    db: sa.Connection,
    table: sa.Table,
    wanted: Sequence[sa.ColumnElement[bool]],
    by: Sequence[sa.Column[Any]],
    begin: Sequence[Any],
    limit: int,
) -> Rows:
    """A page of a list that begins behind these values, in the order of the columns."""
    rest = [behind([(column, False) for column in by], begin)] if begin else []
    return db.execute(sa.select(table).where(*wanted, *rest).order_by(*by).limit(limit)).all()


def field_conflicts(
    db: sa.Connection, scope: Scope, *, state: str | None = "open", begin: Sequence[Any] = (), limit: int = PAGE
) -> Rows:
    """Fields that two people filled in, oldest first."""
    table = beside.field_conflicts
    seen = sa.select(cases.c.case_id).where(visible(scope))
    wanted = [table.c.case_id.in_(seen)] + ([table.c.state == state] if state else [])
    return oldest_first(db, table, wanted, (table.c.edited_at, table.c.conflict_id), begin, limit)


def quotes(db: sa.Connection, scope: Scope, *, after: UUID | None = None, limit: int = 100) -> Rows:
    """Quotes in the order of their making; only who sees everything sees them, for no case is theirs yet."""
    table = beside.quotes
    wanted: list[sa.ColumnElement[bool]] = [sa.true() if scope.kind == "all" else sa.false()]
    wanted += [table.c.quote_id > after] if after else []
    return db.execute(sa.select(table).where(*wanted).order_by(table.c.quote_id).limit(limit)).all()


def completions(
    db: sa.Connection, scope: Scope, first: date, last: date, *, waiting: bool, limit: int
) -> Sequence[str]:
    """Keys of the completions of these days, of cases in scope; `waiting`: only those that no export told yet."""
    table = beside.completions
    seen = sa.select(cases.c.case_id).where(visible(scope))
    wanted = [table.c.completed_on.between(first, last), table.c.case_id.in_(seen)]
    wanted += [table.c.export_id.is_(None)] if waiting else []
    query = sa.select(table.c.completion_key).where(*wanted).order_by(table.c.completed_on, table.c.completion_key)
    return db.scalars(query.limit(limit)).all()


def erasures(
    db: sa.Connection, scope: Scope, *, state: str | None = None, begin: Sequence[Any] = (), limit: int = PAGE
) -> Rows:
    """Who wanted to be forgotten, oldest first."""
    table = beside.erasures
    wanted: list[sa.ColumnElement[bool]] = [table.c.case_id.in_(sa.select(cases.c.case_id).where(visible(scope)))]
    wanted += [table.c.state == state] if state else []
    return oldest_first(db, table, wanted, (table.c.requested_at, table.c.erasure_id), begin, limit)


def person_exports(
    db: sa.Connection, scope: Scope, *, state: str | None = None, begin: Sequence[Any] = (), limit: int = PAGE
) -> Rows:
    """Who wanted to know what is kept of them, oldest first."""
    table = beside.person_exports
    wanted: list[sa.ColumnElement[bool]] = [table.c.case_id.in_(sa.select(cases.c.case_id).where(visible(scope)))]
    wanted += [table.c.state == state] if state else []
    return oldest_first(db, table, wanted, (table.c.requested_at, table.c.case_id), begin, limit)


PERSONAL: Mapping[type[Any], sa.Column[Any]] = {
    Words: tables.reasons.c.words_id,
    Visit: tables.visits.c.record_id,
    VisitConflict: tables.visit_conflicts.c.conflict_id,
    FieldAnswers: beside.answers.c.work_order_id,
    FieldConflict: beside.field_conflicts.c.conflict_id,
    PersonExport: beside.person_exports.c.case_id,
}
"""Records beside a case that may hold personal data, by their primary key."""


def personal(db: sa.Connection, scope: Scope, case_ids: Sequence[UUID]) -> Sequence[tuple[type[Any], str]]:
    """Every record beside these cases that may hold personal data."""
    seen = sa.select(cases.c.case_id).where(cases.c.case_id.in_(case_ids), visible(scope))
    found: list[tuple[type[Any], str]] = []
    for kind, key in PERSONAL.items():
        rows = db.scalars(sa.select(key).where(key.table.c.case_id.in_(seen)).order_by(key))
        found += [(kind, str(row)) for row in rows]
    return found


def at_point_of(db: sa.Connection, scope: Scope, case_id: UUID) -> Sequence[UUID]:
    """All cases at the metering point of this one, if they are in scope."""
    point = sa.select(cases.c.metering_point_id).where(cases.c.case_id == case_id, visible(scope))
    query = sa.select(cases.c.case_id).where(cases.c.metering_point_id.in_(point), visible(scope))
    return db.scalars(query.order_by(cases.c.case_id)).all()
