"""Databases of all services with a few rows that fit each other, in tables that refuse nothing."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from contracts.codes import DodItem, Fact
from contracts.parts import GateEvidence
from hub.house import SERVICES
from hub.verify import Report, verify
from kit import audit, tables
from kit.clock import ManualClock
from kit.db import Db, database
from services.case_service.domain.entries import Handover, HandoverState
from services.case_service.domain.work_order import Approval
from services.mdm_adapter.documents.answer import Answer
from services.mdm_adapter.domain.messages import ArchiveHead, StoredAnswer, archive

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(hours=1)
WITH_RULES = frozenset({"audit_heads"})
"""Tables that the kernel upserts into."""


def uid(number: int) -> UUID:
    """An id that is easy to tell apart."""
    return UUID(int=(0x0197F000 << 96) + (7 << 76) + (2 << 62) + number)


DONE, CANCELLED, ORDER, EVENT = uid(1), uid(2), uid(3), uid(4)
DEVICE, SITE, SUPPLIER, TECHNICIAN = uid(5), uid(6), uid(7), uid(8)
MESSAGE, ANSWER, APPOINTMENT = uid(9), uid(10), uid(11)


class SmallWorld:
    """All services after one case was completed and another one cancelled."""

    def __init__(self, databases: Mapping[str, Db]) -> None:
        self.databases = databases

    def table(self, service: str, name: str) -> sa.TableClause:
        """Names and types only, so that a row may lack whatever it likes."""
        real: sa.Table = import_module(f"services.{service}.tables").metadata.tables[name]
        return sa.table(name, *(sa.column(column.name, column.type) for column in real.columns))

    async def put(self, service: str, name: str, **values: Any) -> None:
        """One more row."""
        await self._do(service, sa.insert(self.table(service, name)).values(**values))

    async def change(self, service: str, name: str, **values: Any) -> None:
        """All rows of a table are like this now."""
        await self._do(service, sa.update(self.table(service, name)).values(**values))

    async def drop(self, service: str, name: str) -> None:
        """No row is left."""
        await self._do(service, sa.delete(self.table(service, name)))

    async def told(self, kind: str, key: UUID, sequence: int, position: int, **fact: Any) -> None:
        """The case service told something of a case."""
        value, headers = orjson.dumps(fact), {"ce_type": f"rollout.case.{kind}.v1", "ce_id": str(uid(100 + position))}
        where = {"topic": "rollout.cases", "key": str(key), "sequence": sequence, "position": position}
        await self.put("case_service", "event_log", **where, event_id=uid(100 + position), headers=headers, value=value)

    async def report(self) -> Report:
        return await verify(self.databases, ManualClock(NOW))

    async def broken(self) -> set[str]:
        """The invariants that do not hold."""
        return {check.id for check in (await self.report()).checks if check.offending}

    async def _do(self, service: str, statement: Any) -> None:
        await self.databases[service].transact(lambda db: db.execute(statement))


async def small_world(folder: Path) -> SmallWorld:
    """The world, without a single violation and with rows for every rule."""
    world = SmallWorld({service: database(f"sqlite:///{folder}/{service}.db") for service in SERVICES})
    for service, db in world.databases.items():
        await db.transact(_without_rules(service))
    for fill in (_cases, _bookings, _assets, _quality, _notices, _messages, _cockpit, _kernel):
        await fill(world)
    return world


def _without_rules(service: str) -> Callable[[sa.Connection], None]:
    """The tables with names and types, and nothing that would refuse a row."""
    real = import_module(f"services.{service}.tables").metadata

    def make(db: sa.Connection) -> None:
        for table in real.tables.values():
            if table.name in WITH_RULES:
                table.create(db)
            else:
                bare = (sa.Column(column.name, column.type) for column in table.columns)
                sa.Table(table.name, sa.MetaData(), *bare).create(db)

    return make


async def _cases(world: SmallWorld) -> None:
    proof = tuple(GateEvidence(item=item, event_ids=(EVENT,)) for item in DodItem)
    done = Handover(fact=Fact.EXCHANGE_COMPLETED, attempt=1, requested_at=BEFORE, state=HandoverState.ACCEPTED)
    ended = {"on_hold": False, "ended_at": BEFORE}
    await world.put(
        "case_service", "cases", case_id=DONE, phase="COMPLETED", gate_evidence=proof, handovers=(done,), **ended
    )
    await world.put(
        "case_service", "cases", case_id=CANCELLED, phase="CANCELLED", open_point=None, handovers=(), **ended
    )
    order = {"case_id": DONE, "work_order_id": ORDER, "sequence": 1, "kind": "meter_exchange", "version": 2}
    closed = {"state": "CLOSED", "close_reason": "DONE", "closed_at": BEFORE, "handover": 1, "evidence_version": 1}
    approval = Approval(evidence_version=1, digest="d", event_id=EVENT)
    await world.put("case_service", "work_orders", **order, **closed, approval=approval)
    line = {"work_order_id": ORDER, "case_id": DONE}
    await world.put("case_service", "history", **line, version=1, move="T20", from_state="OPEN", to_state="RESOLVED")
    await world.put("case_service", "history", **line, version=2, move="T21", from_state="RESOLVED", to_state="CLOSED")
    await world.told("work_order_opened", DONE, 1, 1, work_order_id=str(ORDER), state="OPEN")
    await world.told("work_order_moved", DONE, 2, 2, work_order_id=str(ORDER), to_state="CLOSED")
    await world.told("phase_changed", DONE, 3, 3, from_phase="BACKLOG", to_phase="COMPLETED", on_hold=False)
    await world.told("phase_changed", CANCELLED, 1, 4, from_phase="BACKLOG", to_phase="CANCELLED", on_hold=False)
    await world.put("case_service", "heads", topic="rollout.cases", key=str(DONE), sequence=3)
    await world.put("case_service", "heads", topic="rollout.cases", key=str(CANCELLED), sequence=1)


async def _bookings(world: SmallWorld) -> None:
    await world.put(
        "booking_service", "appointments", appointment_id=APPOINTMENT, work_order_id=ORDER, case_id=DONE, state="SENT"
    )
    await world.put("booking_service", "blocks", technician_id=TECHNICIAN, cell=7, appointment_id=APPOINTMENT)


async def _assets(world: SmallWorld) -> None:
    await world.put("asset_service", "locations", location_id=SUPPLIER, kind="supplier")
    await world.put("asset_service", "locations", location_id=SITE, kind="site")
    await world.put("asset_service", "devices", device_id=DEVICE, state="INSTALLED", location_id=SITE, last_movement=1)
    moved = {"movement_id": 1, "device_id": DEVICE, "from_location": SUPPLIER, "to_location": SITE}
    await world.put("asset_service", "movements", **moved, state_to="INSTALLED")
    await world.put("asset_service", "installations", installation_id=1, serial_key="S1", device_id=DEVICE)
    await world.put("asset_service", "work_orders", work_order_id=ORDER, case_id=DONE)
    await world.put("asset_service", "reservations", work_order_id=ORDER, line=1, unit=1, state="USED")


async def _quality(world: SmallWorld) -> None:
    await world.put("qa_service", "reviews", work_order_id=ORDER, evidence_version=1, state="APPROVED")


async def _notices(world: SmallWorld) -> None:
    await world.put("notification_service", "notices", notice_id=uid(20), key="N01:a:1", state="SENT")
    await world.put("notification_service", "effects", id=uid(21), kind="sms", unique_key="N01:a:1", state="done")


async def _messages(world: SmallWorld) -> None:
    arrived = {"id": MESSAGE, "partner": "erp", "transport": "rest", "received_at": BEFORE, "state": "PROCESSED"}
    given = (StoredAnswer(answer=Answer(items=()), at=BEFORE),)
    await world.put("mdm_adapter", "inbound_messages", **arrived, dialect="cim_xml", answers=given)
    await world.put("mdm_adapter", "outbound_messages", id=ANSWER, answers_to=MESSAGE, state="SENT")
    head = ArchiveHead()
    for way, kept in (("in", MESSAGE), ("out", ANSWER)):
        entry = archive(head, kept, way, "erp", BEFORE, b"words")
        columns = ("id", "direction", "partner", "at", "sha256", "content", "number", "prev_hash", "hash")
        await world.put("mdm_adapter", "archive", **{column: getattr(entry, column) for column in columns})
    await world.put("mdm_adapter", "effects", id=uid(22), kind="partner_rest", unique_key=str(ANSWER), state="done")
    fact = {"case_id": DONE, "fact": "exchange_completed", "attempt": 1}
    await world.put("mdm_adapter", "handovers", **fact, accepted=True)
    await world.put(
        "mdm_adapter", "handover_rows", row_id=uid(23), **fact, order_key="erp/1", recipient="erp", document="d"
    )


async def _cockpit(world: SmallWorld) -> None:
    heard = {"on_hold": False}
    await world.put("cockpit_service", "cases", case_id=DONE, phase="COMPLETED", heard={"rollout.cases": 3}, **heard)
    await world.put(
        "cockpit_service", "cases", case_id=CANCELLED, phase="CANCELLED", heard={"rollout.cases": 1}, **heard
    )
    await world.put("cockpit_service", "work_orders", case_id=DONE, work_order_id=ORDER, state="CLOSED")


async def _kernel(world: SmallWorld) -> None:
    waits = {"reader": "asset_service", "topic": "rollout.visits", "key": str(DONE)}
    await world.put("asset_service", "inbox", reader="asset_service", event_id=uid(30), outcome="applied")
    await world.put("asset_service", "inbox", reader="asset_service", event_id=uid(31), outcome="parked")
    await world.put("asset_service", "parked_keys", **waits, first_event_id=uid(31))
    await world.put("asset_service", "parked", **waits, event_id=uid(31))
    said = audit.Entry("case:open", f"case/{DONE}", "system:case_service", "c", BEFORE, {})
    await world.databases["case_service"].transact(lambda db: audit.write(db, "case_service", [said, said]))


def broken_chain() -> sa.Update:
    """An audit row that says something else than was hashed."""
    return sa.update(tables.audit).where(tables.audit.c.seq == 1).values(action="case:close")
