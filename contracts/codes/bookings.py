"""Code lists of appointments, notices and replies."""

from enum import StrEnum


class BookingChannel(StrEnum):
    """How an appointment is offered."""

    SMS = "sms"
    LETTER = "letter"
    PHONE = "phone"


class Channel(StrEnum):
    """How a notice or message goes out or comes in."""

    SMS = "sms"
    LETTER = "letter"
    PHONE = "phone"
    EMAIL = "email"
    ALERT = "alert"
    WEBHOOK = "webhook"
    PORTAL = "portal"


class MessageChannel(StrEnum):
    """Channels of the timeline: those of notices, and the comment that never leaves the house."""

    SMS = "sms"
    LETTER = "letter"
    PHONE = "phone"
    EMAIL = "email"
    ALERT = "alert"
    WEBHOOK = "webhook"
    PORTAL = "portal"
    COMMENT = "comment"


class ConfirmedBy(StrEnum):
    """Who or what confirmed an appointment."""

    REPLY = "reply"
    PORTAL = "portal"
    STAFF = "staff"


class AgreedVia(StrEnum):
    """On what ground staff confirmed an appointment."""

    PHONE = "phone"
    REPLY = "reply"
    VISIT = "visit"
    LETTER = "letter"
    ENTRY_RIGHT = "entry_right"


class QuestionCause(StrEnum):
    """Why an appointment is not simply confirmed."""

    CONTACT = "contact"
    DECLINE = "decline"
    UNCLEAR = "unclear"
    LIKELY_OK = "likely_ok"
    STOP = "stop"
    REBOOK_REQUESTED = "rebook_requested"
    STALE = "stale"
    AFTER_CANCEL = "after_cancel"
    TOO_LATE = "too_late"
    OFFER_REFUSED = "offer_refused"


class Suggestion(StrEnum):
    """What booking_service proposes to do about a question."""

    CONFIRM = "confirm"
    CALL = "call"
    REBOOK = "rebook"


class ReleaseReason(StrEnum):
    """Why a slot was given back; the first three are caused by the case itself."""

    ON_HOLD = "on_hold"
    CLOSED = "closed"
    SUPERSEDED = "superseded"
    STAFF = "staff"
    COMPANY_WITHDRAWN = "company_withdrawn"
    UNANSWERED = "unanswered"

    @property
    def caused_by_case(self) -> bool:
        """The case gave the slot back itself, so its work order need not move (T32)."""
        return self in {ReleaseReason.ON_HOLD, ReleaseReason.CLOSED, ReleaseReason.SUPERSEDED}


class AwardAnswer(StrEnum):
    """What a company made of a work order that was awarded to it."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Reading(StrEnum):
    """How a customer's reply was read."""

    EXACT_OK = "exact_ok"
    LIKELY_OK = "likely_ok"
    CONTACT = "contact"
    DECLINE = "decline"
    STOP = "stop"
    UNCLEAR = "unclear"


class Match(StrEnum):
    """How a reply was matched to an appointment."""

    CODE = "code"
    NUMBER_UNIQUE = "number_unique"
    STAFF = "staff"


class Permanence(StrEnum):
    """Whether a failed notice may still succeed by itself."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"


class OptOutSource(StrEnum):
    """Where a customer told us to stop."""

    REPLY = "reply"
    PORTAL = "portal"
    STAFF = "staff"


class Direction(StrEnum):
    """Which way a message went; a note stays inside."""

    IN = "in"
    OUT = "out"
    NOTE = "note"


class Visibility(StrEnum):
    """Who may see a message in the timeline."""

    INTERNAL = "internal"
    CUSTOMER = "customer"
