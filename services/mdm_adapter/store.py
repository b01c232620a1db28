"""How the adapter's objects are loaded and written, and what is asked of them: the only SQL of this service."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kit.auth import Scope
from kit.store import Alias, Children, Mapped
from kit.unit import Kinds
from services.mdm_adapter import tables
from services.mdm_adapter.dialects.edifact_fv.versions import same_versions
from services.mdm_adapter.domain.agreements import Agreement, Edition
from services.mdm_adapter.domain.dossier import Dossier, Visit
from services.mdm_adapter.domain.handover import Handover, Row, RowState
from services.mdm_adapter.domain.imports import Import
from services.mdm_adapter.domain.messages import (
    OVERTAKEN,
    SUPERSEDED,
    Archived,
    ArchiveHead,
    Correlation,
    Edit,
    Endpoint,
    InboundMessage,
    KnownMessage,
    Link,
    OutboundMessage,
    QuarantineEntry,
)
from services.mdm_adapter.domain.orders import Order, OrderVersion
from services.mdm_adapter.domain.points import KnownArea, Point

DOSSIERS = Mapped(
    Dossier,
    tables.dossiers,
    children=(
        Children("visits", Visit, tables.visits, parent="case_id"),
        Children("handovers", Handover, tables.handovers, parent="case_id"),
        Children("rows", Row, tables.handover_rows, parent="case_id"),
    ),
    aliases=(Alias(tables.handover_rows.c.row_id, tables.handover_rows.c.case_id),),
)
ORDERS = Mapped(
    Order,
    tables.orders,
    children=(Children("versions", OrderVersion, tables.order_versions, parent="order_key"),),
)
AGREEMENTS = Mapped(
    Agreement,
    tables.agreements,
    children=(Children("editions", Edition, tables.agreement_editions, parent="name"),),
)
KINDS: Kinds = {
    Dossier: DOSSIERS,
    Order: ORDERS,
    Import: Mapped(Import, tables.import_jobs),
    Point: Mapped(Point, tables.points),
    KnownArea: Mapped(KnownArea, tables.areas),
    InboundMessage: Mapped(InboundMessage, tables.inbound_messages),
    KnownMessage: Mapped(KnownMessage, tables.known_messages),
    OutboundMessage: Mapped(OutboundMessage, tables.outbound_messages),
    Correlation: Mapped(Correlation, tables.correlations),
    QuarantineEntry: Mapped(QuarantineEntry, tables.quarantine),
    Endpoint: Mapped(Endpoint, tables.endpoints),
    Archived: Mapped(Archived, tables.archive),
    ArchiveHead: Mapped(ArchiveHead, tables.archive_heads),
    Link: Mapped(Link, tables.message_links),
    Edit: Mapped(Edit, tables.edits),
    Agreement: AGREEMENTS,
}

_in, _out, _archive, _rows = tables.inbound_messages, tables.outbound_messages, tables.archive, tables.handover_rows
_handovers, _quarantine, _dossiers = tables.handovers, tables.quarantine, tables.dossiers
_endpoints = tables.endpoints
PAGE = 50


def in_scope(scope: Scope, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """A partner sees what is its own, nobody else's."""
    if scope.kind == "all":
        return sa.true()
    return column == scope.id if scope.kind == "partner" else sa.false()


@dataclass(frozen=True, slots=True)
class ToSend:
    """A message that is about to leave, or not any more."""

    content: bytes
    dialect: str
    stale: str | None
    """Why it does not leave."""
    answers_to: UUID | None
    document: str
    correlation_id: str | None
    metering_point_id: str | None


def to_send(db: sa.Connection, scope: Scope, message_id: UUID, now: datetime) -> ToSend | None:
    """The bytes of a message of ours, and whether they may leave now."""
    query = (
        sa.select(_archive.c.content, _out, _rows.c.state.label("row_state"), _dossiers.c.metering_point_id)
        .select_from(
            _out.join(_archive, _archive.c.id == _out.c.id)
            .outerjoin(_rows, _rows.c.row_id == _out.c.row_id)
            .outerjoin(_dossiers, _dossiers.c.case_id == _out.c.case_id)
        )
        .where(_out.c.id == message_id, in_scope(scope, _out.c.partner))
    )
    found = db.execute(query).one_or_none()
    if found is None:
        return None
    return ToSend(
        content=found.content,
        dialect=found.dialect,
        stale=_stale(found, now),
        answers_to=found.answers_to,
        document=found.document,
        correlation_id=found.correlation_id,
        metering_point_id=found.metering_point_id,
    )


def is_disabled(db: sa.Connection, scope: Scope, partner: str, url: str) -> bool:
    """Whether this address of a partner said that it is gone."""
    where = (_endpoints.c.partner == partner, _endpoints.c.url == url, in_scope(scope, _endpoints.c.partner))
    return db.execute(sa.select(_endpoints.c.partner).where(*where)).first() is not None


def _stale(found: sa.Row[Any], now: datetime) -> str | None:
    """A newer attempt took its place, or it is written in a version of the market that no longer holds."""
    if found.row_state is RowState.SUPERSEDED:
        return SUPERSEDED
    if found.dialect != "edifact_fv" or found.row_id is None or same_versions(found.created_at, now):
        return None
    return OVERTAKEN


def inbound(db: sa.Connection, scope: Scope, partner: str | None, message_id: UUID) -> sa.Row[Any] | None:
    """One message that came, of this partner if one is named."""
    query = sa.select(_in).where(_in.c.id == message_id, in_scope(scope, _in.c.partner))
    if partner is not None:
        query = query.where(_in.c.partner == partner)
    return db.execute(query).one_or_none()


def answers_to(db: sa.Connection, scope: Scope, message_id: UUID) -> Sequence[sa.Row[Any]]:
    """The messages by which a message was answered."""
    query = sa.select(_out).where(_out.c.answers_to == message_id, in_scope(scope, _out.c.partner))
    return db.execute(query.order_by(_out.c.created_at, _out.c.id)).all()


def outbound(db: sa.Connection, scope: Scope, message_id: UUID) -> sa.Row[Any] | None:
    """One message of ours."""
    return db.execute(sa.select(_out).where(_out.c.id == message_id, in_scope(scope, _out.c.partner))).one_or_none()


def raw(db: sa.Connection, scope: Scope, message_id: UUID) -> bytes | None:
    """The bytes of a message, in or out; a copy has those of the first."""
    first = db.scalar(sa.select(_in.c.copy_of).where(_in.c.id == message_id, in_scope(scope, _in.c.partner)))
    query = sa.select(_archive.c.content).where(_archive.c.id == (first or message_id))
    return db.scalar(query.where(in_scope(scope, _archive.c.partner)))


def chain(db: sa.Connection, scope: Scope, behind: int = 0, limit: int | None = None) -> Sequence[sa.Row[Any]]:
    """The archive in the order of its chain, from behind this number on."""
    columns = (_archive.c.id, _archive.c.number, _archive.c.sha256, _archive.c.content, _archive.c.prev_hash)
    query = sa.select(*columns, _archive.c.hash).where(in_scope(scope, _archive.c.partner), _archive.c.number > behind)
    return db.execute(query.order_by(_archive.c.number).limit(limit)).all()


def chain_head(db: sa.Connection, scope: Scope) -> sa.Row[Any] | None:
    """Where the chain ends, as it was noted when the last message was archived."""
    heads = tables.archive_heads
    return db.execute(sa.select(heads).where(in_scope(scope, sa.literal("")))).one_or_none()
