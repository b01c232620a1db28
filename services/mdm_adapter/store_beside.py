"""What the desk asks of the adapter's tables: lists of messages, the chain of an order, quarantine, agreements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from contracts.codes import Fact
from kit.auth import Scope
from kit.tables import timers
from services.mdm_adapter import tables
from services.mdm_adapter.store import PAGE, in_scope

_in, _out, _rows, _handovers = (
    tables.inbound_messages,
    tables.outbound_messages,
    tables.handover_rows,
    tables.handovers,
)
_links, _orders, _quarantine = tables.message_links, tables.orders, tables.quarantine
_edits, _agreements, _editions = tables.edits, tables.agreements, tables.agreement_editions
Db = sa.Connection
Rows = Sequence[sa.Row[Any]]
Condition = sa.ColumnElement[bool]
MOST = 500
CLOCKS = ("silence", "fact_missing", "resend", "ack_due")
"""Kinds of timers that run for documents."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of messages is narrowed to."""

    partner: str | None = None
    direction: str | None = None
    state: str | None = None
    case_id: UUID | None = None
    order: str | None = None
    """Key of an order, or its number with any partner."""
    since: datetime | None = None
    until: datetime | None = None
    words: str | None = None
    """An id of ours or theirs, an order number, the begin of a hash."""
    before: tuple[datetime, UUID] | None = None


def _of_order(column: sa.ColumnElement[Any], order: str) -> Condition:
    """Whether a key is that of an order, given as a key or as a number."""
    if ":" in order:
        return column == order
    return column.like(f"%:{escaped(order)}", escape="\\")


def escaped(text: str) -> str:
    """Text that means only itself in a LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _about(orders: sa.Select[Any], rows: sa.Select[Any]) -> dict[str, Condition]:
    """Messages that speak of these orders or documents, and what they were answered."""
    came = sa.select(_links.c.message_id).where(sa.or_(_links.c.order_key.in_(orders), _links.c.row_id.in_(rows)))
    return {
        "in": sa.or_(_in.c.id.in_(came), _in.c.copy_of.in_(came)),
        "out": sa.or_(_out.c.row_id.in_(rows), _out.c.answers_to.in_(came)),
    }


def _of_case(case_id: UUID) -> dict[str, Condition]:
    orders = sa.select(_orders.c.order_key).where(_orders.c.case_id == case_id)
    return _about(orders, sa.select(_rows.c.row_id).where(_rows.c.case_id == case_id))


def _by_order(order: str) -> dict[str, Condition]:
    keys = sa.select(_links.c.order_key).where(_of_order(_links.c.order_key, order))
    return _about(keys, sa.select(_rows.c.row_id).where(_of_order(_rows.c.order_key, order)))


def _by_words(words: str) -> dict[str, Condition]:
    of_order = _by_order(words)
    sha = f"{escaped(words.lower())}%"
    came = [_in.c.foreign_id == words, _in.c.correlation_id == words, _in.c.sha256.like(sha, escape="\\")]
    left = [_out.c.correlation_id == words, _out.c.sha256.like(sha, escape="\\")]
    if (id_ := _uuid(words.removeprefix("in-"))) is not None:
        came += [_in.c.id == id_]
        left += [_out.c.id == id_, _out.c.row_id == id_, _out.c.case_id == id_]
    return {"in": sa.or_(*came, of_order["in"]), "out": sa.or_(*left, of_order["out"])}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def messages(db: Db, scope: Scope, wanted: Wanted, limit: int = PAGE) -> Rows:
    """Messages in and out, newest first."""
    narrowed = {"in": list[Condition](), "out": list[Condition]()}
    for given, by in ((wanted.case_id, _of_case), (wanted.order, _by_order), (wanted.words, _by_words)):
        for way, condition in by(given).items() if given else ():  # type: ignore[arg-type]
            narrowed[way].append(condition)
    ways = {"in": _came().where(*narrowed["in"]), "out": _left().where(*narrowed["out"])}
    both = sa.union_all(*(query for way, query in ways.items() if wanted.direction in {None, way})).subquery()
    query = sa.select(both).where(in_scope(scope, both.c.partner), *_narrowed(both.c, wanted))
    return db.execute(query.order_by(both.c.at.desc(), both.c.id.desc()).limit(limit)).all()


def _came() -> sa.Select[Any]:
    return sa.select(
        _in.c.id,
        sa.literal("in").label("direction"),
        _in.c.partner,
        _in.c.received_at.label("at"),
        sa.func.coalesce(_in.c.noun, _in.c.dialect).label("document"),
        _in.c.transport,
        sa.cast(_in.c.state, sa.Text).label("state"),
        _in.c.sha256,
    )


def _left() -> sa.Select[Any]:
    return sa.select(
        _out.c.id,
        sa.literal("out").label("direction"),
        _out.c.partner,
        _out.c.created_at.label("at"),
        _out.c.document,
        _out.c.transport,
        sa.cast(_out.c.state, sa.Text).label("state"),
        _out.c.sha256,
    )


def _narrowed(both: Any, wanted: Wanted) -> list[Condition]:
    found = list[Condition]()
    if wanted.partner is not None:
        found.append(both.partner == wanted.partner)
    if wanted.state is not None:
        found.append(both.state == wanted.state)
    if wanted.since is not None:
        found.append(both.at >= wanted.since)
    if wanted.until is not None:
        found.append(both.at < wanted.until)
    if wanted.before is not None:
        at, id_ = wanted.before
        found.append(sa.or_(both.at < at, sa.and_(both.at == at, both.id < id_)))
    return found


def orders_of(db: Db, scope: Scope, message_id: UUID) -> set[str]:
    """Keys of the orders that a message speaks of, in or out."""
    first = sa.select(sa.func.coalesce(_in.c.copy_of, _in.c.id)).where(_in.c.id == message_id)
    asked = sa.select(_out.c.answers_to).where(_out.c.id == message_id)
    said = sa.select(_links.c.order_key).where(
        sa.or_(_links.c.message_id.in_(first), _links.c.message_id.in_(asked), _links.c.message_id == message_id)
    )
    row = sa.select(_out.c.row_id).where(_out.c.id == message_id, in_scope(scope, _out.c.partner))
    written = sa.select(_rows.c.order_key).where(_rows.c.row_id.in_(row))
    return set(db.scalars(said)) | set(db.scalars(written))


def orders(db: Db, scope: Scope, keys: set[str]) -> Rows:
    """Orders by key."""
    columns = (_orders.c.order_key, _orders.c.partner, _orders.c.order_no, _orders.c.order_version, _orders.c.case_id)
    return db.execute(
        sa.select(*columns, _orders.c.cancelled_version)
        .where(_orders.c.order_key.in_(keys), in_scope(scope, _orders.c.partner))
        .order_by(_orders.c.order_key)
    ).all()


def row_of(db: Db, scope: Scope, id_: UUID) -> UUID | None:
    """The document that an id means: that of a row, or of a message that carried it."""
    own = sa.select(_rows.c.row_id).where(_rows.c.row_id == id_, in_scope(scope, _rows.c.recipient))
    carried = sa.select(_out.c.row_id).where(_out.c.id == id_, in_scope(scope, _out.c.partner))
    return db.scalar(own) or db.scalar(carried)


def edits_of(db: Db, scope: Scope, message_id: UUID) -> Rows:
    """What people changed in a message, on the way from or to it; of a row every edit."""
    sees = sa.or_(_in.c.id.is_not(None), _out.c.id.is_not(None))
    row = sa.select(_out.c.row_id).where(_out.c.id == message_id, _out.c.row_id.is_not(None))
    query = (
        sa.select(_edits)
        .select_from(
            _edits.outerjoin(_in, _in.c.id == _edits.c.edited_id).outerjoin(_out, _out.c.id == _edits.c.edited_id)
        )
        .where(
            sa.or_(_edits.c.original_id == message_id, _edits.c.edited_id == message_id, _edits.c.row_id.in_(row)),
            in_scope(scope, sa.func.coalesce(_in.c.partner, _out.c.partner)),
            sees,
        )
    )
    return db.execute(query.order_by(_edits.c.at, _edits.c.id)).all()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a list of handovers is narrowed to."""

    state: str | None = None
    fact: Fact | None = None
    case_id: UUID | None = None
    number: int | None = None


def handover_rows(db: Db, scope: Scope, wanted: Attempt, limit: int = MOST) -> Rows:
    """Documents with what they belong to, those of the newest requests first."""
    at = _handovers.c.requested_at
    joined = _rows.join(
        _handovers,
        sa.and_(
            _handovers.c.case_id == _rows.c.case_id,
            _handovers.c.fact == _rows.c.fact,
            _handovers.c.attempt == _rows.c.attempt,
        ),
    )
    query = sa.select(_rows, at).select_from(joined).where(in_scope(scope, _rows.c.recipient))
    if wanted.state is not None:
        query = query.where(sa.cast(_rows.c.state, sa.Text) == wanted.state)
    if wanted.fact is not None:
        query = query.where(_rows.c.fact == wanted.fact)
    if wanted.case_id is not None:
        query = query.where(_rows.c.case_id == wanted.case_id)
    if wanted.number is not None:
        query = query.where(_rows.c.attempt == wanted.number)
    return db.execute(query.order_by(at.desc(), _rows.c.row_id.desc()).limit(limit)).all()


def clocks_of(db: Db, scope: Scope, row_ids: Sequence[UUID]) -> Rows:
    """Timers that run for these documents: kind, key, when they are due."""
    keys = [str(row_id) for row_id in row_ids]
    query = sa.select(timers.c.kind, timers.c.key, timers.c.due_at).where(timers.c.key.in_(keys))
    return db.execute(query.order_by(timers.c.due_at)).all() if scope.kind in {"all", "partner"} else []


@dataclass(frozen=True, slots=True)
class Aside:
    """What a list of quarantine is narrowed to."""

    state: str | None = None
    cause: str | None = None
    partner: str | None = None
    id: UUID | None = None
    """Of the entry, or of its message."""


def quarantined(db: Db, scope: Scope, wanted: Aside, limit: int = MOST) -> Rows:
    """What waits for a person, oldest first."""
    query = sa.select(_quarantine).where(in_scope(scope, _quarantine.c.partner))
    if wanted.state is not None:
        query = query.where(sa.cast(_quarantine.c.state, sa.Text) == wanted.state)
    if wanted.cause is not None:
        query = query.where(_quarantine.c.cause == wanted.cause)
    if wanted.partner is not None:
        query = query.where(_quarantine.c.partner == wanted.partner)
    if wanted.id is not None:
        query = query.where(sa.or_(_quarantine.c.id == wanted.id, _quarantine.c.message_id == wanted.id))
    return db.execute(query.order_by(_quarantine.c.first_seen, _quarantine.c.id).limit(limit)).all()


def said_reasons(db: Db, scope: Scope, partner: str, limit: int = 10_000) -> Rows:
    """What a partner gave as reasons for documents of ours, newest requests first."""
    at = _handovers.c.requested_at
    joined = _rows.join(
        _handovers,
        sa.and_(
            _handovers.c.case_id == _rows.c.case_id,
            _handovers.c.fact == _rows.c.fact,
            _handovers.c.attempt == _rows.c.attempt,
        ),
    )
    query = sa.select(_rows.c.fact, _rows.c.reasons, at).select_from(joined)
    query = query.where(_rows.c.recipient == partner, in_scope(scope, _rows.c.recipient))
    return db.execute(query.where(sa.cast(_rows.c.reasons, sa.Text) != "[]").order_by(at.desc()).limit(limit)).all()


def editions(db: Db, scope: Scope) -> Rows:
    """Name, number and text of what is in force."""
    newest = sa.select(_editions.c.name, sa.func.max(_editions.c.number).label("number")).group_by(_editions.c.name)
    latest = newest.subquery()
    joined = _editions.join(latest, sa.and_(latest.c.name == _editions.c.name, latest.c.number == _editions.c.number))
    columns = (_editions.c.name, _editions.c.number, _editions.c.text)
    return db.execute(sa.select(*columns).select_from(joined)).all() if scope.kind == "all" else []


def editions_of(db: Db, scope: Scope, name: str) -> Rows:
    """All versions of one agreement, newest first."""
    query = sa.select(_editions).where(_editions.c.name == name).order_by(_editions.c.number.desc())
    return db.execute(query).all() if scope.kind == "all" else []


def agreement(db: Db, scope: Scope, name: str) -> sa.Row[Any] | None:
    """One agreement, with what is proposed."""
    query = sa.select(_agreements).where(_agreements.c.name == name)
    return db.execute(query).one_or_none() if scope.kind == "all" else None


def chain_of(db: Db, scope: Scope, message_id: UUID, order_keys: set[str]) -> tuple[Rows, Rows]:
    """What came and what left about these orders, and about this one message, in the order of time."""
    came = sa.select(_links.c.message_id).where(_links.c.order_key.in_(order_keys))
    of_it = sa.or_(_in.c.id.in_(came), _in.c.copy_of.in_(came), _in.c.id == message_id)
    columns = (_in.c.id, _in.c.partner, _in.c.received_at, _in.c.noun, _in.c.dialect, _in.c.state, _in.c.copy_of)
    in_query = sa.select(*columns).where(of_it, in_scope(scope, _in.c.partner)).order_by(_in.c.received_at, _in.c.id)
    rows = sa.select(_rows.c.row_id).where(_rows.c.order_key.in_(order_keys))
    mine = sa.or_(
        _out.c.row_id.in_(rows),
        _out.c.answers_to.in_(came),
        _out.c.answers_to == message_id,
        _out.c.id == message_id,
    )
    out_query = sa.select(_out).where(mine, in_scope(scope, _out.c.partner)).order_by(_out.c.created_at, _out.c.id)
    return db.execute(in_query.limit(MOST)).all(), db.execute(out_query.limit(MOST)).all()


def answered_rows(db: Db, scope: Scope, message_ids: set[UUID]) -> dict[UUID, UUID]:
    """The document that each of these messages answers."""
    query = sa.select(_links.c.message_id, _links.c.row_id).select_from(
        _links.join(_in, _in.c.id == _links.c.message_id)
    )
    query = query.where(_links.c.message_id.in_(message_ids), _links.c.row_id.is_not(None))
    return {row.message_id: row.row_id for row in db.execute(query.where(in_scope(scope, _in.c.partner)))}


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is of everything that is measured."""

    rows: Rows
    """state, fact, number."""
    quarantine: Rows
    """cause, number, first_seen of the oldest; open entries only."""
    deadlines: Rows
    """kind, due_at of the next one."""


def standing(db: Db, scope: Scope) -> Standing:
    """Rows that are not settled, open quarantine and clocks, counted."""
    number = sa.func.count().label("number")
    state = sa.cast(_rows.c.state, sa.Text)
    is_open = state.not_in(("TRANSFERRED", "ACCEPTED_BY_EXCEPTION", "SUPERSEDED"))
    rows = sa.select(state.label("state"), sa.cast(_rows.c.fact, sa.Text).label("fact"), number)
    oldest = sa.func.min(_quarantine.c.first_seen).label("first_seen")
    entries = sa.select(_quarantine.c.cause, number, oldest).where(sa.cast(_quarantine.c.state, sa.Text) == "OPEN")
    due = sa.select(timers.c.kind, sa.func.min(timers.c.due_at).label("due_at")).where(timers.c.kind.in_(CLOCKS))
    return Standing(
        db.execute(rows.where(is_open, in_scope(scope, _rows.c.recipient)).group_by(_rows.c.state, _rows.c.fact)).all(),
        db.execute(entries.where(in_scope(scope, _quarantine.c.partner)).group_by(_quarantine.c.cause)).all(),
        db.execute(due.group_by(timers.c.kind)).all(),
    )
