"""A process that a test kills: `python -m tests.crash.process adapter counting`, configured by HUB_ as services are."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from contracts.topics import TOPICS
from kit import faults, logs
from kit.auth import Principal, needs
from kit.bus import Bus
from kit.effects import Done, Outcome, Transient
from kit.http import the_store, web
from kit.local import LocalBus
from kit.serve import listening, provision
from kit.service import Runtime, Service
from kit.settings import Settings
from kit.store import Store, Unit
from tests.crash import counting

CALLS = "gateway.log"
URLS = "ROLLOUT_CRASH_URLS"
"""Environment: the database of each role, as a JSON object."""


class Asked(BaseModel):
    """Facts to accept: case and number."""

    facts: list[tuple[UUID, int]]


class Accepted(BaseModel):
    """How many were."""

    count: int


class FileGateway:
    """The outside, as a file: a line per call stays, whoever dies."""

    repeatable = False
    retry: Sequence[timedelta] = (timedelta(seconds=0.2),) * 100

    def __init__(self, file: Path) -> None:
        self.file = file

    async def send(self, reference: str, payload: Mapping[str, Any]) -> Outcome:
        with self.file.open("a", encoding="ascii") as file:
            file.write(f"{reference}\n")
        return Done(reference)

    async def ask(self, reference: str) -> Outcome | None:
        return Done(reference) if reference in self.file.read_text("ascii").split() else Transient("not there")

    async def close(self) -> None: ...


def router() -> APIRouter:
    """The door of the adapter."""
    made = APIRouter()

    @made.post("/v1/facts", status_code=201)
    async def accept(
        asked: Asked,
        principal: Annotated[Principal, Depends(needs("work_order:plan"))],
        store: Annotated[Store, Depends(the_store)],
    ) -> Accepted:
        def command(unit: Unit) -> Accepted:
            unit.tell(*(counting.fact(case_id, number) for case_id, number in asked.facts))
            return Accepted(count=len(asked.facts))

        return await store.run(principal, command)

    return made


def services(settings: Settings, roles: Sequence[str]) -> list[Service]:
    """Those of the two that this process is."""
    gateway = FileGateway(settings.data_dir / CALLS)
    gateway.file.touch()
    urls: dict[str, str] = json.loads(os.environ[URLS])
    own = {role: settings.model_copy(update={"database_url": urls[role]}) for role in roles}
    made = {"adapter": lambda: counting.build_adapter(own["adapter"], router=router())}
    made["counting"] = lambda: counting.build(own["counting"], gateway)
    return [made[role]() for role in roles]


def bus_of(settings: Settings, here: Sequence[Service]) -> Bus:
    if settings.bus == "local":
        return LocalBus({topic: service.store.db for service in here for topic in service.tells})
    from kit.kafka import KafkaBus

    return KafkaBus(settings)


async def serve(settings: Settings, here: Sequence[Service], door: Service | None) -> None:
    """Run until a signal asks to stop; then stop as kit/serve.py does."""
    bus, stop = bus_of(settings, here), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    for service in here:
        await service.store.db.transact(service.metadata.create_all)
    await bus.start()
    topics = [TOPICS[name] for name in (counting.HEARD, counting.TOLD, "rollout.dead-letters")]
    provisioning = await provision(bus, topics)
    runtimes = [Runtime(service, bus) for service in here]
    async with AsyncExitStack() as stack:
        servers = []
        if door is not None:
            app = web(door, runtimes[here.index(door)].health)
            servers.append(await stack.enter_async_context(listening(settings, app)))
        for runtime in runtimes:
            await runtime.start()
        await stop.wait()
        provisioning.cancel()
        faults.point("shutdown.drained")
        for server in servers:
            server.should_exit = True
        for runtime in runtimes:
            await runtime.stop()
        await bus.stop()


def main() -> None:
    settings = Settings.load()
    logs.configure(settings.log_level, settings.log_format)
    faults.refuse_outside_tests(settings)
    roles = sys.argv[1:]
    here = services(settings, roles)
    asyncio.run(serve(settings, here, here[roles.index("adapter")] if "adapter" in roles else None))


if __name__ == "__main__":
    main()
