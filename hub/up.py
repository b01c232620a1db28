"""The embedded hub at work: all services on one address, an address file and a token file for the command line."""

import asyncio
import getpass
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from contracts.roles import Role
from hub.databases import opened
from hub.house import SERVICES, House, alone, build
from kit import faults, logs, revisions
from kit.auth import COMPANY_ROLES, Signer
from kit.bus import Bus
from kit.clock import Clock, clock_of
from kit.keys import write_private
from kit.local import LocalBus
from kit.serve import listening, settle
from kit.settings import Misconfigured, Settings, is_loopback

RENEW_SECONDS = 3600.0
"""How often the shell's token is made anew; it is good for twelve hours at most (SEC-TOK-07)."""
SHELL_SECONDS = 12 * 3600
OUTSIDE = frozenset({Role.CUSTOMER, Role.INSTALLER, Role.SYSTEM, *COMPANY_ROLES})
STAFF = tuple(role for role in Role if role not in OUTSIDE)


@dataclass(frozen=True)
class Running:
    """A hub that answers."""

    house: House
    signer: Signer
    url: str
    clock: Clock


@asynccontextmanager
async def running(
    settings: Settings,
    options: Mapping[str, Any],
    services: Sequence[str] = SERVICES,
    clock: Clock | None = None,
    around: Callable[[LocalBus], Bus] = lambda bus: bus,
) -> AsyncIterator[Running]:
    """Start every service on the data directory and serve HTTP; stops them in order at the end."""
    async with alone(settings.data_dir):
        signer, used = Signer.open(settings), clock or clock_of(settings.clock)
        house = House([build(name, options, used) for name in services], around)
        async with listening(settings, house.app) as server:
            await house.start()
            settle()
            url = f"http://{settings.host}:{_port(server)}"
            try:
                yield Running(house, signer, url, used)
            finally:
                await house.stop()


async def up(settings: Settings, options: Mapping[str, Any], services: Sequence[str]) -> None:
    """Keep the hub running until a signal asks to stop."""
    logs.configure(settings.log_level, settings.log_format, sys.stderr)
    faults.refuse_outside_tests(settings)
    refuse_unsafe_bind(settings)
    if settings.bus != "local":
        raise Misconfigured("HUB_BUS=kafka: each service is a process of its own, `python -m services.case_service`")
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, _stop_or_end, stop)
    await _bring_up_to_date(settings.data_dir, services)
    async with running(settings, options, services) as hub:
        address, token = settings.data_dir / "hub.address", settings.data_dir / "hub.token"
        _give_token(hub, token)
        write_private(address, hub.url.encode())
        renewing = asyncio.create_task(_renew_token(hub, token), name="token")
        sys.stdout.write(f"ready {hub.url}\n")
        sys.stdout.flush()
        if "cockpit_service" in services:
            sys.stderr.write(f"sign in: {await sign_in_link(hub)}\n")
            sys.stderr.flush()
        await stop.wait()
        renewing.cancel()
        for left in (address, token):  # whoever looks for a hub finds none
            left.unlink(missing_ok=True)


async def _bring_up_to_date(folder: Path, services: Sequence[str]) -> None:
    """Have another process apply what is pending: Alembic would stay in the memory of this one for good."""
    async with opened(folder, services, new=True) as databases:
        behind = [name for name, db in databases.items() if await revisions.pending(name, db)]
    if behind:
        command = (sys.executable, "-m", "hub", "migrate", "db", "--data", str(folder))
        migrating = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        if await migrating.wait():
            raise Misconfigured("the databases could not be brought up to date; see above")


async def sign_in_link(hub: Running, name: str | None = None) -> str:
    """A link that signs one person in, once, within a quarter of an hour (SEC-SES-01)."""
    from services.cockpit_service.signing_in import invite

    store = hub.house.services["cockpit_service"].store
    person = name or shell_user()
    code = await store.run(store.actor, lambda unit: invite(unit, f"person:local:{person}", STAFF))
    return f"{hub.url}/sign-in?code={code}"


def refuse_unsafe_bind(settings: Settings) -> None:
    """Beyond loopback only behind a proxy with https (SEC-SES-03)."""
    https = settings.public_url is not None and settings.public_url.startswith("https:")
    if not is_loopback(settings.host) and not (https and settings.trusted_proxies):
        raise Misconfigured(
            f"HUB_HOST={settings.host}: beyond loopback set an https HUB_PUBLIC_URL and HUB_TRUSTED_PROXIES"
        )


async def _renew_token(hub: Running, path: Path) -> None:
    """A token that is always fresh, while the hub runs."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        _give_token(hub, path)


def _give_token(hub: Running, path: Path) -> None:
    """The shell on this machine may do what staff may; four eyes still need a second person."""
    token = hub.signer.person(f"local:{shell_user()}", STAFF, None, hub.clock.now(), SHELL_SECONDS)
    write_private(path, token.encode())


def shell_user() -> str:
    """Who sits at this shell."""
    return getpass.getuser()


def _stop_or_end(stop: asyncio.Event) -> None:
    """The first signal asks for an orderly end, a second one ends at once."""
    if stop.is_set():
        os._exit(130)
    stop.set()


def _port(server: uvicorn.Server) -> int:
    (listener,) = server.servers
    return int(listener.sockets[0].getsockname()[1])
