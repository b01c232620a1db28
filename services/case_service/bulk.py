"""The jobs of bulk moves: ask for every item, or move every item, by the very command of a single move."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from contracts.ids import WorkOrderId
from kit.errors import HubError
from kit.jobs import Job, Running, Verdict
from kit.store import Step, Unit
from services.case_service import bulk_store as queries
from services.case_service import metrics
from services.case_service.api.moving import Moving
from services.case_service.api.refusals import subject_of
from services.case_service.domain import bulk
from services.case_service.domain.act import Policy
from services.case_service.domain.bulk import Frozen, ItemState
from services.case_service.domain.guards import Ask

STATES = {"done": ItemState.MOVED, "refused": ItemState.REFUSED, "failed": ItemState.FAILED}
CHUNK = 5
"""Items of a transaction. On SQLite a planner's single move may have to wait for one, which takes about as long as the
move itself; more at once are faster by the item, and felt (docs/performance.md)."""


class Preview:
    """Asks for every item whether it would move."""

    size = CHUNK

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def take(self, db: sa.Connection, running: Running, most: int) -> Sequence[Frozen]:
        """Items behind the last one, in the states that this job is for."""
        after = UUID(running.after) if running.after else None
        states = [ItemState(state) for state in running.given["states"]]
        found = queries.items(db, _batch(running), states=states, after=after, limit=most)
        return [Frozen(row.work_order_id, row.version, row.given) for row in found]

    def key(self, item: Frozen) -> str:
        return str(item.work_order_id)

    def step(self, running: Running, item: Frozen) -> Step[Verdict]:
        """Ask; nothing changes."""
        moving = self._moving(running, item)

        def ask(unit: Unit) -> Verdict:
            found = _objection_to(moving, unit)
            return Verdict("done", bulk.WOULD_MOVE) if isinstance(found, Ask) else Verdict("refused", found)

        return Step(moving.needs, ask, running.cause)

    def record(self, db: sa.Connection, verdicts: Sequence[tuple[Frozen, Verdict]], running: Running) -> None:
        """What the preview shows."""
        found = [{"work_order_id": item.work_order_id, "preview": verdict.code} for item, verdict in verdicts]
        queries.write_down(db, _batch(running), found)

    def _moving(self, running: Running, item: Frozen) -> Moving:
        asked = bulk.request_of(running.given["move"], running.given["arguments"], item)
        return Moving(WorkOrderId(item.work_order_id), asked, running.by, self.policy)


class Run(Preview):
    """Moves every item that may; refusals are counted and audited like those of single moves."""

    def step(self, running: Running, item: Frozen) -> Step[Verdict]:
        """Move, or say why not."""
        moving = self._moving(running, item)

        def move(unit: Unit) -> Verdict:
            ask = _objection_to(moving, unit)
            if not isinstance(ask, Ask):
                metrics.REFUSALS.labels(ask).inc()
                subject = subject_of(unit, f"work_order/{item.work_order_id}")
                batch_id = running.given["batch_id"]
                unit.audit(f"refused:move:{moving.request.move}", subject, code=ask, batch_id=batch_id)
                return Verdict("refused", ask)
            before = bulk.undo_record(ask.request.move, ask.order, ask.request.model_fields_set)
            moving.make(unit, ask)
            return Verdict("done", None, {"moved_to": ask.order.version, "undo": before})

        return Step(moving.needs, move, running.cause)

    def record(self, db: sa.Connection, verdicts: Sequence[tuple[Frozen, Verdict]], running: Running) -> None:
        """The result of each item."""
        found = []
        for item, verdict in verdicts:
            said: dict[str, Any] = {"moved_to": None, "undo": None, **(verdict.said or {})}
            state = STATES[verdict.result]
            found.append({"work_order_id": item.work_order_id, "state": state, "code": verdict.code, **said})
        queries.write_down(db, _batch(running), found)


def _objection_to(moving: Moving, unit: Unit) -> Ask | str:
    """What may be made, or the code that objects; what lies outside of the scope is refused like what is not there."""
    try:
        ask = moving.ask(unit)
    except HubError as error:  # role or scope: raised before anything is touched
        return error.code
    found = bulk.refusal(ask)
    return found.code if found else ask


def _batch(running: Running) -> UUID:
    return UUID(running.given["batch_id"])


def jobs(policy: Policy) -> dict[str, Job]:
    """The kinds of long work of this service."""
    return {bulk.PREVIEW: Preview(policy), bulk.RUN: Run(policy)}
