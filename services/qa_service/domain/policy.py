"""How long things may take, and how often: the settings as the domain reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.codes import ReworkKind
from kit.workdays import after_working_days


@dataclass(frozen=True, slots=True)
class Policy:
    """Waiting times and limits of reviews. Days are working days."""

    zone: str = "Europe/Berlin"
    review_days: int = 2
    desk_days: int = 3
    field_days: int = 10
    lease: timedelta = timedelta(minutes=30)
    max_rounds: int = 3
    """After so many rounds only the field can help, or an exception."""

    def review_due(self, at: datetime) -> datetime:
        """When a review that opens now should be decided."""
        return after_working_days(at, self.review_days, self.zone)

    def rework_due(self, kind: ReworkKind, at: datetime) -> datetime:
        """When rework that is asked for now should be there."""
        days = self.desk_days if kind is ReworkKind.DESK else self.field_days
        return after_working_days(at, days, self.zone)


@dataclass(frozen=True, slots=True)
class Act:
    """The circumstances of a change: when, and how long things may take from there."""

    at: datetime
    new_id: Callable[[], UUID]
    policy: Policy
