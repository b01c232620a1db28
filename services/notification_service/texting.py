"""A text that a person wants sent now: only where it makes sense, and counted like any other (S3-19, S3-36)."""

from kit.store import Unit
from services.notification_service import sending
from services.notification_service.domain import segments
from services.notification_service.domain.correspondence import Correspondence
from services.notification_service.domain.desk import Desk, Fail, Suppress
from services.notification_service.domain.notices import Notice, Subject
from services.notification_service.domain.rules import BY_ID, FREE
from services.notification_service.domain.templates import MOST_SEGMENTS
from services.notification_service.errors import NotPossible, OverBudget, TooLong

CONFIRMATION = "N04"


def text(unit: Unit, desk: Desk, case: Correspondence, words: str | None) -> Notice:
    """Free words, or (None) the confirmation of the appointment that stands. Raises what forbids it."""
    if case.operator is None or not case.may_be_texted():
        raise NotPossible("no work order of this case stands where a text makes sense")
    notice = _free(unit, desk, case, words) if words is not None else _confirmation(unit, case)
    line = sending.line_of(unit, case)
    verdict = desk.verdict(notice, case, line, None, unit.now)
    if isinstance(verdict, Fail | Suppress):
        raise NotPossible(f"this customer gets no text: {verdict.cause}")
    if (held := desk.over_budget(notice, line, unit.now)) is not None:
        raise OverBudget(held.until)
    sending.dispatch(unit, desk, case, notice)
    return notice


def _free(unit: Unit, desk: Desk, case: Correspondence, words: str) -> Notice:
    """Its text is known at once; like every text it begins with the name of the operator."""
    full = f"{desk.operators.get(case.operator).name}: {words}"
    if (count := segments.measure(full).segments) > MOST_SEGMENTS:
        raise TooLong(FREE.template, case.contact.language if case.contact else "", count)
    key = f"{FREE.rule_id}:{case.case_id}:{unit.new_id()}:{FREE.audience}"
    notice = sending.plan(unit, case, FREE, key, Subject())
    if notice is None:
        raise NotPossible("it is being sent already")
    notice.text = full
    return notice


def _confirmation(unit: Unit, case: Correspondence) -> Notice:
    appointment = case.current_appointment()
    if appointment is None:
        raise NotPossible("there is no appointment to confirm")
    rule = BY_ID[CONFIRMATION]
    about = Subject(
        work_order_id=appointment.work_order_id,
        appointment_id=appointment.appointment_id,
        revision=appointment.revision,
        attempt=appointment.attempt,
    )
    its = appointment
    key = f"{rule.rule_id}:{its.appointment_id}:r{its.revision}:o{its.attempt}:{rule.audience}"
    notice = sending.plan(unit, case, rule, key, about)
    if notice is None:
        raise NotPossible("this appointment was confirmed by a text already")
    return notice
