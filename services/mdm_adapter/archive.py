"""Whether the archive still holds what it was given: every link of its chain is computed anew, up to its noted ends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.mdm_adapter.domain.messages import START, digest


class End(NamedTuple):
    """An end of the chain as it was noted once: in the database after each message, outside of it once a day."""

    entries: int
    hash: str
    noted: str
    """Where, for people."""


@dataclass(frozen=True, slots=True)
class Broken:
    """One message that is not what was archived, or a piece of the chain that is not there."""

    number: int
    """Its place in the chain, from 1."""
    message_id: str | None
    what: str


@dataclass
class Chain:
    """The chain as it is walked along, from its begin; entries come in their order, a page at a time."""

    before: str = START
    entries: int = 0
    broken: list[Broken] = field(default_factory=list)
    ends: Mapping[int, list[End]] = field(default_factory=dict)

    @classmethod
    def upto(cls, ends: Iterable[End]) -> "Chain":
        """A walk that must pass these ends."""
        found: dict[int, list[End]] = {}
        for end in ends:
            found.setdefault(end.entries, []).append(end)
        return cls(ends=found)

    def take(self, page: Iterable[Any]) -> int:
        """Walk on over entries with id, number, sha256, content, prev_hash and hash; returns how many there were."""
        seen = 0
        for entry in page:
            seen += 1
            for number in range(self.entries + 1, entry.number):
                self.broken.append(Broken(number, None, "is missing"))
            self.entries = entry.number
            own = digest(entry.content)
            if own != entry.sha256:
                self._found(entry, "its bytes are not those that were archived")
            if entry.hash != digest(f"{entry.prev_hash}{entry.sha256}{entry.id}".encode()):
                self._found(entry, "its hash does not fit")
            if entry.prev_hash != self.before:
                self._found(entry, "it does not follow the one before")
            self.before = entry.hash
            for end in self.ends.get(entry.number, ()):
                if end.hash != entry.hash:
                    self._found(entry, f"it is not the one that {end.noted} was noted for")
        return seen

    def _found(self, entry: Any, what: str) -> None:
        self.broken.append(Broken(entry.number, str(entry.id), what))

    def finish(self) -> list[Broken]:
        """Everything that was found; what was noted and is not there any more counts."""
        for number, ends in self.ends.items():
            if number > self.entries:
                noted = ", ".join(end.noted for end in ends)
                self.broken.append(Broken(number, None, f"is missing: {noted} says that it was there"))
        return self.broken


def broken_links(entries: Iterable[Any]) -> tuple[int, list[str]]:
    """How many entries were looked at, and the ids of those that do not fit: their bytes, or their place."""
    chain = Chain()
    seen = chain.take(entries)
    return seen, list(dict.fromkeys(str(each.message_id or each.number) for each in chain.broken))
