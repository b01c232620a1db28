"""The kernel's own tables: every service database has them beside its own (messaging page, section 4)."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

from kit.types import Id, Json, Serial, Utc

SHARDS = 64

AUDIT_APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER audit_no_{act.lower()} BEFORE {act} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
        for act in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        """CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$""",
        """CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()""",
    ],
}
"""What makes the database refuse to change the audit (SEC-AUD-01), by dialect; the migrations say the same."""


def kernel(metadata: MetaData) -> None:
    """Add the kernel's tables to a service's metadata."""
    for define in (_reading, _telling, _parking, _waiting, _asked, _recording):
        define(metadata)


def _reading(metadata: MetaData) -> None:
    Table(
        "inbox",
        metadata,
        Column("reader", Text, primary_key=True),
        Column("event_id", Id, primary_key=True),
        Column("topic", Text, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("key", Text, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("outcome", Text, nullable=False),
        Column("seen_at", Utc, nullable=False),
        sqlite_with_rowid=False,
    )
    Table(
        "positions",
        metadata,
        Column("reader", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("next_offset", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _telling(metadata: MetaData) -> None:
    def envelope() -> list[Column[Any]]:
        return [
            Column("event_id", Id, nullable=False),
            Column("topic", Text, nullable=False),
            Column("partition", Integer, nullable=False),
            Column("key", Text, nullable=False),
            Column("sequence", BigInteger, nullable=False),
            Column("headers", Json(dict[str, str]), nullable=False),
            Column("value", LargeBinary),
            Column("recorded_at", Utc, nullable=False),
        ]

    Table(
        "heads",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("sequence", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    outbox = Table(
        "outbox", metadata, Column("id", Serial, primary_key=True), *envelope(), Column("blocked_reason", Text)
    )
    sa.Index("outbox_blocked", outbox.c.topic, outbox.c.key, **_where(outbox.c.blocked_reason.is_not(None)))
    Table(
        "event_log",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("position", BigInteger, primary_key=True),
        Column("outbox_id", BigInteger, nullable=False),
        Column("event_id", Id, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger),
        Column("key", Text, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("headers", Json(dict[str, str]), nullable=False),
        Column("value", LargeBinary),
        Column("recorded_at", Utc, nullable=False),
        Column("told_at", Utc, nullable=False),
        sqlite_with_rowid=False,
    )
    Table(
        "log_heads",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("position", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _parking(metadata: MetaData) -> None:
    keys = Table(
        "parked_keys",
        metadata,
        Column("reader", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("reason", Text, nullable=False),
        Column("error", Text, nullable=False),
        Column("first_event_id", Id, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("retry_at", Utc),
        Column("since", Utc, nullable=False),
        Column("note", Text),
        sqlite_with_rowid=False,
    )
    sa.Index("parked_keys_retry", keys.c.retry_at, **_where(keys.c.retry_at.is_not(None)))
    parked = Table(
        "parked",
        metadata,
        Column("id", Serial, primary_key=True),
        Column("reader", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("event_id", Id, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("headers", Json(dict[str, str]), nullable=False),
        Column("value", LargeBinary),
        Column("parked_at", Utc, nullable=False),
    )
    sa.Index("parked_order", parked.c.reader, parked.c.topic, parked.c.key, parked.c.id)
    Table(
        "dead_letters",
        metadata,
        Column("reader", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("offset", BigInteger, primary_key=True),
        Column("digest", Text, primary_key=True),
        Column("key", LargeBinary),
        Column("headers", Json(list[tuple[str, str | None]]), nullable=False),
        Column("value", LargeBinary),
        Column("reason", Text, nullable=False),
        Column("detail", Text, nullable=False),
        Column("at", Utc, nullable=False),
        Column("resolved_at", Utc),
        Column("resolution", Text),
    )


def _waiting(metadata: MetaData) -> None:
    timers = Table(
        "timers",
        metadata,
        Column("kind", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("due_at", Utc, nullable=False),
        Column("payload", Json(), nullable=False),
        Column("correlation_id", Text, nullable=False),
        Column("set_at", Utc, nullable=False),
        sqlite_with_rowid=False,
    )
    sa.Index("timers_due", timers.c.due_at)
    effects = Table(
        "effects",
        metadata,
        Column("id", Id, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("unique_key", Text, nullable=False),
        Column("lane", Text),
        Column("payload", Json(), nullable=False),
        Column("state", Text, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("due_at", Utc, nullable=False),
        Column("lease_until", Utc),
        Column("reference", Text),
        Column("cause", Text),
        Column("answer", Json()),
        Column("correlation_id", Text, nullable=False),
        Column("created_at", Utc, nullable=False),
        Column("finished_at", Utc),
        sa.UniqueConstraint("kind", "unique_key"),
    )
    open_ = effects.c.state.in_(["ready", "sending", "unknown"])
    sa.Index("effects_due", effects.c.due_at, **_where(open_))
    sa.Index("effects_lane", effects.c.lane, effects.c.id, **_where(open_))


def _asked(metadata: MetaData) -> None:
    Table(
        "jobs",
        metadata,
        Column("id", Id, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("params", Json(), nullable=False),
        Column("state", Text, nullable=False),
        Column("total", Integer, nullable=False),
        Column("done", Integer, nullable=False),
        Column("refused", Integer, nullable=False),
        Column("failed", Integer, nullable=False),
        Column("cursor", Json(), nullable=False),
        Column("result", Json()),
        Column("lease_until", Utc),
        Column("leased_by", Text),
        Column("created_by", Text, nullable=False),
        Column("created_at", Utc, nullable=False),
        Column("request_key", Text, nullable=False),
        sa.UniqueConstraint("kind", "request_key"),
    )
    Table(
        "idempotency",
        metadata,
        Column("principal", Text, primary_key=True),
        Column("request_key", Text, primary_key=True),
        Column("route", Text, nullable=False),
        Column("request_hash", Text, nullable=False),
        Column("status", Integer, nullable=False),
        Column("headers", Json(dict[str, str]), nullable=False),
        Column("body", LargeBinary),
        Column("at", Utc, nullable=False),
    )


def _recording(metadata: MetaData) -> None:
    anomalies = Table(
        "anomalies",
        metadata,
        Column("id", Serial, primary_key=True),
        Column("code", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("event_id", Id),
        Column("details", Json(), nullable=False),
        Column("at", Utc, nullable=False),
        Column("resolved_at", Utc),
    )
    sa.Index("anomalies_code", anomalies.c.code, anomalies.c.at)
    audit = Table(
        "audit",
        metadata,
        Column("shard", Integer, primary_key=True),
        Column("seq", BigInteger, primary_key=True),
        Column("action", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("actor", Text, nullable=False),
        Column("correlation", Text, nullable=False),
        Column("details", Text, nullable=False),
        Column("at", Utc, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    sa.Index("audit_subject", audit.c.subject)
    for dialect, statements in AUDIT_APPEND_ONLY.items():
        for statement in statements:
            made = sa.DDL(statement)  # type: ignore[no-untyped-call]
            sa.event.listen(audit, "after_create", made.execute_if(dialect=dialect))
    Table(
        "audit_heads",
        metadata,
        Column("shard", Integer, primary_key=True),
        Column("seq", BigInteger, nullable=False),
        Column("hash", LargeBinary, nullable=False),
    )
    Table(
        "audit_anchors",
        metadata,
        Column("day", sa.Date, primary_key=True),
        Column("heads", Json(dict[str, Any]), nullable=False),
        Column("previous", Text, nullable=False),
        Column("jws", Text, nullable=False),
        Column("at", Utc, nullable=False),
    )


def _where(condition: sa.ColumnElement[bool]) -> dict[str, Any]:
    """A partial index, alike on both databases."""
    return {"postgresql_where": condition, "sqlite_where": condition}


KERNEL = MetaData()
kernel(KERNEL)
inbox, positions, heads, outbox, event_log, log_heads = (
    KERNEL.tables[name] for name in ("inbox", "positions", "heads", "outbox", "event_log", "log_heads")
)
parked_keys, parked, dead_letters = (KERNEL.tables[name] for name in ("parked_keys", "parked", "dead_letters"))
timers, effects, jobs, idempotency = (KERNEL.tables[name] for name in ("timers", "effects", "jobs", "idempotency"))
anomalies, audit, audit_heads, audit_anchors = (
    KERNEL.tables[name] for name in ("anomalies", "audit", "audit_heads", "audit_anchors")
)
