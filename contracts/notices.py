"""What became of texts to customers and companies, and what they replied; told by notification_service."""

from datetime import date

from contracts.codes import Channel, Match, OptOutSource, Permanence, Reading
from contracts.event import Event
from contracts.groups import OfAppointment, OfCase
from contracts.ids import AppointmentId, Code, LetterId, NoticeId, Ref, ReplyId, WorkOrderId
from contracts.parts import Dec, Time


class OfNotice(OfCase):
    """About one notice, and the offer that it carries, if any."""

    work_order_id: WorkOrderId | None = None
    appointment_id: AppointmentId | None = None
    revision: int | None = None
    """Revision of the appointment that the notice speaks of; an answer about an earlier one is stale."""
    attempt: int | None = None
    """Offer that the notice carries; an answer about an earlier one is stale."""
    notice_id: NoticeId


class OfSending(OfNotice):
    """About the sending of one notice."""

    rule_id: Code
    template: Code
    channel: Channel
    part: int
    """Which notice of its announcement, from 1."""
    parts: int
    """How many notices the announcement consists of."""


class NoticeSent(OfSending, Event, topic="rollout.notices", owner="notification", version=1, key="case_id"):
    """The vendor took a notice, or a letter was printed. Equal notice and part: a copy."""

    sent_at: Time
    sent_on: date


class NoticeFailed(OfSending, Event, topic="rollout.notices", owner="notification", version=1, key="case_id"):
    """A try to send a notice failed. Told for every try; a permanent failure is the last."""

    permanence: Permanence
    cause: Code
    after_send: bool
    """The vendor had taken it, and could not deliver it."""
    try_no: int
    """Counts the tries, from 1."""


class NoticeDelivered(OfCase, Event, topic="rollout.notices", owner="notification", version=1, key="case_id"):
    """The vendor says that a notice reached its recipient."""

    notice_id: NoticeId
    at: Time


class LetterPrepared(OfNotice, Event, topic="rollout.notices", owner="notification", version=1, key="case_id"):
    """A letter is ready to be printed; it can still be pulled."""

    letter_id: LetterId
    sheets: int
    sha256: Ref
    """Of the document that will be printed."""


class LetterPrinted(OfNotice, Event, topic="rollout.notices", owner="notification", version=1, key="case_id"):
    """A letter was printed and goes out."""

    letter_id: LetterId
    printed_on: date
    pulled_late: bool
    """It was withdrawn, but too late: it goes out nevertheless."""


class CustomerOptedOut(OfCase, Event, topic="rollout.notices", owner="notification", version=1, key="case_id"):
    """The customer does not want to be reached by this channel any more."""

    channel: Channel
    since: Time
    source: OptOutSource


class ReplyReceived(OfAppointment, Event, topic="rollout.notices", owner="notification", version=1, key="case_id"):
    """A reply was matched to an appointment and read. booking_service alone decides what it means."""

    reply_id: ReplyId
    channel: Channel
    reading: Reading
    confidence: Dec
    """0 to 1."""
    match: Match
    hint: Code | None = None
