"""Where an appointment shall lie: who, when, for how long, and what the customer is told."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.ids import CompanyId, TeamId, TechnicianId
from contracts.parts import Span
from services.booking_service.domain.grid import GRID_MINUTES, cells, rounded_up


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A technician's time for one visit; minutes as asked for, cells are rounded up."""

    technician_id: TechnicianId
    team_id: TeamId | None
    company_id: CompanyId
    start: datetime
    minutes: int
    window: Span
    alternatives: tuple[Span, ...] = ()
    grid_minutes: int = GRID_MINUTES

    @property
    def cells(self) -> range:
        """The cells that it needs."""
        return cells(self.start, self.minutes, self.grid_minutes)

    @property
    def end(self) -> datetime:
        """When its last cell ends."""
        return self.start + timedelta(minutes=rounded_up(self.minutes, self.grid_minutes))
