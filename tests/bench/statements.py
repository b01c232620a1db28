"""The SQLite statements of one service's work, by hand: no decoding, no handler, no checks.

Values are made beforehand, except those that hang on what was read: numbers of a key, links of the audit chain.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from kit import audit
from kit.db import SQLITE_PRAGMAS
from tests.bench import workload

Row = tuple[Any, ...]
MOMENT = datetime(2026, 3, 2, 8, tzinfo=UTC)
NOW = "2026-03-02T08:00:00.000000Z"

TOPIC = """SELECT position, key, headers, value, recorded_at FROM event_log
    WHERE topic = ? AND position > ? ORDER BY position LIMIT ?"""
INBOX = """INSERT INTO inbox SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6,
    value->>7, value->>8 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING RETURNING event_id"""
CASES = "SELECT * FROM cases WHERE case_id IN (SELECT value FROM json_each(?))"
CHANGE = """INSERT INTO cases VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version,
    attempt = excluded.attempt, level = excluded.level, message_ref = excluded.message_ref,
    rejected_at = excluded.rejected_at"""
HEADS = """INSERT INTO heads SELECT ?, value, 1 FROM json_each(?) WHERE true
    ON CONFLICT DO UPDATE SET sequence = sequence + 1 RETURNING key, sequence"""
OUTBOX = """INSERT INTO outbox (event_id, topic, "partition", "key", sequence, headers, value, recorded_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
AUDIT_HEADS = "SELECT shard, seq, hash FROM audit_heads"
AUDIT = "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
AUDIT_HEAD = """INSERT INTO audit_heads VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET seq = excluded.seq, hash = excluded.hash"""
POSITION = """INSERT INTO positions VALUES ('case_service', ?, 0, ?)
    ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset"""
UNSENT = "SELECT * FROM outbox ORDER BY id LIMIT 2000"
LOG_HEAD = "SELECT coalesce(max(position), 0) FROM log_heads"
LOG = "INSERT INTO event_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
SENT = "DELETE FROM outbox WHERE id = ?"
LOG_HEAD_MOVES = "INSERT INTO log_heads VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position"


def by_hand(neighbour: Path, file: Path, events: int, batch: int) -> float:
    """Read the neighbour's log, apply and tell, in the same transactions as the kernel; events per second."""
    schema = sa.create_engine(f"sqlite:///{file}")
    workload.metadata.create_all(schema)
    schema.dispose()
    topic, db = sqlite3.connect(neighbour, isolation_level=None), sqlite3.connect(file, isolation_level=None)
    for pragma in SQLITE_PRAGMAS:
        db.execute(f"PRAGMA {pragma}")
    batches = [_values(range(at, min(at + batch, events))) for at in range(0, events, batch)]
    began = time.monotonic()
    for at, values in enumerate(batches):
        topic.execute(TOPIC, (workload.HEARD, at * batch, batch)).fetchall()
        _apply(db, *values)
        _move(db)
    seconds = time.monotonic() - began
    (moved,) = db.execute("SELECT count(*) FROM event_log").fetchone()
    assert moved == events, "the statements did something else"
    topic.close()
    db.close()
    return events / seconds


def _values(numbers: Sequence[int]) -> tuple[list[Row], list[Row], list[Row]]:
    heard, changed, told = [], [], []
    for number, record in zip(numbers, workload.records(numbers), strict=True):
        key, event = record.key.decode(), dict(record.headers)["ce_id"].decode()
        attempt = number // workload.CASES + 1
        heard.append(("case_service", event, workload.HEARD, 0, number, key, attempt, "applied", NOW))
        changed.append((key, attempt, attempt, "transport", f"bench:{number}", NOW))
        headers = {name: text.decode() for name, text in record.headers}
        value = b'{"case_id":"%s","to_phase":"planning","on_hold":false}' % record.key
        told.append((event, workload.TOLD, record.partition, key, attempt, headers, value, NOW))
    return heard, changed, told


def _apply(db: sqlite3.Connection, heard: list[Row], changed: list[Row], told: list[Row]) -> None:
    """One batch: inbox, cases loaded and written, heads, outbox, audit, position."""
    keys = json.dumps([row[0] for row in changed])
    db.execute("BEGIN IMMEDIATE")
    db.execute(INBOX, (json.dumps(heard),)).fetchall()
    db.execute(CASES, (keys,)).fetchall()
    db.executemany(CHANGE, changed)
    heads: Mapping[str, int] = dict(db.execute(HEADS, (workload.TOLD, keys)).fetchall())
    db.executemany(OUTBOX, [_numbered(row, heads[row[3]]) for row in told])
    _audit(db, told)
    db.execute(POSITION, (workload.HEARD, heard[-1][4] + 1))
    db.execute("COMMIT")


def _numbered(row: Row, sequence: int) -> Row:
    headers = orjson.dumps({**row[5], "ce_sequence": str(sequence)}).decode()
    return (*row[:4], sequence, headers, *row[6:])


def _audit(db: sqlite3.Connection, told: Iterable[Row]) -> None:
    heads = {shard: (seq, link) for shard, seq, link in db.execute(AUDIT_HEADS)}
    rows = []
    for row in told:
        subject, details = f"case/{row[3]}", f'{{"event":"{row[0]}"}}'
        shard = audit.shard_of(subject)
        seq, last = heads.get(shard, (0, b""))
        entry = audit.Entry("rejected", subject, "system:case_service", row[0], MOMENT, {})
        link = sha256(last + audit.canonical("case_service", shard, seq + 1, entry, details)).digest()
        heads[shard] = seq + 1, link
        rows.append((shard, seq + 1, *entry[:4], details, NOW, link))
    db.executemany(AUDIT, rows)
    db.executemany(AUDIT_HEAD, [(shard, seq, link) for shard, (seq, link) in heads.items()])


def _move(db: sqlite3.Connection) -> None:
    """The wave of a batch: out of the outbox, into the log."""
    waiting = db.execute(UNSENT).fetchall()
    db.execute("BEGIN IMMEDIATE")
    (last,) = db.execute(LOG_HEAD).fetchone()
    log = [(row[2], last + at, row[0], row[1], row[3], None, *row[4:9], NOW) for at, row in enumerate(waiting, 1)]
    db.executemany(LOG, log)
    db.executemany(SENT, [(row[0],) for row in waiting])
    db.execute(LOG_HEAD_MOVES, (workload.TOLD, last + len(waiting)))
    db.execute("COMMIT")
