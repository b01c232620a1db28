"""What one side answers to a message of the other, item by item."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from contracts.codes import Authority, HubReason, Level
from contracts.ids import is_market_partner
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


def _market_partner(text: str) -> str:
    if not is_market_partner(text):
        raise ValueError("a market partner has 13 digits, of which the last one is the check digit (D-MP-1)")
    return text


class Addressee(Value):
    """A firm and its address, as far as an envelope needs them."""

    name: str = Field(min_length=1, max_length=70)
    street: str = Field(min_length=1, max_length=35)
    number: str = Field(min_length=1, max_length=9)
    addition: str | None = Field(None, min_length=1, max_length=35)
    postcode: str = Field(min_length=1, max_length=10)
    city: str = Field(min_length=1, max_length=35)
    country: str = Field(pattern=r"^[A-Z]{2}$")
    """ISO 3166-1 alpha-2."""


class AnswerFacts(Value):
    """What some codes of the market demand beside themselves (edifact page, 5); only people know it."""

    price_sheet: str | None = Field(None, min_length=1, max_length=35)
    """The number of the right one, where another is refused: A05 of E_0279 and E_0283."""
    return_to: Addressee | None = None
    """Where old devices are sent by whoever removes them in our stead: ZB5."""
    right_partner: Annotated[str, AfterValidator(_market_partner)] | None = None
    """Who answers for the point instead of us: Z07."""


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
    facts: AnswerFacts | None = None

    @property
    def verdict(self) -> str:
        """OK if nothing is refused, FAILED if everything is, else PARTIAL."""
        refused = [item.state is ItemState.REFUSED for item in self.items]
        if not any(refused):
            return "OK"
        return "FAILED" if all(refused) else "PARTIAL"
