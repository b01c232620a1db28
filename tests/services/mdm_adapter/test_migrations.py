"""The migrations of mdm_adapter make the tables that tables.py describes."""

from pathlib import Path

import sqlalchemy as sa

from kit import migrate
from kit.db import database
from services.mdm_adapter.tables import metadata


async def test_an_empty_database_gets_every_table_and_column(tmp_path: Path) -> None:
    db = database(f"sqlite:///{tmp_path}/mdm_adapter.db")
    await migrate.upgrade("mdm_adapter", db)

    def columns(connection: sa.Connection) -> dict[str, set[str]]:
        found = sa.inspect(connection)
        return {name: {column["name"] for column in found.get_columns(name)} for name in found.get_table_names()}

    made = await db.read(columns)
    await db.close()
    wanted = {table.name: {column.name for column in table.c} for table in metadata.sorted_tables}
    assert {name: made.get(name) for name in wanted} == wanted
