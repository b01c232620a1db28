"""Invariant I4: whatever is complete went through the gate, seen from all the services that have a part in it."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from contracts.codes import DodItem, Fact, Phase, State, WorkOrderKind
from contracts.parts import GateEvidence
from hub.looking import Found, Look, Row, named

CASE = ("case_id", "phase", "gate_evidence", "ended_at", "handovers")
ORDER = (
    *("case_id", "work_order_id", "sequence", "kind", "state", "due_on", "version", "evidence_version"),
    *("approval", "handover", "closed_at", "close_reason"),
)


@dataclass(frozen=True)
class Seen:
    """What the neighbours say, by the ids that the case knows."""

    approved: Collection[tuple[UUID, int]] | None
    """Work order and evidence version of approved reviews; None: qa_service's database is not at hand."""
    accepted: Collection[tuple[UUID, int]] | None
    """Case and attempt of accepted exchanges; None: mdm_adapter's is not."""
    versions: Mapping[UUID, set[int]]
    """Work order to the versions in its history."""


async def complete_by_the_gate(look: Look) -> Found:
    """I4: a case is complete only with all of DoD 1–5, or with an approved exception in an item's place."""
    cases = [row for row in await look.all("case_service", "cases", *CASE) if row.phase is Phase.COMPLETED]
    orders: dict[UUID, list[Row]] = defaultdict(list)
    for row in await look.all("case_service", "work_orders", *ORDER):
        orders[row.case_id].append(row)
    seen = await _seen(look)
    offending = [
        named(case_id=case.case_id, lacks=lack) for case in cases for lack in _lacks(case, orders[case.case_id], seen)
    ]
    return Found(len(cases), offending)


async def _seen(look: Look) -> Seen:
    versions: dict[UUID, set[int]] = defaultdict(set)
    for row in await look.all("case_service", "history", "work_order_id", "version"):
        versions[row.work_order_id].add(row.version)
    approved = accepted = None
    if "qa_service" in look.databases:
        reviews = look.table("qa_service", "reviews")
        query = sa.select(reviews.c.work_order_id, reviews.c.evidence_version).where(reviews.c.state == "APPROVED")
        approved = {tuple(row) for row in await look.rows("qa_service", query)}
    if "mdm_adapter" in look.databases:
        handovers = look.table("mdm_adapter", "handovers")
        mine = (handovers.c.fact == Fact.EXCHANGE_COMPLETED, handovers.c.accepted.is_(True))
        query = sa.select(handovers.c.case_id, handovers.c.attempt).where(*mine)
        accepted = {tuple(row) for row in await look.rows("mdm_adapter", query)}
    return Seen(approved, accepted, versions)


def _lacks(case: Row, orders: list[Row], seen: Seen) -> Iterator[str]:
    """Everything that a completed case should have and has not."""
    evidence: dict[DodItem, GateEvidence] = {item.item: item for item in case.gate_evidence or ()}
    yield from (f"{item}: no evidence" for item in DodItem if item not in evidence)
    instead = {item for item, proof in evidence.items() if proof.exception_id is not None}
    first = evidence.get(DodItem.DOD1)
    if first is not None and not first.event_ids and DodItem.DOD1 not in instead:
        yield "dod1: names no event"
    handed_over = [order for order in orders if _handed_over(order, case)]
    if not handed_over:
        yield "dod3: nothing was handed over"
    for order in orders:
        rests = order.kind == WorkOrderKind.COMMS_REPAIR and order.due_on is not None
        if order.state is not State.CLOSED and not rests:
            yield f"work order {order.sequence} is {order.state}"
        if set(range(1, order.version + 1)) - seen.versions[order.work_order_id]:
            yield f"dod5: gap in work order {order.sequence}"
    for order in handed_over:
        if DodItem.DOD3 not in instead and not _approved(order, seen):
            yield f"dod3: work order {order.sequence} not approved"
        if DodItem.DOD4 not in instead and not _accepted(case, order, seen):
            yield f"dod4: work order {order.sequence} not accepted"


def _handed_over(order: Row, case: Row) -> bool:
    """C+ by the time that the case was complete; what follows later has its own handover."""
    well = order.close_reason in ("DONE", "DONE_PARTIAL")
    return well and (case.ended_at is None or order.closed_at is None or order.closed_at <= case.ended_at)


def _approved(order: Row, seen: Seen) -> bool:
    if order.approval is None or order.approval.evidence_version != order.evidence_version:
        return False
    return seen.approved is None or (order.work_order_id, order.evidence_version) in seen.approved


def _accepted(case: Row, order: Row, seen: Seen) -> bool:
    latest = [each for each in case.handovers if (each.fact, each.attempt) == (Fact.EXCHANGE_COMPLETED, order.handover)]
    if not any(each.state == "accepted" or each.accepted_late for each in latest):
        return False
    return seen.accepted is None or (case.case_id, order.handover) in seen.accepted
