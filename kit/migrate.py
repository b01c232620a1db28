"""Bringing a service's database to its present shape: Alembic, one history per service.

`python -m kit.migrate new case_service "what changes"` writes the next migration by comparing tables and database.
"""

import asyncio
import sys
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any, Literal

import sqlalchemy as sa
from alembic import command, context
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config

from kit.db import Db, database
from kit.revisions import versions
from kit.types import Choice, Id, Json, Keys, Utc

LOCK_TIMEOUT = "2s"


async def upgrade(service: str, db: Db, *, metadata: sa.MetaData | None = None) -> None:
    """Apply what is pending, in one transaction."""
    await db.transact(lambda connection: command.upgrade(_config(service, connection, metadata), "head"))


def run() -> None:
    """What every service's migrations/env.py does."""
    connection, metadata = context.config.attributes["connection"], context.config.attributes["metadata"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_item=_render,
        compare_type=False,
        render_as_batch=False,
        transaction_per_migration=False,
    )
    context.run_migrations()


async def new(service: str, message: str) -> None:
    """Write the next migration: the difference between tables.py and a database at head."""
    metadata = import_module(f"services.{service}.tables").metadata
    with TemporaryDirectory() as folder:
        db = database(f"sqlite:///{folder}/scratch.db")
        await upgrade(service, db)
        number = len(list(versions(service).glob("[0-9]*.py"))) + 1

        def write(connection: sa.Connection) -> None:
            config = _config(service, connection, metadata)
            command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")

        await db.transact(write)
        await db.close()


def _config(service: str, connection: sa.Connection | None, metadata: sa.MetaData | None) -> Config:
    config = Config(attributes={"connection": connection, "metadata": metadata})
    config.set_main_option("script_location", str(versions(service).parent))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("path_separator", "os")
    return config


def _render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Our column types by the name that they have in kit/types.py; what they hold is no matter of the database."""
    if kind != "type" or not isinstance(item, Id | Utc | Json | Choice | Keys):
        return False
    autogen.imports.add("from kit.types import Id, Json, Utc")
    if isinstance(item, Choice):
        return "sa.Text()"
    return f"{type(item).__name__}()"


if __name__ == "__main__":
    asyncio.run(new(sys.argv[2], sys.argv[3]))
