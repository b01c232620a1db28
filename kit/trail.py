"""What the audit says of one object, for people and to be checked offline: each row with the hash before it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from kit import rows, tables
from kit.audit import canonical_row, genesis, text_of
from kit.types import instant

_own, _before = tables.audit, tables.audit.alias("before")
ROWS = (
    sa.select(_own, _before.c.hash.label("previous"))
    .outerjoin(_before, (_before.c.shard == _own.c.shard) & (_before.c.seq == _own.c.seq - 1))
    .where(rows.one_of(_own.c.subject, "subjects"))
    .order_by(_own.c.shard, _own.c.seq)
)


class ExportedRow(BaseModel):
    """One row of the audit."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    at: datetime
    actor: str
    """Principal id of who did it."""
    action: str
    subject: str
    details: dict[str, Any]
    """Old and new values, the move, its reason, the rule of an automation, the cause; codes and ids only."""
    correlation: str
    shard: int
    seq: int
    hash: str
    """SHA-256 over the hash before and the canonical text of this row, hex."""
    previous: str
    """The hash of the row before in the shard, hex."""


class Exported(BaseModel):
    """All rows about one object, oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    service: str
    subject: str
    exported_at: datetime
    rows: tuple[ExportedRow, ...]


def rows_about(db: sa.Connection, service: str, subjects: Sequence[str]) -> tuple[ExportedRow, ...]:
    """The rows whose subject is one of these, in the order of their chain."""
    return tuple(
        ExportedRow(
            at=row.at,
            actor=row.actor,
            action=row.action,
            subject=row.subject,
            details=orjson.loads(row.details),
            correlation=row.correlation,
            shard=row.shard,
            seq=row.seq,
            hash=row.hash.hex(),
            previous=(row.previous or genesis(service, row.shard)).hex(),
        )
        for row in db.execute(ROWS, {"subjects": subjects})
    )


def misfits(exported: Exported) -> Iterator[tuple[int, int]]:
    """Shard and number of rows that were changed since they were exported, or before."""
    for row in exported.rows:
        values = (row.shard, row.seq, row.action, row.subject, row.actor, row.correlation, text_of(row.details))
        text = canonical_row(exported.service, (*values, instant(row.at)))
        if sha256(bytes.fromhex(row.previous) + text).hexdigest() != row.hash:
            yield row.shard, row.seq
