"""The desk of operations at every service: what waits for a person, and what a person may do about it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.topics import TOPICS
from kit import tables
from kit.auth import Principal, needs
from kit.errors import Forbidden, Invalid, NotFound, Refused
from kit.handlers import Handlers, Sent
from kit.outbox import Cause
from kit.parking import Parking
from kit.store import Step, Store, Stumbled, Unit

MOST = 500
"""Rows of one answer."""
MASKED = "•••"
TWO_PERSONS = frozenset({"rollout.orders", "rollout.handovers"})
"""Topics whose events are given up by two persons only."""

Reason = Annotated[str, Field(min_length=3, max_length=500)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
State = Literal["ready", "sending", "unknown", "done", "failed"]


class SamePerson(Forbidden):
    """Who asked may not confirm: what is given up here is an order or an answer to one."""

    code = "four-eyes"

    def __init__(self) -> None:
        super().__init__("somebody else has to confirm what you asked for")


class NotUnknown(Refused):
    """The outcome of this effect is known, or it is still under way."""

    code = "effect-not-unknown"

    def __init__(self, state: str) -> None:
        super().__init__(f"this effect is {state}; only one that is unknown is decided by a person")
        self.state, self.allowed = state, "unknown"


class NothingNamed(Invalid):
    """Neither a key nor a reason says what is to be tried again."""

    def __init__(self) -> None:
        super().__init__("name topic and key, or a reason")


class Asked(BaseModel):
    """What is sent in."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class RetryRequest(Asked):
    """Which keys are to be tried again: one, or all that were parked for a reason."""

    topic: str | None = None
    key: str | None = None
    reason: Literal["refused", "waiting", "undecodable", "bug"] | None = None
    limit: int = Field(100, ge=1, le=MOST)


class DiscardRequest(Asked):
    """Which event of a parked key is given up for good, and why."""

    topic: str
    key: str
    event_id: UUID
    reason: Reason


class ResolveRequest(Asked):
    """What a person found out about an effect whose answer was lost."""

    outcome: Literal["done", "again"]
    """`done`: the counterparty has it. `again`: it surely has not, send once more."""
    reason: Reason


class ParkedKey(BaseModel):
    """A key that waits, with everything behind it."""

    topic: str
    key: str
    events: int
    since: datetime
    reason: str
    error: str
    first_event_id: UUID
    attempts: int
    retry_at: datetime | None
    discard_asked_by: str | None = None


class ParkedEvent(BaseModel):
    """One event behind a parked key; values of restricted topics are masked."""

    event_id: UUID
    sequence: int
    type: str | None
    parked_at: datetime
    value: Any


class Retried(BaseModel):
    """What became of the keys that were tried."""

    free: int
    still_parked: int


class Discarded(BaseModel):
    """`asked`: a second person has to confirm. `discarded`: it is gone, the archive of its topic keeps it."""

    state: Literal["asked", "discarded"]


class AnomalyView(BaseModel):
    """An event that the receiving table did not allow."""

    id: int
    code: str
    subject: str
    event_id: UUID | None
    details: dict[str, Any]
    at: datetime


class DeadLetter(BaseModel):
    """A record that could not be told from noise; its bytes stay in the database."""

    topic: str
    partition: int
    offset: int
    digest: str
    reason: str
    detail: str
    size: int
    at: datetime


class EffectView(BaseModel):
    """Something the outside was to see, without what it says."""

    id: UUID
    kind: str
    unique_key: str
    state: str
    attempts: int
    due_at: datetime
    cause: str | None
    created_at: datetime


class Resolved(BaseModel):
    """The state of the effect from now on."""

    state: str


class Desk:
    """What people do with what waits at one service."""

    def __init__(self, service: str, store: Store, handlers: Handlers) -> None:
        self.store, self.handlers = store, handlers
        self.parking = Parking(service, store, handlers)

    async def retry(self, asked: RetryRequest, principal: Principal) -> Retried:
        """Try the named keys again, oldest first."""
        if asked.reason is None and (asked.topic is None or asked.key is None):
            raise NothingNamed
        wanted = [row for row in await self.parking.keys() if _is_meant(row, asked)][: asked.limit]
        if not wanted and asked.reason is None:
            raise NotFound(f"no parked key {asked.key} on {asked.topic}")
        free = 0
        for row in wanted:
            said = {"topic": row.topic, "reason": row.reason}
            await self._audit(principal, "parked:retry", f"parked/{row.key}", said)
            free += await self.parking.retry(row.topic, row.key)
        return Retried(free=free, still_parked=len(wanted) - free)

    async def discard(self, asked: DiscardRequest, principal: Principal) -> Discarded:
        """Give an event up: at once, or where it concerns a partner's order when a second person confirms."""
        if asked.topic in TWO_PERSONS and not await self.store.transact(
            lambda db: self._confirmed(db, asked, principal)
        ):
            return Discarded(state="asked")
        await self.parking.discard(asked.topic, asked.key, asked.event_id, principal, asked.reason)
        return Discarded(state="discarded")

    async def resolve(self, effect_id: UUID, asked: ResolveRequest, principal: Principal) -> Resolved:
        """Decide what became of an effect that nobody can tell of; the service hears it as any other outcome."""
        try:
            state = await self.store.transact(lambda db: self._resolved(db, effect_id, asked, principal))
        except Stumbled as stumbled:
            raise stumbled.error from None
        self.store.after_commit()
        return Resolved(state=state)

    def _confirmed(self, db: sa.Connection, asked: DiscardRequest, principal: Principal) -> bool:
        """Whether somebody else wished for the same before; else the wish is written down."""
        keys, parked = tables.parked_keys, tables.parked
        mine = (keys.c.reader == self.parking.reader, keys.c.topic == asked.topic, keys.c.key == asked.key)
        behind = (parked.c.reader == self.parking.reader, parked.c.topic == asked.topic, parked.c.key == asked.key)
        head = db.execute(sa.select(keys).where(*mine).with_for_update()).one_or_none()
        there = sa.select(parked.c.id).where(*behind, parked.c.event_id == asked.event_id)
        if head is None or db.scalar(there) is None:
            raise NotFound(f"event {asked.event_id} is not parked under this key")
        wish = wish_of(head.note)
        if wish.get("event") == str(asked.event_id):
            if wish["by"] == principal.id:
                raise SamePerson
            return True
        note = orjson.dumps({"event": str(asked.event_id), "by": principal.id}).decode()
        db.execute(sa.update(keys).where(*mine).values(note=note))
        details = {"topic": asked.topic, "event": str(asked.event_id), "why": asked.reason}
        self.store.work(db, [_audited("parked:discard_asked", f"parked/{asked.key}", details)], principal)
        return False

    def _resolved(self, db: sa.Connection, effect_id: UUID, asked: ResolveRequest, principal: Principal) -> str:
        effects, now = tables.effects, self.store.clock.now()
        row = db.execute(sa.select(effects).where(effects.c.id == effect_id).with_for_update()).one_or_none()
        if row is None:
            raise NotFound(f"no effect {effect_id}")
        if row.state != "unknown":
            raise NotUnknown(row.state)
        done = asked.outcome == "done"
        values: dict[str, Any] = {"state": "done" if done else "ready", "due_at": now, "lease_until": None}
        values |= {"finished_at": now} if done else {"attempts": 0}
        db.execute(sa.update(effects).where(effects.c.id == effect_id).values(**values))
        self.store.touches(db, self.store.due_changed["effects"])
        details = {"kind": row.kind, "outcome": asked.outcome, "why": asked.reason}
        steps = [_audited("effect:resolve", f"effect/{effect_id}", details)]
        if done:
            sent = Sent(row.kind, row.unique_key, row.payload, "done", row.reference, None, {}, row.attempts)
            told = self.handlers.outcome(sent, Cause(row.correlation_id, f"effect:{row.kind}/{row.unique_key}"))
            steps += [told] if told else []
        self.store.work(db, steps, principal)
        return str(values["state"])

    async def _audit(self, principal: Principal, action: str, subject: str, details: Mapping[str, Any]) -> None:
        step = _audited(action, subject, details)
        await self.store.transact(lambda db: self.store.work(db, [step], principal))


def _is_meant(row: sa.Row[Any], asked: RetryRequest) -> bool:
    if asked.reason is not None and row.reason != asked.reason:
        return False
    return asked.topic in (None, row.topic) and asked.key in (None, row.key)


def _audited(action: str, subject: str, details: Mapping[str, Any]) -> Step[None]:
    def do(unit: Unit) -> None:
        unit.audit(action, subject, **details)

    return Step(lambda _: (), do, Cause(f"desk:{subject}", f"desk:{subject}"))


def wish_of(note: str | None) -> Any:
    """Who asked to give which event up, as the key's note keeps it."""
    return orjson.loads(note) if note else {}


def masked(topic: str, value: bytes | None) -> Any:
    """A value as operations may see it: whole where its topic is public, else only names of fields, ids and flags."""
    if value is None:
        return None
    try:
        read = orjson.loads(value)
    except orjson.JSONDecodeError:
        return f"{len(value)} bytes that are no JSON"
    known = TOPICS.get(topic)
    return read if known is not None and known.audience == "public" else _mask(read)


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _mask(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_mask(inner) for inner in value]
    return value if value is None or isinstance(value, bool) or _is_id(value) else MASKED


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def the_desk(request: Request) -> Desk:
    """Dependency: the desk of the service that this route belongs to."""
    found: Desk = request.app.state.desk
    return found


router = APIRouter()
TheDesk = Annotated[Desk, Depends(the_desk)]
Reader = Annotated[Principal, Depends(needs("parked:read"))]
Retrier = Annotated[Principal, Depends(needs("parked:retry"))]
Discarder = Annotated[Principal, Depends(needs("parked:discard"))]


@router.get("/v1/parked")
async def parked_keys(_: Reader, desk: TheDesk, reason: str | None = None, limit: Limit = 100) -> list[ParkedKey]:
    """Every key that waits, oldest first."""
    rows = [row for row in await desk.parking.keys() if reason in (None, row.reason)]
    return [
        ParkedKey(
            **{name: getattr(row, name) for name in ParkedKey.model_fields if name != "discard_asked_by"},
            discard_asked_by=wish_of(row.note).get("by"),
        )
        for row in rows[:limit]
    ]


@router.get("/v1/parked/{topic}/{key:path}")
async def parked_events(topic: str, key: str, _: Reader, desk: TheDesk, limit: Limit = 100) -> list[ParkedEvent]:
    """What waits behind one key, in its order."""
    parked = tables.parked
    mine = (parked.c.reader == desk.parking.reader, parked.c.topic == topic, parked.c.key == key)
    query = sa.select(parked).where(*mine).order_by(parked.c.id).limit(limit)
    rows = await desk.store.read(lambda db: db.execute(query).all())
    if not rows:
        raise NotFound(f"no parked key {key} on {topic}")
    return [
        ParkedEvent(
            event_id=row.event_id,
            sequence=row.sequence,
            type=row.headers.get("ce_type"),
            parked_at=row.parked_at,
            value=masked(topic, row.value),
        )
        for row in rows
    ]


@router.post("/v1/parked/retry")
async def retry(body: RetryRequest, retrier: Retrier, desk: TheDesk) -> Retried:
    """Apply what waits again, through the same inbox and in its order."""
    return await desk.retry(body, retrier)


@router.post("/v1/parked/discard")
async def discard(body: DiscardRequest, discarder: Discarder, desk: TheDesk, response: Response) -> Discarded:
    """Give one event up for good; of orders and handovers a second person has to confirm (202 until then)."""
    found = await desk.discard(body, discarder)
    response.status_code = 202 if found.state == "asked" else 200
    return found


@router.get("/v1/anomalies")
async def anomalies(_: Reader, desk: TheDesk, limit: Limit = 100) -> list[AnomalyView]:
    """What the tables did not allow, newest first."""
    table = tables.anomalies
    query = sa.select(table).where(table.c.resolved_at.is_(None)).order_by(table.c.id.desc()).limit(limit)
    return _views(AnomalyView, await desk.store.read(lambda db: db.execute(query).all()))


@router.get("/v1/dead-letters")
async def dead_letters(_: Reader, desk: TheDesk, limit: Limit = 100) -> list[DeadLetter]:
    """Records that could not be read, newest first."""
    table = tables.dead_letters
    columns = [table.c[name] for name in DeadLetter.model_fields if name != "size"]
    size = sa.func.coalesce(sa.func.length(table.c.value), 0).label("size")
    mine = (table.c.reader == desk.parking.reader, table.c.resolved_at.is_(None))
    query = sa.select(*columns, size).where(*mine).order_by(table.c.at.desc()).limit(limit)
    return _views(DeadLetter, await desk.store.read(lambda db: db.execute(query).all()))


@router.get("/v1/effects")
async def effects(_: Reader, desk: TheDesk, state: State = "unknown", limit: Limit = 100) -> list[EffectView]:
    """What the outside was to see and where it stands; `unknown` far ahead in time waits for a person."""
    table = tables.effects
    query = sa.select(table).where(table.c.state == state).order_by(table.c.created_at).limit(limit)
    return _views(EffectView, await desk.store.read(lambda db: db.execute(query).all()))


@router.post("/v1/effects/{effect_id}/resolve")
async def resolve(effect_id: UUID, body: ResolveRequest, retrier: Retrier, desk: TheDesk) -> Resolved:
    """Decide what became of an effect whose answer was lost."""
    return await desk.resolve(effect_id, body, retrier)


def _views(kind: type[Any], found: Sequence[sa.Row[Any]]) -> list[Any]:
    return [kind(**{name: getattr(row, name) for name in kind.model_fields}) for row in found]
