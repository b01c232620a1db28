"""What one transaction works on: an identity map, the facts told so far, the only source of time and ids."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

import sqlalchemy as sa

from contracts.event import Event
from kit import audit as chain
from kit.aggregate import Aggregate, Mapped, Ref
from kit.auth import Principal
from kit.errors import NotFound
from kit.outbox import Cause, Told, seal, tombstone

A = TypeVar("A", bound=Aggregate)
Kinds = Mapping[type[Any], Mapped[Any]]
ROUNDS = 5


class NotLoaded(Exception):
    """A handler reached for what its needs did not name: a bug, unless loading event by event brings it."""


def side_by_side(needs: Iterable[Iterable[Ref]]) -> Iterator[Ref]:
    """Needs of several things at once: one that reaches for what is not there yet does not keep the others waiting."""
    for one in needs:
        try:
            yield from one
        except NotLoaded:
            continue  # the unit noted what it reached for


@dataclass(frozen=True, slots=True)
class TimerSet:
    """A timer to be written; without a due time it is cancelled."""

    kind: str
    key: str
    due_at: datetime | None
    payload: Mapping[str, Any]
    correlation_id: str


@dataclass(frozen=True, slots=True)
class EffectWanted:
    """Something the outside is to see, exactly one row per (kind, unique key)."""

    id: UUID
    kind: str
    unique_key: str
    payload: Mapping[str, Any]
    lane: str | None
    correlation_id: str


@dataclass(frozen=True, slots=True)
class JobWanted:
    """Long work to be done in chunks, exactly one row per (kind, request key)."""

    id: UUID
    kind: str
    request_key: str
    given: Mapping[str, Any]
    total: int
    by: Principal
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Anomaly:
    """An event that the receiving table does not allow: recorded, counted, visible; its key goes on."""

    code: str
    subject: str
    event_id: UUID | None
    details: Mapping[str, Any]


class Unit:
    """The work of one transaction, over aggregates that were loaded before."""

    def __init__(self, kinds: Kinds, now: datetime, new_id: Callable[[], UUID], principal: Principal) -> None:
        self.now, self.new_id, self.principal = now, new_id, principal
        self.cause = Cause("", "")
        self.sealed: list[Told] = []
        self.audits: list[chain.Entry] = []
        self.timers: dict[tuple[str, str], TimerSet] = {}
        self.effects: list[EffectWanted] = []
        self.anomalies: list[Anomaly] = []
        self.jobs: list[JobWanted] = []
        self.stopped_jobs: list[UUID] = []
        self.removed: list[Aggregate] = []
        self._kinds = kinds
        self._here: dict[Ref, Aggregate | None] = {}  # None: looked for, and there is none
        self._touched: dict[int, Aggregate] = {}
        self._facts: list[Event] = []
        self._wanted: set[Ref] | None = None  # while needs are asked: what they reached for

    def get(self, kind: type[A], key: str) -> A:
        """The aggregate under this key; raises NotFound, or NotLoaded if nobody asked for it."""
        if (found := self.find(kind, key)) is None:
            raise NotFound(f"there is no {kind.__name__} {key}")
        return found

    def find(self, kind: type[A], key: str) -> A | None:
        """The aggregate under this key, if there is one; raises NotLoaded if nobody asked for it."""
        try:
            found = self._here[kind, key]
        except KeyError:
            if self._wanted is not None:
                self._wanted.add((kind, key))
            raise NotLoaded(f"{kind.__name__} {key} is not among the needs") from None
        if found is not None:
            self._touched[id(found)] = found
        return cast("A | None", found)

    def add(self, aggregate: Aggregate) -> None:
        """A new aggregate; it is found under all its keys from here on."""
        self._facts.extend(aggregate.told)
        self._place(aggregate)
        self._touched[id(aggregate)] = aggregate

    def remove(self, aggregate: Aggregate) -> None:
        """Delete an aggregate with all that is inside it."""
        self.removed.append(aggregate)
        self._touched.pop(id(aggregate), None)
        for ref in [ref for ref, here in self._here.items() if here is aggregate]:
            self._here[ref] = None

    def tell(self, *facts: Event) -> None:
        """Tell facts that no aggregate owns; aggregates append theirs to `told`."""
        self._facts.extend(facts)

    def forget(self, fact: type[Event], key: str) -> None:
        """Tell the readers of a compacted topic to forget what they keep under this key."""
        self._seal()
        self.sealed.append(tombstone(fact, key, self.new_id(), self.now, self.cause))
        self.audit(f"{fact.ce_type}:forget", f"{fact.key_field.removesuffix('_id')}/{key}")

    def later(self, kind: str, key: str, due_at: datetime, **payload: Any) -> None:
        """Set a timer; a second one of the same kind and key replaces the first."""
        self.timers[kind, key] = TimerSet(kind, key, due_at, payload, self.cause.correlation_id)

    def never(self, kind: str, key: str) -> None:
        """Cancel a timer, if it is set."""
        self.timers[kind, key] = TimerSet(kind, key, None, {}, self.cause.correlation_id)

    def effect(self, kind: str, unique_key: str, payload: Mapping[str, Any], *, lane: str | None = None) -> None:
        """Have the outside see something, once per (kind, unique key); effects of one lane go one after the other."""
        wanted = EffectWanted(self.new_id(), kind, unique_key, payload, lane, self.cause.correlation_id)
        self.effects.append(wanted)

    def job(self, kind: str, request_key: str, total: int, **given: Any) -> UUID:
        """Have long work done in chunks, once per (kind, request key); it may what whoever asks may."""
        made = JobWanted(self.new_id(), kind, request_key, given, total, self.principal, self.cause.correlation_id)
        self.jobs.append(made)
        return made.id

    def stop_job(self, job_id: UUID) -> None:
        """A job that runs ends after its chunk, one that waits never begins."""
        self.stopped_jobs.append(job_id)

    def audit(self, action: str, subject: str, **details: Any) -> None:
        """Record who did what to `<kind>/<id>`, beside the row that every told fact has; no personal data."""
        entry = chain.Entry(action, subject, self.principal.id, self.cause.correlation_id, self.now, details)
        self.audits.append(entry)

    def anomaly(self, code: str, subject: str, **details: Any) -> None:
        """Record an event that the tables do not allow."""
        self.anomalies.append(Anomaly(code, subject, self.cause.event_id, details))

    def begin(self, cause: Cause) -> None:
        """From here on the facts have this cause."""
        self.cause = cause

    def end(self) -> None:
        """A step is done: its facts are sealed, its changes audited, the keys it gave are known to the next step."""
        self._seal()
        for aggregate in self._touched.values():
            kind = type(aggregate)
            if kind.keys is not Aggregate.keys:  # a step may have given it another key
                self._place(aggregate)
            if kind.changes is not Aggregate.changes:
                for change in aggregate.changes():
                    self.audit(change.action, change.subject, **self._because(), **change.details)
        self._touched.clear()

    def _because(self) -> Mapping[str, str]:
        source = {"source": self.cause.source} if self.cause.source else {}
        return {"cause": self.cause.causation_id, **source}

    def load(self, db: sa.Connection, needs: Callable[["Unit"], Iterable[Ref]]) -> None:
        """Load what is needed, asking again with what was loaded at hand, at most five rounds: most need one or two."""
        for _ in range(ROUNDS):
            missing = self._ask(needs) - self._here.keys()
            if not missing:
                return
            for kind, repository in self._kinds.items():
                if keys := sorted(key for wanted, key in missing if wanted is kind):
                    self._keep(kind, keys, repository.load(db, keys))

    def aggregates(self) -> Iterable[tuple[Mapped[Any], list[Aggregate], list[Aggregate]]]:
        """What is to be written, by kind and in key order, so that no two writers wait in a circle."""
        for kind, repository in self._kinds.items():
            unique = {id(each): each for (its, _), each in self._here.items() if its is kind and each is not None}
            gone = [each for each in self.removed if type(each) is kind]
            if unique or gone:
                yield repository, sorted(unique.values(), key=_key), gone

    def _ask(self, needs: Callable[["Unit"], Iterable[Ref]]) -> set[Ref]:
        self._wanted = wanted = set()
        try:
            for ref in needs(self):
                wanted.add(ref)
        except NotLoaded:
            pass  # what it reached for is among the wanted; the next round goes on
        finally:
            self._wanted = None
        return wanted

    def _keep(self, kind: type[Any], keys: Iterable[str], found: Mapping[str, Aggregate]) -> None:
        for key in keys:
            here = found.get(key)
            if here is None:
                self._here.setdefault((kind, key), None)
            else:
                here = self._here.get((kind, _key(here))) or here  # one object, many keys
                self._here[kind, key] = here
                self._place(here)

    def _place(self, aggregate: Aggregate) -> None:
        aggregate.told = self._facts  # one list for all: the order of telling is the order of happening
        kind = type(aggregate)
        for key in (_key(aggregate),) if kind.keys is Aggregate.keys else aggregate.keys():
            self._here[kind, key] = aggregate

    def _seal(self) -> None:
        for fact in self._facts:
            told = seal(fact, self.new_id(), self.now, self.cause)
            self.sealed.append(told)
            self.audit(fact.ce_type, f"{fact.key_field.removesuffix('_id')}/{told.key}", event=told.event_id)
        self._facts.clear()


def _key(aggregate: Aggregate) -> str:
    if aggregate.key_text is None:
        aggregate.key_text = aggregate.key()
    return aggregate.key_text
