"""What the outside can see: one row per effect, claimed, sent outside any transaction, its outcome recorded once."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
import structlog

from kit import faults, metrics, rows, tables
from kit.handlers import Handlers, Sent
from kit.outbox import Cause
from kit.store import Store, Stumbled

log = structlog.get_logger(__name__)

CLAIM, AT_ONCE = 50, 8
"""Rows of one claim; calls to one port at a time."""


@dataclass(frozen=True, slots=True)
class Done:
    """The counterparty took it."""

    reference: str | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """Refused for good: trying again changes nothing."""

    cause: str
    answer: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transient:
    """It surely had no effect, and may pass."""

    cause: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The answer was lost: perhaps it had its effect, perhaps not. It is asked for, never counted as failed."""

    cause: str


Outcome = Done | Failed | Transient | Unknown


class Port(Protocol):
    """One kind of counterparty on the outside."""

    repeatable: bool
    """Sending twice under one reference has one effect."""
    retry: Sequence[timedelta]
    """Waits after passing failures; used up, the effect has failed: `retries_exhausted`."""

    async def send(self, reference: str, payload: Mapping[str, Any]) -> Outcome:
        """Let the counterparty see it; the time limit lies below the lease."""

    async def ask(self, reference: str) -> Outcome | None:
        """What became of it: Done, Transient (surely not there), or None where nobody can tell."""

    async def close(self) -> None:
        """The service stops: let go of connections."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An effect in our hands until its lease ends."""

    id: Any
    kind: str
    key: str
    payload: Mapping[str, Any]
    attempts: int
    correlation_id: str
    lost: bool
    """Its last answer was lost: ask first."""


_e = tables.effects
_older = tables.effects.alias("older")
OPEN = ("ready", "sending", "unknown")
NEXT = sa.select(sa.func.min(_e.c.due_at)).where(rows.said(_e.c.state, OPEN))


def _claimable(now: datetime) -> sa.Select[Any]:
    """Due, or its lease ended; nothing older unfinished in its lane."""
    due = sa.or_(
        sa.and_(_e.c.state.in_(("ready", "unknown")), _e.c.due_at <= now),
        sa.and_(_e.c.state == "sending", _e.c.lease_until <= now),
    )
    blocked = sa.exists().where(_older.c.lane == _e.c.lane, _older.c.id < _e.c.id, rows.said(_older.c.state, OPEN))
    return sa.select(_e).where(rows.said(_e.c.state, OPEN), due, ~blocked).order_by(_e.c.due_at, _e.c.id).limit(CLAIM)


class Effects:
    """The effects worker of one service."""

    def __init__(
        self, store: Store, handlers: Handlers, ports: Mapping[str, Port], lease: timedelta = timedelta(seconds=60)
    ) -> None:
        self.store, self.handlers, self.ports, self.lease = store, handlers, ports, lease
        self._gates = {kind: asyncio.Semaphore(AT_ONCE) for kind in ports}
        self.running = 0

    async def send_due(self) -> int:
        """Claim what is due, send it, record what became of it; returns how many were tried."""
        self.running += 1
        try:
            claimed = await self.store.transact(self._claim)
            if claimed:
                faults.point("effect.claimed")
                await asyncio.gather(*(self._do(each) for each in claimed))
        finally:
            self.running -= 1
        return len(claimed)

    async def next_due(self) -> datetime | None:
        """When something is to be sent or asked; what waits for a person is not due."""
        (due,) = await self.store.glance(lambda db: rows.instants(db, NEXT))
        return due

    def _claim(self, db: sa.Connection) -> list[Claimed]:
        now = self.store.clock.now()
        found = db.execute(_claimable(now).with_for_update(skip_locked=True, of=_e)).all()
        claimed = [
            Claimed(
                row.id,
                row.kind,
                row.unique_key,
                row.payload,
                row.attempts + 1,
                row.correlation_id,
                row.state != "ready",
            )
            for row in found
        ]
        if claimed:
            taken = sa.update(_e).where(_e.c.id.in_([each.id for each in claimed]))
            db.execute(taken.values(state="sending", attempts=_e.c.attempts + 1, lease_until=now + self.lease))
        return claimed

    async def _do(self, effect: Claimed) -> None:
        port = self.ports[effect.kind]
        async with self._gates[effect.kind]:
            with metrics.EFFECT_SECONDS.labels(self.store.service, effect.kind).time():
                outcome = await self._try(port, effect)
        faults.point("effect.sent")
        await self._record(effect, port, outcome)
        faults.point("effect.recorded")

    async def _try(self, port: Port, effect: Claimed) -> Outcome:
        try:
            if effect.lost:
                asked = await port.ask(effect.key)
                if isinstance(asked, Done | Failed):
                    return asked
                if asked is None and not port.repeatable:
                    return Unknown("nobody can tell")
            return await port.send(effect.key, effect.payload)
        except Exception as error:
            log.exception("port broke", error=type(error).__name__)
            return Unknown(type(error).__name__)

    async def _record(self, effect: Claimed, port: Port, outcome: Outcome) -> None:
        state, due_at, cause = self._fate(effect, port, outcome)
        now, final = self.store.clock.now(), state in ("done", "failed")
        reference = outcome.reference if isinstance(outcome, Done) else None
        answer = dict(outcome.answer) if isinstance(outcome, Done | Failed) else {}
        sent = Sent(effect.kind, effect.key, effect.payload, state, reference, cause, answer, effect.attempts)
        step = self.handlers.outcome(sent, Cause(effect.correlation_id, f"effect:{effect.kind}/{effect.key}"))

        def work(db: sa.Connection) -> None:
            mine = (_e.c.id == effect.id, _e.c.state == "sending", _e.c.attempts == effect.attempts)
            values = {"state": state, "due_at": due_at, "lease_until": None, "cause": cause, "answer": answer}
            values |= {"reference": reference} if reference else {}
            values |= {"finished_at": now} if final else {}
            if db.execute(sa.update(_e).where(*mine).values(**values)).rowcount and step:
                self.store.work(db, [step])
            self.store.touches(db, self.store.due_changed["effects"])

        try:
            await self.store.transact(work)
        except Stumbled as stumbled:
            raise stumbled.error from None
        self.store.after_commit()

    def _fate(self, effect: Claimed, port: Port, outcome: Outcome) -> tuple[str, datetime, str | None]:
        """State, next due time and cause. What nobody can tell waits for a person, far ahead."""
        now = self.store.clock.now()
        if isinstance(outcome, Done):
            return "done", now, None
        if isinstance(outcome, Failed):
            return "failed", now, outcome.cause
        if effect.attempts > len(port.retry):
            exhausted = isinstance(outcome, Transient)
            return ("failed", now, "retries_exhausted") if exhausted else ("unknown", FAR, outcome.cause)
        wait = port.retry[effect.attempts - 1]
        return ("ready" if isinstance(outcome, Transient) else "unknown"), now + wait, outcome.cause


FAR = datetime.fromisoformat("9999-01-01T00:00:00+00:00")
"""Due when a person says so."""
