"""A record's way in: its headers are understood first, its value only when its turn has come."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from contracts.event import Event
from contracts.ids import text_of
from contracts.topics import TOPICS
from kit.bus import Record
from kit.outbox import Cause

E = TypeVar("E", bound=Event)

LARGEST_RECORD = 1_000_000
"""Bytes of key, headers and value together."""


class Heard(NamedTuple):
    """A record whose headers were understood; its value may still be anything."""

    id: UUID
    type: str
    source: str
    key: str
    sequence: int
    time: datetime
    headers: Mapping[str, str]
    cause: Cause
    """Of what is told because of it."""
    record: Record


class Received(NamedTuple, Generic[E]):
    """An event as its handler gets it: the fact, and what its envelope says."""

    event: E
    id: UUID
    source: str
    sequence: int
    time: datetime
    correlation_id: str
    causation_id: str
    traceparent: str | None
    record: Record


class Unreadable(Exception):
    """The record can't be told from noise: it becomes a dead letter, bytes and headers kept."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


def understand(record: Record) -> Heard:
    """Read the headers; raises Unreadable with reason and detail of messaging page section 7."""
    headers = _headers(record)
    if headers.get("ce_specversion", "1.0") != "1.0":
        raise Unreadable("unreadable", "specversion")
    if not record.key:
        raise Unreadable("unreadable", "no_key")
    kind = headers.get("ce_type")
    if not kind:
        raise Unreadable("unreadable", "no_type")
    source, owner = headers.get("ce_source", ""), TOPICS[record.topic].owner
    if source not in TOPICS[record.topic].writers or not kind.startswith(_prefix(source)):
        raise Unreadable("foreign_event", f"{record.topic} belongs to {owner or 'the services'}")
    event_id = _id(headers.get("ce_id"))
    own = text_of(event_id)
    return Heard(
        id=event_id,
        type=kind,
        source=source,
        key=_text(record.key),
        sequence=_sequence(headers.get("ce_sequence")),
        time=_time(headers.get("ce_time")),
        headers=headers,
        cause=Cause(headers.get("ce_correlationid") or own, own, headers.get("traceparent"), event_id, source),
        record=record,
    )


def received(heard: Heard, event: E) -> Received[E]:
    """Put fact and envelope together."""
    return Received(
        event=event,
        id=heard.id,
        source=heard.source,
        sequence=heard.sequence,
        time=heard.time,
        correlation_id=heard.cause.correlation_id,
        causation_id=heard.headers.get("ce_causationid", ""),
        traceparent=heard.cause.traceparent,
        record=heard.record,
    )


@lru_cache
def _prefix(source: str) -> str:
    return f"rollout.{short(source)}."


def short(service: str) -> str:
    """A service's name inside type names: case_service → case, mdm_adapter → mdm."""
    return service.removesuffix("_service").removesuffix("_adapter")


def _headers(record: Record) -> Mapping[str, str]:
    size = len(record.value or b"") + len(record.key or b"")
    if isinstance(record.headers, Mapping):
        _refuse_larger(size + sum(map(len, record.headers.values())))
        return record.headers
    _refuse_larger(size + sum([len(said) for _, said in record.headers if said]))
    found: dict[str, str] = {}
    try:
        for name, said in record.headers:
            if name in found and name.startswith("ce_"):
                raise Unreadable("unreadable", "bad_headers")
            if said is not None:
                found[name] = said.decode()
    except UnicodeDecodeError:
        raise Unreadable("unreadable", "bad_headers") from None
    return found


def _refuse_larger(size: int) -> None:
    if size > LARGEST_RECORD:
        raise Unreadable("too_large", f"{size} bytes")


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Unreadable("unreadable", "bad_headers") from None


def _id(text: str | None) -> UUID:
    if not text:
        raise Unreadable("unreadable", "no_id")
    try:
        return UUID(text)
    except ValueError:
        raise Unreadable("unreadable", "bad_id") from None


def _sequence(text: str | None) -> int:
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 18 or int(text) < 1:
        raise Unreadable("unreadable", "bad_sequence")
    return int(text)


def _time(text: str | None) -> datetime:
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        raise Unreadable("unreadable", "bad_headers") from None
