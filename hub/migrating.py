"""Bringing every database and topic of an installation to the shape that the code expects."""

from pathlib import Path

import typer

from hub.asking import UNREACHABLE, Failure
from hub.databases import opened
from hub.doctor import missing_topics
from hub.house import SERVICES
from kit import migrate, revisions
from kit.errors import Unavailable
from kit.settings import Settings


async def migrate_databases(folder: Path, service: str | None, check: bool) -> list[str]:
    """Apply what is pending, service by service, or with `check` only name it."""
    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"{service}: one of {', '.join(SERVICES)}")
    done = []
    async with opened(folder, [service] if service else SERVICES, new=True) as databases:
        for name, db in databases.items():
            if await revisions.pending(name, db):
                done.append(f"database of {name}")
                if not check:
                    await migrate.upgrade(name, db)
    return done


async def migrate_topics(folder: Path, check: bool) -> list[str]:
    """Make missing topics. The local bus has none: a topic is there with its owner's tables."""
    settings = Settings.load(data_dir=folder)
    if settings.bus != "kafka":
        return []
    from contracts.topics import TOPICS
    from kit.kafka import KafkaBus

    try:
        missing = await missing_topics(settings)
        if not check:
            await KafkaBus(settings).provision(TOPICS.values())
    except Unavailable as error:
        raise Failure(UNREACHABLE, f"{error}; check HUB_KAFKA__SERVERS") from error
    return [f"topic {name}" for name in missing]
