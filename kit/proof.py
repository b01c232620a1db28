"""Whether the audit is as it was written: rows, heads and seals are compared, shard by shard (SEC-AUD-03)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kit import rows, tables
from kit.anchors import Anchor, seals
from kit.audit import AUDIT, canonical_row, genesis
from kit.db import Db
from kit.types import instant

PAGE = 20_000
"""Rows that one query brings: little memory, no long statement, and others get a turn."""
_t = tables.audit
ROWS = (
    rows.raw(_t, AUDIT)
    .where(_t.c.shard == sa.bindparam("shard"), _t.c.seq > sa.bindparam("after"))
    .order_by(_t.c.seq)
    .limit(PAGE)
)
STRAY = sa.select(_t.c.shard, _t.c.seq).where(sa.or_(_t.c.shard < 0, _t.c.shard >= tables.SHARDS)).limit(1)
HEADS = sa.select(tables.audit_heads)

Link = tuple[int, bytes]
"""Number and hash of a row."""


@dataclass(frozen=True, slots=True)
class Break:
    """Where the audit is not as it was written."""

    shard: int | None
    """None: a seal itself is not right."""
    seq: int | None
    what: str

    def __str__(self) -> str:
        return self.what if self.shard is None else f"shard {self.shard} seq {self.seq}: {self.what}"


@dataclass
class Proof:
    """What one look at the audit of a service came to."""

    rows: int = 0
    anchors: int = 0
    breaks: list[Break] = field(default_factory=list)


async def prove(db: Db, service: str, folder: Path | None = None, since: date | None = None) -> Proof:
    """Recompute every chain of a service, while others may append to it.

    With the folder of the seals these are checked against their copies and signatures, too. `since`: what the seal of
    that day or the last before it covers is believed.
    """
    sealed = await seals(db, service, folder)
    proof = Proof(anchors=len(sealed.anchors), breaks=[Break(None, None, what) for what in sealed.wrong])
    before = await _heads(db)
    base = _base(sealed.anchors, since)
    reached: dict[int, Link] = {}
    for shard in range(tables.SHARDS):
        begin = base[shard] if base else (0, genesis(service, shard))
        chain = _Chain(service, shard, begin, _expected(shard, sealed.anchors, before))
        while page := await db.read(lambda db, chain=chain: rows.fetch(db, ROWS, chain.asked)):  # type: ignore[misc]
            chain.follow(page)
            proof.rows += len(page)
            if len(page) < PAGE:
                break
        proof.breaks += chain.ended()
        reached[shard] = chain.last
    after = await _heads(db)
    proof.breaks += [
        found for shard in range(tables.SHARDS) if (found := _behind(shard, reached[shard], after.get(shard)))
    ]
    for shard, seq in await db.read(lambda db: db.execute(STRAY).all()):
        proof.breaks.append(Break(shard, seq, "there is no such shard"))
    return proof


class _Chain:
    """One shard, row after row."""

    def __init__(self, service: str, shard: int, begin: Link, expected: Mapping[int, tuple[bytes, str]]) -> None:
        self.service, self.shard, self.last = service, shard, begin
        self._expected = {seq: each for seq, each in expected.items() if seq > begin[0]}
        self._breaks: list[Break] = []

    @property
    def asked(self) -> Mapping[str, int]:
        return {"shard": self.shard, "after": self.last[0]}

    def follow(self, page: Sequence[Sequence[Any]]) -> None:
        """The next rows: each names the place behind the last, and its hash covers it and all before it."""
        service, (seq, link), expected = self.service, self.last, self._expected
        for row in page:
            number, kept = row[1], row[8]
            if number != seq + 1:
                self._break(number, f"a gap behind {seq}")
            elif _hash(service, row, link) != kept:
                self._break(number, "the row does not fit its hash, or not the row before it")
            if number in expected and expected[number][0] != kept:
                self._break(number, f"not the row that {expected[number][1]} saw")
            seq, link = number, kept
        self.last = seq, link

    def ended(self) -> list[Break]:
        """All breaks, also of rows that somebody saw and that are not there."""
        seen = max((seq for seq in self._expected if seq > self.last[0]), default=None)
        if seen is not None:
            who = self._expected[seen][1]
            self._break(self.last[0] + 1, f"the end is cut off: {who} saw {seen} rows, there are {self.last[0]}")
        return self._breaks

    def _break(self, seq: int, what: str) -> None:
        self._breaks.append(Break(self.shard, seq, what))


def _hash(service: str, row: Sequence[Any], link: bytes) -> bytes | None:
    if isinstance(at := row[7], datetime):  # PostgreSQL; SQLite keeps the text that was hashed
        row = (*row[:7], instant(at))
    try:
        return sha256(link + canonical_row(service, row)).digest()
    except TypeError:  # a value of another type than we write
        return None


async def _heads(db: Db) -> dict[int, Link]:
    return {shard: (seq, link) for shard, seq, link in await db.read(lambda db: db.execute(HEADS).all())}


def _expected(shard: int, anchors: Sequence[Anchor], heads: Mapping[int, Link]) -> dict[int, tuple[bytes, str]]:
    """Rows that somebody saw: the head of the shard, and above it the seals."""
    seq, link = heads.get(shard, (0, b""))
    seen = {seq: (link, "the head")}
    return seen | {
        anchor.heads[shard][0]: (anchor.heads[shard][1], f"the anchor of {anchor.day}") for anchor in reversed(anchors)
    }


def _behind(shard: int, reached: Link, head: Link | None) -> Break | None:
    """Rows that were appended without their head. A head that says more than the rows was moved while we looked."""
    seq, link = head or (0, b"")
    if reached[0] > seq:
        return Break(shard, seq + 1, f"rows behind the head, which says {seq}")
    if seq and reached == (seq, reached[1]) and reached[1] != link:
        return Break(shard, seq, "not the row that the head names")
    return None


def _base(anchors: Sequence[Anchor], since: date | None) -> Sequence[Link] | None:
    covered = [anchor.heads for anchor in anchors if since is not None and anchor.day <= since]
    return covered[-1] if covered else None
