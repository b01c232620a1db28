"""The peer: the service as a textbook writes it, one handler, one ORM session, one commit and one publish per message.

It keeps what our kernel promises as far as this shape can: a table of ids heard against copies, an audit row, offsets
committed behind the database, order per key. It publishes after its commit, so a crash between the two loses an event.
"""

import asyncio
import time
from datetime import UTC, datetime
from uuid import UUID

from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from sqlalchemy import BigInteger, DateTime
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7

from contracts.cases import CasePhaseChanged
from contracts.codes import Phase
from contracts.handovers import HandoverRejected
from tests.bench import child
from tests.bench.workload import HEARD, TOLD


class Table(DeclarativeBase):
    """The tables of the peer."""


class Heard(Table):
    """Ids of messages that were applied."""

    __tablename__ = "heard"
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Case(Table):
    """The row that changes."""

    __tablename__ = "cases"
    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    attempt: Mapped[int]
    level: Mapped[str]
    message_ref: Mapped[str]
    rejected_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Audit(Table):
    """Who did what."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    action: Mapped[str]
    subject: Mapped[str]
    actor: Mapped[str]
    correlation: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


async def run(database: str, kafka: str, events: int, workers: int) -> child.Measured:
    """Hear so many events; rate from the first to the last."""
    engine = create_async_engine(database, pool_size=workers + 2)
    async with engine.begin() as db:
        await db.run_sync(Table.metadata.create_all)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    broker = KafkaBroker(kafka, acks="all", enable_idempotence=True, logger=None)
    times: list[float] = []
    done = asyncio.Event()

    @broker.subscriber(
        HEARD,
        group_id=f"textbook-{workers}",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        max_workers=workers,
    )
    async def reject(event: HandoverRejected, message: KafkaMessage) -> None:
        if not times:
            times.append(time.monotonic())
        now, correlation = datetime.now(UTC), str(message.headers["ce_correlationid"])
        async with sessions.begin() as session:
            session.add(Heard(event_id=UUID(message.headers["ce_id"]), seen_at=now))
            case = await session.get(Case, event.case_id, with_for_update=True)
            if case is None:
                case = Case(case_id=event.case_id, version=0)
                session.add(case)
            case.version += 1
            case.attempt, case.rejected_at = event.attempt, now
            case.level, case.message_ref = event.level.value, event.message_ref
            subject = f"case/{event.case_id}"
            session.add(Audit(action="reject", subject=subject, actor="system", correlation=correlation, at=now))
        fact = CasePhaseChanged(case_id=event.case_id, to_phase=Phase.PLANNING, on_hold=False)
        headers = {"ce_id": str(uuid7()), "ce_type": fact.ce_type, "ce_correlationid": correlation}
        await broker.publish(fact, TOLD, key=fact.key().encode(), headers=headers)
        times.append(time.monotonic())
        if len(times) > events:
            done.set()

    await broker.start()
    await done.wait()
    used = child.cpu_seconds()
    await broker.stop()
    await engine.dispose()
    return {"events_per_s": events / (times[events] - times[0]), "cpu_us_per_event": used / events * 1e6}


if __name__ == "__main__":
    child.main(run)
