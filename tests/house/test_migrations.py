"""The migrations of every service lead to exactly the tables that its code has."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hub.house import SERVICES
from kit import migrate, revisions
from kit.db import database


async def differences(service: str, metadata: sa.MetaData, folder: Path) -> list[Any]:
    """What a database at the newest migration has otherwise than the tables."""
    db = database(f"sqlite:///{folder}/{service}.db")

    def compare(connection: sa.Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), metadata))

    try:
        await migrate.upgrade(service, db)
        assert not await revisions.pending(service, db)
        return await db.transact(compare)
    finally:
        await db.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_the_newest_migration_has_the_tables_of_the_code(service: str, tmp_path: Path) -> None:
    metadata = import_module(f"services.{service}.tables").metadata
    assert await differences(service, metadata, tmp_path) == []


async def test_a_table_or_a_column_without_migration_is_found(tmp_path: Path) -> None:
    planted = sa.MetaData()
    for table in import_module("services.case_service.tables").metadata.tables.values():
        table.to_metadata(planted)
    sa.Table("forgotten", planted, sa.Column("id", sa.Integer, primary_key=True))
    planted.tables["remarks"].append_column(sa.Column("new", sa.Text))
    found = await differences("case_service", planted, tmp_path)
    assert sorted(each[0] for each in found) == ["add_column", "add_table"]
