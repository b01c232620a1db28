"""The migrations make what tables.py describes."""

from pathlib import Path

import sqlalchemy as sa

from kit.db import database
from kit.migrate import upgrade
from kit.revisions import pending
from services.cockpit_service.tables import metadata

SERVICE = "cockpit_service"


def shape(db: sa.Connection) -> dict[str, object]:
    """Tables with their columns, and indexes."""
    found = db.execute(sa.text("SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2")).all()
    inspector = sa.inspect(db)
    columns = {
        table: sorted((each["name"], str(each["type"]), each["nullable"]) for each in inspector.get_columns(table))
        for table in metadata.tables
    }
    things = [(row.type, row.name, row.tbl_name) for row in found if row.tbl_name != "alembic_version"]
    return {"things": things, "columns": columns}


async def test_the_migrations_make_what_the_tables_say(tmp_path: Path) -> None:
    db, made = database(f"sqlite:///{tmp_path}/migrated.db"), database(f"sqlite:///{tmp_path}/made.db")
    await upgrade(SERVICE, db, metadata=metadata)
    await made.transact(metadata.create_all)
    assert await db.read(shape) == await made.read(shape)
    assert not await pending(SERVICE, db)
    await db.close()
    await made.close()
