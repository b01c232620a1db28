"""How an event becomes an alert, once, and how one is raised where no event says it."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from contracts.bookings import AppointmentQuestioned
from contracts.event import Event
from kit.handlers import Handlers, Received
from kit.store import Ref, Unit
from services.notification_service import metrics
from services.notification_service.domain.alerts import ALERTS, DISPATCHER, Alert, AlertRule, Due
from services.notification_service.domain.correspondence import Correspondence
from services.notification_service.domain.desk import Desk

QUEUED, PRINTED_DESPITE_PULL = "reply_queued", "printed_despite_pull"
"""Kinds of alerts that no event of others makes."""

QUESTION = next(rule for rule in ALERTS if rule.event is AppointmentQuestioned)
"""Its event has a handler of its own."""


def register(handlers: Handlers, desk: Desk) -> None:
    """Every event of the table that nobody else hears here."""
    for rule in ALERTS:
        if rule is not QUESTION:
            _hear(handlers, desk, rule)


def needs_of(rule: AlertRule, event: Event) -> Iterable[Ref]:
    """The case, whose operator's mornings count, and the alert if there is one."""
    return (Correspondence, event.key()), (Alert, rule.key(event))


def alert(unit: Unit, desk: Desk, rule: AlertRule, event: Event) -> None:
    """Alert whom the rule names; once for each subject, and only where it fits."""
    key = rule.key(event)
    if not rule.fits(event) or unit.find(Alert, key) is not None:
        return
    case = unit.find(Correspondence, event.key())
    due_at = rule.due.after(unit.now, desk.operators.get(case.operator if case else None))
    made = Alert(
        alert_id=unit.new_id(),
        alert_key=key,
        rule_id=rule.rule_id,
        audience=str(rule.audience(event)),
        case_id=getattr(event, "case_id", None),
        work_order_id=getattr(event, "work_order_id", None),
        kind=event.ce_type.split(".")[-2],
        cause=rule.cause(event),
        made_at=unit.now,
        due_at=due_at,
    )
    _add(unit, made)


def raise_queued(unit: Unit, desk: Desk, reply_id: UUID, case_id: UUID | None, reason: str) -> None:
    """A reply waits for a person, with the next digest (N15)."""
    due_at = Due.DIGEST.after(unit.now, desk.operators.get(None))
    _add(unit, _own(unit, "N15", QUEUED, reply_id, case_id, reason, due_at))


def raise_printed(unit: Unit, letter_id: UUID, case_id: UUID) -> None:
    """A letter went out although it was called back: somebody should tell the customer."""
    _add(unit, _own(unit, "ALERT", PRINTED_DESPITE_PULL, letter_id, case_id, None, unit.now))


def _hear(handlers: Handlers, desk: Desk, rule: AlertRule) -> None:
    @handlers.on(rule.event, needs=lambda event, _: needs_of(rule, event))
    def heard(received: Received[Event], unit: Unit) -> None:
        alert(unit, desk, rule, received.event)


def _own(
    unit: Unit, rule_id: str, kind: str, about: UUID, case_id: UUID | None, cause: str | None, due_at: datetime
) -> Alert:
    return Alert(
        alert_id=unit.new_id(),
        alert_key=f"{rule_id}:{kind}:{about}",
        rule_id=rule_id,
        audience=DISPATCHER,
        case_id=case_id,
        kind=kind,
        cause=cause,
        made_at=unit.now,
        due_at=due_at,
    )


def _add(unit: Unit, made: Alert) -> None:
    unit.add(made)
    metrics.ALERTS.labels(made.kind).inc()
