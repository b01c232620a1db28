"""The relay alone: an outbox that is full, and nothing else to do."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from contracts.cases import CasePhaseChanged
from contracts.codes import Phase
from contracts.ids import CaseId
from kit import outbox
from kit.kafka import KafkaBus
from kit.outbox import Cause, Told, seal
from kit.relay import Relay
from kit.serve import settle
from tests.bench import anchors, child, kernel, workload
from tests.bench.workload import Fresh

CHUNK = 5_000


def facts(count: int) -> Sequence[Told]:
    """What a service has told and nobody has sent yet."""
    now, cause = datetime.now(UTC), Cause("bench:first", "bench:direct")
    return [seal(_fact(number), uuid7(), now, cause) for number in range(count)]


def _fact(number: int) -> CasePhaseChanged:
    case = CaseId(workload.case_id(number % workload.CASES))
    return CasePhaseChanged(case_id=case, to_phase=Phase.PLANNING, on_hold=False)


async def run(database: str, kafka: str, rows: int) -> child.Measured:
    """Fill the outbox, send its rows raw into one topic, then let the relay tell them on another."""
    service = workload.build(kernel.settings_on(database, kafka))
    db = service.store.db
    await db.transact(workload.metadata.create_all)
    told = facts(rows)
    for at in range(0, rows, CHUNK):
        await db.transact(lambda db, at=at: outbox.write(db, service.name, told[at : at + CHUNK]))  # type: ignore[misc]
    await db.transact(lambda db: db.exec_driver_sql("ANALYZE outbox"))
    records = [_as_sent(each) for each in told]
    settle()  # as a service does at its start
    raw = await anchors.send_batches(kafka, workload.HEARD, records)
    bus = KafkaBus(service.settings)
    relay = Relay(service.name, db, bus, service.store.clock)
    began, used = time.monotonic(), child.cpu_seconds()
    while await relay.wave():
        pass
    seconds, used = time.monotonic() - began, child.cpu_seconds() - used
    left = await db.read(lambda db: db.scalar(sa.select(sa.func.count()).select_from(sa.table("outbox"))))
    assert left == 0, "the relay left rows"
    await bus.stop()
    await db.close()
    return {
        "rows_per_s": rows / seconds,
        "send_batch_per_s": rows / raw,
        "ratio_send_batch": raw / seconds,
        "cpu_us_per_row": used / rows * 1e6,
    }


def _as_sent(told: Told) -> Fresh:
    pairs = [(name, text.encode()) for name, text in outbox.headers("case_service", told, 1).items()]
    slot = outbox.partition_of(told.key, workload.PARTITIONS)
    return Fresh(slot, told.key.encode(), pairs, told.value or b"")


if __name__ == "__main__":
    child.main(run)
