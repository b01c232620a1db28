"""How qa_service's aggregates are loaded and written, and what is asked of its tables: the only SQL of this service."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping, select

from contracts.ids import CaseId, EvidenceId, ReviewId, WorkOrderId
from kit.auth import Scope
from kit.store import Alias, Children, Mapped
from kit.unit import Kinds
from services.qa_service import tables
from services.qa_service.domain.cases import ReviewedCase
from services.qa_service.domain.forms import DEFAULT_OPERATOR, Form, FormState
from services.qa_service.domain.records import Addition, Evidence, Finding, Review, Rework, Visit, WorkOrder
from services.qa_service.domain.states import ReviewState
from services.qa_service.scopes import identity, sees_order

forms, orders, reviews, evidence = tables.forms, tables.work_orders, tables.reviews, tables.evidence

REPOSITORIES: Kinds = {
    Form: Mapped(Form, forms),
    ReviewedCase: Mapped(
        ReviewedCase,
        tables.cases,
        children=(
            Children("work_orders", WorkOrder, orders, parent="case_id"),
            Children("visits", Visit, tables.visits, parent="case_id"),
            Children("additions", Addition, tables.additions, parent="case_id"),
            Children("evidence", Evidence, evidence, parent="case_id"),
            Children("reviews", Review, reviews, parent="case_id"),
            Children("findings", Finding, tables.findings, parent="case_id"),
            Children("reworks", Rework, tables.reworks, parent="case_id"),
        ),
        aliases=(
            Alias(orders.c.work_order_id, orders.c.case_id),
            Alias(reviews.c.review_id, reviews.c.case_id),
            Alias(evidence.c.evidence_id, evidence.c.case_id),
            Alias(tables.reworks.c.rework_id, tables.reworks.c.case_id),
        ),
    ),
}


def queue(
    db: Connection, scope: Scope, states: Sequence[ReviewState], after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[RowMapping]:
    """Rounds in these states, the first due first."""
    wanted = select(reviews).where(reviews.c.state.in_(states), _of_reviews(scope))
    if after is not None:
        due_at, review_id = after
        later = sa.and_(reviews.c.due_at == due_at, reviews.c.review_id > review_id)
        wanted = wanted.where(sa.or_(reviews.c.due_at > due_at, later))
    return db.execute(wanted.order_by(reviews.c.due_at, reviews.c.review_id).limit(limit)).mappings().all()


def candidates(db: Connection, scope: Scope, limit: int) -> list[ReviewId]:
    """Reviews that wait for a reviewer, the first due first."""
    return [row["review_id"] for row in queue(db, scope, [ReviewState.PENDING], None, limit)]


def active_forms(db: Connection, work_kind: str | None, operator: str | None, today: date) -> list[RowMapping]:
    """Forms that may be used on a day: the newest version of each key, an operator's own before the default."""
    wanted = select(forms).where(forms.c.state == FormState.ACTIVE, forms.c.valid_from <= today)
    rows = db.execute(wanted.order_by(forms.c.form_key, forms.c.form_version)).mappings()
    mine = {DEFAULT_OPERATOR, operator} if operator else None
    newest = {
        (row["operator"], row["form_key"]): row
        for row in rows
        if (work_kind is None or work_kind in row["work_kinds"]) and (mine is None or row["operator"] in mine)
    }
    return sorted(newest.values(), key=lambda row: (row["operator"] == DEFAULT_OPERATOR, row["form_key"]))


def form(db: Connection, form_key: str, form_version: int) -> Form | None:
    """One version."""
    named = (forms.c.form_key == form_key) & (forms.c.form_version == form_version)
    row = db.execute(select(forms).where(named)).mappings().first()
    return Form(**row) if row else None


def case_of_order(db: Connection, scope: Scope, work_order_id: WorkOrderId) -> CaseId | None:
    """The case of a work order, if it was heard of and is in sight."""
    row = db.execute(select(orders).where(orders.c.work_order_id == work_order_id)).mappings().first()
    return row["case_id"] if row is not None and _in_sight(scope, row) else None


def stored_item(db: Connection, scope: Scope, evidence_id: EvidenceId) -> RowMapping | None:
    """An item with the case that it belongs to, if it is in sight."""
    row = db.execute(select(evidence).where(evidence.c.evidence_id == evidence_id)).mappings().first()
    if row is None or case_of_order(db, scope, row["work_order_id"]) is None:
        return None
    return row


def counts(db: Connection) -> Mapping[tuple[str, str], int]:
    """How many rounds stand where, by state and mode; counts name nobody."""
    grouped = select(reviews.c.state, reviews.c.mode, sa.func.count()).group_by(reviews.c.state, reviews.c.mode)
    return {(row[0], row[1]): row[2] for row in db.execute(grouped)}


def oldest_opening(db: Connection) -> datetime | None:
    """Since when the oldest undecided review waits."""
    waiting = reviews.c.state.in_((ReviewState.PENDING, ReviewState.IN_REVIEW))
    return db.scalar(select(reviews.c.opened_at).where(waiting).order_by(reviews.c.opened_at).limit(1))


def stored_bytes(db: Connection) -> int:
    """How much the rows of the evidence add up to."""
    return db.scalar(select(sa.func.coalesce(sa.func.sum(evidence.c.size), 0))) or 0


def _in_sight(scope: Scope, row: RowMapping) -> bool:
    return sees_order(scope, row["company_id"], row["technicians"])


def _of_reviews(scope: Scope) -> sa.ColumnElement[bool]:
    """What a caller sees of reviews: everything, those of the own company, or of own visits."""
    columns: dict[str, sa.Column[Any]] = {"company": reviews.c.company_id, "technician": reviews.c.technician_id}
    if scope.kind == "all":
        return sa.true()
    own, column = identity(scope), columns.get(scope.kind)
    return sa.false() if column is None or own is None else column == own
