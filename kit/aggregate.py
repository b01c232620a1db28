"""What changes as a whole: an aggregate, the keys it is found by, and how its kind is loaded and written in bulk."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Generic, TypeVar

import orjson
import sqlalchemy as sa

from contracts.event import Event
from kit import rows
from kit.audit import Change
from kit.errors import Conflict
from kit.types import Id, Json

Snapshot = dict[str, dict[tuple[Any, ...], tuple[Any, ...]]]
"""Table name to the rows that are in the database, as the driver takes them: a child's by its key, the root by ()."""


@dataclass(kw_only=True, eq=False)
class Aggregate:
    """What changes as a whole. It records each fact at the moment it becomes true."""

    version: int = 0
    told: list[Event] = field(default_factory=list, repr=False)
    loaded: Snapshot | None = field(default=None, repr=False)
    """What the database holds of it; None while it is new."""
    key_text: str | None = field(default=None, repr=False)
    """What `key` says, once it was asked: it never changes, and saying it costs."""

    def key(self) -> str:
        """The primary key as text."""
        raise TypeError(f"{type(self).__name__} names no key")

    def keys(self) -> Iterable[str]:
        """All keys under which it is found."""
        return (self.key(),)

    def changes(self) -> Iterable[Change]:
        """What the step that ends here changed, for the audit (ADR 4); what was said is not said again."""
        return ()


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
        self.select = rows.raw(table).where(rows.one_of(table.c[parent], "keys")).order_by(table.c[parent], *order)
        self.key_at = tuple(self.columns.index(column.name) for column in table.primary_key)
        self.json_at = _json_at(table)


class Alias:
    """Another key of an aggregate: a column, and beside it in the same table the aggregate's primary key."""

    def __init__(self, column: sa.Column[Any], root: sa.Column[Any]) -> None:
        self.column = column
        self.select = sa.select(column.label("alias"), root.label("root")).where(rows.one_of(column, "keys"))


class Mapped(Generic[A]):
    """How one kind of aggregate is loaded and written: a statement per table, however many aggregates.

    Fields of the dataclass are columns of the same name; a field without a column is transient. The root's table has
    a column `version`, which decides who was first. What many read and hardly anybody changes is not `locked`, so that
    readers do not wait for each other.
    """

    def __init__(
        self,
        kind: type[A],
        table: sa.Table,
        *,
        children: Sequence[Children] = (),
        aliases: Sequence[Alias] = (),
        locked: bool = True,
    ) -> None:
        self.kind, self.table, self.children, self.aliases = kind, table, children, aliases
        (self.primary,) = table.primary_key
        self.columns = tuple(column.name for column in table.c)
        if missing := set(self.columns) - {each.name for each in fields(kind)}:
            raise TypeError(f"{kind.__name__} has no field for the columns {sorted(missing)} of {table.name}")
        wanted = rows.one_of(self.primary, "keys")
        self.select = rows.raw(table).where(wanted).order_by(self.primary)
        if locked:
            self.select = self.select.with_for_update()
        self.json_at, self._version_at = _json_at(table), self.columns.index("version")
        self._primary_at, self._values = self.columns.index(self.primary.name), attrgetter(*self.columns)

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
        changed = [(each, new) for each, new in now if each.loaded is None or self._differs(each.loaded, new)]
        for child in reversed(self.children):
            self._delete_gone(db, child, changed, removed)
        self._delete_roots(db, removed)
        self._write_roots(db, changed)
        for child in self.children:
            self._write_children(db, child, changed)
        for each, new in changed:
            each.loaded = new

    def _load_roots(self, db: sa.Connection, keys: Sequence[str]) -> dict[str, A]:
        fitting = [key for key in keys if _fits(self.primary, key)]
        if not fitting:
            return {}
        how = rows.readers(db.dialect, self.table, self.columns)
        found: dict[str, A] = {}
        by_id: dict[Any, A] = {}
        for raw in rows.fetch(db, self.select, {"keys": fitting}):
            values: dict[str, Any] = dict(zip(self.columns, rows.bound(raw, how), strict=True))
            own = values[self.primary.name]
            for child in self.children:
                values[child.attribute] = []
            aggregate = by_id[own] = self.kind(**values)
            aggregate.loaded = {self.table.name: {(): tuple(raw)}}
            aggregate.key_text = str(raw[self._primary_at])
            found[aggregate.key_text] = aggregate
        for child in self.children if found else ():
            self._load_children(db, child, by_id)
        return found

    def _load_children(self, db: sa.Connection, child: Children, parents: Mapping[Any, A]) -> None:
        how = rows.readers(db.dialect, child.table, child.columns)
        loaded: dict[Any, dict[tuple[Any, ...], tuple[Any, ...]]] = {own: {} for own in parents}
        for raw in rows.fetch(db, child.select, {"keys": list(parents)}):
            values = dict(zip(child.columns, rows.bound(raw, how), strict=True))
            own = values[child.parent]
            inside = child.kind(**{name: values[name] for name in child.own})
            getattr(parents[own], child.attribute).append(inside)
            loaded[own][tuple(raw[at] for at in child.key_at)] = tuple(raw)
        for own, its in loaded.items():
            parents[own].loaded = {**(parents[own].loaded or {}), child.table.name: its}

    def _resolve(self, db: sa.Connection, keys: Sequence[str]) -> dict[str, str]:
        roots: dict[str, str] = {}
        for alias in self.aliases:
            if fitting := [key for key in keys if _fits(alias.column, key)]:
                roots |= {str(key): str(root) for key, root in rows.fetch(db, alias.select, {"keys": fitting})}
        return roots

    def _differs(self, before: Snapshot, now: Snapshot) -> bool:
        """Whether there is anything to write."""
        name = self.table.name
        if not _same(before[name][()], now[name][()], self.json_at):
            return True
        return any(_lists_differ(child, before[child.table.name], now[child.table.name]) for child in self.children)

    def _rows(self, dialect: sa.Dialect, aggregate: A) -> Snapshot:
        """The aggregate as rows for the driver, by table."""
        how = rows.binders(dialect, self.table, self.columns)
        mine = {self.table.name: {(): rows.bound(self._values(aggregate), how)}}
        for child in self.children:
            mine[child.table.name] = self._child_rows(dialect, child, aggregate)
        return mine

    def _child_rows(self, dialect: sa.Dialect, child: Children, aggregate: A) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        how = rows.binders(dialect, child.table, child.columns)
        parent = getattr(aggregate, self.primary.name)
        made = {}
        for each in getattr(aggregate, child.attribute):
            values = [parent if name == child.parent else getattr(each, name) for name in child.columns]
            row = rows.bound(values, how)
            made[tuple(row[at] for at in child.key_at)] = row
        return made

    def _write_roots(self, db: sa.Connection, changed: Sequence[tuple[A, Snapshot]]) -> None:
        version = self._version_at
        new, old = [], []
        for each, made in changed:
            row, each.version = made[self.table.name][()], each.version + 1
            row = made[self.table.name][()] = (*row[:version], each.version, *row[version + 1 :])
            if each.loaded is None:
                new.append(row)
            else:
                old.append((*row, row[self._primary_at], each.version - 1))
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
                elif not _same(before[primary], row, child.json_at):
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
        how = rows.binders(db.dialect, self.table, (self.primary.name,))
        keys = [rows.bound((getattr(each, self.primary.name),), how) for each in removed if each.loaded]
        rows.delete(db, self.table, (self.primary.name,), keys)


class Listing(Mapped[A]):
    """Aggregates that are only looked up: which others there are under a key. They have no table and are never written.

    `query` takes the bind parameter `keys` and answers pairs (key, member); `make` builds one of a key and its members.
    """

    def __init__(self, kind: type[A], query: sa.Select[Any], make: Callable[[str, tuple[Any, ...]], A]) -> None:
        self.kind, self.query, self.make = kind, query, make

    def load(self, db: sa.Connection, keys: Sequence[str]) -> Mapping[str, A]:
        """One for every key, without members where there are none."""
        members: dict[str, list[Any]] = {key: [] for key in keys}
        for key, member in db.execute(self.query, {"keys": list(keys)}):
            members[str(key)].append(member)
        return {key: self.make(key, tuple(found)) for key, found in members.items()}

    def save(self, db: sa.Connection, aggregates: Sequence[A], removed: Sequence[A] = ()) -> None:
        """Nothing: what they name is written where it belongs."""


def _json_at(table: sa.Table) -> frozenset[int]:
    return frozenset(at for at, column in enumerate(table.c) if isinstance(column.type, Json))


def _same(before: Sequence[Any], now: Sequence[Any], json_at: Collection[int]) -> bool:
    """Whether two rows say the same; PostgreSQL gives JSON back in words of its own."""
    if before == now or not json_at:
        return before == now
    pairs = enumerate(zip(before, now, strict=True))
    return all(old == new or (at in json_at and _same_json(old, new)) for at, (old, new) in pairs)


def _same_json(before: str | None, now: str | None) -> bool:
    return None not in (before, now) and orjson.loads(before or "") == orjson.loads(now or "")


def _lists_differ(child: Children, before: Mapping[Any, Sequence[Any]], now: Mapping[Any, Sequence[Any]]) -> bool:
    return before.keys() != now.keys() or not all(_same(before[key], now[key], child.json_at) for key in now)


def _fits(column: sa.ColumnElement[Any], key: str) -> bool:
    """Whether the text can be a value of the column; a partner's order number is no UUID."""
    if not isinstance(column.type, Id):
        return True
    return _UUID.fullmatch(key) is not None


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
