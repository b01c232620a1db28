"""One service as a process of its own, on Kafka: `python -m services.case_service`."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from contracts.topics import TOPICS, Topic
from kit import faults, logs, revisions
from kit.bus import Bus
from kit.errors import Unavailable
from kit.http import server_options, web
from kit.service import Runtime, Service
from kit.settings import Misconfigured, Settings

log = structlog.get_logger(__name__)

PROVISION_SECONDS = 2.0
"""How long a start waits for the broker, and how long between two tries to make topics."""
TAKEN = 4
"""Exit code when the port is somebody else's."""


def run(build: Callable[[Any], Service], settings: Settings) -> None:
    """Serve until a signal asks to stop; a second signal ends at once."""
    logs.configure(settings.log_level, settings.log_format)
    faults.refuse_outside_tests(settings)
    if settings.bus != "kafka":
        raise Misconfigured("a service on its own needs HUB_BUS=kafka; without Kafka `hub up` runs all in one process")
    uvloop.run(_serve(build(settings)))


async def _serve(service: Service) -> None:
    from kit.kafka import KafkaBus  # only here: the embedded hub never loads it

    bus = KafkaBus(service.settings)
    runtime = Runtime(service, bus)
    async with listening(service.settings, web(service, runtime.health, service.authenticate)) as server:
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, _stop_or_end, stop)
        await _start(service, runtime, bus)
        await stop.wait()
        runtime.health.stopping = True
        await asyncio.sleep(service.settings.drain_seconds)
        faults.point("shutdown.drained")
        server.should_exit = True
        await runtime.stop()
        await bus.stop()


async def _start(service: Service, runtime: Runtime, bus: Bus) -> None:
    if await revisions.pending(service.name, service.store.db):
        raise Misconfigured(f"{service.name}: the database is not at the newest migration; run `hub migrate db`")
    await bus.start()
    names = {*service.tells, *service.handlers.topics, "rollout.dead-letters"}
    provisioning = await provision(bus, [TOPICS[name] for name in names])
    runtime.health.watch("topics", lambda: not provisioning.done() or provisioning.exception() is None)
    await runtime.start()
    settle()
    log.info("service started", service=service.name)


def settle() -> None:
    """Tell the garbage collector that what is there will stay, and to look less often.

    A batch makes thousands of objects and no cycles; looking for them was a quarter of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def provision(bus: Bus, topics: Sequence[Topic]) -> "asyncio.Task[None]":
    """Have the topics made; while no broker answers that goes on beside the service, for an outage stops no start."""

    async def make() -> None:
        while True:
            try:
                await bus.provision(topics)
            except Unavailable:
                log.warning("topics cannot be made yet")
                await asyncio.sleep(PROVISION_SECONDS)
            else:
                return

    task = asyncio.create_task(make(), name="topics")
    await asyncio.wait([task], timeout=PROVISION_SECONDS)
    if task.done():
        task.result()
    return task


@asynccontextmanager
async def listening(settings: Settings, app: ASGIApp) -> AsyncIterator[uvicorn.Server]:
    """Serve HTTP beside what else the process does; the port is bound before anything is promised."""
    bound = _bind(settings.host, settings.port)
    server = uvicorn.Server(uvicorn.Config(app, **server_options(settings), lifespan="off"))
    task = asyncio.create_task(server._serve([bound]), name="http")  # noqa: SLF001 - `serve` would take our signals
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - it tells by a flag only
            await asyncio.sleep(0.005)
        yield server
    finally:
        server.should_exit = True
        await task
        bound.close()


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named: else asyncio leaves Nagle's wait on
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        sys.stderr.write(f"{host}:{port} can't be listened on ({error.strerror}); choose another with --port\n")
        raise SystemExit(TAKEN) from None
    return bound


def _stop_or_end(stop: asyncio.Event) -> None:
    if stop.is_set():
        os._exit(130)
    stop.set()
