"""A letter on its way to the printer, and the batch that it travels in."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from kit.store import Aggregate

MOST_SPOILED = 1
"""A spoiled letter is prepared again once; the second time it has failed."""


class LetterState(StrEnum):
    """How far a letter has come. The last three are final."""

    PREPARED = "PREPARED"
    """Rendered; waits for the print run, or for a person who prints it by hand."""
    BATCHED = "BATCHED"
    """Its batch is being written."""
    HANDED_OVER = "HANDED_OVER"
    """The print shop has it."""
    PULL_REQUESTED = "PULL_REQUESTED"
    """It should not go out any more, and nobody knows yet whether that came in time."""
    PRINTED = "PRINTED"
    SPOILED = "SPOILED"
    PULLED = "PULLED"


PRINTABLE = frozenset({LetterState.PREPARED, LetterState.HANDED_OVER, LetterState.PULL_REQUESTED})
"""From here a letter can turn out to be printed: by hand, by the print shop, or although it was called back."""

ON_ITS_WAY = frozenset({LetterState.HANDED_OVER, LetterState.PULL_REQUESTED})
"""What the print shop can say something about."""


@dataclass(frozen=True, slots=True)
class Paper:
    """All that stands on a letter."""

    sender: str
    address: tuple[str, ...]
    """Line by line, as it shows in the window of the envelope."""
    title: str
    paragraphs: tuple[str, ...]
    language: str
    window_profile: str
    code: str | None = None
    link: str | None = None
    """Where the code is typed; shown as a QR code."""


@dataclass(kw_only=True)
class Letter:
    """One document. Its bytes lie in the archive under their digest; a purge deletes them and leaves the digest."""

    letter_id: UUID
    notice_id: UUID
    sha256: str
    sheets: int
    window_profile: str
    language: str
    state: LetterState = LetterState.PREPARED
    batch_id: UUID | None = None
    prepared_at: datetime
    printed_on: date | None = None

    def batch(self, batch_id: UUID) -> None:
        """The print run takes it."""
        self.state, self.batch_id = LetterState.BATCHED, batch_id

    def hand_over(self) -> None:
        """Its batch is complete, and the print shop may begin."""
        if self.state is LetterState.BATCHED:
            self.state = LetterState.HANDED_OVER

    def pull(self) -> bool:
        """It should not go out; True if the print shop has to be told."""
        had = self.state is LetterState.HANDED_OVER
        if self.state is LetterState.PREPARED:
            self.state = LetterState.PULLED
        elif self.state in (LetterState.BATCHED, LetterState.HANDED_OVER):
            self.state = LetterState.PULL_REQUESTED
        return had

    def pulled(self) -> None:
        """It was called back in time."""
        if self.state is LetterState.PULL_REQUESTED:
            self.state = LetterState.PULLED


@dataclass(kw_only=True, eq=False)
class Batch(Aggregate):
    """Letters that are handed to the print shop together."""

    batch_id: UUID
    operator: str
    begun_at: datetime
    letters: int
    manifest_sha256: str | None = None
    handed_over_at: datetime | None = None

    def key(self) -> str:
        return str(self.batch_id)
