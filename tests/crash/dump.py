"""Reads the databases of a run that has come to rest into its history."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import orjson
import sqlalchemy as sa

from kit import tables
from kit.service import Service
from tests.crash.counting import counts, reminds, rings
from tests.crash.history import History

Told = Iterable[tuple[str, str, int]]
"""Topic, key and sequence, in the order in which the topic has them."""


async def dump(history: History, adapter: Service, counting: Service, topics: Told) -> None:
    """Append what the state, the books of both owners and the topics hold."""
    await applied(history, counting)
    for service in (adapter, counting):
        for topic, key, sequence in await service.store.read(books):
            history.note("record", f"{topic}/{key}", sequence)
    for topic, key, sequence in topics:
        history.note("tell", f"{topic}/{key}", sequence)


async def applied(history: History, counting: Service) -> None:
    """State, timers, effects and what lies parked."""
    for row in await counting.store.read(lambda db: db.execute(sa.select(counts).order_by(counts.c.case_id)).all()):
        key = str(row.case_id)
        for number in row.numbers:
            history.note("apply", key, number)
            if rings(number):
                history.note("owe", f"ring/{key}", number)
        for number in row.reminded:
            history.note("effect", f"remind/{key}", number)
        for number in sorted(filter(reminds, set(row.numbers))):
            history.note("owe", f"remind/{key}", number)
        for number in row.rung:
            history.note("effect", f"recorded/{key}", number)
        for number in sorted(filter(rings, set(row.numbers))):
            history.note("owe", f"recorded/{key}", number)
    for row in await counting.store.read(lambda db: db.execute(sa.select(tables.parked)).all()):
        history.note("park", row.key, orjson.loads(row.value)["attempt"])


def books(db: sa.Connection) -> list[tuple[str, str, int]]:
    """Everything an owner ever told: what was sent, what is to be sent, and every number that its heads gave out."""
    found = set[tuple[str, str, int]]()
    for table in (tables.event_log, tables.outbox):
        found |= {tuple(row) for row in db.execute(sa.select(table.c.topic, table.c.key, table.c.sequence))}
    for head in db.execute(sa.select(tables.heads)):
        found |= {(head.topic, head.key, number) for number in range(1, head.sequence + 1)}
    return sorted(found)


def told_locally(db: sa.Connection) -> Sequence[tuple[str, str, int]]:
    """What an event log, read as a topic, holds."""
    log = tables.event_log
    query = sa.select(log.c.topic, log.c.key, log.c.sequence).order_by(log.c.topic, log.c.position)
    return [tuple(row) for row in db.execute(query)]


def seen_outside(history: History, calls: Mapping[str, int]) -> None:
    """What the gateway counted per reference."""
    for reference, count in sorted(calls.items()):
        key, _, number = reference.rpartition("/")
        for _ in range(count):
            history.note("effect", f"ring/{key}", int(number))


def case(number: int) -> UUID:
    """Case ids that look like ours and are the same in every run."""
    return UUID(int=(0x0197F000 << 96) + (7 << 76) + (2 << 62) + number)
