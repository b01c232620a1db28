"""What booking_service can be told."""

from pydantic import Field

from kit.settings import Settings as Kit
from services.booking_service.domain.operators import ReplyMode


class Settings(Kit):
    """The calendar and habits of operators that have no row of their own, and the grid of the installation."""

    grid_minutes: int = Field(15, ge=5, le=15, multiple_of=5)
    """Minutes of one cell of a technician's time; fixed at installation."""
    booking_country: str = "DE"
    """Country whose public holidays and rules of notice hold."""
    booking_subdivision: str | None = "NW"
    """Part of the country, as the holidays library names it."""
    booking_closures: tuple[str, ...] = ("12-24", "12-31")
    """Days on which the operator is closed, MM-DD or YYYY-MM-DD."""
    reply_mode: ReplyMode = ReplyMode.EXACT
    """Whether only OK confirms, or also what most likely means yes."""
