"""How notification_service remembers: its repositories, and the only SQL that it asks lists with."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kit.auth import Scope
from kit.store import Alias, Children, Mapped
from services.notification_service import tables
from services.notification_service.domain.alerts import Alert
from services.notification_service.domain.correspondence import (
    Appointment,
    Comment,
    Contact,
    Correspondence,
    WorkOrder,
)
from services.notification_service.domain.dialogues import Dialogue
from services.notification_service.domain.inbound import Delivery, Inbound, Receipt, Reply, StaffContact
from services.notification_service.domain.letters import Batch, Letter, LetterState
from services.notification_service.domain.lines import Line
from services.notification_service.domain.notices import Notice

CASE = {"parent": "case_id"}

CORRESPONDENCES = Mapped(
    Correspondence,
    tables.correspondences,
    children=(
        Children("contacts", Contact, tables.contacts, **CASE),
        Children("work_orders", WorkOrder, tables.work_orders, **CASE),
        Children("appointments", Appointment, tables.appointments, **CASE),
        Children("notices", Notice, tables.notices, **CASE),
        Children("dialogues", Dialogue, tables.dialogues, **CASE),
        Children("comments", Comment, tables.comments, **CASE),
        Children("letters", Letter, tables.letters, **CASE),
    ),
    aliases=(
        Alias(tables.appointments.c.appointment_id, tables.appointments.c.case_id),
        Alias(tables.work_orders.c.work_order_id, tables.work_orders.c.case_id),
        Alias(tables.dialogues.c.code_hash, tables.dialogues.c.case_id),
        Alias(tables.notices.c.notice_id, tables.notices.c.case_id),
        Alias(tables.letters.c.letter_id, tables.letters.c.case_id),
    ),
)

REPOSITORIES: Mapping[type[Any], Mapped[Any]] = {
    Correspondence: CORRESPONDENCES,
    Batch: Mapped(Batch, tables.batches),
    Line: Mapped(Line, tables.lines),
    Inbound: Mapped(Inbound, tables.inbound_raw),
    Reply: Mapped(Reply, tables.replies, aliases=(Alias(tables.replies.c.provider_key, tables.replies.c.reply_id),)),
    Delivery: Mapped(
        Delivery,
        tables.deliveries,
        children=(Children("receipts", Receipt, tables.receipts, parent="provider_key"),),
    ),
    Alert: Mapped(Alert, tables.alerts, aliases=(Alias(tables.alerts.c.alert_key, tables.alerts.c.alert_id),)),
    StaffContact: Mapped(StaffContact, tables.staff_contacts),
}
"""Written in this order by every transaction, so that no two wait for each other in a circle."""

PAGE = 500


def notices(
    db: sa.Connection,
    scope: Scope,
    *,
    case_id: UUID | None = None,
    state: str | None = None,
    rule_id: str | None = None,
    after: UUID | None = None,
    limit: int = PAGE,
) -> Sequence[sa.Row[Any]]:
    """Notices in the order of their making, a page at a time."""
    table = tables.notices
    wanted = [_in_scope(scope)]
    wanted += [table.c.case_id == case_id] if case_id else []
    wanted += [table.c.state == state] if state else []
    wanted += [table.c.rule_id == rule_id] if rule_id else []
    wanted += [table.c.notice_id > after] if after else []
    return db.execute(sa.select(table).where(*wanted).order_by(table.c.notice_id).limit(limit)).all()


def replies(
    db: sa.Connection, scope: Scope, *, state: str | None = None, after: UUID | None = None, limit: int = PAGE
) -> Sequence[sa.Row[Any]]:
    """Replies, oldest first, a page at a time."""
    table = tables.replies
    wanted = [_in_scope(scope)]
    wanted += [table.c.state == state] if state else []
    wanted += [table.c.reply_id > after] if after else []
    return db.execute(sa.select(table).where(*wanted).order_by(table.c.reply_id).limit(limit)).all()


def letters(
    db: sa.Connection,
    scope: Scope,
    *,
    case_id: UUID | None = None,
    state: str | None = None,
    batch_id: UUID | None = None,
    after: UUID | None = None,
    limit: int = PAGE,
) -> Sequence[sa.Row[Any]]:
    """Letters in the order of their making, a page at a time."""
    table = tables.letters
    wanted = [_in_scope(scope)]
    wanted += [table.c.case_id == case_id] if case_id else []
    wanted += [table.c.state == state] if state else []
    wanted += [table.c.batch_id == batch_id] if batch_id else []
    wanted += [table.c.letter_id > after] if after else []
    return db.execute(sa.select(table).where(*wanted).order_by(table.c.letter_id).limit(limit)).all()


def batches(db: sa.Connection, scope: Scope, *, after: UUID | None = None, limit: int = PAGE) -> Sequence[sa.Row[Any]]:
    """Batches, a page at a time."""
    table = tables.batches
    wanted = [_in_scope(scope)]
    wanted += [table.c.batch_id > after] if after else []
    return db.execute(sa.select(table).where(*wanted).order_by(table.c.batch_id).limit(limit)).all()


def alerts(
    db: sa.Connection,
    scope: Scope,
    now: datetime,
    *,
    audience: str | None = None,
    rule_id: str | None = None,
    case_id: UUID | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = PAGE,
) -> Sequence[sa.Row[Any]]:
    """Alerts that are due, in the order of their times; a company sees its own."""
    table = tables.alerts
    wanted = [_alerts_of(scope), table.c.due_at <= now]
    wanted += [table.c.audience == audience] if audience else []
    wanted += [table.c.rule_id == rule_id] if rule_id else []
    wanted += [table.c.case_id == case_id] if case_id else []
    if after is not None:
        due_at, alert_id = after
        later = sa.and_(table.c.due_at == due_at, table.c.alert_id > alert_id)
        wanted.append(sa.or_(table.c.due_at > due_at, later))
    order = (table.c.due_at, table.c.alert_id)
    return db.execute(sa.select(table).where(*wanted).order_by(*order).limit(limit)).all()


def _alerts_of(scope: Scope) -> sa.ColumnElement[bool]:
    if scope.kind == "company":
        return tables.alerts.c.audience == f"company:{scope.id}"
    return _in_scope(scope)


def in_batch(db: sa.Connection, batch_id: UUID) -> Sequence[tuple[UUID, UUID]]:
    """The letters that a print run has taken, each with its case."""
    table = tables.letters
    query = sa.select(table.c.letter_id, table.c.case_id).where(table.c.batch_id == batch_id)
    return [(row[0], row[1]) for row in db.execute(query.order_by(table.c.letter_id))]


def to_print(db: sa.Connection, operator: str, limit: int) -> Sequence[tuple[UUID, UUID]]:
    """The letters of an operator that wait for a print run, oldest first, each with its case."""
    table, cases = tables.letters, tables.correspondences
    query = sa.select(table.c.letter_id, table.c.case_id).join(cases, cases.c.case_id == table.c.case_id)
    wanted = (table.c.state == LetterState.PREPARED, cases.c.operator == operator)
    found = db.execute(query.where(*wanted).order_by(table.c.letter_id).limit(limit))
    return [(row[0], row[1]) for row in found]


def letter_counts(db: sa.Connection) -> Mapping[str, int]:
    """Letters by state."""
    table = tables.letters
    return {row[0]: row[1] for row in db.execute(sa.select(table.c.state, sa.func.count()).group_by(table.c.state))}


def handed_over_since(db: sa.Connection) -> datetime | None:
    """When the oldest batch was handed over of which the print shop still has letters to answer for."""
    table, batch = tables.letters, tables.batches
    oldest = sa.select(sa.func.min(batch.c.handed_over_at)).join(table, table.c.batch_id == batch.c.batch_id)
    found: datetime | None = db.scalar(oldest.where(table.c.state == LetterState.HANDED_OVER))
    return found


def queue_since(db: sa.Connection, scope: Scope) -> datetime | None:
    """Since when the oldest reply waits for a person."""
    table = tables.replies
    oldest = sa.select(sa.func.min(table.c.received_at)).where(table.c.state == "QUEUED", _in_scope(scope))
    found: datetime | None = db.scalar(oldest)
    return found


def counts(db: sa.Connection, scope: Scope) -> Mapping[tuple[str, str], int]:
    """Notices by state and by the gate that holds them."""
    table = tables.notices
    gate = sa.func.coalesce(table.c.gate, "")
    query = sa.select(table.c.state, gate, sa.func.count()).where(_in_scope(scope)).group_by(table.c.state, gate)
    return {(row[0], row[1]): row[2] for row in db.execute(query)}


def _in_scope(scope: Scope) -> sa.ColumnElement[bool]:
    """Notices and replies are read by whoever may see every case; nobody else has the action."""
    return sa.true() if scope.kind == "all" else sa.false()
