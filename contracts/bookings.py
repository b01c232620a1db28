"""When somebody comes: appointments, offers, answers and awards; told by booking_service."""

from datetime import date

from contracts.codes import (
    AgreedVia,
    AwardAnswer,
    BookingChannel,
    ConfirmedBy,
    Outcome,
    QuestionCause,
    ReleaseReason,
    Suggestion,
)
from contracts.event import Event
from contracts.groups import OfAppointment, OfCase, OfWorkOrder
from contracts.ids import AwardId, BundleId, Code, CompanyId, Principal, ReplyId, TeamId, TechnicianId
from contracts.parts import Span, Time


class BookableFromSet(OfCase, Event, topic="rollout.bookings", owner="booking", version=1, key="case_id"):
    """From which day on appointments may lie, by the rules of notice. The newest of the topic counts."""

    notice_required: bool
    bookable_from: date | None = None
    """Absent while the notice is missing."""
    rule_id: Code
    notice_on: date | None = None
    """When the customer was given notice."""
    effective_on: date | None = None
    """When that notice counts as received."""


class Slot(OfAppointment):
    """Who is to come, and when."""

    block_start: Time
    """Start of the work in the technician's day."""
    block_minutes: int
    window: Span
    """What the customer is told."""
    technicians: tuple[TechnicianId, ...]
    """The first one is responsible."""
    team: TeamId | None = None
    company_id: CompanyId
    alternatives: tuple[Span, ...]
    by: Principal
    bundle_id: BundleId | None = None
    """Appointments in one house that are planned as one."""


class AppointmentProposed(Slot, Event, topic="rollout.bookings", owner="booking", version=1, key="case_id"):
    """A slot was set aside for a work order. Nobody outside has heard of it yet."""


class AppointmentMoved(Slot, Event, topic="rollout.bookings", owner="booking", version=1, key="case_id"):
    """An appointment has another time, window or technician. A lower revision is stale."""

    was_window: Span
    window_changed: bool
    """The customer's window differs from before; codes of the old one are void."""
    agreed: bool
    """The customer has agreed to the change."""


class AppointmentOffered(OfAppointment, Event, topic="rollout.bookings", owner="booking", version=1, key="case_id"):
    """An appointment is to be offered to the customer; the notice that carries it follows."""

    channel: BookingChannel
    window: Span
    alternatives: tuple[Span, ...]
    answer_by: Time | None = None
    entry_right: bool
    """The visit takes place without an answer: there is a right to enter."""


class AppointmentConfirmed(OfAppointment, Event, topic="rollout.bookings", owner="booking", version=1, key="case_id"):
    """An appointment stands. It may overtake the NoticeSent of its own offer. An older attempt or revision is stale."""

    by: ConfirmedBy
    agreed_via: AgreedVia | None = None
    notice: bool
    """The customer is to get a confirmation."""
    reply_id: ReplyId | None = None


class AppointmentQuestioned(OfAppointment, Event, topic="rollout.bookings", owner="booking", version=1, key="case_id"):
    """An answer that does not confirm, or an offer that may not be made. An older attempt or revision is stale."""

    cause: QuestionCause
    suggestion: Suggestion | None = None
    reply_id: ReplyId | None = None
    channel: BookingChannel | None = None
    code: Code | None = None
    """Why the offer may not be made (cause `offer_refused`)."""
    first_possible: date | None = None
    """First day on which it could be made (cause `offer_refused`)."""


class AnswerOverdue(OfAppointment, Event, topic="rollout.bookings", owner="booking", version=1, key="case_id"):
    """The customer did not answer an offer in time. An older attempt or revision is stale."""

    channel: BookingChannel
    answer_by: Time


class AppointmentReleased(OfAppointment, Event, topic="rollout.bookings", owner="booking", version=1, key="case_id"):
    """A slot was given back; the appointment is over."""

    reason: ReleaseReason
    was_offered: bool
    """The customer knows of it and must be told."""


class VisitNoted(OfAppointment):
    """What the visit made of its appointment."""

    outcome: Outcome
    sub_reason: Code | None = None
    at: Time


class AppointmentKept(VisitNoted, Event, topic="rollout.bookings", owner="booking", version=1, key="case_id"):
    """The technician came, and the customer was there. The appointment is over."""


class AppointmentMissed(VisitNoted, Event, topic="rollout.bookings", owner="booking", version=1, key="case_id"):
    """The technician came, and nobody was at home. The appointment is over."""


class WorkOrderAwarded(OfWorkOrder, Event, topic="rollout.bookings", owner="booking", version=1, key="case_id"):
    """A work order was offered to a company for execution."""

    award_id: AwardId
    company_id: CompanyId
    answer_by: date | None = None


class AwardAnswered(OfWorkOrder, Event, topic="rollout.bookings", owner="booking", version=1, key="case_id"):
    """A company answered an award, or its time ran out. Answers name their award; one to an older award is stale."""

    award_id: AwardId
    company_id: CompanyId
    answer: AwardAnswer
    reason: Code | None = None
