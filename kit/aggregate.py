"""What changes as a whole: an aggregate, the keys it is found by, and how its kind is loaded and written in bulk."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from contracts.event import Event
from kit import rows
from kit.errors import Conflict
from kit.types import Id

Snapshot = Mapping[str, Mapping[tuple[Any, ...], tuple[Any, ...]]]
"""Table name to the rows that are in the database, as the driver takes them: a child's by its key, the root by ()."""


@dataclass(kw_only=True, eq=False)
class Aggregate:
    """What changes as a whole. It records each fact at the moment it becomes true."""

    version: int = 0
    told: list[Event] = field(default_factory=list, repr=False)
    loaded: Snapshot | None = field(default=None, repr=False)
    """What the database holds of it; None while it is new."""

    def key(self) -> str:
        """The primary key as text."""
        raise TypeError(f"{type(self).__name__} names no key")

    def keys(self) -> Iterable[str]:
        """All keys under which it is found."""
        return (self.key(),)


A = TypeVar("A", bound=Aggregate)
Ref = tuple[type[Aggregate], str]


class Children:
    """A list inside an aggregate, kept in a table of its own."""

    def __init__(self, attribute: str, kind: type[Any], table: sa.Table, *, parent: str) -> None:
        self.attribute, self.kind, self.table, self.parent = attribute, kind, table, parent
        held = {each.name for each in fields(kind)}
        self.columns = tuple(column.name for column in table.c)
        self.own = tuple(name for name in self.columns if name in held)  # the parent's key may be only in the table
        order = [column for column in table.primary_key if column.name != parent]
        self.select = sa.select(table).where(rows.one_of(table.c[parent], "keys")).order_by(table.c[parent], *order)


class Alias:
    """Another key of an aggregate: a column, and beside it in the same table the aggregate's primary key."""

    def __init__(self, column: sa.Column[Any], root: sa.Column[Any]) -> None:
        self.column = column
        self.select = sa.select(column.label("alias"), root.label("root")).where(rows.one_of(column, "keys"))


class Mapped(Generic[A]):
    """How one kind of aggregate is loaded and written: a statement per table, however many aggregates.

    Fields of the dataclass are columns of the same name; a field without a column is transient. The root's table has
    a column `version`, which decides who was first.
    """

    def __init__(
        self, kind: type[A], table: sa.Table, *, children: Sequence[Children] = (), aliases: Sequence[Alias] = ()
    ) -> None:
        self.kind, self.table, self.children, self.aliases = kind, table, children, aliases
        (self.primary,) = table.primary_key
        self.columns = tuple(column.name for column in table.c)
        if missing := set(self.columns) - {each.name for each in fields(kind)}:
            raise TypeError(f"{kind.__name__} has no field for the columns {sorted(missing)} of {table.name}")
        wanted = rows.one_of(self.primary, "keys")
        self.select = sa.select(table).where(wanted).order_by(self.primary).with_for_update()

    def load(self, db: sa.Connection, keys: Sequence[str]) -> Mapping[str, A]:
        """What exists under these keys; roots are locked in key order."""
        found = self._load_roots(db, keys)
        missing = [key for key in keys if key not in found]
        roots_of = self._resolve(db, missing) if missing and self.aliases else {}
        if others := sorted(set(roots_of.values()) - found.keys()):
            found |= self._load_roots(db, others)
        return found | {key: found[root] for key, root in roots_of.items() if root in found}

    def save(self, db: sa.Connection, aggregates: Sequence[A], removed: Sequence[A] = ()) -> None:
        """Write what differs from what was loaded; raises Conflict where another transaction was first."""
        now = [(each, self._rows(db.dialect, each)) for each in aggregates]
        changed = [(each, new) for each, new in now if each.loaded is None or dict(each.loaded) != new]
        for child in reversed(self.children):
            self._delete_gone(db, child, changed, removed)
        self._delete_roots(db, removed)
        self._write_roots(db, changed)
        for child in self.children:
            self._write_children(db, child, changed)
        for each, new in changed:
            each.version += 1
            each.loaded = new

    def _load_roots(self, db: sa.Connection, keys: Sequence[str]) -> dict[str, A]:
        fitting = [key for key in keys if _fits(self.primary, key)]
        if not fitting:
            return {}
        roots = [dict(zip(self.columns, root, strict=True)) for root in db.execute(self.select, {"keys": fitting})]
        ids = [root[self.primary.name] for root in roots]
        lists = {child.attribute: self._load_children(db, child, ids) for child in self.children} if ids else {}
        found = {}
        for root in roots:
            inside: dict[str, Any] = {name: of.get(root[self.primary.name], []) for name, of in lists.items()}
            aggregate = self.kind(**root, **inside)
            aggregate.loaded = self._rows(db.dialect, aggregate)
            found[str(root[self.primary.name])] = aggregate
        return found

    def _load_children(self, db: sa.Connection, child: Children, ids: Sequence[Any]) -> dict[Any, list[Any]]:
        inside: dict[Any, list[Any]] = {}
        for values in db.execute(child.select, {"keys": ids}):
            row = dict(zip(child.columns, values, strict=True))
            own = {name: row[name] for name in child.own}
            inside.setdefault(row[child.parent], []).append(child.kind(**own))
        return inside

    def _resolve(self, db: sa.Connection, keys: Sequence[str]) -> dict[str, str]:
        roots: dict[str, str] = {}
        for alias in self.aliases:
            if fitting := [key for key in keys if _fits(alias.column, key)]:
                roots |= {str(row.alias): str(row.root) for row in db.execute(alias.select, {"keys": fitting})}
        return roots

    def _rows(self, dialect: sa.Dialect, aggregate: A) -> dict[str, dict[tuple[Any, ...], tuple[Any, ...]]]:
        """The aggregate as rows for the driver, by table; the version is left to the writing."""
        how = rows.binders(dialect, self.table, self.columns)
        values = [None if name == "version" else getattr(aggregate, name) for name in self.columns]
        mine: dict[str, dict[tuple[Any, ...], tuple[Any, ...]]] = {self.table.name: {(): rows.bound(values, how)}}
        for child in self.children:
            mine[child.table.name] = self._child_rows(dialect, child, aggregate)
        return mine

    def _child_rows(self, dialect: sa.Dialect, child: Children, aggregate: A) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        how = rows.binders(dialect, child.table, child.columns)
        at = [child.columns.index(column.name) for column in child.table.primary_key]
        parent = getattr(aggregate, self.primary.name)
        made = {}
        for each in getattr(aggregate, child.attribute):
            values = [parent if name == child.parent else getattr(each, name) for name in child.columns]
            row = rows.bound(values, how)
            made[tuple(row[position] for position in at)] = row
        return made

    def _write_roots(self, db: sa.Connection, changed: Sequence[tuple[A, Snapshot]]) -> None:
        version = self.columns.index("version")
        new, old = [], []
        for each, made in changed:
            (row,) = made[self.table.name].values()
            row = (*row[:version], each.version + 1, *row[version + 1 :])
            if each.loaded is None:
                new.append(row)
            else:
                old.append((*row, row[self.columns.index(self.primary.name)], each.version))
        rows.insert(db, self.table, self.columns, new)
        if old and rows.update(db, self.table, self.columns, old, (self.primary.name, "version")) < len(old):
            raise Conflict(f"another transaction changed a {self.kind.__name__} first")

    def _write_children(self, db: sa.Connection, child: Children, changed: Sequence[tuple[A, Snapshot]]) -> None:
        name, new, old = child.table.name, [], []
        key = tuple(column.name for column in child.table.primary_key)
        for each, made in changed:
            before = each.loaded[name] if each.loaded else {}
            for primary, row in made[name].items():
                if primary not in before:
                    new.append(row)
                elif before[primary] != row:
                    old.append((*row, *primary))
        rows.update(db, child.table, child.columns, old, key)
        rows.insert(db, child.table, child.columns, new)

    def _delete_gone(
        self, db: sa.Connection, child: Children, changed: Sequence[tuple[A, Snapshot]], removed: Sequence[A]
    ) -> None:
        name = child.table.name
        gone = [key for each, made in changed if each.loaded for key in each.loaded[name] if key not in made[name]]
        gone += [key for each in removed if each.loaded for key in each.loaded[name]]
        rows.delete(db, child.table, tuple(column.name for column in child.table.primary_key), gone)

    def _delete_roots(self, db: sa.Connection, removed: Sequence[A]) -> None:
        (how,) = rows.binders(db.dialect, self.table, (self.primary.name,))
        keys = [rows.bound((getattr(each, self.primary.name),), (how,)) for each in removed if each.loaded]
        rows.delete(db, self.table, (self.primary.name,), keys)


def _fits(column: sa.ColumnElement[Any], key: str) -> bool:
    """Whether the text can be a value of the column; a partner's order number is no UUID."""
    if not isinstance(column.type, Id):
        return True
    return _UUID.fullmatch(key) is not None


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
