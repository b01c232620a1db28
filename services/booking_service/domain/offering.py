"""Whether an appointment may be offered on a channel, and until when the customer may answer (section 5)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.codes import BookingChannel, QuestionCause, Suggestion
from services.booking_service.domain.appointments import UNDELIVERED, UNREPORTED, Appointment
from services.booking_service.domain.calendars import NOON
from services.booking_service.domain.cases import BookedCase, WorkOrder
from services.booking_service.domain.notice_rules import LEAD_SMS, N38, rule
from services.booking_service.domain.operators import Operator
from services.booking_service.domain.states import Step

LAST_ANSWER_DAYS = 2
"""Working days between the last answer and the block."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an offer may not be made, and from which day on it could be."""

    code: str
    first_possible: date | None = None


def refusals(
    case: BookedCase,
    order: WorkOrder,
    appointment: Appointment,
    channel: BookingChannel,
    operator: Operator,
    now: datetime,
) -> Iterator[Refusal]:
    """Ask: every reason against offering this appointment on this channel now; the first one is told."""
    if order.gone:
        yield Refusal("work-order-gone")
    if order.frozen or appointment.frozen:
        yield Refusal("frozen")
    if not appointment.may(Step.OFFER):
        yield Refusal("state-forbids")
    yield from _unreachable(case, channel)
    day, days = operator.days.local_day(appointment.block_start), operator.days
    if case.bookable_from is None or day < case.bookable_from:
        yield Refusal("too-early", case.bookable_from)
    first = first_day(channel, operator, now)
    if day < first:
        yield Refusal("entry-notice" if channel is BookingChannel.LETTER else "lead-time", first)
    if channel is BookingChannel.LETTER and _entry_notice_applies(operator, now) and not appointment.alternatives:
        yield Refusal("alternative-missing")
    deadline = answer_by(channel, sending_day(channel, operator, now), appointment.block_start, operator)
    if deadline is not None and deadline <= now:
        yield Refusal("too-late-to-ask", days.at_or_after(first))


def _unreachable(case: BookedCase, channel: BookingChannel) -> Iterator[Refusal]:
    contact = case.contact
    if channel is BookingChannel.SMS:
        if contact is None or not contact.mobile:
            yield Refusal("no-mobile")
        elif not contact.sms_allowed or case.opted_out:
            yield Refusal("sms-not-allowed")
    elif channel is BookingChannel.LETTER and (contact is None or not contact.postal):
        yield Refusal("no-address")


def sending_day(channel: BookingChannel, operator: Operator, now: datetime) -> date:
    """The day on which an offer made now leaves the house: a letter with the next print run."""
    today = operator.days.local_day(now)
    return operator.days.after(today, 1) if channel is BookingChannel.LETTER else today


def first_day(channel: BookingChannel, operator: Operator, now: datetime) -> date:
    """The first day that an offer made now may name (LEAD-SMS, N38)."""
    sent_on = sending_day(channel, operator, now)
    if channel is BookingChannel.PHONE:
        return sent_on
    if channel is BookingChannel.LETTER:
        return first_day_by_letter(operator, sent_on)
    lead = rule(LEAD_SMS, operator.country, sent_on)
    return lead.first_day(sent_on, operator.days) if lead else sent_on


def first_day_by_letter(operator: Operator, printed_on: date) -> date:
    """N38 counts from the receipt of the letter; where the rule does not hold, the receipt is enough."""
    received_on = printed_on + timedelta(days=operator.letter_transit_days)
    n38 = rule(N38, operator.country, printed_on)
    return n38.first_day(received_on, operator.days) if n38 else received_on


def gives_entry_right(channel: BookingChannel, operator: Operator, now: datetime) -> bool:
    """A letter that met N38 gives a right of entry; a text message never does."""
    return channel is BookingChannel.LETTER and _entry_notice_applies(operator, now)


def answer_by(channel: BookingChannel, sent_on: date, block_start: datetime, operator: Operator) -> datetime | None:
    """Until when an answer is waited for: noon of a working day, at the latest two working days before the block."""
    days = operator.days
    if channel is BookingChannel.PHONE:
        return None
    if channel is BookingChannel.SMS:
        by_rule = days.after(sent_on, operator.sms_answer_days)
    else:
        by_rule = days.at_or_after(sent_on + timedelta(days=operator.letter_answer_days))
    latest = days.before(days.local_day(block_start), LAST_ANSWER_DAYS)
    return days.at(min(by_rule, latest), NOON)


def _entry_notice_applies(operator: Operator, now: datetime) -> bool:
    return rule(N38, operator.country, operator.days.local_day(now)) is not None


SUGGESTIONS: Mapping[str, Suggestion] = {
    QuestionCause.CONTACT: Suggestion.CALL,
    QuestionCause.DECLINE: Suggestion.REBOOK,
    QuestionCause.UNCLEAR: Suggestion.CALL,
    QuestionCause.LIKELY_OK: Suggestion.CONFIRM,
    QuestionCause.STOP: Suggestion.CALL,
    QuestionCause.REBOOK_REQUESTED: Suggestion.REBOOK,
    QuestionCause.STALE: Suggestion.CALL,
    QuestionCause.AFTER_CANCEL: Suggestion.CALL,
    QuestionCause.TOO_LATE: Suggestion.CALL,
    QuestionCause.OFFER_REFUSED: Suggestion.CALL,
    UNDELIVERED: Suggestion.CALL,
    UNREPORTED: Suggestion.CALL,
}
"""What staff can do with one key about a cause for which they are needed."""
