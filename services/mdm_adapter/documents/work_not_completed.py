"""The work is not done: what happened on site, and whether it will be tried again."""

from datetime import datetime

from services.mdm_adapter.documents.values import Document, MeteringPoint


class WorkNotCompleted(Document):
    """Message 8, out."""

    metering_point: MeteringPoint
    at: datetime
    """End of the visit, or the moment when the work was given up."""
    outcome: str
    """FAILED after a visit, NOT_DONE without one."""
    reason: str
    """The result of the visit, or why the work was given up."""
    sub_reason: str | None = None
    attempts: int
    """Visits so far."""
    final: bool
    """Nobody will try again."""
    text: str | None = None
    """In the words of whoever reported it, where the reason alone does not say enough."""
