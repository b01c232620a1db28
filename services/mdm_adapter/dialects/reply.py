"""What a reply says, before it is known which items it was asked about."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReplyError:
    """One Error of a reply. A stack trace is not even read."""

    code: str
    level: str
    reason: str | None
    ids: tuple[str, ...]
    xpath: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a reply says as a whole and about single items."""

    result: str
    errors: tuple[ReplyError, ...] = ()
    ids: tuple[str, ...] = ()
