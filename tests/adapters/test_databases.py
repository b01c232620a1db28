"""What both databases promise: reads refuse to write, a closed one stays closed, a lock holds up nobody else."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from kit.db import Db, database
from kit.errors import Unavailable


@pytest.fixture(params=["sqlite", "postgres"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Db:
    if request.param == "sqlite":
        return database(f"sqlite:///{tmp_path}/one.db")
    new_database: Callable[[], str] = request.getfixturevalue("new_database")
    return database(new_database())


def make(db: sa.Connection) -> None:
    db.execute(sa.text("CREATE TABLE kept (number integer PRIMARY KEY)"))


def write(db: sa.Connection) -> None:
    db.execute(sa.text("INSERT INTO kept VALUES (1)"))


def count(db: sa.Connection) -> int:
    return int(db.scalar(sa.text("SELECT count(*) FROM kept")) or 0)


async def test_a_read_that_writes_is_refused(db: Db) -> None:
    await db.transact(make)
    for ask in (db.read, db.glance):
        with pytest.raises(sa.exc.DBAPIError):
            await ask(write)
    assert await db.read(count) == 0
    await db.close()


async def test_work_that_raises_leaves_nothing(db: Db) -> None:
    def fail(connection: sa.Connection) -> None:
        write(connection)
        raise ValueError("no")

    await db.transact(make)
    with pytest.raises(ValueError, match="no"):
        await db.transact(fail)
    await db.transact(write)
    assert await db.glance(count) == 1
    await db.close()


async def test_a_commit_that_fails_leaves_no_transaction_behind(tmp_path: Path) -> None:
    db = database(f"sqlite:///{tmp_path}/one.db")
    deferred = "CREATE TABLE child (number integer REFERENCES kept (number) DEFERRABLE INITIALLY DEFERRED)"
    await db.transact(make)
    await db.transact(lambda connection: connection.execute(sa.text(deferred)))
    with pytest.raises(sa.exc.IntegrityError):
        await db.transact(lambda connection: connection.execute(sa.text("INSERT INTO child VALUES (7)")))
    await db.transact(write)
    assert await db.read(count) == 1
    await db.close()


async def test_a_file_that_somebody_else_writes_holds_up_nobody_but_the_writer(tmp_path: Path) -> None:
    db = database(f"sqlite:///{tmp_path}/one.db")
    await db.transact(make)
    other = sqlite3.connect(tmp_path / "one.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(db.transact(write))
    for _ in range(5):  # the loop turns, and reads are answered, while the writer waits
        assert (await db.read(count), await db.glance(count), waiting.done()) == (0, 0, False)
    other.execute("COMMIT")
    other.close()
    await waiting
    assert await db.read(count) == 1
    await db.close()


async def test_a_closed_file_is_not_opened_again(tmp_path: Path) -> None:
    db = database(f"sqlite:///{tmp_path}/one.db")
    await db.transact(make)
    await db.close()
    await db.close()
    with pytest.raises(Unavailable):
        await db.transact(write)
