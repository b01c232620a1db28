"""What notices need to know of a metering operator: name, language, calendar, quiet hours, numbers."""

from collections.abc import Mapping
from datetime import time
from functools import cached_property
from types import MappingProxyType
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.notification_service.domain import numbers
from services.notification_service.domain.calendars import Calendar, QuietHours


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except ZoneInfoNotFoundError:
        raise ValueError(f"there is no time zone {name}") from None


class Operator(BaseModel):
    """A metering operator as his customers know him."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    code: str
    """As in CaseOpened."""
    name: str
    """How a text begins."""
    country: str = Field("DE", pattern="^[A-Z]{2}$")
    """ISO 3166-1; holidays and the reading of numbers follow from it."""
    subdivision: str | None = None
    """State or county of the holiday calendar, such as NW."""
    zone: Annotated[str, AfterValidator(_zone)] = "Europe/Berlin"
    language: str = "de"
    """Where the customer's own has no text."""
    sender: str
    """Number that texts come from and answers go to; answers are expected, so no name."""
    service_phone: str
    portal_url: str | None = None
    """Where a link token is opened, ending in `/`; without a portal the offer names the service phone instead."""
    closures: frozenset[str] = frozenset()
    """Days on which the operator does not work, each year, as MM-DD."""
    quiet_from: time = time(20)
    quiet_to: time = time(8)
    reminder_days: int = Field(1, ge=1)
    """Working days between the reminder and the visit."""
    reminder_at: time = time(16)
    print_at: time = time(18)
    """When the letters of a working day go to the print shop."""
    exact_case: bool = False
    """Only OK in capitals is an exact OK."""
    closing_text: bool = True
    """Whether STOP is answered once."""
    sms_regions: tuple[str, ...] = numbers.DEFAULT_REGIONS
    """Countries to which texts are sent."""

    @cached_property
    def calendar(self) -> Calendar:
        return Calendar(ZoneInfo(self.zone), self.country, self.subdivision, self.closures)

    @property
    def quiet(self) -> QuietHours:
        return QuietHours(self.quiet_from, self.quiet_to)


DEFAULT_OPERATORS = (
    Operator(
        code="auental",
        name="Stadtwerke Auental",
        subdivision="NW",
        sender="+4915700000001",
        service_phone="00000 123456",
        closures=frozenset({"12-24", "12-31"}),
    ),
    Operator(
        code="fjordnett",
        name="Fjordnett AS",
        country="NO",
        zone="Europe/Oslo",
        language="nb",
        sender="+4759440001",
        service_phone="00 00 12 34",
        closures=frozenset({"12-24", "12-31"}),
    ),
)
"""The two invented operators of the demo."""


class Operators:
    """Operators by their code. A code that nobody configured is served like the first one."""

    def __init__(self, operators: tuple[Operator, ...]) -> None:
        self._first = operators[0]
        self._by_code: Mapping[str, Operator] = MappingProxyType({each.code: each for each in operators})

    def get(self, code: str | None) -> Operator:
        return self._by_code.get(code or "", self._first)
