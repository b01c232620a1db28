"""Column types that mean the same on PostgreSQL and SQLite: ids, instants, typed JSON, choices."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

Serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite numbers rows only in an INTEGER key


def is_sqlite(dialect: sa.Dialect) -> bool:
    return dialect.name == "sqlite"


@lru_cache(maxsize=1_000)  # what is written together was seen at one moment
def instant(value: datetime) -> str:
    """UTC, fixed width, microseconds: sorts as text as it sorts in time."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


class Id(TypeDecorator[UUID]):
    """One of our own identifiers (UUID, version 7)."""

    impl, cache_ok = sa.Uuid, True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if is_sqlite(dialect) else sa.Uuid())

    def process_bind_param(self, value: UUID | None, dialect: sa.Dialect) -> Any:
        return str(value) if value is not None and is_sqlite(dialect) else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> UUID | None:
        return UUID(value) if isinstance(value, str) else value


class Utc(TypeDecorator[datetime]):
    """An instant; what comes back always knows its zone."""

    impl, cache_ok = sa.DateTime, True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if is_sqlite(dialect) else sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a zone")
        return instant(value) if is_sqlite(dialect) else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        at: datetime | None = value
        return at if at is None or at.tzinfo is UTC else at.astimezone(UTC)


@lru_cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


class Json(TypeDecorator[T], Generic[T]):
    """A value of a pydantic-able type, kept as JSON: `Json(tuple[Span, ...])`; equal values are equal text."""

    impl, cache_ok = sa.Text, True

    def __init__(self, kind: Any = dict[str, Any]) -> None:
        super().__init__()
        self.kind = kind

    @cached_property
    def _dump(self) -> Callable[..., bytes]:
        return adapter(self.kind).serializer.to_json

    @cached_property
    def _load(self) -> Callable[[Any], Any]:
        return orjson.loads if self.kind == dict[str, str] else adapter(self.kind).validator.validate_json

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if is_sqlite(dialect) else postgresql.JSONB(none_as_null=True))

    def process_bind_param(self, value: T | None, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        return self._dump(value, by_alias=True, exclude_none=True).decode()

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else self._load(value)


class Choice(TypeDecorator[E], Generic[E]):
    """A member of a closed code list, kept as its value."""

    impl, cache_ok = sa.Text, True

    def __init__(self, kind: type[E]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: E | str | None, dialect: sa.Dialect) -> str | None:
        if value is None:
            return None
        return str(value.value if isinstance(value, self.kind) else self.kind(value).value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> E | None:
        return None if value is None else self.kind(value)


class Keys(TypeDecorator[Any]):
    """Many keys as one bind parameter: an array on PostgreSQL, JSON text on SQLite."""

    impl, cache_ok = sa.Text, True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if is_sqlite(dialect) else postgresql.ARRAY(self.item))

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        if not is_sqlite(dialect):
            return list(value)
        return orjson.dumps([key if isinstance(key, int) else str(key) for key in value]).decode()
