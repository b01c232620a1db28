"""A daily seal over the ends of the audit's chains, signed and kept also where the database cannot reach (SEC-AUD-02).

Whoever can change every table can write a whole chain anew; the seals of earlier days tell that it is another one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog
from joserfc import jwk

from kit import rows, tables
from kit.audit import genesis
from kit.db import Db
from kit.keys import write_private
from kit.settings import Settings
from kit.store import Store
from kit.tokens import Refusal, opened, signed, unchecked

log = structlog.get_logger(__name__)

AT = time(0, 5, tzinfo=UTC)
TYPE = "hub-anchor+jwt"
"""Of the signed document; a token it can never be."""
COLUMNS = ("day", "heads", "previous", "jws", "at")
_a = tables.audit_anchors
NEWEST = sa.select(_a.c.day, _a.c.jws).order_by(_a.c.day.desc()).limit(1)
HEADS = sa.select(tables.audit_heads)


class Anchor(NamedTuple):
    """What one seal says."""

    day: date
    heads: Sequence[tuple[int, bytes]]
    """Sequence number and hash of each shard's newest row."""
    previous: str
    """SHA-256 of the seal before, hex; empty at the first."""


class Anchors:
    """The seals of one service: one each day from 00:05 UTC, also after a pause and beside other processes."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self._kept: date | None = None

    async def keep(self) -> datetime:
        """Seal what is due and is not sealed yet; returns when the next seal falls due."""
        now = self.store.clock.now()
        today = day_at(now)
        if self._kept != today:
            await self.store.db.transact(lambda db: self._seal(db, today, now))
            written = sa.select(_a.c.day, _a.c.jws) if self._kept is None else NEWEST
            for day, document in await self.store.db.read(lambda db: db.execute(written).all()):
                self._publish(day, document)
            self._kept = today
        return datetime.combine(today + timedelta(days=1), AT)

    def _seal(self, db: sa.Connection, today: date, now: datetime) -> None:
        """A day after another process's: the key of the table lets one of them win, and both write the same file."""
        newest = db.execute(NEWEST).one_or_none()
        heads = {shard: (seq, link) for shard, seq, link in db.execute(HEADS)}
        if not heads or (newest is not None and newest.day >= today):
            return
        before = "" if newest is None else digest(newest.jws)
        whole = [heads.get(shard) or (0, genesis(self.store.service, shard)) for shard in range(tables.SHARDS)]
        said = [[seq, link.hex()] for seq, link in whole]
        claims = {"date": today.isoformat(), "heads": said, "previous": before, "service": self.store.service}
        document = signed(claims, self._key(), TYPE)
        kept = {str(shard): each for shard, each in enumerate(said) if each[0]}
        how = rows.binders(db.dialect, _a, COLUMNS)
        rows.insert_new(db, _a, COLUMNS, [rows.bound((today, kept, before, document, now), how)], "day")
        log.info("anchor written", service=self.store.service, day=today.isoformat())

    def _publish(self, day: date, document: str) -> None:
        """A copy for each seal, and the public key that it is checked with; what lies there stays."""
        place = self.settings.anchors_path / self.store.service / f"{day.isoformat()}.jws"
        if not place.exists():
            key = self._key()
            public = self.settings.anchors_path / f"{key.thumbprint()}.pem"
            if not public.exists():
                write_private(public, key.as_pem(private=False), keep=True)
            write_private(place, document.encode(), keep=True)

    def _key(self) -> jwk.OKPKey:
        place = self.settings.anchor_key_path
        if not place.exists():
            made = jwk.OKPKey.generate_key("Ed25519")
            write_private(place, made.as_pem(private=True), keep=True)  # several processes begin at once
        return jwk.OKPKey.import_key(place.read_bytes())


def day_at(now: datetime) -> date:
    """The newest day whose seal is due."""
    now = now.astimezone(UTC)
    return now.date() if now.timetz() >= AT else now.date() - timedelta(days=1)


def digest(document: str) -> str:
    """How a seal names the one before it."""
    return sha256(document.encode()).hexdigest()


class Seals(NamedTuple):
    """The seals that are good, oldest first, and what is wrong with the others."""

    anchors: Sequence[Anchor]
    wrong: Sequence[str]


async def seals(db: Db, service: str, folder: Path | None) -> Seals:
    """Compare the seals of the table with the copies in the folder and check both; without one only the table."""
    kept = sa.select(_a.c.day, _a.c.jws)
    stored = {row.day: row.jws for row in await db.read(lambda db: db.execute(kept).all())}
    copies = stored if folder is None else _copies(folder / service)
    wrong = [f"the anchor of {day} is missing in the table" for day in sorted(copies.keys() - stored.keys())]
    wrong += [f"the copy of the anchor of {day} is missing" for day in sorted(stored.keys() - copies.keys())]
    wrong += [
        f"the anchor of {day} differs between table and copy"
        for day in sorted(copies.keys() & stored.keys())
        if copies[day] != stored[day]
    ]
    found = _checked(service, {**stored, **copies}, None if folder is None else _keys(folder))  # the copy counts
    return Seals(found.anchors, [*wrong, *found.wrong])


def _copies(folder: Path) -> Mapping[date, str]:
    return {date.fromisoformat(each.stem): each.read_text("ascii") for each in folder.glob("*.jws")}


def _keys(folder: Path) -> Mapping[str, jwk.OKPKey]:
    found = [jwk.OKPKey.import_key(each.read_bytes()) for each in folder.glob("*.pem")]
    return {key.thumbprint(): key for key in found}


def _checked(service: str, documents: Mapping[date, str], keys: Mapping[str, jwk.OKPKey] | None) -> Seals:
    anchors, wrong, before = list[Anchor](), list[str](), ""
    for day in sorted(documents):
        try:
            said = unchecked(documents[day]) if keys is None else opened(documents[day], keys, TYPE)
            anchor = _read(service, day, said)
        except (Refusal, ValueError) as error:
            wrong.append(f"the anchor of {day} is not ours: {error}")
        else:
            wrong += [f"the anchor of {day} {what}" for what in _misfits(anchor, anchors, before)]
            anchors.append(anchor)
        before = digest(documents[day])
    return Seals(anchors, wrong)


def _misfits(anchor: Anchor, earlier: Sequence[Anchor], before: str) -> Iterable[str]:
    if anchor.previous != before:
        yield "does not follow the one before it"
    if earlier and any(now[0] < was[0] for was, now in zip(earlier[-1].heads, anchor.heads, strict=True)):
        yield "holds fewer rows than the one before it"


def _read(service: str, day: date, said: Mapping[str, Any]) -> Anchor:
    if (said.get("service"), said.get("date")) != (service, day.isoformat()):
        raise ValueError("it names another service or day")
    heads, previous = said.get("heads"), said.get("previous")
    if not isinstance(heads, list) or len(heads) != tables.SHARDS or not isinstance(previous, str):
        raise ValueError("it does not name every shard")
    return Anchor(day, [(int(seq), bytes.fromhex(link)) for seq, link in heads], previous)
