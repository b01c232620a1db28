"""A database is two calls, `transact(work)` and `read(work)`: work is one synchronous function over a connection."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, Protocol, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kit.errors import Unavailable
from kit.rows import on_sqlite
from kit.tables import kernel
from kit.types import Choice, Id, Json, Serial, Utc

__all__ = ["Choice", "Db", "Id", "Json", "Postgres", "Serial", "Sqlite", "Utc", "database", "kernel"]

T = TypeVar("T")
Work = Callable[[sa.Connection], T]

POSTGRES_LIMITS = {
    "statement_timeout": "30000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "30000",
    "timezone": "UTC",
}
SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=20",
    "wal_autocheckpoint=4000",
    "journal_size_limit=67108864",
)
LOCKED_SECONDS, LOCKED_STEP = 5.0, 0.02
"""How long a file that another process writes is waited for, and how long between two tries."""
READ_ONLY = ("busy_timeout=5000", "query_only=ON")


class Db(Protocol):
    """One service's database. What `transact` did is on the disk when it returns, and undone when it raises."""

    dialect: sa.Dialect
    url: sa.URL

    async def transact(self, work: Work[T]) -> T: ...

    async def read(self, work: Work[T]) -> T:
        """Read-only, beside the writer."""

    async def glance(self, work: Work[T]) -> T:
        """Read a few rows that an index finds: shorter than a hop to another thread."""

    async def close(self) -> None: ...


class Postgres:
    """Work runs in a greenlet of the event loop: it reads as if it waited, and others go on meanwhile.

    Reads have connections of their own, which refuse to write and need no BEGIN and no COMMIT.
    """

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.url = sa.make_url(url)
        options: dict[str, Any] = {
            "pool_size": pool_size,
            "max_overflow": 5,
            "json_serializer": _as_it_is,
            "json_deserializer": _as_it_is,
        }
        self.engine = create_async_engine(url, **options, connect_args={"server_settings": POSTGRES_LIMITS})
        limits = POSTGRES_LIMITS | {"default_transaction_read_only": "on"}
        self.reader = create_async_engine(
            url, **options, isolation_level="AUTOCOMMIT", connect_args={"server_settings": limits}
        )
        self.dialect = self.engine.dialect

    async def transact(self, work: Work[T]) -> T:
        async with self.engine.begin() as db:
            return await db.run_sync(work)

    async def read(self, work: Work[T]) -> T:
        async with self.reader.connect() as db:
            return await db.run_sync(work)

    async def glance(self, work: Work[T]) -> T:
        return await self.read(work)

    async def close(self) -> None:
        await self.engine.dispose()
        await self.reader.dispose()


class Sqlite:
    """Work runs where it is asked for: a transaction is shorter than the way to another thread and back.

    Threads of one process share an interpreter lock that SQLite gives away at every statement; handing it round took
    a third of an embedded rollout's processor time (docs/adr/0009). Only reads, which may be long, have a thread; the
    caller's context (trace, log fields) goes along.
    """

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self._writer = _Hand(self.url, "BEGIN IMMEDIATE", *SQLITE_PRAGMAS)
        self._glancer, self._reader = _Hand(self.url, "", *READ_ONLY), _Hand(self.url, "BEGIN", *READ_ONLY)
        self._thread = ThreadPoolExecutor(1, "sqlite-read")
        self.dialect = self._writer.engine.dialect

    async def transact(self, work: Work[T]) -> T:
        end, wait = time.monotonic() + LOCKED_SECONDS, 0.0
        while True:
            await asyncio.sleep(wait)  # everybody else gets a turn between two transactions
            try:
                begun = self._writer.begin()
            except sa.exc.OperationalError:  # another process writes; its lock must not hold up the loop
                if time.monotonic() >= end:
                    raise
                wait = LOCKED_STEP
            else:
                return self._writer.finish(begun, work)

    async def glance(self, work: Work[T]) -> T:
        return self._glancer.look(work)

    async def read(self, work: Work[T]) -> T:
        return await self._reading(lambda: self._reader.finish(self._reader.begin(), work))

    async def close(self) -> None:
        if self._writer.closed:
            return
        self._writer.close()
        self._glancer.close()
        await self._reading(self._reader.close)
        self._thread.shutdown()

    async def _reading(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(copy_context().run, work))


class _Hand:
    """One connection, which stays: taking it out of a pool cost more than a small transaction."""

    def __init__(self, url: sa.URL, begin: str, *pragmas: str) -> None:
        self.engine = _engine(url, begin, *pragmas)
        self._connection: sa.Connection | None = None
        self.closed = False

    def begin(self) -> sa.RootTransaction:
        return self._connected().begin()

    def look(self, work: Work[T]) -> T:
        """Work without a transaction: every statement sees what was committed before it."""
        db = self._connected()
        try:
            return work(db)
        finally:
            if db.in_transaction():  # SQLAlchemy's own idea of one; the driver has none
                db.rollback()

    def _connected(self) -> sa.Connection:
        if self.closed:
            raise Unavailable("the database is closed")
        if self._connection is None:
            self._connection = self.engine.connect()
        return self._connection

    def finish(self, begun: sa.RootTransaction, work: Work[T]) -> T:
        db = begun.connection
        try:
            with begun:
                return work(db)
        except BaseException:
            if (driver := db.connection.dbapi_connection) is not None and driver.in_transaction:
                driver.rollback()  # a COMMIT that failed leaves the transaction open
            raise

    def close(self) -> None:
        self.closed = True
        if self._connection is not None:
            self._connection.close()
        self.engine.dispose()


def database(url: str, pool_size: int = 10) -> Db:
    """Open the database of one service: `sqlite:///file` or `postgresql+asyncpg://…`."""
    return cast("Db", Sqlite(url) if url.startswith("sqlite") else Postgres(url, pool_size))


def _engine(url: sa.URL, begin: str, *pragmas: str) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"check_same_thread": False}, poolclass=sa.StaticPool)

    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    sa.event.listen(engine, "connect", prepare)
    if begin:
        sa.event.listen(engine, "begin", lambda db: on_sqlite(db, begin))
    return engine


def _as_it_is(value: str) -> str:
    """Our JSON columns are text already (kit/types.py)."""
    return value
