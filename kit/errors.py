"""The error families: each decides once what an HTTP caller sees and what becomes of a message.

HubError
├── Invalid       422   a request breaks a rule of form; an event: its key is parked
├── Refused       409   the state does not allow it; an event: its key is parked, for a person
├── NotFound      404   not heard of (yet); an event: its key is parked and tried again
├── Forbidden     403   the principal may not
├── Conflict      409   somebody else was first; a batch is tried again
└── Unavailable   503   database, bus or partner gone; a batch is tried again
"""

from typing import ClassVar


class HubError(Exception):
    """Root of all errors that we raise on purpose; anything else is a bug: 500, parked, alarm.

    Public attributes of an instance become members of its problem (RFC 9457).
    """

    code: ClassVar[str] = "defect"
    status: ClassVar[int] = 500
    about: tuple[str, str] | None = None
    """What was tried, and on which subject, for the audit; None: the route's action, on what its path names."""


class Invalid(HubError):
    """It breaks a rule of form; asking again changes nothing."""

    code, status = "invalid-body", 422


class Refused(HubError):
    """The state does not allow it, and asking again changes nothing."""

    code, status = "refused", 409


class NotFound(HubError):
    """What it speaks of is unknown here; as a message it may have come too early."""

    code, status = "not-found", 404


class Forbidden(HubError):
    """The principal may not do this."""

    code, status = "role-missing", 403


class Conflict(HubError):
    """Somebody else changed it first: read again, decide again."""

    code, status = "stale-version", 409


class Unavailable(HubError):
    """Something we depend on is gone for a moment."""

    code, status = "unavailable", 503
