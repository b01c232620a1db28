"""What an invariant looks at: the services' databases, Kafka's topics where there are some, and the injected time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any, NamedTuple

import sqlalchemy as sa

from kit.bus import Record
from kit.db import Db

Row = sa.Row[Any]


class Found(NamedTuple):
    """How many rows were looked at, and those that break the rule, by names and ids only."""

    rows: int
    offending: list[dict[str, str]]


@dataclass(frozen=True)
class Look:
    """One look at everything; a service whose database is not there has no rows."""

    databases: Mapping[str, Db]
    now: datetime
    records: Mapping[str, Sequence[Record]] | None = None
    """Every topic, read from its beginning to its end; None where events go from database to database."""

    def table(self, service: str, name: str) -> sa.Table:
        """A table of a service, by the names in its tables.py."""
        found: sa.Table = import_module(f"services.{service}.tables").metadata.tables[name]
        return found

    async def rows(self, service: str, query: sa.Select[Any]) -> Sequence[Row]:
        """The rows that a query finds."""
        if service not in self.databases:
            return ()
        return await self.databases[service].read(lambda db: db.execute(query).all())

    async def all(self, service: str, name: str, *columns: str) -> Sequence[Row]:
        """These columns of every row of a table."""
        table = self.table(service, name)
        return await self.rows(service, sa.select(*(table.c[column] for column in columns)))

    async def count(self, service: str, table: sa.Table) -> int:
        """How many rows a table has."""
        found = await self.rows(service, sa.select(sa.func.count()).select_from(table))
        return int(found[0][0]) if found else 0


def named(**what: Any) -> dict[str, str]:
    """An offending row: what it is, by names and ids."""
    return {name: str(value) for name, value in what.items() if value is not None}


async def doubles(look: Look, service: str, name: str, *columns: str, where: Any = None) -> Found:
    """Rows of a table that share what only one may have."""
    table = look.table(service, name)
    keys = [table.c[column] for column in columns]
    condition = sa.true() if where is None else where(table)
    query = sa.select(*keys, sa.func.count().label("times")).where(condition).group_by(*keys)
    found = await look.rows(service, query.having(sa.func.count() > 1))
    rows = await look.rows(service, sa.select(sa.func.count()).select_from(table).where(condition))
    made = [named(service=service, table=name, **row._asdict()) for row in found]
    return Found(int(rows[0][0]) if rows else 0, made)


def together(*found: Found) -> Found:
    """Several looks as one."""
    return Found(sum(each.rows for each in found), [row for each in found for row in each.offending])
