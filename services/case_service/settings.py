"""What case_service can be told."""

from datetime import timedelta

from pydantic import Field

from kit.settings import Settings as Kit
from services.case_service.domain.act import Policy


class Settings(Kit):
    """How long a case waits for what (lifecycle §11). Days are working days."""

    stuck_minutes: int = Field(10, ge=1)
    """Minutes until booking_service should have answered a request."""
    reply_minutes: int = Field(10, ge=1)
    """Minutes until booking_service should have decided about a reply."""
    unsent_sms_days: int = Field(2, ge=1)
    """Working days until an offer by text should be out."""
    unsent_letter_days: int = Field(5, ge=1)
    """Working days until an offer by letter should be out."""
    unreported_hours: int = Field(4, ge=1)
    """Hours after the end of an appointment until a visit should be reported."""
    review_days: int = Field(2, ge=1)
    """Working days until a report should be reviewed."""
    handover_silent_days: int = Field(10, ge=1)
    """Working days without an answer until a handover is an exception."""
    cancel_urgent_hours: int = Field(2, ge=1)
    """Hours to decide about a cancellation while somebody is on the way."""
    cancel_decision_days: int = Field(2, ge=1)
    """Working days to decide about any other cancellation."""
    exception_days: int = Field(5, ge=1, le=60)
    """Working days until an exception that nobody raised by hand is due."""
    contact_days: int = Field(90, ge=1)
    """Days until the customer of a case that ended is forgotten (D-DP-1)."""
    failed_attempts: int = Field(3, ge=1)
    """Failed visits of a case until a second person must agree to another (G25)."""

    hotlist_hour: int = Field(6, ge=0, le=23)
    """Local hour at which the daily hotlists are drawn and what is due on a day is called."""
    sla_days: int = Field(30, ge=1, le=3_650)
    """Days that a case may take where its operator set no other target."""
    sla_working_days: bool = False
    """Whether only working days count towards `sla_days`."""

    def policy(self) -> Policy:
        """The settings as the domain reads them."""
        return Policy(
            zone=self.timezone,
            stuck_after=timedelta(minutes=self.stuck_minutes),
            reply_decided_after=timedelta(minutes=self.reply_minutes),
            unsent_sms_days=self.unsent_sms_days,
            unsent_letter_days=self.unsent_letter_days,
            unreported_after=timedelta(hours=self.unreported_hours),
            review_days=self.review_days,
            silent_days=self.handover_silent_days,
            urgent_decision_after=timedelta(hours=self.cancel_urgent_hours),
            decision_days=self.cancel_decision_days,
            exception_days=self.exception_days,
            purge_after=timedelta(days=self.contact_days),
            attempts=self.failed_attempts,
            hotlist_hour=self.hotlist_hour,
            sla_days=self.sla_days,
            sla_working_days=self.sla_working_days,
        )
