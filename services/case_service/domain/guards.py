"""The guards G1–G28 (lifecycle §2.2): each answers with the refusal, or with nothing. All are asked, none acts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any

from contracts.codes import BookingChannel, ExceptionType, MoveDecision, Outcome, State
from contracts.ids import phone
from kit.workdays import months_later
from services.case_service import errors
from services.case_service.domain import reports
from services.case_service.domain.act import Act
from services.case_service.domain.calendar import local_day
from services.case_service.domain.cancelling import withdrawn_last
from services.case_service.domain.case import Case
from services.case_service.domain.entries import FormVersion
from services.case_service.domain.exceptions import approved, open_exceptions
from services.case_service.domain.flow import FlowStep, SubReasons
from services.case_service.domain.requests import MoveRequest, Resolution
from services.case_service.domain.states import Column
from services.case_service.domain.work_order import WorkOrder

MONTHS_ON_HOLD = 24
ASKED = MappingProxyType({"responsible": "responsible", "company_id": "company_id", "return_on": "hold_until"})
"""Fields of a request that are attributes of the order."""
REPORTS = frozenset({"resolve", "accept_report"})
"""What staff may do for a technician; a visit begins where the technician is (T18)."""
CARRIES = frozenset({Column.RESOLVED_WELL, Column.CLOSED_WELL})


@dataclass(frozen=True)
class Ask:
    """A step that somebody wants to take, and all that guards look at."""

    case: Case
    order: WorkOrder
    act: Act
    request: MoveRequest
    form: FormVersion | None = None
    """The version that the report names, if it is known."""
    on_behalf: bool = False
    sub_reasons: SubReasons | None = None
    """The operator's list; None where it keeps the default."""
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What was saved in the forms of the order so far, by form."""


Guard = Callable[[Ask], errors.Objection | None]


def as_decided(ask: Ask) -> errors.Objection | None:
    """G4; flags are the case's, and so is their version."""
    if ask.request.expected_version in {None, ask.order.version}:
        return _edition_as_decided(ask)
    state = ask.order.state
    return errors.StaleVersion(
        f"Version {ask.request.expected_version} is not the present one: {ask.order.version}, {state}.",
        current_version=ask.order.version,
        state=state,
        diff=_changed_since(ask),
    )


def _edition_as_decided(ask: Ask) -> errors.Objection | None:
    edition, now = ask.request.expected_edition, ask.case.edition
    if edition in {None, now}:
        return None
    yours, there = ask.request.text, ask.case.flag_text
    diff = {"flag_text": {"yours": yours, "now": there}} if yours != there else {}
    return errors.StaleVersion(f"Edition {edition} is not the present one: {now}.", current_version=now, diff=diff)


def _changed_since(ask: Ask) -> dict[str, dict[str, Any]]:
    """Where the order stood for the caller and where it stands now; what was wanted beside what is there."""
    order, request = ask.order, ask.request
    seen = (each for each in ask.case.history if each.work_order_id == order.work_order_id)
    then = next((each.to_state for each in seen if each.version == request.expected_version), None)
    diff = {"state": {"then": then, "now": order.state}} if then is not order.state else {}
    for name, attribute in ASKED.items():
        wanted, now = getattr(request, name), getattr(order, attribute)
        if name in request.model_fields_set and wanted != now:
            diff[name] = {"yours": wanted, "now": now}
    return diff


def not_withdrawn(ask: Ask) -> errors.Objection | None:
    """G5."""
    if not ask.order.undecided:
        return None
    cancelled = withdrawn_last(ask.case)
    partner = cancelled.partner if cancelled else "The partner"
    on = local_day(ask.order.withdrawn_at, ask.act.policy.zone) if ask.order.withdrawn_at else ask.act.today
    return errors.CancellationOpen(
        f"{partner} cancelled this order on {on}. Decide first: close_case, data_corrected or order_field_visit."
    )


def not_used(ask: Ask) -> errors.Objection | None:
    """G6."""
    if ask.order.resolved_at is None:
        return None
    on = local_day(ask.order.resolved_at, ask.act.policy.zone)
    return errors.AttemptUsed(f"Resolved on {on}. plan_again opens the next attempt.")


def planned(ask: Ask) -> errors.Objection | None:
    """G7."""
    missing = ask.order.unplanned()
    return errors.NotPlanned(f"Missing: {', '.join(missing)}.", fields=missing) if missing else None


def not_too_early(ask: Ask) -> errors.Objection | None:
    """G8: booking_service owns the rule, its newest word counts."""
    word = ask.case.bookable
    if word is None or word.bookable_from is None:
        return errors.TooEarly("The earliest start is not known yet.")
    start = ask.order.start
    if start is not None and local_day(start, ask.act.policy.zone) < word.bookable_from:
        announced = f": announced on {word.notice_on}" if word.notice_on else ""
        return errors.TooEarly(f"Earliest start {word.bookable_from}{announced}.", earliest=word.bookable_from)
    return None


def may_text(ask: Ask) -> errors.Objection | None:
    """G10."""
    contact = ask.case.contact
    number = phone(contact.phone, ask.case.address.country) if contact and contact.phone else None
    if contact is None or number is None or not number.mobile:
        return errors.NoMobile("There is no mobile number on record.")
    return None if contact.sms_allowed else errors.SmsNotAllowed("The customer does not want text messages.")


def has_address(ask: Ask) -> errors.Objection | None:
    """G11."""
    address = ask.case.address
    names = ("street", "number", "postcode", "city", "country")
    missing = [name for name in names if not getattr(address, name).strip()]
    return errors.NoAddress(f"Missing: {', '.join(missing)}.", fields=missing) if missing else None


def not_blocked(ask: Ask) -> errors.Objection | None:
    """G13; asked of a READY order only: the others are not on the way to the customer."""
    if not ask.order.blockers or ask.order.state is not State.READY:
        return None
    said = "; ".join(f"{blocker}: {text}" for blocker, text in ask.order.blockers.items())
    return errors.Blocked(said, blockers=sorted(ask.order.blockers))


def is_responsible(ask: Ask) -> errors.Objection | None:
    """G14; staff report on behalf, with words why (G18). An offline technician may have lost the order meanwhile."""
    if ask.on_behalf and ask.request.move in REPORTS:
        return has_reason(ask)
    technician = ask.act.technician
    if technician is not None and technician in {ask.order.responsible, ask.order.dispatched_to}:
        return None
    return errors.NotResponsible("Another technician is responsible for this order.")


def result_fits(ask: Ask) -> errors.Objection | None:
    """G15."""
    report = ask.request.report
    return reports.check_result(report, ask.sub_reasons) or reports.check_needs(report, ask.case.on_site)


def form_complete(ask: Ask) -> errors.Objection | None:
    """G16."""
    return reports.check_form(ask.request.report, ask.form)


def devices_fit(ask: Ask) -> errors.Objection | None:
    """G17."""
    return reports.check_devices(ask.request.report, ask.order.device_plan)


def has_reason(ask: Ask) -> errors.Objection | None:
    """G18."""
    given = ask.request.reason and ask.request.reason.strip()
    return None if given else errors.ReasonMissing("Say why, in words.")


def returns_in_time(ask: Ask) -> errors.Objection | None:
    """G19."""
    return return_date_fits(ask.request.return_on, ask.act.today)


def return_date_fits(on: date | None, today: date) -> errors.Objection | None:
    """G19, also where the date of a hold is changed (§10)."""
    latest = months_later(today, MONTHS_ON_HOLD)
    if on is None or not today < on <= latest:
        return errors.ReturnDateInvalid(f"The return date lies after {today} and not after {latest}.")
    return None


def all_informed(ask: Ask) -> errors.Objection | None:
    """G20."""
    if ask.request.resolution is Resolution.NOT_NEEDED:
        return None
    if has_reason(ask):
        return errors.DecisionMissing("Write down the decision.")
    if ask.order.customer_knows and not ask.request.customer_informed:
        return errors.CustomerNotInformed("The customer knows of the appointment: confirm that he was told.")
    in_the_field = ask.order.came_from in {State.READY, State.IN_PROGRESS}
    if in_the_field and not ask.request.technician_informed:
        return errors.TechnicianNotInformed("The technician had the order: confirm that he was told.")
    return None


def nothing_on_site(ask: Ask) -> errors.Objection | None:
    """G21."""
    if ask.request.resolution is Resolution.NOT_NEEDED or not ask.case.on_site:
        return None
    others = [each for each in ask.case.work_orders if each is not ask.order]
    if ask.request.resolution is not Resolution.CANCELLED and any(
        other.column in CARRIES and other.installed for other in others
    ):
        return None
    serial = ask.case.on_site[0].serial
    return errors.DeviceOnSite(
        f"Serial {serial} is installed. Complete it (data_corrected) or reverse it (order_field_visit).",
        serials=[device.serial for device in ask.case.on_site],
    )


def reviewed(ask: Ask) -> errors.Objection | None:
    """G22."""
    if ask.order.approved or approved(ask.case, ExceptionType.QA_WAIVER, order=ask.order):
        return None
    return errors.ReviewMissing(f"Evidence version {ask.order.evidence_version} is not approved.")


def correctable(ask: Ask) -> errors.Objection | None:
    """G23; from R+ a field visit needs no such reason. At the desk nothing can be put right that nobody did."""
    order, at_the_desk = ask.order, ask.request.move == "data_corrected"
    if at_the_desk and not order.used:
        return errors.NothingToCorrect("Nobody was there: there is no visit to correct.")
    if at_the_desk and order.outcome is Outcome.FAILED:
        return errors.NothingToCorrect("The visit failed: only another one can do the work.")
    if order.state is not State.MANUAL_FOLLOW_UP:
        return None
    if order.rejection == "taken_over" or ask.case.on_site or (order.used and not order.undecided):
        return None
    return errors.NothingToCorrect("Nothing was rejected, reported or built in.")


def not_rejected(ask: Ask) -> errors.Objection | None:
    """G24."""
    if ask.order.rejection == "none":
        return None
    return errors.RejectionOpen("The rejected handover comes first: data_corrected or order_field_visit.")


def attempts_left(ask: Ask) -> errors.Objection | None:
    """G25; asked after a failed visit only: a rework or a reversal is no further attempt at what failed."""
    failed = ask.case.failed_attempts if ask.order.outcome is Outcome.FAILED else 0
    if failed < ask.act.policy.attempts or approved(ask.case, ExceptionType.THREE_FAILED_ATTEMPTS):
        return None
    return errors.AttemptsExhausted(f"{failed} attempts failed. A second person must approve another.")


def no_open_offer(ask: Ask) -> errors.Objection | None:
    """G26."""
    if ask.order.pending is None:
        return None
    return errors.BookingOpen(f"Offer {ask.order.offer} by {ask.order.pending.channel} is under way.")


def not_objected(ask: Ask) -> errors.Objection | None:
    """G27."""
    if not open_exceptions(ask.case, ExceptionType.ANNOUNCEMENT_OBJECTED):
        return None
    return errors.AnnouncementObjected("Somebody objected to the announcement. Resolve the exception first.")


def done_elsewhere(ask: Ask) -> errors.Objection | None:
    """G28."""
    if ask.request.resolution is not Resolution.NOT_NEEDED:
        return None
    well = {Outcome.OK, Outcome.PARTIAL}
    others = [each for each in ask.case.work_orders if each is not ask.order]
    if any(each.outcome in well and each.column is not Column.CLOSED_OTHERWISE for each in others):
        return None
    return errors.StillNeeded("No other order of this case did the work. Use no_more_attempts.")


def withdrawn_by_partner(ask: Ask) -> errors.Objection | None:
    """Of T24 and T31: a person confirms a cancellation, and never makes one."""
    if ask.request.resolution is not Resolution.CANCELLED or ask.order.undecided:
        return None
    return errors.CancelByMdmOnly("Only the partner that ordered the work can withdraw it.")


def predecessor_decided(ask: Ask) -> errors.Objection | None:
    """Of T01: a follow-up waits until it is decided what becomes of the withdrawn visit before it."""
    before = ask.case.predecessor_of(ask.order)
    return not_withdrawn(replace(ask, order=before)) if before else None


def gives_up(ask: Ask) -> errors.Objection | None:
    """Of T24: after a visit that failed, an order ends because nobody tries again, and for no other reason."""
    if ask.request.resolution in {None, Resolution.NO_MORE_ATTEMPTS}:
        return None
    return errors.MoveNotAllowed(
        f"{ask.request.resolution} is not possible in {ask.order.state}. Use no_more_attempts.",
        possible=[Resolution.NO_MORE_ATTEMPTS],
        state=ask.order.state,
    )


def taken_back_by_partner(ask: Ask) -> errors.Objection | None:
    """Of T33: to take work back is to cancel it, and that is the partner's to say."""
    if ask.request.decision is not MoveDecision.REVERSE or ask.order.undecided:
        return None
    return errors.CancelByMdmOnly("Only work that its partner withdrew is taken back.")


def has_slot_for_phone(ask: Ask) -> errors.Objection | None:
    """Of T32: what is offered on the phone is an appointment that booking_service set aside."""
    by_phone = ask.order.state is State.PLANNING and ask.request.channel is BookingChannel.PHONE
    if not by_phone or ask.order.appointment_id is not None:
        return None
    return errors.NotPlanned("Missing: appointment.", fields=["appointment"])


def steps_complete(ask: Ask) -> errors.Objection | None:
    """What the flow of the case wants to be answered before this move (S2-02). A visit that failed answers nothing."""
    missing = [f"{step.form_key}/{name}" for step in steps_due(ask) for name in unanswered(ask, step)]
    return errors.FormIncomplete(f"Missing: {', '.join(missing)}.", fields=missing) if missing else None


def steps_due(ask: Ask) -> tuple[FlowStep, ...]:
    """The steps of the flow that this move has to pass."""
    report = ask.request.report
    failed = report is not None and report.result not in reports.WORK_DONE
    return () if failed else ask.case.flow.steps_before(ask.request.move)


def unanswered(ask: Ask, step: FlowStep) -> list[str]:
    """Fields of a step that have no answer yet, neither saved before nor in this report."""
    report, known = ask.request.report, dict(ask.answers.get(step.form_key, {}))
    if report is not None and report.form_key == step.form_key:
        known |= report.answers
    return [name for name in step.fields if known.get(name) in (None, "")]


def _only(resolution: Resolution, guard: Guard) -> Guard:
    return lambda ask: guard(ask) if ask.request.resolution is resolution else None


GUARDS: Mapping[str, Guard] = MappingProxyType(
    {
        "G4": as_decided,
        "G5": not_withdrawn,
        "G6": not_used,
        "G7": planned,
        "G8": not_too_early,
        "G10": may_text,
        "G11": has_address,
        "G13": not_blocked,
        "G14": is_responsible,
        "G15": result_fits,
        "G16": form_complete,
        "G17": devices_fit,
        "G18": has_reason,
        "G19": returns_in_time,
        "G20": all_informed,
        "G21": nothing_on_site,
        "G22": reviewed,
        "G23": correctable,
        "G24": not_rejected,
        "G25": attempts_left,
        "G26": no_open_offer,
        "G27": not_objected,
        "G28": done_elsewhere,
    }
)
"""By the page's number. G1 is the matrix itself, G2 and G3 are asked before (role, scope), G9 is booking_service's,
G12 is asked of actions on the case."""

ONLY_NOT_NEEDED: Mapping[str, Guard] = MappingProxyType(
    {name: _only(Resolution.NOT_NEEDED, GUARDS[name]) for name in ("G5", "G6")}
)
"""T31 asks these of one resolution only."""

BESIDE: Mapping[str, tuple[Guard, ...]] = MappingProxyType(
    {
        "T01": (predecessor_decided,),
        "T24": (withdrawn_by_partner, gives_up),
        "T31": (withdrawn_by_partner,),
        "T32": (has_slot_for_phone,),
        "T33": (taken_back_by_partner,),
    }
)
"""What a row asks beyond the page's numbers, from the words of its effects: asked before, not met while doing."""
