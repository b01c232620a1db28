"""What `hub doctor` asks: one line per check with its verdict and, where it is not well, the fix."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.asking import Failure
from hub.databases import opened, settings_of
from hub.house import SERVICES
from kit import revisions
from kit.clock import clock_of
from kit.errors import HubError
from kit.proof import prove
from kit.settings import Settings, is_loopback, is_secret

if TYPE_CHECKING:
    from hub.verify import Check


class Line(NamedTuple):
    """One check."""

    name: str
    verdict: str
    """ok, warn or fail."""
    words: str


Lines = list[Line]


async def config(folder: Path) -> Lines:
    """Every setting with its value; reading them refuses what nobody knows."""
    found: dict[str, str] = {}
    for service in SERVICES:
        settings = settings_of(service, folder)
        found |= {name: _value(settings, name) for name in type(settings).model_fields}
    lines = [Line(f"config {name}", "ok", value) for name, value in sorted(found.items())]
    plain = Settings.load(data_dir=folder)
    if not is_loopback(plain.host) and not plain.public_url:
        lines.append(Line("config host", "warn", "served beyond loopback: set HUB_PUBLIC_URL and HUB_TRUSTED_PROXIES"))
    return lines


def _value(settings: Settings, name: str) -> str:
    value, field = getattr(settings, name), type(settings).model_fields[name]
    shown = "•••" if is_secret(field) or name == "database_url" else str(value)
    return f"{shown}  ({'default' if value == field.default else 'set'})"


async def databases(folder: Path) -> Lines:
    """Every database answers and is at the newest migration."""
    try:
        async with opened(folder) as found:
            behind = {service: await revisions.pending(service, db) for service, db in found.items()}
    except Failure as failure:
        return [Line("database", "fail", str(failure))]
    return [
        Line(f"database {service}", "fail" if late else "ok", "run `hub migrate db`" if late else "newest migration")
        for service, late in behind.items()
    ]


async def kafka(folder: Path) -> Lines:
    """Brokers answer, and every topic has the partitions of the table."""
    settings = Settings.load(data_dir=folder)
    if settings.bus != "kafka":
        return [Line("kafka", "ok", "not used: HUB_BUS is local")]
    try:
        missing = await missing_topics(settings)
    except HubError as error:
        return [Line("kafka", "fail", f"{error}; check HUB_KAFKA__SERVERS")]
    words = f"missing: {', '.join(missing)}; run `hub migrate topics`" if missing else "every topic is there"
    return [Line("kafka", "fail" if missing else "ok", words)]


async def missing_topics(settings: Settings) -> list[str]:
    """Topics of the table that the brokers do not have."""
    from contracts.topics import TOPICS
    from kit.kafka.client import administration

    async with administration(settings) as admin:
        there = set(await admin.list_topics())
    return sorted(TOPICS.keys() - there)


async def clock(folder: Path) -> Lines:
    """The clock is the machine's own, in a zone that is known."""
    settings = Settings.load(data_dir=folder)
    lines = []
    if settings.clock is not None:
        lines.append(Line("clock", "warn", f"HUB_CLOCK={settings.clock}: a test clock; unset it for real work"))
    apart = abs((clock_of(settings.clock).now() - datetime.now(UTC)).total_seconds())
    if apart > 1 and settings.clock is None:
        lines.append(Line("clock", "fail", f"{apart:.0f} s apart from the system"))
    try:
        ZoneInfo(settings.timezone)
    except ZoneInfoNotFoundError:
        lines.append(Line("clock", "fail", f"HUB_TIMEZONE={settings.timezone} is no zone, such as Europe/Berlin"))
    return lines or [Line("clock", "ok", f"system time, {settings.timezone}")]


async def chains(folder: Path) -> Lines:
    """The audit's chains hold, and say what their seals say."""
    lines = []
    async with opened(folder) as found:
        for service, db in found.items():
            proof = await prove(db, service, settings_of(service, folder).anchors_path)
            words = "; ".join(map(str, proof.breaks[:5])) or f"{proof.rows} rows hold, {proof.anchors} anchors"
            lines.append(Line(f"audit {service}", "fail" if proof.breaks else "ok", words))
    return lines


async def invariants(folder: Path) -> Lines:
    """The invariants hold."""
    from hub.verify import verify

    settings = Settings.load(data_dir=folder)
    async with opened(folder) as found:
        report = await verify(found, clock_of(settings.clock), settings if settings.bus == "kafka" else None)
    return [Line(f"invariant {each.id}", _verdict(each), each.line()[5:]) for each in report.checks]


def _verdict(check: "Check") -> str:
    """What looked at nothing proves nothing."""
    return "fail" if check.offending else "ok" if check.rows else "warn"


CHECKS: Mapping[str, Callable[[Path], Awaitable[Lines]]] = MappingProxyType(
    {
        "config": config,
        "database": databases,
        "kafka": kafka,
        "clock": clock,
        "audit": chains,
        "invariants": invariants,
    }
)


def ask(which: str, folder: Path) -> Lines:
    """The answers of one check, or of all."""
    names = [which] if which != "all" else list(CHECKS)
    return [line for name in names for line in asyncio.run(_asked(name, folder))]


async def _asked(name: str, folder: Path) -> Lines:
    try:
        return await CHECKS[name](folder)
    except Failure as failure:
        return [Line(name, "fail", str(failure))]
