"""Who is signed in at the console: invitations that work once, and sessions that end."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kit.aggregate import Aggregate

CODE_LASTS = timedelta(minutes=15)
"""SEC-SES-01."""
IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=10)
"""Both SEC-SES-05."""


@dataclass(kw_only=True, eq=False)
class Invitation(Aggregate):
    """A sign-in code, of which only the hash is kept."""

    code_hash: str
    """SHA-256 in hex."""
    principal_id: str
    roles: tuple[str, ...]
    made_at: datetime
    used_at: datetime | None = None

    def key(self) -> str:
        return self.code_hash

    def works(self, now: datetime) -> bool:
        """Unused, and not older than a quarter of an hour."""
        return self.used_at is None and now < self.made_at + CODE_LASTS


@dataclass(kw_only=True, eq=False)
class Session(Aggregate):
    """A person at a browser, known by a cookie of which only the hash is kept."""

    session_hash: str
    """SHA-256 in hex."""
    principal_id: str
    roles: tuple[str, ...]
    begun_at: datetime
    seen_at: datetime
    """When the person last did something; a page that refreshes itself does not count."""
    ended_at: datetime | None = None

    def key(self) -> str:
        return self.session_hash

    def stands(self, now: datetime) -> bool:
        """Neither signed out, nor idle too long, nor too old."""
        return self.ended_at is None and now < min(self.seen_at + IDLE, self.begun_at + ABSOLUTE)
