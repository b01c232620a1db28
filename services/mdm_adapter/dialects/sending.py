"""What the envelope of a message of ours says; ids and time are given."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, slots=True)
class Sending:
    """One message that is about to be written."""

    message_id: str
    correlation_id: str
    source: str
    at: datetime
    zone: ZoneInfo = BERLIN
    """In which the receiver means its days."""
