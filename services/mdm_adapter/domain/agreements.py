"""What is edited at the desk instead of in files: profiles, code maps, device types; each a text in versions."""

from dataclasses import dataclass, field
from datetime import datetime

from kit.store import Aggregate

DEVICE_TYPES = "device-types"


def profile_of(partner: str) -> str:
    """The name under which a partner's profile is kept."""
    return f"profile/{partner}"


def codes_of(partner: str) -> str:
    """The name under which a partner's code map is kept."""
    return f"codes/{partner}"


@dataclass
class Edition:
    """One version that came into force; it is never changed."""

    number: int
    text: str
    by: str
    confirmed_by: str | None
    """The second person, where it takes two."""
    reason: str
    at: datetime


@dataclass(kw_only=True, eq=False)
class Agreement(Aggregate):
    """A text with all its versions. A change that takes two persons waits as a proposal until the second one comes."""

    name: str
    proposed: str | None = None
    proposed_by: str | None = None
    proposed_reason: str | None = None
    proposed_at: datetime | None = None
    editions: list[Edition] = field(default_factory=list)

    def key(self) -> str:
        return self.name

    @property
    def current(self) -> Edition | None:
        """What is in force."""
        return max(self.editions, key=lambda each: each.number, default=None)

    def put(self, text: str, by: str, reason: str, at: datetime, *, two_persons: bool) -> bool:
        """Change the text; False: it waits for a second person, who says the same once more."""
        if self.current and self.current.text == text:
            self._forget()
            return True
        if not two_persons:
            self._add(text, by, None, reason, at)
            return True
        if self.proposed != text or self.proposed_by is None or self.proposed_reason is None:
            self.proposed, self.proposed_by, self.proposed_reason, self.proposed_at = text, by, reason, at
            return False
        if self.proposed_by == by:
            return False
        self._add(text, self.proposed_by, by, self.proposed_reason, at)
        return True

    def _add(self, text: str, by: str, confirmed_by: str | None, reason: str, at: datetime) -> None:
        number = self.current.number + 1 if self.current else 1
        self.editions.append(Edition(number, text, by, confirmed_by, reason, at))
        self._forget()

    def _forget(self) -> None:
        self.proposed = self.proposed_by = self.proposed_reason = self.proposed_at = None
