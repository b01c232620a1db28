"""Alerts: what people of the house, or of a company, should look at; codes and ids only, never personal data."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from contracts.bookings import AppointmentQuestioned, WorkOrderAwarded
from contracts.cases import ExceptionRaised, SlaAtRisk, SlaBreached
from contracts.event import Event
from contracts.handovers import HandoverFailed, HandoverRejected, MessageQuarantined
from contracts.quality import ReworkRequested
from kit.store import Aggregate
from services.notification_service.domain.operators import Operator

DISPATCHER, MDM = "role:dispatcher", "role:mdm"
"""Audiences beside `company:<id>` and the principal or queue that owns an exception."""

DIGEST = timedelta(minutes=15)
MORNING = time(6)


class Due(StrEnum):
    """When an alert is shown."""

    NOW = "now"
    DIGEST = "digest"
    """With the others of a quarter of an hour."""
    MORNING = "morning"
    """With the others of a day, at six."""

    def after(self, now: datetime, operator: Operator) -> datetime:
        """The instant from which on an alert that was made now is shown."""
        if self is Due.NOW:
            return now
        if self is Due.DIGEST:
            over = timedelta(seconds=now.timestamp() % DIGEST.total_seconds())
            return now - over + DIGEST if over else now
        local = operator.calendar.local(now)
        day = local.date() if local.time() <= MORNING else local.date() + timedelta(days=1)
        return operator.calendar.at(day, MORNING)


@dataclass(kw_only=True, eq=False)
class Alert(Aggregate):
    """One thing to look at. `alert_key` is unique: what is heard twice alerts once."""

    alert_id: UUID
    alert_key: str
    rule_id: str
    audience: str
    case_id: UUID | None = None
    work_order_id: UUID | None = None
    kind: str
    """The event that it is about, in snake case."""
    cause: str | None = None
    made_at: datetime
    due_at: datetime

    def key(self) -> str:
        return str(self.alert_id)

    def keys(self) -> tuple[str, str]:
        return str(self.alert_id), self.alert_key


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Which event alerts whom, of what, and when."""

    rule_id: str
    event: type[Event]
    audience: Callable[[Any], str]
    cause: Callable[[Any], str | None]
    about: Callable[[Any], tuple[object, ...]]
    """What makes two alerts of this rule and case two."""
    due: Due = Due.NOW
    fits: Callable[[Any], bool] = lambda _: True

    def key(self, event: Event) -> str:
        """One per rule, subject and cause."""
        return ":".join(map(str, (self.rule_id, event.key(), *self.about(event))))


def _company(event: Any) -> str:
    return f"company:{event.company_id}"


def _target(event: Any) -> tuple[object, ...]:
    return type(event).__name__, event.target_version


def _row(event: Any) -> tuple[object, ...]:
    return event.fact, event.attempt, type(event).__name__, _reason(event)


def _reason(event: Any) -> str:
    return str(event.reasons[0].hub_reason if isinstance(event, HandoverRejected) else event.cause)


def _offer(event: Any) -> tuple[object, ...]:
    return event.appointment_id, event.revision, event.attempt, event.reply_id or event.cause


ALERTS = (
    AlertRule("N10", WorkOrderAwarded, _company, lambda _: None, lambda e: (e.award_id,)),
    AlertRule("N11", ReworkRequested, _company, lambda e: e.kind, lambda e: (e.review_id, e.round)),
    AlertRule("N12", HandoverFailed, lambda _: MDM, _reason, _row, fits=lambda e: e.final),
    AlertRule("N12", HandoverRejected, lambda _: MDM, _reason, _row),
    AlertRule("N12", MessageQuarantined, lambda _: MDM, lambda e: e.cause, lambda e: (e.quarantine_id,)),
    AlertRule("N13", SlaAtRisk, lambda _: DISPATCHER, lambda _: None, _target, Due.MORNING),
    AlertRule("N13", SlaBreached, lambda _: DISPATCHER, lambda _: None, _target, Due.MORNING),
    AlertRule("N14", ExceptionRaised, lambda e: e.owner_, lambda e: e.type, lambda e: (e.exception_id,)),
    AlertRule("N15", AppointmentQuestioned, lambda _: DISPATCHER, lambda e: e.cause, _offer, Due.DIGEST),
)
"""Rules whose audience works with the hub; the others' stand in rules.py."""
