"""What the audit costs: the same writes with and without it, by turns in one process (SEC-AUD-04).

One write is what a request does: load a case, change it, tell a fact, and with the audit append one row to its chain.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from kit import audit
from kit.serve import settle
from kit.settings import Settings
from kit.store import Store, Unit
from tests.bench import child, workload

TURNS = 8
"""Of each kind, so that what the machine does meanwhile meets both alike."""


async def run(database: str, clients: int, seconds: float) -> child.Measured:
    """Writes per second of so many clients at once, audited and not, and their ratio."""
    store = workload.build(Settings(database_url=database, pool_size=clients)).store
    await store.db.transact(workload.metadata.create_all)
    numbers = count()
    for number in range(workload.CASES):
        await _write(store, number)
    settle()
    done = {True: 0, False: 0}
    taken = {True: 0.0, False: 0.0}
    for turn in range(2 * TURNS):
        audited = turn % 2 == 0
        with _audit(audited):
            began = time.monotonic()
            end = began + seconds / (2 * TURNS)
            done[audited] += sum(await asyncio.gather(*(_client(store, numbers, end) for _ in range(clients))))
            taken[audited] += time.monotonic() - began
    await store.db.close()
    rates = {audited: done[audited] / taken[audited] for audited in done}
    return {"audited_per_s": rates[True], "unaudited_per_s": rates[False], "ratio": rates[True] / rates[False]}


async def _client(store: Store, numbers: Iterator[int], end: float) -> int:
    written = 0
    while time.monotonic() < end:
        await _write(store, next(numbers))
        written += 1
    return written


async def _write(store: Store, number: int) -> None:
    event = workload.rejected(number)

    def change(unit: Unit) -> None:
        case = unit.find(workload.Case, event.key())
        if case is None:
            case = workload.Case(case_id=event.case_id)
            unit.add(case)
        case.reject(event, unit.now)

    await store.run(store.actor, change, needs=[(workload.Case, event.key())])


@contextmanager
def _audit(on: bool) -> Iterator[None]:
    """Without it the transaction writes everything else."""
    write: Callable[..., Any] = audit.write
    if not on:
        audit.write = lambda *_: None
    try:
        yield
    finally:
        audit.write = write


if __name__ == "__main__":
    child.main(run)
