"""Who acts, when and why: what every change of a case needs from outside, since the domain has no clock and no ids."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from contracts.ids import CompanyId, Principal, TechnicianId
from kit.workdays import working_days_after
from services.case_service.domain import calendar


@dataclass(frozen=True)
class Policy:
    """What an operator may set (lifecycle §11); durations in working days unless the name says else."""

    zone: str = "Europe/Berlin"
    stuck_after: timedelta = timedelta(minutes=10)
    """Until booking_service should have answered a request."""
    reply_decided_after: timedelta = timedelta(minutes=10)
    unsent_sms_days: int = 2
    unsent_letter_days: int = 5
    unreported_after: timedelta = timedelta(hours=4)
    review_days: int = 2
    silent_days: int = 10
    """Until a handover without any answer is an exception."""
    urgent_decision_after: timedelta = timedelta(hours=2)
    decision_days: int = 2
    exception_days: int = 5
    """Due date of an exception that nobody raised by hand."""
    rework_days: int = 3
    comms_days: int = 10
    field_days: int = 10
    hotlist_hour: int = 6
    """Local hour of the daily hotlists (A11) and of whatever is due on a day."""
    sla_days: int = 30
    """How long a case may take where no other target is set."""
    sla_working_days: bool = False
    purge_after: timedelta = timedelta(days=90)
    """Until the customer of a case that ended is forgotten (D-DP-1)."""
    attempts: int = 3
    """Failed visits of a case until a second person must agree to another (G25)."""


@dataclass(frozen=True)
class Act:
    """One event, timer or request at work."""

    at: datetime
    actor: Principal
    new_id: Callable[[], UUID]
    policy: Policy = field(default_factory=Policy)
    event_id: UUID | None = None
    technician: TechnicianId | None = None
    """The technician as whom a person acts, if so."""
    me: TechnicianId | None = None
    """The technician that the person is, also where he acts as somebody else (S3-13)."""
    company: CompanyId | None = None

    @property
    def today(self) -> date:
        """The operator's local date."""
        return calendar.local_day(self.at, self.policy.zone)

    def in_working_days(self, count: int) -> date:
        """The local date so many working days from now."""
        return working_days_after(self.today, count)
