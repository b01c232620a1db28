"""What cockpit_service hears: every event of every topic it may read, each by the function that folds it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from contracts.cases import CasePurged
from contracts.contacts import ContactRecorded
from contracts.event import Event
from contracts.handovers import MessageQuarantined
from kit.handlers import Handlers, Received
from kit.store import Ref, Unit
from services.cockpit_service import metrics
from services.cockpit_service.domain.case import Case, Contact, Line, Quarantined
from services.cockpit_service.lines import SHOWN, text_of
from services.cockpit_service.projections import PROJECTIONS

handlers = Handlers(main=Case)


def needs_case(event: Any, _unit: Unit) -> Iterable[Ref]:
    """The case alone; its timeline is only added to."""
    return [(Case, str(event.case_id))]


def needs_contact(event: Any, _unit: Unit) -> Iterable[Ref]:
    """Case and contact: whichever topic is ahead, a purged contact stays away."""
    return [(Case, str(event.case_id)), (Contact, str(event.case_id))]


def needs_nothing(_event: Any, _unit: Unit) -> Iterable[Ref]:
    """Nothing: a line is inserted, whatever else there is."""
    return ()


def fold(received: Received[Any], unit: Unit) -> None:
    """Fold an event into its case, unless something newer of the same key was folded, and add its line."""
    event = received.event
    case = _case(unit, event.case_id)
    if case.is_news(_line_of(event), received.sequence):
        PROJECTIONS[type(event)](case, event, received.time)
    note(received, unit)


def note(received: Received[Any], unit: Unit) -> None:
    """Add the line of an event to the timeline of its case, if it has one."""
    event = received.event
    metrics.PROJECTED.labels(event.topic).inc()
    metrics.LAG_SECONDS.set(max((unit.now - received.time).total_seconds(), 0))
    if event.case_id is None:
        return
    unit.add(
        Line(
            event_id=received.id,
            case_id=event.case_id,
            work_order_id=getattr(event, "work_order_id", None),
            topic=event.topic,
            sequence=received.sequence,
            at=received.time,
            type=event.ce_type,
            text=text_of(event),
        )
    )


@handlers.on(ContactRecorded, needs=needs_contact)
def keep_contact(received: Received[ContactRecorded], unit: Unit) -> None:
    """Know who lives there, unless the case was purged."""
    event = received.event
    note(received, unit)
    known = unit.find(Contact, str(event.case_id))
    if _case(unit, event.case_id).purged or (known is not None and known.sequence >= received.sequence):
        return
    where = event.address
    values: dict[str, Any] = {
        "sequence": received.sequence,
        "name": event.name,
        "street": where.street,
        "number": where.number,
        "addition": where.addition,
        "postcode": where.postcode,
        "city": where.city,
        "country": where.country,
        "language": event.language,
        "sms_allowed": event.sms_allowed,
    }
    if known is None:
        unit.add(Contact(case_id=event.case_id, **values))
        return
    for name, value in values.items():
        setattr(known, name, value)


@handlers.on(CasePurged, needs=needs_contact)
def purge(received: Received[CasePurged], unit: Unit) -> None:
    """Whatever the scope, the copy of the contact goes, and does not come back."""
    fold(received, unit)
    forget_contact(str(received.event.case_id), unit)


@handlers.forgotten(ContactRecorded, needs=lambda key, _: [(Contact, key)])
def forget_contact(key: str, unit: Unit) -> None:
    """The copy is deleted; its case and its timeline name nobody."""
    if (contact := unit.find(Contact, key)) is not None:
        unit.remove(contact)


@handlers.on(MessageQuarantined, needs=needs_nothing)
def show_quarantine(received: Received[MessageQuarantined], unit: Unit) -> None:
    """A message that nobody could process is a problem of its own, with or without a case."""
    event = received.event
    unit.add(
        Quarantined(
            quarantine_id=event.quarantine_id,
            case_id=event.case_id,
            partner=event.partner,
            cause=event.cause,
            since=received.time,
        )
    )
    note(received, unit)


def _case(unit: Unit, case_id: UUID) -> Case:
    """The case, known from now on at the latest: any topic may name it first."""
    case = unit.find(Case, str(case_id))
    if case is None:
        case = Case(case_id=case_id)
        unit.add(case)
    return case


def _line_of(event: Event) -> str:
    """Which order this event stands in: that of its topic for the case, or for one device of the case."""
    topic = event.topic.removeprefix("rollout.")
    return topic if event.key_field == "case_id" else f"{topic}/{event.key()}"


def _register() -> None:
    for kind in SHOWN:
        if kind in (CasePurged, ContactRecorded, MessageQuarantined):
            continue
        if kind not in PROJECTIONS:
            handlers.on(kind, needs=needs_nothing)(note)
        else:
            handlers.on(kind, needs=needs_case)(fold)


_register()
