"""What several handlers do: begin a case, apply the rules to an event, try what waits, stop what is no longer true."""

from collections.abc import Iterable
from uuid import UUID

from contracts.bookings import (
    AnswerOverdue,
    AppointmentConfirmed,
    AppointmentMoved,
    AppointmentOffered,
    AppointmentReleased,
)
from contracts.event import Event
from kit.store import Ref, Unit
from services.notification_service import sending
from services.notification_service.domain import rules
from services.notification_service.domain.correspondence import Correspondence
from services.notification_service.domain.desk import Desk
from services.notification_service.domain.notices import Notice, Subject
from services.notification_service.domain.rules import Rule

Noted = AppointmentOffered | AnswerOverdue | AppointmentConfirmed | AppointmentMoved | AppointmentReleased
"""Events about an appointment that may make notices."""


def to_send(event: Event, unit: Unit) -> Iterable[Ref]:
    """What must be loaded to send what an event of the case makes."""
    yield from sending.needs_of(unit, event.key())


def case_of(unit: Unit, case_id: UUID) -> Correspondence:
    """The correspondence of a case; it begins with whatever is heard of it first."""
    found = unit.find(Correspondence, str(case_id))
    if found is None:
        found = Correspondence(case_id=case_id, begun_at=unit.now)
        unit.add(found)
    return found


def apply_rules(
    unit: Unit,
    desk: Desk,
    case: Correspondence,
    event: Noted,
    *,
    told: bool = True,
    too_late: bool = False,
) -> None:
    """Every rule that this event fits makes its notice, once.

    `told`: the customer knew of the appointment before; `too_late`: a reminder would come too late to be one.
    """
    for rule in rules.fitting(event):
        if (rule.if_told and not told) or (too_late and rule.when is rules.When.WORKING_DAYS_BEFORE):
            continue
        key = f"{rule.rule_id}:{event.appointment_id}:r{event.revision}:o{event.attempt}:{rule.audience}"
        about = Subject(
            work_order_id=event.work_order_id,
            appointment_id=event.appointment_id,
            revision=event.revision,
            attempt=event.attempt,
        )
        make(unit, desk, case, rule, key, about)


def make(unit: Unit, desk: Desk, case: Correspondence, rule: Rule, key: str, about: Subject) -> Notice | None:
    """A notice of this rule, on its way as far as its gates let it; None if there is one already."""
    notice = sending.plan(unit, case, rule, key, about)
    if notice is not None:
        sending.dispatch(unit, desk, case, notice)
    return notice


def try_waiting(unit: Unit, desk: Desk, case: Correspondence) -> None:
    """Something became known that notices may have waited for."""
    for notice in case.waiting():
        sending.dispatch(unit, desk, case, notice)


def stop_waiting(
    unit: Unit, case: Correspondence, cause: str, appointment_id: UUID | None = None, *, lasting: bool = True
) -> None:
    """What waits stays unsent; with `lasting=False` what is true for ever still goes out."""
    for notice in case.suppress_waiting(cause, unit.now, appointment_id, lasting=lasting):
        unit.never(sending.TIMER, notice.key)
