"""Long work in chunks: the transaction of a chunk holds what it did, where the next one begins and whose it is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol
from uuid import UUID, uuid4

import sqlalchemy as sa
import structlog

from kit import faults, metrics, rows, tables
from kit.auth import Principal, recalled
from kit.errors import HubError, Unavailable
from kit.failures import is_transient, words_of
from kit.outbox import Cause
from kit.store import Step, Store, Stumbled

log = structlog.get_logger(__name__)

MOST = 200
"""Items of one chunk, at most."""
MOST_UNTOLD = 100_000
"""Facts in the outbox; beyond, no long work begins, for there are enough to tell (messaging page, section 11)."""
ACTIVE = ("queued", "running")
DEFECT = "defect"
"""Code of an item that met a bug."""


class Verdict(NamedTuple):
    """What became of one item."""

    result: Literal["done", "refused", "failed"]
    code: str | None = None
    said: Mapping[str, Any] | None = None
    """What the job keeps of it."""


@dataclass(frozen=True, slots=True)
class Running:
    """A job in this worker's hands, as it stands before a chunk."""

    id: UUID
    kind: str
    given: Mapping[str, Any]
    by: Principal
    """Whoever asked for it: the job may what they may."""
    after: str | None
    """Key of the last item that is done; None: none yet."""
    cause: Cause


class Job(Protocol):
    """One kind of long work. Its items have an order, and a key that says where a chunk ended."""

    size: int
    """Items of one chunk: few enough that nobody notices who waits for the same database."""

    def take(self, db: sa.Connection, running: Running, most: int) -> Sequence[Any]:
        """The next items behind `running.after`, in their order; fewer than `most` are the last ones."""

    def key(self, item: Any) -> str: ...

    def step(self, running: Running, item: Any) -> Step[Verdict]:
        """What is to be done with one item. What is refused before anything changed is a verdict, not raised."""

    def record(self, db: sa.Connection, verdicts: Sequence[tuple[Any, Verdict]], running: Running) -> None:
        """Write down what became of the items of a chunk."""


_j = tables.jobs
_ours = sa.or_(_j.c.state == "queued", _j.c.leased_by == sa.bindparam("worker"))
NEXT = sa.select(sa.func.min(sa.case((_ours, _j.c.created_at), else_=_j.c.lease_until))).where(
    rows.said(_j.c.state, ACTIVE), rows.one_of(_j.c.kind, "kinds")
)


class Jobs:
    """The jobs worker of one service in one process."""

    def __init__(self, store: Store, jobs: Mapping[str, Job], lease: timedelta = timedelta(seconds=60)) -> None:
        self.store, self.jobs, self.lease = store, jobs, lease
        self.name = str(uuid4())
        """Who holds a lease: another process never goes on before it has ended."""
        self._at: UUID | None = None
        self._keys: list[str] = []
        self._stumbled: dict[str, Verdict] = {}

    async def work(self) -> bool:
        """Do one chunk of the oldest job that is ours to do; False where there is none.

        An item that raises takes its chunk back; the chunk is done again without it.
        """
        try:
            done = await self.store.transact(self._chunk)
        except Stumbled as stumbled:
            self._stumbled[self._keys[stumbled.at]] = _verdict_on(stumbled.error)
            return True
        except Exception as error:
            if is_transient(error) or self._at is None:
                raise
            log.exception("job broke", error=type(error).__name__)
            await self.store.transact(partial(self._give_up, words_of(error)))
            return True
        if done is None:
            return False
        faults.point("job.chunk_committed")
        self._stumbled.clear()
        self.store.after_commit()
        kind, counted = done
        for result, count in counted.items():
            metrics.JOB_ROWS.labels(self.store.service, kind, result).inc(count)
        return True

    async def next_due(self) -> datetime | None:
        """Since when, or from when on, there is something to do here."""
        (due,) = await self.store.glance(lambda db: rows.instants(db, NEXT, worker=self.name, kinds=list(self.jobs)))
        return due

    def _chunk(self, db: sa.Connection) -> tuple[str, Counter[str]] | None:
        now = self.store.clock.now()
        row = db.execute(self._ours(now)).first()
        if row is None or row.id != self._at:
            self._stumbled.clear()  # another job may have the same items
        self._at = row.id if row else None
        if row is None:
            return None
        job, running = self.jobs[row.kind], _running(row)
        most = min(job.size, MOST)
        items = job.take(db, running, most)
        verdicts = self._do(db, job, running, items)
        job.record(db, verdicts, running)
        counted = Counter[str](verdict.result for _, verdict in verdicts)
        last = len(items) < most
        values: dict[str, Any] = {name: _j.c[name] + counted[name] for name in ("done", "refused", "failed")}
        values |= {"cursor": {"after": job.key(items[-1])}} if items else {}
        values |= {"state": "done" if last else "running", "leased_by": None if last else self.name}
        db.execute(_change(row.id, lease_until=None if last else now + self.lease, **values))
        faults.point("job.chunk_done")
        return row.kind, counted

    def _do(self, db: sa.Connection, job: Job, running: Running, items: Sequence[Any]) -> Sequence[tuple[Any, Verdict]]:
        """Do the items together; those that stumbled before have their verdict already."""
        doing = [item for item in items if job.key(item) not in self._stumbled]
        self._keys = [job.key(item) for item in doing]
        found = self.store.work(db, [job.step(running, item) for item in doing], running.by)
        verdicts = self._stumbled | dict(zip(self._keys, found, strict=True))
        return [(item, verdicts[job.key(item)]) for item in items]

    def _ours(self, now: datetime) -> sa.Select[Any]:
        """The oldest job that waits, that we hold, or whose holder did not come back."""
        free = sa.or_(_j.c.state == "queued", _j.c.leased_by == self.name, _j.c.lease_until <= now)
        wanted = sa.select(_j).where(_j.c.state.in_(ACTIVE), _j.c.kind.in_(self.jobs), free)
        return wanted.order_by(_j.c.created_at, _j.c.id).limit(1).with_for_update(skip_locked=True)

    def _give_up(self, words: str, db: sa.Connection) -> None:
        """A bug outside of its items: trying again changes nothing."""
        change = _change(self._at, state="failed", result={"error": words}, lease_until=None)
        db.execute(change.where(_j.c.state.in_(ACTIVE)))


def refuse_while_behind(db: sa.Connection) -> None:
    """What asks for long work calls this first; single work goes on meanwhile."""
    ids = tables.outbox.c.id
    if db.scalar(sa.select(ids).order_by(ids).offset(MOST_UNTOLD).limit(1)) is not None:
        raise Unavailable("too much is waiting to be told; ask again later")


def _change(job_id: UUID | None, **values: Any) -> sa.Update:
    return sa.update(_j).where(_j.c.id == job_id).values(**values)


def _running(row: Any) -> Running:
    own = f"job:{row.kind}/{row.id}"
    cause = Cause(row.params["correlation_id"], own)
    return Running(row.id, row.kind, row.params["given"], recalled(row.params["by"]), row.cursor.get("after"), cause)


def _verdict_on(error: Exception) -> Verdict:
    """What is raised on purpose is a refusal; a passing failure passes; anything else is a bug, of this item only."""
    if isinstance(error, HubError) and error.status < HubError.status:
        return Verdict("refused", error.code)
    if is_transient(error):
        raise error
    log.error("item of a job broke", error=type(error).__name__, exc_info=error)
    return Verdict("failed", DEFECT)
