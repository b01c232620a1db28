"""Many rows in one statement, alike on both databases: constant SQL text, so that it stays prepared.

PostgreSQL binds one array per column (`unnest`), SQLite runs `executemany`, or reads JSON where rows come back. What
runs on SQLite goes straight to the driver: the way through SQLAlchemy costs more than the statement (docs/adr/0012).
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, cast
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from contracts.ids import text_of
from kit.types import Id, Keys, Utc, is_sqlite

Rows = Sequence[tuple[Any, ...]]
Bind = Callable[[Any], Any]
Query = sa.Select[Any] | sa.CompoundSelect[Any]
How = tuple[tuple[int, Bind], ...]
"""Which values of a row are converted: place and converter; the others stay as they are."""
_UTC = Utc()
_kept = lru_cache(maxsize=4096)
"""More than all services have tables in one process: what is forgotten must be made again for every statement."""


class one_of(FunctionElement[bool]):  # noqa: N801 - reads as a condition: where(one_of(cases.c.id, "ids"))
    """Whether a column holds one of the keys bound under a name; one constant statement for any number of keys."""

    type = sa.Boolean()
    inherit_cache = True
    postgres, sqlite = "{column} = ANY ({keys})", "{column} IN (SELECT value FROM json_each({keys}))"

    def __init__(self, column: sa.ColumnElement[Any], name: str) -> None:
        super().__init__(column, sa.bindparam(name, type_=Keys(column.type)))

    def self_group(self, against: Any = None) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        """As it is: `= 1` behind it would keep SQLite from using the column's index."""
        return self


class none_of(one_of):  # noqa: N801
    """Whether a column holds none of them: looked up in a set, however the database plans it."""

    inherit_cache = True
    postgres, sqlite = (
        "{column} NOT IN (SELECT unnest({keys}))",
        "{column} NOT IN (SELECT value FROM json_each({keys}))",
    )


def said(column: sa.ColumnElement[str], values: Iterable[str]) -> sa.ColumnElement[bool]:
    """Whether a column holds one of these words of ours, said in the statement itself.

    Where they were bound, SQLite would not see that a partial index has these rows.
    """
    return column.in_([sa.literal_column(f"'{value}'") for value in values])


@compiles(one_of)
@compiles(none_of)
def _condition(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, keys = (compiler.process(clause, **options) for clause in element.clauses)
    text = element.sqlite if is_sqlite(compiler.dialect) else element.postgres
    return text.format(column=column, keys=keys)


@_kept
def binders(dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...]) -> How:
    """How the values of these columns are made ready for the driver."""
    kinds = [table.c[name].type for name in columns]
    return _how(_binder(kind, dialect) if _converts(kind) else None for kind in kinds)


@_kept
def readers(dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...]) -> How:
    """How the values of these columns are made ours when the driver gave them raw."""
    return _how(_reader(table.c[name].type, dialect) for name in columns)


def _how(converters: Iterable[Bind | None]) -> How:
    return tuple((at, convert) for at, convert in enumerate(converters) if convert is not None)


def raw(table: sa.Table, columns: Sequence[str] = ()) -> sa.Select[Any]:
    """Select these columns, or all of them, as the driver gives them."""
    wanted = [table.c[name] for name in columns] or table.c
    return sa.select(*(sa.type_coerce(column, sa.types.NullType()).label(column.name) for column in wanted))


def bound(values: Iterable[Any], how: How) -> tuple[Any, ...]:
    """The values of a row, converted."""
    made = list(values)
    for at, convert in how:
        made[at] = convert(made[at])
    return tuple(made)


def insert(db: sa.Connection, table: sa.Table, columns: tuple[str, ...], rows: Rows) -> None:
    """Insert bound rows, in their order."""
    _run(db, _insert_sql(db.dialect, table, columns), rows)


def insert_new(
    db: sa.Connection, table: sa.Table, columns: tuple[str, ...], rows: Rows, returning: str, *, add: str | None = None
) -> Sequence[Sequence[Any]]:
    """Insert bound rows that can be said in JSON; those whose primary key exists are left alone, or have `add` added.

    Returns the column `returning` of what was written (with `add`: the whole key and the sum).
    """
    if not rows:
        return []
    sql = _insert_new_sql(db.dialect, table, columns, returning, add)
    if is_sqlite(db.dialect):
        return _fetched(db, sql, (orjson.dumps(rows).decode(),))
    return db.exec_driver_sql(sql, tuple(zip(*rows, strict=True))).all()


def upsert(db: sa.Connection, table: sa.Table, columns: tuple[str, ...], rows: Rows, *, keep: str = "") -> None:
    """Insert bound rows; those whose primary key exists are overwritten. `keep` names a column that only grows."""
    _run(db, _upsert_sql(db.dialect, table, columns, keep), rows)


def update(db: sa.Connection, table: sa.Table, columns: tuple[str, ...], rows: Rows, where: tuple[str, ...]) -> int:
    """Set `columns` by bound rows of (columns…, where…); returns how many rows were met."""
    return _run(db, _update_sql(db.dialect, table, columns, where), rows)


def delete(db: sa.Connection, table: sa.Table, where: tuple[str, ...], rows: Rows) -> int:
    """Delete by bound rows of (where…)."""
    return _run(db, _delete_sql(db.dialect, table, where), rows)


def _run(db: sa.Connection, sql: str, rows: Rows) -> int:
    if not rows:
        return 0
    if is_sqlite(db.dialect):
        return on_sqlite(db, sql, rows, many=True).rowcount
    return db.exec_driver_sql(sql, tuple(map(list, zip(*rows, strict=True)))).rowcount


def fetch(db: sa.Connection, query: Query, asked: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    """Ask a constant query for columns whose raw values will do: on SQLite nothing is converted (`raw`)."""
    if not is_sqlite(db.dialect):
        return db.execute(query, asked).all()
    sql, binds = _positional(query, db.dialect)
    return _fetched(db, sql, [bind(asked[name] if given is None else given) for name, given, bind in binds])


def instants(db: sa.Connection, query: Query, **asked: Any) -> list[datetime | None]:
    """The instants in the first column of a constant query."""
    return [_UTC.process_result_value(row[0], db.dialect) for row in fetch(db, query, asked)]


def on_sqlite(db: sa.Connection, sql: str, values: Sequence[Any] = (), *, many: bool = False) -> sqlite3.Cursor:
    """Run a statement with values for its question marks; `many`: once for each row of values."""
    cursor: sqlite3.Cursor = db.connection.cursor()  # type: ignore[assignment]
    try:
        return cursor.executemany(sql, values) if many else cursor.execute(sql, values)
    except sqlite3.Error as error:
        raise _ours(error, db, sql) from error


def _fetched(db: sa.Connection, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
    cursor = on_sqlite(db, sql, values)
    try:
        return cursor.fetchall()
    except sqlite3.Error as error:  # SQLite reads on while rows are fetched
        raise _ours(error, db, sql) from error


def _ours(error: sqlite3.Error, db: sa.Connection, sql: str) -> BaseException:
    """The exception that SQLAlchemy would raise, without the values."""
    made = sa.exc.DBAPIError.instance(sql, None, error, sqlite3.Error, hide_parameters=True, dialect=db.dialect)
    return cast("BaseException", made)


@_kept
def _positional(query: Query, dialect: sa.Dialect) -> tuple[str, Sequence[tuple[str, Any, Bind]]]:
    """A query's text, and for each question mark its name, the value that the query gives itself, its converter."""
    made = query.compile(dialect=dialect)
    names = made.positiontup or ()
    kinds = [made.binds[name].type for name in names]
    binds = [_binder(kind, dialect) if _converts(kind) else None for kind in kinds]
    return made.string, [(name, made.params[name], bind or _as_it_is) for name, bind in zip(names, binds, strict=True)]


def _as_it_is(value: Any) -> Any:
    return value


def _converts(kind: sa.types.TypeEngine[Any]) -> bool:
    return not isinstance(kind, sa.Text | sa.Integer | sa.LargeBinary | sa.Boolean)


def _binder(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Bind | None:
    if isinstance(kind, Id):
        return _text if is_sqlite(dialect) else None  # PostgreSQL's driver takes it as it is
    if isinstance(kind, sa.types.TypeDecorator):  # ours leave nothing to the type beneath
        return partial(kind.process_bind_param, dialect=dialect)
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Bind | None:
    if isinstance(kind, Id):
        return _uuid if is_sqlite(dialect) else None
    if isinstance(kind, sa.Float):
        return None  # both drivers give floats; SQLAlchemy would first ask for the driver's type number
    if isinstance(kind, sa.types.TypeDecorator):
        return partial(kind.process_result_value, dialect=dialect)
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _text(value: UUID | None) -> str | None:
    return None if value is None else text_of(value)


def _uuid(value: str | None) -> UUID | None:
    return None if value is None else UUID(value)


def _quoted(dialect: sa.Dialect, names: Sequence[str]) -> list[str]:
    return [dialect.identifier_preparer.quote(name) for name in names]


def _arrays(dialect: sa.Dialect, table: sa.Table, columns: Sequence[str]) -> str:
    kinds = [table.c[name].type.compile(dialect).replace("BIGSERIAL", "BIGINT") for name in columns]
    return "unnest(" + ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(kinds, 1)) + ")"


@_kept
def _insert_sql(dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...]) -> str:
    into = f"INSERT INTO {table.name} ({', '.join(_quoted(dialect, columns))})"
    if is_sqlite(dialect):
        return f"{into} VALUES ({', '.join('?' * len(columns))})"
    return f"{into} SELECT * FROM {_arrays(dialect, table, columns)}"  # noqa: S608 - names of our own tables


@_kept
def _insert_new_sql(
    dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...], returning: str, add: str | None
) -> str:
    into = f"INSERT INTO {table.name} ({', '.join(_quoted(dialect, columns))})"
    if is_sqlite(dialect):  # without WHERE true the parser reads ON CONFLICT as a join
        values = ", ".join(f"value->>{number}" for number in range(len(columns)))
        source = f"SELECT {values} FROM json_each(?) WHERE true"  # noqa: S608
    else:
        source = f"SELECT * FROM {_arrays(dialect, table, columns)}"  # noqa: S608
    key = ", ".join(_quoted(dialect, [column.name for column in table.primary_key]))
    if add is None:
        return f"{into} {source} ON CONFLICT DO NOTHING RETURNING {returning}"
    sums = f"DO UPDATE SET {add} = {table.name}.{add} + excluded.{add}"
    return f"{into} {source} ON CONFLICT ({key}) {sums} RETURNING {key}, {add}"


@_kept
def _upsert_sql(dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...], keep: str) -> str:
    key = [column.name for column in table.primary_key]
    rest = _quoted(dialect, [name for name in columns if name not in key])
    greatest = "max" if is_sqlite(dialect) else "greatest"
    sets = ", ".join(
        f"{name} = {greatest}({table.name}.{name}, excluded.{name})" if name == keep else f"{name} = excluded.{name}"
        for name in rest
    )
    on = f"ON CONFLICT ({', '.join(_quoted(dialect, key))}) DO UPDATE SET {sets}"
    return f"{_insert_sql(dialect, table, columns)} {on}"


@_kept
def _update_sql(dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...], where: tuple[str, ...]) -> str:
    if is_sqlite(dialect):
        sets = ", ".join(f"{name} = ?" for name in _quoted(dialect, columns))
        met = " AND ".join(f"{name} = ?" for name in _quoted(dialect, where))
        return f"UPDATE {table.name} SET {sets} WHERE {met}"  # noqa: S608
    new = [f"c{number}" for number in range(len(columns) + len(where))]
    sets = ", ".join(f"{name} = u.{value}" for name, value in zip(_quoted(dialect, columns), new, strict=False))
    met = " AND ".join(
        f"t.{name} = u.{value}" for name, value in zip(_quoted(dialect, where), new[len(columns) :], strict=True)
    )
    source = f"{_arrays(dialect, table, (*columns, *where))} AS u({', '.join(new)})"
    return f"UPDATE {table.name} AS t SET {sets} FROM {source} WHERE {met}"  # noqa: S608


@_kept
def _delete_sql(dialect: sa.Dialect, table: sa.Table, where: tuple[str, ...]) -> str:
    names = _quoted(dialect, where)
    if is_sqlite(dialect):
        return f"DELETE FROM {table.name} WHERE {' AND '.join(f'{name} = ?' for name in names)}"  # noqa: S608
    new = [f"c{number}" for number in range(len(where))]
    met = " AND ".join(f"t.{name} = u.{value}" for name, value in zip(names, new, strict=True))
    source = f"{_arrays(dialect, table, where)} AS u({', '.join(new)})"
    return f"DELETE FROM {table.name} AS t USING {source} WHERE {met}"  # noqa: S608
