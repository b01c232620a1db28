"""What a failure means for a batch: the same again, wait for something unheard of, or a person."""

import asyncio
import traceback
from datetime import timedelta

from sqlalchemy import exc

from kit.errors import Conflict, HubError, NotFound, Unavailable

TRANSIENT_STATES = frozenset({"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "57014", "53100", "53300", "25006"})
UNIQUE_STATE = "23505"
WAITING_RETRIES = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 300, 900))
"""When a key that waits for something not heard of yet is tried again; after that a person looks."""


def is_transient(error: BaseException) -> bool:
    """Whether the same batch may simply be tried again."""
    if isinstance(error, Conflict | Unavailable | OSError | TimeoutError | asyncio.TimeoutError | exc.TimeoutError):
        return True
    if not isinstance(error, exc.DBAPIError):  # the driver's own: nobody translates what happens while it connects
        return _is_passing(getattr(error, "sqlstate", None))
    if error.connection_invalidated or isinstance(error, exc.InterfaceError):
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # SQLite: busy, locked, full, I/O
        return isinstance(error, exc.OperationalError)
    return _is_passing(state)


def _is_passing(state: str | None) -> bool:
    return state is not None and (state in TRANSIENT_STATES or state.startswith("08"))


def is_unique_violation(error: BaseException) -> bool:
    """Another transaction inserted the same key first; on the next try its row is found."""
    return isinstance(error, exc.IntegrityError) and (
        getattr(error.orig, "sqlstate", None) == UNIQUE_STATE or "UNIQUE constraint" in str(error.orig)
    )


def reason_of(error: BaseException) -> str:
    """Why a key is parked: refused, waiting, undecodable, bug."""
    if isinstance(error, NotFound):
        return "waiting"
    if isinstance(error, HubError):
        return "undecodable" if error.code == "undecodable" else "refused"
    return "bug"


def words_of(error: BaseException) -> str:
    """What is kept of an error: our own words, of a bug only its class and place, for values may be personal."""
    if isinstance(error, HubError):
        return f"{error.code}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
