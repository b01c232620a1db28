"""Every service of the hub by name, and all of them in one process: one file each, one local bus, one HTTP server."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from fastapi import FastAPI

from contracts.topics import TOPICS
from kit import revisions
from kit.bus import Bus
from kit.clock import Clock
from kit.http import web
from kit.inbox import short
from kit.local import LocalBus
from kit.service import Runtime, Service
from kit.settings import Misconfigured, Settings

SERVICES = (
    "case_service",
    "booking_service",
    "asset_service",
    "qa_service",
    "notification_service",
    "mdm_adapter",
    "cockpit_service",
)
for _name in SERVICES:  # a setting of one service is no unknown one for the whole house
    import_module(f"services.{_name}.settings")


def build(name: str, options: Mapping[str, Any], clock: Clock | None = None) -> Service:
    """Put one service together by its name; options go before environment and hub.toml."""
    app = import_module(f"services.{name}.app")
    settings_of: type[Settings] = import_module(f"services.{name}.settings").Settings
    known = {option: value for option, value in options.items() if option in settings_of.model_fields}
    service: Service = app.build(settings_of.load(**known), clock)
    return service


class House:
    """The embedded hub: services that talk over the local bus, each with its own database."""

    def __init__(self, services: Sequence[Service], around: Callable[[LocalBus], Bus] = lambda bus: bus) -> None:
        self.services = {service.name: service for service in services}
        owners = {
            topic.name: self.services[topic.owner].store.db for topic in TOPICS.values() if topic.owner in self.services
        }
        self.bus = LocalBus(owners)
        carrying = around(self.bus)
        self.runtimes = {name: Runtime(service, carrying) for name, service in self.services.items()}
        self.app = self._app()

    def _app(self) -> FastAPI:
        """Each service below /api/<short name>; the console, if it is among them, at the root."""
        root = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        for name, runtime in self.runtimes.items():
            root.mount(f"/api/{short(name)}", web(runtime.service, runtime.health, runtime.service.authenticate))
        if "cockpit_service" in self.runtimes:
            runtime = self.runtimes["cockpit_service"]
            root.mount("/", web(runtime.service, runtime.health, runtime.service.authenticate))
        return root

    async def start(self) -> None:
        """Bring the databases up to date, then start every service."""
        for service in self.services.values():
            if await revisions.pending(service.name, service.store.db):
                from kit import migrate  # Alembic stays in memory: only who needs it loads it

                await migrate.upgrade(service.name, service.store.db)
        await self.bus.start()
        for runtime in self.runtimes.values():
            await runtime.start()

    async def stop(self) -> None:
        """Stop reading everywhere first, so that nobody waits for somebody who is gone."""
        await self.bus.stop()
        for runtime in self.runtimes.values():
            await runtime.stop()

    async def quiet(self) -> bool:
        """Whether only time can bring work; what was told while we asked makes the answer void."""
        before, runtimes = self.bus.waves, self.runtimes.values()
        if not all(runtime.idle() for runtime in runtimes):
            return False
        return all(await asyncio.gather(*(runtime.quiet() for runtime in runtimes))) and self.bus.waves == before

    @property
    def waves(self) -> int:
        """How often something was told."""
        return self.bus.waves

    def next_due(self) -> datetime | None:
        """The earliest stored time that the clock still has to reach, as `quiet` last saw it."""
        return min(filter(None, (runtime.due for runtime in self.runtimes.values())), default=None)


@asynccontextmanager
async def alone(folder: Path) -> AsyncIterator[IO[str]]:
    """Hold the data directory: a second hub on it refuses to start (exit code 2)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240 - at start, before anything runs
    with (folder / "hub.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Misconfigured(f"{folder}: a hub is already running on this data directory") from None
        yield lock
