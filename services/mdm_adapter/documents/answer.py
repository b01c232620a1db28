"""What one side answers to a message of the other, item by item."""

from datetime import date
from enum import StrEnum

from contracts.codes import Authority, HubReason, Level
from services.mdm_adapter.documents.values import Value


class ItemState(StrEnum):
    """What an answer says about one item."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """The answer is negative as a whole, and does not name this item."""


class Reason(Value):
    """Why, in the words and the code of whoever answers."""

    code: str
    list: str | None = None
    """The list that the code belongs to; a code means something only with it."""
    text: str | None = None
    field: str | None = None
    hub_reason: HubReason | None = None
    """What it means to the hub, where the market says so; the partner's own map goes first."""


class ItemAnswer(Value):
    """The answer to one order of the message."""

    item: str
    state: ItemState
    reasons: tuple[Reason, ...] = ()


class Answer(Value):
    """Messages 10 to 13, both ways: received, accepted, rejected, partly accepted, as the states of its items say."""

    items: tuple[ItemAnswer, ...]
    level: Level = Level.BUSINESS
    """How deep whoever answers has looked."""
    authority: Authority | None = None
    """Who answers, where the message itself says it."""
    fixed_on: date | None = None
    """The day that is confirmed."""
    window_from: date | None = None
    """Other days that are offered instead."""
    window_to: date | None = None

    @property
    def verdict(self) -> str:
        """OK if nothing is refused, FAILED if everything is, else PARTIAL."""
        refused = [item.state is ItemState.REFUSED for item in self.items]
        if not any(refused):
            return "OK"
        return "FAILED" if all(refused) else "PARTIAL"
