"""Who lives at the metering point; told by case_service to booking, notification and cockpit."""

from typing import Annotated

from contracts.event import Event
from contracts.groups import OfCase
from contracts.ids import Code
from contracts.parts import Address, Personal, Position


class ContactRecorded(OfCase, Event, topic="rollout.contacts", owner="case", version=1, key="case_id"):
    """How the customer of a case can be reached, as known now.

    A version that is not above the stored one is ignored. A record without a value (tombstone) means: delete the copy.
    """

    version: int
    """Counts the changes of this contact."""
    name: Annotated[str, Personal()]
    phone: Annotated[str | None, Personal()] = None
    """E.164 (D-TEL-1)."""
    email: Annotated[str | None, Personal()] = None
    language: Code
    """ISO 639-1."""
    sms_allowed: bool
    address: Annotated[Address, Personal()]
    position: Annotated[Position | None, Personal()] = None
    access_note: Annotated[str | None, Personal()] = None
    points_at_address: int
    """How many metering points of the operator share this address."""
