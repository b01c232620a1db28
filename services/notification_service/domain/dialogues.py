"""A dialogue: the code that one offer carries, from the offer to its answer; of the code only a hash is kept."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class DialogueState(StrEnum):
    """Whether an answer is awaited. What is not answered expires at the start of the block."""

    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    VOID = "VOID"


@dataclass(kw_only=True)
class Dialogue:
    """One code for one offer; its reminder repeats it, so it can be rebuilt from key and salt."""

    dialogue_id: UUID
    appointment_id: UUID
    revision: int
    attempt: int
    salt: int
    key_id: str
    code_hash: str
    link_hash: str | None = None
    """Of the token in the portal's link, where there is a portal."""
    number_hash: str | None = None
    """Of the number that the offer went to."""
    state: DialogueState = DialogueState.OPEN
    expires_at: datetime

    def is_open(self, now: datetime) -> bool:
        return self.state is DialogueState.OPEN and now < self.expires_at

    def is_about(self, appointment_id: UUID, revision: int, attempt: int) -> bool:
        return (self.appointment_id, self.revision, self.attempt) == (appointment_id, revision, attempt)

    def close(self, state: DialogueState) -> None:
        """Answered or void; the first of the two holds."""
        if self.state is DialogueState.OPEN:
            self.state = state


def subject(appointment_id: UUID, revision: int, attempt: int) -> str:
    """What the code of an offer is made from."""
    return f"{appointment_id}/{revision}/{attempt}"
