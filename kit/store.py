"""The only way to change something: load what is needed in bulk, let plain functions change it, write it together."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import sqlalchemy as sa

from kit import audit, faults, outbox, rows, tables
from kit.aggregate import Aggregate, Alias, Children, Listing, Mapped, Ref
from kit.auth import Principal, Scope, remembered
from kit.clock import Clock
from kit.db import Db, Work
from kit.errors import HubError
from kit.failures import is_unique_violation
from kit.outbox import Cause
from kit.request import RequestInfo, current_request
from kit.unit import Kinds, NotLoaded, Unit, side_by_side

__all__ = [
    "Aggregate",
    "Alias",
    "Children",
    "Listing",
    "Mapped",
    "NotLoaded",
    "Ref",
    "Scope",
    "Step",
    "Store",
    "Unit",
    "side_by_side",
]

T = TypeVar("T")
Command = Callable[[Unit], T]
Wake = Callable[[], None]
Needs = Iterable[Ref] | Callable[[Unit], Iterable[Ref]]

TIMERS = ("kind", "key", "due_at", "payload", "correlation_id", "set_at")
EFFECTS = (
    *("id", "kind", "unique_key", "lane", "payload", "state", "attempts", "due_at"),
    *("correlation_id", "created_at"),
)
JOBS = (
    *("id", "kind", "params", "state", "total", "done", "refused", "failed", "cursor"),
    *("created_by", "created_at", "request_key"),
)
ANOMALIES = ("code", "subject", "event_id", "details", "at")
IDEMPOTENCY = ("principal", "request_key", "route", "request_hash", "status", "headers", "body", "at")


class Step(NamedTuple, Generic[T]):
    """An event's handler, a timer's or a request's command: what must be loaded, what it does, what caused it."""

    needs: Callable[[Unit], Iterable[Ref]]
    do: Command[T]
    cause: Cause


class Stumbled(Exception):
    """A step of a batch raised; tells which one, its cause is what it raised."""

    def __init__(self, at: int, error: Exception) -> None:
        super().__init__(f"step {at}: {error!r}")
        self.at, self.error = at, error


class Store:
    """What one service remembers, and how it changes."""

    def __init__(
        self, service: str, db: Db, repositories: Kinds, clock: Clock, new_id: Callable[[], UUID], actor: Principal
    ) -> None:
        self.service, self.db, self.clock, self.new_id = service, db, clock, new_id
        self.repositories, self.actor = repositories, actor
        self.told: list[Wake] = []
        """Called after each commit that told something: the relay's wake-up."""
        self.due_changed: dict[str, list[Wake]] = {"timers": [], "effects": [], "jobs": []}
        """Called after each commit that wrote some of these."""
        self._touched: dict[sa.Connection, list[Wake]] = {}
        self._to_wake: dict[Wake, None] = {}
        self.transactions = 0
        """How many were committed; who remembers the number sees whether anything happened since."""

    async def run(self, principal: Principal, command: Command[T], *, needs: Needs = ()) -> T:
        """Do what a request asks for; it is committed when this returns, and undone when it raises."""
        request = current_request.get()
        step = Step(needs if callable(needs) else lambda _: needs, command, _cause(request, self.new_id))

        def work(db: sa.Connection) -> T:
            (answer,) = self.work(db, [step], principal)
            if request is not None and request.key is not None:
                self._remember(db, request, answer)
            faults.point("http.flushed")
            return answer

        try:
            answer = await self._second_try(work)
        except Stumbled as stumbled:
            raise stumbled.error from None
        faults.point("http.committed")
        self.after_commit()
        return answer

    async def _second_try(self, work: Work[T]) -> T:
        """Another transaction may have been first with the same key: on the second try its row is found."""
        try:
            return await self.transact(work)
        except sa.exc.IntegrityError as error:
            if not is_unique_violation(error):
                raise
            return await self.transact(work)

    async def read(self, query: Callable[[sa.Connection], T]) -> T:
        """Ask without changing; the query lives in the service's store.py and takes a scope."""
        return await self.db.read(query)

    async def transact(self, work: Work[T]) -> T:
        """Do work in one transaction of the own database; `after_commit` then wakes those it concerns."""

        def within(db: sa.Connection) -> tuple[T, list[Wake]]:
            try:
                return work(db), self._touched.get(db, [])
            finally:
                self._touched.pop(db, None)

        answer, wakes = await self.db.transact(within)
        self.transactions += 1
        self._to_wake |= dict.fromkeys(wakes)
        return answer

    def touches(self, db: sa.Connection, whose: Sequence[Wake]) -> None:
        """This transaction writes what these wait for."""
        self._touched.setdefault(db, []).extend(whose)

    def after_commit(self) -> None:
        """Wake who waits for what was committed: the relay, timers, effects."""
        to_wake, self._to_wake = self._to_wake, {}
        for wake in to_wake:
            wake()

    async def glance(self, query: Callable[[sa.Connection], T]) -> T:
        """Look at a few rows that an index finds."""
        return await self.db.glance(query)

    def work(self, db: sa.Connection, steps: Sequence[Step[T]], principal: Principal | None = None) -> list[T]:
        """Load, do, write: a handful of statements, however many steps; raises Stumbled, naming the step.

        A batch asks all needs at once; a single step right before it is done.
        """
        unit = Unit(self.repositories, self.clock.now(), self.new_id, principal or self.actor)
        unit.load(db, lambda asked: (ref for at, step in enumerate(steps) for ref in _needs_of(at, step, asked)))
        faults.point("consume.loaded")
        answers = []
        for at, step in enumerate(steps):
            unit.begin(step.cause)
            try:
                answers.append(step.do(unit))
                unit.end()
            except Exception as error:
                raise Stumbled(at, error) from error
        faults.point("consume.handled")
        self.flush(db, unit)
        return answers

    def flush(self, db: sa.Connection, unit: Unit) -> None:
        """Write what changed and what was told, in the one order that all writers keep."""
        for repository, changed, gone in unit.aggregates():
            repository.save(db, changed, gone)
        outbox.write(db, self.service, unit.sealed)
        audit.write(db, self.service, unit.audits)
        _write_timers(db, unit)
        _write_effects(db, unit)
        _write_anomalies(db, unit)
        if unit.jobs or unit.stopped_jobs:
            _write_jobs(db, unit)
        if unit.sealed:
            self.touches(db, self.told)
        if any(timer.due_at for timer in unit.timers.values()):
            self.touches(db, self.due_changed["timers"])
        if unit.effects:
            self.touches(db, self.due_changed["effects"])
        if unit.jobs:
            self.touches(db, self.due_changed["jobs"])

    def _remember(self, db: sa.Connection, request: RequestInfo, answer: Any) -> None:
        """The answer stands beside its effect: both exist, or neither."""
        from kit.http import as_body  # the web side imports this module

        values: tuple[Any, ...] = (
            *(request.principal_id, request.key, request.route, request.body_hash),
            *(request.status, {}, as_body(answer), self.clock.now()),
        )
        how = rows.binders(db.dialect, tables.idempotency, IDEMPOTENCY)
        rows.insert(db, tables.idempotency, IDEMPOTENCY, [rows.bound(values, how)])


def _needs_of(at: int, step: Step[Any], unit: Unit) -> Iterable[Ref]:
    try:
        yield from step.needs(unit)
    except (NotLoaded, HubError):
        return  # the unit noted what it reached for; what is refused is refused again by the step itself
    except Exception as error:
        raise Stumbled(at, error) from error


def _cause(request: RequestInfo | None, new_id: Callable[[], UUID]) -> Cause:
    if request is None:
        own = f"command:{new_id()}"
        return Cause(own, own)
    return Cause(request.request_id, f"http:{request.request_id}", request.traceparent)


def _write_timers(db: sa.Connection, unit: Unit) -> None:
    how = rows.binders(db.dialect, tables.timers, TIMERS)
    set_, gone = [], []
    for timer in unit.timers.values():
        if timer.due_at is None:
            gone.append((timer.kind, timer.key))
        else:
            values = (timer.kind, timer.key, timer.due_at, dict(timer.payload), timer.correlation_id, unit.now)
            set_.append(rows.bound(values, how))
    rows.delete(db, tables.timers, ("kind", "key"), gone)
    rows.upsert(db, tables.timers, TIMERS, sorted(set_, key=lambda row: row[:2]))


def _write_effects(db: sa.Connection, unit: Unit) -> None:
    if not unit.effects:
        return
    how = rows.binders(db.dialect, tables.effects, EFFECTS)
    made = [
        (each.id, each.kind, each.unique_key, each.lane, dict(each.payload), "ready", 0, unit.now)
        + (each.correlation_id, unit.now)
        for each in unit.effects
    ]
    rows.insert_new(db, tables.effects, EFFECTS, [rows.bound(row, how) for row in made], "id")


def _write_anomalies(db: sa.Connection, unit: Unit) -> None:
    how = rows.binders(db.dialect, tables.anomalies, ANOMALIES)
    made = [(each.code, each.subject, each.event_id, dict(each.details), unit.now) for each in unit.anomalies]
    rows.insert(db, tables.anomalies, ANOMALIES, [rows.bound(row, how) for row in made])


def _write_jobs(db: sa.Connection, unit: Unit) -> None:
    how = rows.binders(db.dialect, tables.jobs, JOBS)
    made = []
    for each in unit.jobs:
        params = {"given": dict(each.given), "by": remembered(each.by), "correlation_id": each.correlation_id}
        start: tuple[Any, ...] = (each.id, each.kind, params, "queued", each.total, 0, 0, 0, {})
        made.append(rows.bound((*start, each.by.id, unit.now, each.request_key), how))
    rows.insert_new(db, tables.jobs, JOBS, made, "id")
    rows.update(db, tables.jobs, ("state",), _stopped(db, unit), ("id", "state"))


def _stopped(db: sa.Connection, unit: Unit) -> list[tuple[str, str, str]]:
    """What has ended already stays as it ended."""
    how = rows.binders(db.dialect, tables.jobs, ("state", "id", "state"))
    states = ("queued", "running")
    return [rows.bound(("cancelled", job, state), how) for job in unit.stopped_jobs for state in states]
