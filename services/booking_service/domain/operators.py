"""How one operator counts days, names windows and takes replies; a row of data, the row `default` for all others."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

from pydantic import Field

from contracts.event import Part
from contracts.parts import Span
from kit.aggregate import Aggregate
from services.booking_service.domain.calendars import WorkingDays
from services.booking_service.domain.grid import GRID_MINUTES

DEFAULT = "default"


class ReplyMode(StrEnum):
    """What a reply must say to confirm by itself."""

    EXACT = "exact"
    """Only "OK"; parity with the Powercatch guide."""
    TOLERANT = "tolerant"
    """Also what most likely means yes."""


class Hours(Part):
    """From one local time of the day to another."""

    from_: time = Field(alias="from")
    to: time


WINDOWS = tuple(
    Hours(from_=time(*start), to=time(end)) for start, end in (((7, 30), 10), ((10,), 12), ((12,), 14), ((14,), 16))
)


@dataclass(kw_only=True, eq=False)
class Operator(Aggregate):
    """A metering operator's calendar and booking habits; days and times are local to its zone."""

    operator: str
    country: str = "DE"
    subdivision: str | None = "NW"
    closures: tuple[str, ...] = ("12-24", "12-31")
    zone: str = "Europe/Berlin"
    windows: tuple[Hours, ...] = field(default=WINDOWS)
    reply_mode: ReplyMode = ReplyMode.EXACT
    likely_threshold_percent: int = 85
    code_required: bool = False
    """A reply without its code does not confirm, even where its number names one appointment only."""
    min_lead_confirm_minutes: int = 120
    sms_answer_days: int = 3
    """Working days."""
    letter_answer_days: int = 10
    """Calendar days, moved to the next working day."""
    letter_transit_days: int = 4
    """Calendar days from the print of a letter to its receipt."""
    grid_minutes: int = GRID_MINUTES
    """Of the installation, from its first start on: the row `default` alone counts."""

    def key(self) -> str:
        return self.operator

    @property
    def days(self) -> WorkingDays:
        """Its working days."""
        return WorkingDays(self.country, self.subdivision, self.closures, self.zone)

    def windows_of(self, day: date) -> list[Span]:
        """The windows of a day that customers may be told, as instants."""
        return [Span(from_=self.days.at(day, hours.from_), to=self.days.at(day, hours.to)) for hours in self.windows]

    def window_of(self, start: datetime) -> Span | None:
        """The window that holds a start; none outside the usual hours."""
        found = (window for window in self.windows_of(self.days.local_day(start)) if window.from_ <= start < window.to)
        return next(found, None)
