"""The rows T01–T34 of the transition table (lifecycle §2.1), each with what it does and tells."""

from datetime import date

import pytest

from contracts import bookings, cases, notices, visits
from contracts.codes import Cancellation, CloseReason, MoveDecision, Outcome, Result, State
from contracts.orders import OrderAmended, OrderCancelled
from contracts.parts import Address
from services.case_service.domain import moves
from services.case_service.domain.incoming.orders import amend_order, cancel_order
from services.case_service.domain.incoming.table import hear
from services.case_service.domain.moves import ask_for
from services.case_service.domain.states import Column
from services.case_service.domain.transitions import TRANSITIONS, allowed
from services.case_service.domain.work_order import PendingOffer
from services.case_service.errors import (
    AttemptsExhausted,
    BookingOpen,
    CancelByMdmOnly,
    DecisionMissing,
    IllegalStep,
    MoveNotAllowed,
    NothingToCorrect,
    ReturnDateInvalid,
    ReviewMissing,
)
from tests.unit.case_service import facts
from tests.unit.case_service.builders import (
    COMPANY,
    NOW,
    PLANNER,
    TECHNICIAN,
    TECHNICIAN_ID,
    a_case,
    a_device,
    a_gateway,
    a_report,
    a_request,
    an_act,
    an_old_device,
    approve,
    follow_up_of,
    in_the_field,
    resolve,
    the_order,
    withdrawn,
)

SYSTEM = "system:case_service"


def make(case, move, act=None, **given):
    """A person makes a move."""
    act = act or (in_the_field() if move in {"start", "resolve"} else an_act())
    return moves.move(ask_for(case, act, the_order(case).work_order_id, a_request(move, **given), None))


def heard(case, fact):
    """A fact arrives."""
    hear(case, an_act(SYSTEM), fact)


def told(case, kind):
    return [fact for fact in case.told if isinstance(fact, kind)]


def moved(case) -> list[str]:
    return [fact.move for fact in told(case, cases.WorkOrderMoved)]


def planned(column=Column.PL, channel="sms", **attributes):
    """A case with an open offer."""
    pending = PendingOffer(channel=channel, asked_at=NOW)
    return a_case(column, offer=1, pending=pending, **attributes)


def sent(case, **given):
    order = the_order(case)
    return notices.NoticeSent(**facts.sending(case, order, **given), sent_at=NOW, sent_on=NOW.date())


def test_T01_a_planner_begins() -> None:
    case = a_case(Column.OP)
    make(case, "start_planning", responsible=TECHNICIAN)
    assert (the_order(case).state, the_order(case).responsible) == (State.PLANNING, TECHNICIAN)


def test_T02_a_letter_is_asked_for_and_counts_as_an_offer() -> None:
    case = a_case(Column.PL)
    make(case, "prepare_letter")
    (asked,) = told(case, cases.BookingRequested)
    assert (asked.channel, asked.attempt, the_order(case).state) == ("letter", 1, State.READY_TO_PRINT)


def test_T03_the_letter_is_printed() -> None:
    case = a_case(Column.RP)
    heard(case, notices.LetterPrinted(**facts.letter(case, the_order(case)), printed_on=NOW.date(), pulled_late=False))
    heard(case, sent(case, channel="letter"))
    assert moved(case) == ["T03"]


def test_T04_asking_moves_nothing_and_the_sending_moves() -> None:
    case = a_case(Column.PL)
    make(case, "send_booking")
    assert (moved(case), told(case, cases.BookingRequested)[0].attempt) == ([], 1)
    heard(case, sent(case))
    assert (moved(case), the_order(case).pending, the_order(case).customer_knows) == (["T04"], None, True)


def test_T04_a_notice_of_an_older_offer_is_late() -> None:
    case = planned()
    heard(case, sent(case, attempt=0))
    assert moved(case) == []


def test_T04_and_T07_a_confirmation_overtakes_the_sending() -> None:
    case = planned()
    heard(case, facts.confirmed(case, the_order(case)))
    heard(case, sent(case))
    assert [(fact.move, fact.reason) for fact in told(case, cases.WorkOrderMoved)] == [
        ("T04", "implied"),
        ("T07", None),
    ]


def test_T05_a_text_that_cannot_be_sent_goes_to_a_person() -> None:
    case = planned()
    heard(case, facts.notice_failed(case, the_order(case), "permanent"))
    assert (moved(case), the_order(case).pending, the_order(case).came_from) == (["T05"], None, State.PLANNING)


def test_T05_a_text_about_something_else_that_fails_is_late() -> None:
    case = planned()
    heard(case, facts.notice_failed(case, the_order(case), "permanent", rule_id="N06"))
    assert (moved(case), the_order(case).pending is None) == ([], False)


def test_T05_a_refused_offer_goes_to_a_person() -> None:
    case = planned()
    heard(case, facts.questioned(case, the_order(case), "offer_refused", code="lead-time"))
    assert moved(case) == ["T05"]


def test_T05_opting_out_ends_an_offer_by_text_only() -> None:
    by_text, by_letter = planned(), planned(Column.RP, "letter")
    for case in (by_text, by_letter):
        heard(case, notices.CustomerOptedOut(case_id=case.case_id, channel="sms", since=NOW, source="reply"))
    assert (moved(by_text), moved(by_letter)) == (["T05"], [])
    assert by_letter.contact.sms_allowed is False


def test_T06_a_passing_failure_is_written_down() -> None:
    case = planned()
    heard(case, facts.notice_failed(case, the_order(case), "transient"))
    assert (moved(case), the_order(case).state, the_order(case).pending is None) == (["T06"], State.PLANNING, False)


def test_T07_the_customer_agrees() -> None:
    case = a_case(Column.AR)
    heard(case, facts.confirmed(case, the_order(case)))
    assert (moved(case), the_order(case).dispatched, the_order(case).dispatched_to) == (["T07"], True, TECHNICIAN)


def test_T07_an_answer_to_an_older_offer_is_late() -> None:
    case = a_case(Column.AR, offer=2)
    heard(case, facts.confirmed(case, the_order(case), attempt=1))
    assert moved(case) == []


def test_T07_an_answer_to_an_older_time_is_late() -> None:
    case = a_case(Column.AR, revision=1)
    heard(case, facts.confirmed(case, the_order(case), revision=0))
    assert moved(case) == []


def test_T07_without_a_technician_nothing_is_confirmed_and_the_hotlist_says_so() -> None:
    case = a_case(Column.AR, responsible=None)
    heard(case, facts.confirmed(case, the_order(case)))
    assert moved(case) == []
    assert [(r.code, r.params.get("guards")) for r in case.beside] == [("guard_failed", ["G7"]), ("late", None)]


def test_T08_an_answer_that_does_not_confirm_goes_to_a_person() -> None:
    case = a_case(Column.AR)
    heard(case, facts.questioned(case, the_order(case), "unclear"))
    assert [(fact.move, fact.reason) for fact in told(case, cases.WorkOrderMoved)] == [("T08", "question")]


def test_T08_comes_once_when_the_customer_opts_out_as_well() -> None:
    case = a_case(Column.AR)
    heard(case, facts.questioned(case, the_order(case), "stop"))
    heard(case, notices.CustomerOptedOut(case_id=case.case_id, channel="sms", since=NOW, source="reply"))
    assert moved(case) == ["T08"]


def test_T09_nobody_answered() -> None:
    case = a_case(Column.AR)
    order = the_order(case)
    heard(case, bookings.AnswerOverdue(**facts.of_appointment(case, order), channel="sms", answer_by=NOW))
    assert [(fact.move, fact.reason) for fact in told(case, cases.WorkOrderMoved)] == [("T09", "no_answer")]


def test_T10_a_person_takes_over_from_waiting() -> None:
    case = a_case(Column.AR)
    make(case, "follow_up_manually")
    assert moved(case) == ["T10"]


def test_T11_staff_confirmed_and_a_text_goes_out() -> None:
    case = a_case(Column.MF)
    heard(case, facts.confirmed(case, the_order(case), "staff", notice=True))
    heard(case, sent(case, template="booking_confirmation"))
    assert moved(case) == ["T11"]


def test_T11_the_text_may_be_heard_of_first() -> None:
    case = a_case(Column.MF)
    heard(case, sent(case, template="booking_confirmation"))
    assert moved(case) == ["T11"]


def test_T12_agreed_on_the_phone() -> None:
    by_staff, by_move = a_case(Column.MF), a_case(Column.MF)
    heard(by_staff, facts.confirmed(by_staff, the_order(by_staff), "staff"))
    make(by_move, "send_to_execution", code="ok_variant")
    assert (moved(by_staff), moved(by_move)) == (["T12"], ["T12"])
    assert told(by_move, cases.WorkOrderMoved)[0].reason == "ok_variant"


def test_T13_a_late_reply_confirms_the_unchanged_time() -> None:
    case = a_case(Column.MF, offer=1)
    heard(case, facts.confirmed(case, the_order(case), "reply"))
    assert [(fact.move, fact.reason) for fact in told(case, cases.WorkOrderMoved)] == [("T13", "late_reply")]


def test_T14_a_planner_sets_the_time_in_manual_follow_up() -> None:
    case = a_case(Column.MF, responsible=None, start=None)
    heard(case, bookings.AppointmentProposed(**facts.slot(case, the_order(case))))
    order = the_order(case)
    assert (moved(case), order.state, order.responsible, order.estimate) == (
        ["T14"],
        State.MANUAL_FOLLOW_UP,
        TECHNICIAN,
        45,
    )


def test_the_first_proposal_asks_for_material_once() -> None:
    case = a_case(Column.PL, appointment_id=None, start=None)
    heard(case, bookings.AppointmentProposed(**facts.slot(case, the_order(case))))
    heard(case, bookings.AppointmentProposed(**facts.slot(case, the_order(case))))
    (asked,) = told(case, cases.MaterialRequested)
    assert (asked.needed_on, asked.lines[0].device_type, asked.lines[0].quantity) == (date(2026, 3, 9), "mme-3", 1)


def test_T15_an_order_goes_on_hold_until_a_day() -> None:
    case = a_case(Column.AR)
    make(case, "put_on_hold", return_on=date(2026, 4, 1))
    assert (moved(case), the_order(case).hold_until) == (["T15"], date(2026, 4, 1))
    assert [fact.reason for fact in told(case, cases.MaterialReleased)] == ["on_hold"]


@pytest.mark.parametrize("on", [date(2026, 3, 2), date(2099, 1, 1)])
def test_T15_the_date_of_a_hold_is_changed_within_its_bounds(on: date) -> None:
    case = a_case(Column.OH)
    with pytest.raises(ReturnDateInvalid):
        make(case, "set_flag", return_on=on)
    make(case, "set_flag", return_on=date(2026, 5, 1))
    assert the_order(case).hold_until == date(2026, 5, 1)


def test_T16_somebody_reached_the_customer() -> None:
    case = a_case(Column.OH)
    make(case, "contact_made")
    assert (moved(case), the_order(case).came_from, the_order(case).hold_until) == (["T16"], State.ON_HOLD, None)


@pytest.mark.parametrize("column", [Column.OH, Column.MF])
def test_T17_planning_starts_again_and_the_offer_is_void(column: Column) -> None:
    case = planned(column)
    make(case, "plan_again")
    assert (moved(case), the_order(case).state, the_order(case).pending) == (["T17"], State.PLANNING, None)


def test_T18_the_technician_begins() -> None:
    case = a_case(Column.RD)
    make(case, "start")
    assert moved(case) == ["T18"]


def test_T19_a_visit_is_reported_without_a_beginning() -> None:
    case = a_case(Column.RD)
    make(case, "resolve", report=a_report())
    (report,) = told(case, visits.VisitReported)
    assert (moved(case), report.outcome, report.visit_version, report.evidence_version) == (["T19"], Outcome.OK, 1, 1)
    assert (report.technician_id, report.company_id, report.on_behalf) == (TECHNICIAN, COMPANY, False)


@pytest.mark.parametrize("state", [State.READY, State.IN_PROGRESS])
def test_T19_an_offline_technician_reports_what_was_taken_from_him_meanwhile(state: State) -> None:
    case = a_case(Column.MF, came_from=state, responsible=None, dispatched_to=TECHNICIAN)
    make(case, "resolve", report=a_report())
    assert (moved(case), the_order(case).column) == (["T19"], Column.RESOLVED_WELL)


def test_T20_the_visit_failed_and_the_partner_may_hear_of_it() -> None:
    case = a_case(Column.IP)
    make(case, "resolve", report=a_report("NOT_AT_HOME"))
    (asked,) = told(case, cases.HandoverRequested)
    assert (moved(case), the_order(case).column) == (["T20"], Column.RESOLVED_FAILED)
    assert (asked.fact, asked.final, asked.attempt) == ("work_not_completed", False, 1)


@pytest.mark.parametrize(
    ("result", "kind", "due"), [("COMMS_PENDING", "comms_repair", 16), ("DOCS_INCOMPLETE", "rework", 5)]
)
def test_T20_a_partial_result_opens_a_follow_up(result: str, kind: str, due: int) -> None:
    case = a_case(Column.IP, gateway=result == "COMMS_PENDING")
    devices = (a_device(), a_gateway()) if result == "COMMS_PENDING" else (a_device(),)
    make(case, "resolve", report=a_report(result, installed=devices, removed=(an_old_device(),)))
    (opened,) = told(case, cases.WorkOrderOpened)
    assert (opened.kind, opened.state, opened.due_on) == (kind, State.OPEN, date(2026, 3, due))
    assert (opened.predecessor, opened.company_id) == (the_order(case).work_order_id, COMPANY)


def test_T20_the_third_failure_needs_a_second_person() -> None:
    case = a_case(Column.IP)
    for sequence in (2, 3):
        resolve(follow_up_of(case, "meter_exchange", Column.RO), Result.NOT_AT_HOME)
        case.work_orders[-1].sequence = sequence
    make(case, "resolve", report=a_report("NOT_AT_HOME"))
    assert [fact.type for fact in told(case, cases.ExceptionRaised)] == ["three_failed_attempts"]


def test_T20_a_refusal_is_an_exception() -> None:
    case = a_case(Column.IP)
    make(case, "resolve", report=a_report("NOT_AT_HOME", sub_reason="customer_refuses"))
    assert [fact.type for fact in told(case, cases.ExceptionRaised)] == ["refusal"]


def test_a_corrected_report_leaves_the_executor_whoever_corrects_it() -> None:
    case = a_case(Column.RESOLVED_WELL)
    make(case, "correct_report", reason="a typing error")
    assert the_order(case).performed_by == (TECHNICIAN_ID,)
    assert told(case, visits.VisitReported)[0].reported_by == PLANNER


def test_T21_approved_work_is_handed_over() -> None:
    case = a_case(Column.RESOLVED_WELL)
    heard(case, facts.approved(case, the_order(case)))
    (asked,) = told(case, cases.HandoverRequested)
    assert (moved(case), the_order(case).close_reason) == (["T21"], CloseReason.DONE)
    assert (asked.fact, asked.attempt, asked.supplement, asked.evidence_digest) == (
        "exchange_completed",
        1,
        False,
        "d1",
    )


def test_T21_an_approval_of_older_evidence_is_late() -> None:
    case = a_case(Column.RESOLVED_WELL, evidence_version=2)
    heard(case, facts.approved(case, the_order(case), evidence_version=1))
    assert moved(case) == []


def test_T22_another_attempt_is_wanted() -> None:
    case = a_case(Column.RESOLVED_FAILED)
    make(case, "reopen")
    assert moved(case) == ["T22"]


def test_T23_the_next_attempt_takes_over_what_is_left() -> None:
    case = a_case(Column.RO)
    make(case, "plan_again")
    (opened,) = told(case, cases.WorkOrderOpened)
    assert (moved(case), the_order(case).close_reason) == (["T23"], CloseReason.SUPERSEDED)
    assert (opened.state, opened.sequence, opened.predecessor) == (State.PLANNING, 2, the_order(case).work_order_id)
    assert opened.device_plan == the_order(case).device_plan


def test_T23_after_three_failures_a_second_person_must_have_agreed() -> None:
    case = a_case(Column.RO)
    for _ in range(2):
        resolve(follow_up_of(case, "meter_exchange", Column.CLOSED_OTHERWISE), Result.NOT_AT_HOME)
    with pytest.raises(AttemptsExhausted):
        make(case, "plan_again")


def test_T24_no_more_attempts_ends_the_case() -> None:
    case = a_case(Column.RESOLVED_FAILED)
    make(case, "close_case")
    (asked,) = told(case, cases.HandoverRequested)
    assert (moved(case), the_order(case).close_reason) == (["T24"], CloseReason.FAILED)
    assert [fact.reason for fact in told(case, cases.CaseAbandoned)] == ["no_more_attempts"]
    assert (asked.fact, asked.final) == ("work_not_completed", True)


@pytest.mark.parametrize(("resolution", "refused"), [("not_needed", MoveNotAllowed), ("cancelled", CancelByMdmOnly)])
def test_T24_takes_no_other_resolution_than_that_nobody_tries_again(resolution: str, refused: type[Exception]) -> None:
    case = a_case(Column.RESOLVED_FAILED)
    with pytest.raises(refused):
        make(case, "close_case", resolution=resolution)
    assert (moved(case), case.ending) == ([], None)


def test_T24_a_partial_order_is_superseded_by_its_follow_up_s_visit() -> None:
    case = a_case(Column.RESOLVED_WELL, result=Result.COMMS_PENDING, outcome=Outcome.PARTIAL)
    follow_up = follow_up_of(case, "comms_repair", Column.RD)
    ask = ask_for(case, in_the_field(), follow_up.work_order_id, a_request("resolve", report=a_report()), None)
    moves.move(ask)
    assert (moved(case), the_order(case).close_reason) == (["T19", "T24"], CloseReason.SUPERSEDED)


def test_T25_a_rejection_takes_the_work_out_of_closed() -> None:
    case = a_case(Column.CLOSED_WELL)
    heard(case, facts.rejected(case, the_order(case)))
    (raised,) = told(case, cases.ExceptionRaised)
    assert (moved(case), the_order(case).rejection) == (["T25"], "open")
    assert (raised.type, raised.blocking, raised.attempt) == ("handover_rejected", True, 1)


def test_T25_comes_once_and_further_reasons_are_kept() -> None:
    case = a_case(Column.CLOSED_WELL)
    heard(case, facts.rejected(case, the_order(case)))
    heard(case, facts.rejected(case, the_order(case), "LINK_CONFLICT"))
    assert moved(case) == ["T25"]
    assert case.exceptions[0].codes == ("UNKNOWN_DEVICE", "LINK_CONFLICT")


def test_T25_of_an_older_attempt_is_late() -> None:
    case = a_case(Column.CLOSED_WELL, handover=2)
    heard(case, facts.rejected(case, the_order(case), attempt=1))
    assert moved(case) == []


def test_T26_somebody_takes_care_of_the_rejection() -> None:
    case = a_case(Column.CLOSED_WELL)
    heard(case, facts.rejected(case, the_order(case)))
    make(case, "take_over")
    assert (the_order(case).rejection, case.exceptions[0].owner) == ("taken_over", "person:local:anna")


def test_T27_put_right_at_the_desk_it_goes_out_again() -> None:
    case = a_case(Column.MF, came_from=State.REJECTED_BY_MDM, rejection="taken_over", handover=1)
    resolve(the_order(case), Result.OK)
    approve(the_order(case))
    make(case, "data_corrected")
    (asked,) = told(case, cases.HandoverRequested)
    assert (moved(case), the_order(case).rejection, asked.fact) == (["T27"], "none", "exchange_completed")


def test_T27_waits_for_the_review() -> None:
    case = a_case(Column.MF, rejection="taken_over")
    resolve(the_order(case), Result.OK)
    with pytest.raises(ReviewMissing):
        make(case, "data_corrected")


def test_T27_a_failed_visit_cannot_be_corrected_into_a_success() -> None:
    case = a_case(Column.MF)
    resolve(the_order(case), Result.NOT_AT_HOME)
    approve(the_order(case))
    with pytest.raises(NothingToCorrect):
        make(case, "data_corrected")


def test_T27_what_was_accepted_after_the_rejection_is_not_sent_again() -> None:
    case = a_case(Column.CLOSED_WELL)
    heard(case, facts.rejected(case, the_order(case)))
    heard(case, facts.accepted(case, the_order(case)))
    make(case, "take_over")
    make(case, "data_corrected")
    assert (moved(case), told(case, cases.HandoverRequested)) == (["T25", "T26", "T27"], [])


def test_T27_of_a_withdrawn_order_tells_that_it_is_too_late() -> None:
    case = withdrawn(a_case(Column.MF))
    resolve(the_order(case), Result.OK)
    approve(the_order(case))
    make(case, "data_corrected")
    asked = [(fact.fact, fact.decision) for fact in told(case, cases.HandoverRequested)]
    assert asked == [("exchange_completed", None), ("cancelled", "too_late")]
    assert the_order(case).cancellation is Cancellation.COMPLETE_ANYWAY


def cancel(case, version: int = 2) -> None:
    event = OrderCancelled(
        order_key="erp-a:4711",
        partner="erp-a",
        version=version,
        reason="moved_out",
        cancelled_by="erp-a",
        received_at=NOW,
    )
    cancel_order(case, an_act(SYSTEM), event)


def test_T28_an_order_that_nobody_began_is_closed() -> None:
    case = a_case(Column.OP)
    cancel(case)
    assert [type(fact).__name__ for fact in case.told] == [
        "WorkOrderMoved",
        "MaterialReleased",
        "CaseCancelled",
        "HandoverRequested",
    ]
    assert (moved(case), told(case, cases.HandoverRequested)[0].decision) == (["T28"], "confirmed")


@pytest.mark.parametrize("column", [Column.PL, Column.OH, Column.AR, Column.MF, Column.RD, Column.RO, Column.RJ])
def test_T29_work_that_has_begun_waits_for_a_decision(column: Column) -> None:
    case = a_case(column)
    cancel(case)
    assert (moved(case), the_order(case).cancellation) == (["T29"], Cancellation.UNDECIDED)
    assert [fact.type for fact in told(case, cases.ExceptionRaised)] == ["cancelled_in_work"]


@pytest.mark.parametrize("column", [Column.RESOLVED_WELL, Column.RESOLVED_FAILED])
def test_T30_a_reported_visit_keeps_what_it_reported(column: Column) -> None:
    case = a_case(column)
    outcome = the_order(case).outcome
    cancel(case)
    assert (moved(case), the_order(case).outcome, the_order(case).came_from) == (["T30"], outcome, State.RESOLVED)


def test_T31_decided_as_cancelled_the_case_ends() -> None:
    case = a_case(Column.AR)
    cancel(case)
    make(case, "close_case", resolution="cancelled")
    assert (moved(case), the_order(case).close_reason) == (["T29", "T31"], CloseReason.CANCELLED)
    assert told(case, cases.CaseCancelled)
    assert told(case, cases.HandoverRequested)[0].decision == "confirmed"


def test_T32_by_phone_counts_an_offer() -> None:
    case = a_case(Column.PL)
    make(case, "follow_up_manually", channel="phone")
    (asked,) = told(case, cases.BookingRequested)
    assert (moved(case), asked.channel, asked.attempt) == (["T32"], "phone", 1)


def test_T32_a_slot_that_moved_without_the_customer_goes_to_a_person() -> None:
    case = a_case(Column.RD)
    heard(case, facts.moved(case, the_order(case), agreed=False))
    assert (moved(case), the_order(case).revision) == (["T32"], 1)


def test_T32_a_slot_that_we_gave_back_ourselves_moves_nothing() -> None:
    ours, theirs = a_case(Column.RD), a_case(Column.RD)
    for case, reason in ((ours, "closed"), (theirs, "staff")):
        released = facts.of_appointment(case, the_order(case))
        heard(case, bookings.AppointmentReleased(**released, reason=reason, was_offered=True))
    assert (moved(ours), moved(theirs)) == ([], ["T32"])
    assert the_order(theirs).start is None


def test_T33_a_reviewer_sends_the_field_again() -> None:
    case = a_case(Column.RESOLVED_WELL)
    heard(case, facts.rework(case, the_order(case), "field"))
    make(case, "plan_again")
    (opened,) = told(case, cases.WorkOrderOpened)
    assert (moved(case), opened.kind, opened.due_on) == (["T33", "T23"], "rework", date(2026, 3, 16))


def test_T33_a_field_fix_of_a_rejection_changes_the_device_again() -> None:
    case = a_case(Column.MF, rejection="taken_over")
    resolve(the_order(case), Result.OK)
    make(case, "order_field_visit")
    make(case, "plan_again")
    (opened,) = told(case, cases.WorkOrderOpened)
    assert (opened.kind, opened.device_plan.remove[0].serial) == ("meter_exchange", "NEW1")
    assert opened.device_plan.install == the_order(case).device_plan.install


def test_T33_only_what_its_partner_withdrew_is_taken_back() -> None:
    case = a_case(Column.MF, rejection="taken_over")
    resolve(the_order(case), Result.OK)
    with pytest.raises(CancelByMdmOnly):
        make(case, "order_field_visit", decision="reverse")
    make(case, "order_field_visit")
    assert the_order(case).decision == "mdm_error"


def test_T33_of_a_withdrawn_order_wants_a_decision() -> None:
    case = withdrawn(a_case(Column.MF))
    resolve(the_order(case), Result.OK)
    with pytest.raises(DecisionMissing):
        make(case, "order_field_visit")
    make(case, "order_field_visit", decision=MoveDecision.REVERSE)
    make(case, "plan_again")
    (opened,) = told(case, cases.WorkOrderOpened)
    assert (opened.kind, the_order(case).cancellation) == ("reversal", Cancellation.REVERSE)
    assert [item.serial for item in opened.device_plan.remove] == ["NEW1"]


def test_T21_of_a_reversal_ends_the_case_as_cancelled() -> None:
    case = withdrawn(a_case(Column.MF))
    resolve(the_order(case), Result.OK)
    make(case, "order_field_visit", decision=MoveDecision.REVERSE)
    make(case, "plan_again")
    reversal = case.by_sequence[1]
    reversal.state = State.RESOLVED
    resolve(reversal, Result.OK)
    reversal.installed, reversal.removed = reversal.removed, reversal.installed
    heard(case, facts.approved(case, reversal))
    assert [(fact.fact, fact.decision) for fact in told(case, cases.HandoverRequested)] == [("cancelled", "confirmed")]
    assert (len(told(case, cases.CaseCancelled)), case.on_site) == (1, ())


def amended(**given) -> OrderAmended:
    return OrderAmended(order_key="erp-a:4711", partner="erp-a", version=2, received_at=NOW, **given)


MOVED_HOUSE = Address(street="Am Bach", number="2", postcode="00101", city="Musterstadt", country="DE")


def test_T34_a_newer_order_is_taken_over_and_stops_who_is_on_the_way() -> None:
    case = a_case(Column.RD)
    amend_order(case, an_act(SYSTEM), amended(address=MOVED_HOUSE, priority=90))
    (news,) = told(case, cases.CaseAmended)
    assert (moved(case), news.changed, news.priority) == (["T34"], ("priority", "address"), 90)
    assert (the_order(case).dispatched, list(the_order(case).blockers)) == (False, ["MASTER_DATA_CHANGED"])
    assert [fact.type for fact in told(case, cases.ExceptionRaised)] == ["master_data_conflict"]
    make(case, "acknowledge_change")
    assert (the_order(case).dispatched, case.exceptions[0].open) == (True, False)


def test_T34_a_change_is_acknowledged_when_every_order_that_it_stopped_was_looked_at() -> None:
    case = a_case(Column.RD)
    second = follow_up_of(case, "repair", Column.RD)
    address = Address(street="Am Ring", number="2", postcode="00101", city="Musterstadt", country="DE")
    amend_order(case, an_act(SYSTEM), amended(address=address))
    make(case, "acknowledge_change")
    assert told(case, cases.ExceptionResolved) == []
    moves.move(ask_for(case, an_act(), second.work_order_id, a_request("acknowledge_change"), None))
    assert len(told(case, cases.ExceptionResolved)) == 1


def test_T34_an_older_version_is_late() -> None:
    case = a_case(Column.PL)
    case.references[0].order_version = 2
    amend_order(case, an_act(SYSTEM), amended(priority=90))
    assert (moved(case), case.priority) == ([], 50)


def test_T34_a_newer_version_takes_an_undecided_withdrawal_back() -> None:
    case = withdrawn(a_case(Column.MF))
    amend_order(case, an_act(SYSTEM), amended(priority=90))
    assert [fact.reason for fact in told(case, cases.WorkOrderMoved)] == ["cancellation_withdrawn"]
    assert (the_order(case).cancellation, case.references[0].live) == (Cancellation.NONE, True)


def test_T34_another_plan_means_other_material() -> None:
    case = a_case(Column.PL, material_requested=True)
    plan = the_order(case).device_plan
    other = plan.model_copy(update={"install": (plan.install[0].model_copy(update={"device_type": "mme-9"}),)})
    amend_order(case, an_act(SYSTEM), amended(device_plan=other))
    (asked,) = told(case, cases.MaterialRequested)
    assert (len(told(case, cases.MaterialReleased)), asked.lines[0].device_type) == (1, "mme-9")


def test_T34_a_second_attempt_does_what_is_left_of_the_new_plan() -> None:
    case = a_case(Column.RO, material_requested=True)
    make(case, "plan_again")
    second = case.by_sequence[1]
    second.material_requested = True
    other = case.device_plan.install[0].model_copy(update={"device_type": "mme-9"})
    amend_order(case, an_act(SYSTEM), amended(device_plan=case.device_plan.model_copy(update={"install": (other,)})))
    assert [item.device_type for item in second.device_plan.install] == ["mme-9"]
    assert [fact.lines[0].device_type for fact in told(case, cases.MaterialRequested)] == ["mme-9"]


def test_T34_a_field_fix_of_a_rejection_changes_the_device_by_the_new_plan() -> None:
    case = a_case(Column.MF, rejection="taken_over")
    resolve(the_order(case), Result.OK)
    make(case, "order_field_visit")
    make(case, "plan_again")
    other = case.device_plan.install[0].model_copy(update={"device_type": "mme-9"})
    amend_order(case, an_act(SYSTEM), amended(device_plan=case.device_plan.model_copy(update={"install": (other,)})))
    plan = case.by_sequence[1].device_plan
    assert ([item.device_type for item in plan.install], [gone.serial for gone in plan.remove]) == (["mme-9"], ["NEW1"])


@pytest.mark.parametrize("kind", ["rework", "comms_repair", "reversal"])
def test_T34_what_a_visit_left_to_do_is_not_planned_anew(kind: str) -> None:
    case = a_case(Column.RESOLVED_WELL)
    follow_up = follow_up_of(case, kind, Column.PL)
    plan = follow_up.device_plan
    other = case.device_plan.install[0].model_copy(update={"device_type": "mme-9"})
    amend_order(case, an_act(SYSTEM), amended(device_plan=case.device_plan.model_copy(update={"install": (other,)})))
    assert follow_up.device_plan == plan


def test_a_step_that_the_table_does_not_have_is_a_bug_and_loud() -> None:
    case = a_case(Column.OP)
    with pytest.raises(IllegalStep):
        case.step(an_act(), the_order(case), "T18", State.IN_PROGRESS)
    assert not allowed("T24", Column.RESOLVED_FAILED, State.CLOSED, CloseReason.CANCELLED)


def test_a_waiting_offer_keeps_a_second_one_away() -> None:
    case = planned()
    with pytest.raises(BookingOpen):
        make(case, "send_booking")


def test_every_row_has_a_test_named_after_it() -> None:
    named = {name.split("_")[1] for name in globals() if name.startswith("test_T")}
    assert named == set(TRANSITIONS)


@pytest.mark.parametrize("move", TRANSITIONS)
def test_the_complement_of_a_row_is_no_step(move: str) -> None:
    row = TRANSITIONS[move]
    for column in set(Column) - row.from_:
        case = a_case(column)
        to = row.to or the_order(case).state
        close = min(row.closes, default=None) if to is State.CLOSED else None
        with pytest.raises(IllegalStep):
            case.step(an_act(), the_order(case), move, to, close=close)
        assert (case.told, the_order(case).column) == ([], column)
    for to in set(State) - {row.to}:
        for column in row.from_ if row.to else ():
            case = a_case(column)
            with pytest.raises(IllegalStep):
                case.step(an_act(), the_order(case), move, to)
