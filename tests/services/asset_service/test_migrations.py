"""The migrations make what tables.py describes, and with it the refusal to change the ledger."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from kit.db import Db, database
from kit.migrate import upgrade
from kit.revisions import pending
from services.asset_service.tables import metadata

SERVICE = "asset_service"


def shape(db: sa.Connection) -> dict[str, object]:
    """Tables with their columns, indexes and triggers."""
    found = db.execute(sa.text("SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2")).all()
    inspector = sa.inspect(db)
    columns = {
        table: sorted((each["name"], str(each["type"]), each["nullable"]) for each in inspector.get_columns(table))
        for table in metadata.tables
    }
    things = [(row.type, row.name, row.tbl_name) for row in found if row.tbl_name != "alembic_version"]
    return {"things": things, "columns": columns}


async def migrated(folder: Path) -> Db:
    db = database(f"sqlite:///{folder}/migrated.db")
    await upgrade(SERVICE, db, metadata=metadata)
    return db


async def test_the_migrations_make_what_the_tables_say(tmp_path: Path) -> None:
    db, made = await migrated(tmp_path), database(f"sqlite:///{tmp_path}/made.db")
    await made.transact(metadata.create_all)
    assert await db.read(shape) == await made.read(shape)
    assert not await pending(SERVICE, db)
    await db.close()
    await made.close()


async def test_a_migrated_database_refuses_to_change_the_ledger(tmp_path: Path) -> None:
    db = await migrated(tmp_path)
    line = (
        "INSERT INTO movements (movement_id, document, at, booked_at, kind, device_id, from_location, to_location,"
        " state_from, state_to, actor) VALUES (1, 'd', 't', 't', 'pick', 'x', 'y', 'z', 'a', 'b', 'c')"
    )

    def book(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.exec_driver_sql(line)
        connection.exec_driver_sql("DELETE FROM movements")

    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        await db.transact(book)
    await db.close()
