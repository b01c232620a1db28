"""Invariants of the kernel (reliability page, section 2): nothing lost, twice, out of order or without audit."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa

from contracts.topics import DEAD_LETTERS, TOPICS
from hub.looking import Found, Look, Row, doubles, named, together
from kit import tables
from kit.bus import Record
from kit.parking import TIMER
from kit.proof import prove

STUCK = timedelta(seconds=60)
"""A fact that may be told leaves the outbox within this time (I2)."""
COMPACTED = frozenset(topic.name for topic in TOPICS.values() if topic.cleanup == "compact")

_inbox, _parked, _keys = tables.inbox, tables.parked, tables.parked_keys
_outbox, _log = tables.outbox, tables.event_log


async def one_effect(look: Look) -> Found:
    """I1: an event is applied, or waits with its key: never both, never neither."""
    found = []
    for service in look.databases:
        rows = await look.count(service, _inbox) + await look.count(service, _parked)
        found.append(Found(rows, [named(service=service, **row._asdict()) for row in await _misfits(look, service)]))
    return together(*found)


async def _misfits(look: Look, service: str) -> Sequence[Row]:
    same = (_inbox.c.reader == _parked.c.reader) & (_inbox.c.event_id == _parked.c.event_id)
    says, waits = _inbox.c.outcome == "parked", _parked.c.event_id.is_not(None)
    torn = (
        sa.select(_inbox.c.reader, _inbox.c.event_id, _inbox.c.outcome)
        .select_from(_inbox.outerjoin(_parked, same))
        .where((says & ~waits) | (~says & waits))
    )
    own_key = (_keys.c.reader == _parked.c.reader) & (_keys.c.topic == _parked.c.topic) & (_keys.c.key == _parked.c.key)
    unknown = (
        sa.select(_parked.c.reader, _parked.c.event_id, sa.literal("parked without inbox").label("outcome"))
        .select_from(_parked.outerjoin(_inbox, same))
        .where(_inbox.c.event_id.is_(None), ~_parked.c.topic.startswith(TIMER))
    )
    loose = sa.select(
        _parked.c.reader, _parked.c.event_id, sa.literal("parked without its key").label("outcome")
    ).where(~sa.exists().where(own_key))
    empty = sa.select(
        _keys.c.reader, _keys.c.first_event_id.label("event_id"), sa.literal("key without events").label("outcome")
    ).where(~sa.exists().where(own_key))
    return [row for query in (torn, unknown, loose, empty) for row in await look.rows(service, query)]


async def nothing_lost(look: Look) -> Found:
    """I2: what was committed is told: the outbox does not stand still, and a topic holds what its owner told."""
    found = []
    for service in look.databases:
        rows = await look.count(service, _outbox) + await look.count(service, _log)
        late = sa.select(_outbox.c.event_id, _outbox.c.topic, _outbox.c.key, _outbox.c.recorded_at).where(
            _outbox.c.blocked_reason.is_(None), _outbox.c.recorded_at < look.now - STUCK
        )
        stuck = [named(service=service, stuck=True, **row._asdict()) for row in await look.rows(service, late)]
        found.append(Found(rows, [*stuck, *await _torn_log(look, service)]))
    return together(*found, *[await _topic_is_whole(look, topic) for topic in look.records or ()])


async def _torn_log(look: Look, service: str) -> list[dict[str, str]]:
    """The newest told fact of each key has the number that the key's head says."""
    ends: dict[tuple[str, str], int] = {}
    for table in (_log, _outbox):
        last = sa.select(table.c.topic, table.c.key, sa.func.max(table.c.sequence).label("last"))
        for row in await look.rows(service, last.group_by(table.c.topic, table.c.key)):
            ends[row.topic, row.key] = max(row.last, ends.get((row.topic, row.key), 0))
    heads = await look.rows(service, sa.select(tables.heads))
    return [
        named(
            service=service, topic=head.topic, key=head.key, head=head.sequence, last=ends.get((head.topic, head.key))
        )
        for head in heads
        if ends.get((head.topic, head.key)) != head.sequence
    ]


async def _topic_is_whole(look: Look, topic: str) -> Found:
    """Ids of `outbox ∪ event_log` against the topic; a topic may be ahead of its event_log, never behind it."""
    owner = TOPICS[topic].owner
    if owner is None or owner not in look.databases:
        return Found(0, [])
    in_topic = {record_id(record) for record in (look.records or {})[topic]}
    told = {
        str(row.event_id) for row in await look.rows(owner, sa.select(_log.c.event_id).where(_log.c.topic == topic))
    }
    waits = sa.select(_outbox.c.event_id).where(_outbox.c.topic == topic)
    waiting = {str(row.event_id) for row in await look.rows(owner, waits)}
    lost = set() if topic in COMPACTED else told - in_topic
    offending = [named(topic=topic, event_id=event_id, lost=True) for event_id in sorted(lost)]
    offending += [named(topic=topic, event_id=each, foreign=True) for each in sorted(in_topic - told - waiting)]
    return Found(len(in_topic), offending)


async def in_order(look: Look) -> Found:
    """I3: the first occurrences of a key's facts are in order and without a gap."""
    found = []
    for service in look.databases:
        query = sa.select(_log.c.topic, _log.c.key, _log.c.sequence).order_by(_log.c.topic, _log.c.position)
        lines: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row in await look.rows(service, query):
            lines[row.topic, row.key].append(row.sequence)
        found.append(_judged(lines, service))
    for topic, records in (look.records or {}).items():
        if topic != DEAD_LETTERS:
            found.append(_judged(_first_occurrences(topic, records), "kafka"))
    return together(*found)


def _first_occurrences(topic: str, records: Iterable[Record]) -> Mapping[tuple[str, str], list[int]]:
    seen: set[str] = set()
    lines: dict[tuple[str, str], list[int]] = defaultdict(list)
    for record in records:
        if (event_id := record_id(record)) not in seen:
            seen.add(event_id)
            sequence = int(dict(record.header_texts()).get("ce_sequence") or 0)
            lines[topic, (record.key or b"").decode(errors="replace")].append(sequence)
    return lines


def _judged(lines: Mapping[tuple[str, str], list[int]], where: str) -> Found:
    """Sequences count from 1 by one; of a compacted topic older ones may be gone, so they only rise."""
    offending = []
    for (topic, key), sequences in lines.items():
        before = 0
        for sequence in sequences:
            if sequence <= before or (sequence != before + 1 and topic not in COMPACTED):
                offending.append(named(where=where, topic=topic, key=key, after=before, came=sequence))
            before = sequence
    return Found(sum(map(len, lines.values())), offending)


def record_id(record: Record) -> str:
    """The event's id as its headers say."""
    return dict(record.header_texts()).get("ce_id") or ""


async def chained(look: Look) -> Found:
    """I7: the audit is append-only, without a gap, chained, and what its seals saw."""
    found = []
    for service, db in look.databases.items():
        proof = await prove(db, service)
        offending = [named(service=service, shard=each.shard, seq=each.seq, what=each.what) for each in proof.breaks]
        found.append(Found(proof.rows, offending))
    return together(*found)


async def effects_once(look: Look) -> Found:
    """Part of I6 and I17: one row per effect and unique key, in every service."""
    found = [await doubles(look, service, "effects", "kind", "unique_key") for service in look.databases]
    return together(*found)
