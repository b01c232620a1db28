"""Pages of lists that come oldest first: what to ask for, and where the next one begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query

from kit.http import cursor, read_cursor


@dataclass(frozen=True)
class Pages:
    """Which page of a list that comes oldest first; its cursor holds when and which."""

    after: str | None = None
    limit: Annotated[int, Query(ge=1, le=500)] = 500

    @property
    def begin(self) -> tuple[Any, ...]:
        """Behind what the page begins."""
        return read_cursor(self.after, datetime, UUID) if self.after else ()

    def next(self, found: Sequence[Any], at: str, id_: str) -> str | None:
        """Where the next page begins, if this one is full."""
        if len(found) < self.limit:
            return None
        return cursor(getattr(found[-1], at).isoformat(), getattr(found[-1], id_))


Paged = Annotated[Pages, Depends()]
