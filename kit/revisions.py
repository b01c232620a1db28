"""Whether a database has the shape that the code expects; asked at every start, so without Alembic and its memory."""

from importlib.resources import files
from pathlib import Path

import sqlalchemy as sa

from kit.db import Db

_TABLE = sa.table("alembic_version", sa.column("version_num"))


def versions(service: str) -> Path:
    """The folder of a service's migrations."""
    return Path(str(files(f"services.{service}") / "migrations" / "versions"))


def newest(service: str) -> str:
    """The revision that the code expects: the highest number in front of a migration's name."""
    return max(path.name.partition("_")[0] for path in versions(service).glob("[0-9]*.py"))


async def pending(service: str, db: Db) -> bool:
    """Whether the database is behind the code."""
    head = newest(service)
    return await db.read(lambda connection: _current(connection) != head)


def _current(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_TABLE.name):
        return None
    return connection.scalar(sa.select(_TABLE.c.version_num))
