"""Which event makes which notice: the table of rules, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from contracts.bookings import (
    AnswerOverdue,
    AppointmentConfirmed,
    AppointmentMoved,
    AppointmentOffered,
    AppointmentReleased,
)
from contracts.cases import HandoverRequested, WorkOrderMoved
from contracts.codes import Channel, Fact, ReleaseReason
from contracts.event import Event
from contracts.notices import CustomerOptedOut


class Audience(StrEnum):
    """Whom a notice is for."""

    CUSTOMER = "customer"
    TECHNICIAN = "technician"


class When(StrEnum):
    """When a notice is due."""

    NOW = "now"
    WORKING_DAYS_BEFORE = "working_days_before"
    """So many working days before the block, at the operator's hour (`reminder_days`, `reminder_at`)."""


class Quiet(StrEnum):
    """What quiet hours do to a notice."""

    RESPECT = "respect"
    IGNORE = "ignore"


class ValidWhile(StrEnum):
    """What must still be true at the moment of sending."""

    OFFERED = "offered"
    """This offer is open and not yet answered; revision and attempt are current."""
    UNANSWERED = "unanswered"
    """Neither confirmed nor released; revision and attempt are current."""
    CURRENT = "current"
    """The revision is current and the appointment stands."""
    CONFIRMED_AND_READY = "confirmed_and_ready"
    """Confirmed in this revision, and the work order is READY."""
    CASE_OPEN = "case_open"
    """The case has not ended."""
    ALWAYS = "always"


class Condition(NamedTuple):
    """`field op value` over the event; several are ANDed."""

    field: str
    op: str
    value: Any = None

    def holds(self, event: Event) -> bool:
        found = getattr(event, self.field)
        match self.op:
            case "eq":
                return bool(found == self.value)
            case "ne":
                return bool(found != self.value)
            case "in":
                return found in self.value
            case "exists":
                return (found is not None) is self.value
            case "gte":
                return found is not None and bool(found >= self.value)
            case "lt":
                return found is not None and bool(found < self.value)
        raise ValueError(f"there is no operator {self.op}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: a field that the event does not have is refused when the table is made."""

    rule_id: str
    event: type[Event]
    conditions: tuple[Condition, ...]
    audience: Audience
    template: str
    when: When
    quiet: Quiet
    valid_while: ValidWhile
    channels: tuple[Channel, ...] = (Channel.SMS,)
    """In order of preference; the next one is taken only for a reason that is known before sending."""
    if_told: bool = False
    """Only for a customer who had been told of the appointment."""
    optional: bool = False
    """Where there is no way to reach the customer it stays unsent, and nobody is told."""

    def __post_init__(self) -> None:
        for condition in self.conditions:
            if condition.field not in self.event.model_fields:
                raise ValueError(f"{self.rule_id}: {self.event.__name__} has no field {condition.field}")

    def fits(self, event: Event) -> bool:
        """Whether this event makes this notice."""
        return type(event) is self.event and all(condition.holds(event) for condition in self.conditions)


_SMS, _LETTER = Condition("channel", "eq", "sms"), Condition("channel", "eq", "letter")
_WANTED = (Condition("by", "eq", "staff"), Condition("notice", "eq", value=True))
_ANOTHER_TIME = (Condition("agreed", "eq", value=False), Condition("window_changed", "eq", value=True))
_GIVEN_BACK = (Condition("reason", "in", (ReleaseReason.ON_HOLD, ReleaseReason.CLOSED, ReleaseReason.STAFF)),)
_BY_LAW = (Condition("fact", "eq", Fact.ROLLOUT_ANNOUNCED), Condition("statutory", "eq", value=True))
_CANCELLED_IN_FIELD = (Condition("move", "eq", "T29"), Condition("from_state", "in", ("READY", "IN_PROGRESS")))
_BY_LETTER = (Channel.LETTER,)

# fmt: off
RULES = (
    Rule("N01", AppointmentOffered,   (_SMS,),             Audience.CUSTOMER,   "booking_offer",         When.NOW,                 Quiet.RESPECT, ValidWhile.OFFERED),                                                         # noqa: E501
    Rule("N02", AppointmentOffered,   (_LETTER,),          Audience.CUSTOMER,   "booking_letter",        When.NOW,                 Quiet.IGNORE,  ValidWhile.OFFERED, _BY_LETTER),                                             # noqa: E501
    Rule("N03", AnswerOverdue,        (),                  Audience.CUSTOMER,   "booking_reminder",      When.NOW,                 Quiet.RESPECT, ValidWhile.UNANSWERED, optional=True),                                       # noqa: E501
    Rule("N04", AppointmentConfirmed, _WANTED,             Audience.CUSTOMER,   "booking_confirmation",  When.NOW,                 Quiet.RESPECT, ValidWhile.CURRENT),                                                         # noqa: E501
    Rule("N05", AppointmentConfirmed, (),                  Audience.CUSTOMER,   "appointment_reminder",  When.WORKING_DAYS_BEFORE, Quiet.RESPECT, ValidWhile.CONFIRMED_AND_READY),                                             # noqa: E501
    Rule("N06", AppointmentMoved,     _ANOTHER_TIME,       Audience.CUSTOMER,   "appointment_moved",     When.NOW,                 Quiet.RESPECT, ValidWhile.CURRENT, (Channel.SMS, Channel.LETTER), if_told=True),            # noqa: E501
    Rule("N07", AppointmentReleased,  _GIVEN_BACK,         Audience.CUSTOMER,   "appointment_cancelled", When.NOW,                 Quiet.RESPECT, ValidWhile.ALWAYS, if_told=True),                                            # noqa: E501
    Rule("N08", HandoverRequested,    _BY_LAW,             Audience.CUSTOMER,   "statutory_37",          When.NOW,                 Quiet.IGNORE,  ValidWhile.CASE_OPEN, _BY_LETTER),                                           # noqa: E501
    Rule("N09", WorkOrderMoved,       _CANCELLED_IN_FIELD, Audience.TECHNICIAN, "stop_work",             When.NOW,                 Quiet.IGNORE,  ValidWhile.ALWAYS),                                                          # noqa: E501
)
# fmt: on

CLOSING = Rule(
    "STOP", CustomerOptedOut, (), Audience.CUSTOMER, "opt_out_closing", When.NOW, Quiet.RESPECT, ValidWhile.ALWAYS
)
"""The one text that answers a STOP (setting `closing_text`); the event is our own."""

FREE = Rule("TEXT", CustomerOptedOut, (), Audience.CUSTOMER, "free_text", When.NOW, Quiet.RESPECT, ValidWhile.CASE_OPEN)
"""What a person writes himself; no event makes it."""

BY_ID: Mapping[str, Rule] = MappingProxyType({rule.rule_id: rule for rule in (*RULES, CLOSING, FREE)})


def fitting(event: Event) -> tuple[Rule, ...]:
    """The rules that an event fits, in the order of the table."""
    return tuple(rule for rule in RULES if rule.fits(event))
