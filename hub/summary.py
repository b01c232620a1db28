"""What a rollout came to, counted in the services' own databases when everything is quiet."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from contracts.codes import ExceptionType, Move, MoveReason, Outcome, Phase, State, WorkOrderKind
from hub.house import House
from hub.verify import Report, verify
from kit import metrics, tables
from simulators.cast import Cast

ENDED = {Phase.COMPLETED: "completed", Phase.CANCELLED: "cancelled", Phase.NOT_FEASIBLE: "abandoned"}

CANCELLING = frozenset({Move.T28, Move.T29, Move.T30})
OF_ORDER = "work_order_id"
"""Named where it is no withdrawal, but a report that came after one."""
FAILING = frozenset({Move.T19, Move.T20})
FOLLOW_UPS = {WorkOrderKind.COMMS_REPAIR: "comms", WorkOrderKind.REWORK: "rework", WorkOrderKind.REVERSAL: "reversals"}


@dataclass(frozen=True)
class Summary:
    """The figures of one run; the same seed gives the same, except `events` and `seconds`."""

    cases: Mapping[str, Any]
    work_orders: int
    work: Mapping[str, int]
    """Visits that failed, what followed on what, and how often somebody waited for the customer."""
    exceptions: Mapping[str, int]
    cancellations: Mapping[str, int]
    """How many withdrawals met work in which state."""
    handovers: Mapping[str, int]
    messages: Mapping[str, int]
    notices: Mapping[str, int]
    events: Mapping[str, int]
    report: Report
    expected: int
    """Cases that the orders of this run had to open."""
    seconds: float

    @property
    def violations(self) -> int:
        return sum(len(check.offending) for check in self.report.checks)

    @property
    def accounted_for(self) -> bool:
        """Every order opened its case, every case ended or says why it is open."""
        ended = sum(self.cases[name] for name in ENDED.values())
        reasons = sum(self.cases["open_reasons"].values())
        opened, still = int(self.cases["opened"]), int(self.cases["open"])
        return opened == ended + still == self.expected and int(reasons) == still

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        checks = self.report.checks
        rows = sum(check.rows for check in checks)
        return {
            "cases": dict(self.cases),
            "work_orders": self.work_orders,
            "work": dict(self.work),
            "exceptions": dict(self.exceptions),
            "cancellations": dict(self.cancellations),
            "handovers": dict(self.handovers),
            "messages": dict(self.messages),
            "notices": dict(self.notices),
            "invariants": {"checked": len(checks), "rows": rows, "violations": self.violations},
            "events": dict(self.events),
            "seconds": round(self.seconds, 1),
        }

    def lines(self) -> Iterator[str]:
        """The same for people."""
        for name, value in self.as_dict().items():
            shown = value
            if isinstance(value, dict):
                shown = " · ".join(f"{key} {inner}" for key, inner in value.items() if inner not in ({}, None))
            yield f"{name:<12} {shown}"
        for check in self.report.checks:
            for row in check.offending[:5]:
                yield f"{check.id} broken: {row}"


async def summarise(house: House, crowd: Cast, seconds: float) -> Summary:
    """Count; the hub must be quiet."""
    databases = {name: service.store.db for name, service in house.services.items()}
    told, said = await _told(house), await _said(house)
    return Summary(
        cases=await _cases(house),
        work_orders=await _count(house, "case_service", "work_orders"),
        work=work_done(said),
        exceptions={end: told[f"rollout.case.exception_{end}.v1"] for end in ("raised", "approved", "resolved")},
        cancellations=cancellations(said),
        handovers={
            "accepted": told["rollout.mdm.handover_accepted.v1"],
            "rejected": told["rollout.mdm.handover_rejected.v1"],
            "failed": told["rollout.mdm.handover_failed.v1"],
            "reopened": sum(each.get("move") == Move.T25 for each in said),
        },
        messages=await _messages(house),
        notices=await _by(house, "notification_service", "notices", "state"),
        events=await _events(house, sum(told.values())),
        report=await verify(databases, house.services["case_service"].store.clock),
        expected=crowd.expected_cases,
        seconds=seconds,
    )


async def _cases(house: House) -> dict[str, Any]:
    phases = await _by(house, "case_service", "cases", "phase")
    ended = {name: phases.pop(phase.value, 0) for phase, name in ENDED.items()}
    return {
        "opened": sum(ended.values()) + sum(phases.values()),
        **ended,
        "open": sum(phases.values()),
        "open_reasons": phases,
    }


async def _messages(house: House) -> dict[str, int]:
    inbound = await _by(house, "mdm_adapter", "inbound_messages", "state")
    return {
        "in": sum(inbound.values()),
        "out": await _count(house, "mdm_adapter", "outbound_messages"),
        "refused": inbound.get("REFUSED", 0),
        "quarantined": await _count(house, "mdm_adapter", "quarantine"),
    }


async def _events(house: House, told: int) -> dict[str, int]:
    outcomes, dead, parked = Counter[str](), 0, 0
    for service in house.services.values():
        inbox = sa.select(tables.inbox.c.outcome, sa.func.count()).group_by(tables.inbox.c.outcome)
        for outcome, count in await service.store.read(lambda db, query=inbox: db.execute(query).all()):  # type: ignore[misc]
            outcomes[outcome] += count
        dead += await _count(house, service.name, "dead_letters")
        parked += await _count(house, service.name, "parked")
    copies = sum(
        int(sample.value)
        for family in metrics.EVENTS.collect()
        for sample in family.samples
        if sample.name.endswith("_total") and sample.labels.get("outcome") == "duplicate"
    )
    return {"told": told, "applied": outcomes["applied"], "copies": copies, "parked": parked, "dead": dead}


async def _told(house: House) -> Counter[str]:
    """Facts told so far, by type."""
    told = Counter[str]()
    for service in house.services.values():
        found = await service.store.read(lambda db: db.execute(sa.select(tables.event_log.c.headers)).all())
        told.update(row.headers["ce_type"] for row in found)
    return told


async def _said(house: House) -> Sequence[Mapping[str, Any]]:
    """What case_service told of its cases."""
    log = tables.event_log
    query = sa.select(log.c.value).where(log.c.topic == "rollout.cases", log.c.value.is_not(None))
    found = await house.services["case_service"].store.read(lambda db: db.execute(query).all())
    return [json.loads(row.value) for row in found]


def work_done(said: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Opening facts of follow-ups name what they follow; moves say the rest."""
    counted = Counter[str]()
    for each in said:
        counted["holds"] += each.get("move") == Move.T15
        counted["failed_visits"] += each.get("move") in FAILING and each.get("outcome") == Outcome.FAILED
        if "predecessor" in each and "skills" in each:
            counted[FOLLOW_UPS.get(each["kind"], "again")] += 1
    return {name: counted[name] for name in ("failed_visits", "again", *FOLLOW_UPS.values(), "holds")}


def cancellations(said: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """By the state in which the work was; work that was handed over already raises an exception."""
    counted = Counter[str]()
    for each in said:
        if each.get("move") in CANCELLING and each.get("reason") == MoveReason.CANCELLED_BY_PARTNER:
            counted[each["from_state"]] += 1
        elif each.get("type") == ExceptionType.CANCELLED_AFTER_DONE and "raised_by" in each and OF_ORDER not in each:
            counted[State.CLOSED] += 1
    return {state.value: counted[state] for state in State}


async def _count(house: House, service: str, table: str) -> int:
    found = house.services[service].metadata.tables[table]
    query = sa.select(sa.func.count()).select_from(found)
    return int(await house.services[service].store.read(lambda db: db.scalar(query)) or 0)


async def _by(house: House, service: str, table: str, column: str) -> dict[str, int]:
    found = house.services[service].metadata.tables[table]
    query = sa.select(found.c[column], sa.func.count()).group_by(found.c[column])
    counted = await house.services[service].store.read(lambda db: db.execute(query).all())
    return {str(getattr(value, "value", value)): count for value, count in sorted(counted, key=lambda row: str(row[0]))}
