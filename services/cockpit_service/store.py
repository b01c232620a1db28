"""How cockpit_service remembers: its repositories, and the only SQL that it asks lists and figures with."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from contracts.codes import Phase
from kit.auth import Scope
from kit.store import Children, Mapped
from services.cockpit_service import tables
from services.cockpit_service.domain.access import Invitation, Session
from services.cockpit_service.domain.case import Case, Contact, Handover, Line, Problem, Quarantined, WorkOrder

REPOSITORIES: Mapping[type[Any], Mapped[Any]] = {
    Case: Mapped(
        Case,
        tables.cases,
        children=(
            Children("work_orders", WorkOrder, tables.work_orders, parent="case_id"),
            Children("handovers", Handover, tables.handovers, parent="case_id"),
            Children("problems", Problem, tables.problems, parent="case_id"),
        ),
    ),
    Contact: Mapped(Contact, tables.contacts),
    Line: Mapped(Line, tables.timeline),
    Quarantined: Mapped(Quarantined, tables.quarantined),
    Invitation: Mapped(Invitation, tables.invitations),
    Session: Mapped(Session, tables.sessions),
}
"""Written in this order by every transaction, so that no two wait for each other in a circle."""

PAGE = 500
Rows = Sequence[sa.Row[Any]]
cases, orders, problems = tables.cases, tables.work_orders, tables.problems
its = orders.alias("its")
"""The work orders of the case that a list is looking at."""


def case_list(
    db: sa.Connection,
    scope: Scope,
    *,
    phase: str | None = None,
    state: str | None = None,
    q: str | None = None,
    after: UUID | None = None,
    limit: int = PAGE,
) -> Rows:
    """Cases, the newest first, a page at a time."""
    wanted = [_visible(scope)]
    wanted += [cases.c.phase == phase] if phase else []
    wanted += [_has_order(its.c.state == state)] if state else []
    wanted += [_matches(q)] if q else []
    wanted += [cases.c.case_id < after] if after else []
    return db.execute(sa.select(cases).where(*wanted).order_by(cases.c.case_id.desc()).limit(limit)).all()


def case(db: sa.Connection, scope: Scope, case_id: UUID) -> sa.Row[Any] | None:
    """One case, if it is in sight."""
    return db.execute(sa.select(cases).where(cases.c.case_id == case_id, _visible(scope))).one_or_none()


def work_orders(db: sa.Connection, case_ids: Sequence[UUID]) -> Rows:
    """The work orders of cases that were found in sight, in their order."""
    query = sa.select(orders).where(orders.c.case_id.in_(case_ids))
    return db.execute(query.order_by(orders.c.case_id, orders.c.sequence)).all()


def handovers(db: sa.Connection, case_id: UUID) -> Rows:
    """The handovers of a case that was found in sight."""
    table = tables.handovers
    return db.execute(sa.select(table).where(table.c.case_id == case_id).order_by(table.c.fact, table.c.attempt)).all()


def timeline(db: sa.Connection, scope: Scope, case_id: UUID, limit: int, after: tuple[datetime, UUID] | None) -> Rows:
    """What happened to a case, in the order of its happening."""
    table = tables.timeline
    query = sa.select(table).join(cases, cases.c.case_id == table.c.case_id)
    query = query.where(table.c.case_id == case_id, _visible(scope))
    if after is not None:
        at, event_id = after
        query = query.where(sa.or_(table.c.at > at, sa.and_(table.c.at == at, table.c.event_id > event_id)))
    return db.execute(query.order_by(table.c.at, table.c.event_id).limit(limit)).all()


def contact(db: sa.Connection, scope: Scope, case_id: UUID) -> sa.Row[Any] | None:
    """Who lives there; only for whoever may see every case."""
    table = tables.contacts
    everybody = sa.true() if scope.kind == "all" else sa.false()
    return db.execute(sa.select(table).where(table.c.case_id == case_id, everybody)).one_or_none()


def phases(db: sa.Connection, scope: Scope) -> Mapping[str, int]:
    """How many cases stand in each phase, every phase named, in the order of a rollout."""
    query = sa.select(cases.c.phase, sa.func.count()).where(_visible(scope)).group_by(cases.c.phase)
    found: dict[str | None, int] = {row[0]: row[1] for row in db.execute(query)}
    known = {phase.value: found.pop(phase.value, 0) for phase in reversed(Phase)}
    return known | {phase or "UNKNOWN": count for phase, count in found.items()}


def states(db: sa.Connection, scope: Scope) -> Mapping[str, int]:
    """How many work orders stand in each state."""
    joined = orders.join(cases, cases.c.case_id == orders.c.case_id)
    query = sa.select(orders.c.state, sa.func.count()).select_from(joined)
    query = query.where(_visible(scope)).group_by(orders.c.state).order_by(orders.c.state)
    return {row[0] or "UNKNOWN": row[1] for row in db.execute(query)}


def open_problems(db: sa.Connection, scope: Scope, since: datetime, kind: str | None = None, limit: int = PAGE) -> Rows:
    """What people have to look at, the oldest first; quarantined messages only since a time, for nobody ends them."""
    both = sa.union_all(_of_cases(scope), _quarantined(scope, since)).subquery()
    query = sa.select(both).order_by(both.c.since, both.c.problem_key).limit(limit)
    return db.execute(query.where(both.c.kind == kind) if kind else query).all()


def problem_counts(db: sa.Connection, scope: Scope, since: datetime) -> Mapping[str, int]:
    """How many there are of each kind."""
    both = sa.union_all(_of_cases(scope), _quarantined(scope, since)).subquery()
    query = sa.select(both.c.kind, sa.func.count()).group_by(both.c.kind).order_by(both.c.kind)
    return {row[0]: row[1] for row in db.execute(query)}


def session(db: sa.Connection, session_hash: str) -> Session | None:
    """A session by the hash of its secret; a request knows it before there is a principal with a scope."""
    query = sa.select(tables.sessions).where(tables.sessions.c.session_hash == session_hash)
    row = db.execute(query).mappings().one_or_none()
    return None if row is None else Session(**row)


def _of_cases(scope: Scope) -> sa.Select[Any]:
    """Open problems. A later report of the visit voids what was found in it; an ended case has only handovers left."""
    joined = problems.join(cases, cases.c.case_id == problems.c.case_id)
    joined = joined.outerjoin(orders, orders.c.work_order_id == problems.c.work_order_id)
    void = sa.func.coalesce(problems.c.visit_version < orders.c.visit_version, sa.false())
    alive = sa.or_(cases.c.ended_at.is_(None), problems.c.kind == "handover")
    columns = ("problem_key", "kind", "code", "since", "case_id", "work_order_id", "owner", "due_on")
    query = sa.select(*(problems.c[name] for name in columns)).select_from(joined)
    return query.where(problems.c.open, alive, sa.not_(void), _visible(scope))


def _quarantined(scope: Scope, since: datetime) -> sa.Select[Any]:
    """Messages in quarantine, in the same columns; for whoever sees everything."""
    table = tables.quarantined
    key = sa.literal("quarantine/") + sa.cast(table.c.quarantine_id, sa.Text)
    nothing = (
        sa.cast(sa.null(), problems.c.work_order_id.type).label("work_order_id"),
        table.c.partner.label("owner"),
        sa.cast(sa.null(), problems.c.due_on.type).label("due_on"),
    )
    kind = sa.literal("quarantine").label("kind")
    query = sa.select(
        key.label("problem_key"), kind, table.c.cause.label("code"), table.c.since, table.c.case_id, *nothing
    )
    return query.where(table.c.since >= since, sa.true() if scope.kind == "all" else sa.false())


def _matches(q: str) -> sa.ColumnElement[bool]:
    """A case by its id, that of a work order, metering point, order number, postcode or municipality."""
    text = q.strip()
    try:
        wanted = UUID(text)
    except ValueError:
        said = sa.cast(cases.c.orders, sa.Text)
        number = sa.or_(said.contains(f'"{text}"', autoescape=True), said.contains(f':{text}"', autoescape=True))
        columns = (cases.c.metering_point_id, cases.c.postcode, cases.c.municipality)
        return sa.or_(*(column == text for column in columns), number)
    return sa.or_(cases.c.case_id == wanted, _has_order(its.c.work_order_id == wanted))


def _visible(scope: Scope) -> sa.ColumnElement[bool]:
    """Which cases lie in a scope: all, those of a company, a technician or a partner; else none."""
    if scope.kind == "all":
        return sa.true()
    if scope.kind == "partner" and scope.id:
        return sa.cast(cases.c.orders, sa.Text).contains(f'"{scope.id}:', autoescape=True)
    if scope.kind not in ("company", "technician"):
        return sa.false()
    try:
        own = UUID(scope.id)
    except ValueError:
        return sa.false()
    if scope.kind == "company":
        return _has_order(sa.or_(its.c.company_id == own, its.c.queue_company_id == own))
    assigned = sa.cast(its.c.technicians, sa.Text).contains(str(own), autoescape=True)
    return _has_order(sa.or_(its.c.responsible == own, assigned))


def _has_order(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether one of the case's work orders meets a condition on `its`."""
    return sa.exists().where(its.c.case_id == cases.c.case_id, condition)
