"""Who did what: one row per change in its own transaction, chained by hash in 64 shards (SEC-AUD, security page 13)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import orjson
import sqlalchemy as sa

from kit import rows, tables
from kit.types import instant, is_sqlite

AUDIT = ("shard", "seq", "action", "subject", "actor", "correlation", "details", "at", "hash")
AUDIT_HEADS = ("shard", "seq", "hash")
HEADS_THERE = sa.select(tables.audit_heads.c.shard).where(rows.one_of(tables.audit_heads.c.shard, "shards"))
LOCK_HEADS = (
    rows.raw(tables.audit_heads, AUDIT_HEADS)
    .where(rows.one_of(tables.audit_heads.c.shard, "shards"))
    .order_by(tables.audit_heads.c.shard)
    .with_for_update()
)


class Entry(NamedTuple):
    """One change, refusal or unmasked read. `details` hold no personal data."""

    action: str
    subject: str
    """`<kind>/<id>`, an inner object as `<kind>/<id of its case>/<own id>`."""
    actor: str
    correlation: str
    at: datetime
    details: Mapping[str, Any]


class Change(NamedTuple):
    """What became different in one step, as an aggregate says it; who, when and the cause are the unit's to add."""

    action: str
    subject: str
    details: Mapping[str, Any]
    """Old and new values by codes, ids, dates and numbers; never personal data, never words of a person."""


_there: WeakKeyDictionary[sa.Engine, set[int]] = WeakKeyDictionary()
"""Shards whose heads were seen in a database. Heads never go, and a transaction writes its audit once: what it sees
here was committed before it."""


def shard_of(subject: str) -> int:
    """All that concerns one case stands in one shard."""
    return _shard(subject.split("/")[1])


@lru_cache(maxsize=100_000)
def _shard(key: str) -> int:
    return sha256(key.encode()).digest()[0] & (tables.SHARDS - 1)


def genesis(service: str, shard: int) -> bytes:
    return sha256(f"rollout-hub/audit/1|{service}|{shard}".encode()).digest()


def text_of(details: Mapping[str, Any]) -> str:
    """How details are kept; equal to RFC 8785 for what may stand in them."""
    return orjson.dumps(details, option=orjson.OPT_SORT_KEYS).decode()


def canonical(service: str, shard: int, seq: int, entry: Entry, details: str) -> bytes:
    """The text that is hashed, with the details as they are kept."""
    return canonical_row(
        service, (shard, seq, entry.action, entry.subject, entry.actor, entry.correlation, details, instant(entry.at))
    )


def canonical_row(service: str, row: Sequence[Any]) -> bytes:
    """The same of a row in the order of its columns, with the instant as text."""
    said = {
        "action": row[2],
        "actor": row[4],
        "at": row[7],
        "correlation": row[5],
        "details": orjson.Fragment(row[6]),
        "seq": row[1],
        "service": service,
        "shard": row[0],
        "subject": row[3],
    }
    return orjson.dumps(said)  # the members above stand in their order


def write(db: sa.Connection, service: str, entries: Sequence[Entry]) -> None:
    """Append to the chains; heads are locked in ascending order, after the aggregates."""
    if not entries:
        return
    placed = [(shard_of(entry.subject), entry) for entry in entries]
    shards = sorted({shard for shard, _ in placed})
    heads = _locked(db, service, shards)
    made, how = [], rows.binders(db.dialect, tables.audit, ("at",))
    for shard, entry in placed:
        seq, last = heads.get(shard) or (0, genesis(service, shard))
        seq += 1
        details = text_of(entry.details)
        link = sha256(last + canonical(service, shard, seq, entry, details)).digest()
        heads[shard] = seq, link
        (at,) = rows.bound((entry.at,), how)
        made.append((shard, seq, *entry[:4], details, at, link))
    rows.insert(db, tables.audit, AUDIT, sorted(made))  # in the order of the table, one place after the other
    rows.upsert(db, tables.audit_heads, AUDIT_HEADS, [(shard, *heads[shard]) for shard in shards])


def _locked(db: sa.Connection, service: str, shards: Sequence[int]) -> dict[int, tuple[int, bytes]]:
    """The heads of these shards, locked; two writers of a shard's first row must meet in a row that is there.

    Missing heads are made before any is locked, in ascending order like the locks, so that nobody waits in a circle.
    """
    there = _there.setdefault(db.engine, set())
    if not is_sqlite(db.dialect) and not there.issuperset(shards):  # SQLite has one writer
        there.update(db.scalars(HEADS_THERE, {"shards": shards}))
        first = [(shard, 0, genesis(service, shard)) for shard in shards if shard not in there]
        rows.insert_new(db, tables.audit_heads, AUDIT_HEADS, first, "shard")
    return {shard: (seq, link) for shard, seq, link in rows.fetch(db, LOCK_HEADS, {"shards": shards})}
