"""How facts leave a transaction: serialised when they are told, numbered per key and written beside the state."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

import orjson
import sqlalchemy as sa

from contracts.event import Event
from contracts.ids import text_of
from contracts.topics import TOPICS
from kit import rows, tables
from kit.bus import partition_of
from kit.errors import Invalid
from kit.types import instant

LARGEST_VALUE = 256 * 1024
"""Bytes that one fact may hold: nothing unsendable enters the outbox."""

OUTBOX = ("event_id", "topic", "partition", "key", "sequence", "headers", "value", "recorded_at")
HEADS = ("topic", "key", "sequence")


class Cause(NamedTuple):
    """Why something is told: first cause of the chain, direct cause, trace, and the event at work."""

    correlation_id: str
    causation_id: str
    traceparent: str | None = None
    event_id: UUID | None = None
    source: str = ""
    """The service whose fact it was; empty where a person or time caused it."""


class Told(NamedTuple):
    """A fact ready to be written; a null value is a tombstone."""

    event_id: str
    ce_type: str
    topic: str
    key: str
    value: bytes | None
    at: datetime
    cause: Cause
    headers: Mapping[str, str] = MappingProxyType({})
    """Attributes beside those that every fact has."""


class TooLarge(Invalid):
    """A fact holds more than a topic carries."""

    code = "too-large"


def seal(fact: Event, event_id: UUID, at: datetime, cause: Cause) -> Told:
    """Serialise and measure a fact; what cannot be sent is refused here, inside its transaction."""
    value, key = fact.to_json(), fact.key()
    if len(value) > LARGEST_VALUE:
        raise TooLarge(f"{fact.ce_type} holds {len(value)} bytes, a topic carries {LARGEST_VALUE}")
    if not key:
        raise Invalid(f"{fact.ce_type} has an empty key")
    return Told(text_of(event_id), fact.ce_type, fact.topic, key, value, at, cause)


def tombstone(fact: type[Event], key: str, event_id: UUID, at: datetime, cause: Cause) -> Told:
    """Readers forget what they keep under this key of a compacted topic."""
    return Told(text_of(event_id), fact.ce_type, fact.topic, key, None, at, cause)


def write(db: sa.Connection, service: str, told: Sequence[Told]) -> None:
    """Number the facts per topic and key and write them; the heads are the lock that keeps ids in that order."""
    if not told:
        return
    counts = Counter((each.topic, each.key) for each in told)
    numbered = [(topic, key, counts[topic, key]) for topic, key in sorted(counts)]
    heads = rows.insert_new(db, tables.heads, HEADS, numbered, "sequence", add="sequence")
    last = {(topic, key): int(sequence) - counts[topic, key] for topic, key, sequence in heads}
    how = rows.binders(db.dialect, tables.outbox, OUTBOX[-1:])
    when = {at: rows.bound((at,), how)[0] for at in {each.at for each in told}}
    made = []
    for each in told:
        last[each.topic, each.key] = sequence = last[each.topic, each.key] + 1
        text = orjson.dumps(headers(service, each, sequence)).decode()
        slot = partition_of(each.key, TOPICS[each.topic].partitions)
        made.append((each.event_id, each.topic, slot, each.key, sequence, text, each.value, when[each.at]))
    rows.insert(db, tables.outbox, OUTBOX, made)


def headers(service: str, told: Told, sequence: int) -> dict[str, str]:
    """CloudEvents 1.0, binary mode (messaging page, section 7)."""
    made = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": told.event_id,
        "ce_type": told.ce_type,
        "ce_source": service,
        "ce_subject": told.key,
        "ce_time": instant(told.at),
        "ce_sequence": str(sequence),
        "ce_correlationid": told.cause.correlation_id,
        "ce_causationid": told.cause.causation_id,
    }
    if told.cause.traceparent:
        made["traceparent"] = told.cause.traceparent
    made.update(told.headers)
    return made
