"""How case_service remembers: its repositories, and the only SQL that it asks lists with."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from kit import rows as many
from kit.auth import Scope
from kit.store import Alias, Children, Mapped
from services.case_service import tables
from services.case_service.domain import changes
from services.case_service.domain.case import Case
from services.case_service.domain.entries import (
    CaseException,
    FormVersion,
    OrderReference,
    OrderTombstone,
    Pause,
    Remark,
    Words,
)
from services.case_service.domain.sla_targets import SlaTargets
from services.case_service.domain.visits import Visit, VisitConflict
from services.case_service.domain.work_order import Change, WorkOrder

Row = sa.Row[Any]
Rows = Sequence[Row]
PAGE = 500

_told = tables.metadata.tables["audit"]
_OF_CHANGES = many.one_of(_told.c.subject, "subjects"), many.one_of(_told.c.action, "actions")
COUNT_CHANGES = sa.select(_told.c.subject, sa.func.count()).where(*_OF_CHANGES).group_by(_told.c.subject)
SAY_CHANGES = sa.select(_told.c.details).where(*_OF_CHANGES)


class Cases(Mapped[Case]):
    """Cases as they are now, each with what the audit knows of it."""

    def load(self, db: sa.Connection, keys: Sequence[str]) -> Mapping[str, Case]:
        found = super().load(db, keys)
        loaded = {case.case_id: case for case in found.values()}.values()
        for case in loaded:
            case.trail.begin(case)
        self._count(db, [case for case in loaded if _may_complete(case)])
        return found

    def _count(self, db: sa.Connection, cases: Sequence[Case]) -> None:
        """DoD5: one query counts the rows of all; only a case whose count is not right is looked at more closely."""
        if not cases:
            return
        asked = {"subjects": [subject for case in cases for subject in changes.subjects(case)]}
        counts = Counter[str]()
        for subject, count in many.fetch(db, COUNT_CHANGES, {**asked, "actions": changes.ACTIONS}):
            counts[subject.split("/")[1]] += count
        for case in cases:
            if counts[str(case.case_id)] != case.audited:
                case.lost = self._lost(db, case, counts[str(case.case_id)])

    @staticmethod
    def _lost(db: sa.Connection, case: Case, count: int) -> tuple[int, ...]:
        asked = {"subjects": changes.subjects(case), "actions": changes.ACTIONS}
        there = {orjson.loads(details)["change"] for (details,) in many.fetch(db, SAY_CHANGES, asked)}
        odd = there ^ set(range(1, case.audited + 1))
        return tuple(sorted(odd)) or (count,)


def _may_complete(case: Case) -> bool:
    """Whether the gate could open in the transaction that begins: somebody was on site, and it is not over."""
    return not case.terminal and any(order.used for order in case.work_orders)


CASES = Cases(
    Case,
    tables.cases,
    children=(
        Children("work_orders", WorkOrder, tables.work_orders, parent="case_id"),
        Children("references", OrderReference, tables.case_orders, parent="case_id"),
        Children("exceptions", CaseException, tables.exceptions, parent="case_id"),
        Children("pauses", Pause, tables.sla_intervals, parent="case_id"),
        Children("history", Change, tables.history, parent="case_id"),
    ),
    aliases=(
        Alias(tables.work_orders.c.work_order_id, tables.work_orders.c.case_id),
        Alias(tables.case_orders.c.current_key, tables.case_orders.c.case_id),
        Alias(tables.cases.c.open_point, tables.cases.c.case_id),
    ),
)

REPOSITORIES: Mapping[type[Any], Mapped[Any]] = {
    Case: CASES,
    OrderTombstone: Mapped(OrderTombstone, tables.order_tombstones),
    VisitConflict: Mapped(VisitConflict, tables.visit_conflicts),
    SlaTargets: Mapped(SlaTargets, tables.sla_targets),
    FormVersion: Mapped(FormVersion, tables.form_versions),
    Visit: Mapped(Visit, tables.visits),
    Remark: Mapped(Remark, tables.remarks),
    Words: Mapped(Words, tables.reasons),
}
"""Written in this order by every transaction, so that no two wait for each other in a circle."""

_cases, _orders, _references = tables.cases, tables.work_orders, tables.case_orders
_seen = tables.work_orders.alias("seen")


def cases(
    db: sa.Connection,
    scope: Scope,
    *,
    phase: str | None = None,
    order_key: str | None = None,
    metering_point_id: str | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> Rows:
    """Cases in the order of their opening, a page at a time."""
    of_order = sa.select(_references.c.case_id).where(_references.c.order_key == order_key)
    wanted = [visible(scope)]
    wanted += [_cases.c.phase == phase] if phase else []
    wanted += [_cases.c.metering_point_id == metering_point_id] if metering_point_id else []
    wanted += [_cases.c.case_id.in_(of_order)] if order_key else []
    wanted += [_cases.c.case_id > after] if after else []
    return db.execute(sa.select(_cases).where(*wanted).order_by(_cases.c.case_id).limit(limit)).all()


def case(db: sa.Connection, scope: Scope, case_id: UUID) -> Row | None:
    """One case, if it is in scope."""
    return db.execute(sa.select(_cases).where(_cases.c.case_id == case_id, visible(scope))).one_or_none()


def inside(db: sa.Connection, scope: Scope, case_ids: Sequence[UUID]) -> Mapping[str, Rows]:
    """Work orders, references and exceptions of these cases, if they are in scope."""
    seen = sa.select(_cases.c.case_id).where(_cases.c.case_id.in_(case_ids), visible(scope))
    order = {"work_orders": ("case_id", "sequence"), "case_orders": ("order_key",), "exceptions": ("exception_id",)}
    order |= {"sla_intervals": ("case_id", "number")}
    found = {}
    for name, by in order.items():
        table = tables.metadata.tables[name]
        query = sa.select(table).where(table.c.case_id.in_(seen)).order_by(*(table.c[column] for column in by))
        found[name] = db.execute(query).all()
    return found


def work_orders(
    db: sa.Connection,
    scope: Scope,
    *,
    responsible: UUID | None = None,
    state: str | None = None,
    dispatched: bool | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> Rows:
    """Work orders in the order of their opening, each with what is said of its case."""
    wanted = [visible(scope), mine(scope)]
    wanted += [_orders.c.responsible == responsible] if responsible else []
    wanted += [_orders.c.state == state] if state else []
    wanted += [_orders.c.dispatched == dispatched] if dispatched is not None else []
    wanted += [_orders.c.work_order_id > after] if after else []
    query = _with_case().where(*wanted).order_by(_orders.c.work_order_id).limit(limit)
    return db.execute(query).all()


def work_order(db: sa.Connection, scope: Scope, work_order_id: UUID) -> Row | None:
    """One work order, if it is in scope."""
    query = _with_case().where(_orders.c.work_order_id == work_order_id, visible(scope), mine(scope))
    return db.execute(query).one_or_none()


def story(db: sa.Connection, scope: Scope, case_id: UUID) -> Mapping[str, Rows]:
    """Everything that happened in a case: changes of its work orders, remarks, words of people, visits."""
    seen = sa.select(_cases.c.case_id).where(_cases.c.case_id == case_id, visible(scope))
    order = {
        "history": ("at", "work_order_id", "version"),
        "remarks": ("at", "remark_id"),
        "reasons": ("at", "words_id"),
        "visits": ("reported_at", "record_id"),
    }
    found = {}
    for name, by in order.items():
        table = tables.metadata.tables[name]
        query = sa.select(table).where(table.c.case_id.in_(seen)).order_by(*(table.c[column] for column in by))
        found[name] = db.execute(query).all()
    return found


def conflicts(db: sa.Connection, scope: Scope, *, state: str | None = "open", limit: int = PAGE) -> Rows:
    """Reports that could not be taken when they came, oldest first."""
    table = tables.visit_conflicts
    seen = sa.select(_cases.c.case_id).where(visible(scope))
    wanted = [table.c.case_id.in_(seen)] + ([table.c.state == state] if state else [])
    query = sa.select(table).where(*wanted).order_by(table.c.reported_at, table.c.conflict_id).limit(limit)
    return db.execute(query).all()


def counts(db: sa.Connection, scope: Scope) -> Mapping[str, Mapping[tuple[str, ...], int]]:
    """How many cases stand in which phase, work orders in which state, exceptions in which."""
    made = {
        "cases": sa.select(_cases.c.operator, _cases.c.phase, sa.func.count()),
        "sla": sa.select(_cases.c.sla_state, sa.func.count()).where(_cases.c.ended_at.is_(None)),
        "work_orders": sa.select(_orders.c.state, sa.func.count()),
        "exceptions": sa.select(tables.exceptions.c.type, tables.exceptions.c.state, sa.func.count()),
    }
    found = {}
    for name, query in made.items():
        by = list(query.selected_columns)[:-1]
        ids = _cases.c.case_id if name == "sla" else tables.metadata.tables[name].c.case_id
        seen = ids.in_(sa.select(_cases.c.case_id).where(visible(scope)))
        rows = db.execute(query.where(seen).group_by(*by)).all()
        found[name] = {tuple(str(value) for value in row[:-1]): row[-1] for row in rows}
    return found


def visible(scope: Scope) -> sa.ColumnElement[bool]:
    """The cases that somebody may see: what lies outside does not exist."""
    if scope.kind == "all":
        return sa.true()
    if scope.kind == "partner":
        ordered = sa.exists().where(_references.c.case_id == _cases.c.case_id, _references.c.partner == scope.id)
        return ordered.correlate(_cases)
    identity = _identity(scope)
    columns = {
        "company": (_seen.c.company_id,),
        "technician": (_seen.c.responsible, _seen.c.dispatched_to),
    }.get(scope.kind, ())
    if identity is None or not columns:
        return sa.false()
    theirs = sa.or_(*(column == identity for column in columns))
    return sa.exists().where(_seen.c.case_id == _cases.c.case_id, theirs).correlate(_cases)


def mine(scope: Scope) -> sa.ColumnElement[bool]:
    """Of a visible case, the work orders that a technician has or had."""
    if scope.kind != "technician":
        return sa.true()
    identity = _identity(scope)
    return sa.or_(_orders.c.responsible == identity, _orders.c.dispatched_to == identity)


def _with_case() -> sa.Select[Any]:
    said = (_cases.c.operator, _cases.c.area, _cases.c.priority, _cases.c.metering_point_id, _cases.c.flags)
    return sa.select(_orders, *said, _cases.c.flag_text).join(_cases, _cases.c.case_id == _orders.c.case_id)


def _identity(scope: Scope) -> UUID | None:
    try:
        return UUID(scope.id)
    except ValueError:
        return None
