"""Processes that are killed and started again, clients that go on asking, and the verdict when all is quiet."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import sqlalchemy as sa

from kit import faults, tables
from kit.auth import Signer
from kit.service import Service
from kit.settings import Settings
from tests.crash import counting
from tests.crash.checker import Verdict, judge
from tests.crash.dump import case, dump, seen_outside, told_locally
from tests.crash.history import History
from tests.crash.process import CALLS, URLS, FileGateway
from tests.servers.processes import free_ports

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT = 60.0
"""Seconds after which waiting for a condition has failed."""
FACTS = 5


def until(condition: Callable[[], bool], what: str, seconds: float = LIMIT) -> None:
    """Wait for a condition, never for a time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s for: {what}"
        time.sleep(0.02)


@dataclass
class Client(threading.Thread):
    """Asks for facts of its own cases, in their order, and repeats each request until it is answered."""

    rig: "Rig"
    cases: Sequence[int]
    most: int | None
    pause: float
    asked: int = 0
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.numbers = Counter[int]()

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        with httpx.Client(base_url=self.rig.url, timeout=5) as http:
            while not self.rig.over.is_set() and (self.most is None or self.asked < self.most):
                self.ask(http)
                self.rig.over.wait(self.pause)

    def ask(self, http: httpx.Client) -> None:
        facts = []
        for _ in range(FACTS):
            number = self.cases[self.asked % len(self.cases)]
            self.asked += 1
            self.numbers[number] += 1
            facts.append((str(case(number)), self.numbers[number]))
        self.rig.note("try", facts)
        request_key = f"{self.name}-{self.asked}"
        while not self.post(http, request_key, facts):
            if self.rig.given_up.wait(0.03):
                return
        self.rig.note("accept", facts)

    def post(self, http: httpx.Client, request_key: str, facts: Sequence[tuple[str, int]]) -> bool:
        """Whether it was answered for. What is refused while the hub is unwell is asked again."""
        headers = {"Idempotency-Key": request_key, "Authorization": f"Bearer {self.rig.token()}"}
        try:
            answer = http.post("/v1/facts", json={"facts": facts}, headers=headers)
        except httpx.HTTPError:
            return False
        if answer.status_code not in (201, 409, 503):
            self.failed.append(f"{answer.status_code} {answer.text}")
        return answer.status_code == 201


def embedded(folder: Path) -> dict[str, str]:
    """A database file per role."""
    return {role: f"sqlite:///{folder}/{role}.db" for role in ("adapter", "counting")}


class Rig:
    """One run on one set of databases."""

    module = "tests.crash.process"
    more: Mapping[str, str] = {}
    """Environment of its processes, beside what all have."""

    def __init__(self, folder: Path, urls: Mapping[str, str], kafka: str | None = None, seed: int = 0) -> None:
        self.folder, self.urls, self.kafka = folder, urls, kafka
        self.history, self.lock = History(seed), threading.Lock()
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.clients: list[Client] = []
        self.over, self.given_up = threading.Event(), threading.Event()
        self.kills = self.restarts = 0
        self.signer = Signer.new("rollout-hub")
        self.signer.write_jwks(folder / "jwks.json")
        self.log = (folder / "log").open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.over.set()
        self.given_up.set()
        for client in self.clients:
            client.join()
        for process in self.running.values():
            process.kill()
            process.wait()
        self.log.close()

    def token(self) -> str:
        return self.signer.person("person:local:anna", ["dispatcher"], None, datetime.now(UTC))

    def note(self, op: str, facts: Sequence[tuple[str, int]]) -> None:
        with self.lock:
            for key, number in facts:
                self.history.note(op, key, number)  # type: ignore[arg-type]

    def accepted(self) -> int:
        with self.lock:
            return self.history.count("accept")

    def start(self, *roles: str, crash: str | None = None) -> None:
        """Start a process with these roles, which dies at a point."""
        name = "+".join(roles)
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("HUB_")},
            "HUB_DATA_DIR": str(self.folder),
            URLS: json.dumps(dict(self.urls)),
            "HUB_PORT": str(self.port),
            "HUB_LEASE_SECONDS": "1",
            "HUB_LOG_LEVEL": "warning",
            "HUB_INSTANCE": "one",
            "HUB_FETCH_WAIT_MS": "20",
            **self.more,
        }
        if self.kafka:
            environment |= {
                "HUB_BUS": "kafka",
                "HUB_KAFKA__SERVERS": self.kafka,
                "HUB_KAFKA__SESSION_TIMEOUT_MS": "6000",
            }
        if crash:
            environment["HUB_CRASH"] = crash
        command = [sys.executable, "-m", self.module, *roles]
        self.running[name] = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )

    def asks(self, cases: int, *, clients: int = 2, most: int | None = None, pause: float = 0.0) -> None:
        """Clients begin to ask."""
        for at in range(clients):
            mine = range(at, cases, clients)
            self.clients.append(Client(self, mine, most and most // clients, pause))
            self.clients[-1].start()

    def finish(self) -> None:
        """No new requests; those under way are repeated until they are answered."""
        for client in self.clients:
            if client.most is None:
                self.over.set()

        def answered() -> bool:
            self.supervise()
            return not any(client.is_alive() for client in self.clients)

        until(answered, "every request to be answered")
        failed = [each for client in self.clients for each in client.failed]
        assert not failed, f"answers that no client should get: {failed[:3]}"

    def dies(self, name: str, crash: str, seconds: float = LIMIT) -> None:
        """Wait until the process has died at its point."""
        process = self.running[name]
        until(lambda: process.poll() is not None, f"{crash} to be passed", seconds)
        assert process.returncode == faults.KILLED, f"{crash}: exit code {process.returncode}\n{self.tail()}"
        self.kills += 1

    def supervise(self) -> None:
        """Start again what gave up by itself, as it may while its database is away."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.restarts += 1
                self.start(*name.split("+"))

    def kill(self, name: str) -> None:
        process = self.running[name]
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.kills += 1

    def tail(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def verdict(self, seconds: float = LIMIT) -> Verdict:
        """Wait until nothing is left to do, and judge."""
        return asyncio.run(self._verdict(seconds))

    async def _verdict(self, seconds: float) -> Verdict:
        own = {role: Settings(data_dir=self.folder, database_url=url) for role, url in self.urls.items()}
        adapter = counting.build_adapter(own["adapter"])
        counter = counting.build(own["counting"], FileGateway(self.folder / CALLS))
        end, left = time.monotonic() + seconds, {"not looked at": 1}
        while left and time.monotonic() < end:
            left = await left_to_do(adapter, counter)
            await asyncio.sleep(0.05)
        for what, count in left.items():
            self.history.note("stuck", what, count)
        topics = await self._topics(adapter, counter)
        await dump(self.history, adapter, counter, topics)
        seen_outside(self.history, Counter((self.folder / CALLS).read_text("ascii").split()))
        for service in (adapter, counter):
            await service.store.db.close()
        return judge(self.history)

    async def _topics(self, *owners: Service) -> list[tuple[str, str, int]]:
        if self.kafka:
            from tests.crash.topics import read

            return await read(self.kafka, (counting.HEARD, counting.TOLD))
        return [row for owner in owners for row in await owner.store.read(told_locally)]


async def left_to_do(adapter: Service, counter: Service) -> dict[str, int]:
    """What is still to be told, heard, done, sent or tried again: never how long nothing happened.

    Asked in the order in which work moves on, so that nothing slips by between two questions.
    """
    log, inbox, effects = tables.event_log, tables.inbox, tables.effects

    async def count(service: Service, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(table).where(*where)
        return await service.store.read(lambda db: db.scalar(query) or 0)

    found = {"adapter's outbox": await count(adapter, tables.outbox)}
    told = await adapter.store.read(lambda db: set(db.scalars(sa.select(log.c.event_id))))
    found["unheard"] = len(told - await counter.store.read(lambda db: set(db.scalars(sa.select(inbox.c.event_id)))))
    for table in (tables.parked_keys, tables.timers):
        found[table.name] = await count(counter, table)
    found["effects"] = await count(counter, effects, effects.c.state.in_(("ready", "sending", "unknown")))
    found["outbox"] = await count(counter, tables.outbox)
    return {name: number for name, number in found.items() if number}
