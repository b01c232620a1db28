"""The guards G5–G28 (lifecycle §2.2): each with the code it answers, and with what makes it content."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from contracts.codes import Blocker, Cancellation, ExceptionType, Outcome, Result
from contracts.ids import TechnicianId
from contracts.parts import Contact, RegisterReading
from services.case_service.domain.entries import Bookable, ExceptionState, FormVersion
from services.case_service.domain.exceptions import raise_exception
from services.case_service.domain.guards import GUARDS, ONLY_NOT_NEEDED, Ask
from services.case_service.domain.moves import objections
from services.case_service.domain.states import Column
from services.case_service.domain.transitions import TRANSITIONS
from services.case_service.domain.work_order import BuiltIn, PendingOffer
from tests.unit.case_service.builders import (
    NOW,
    a_case,
    a_device,
    a_gateway,
    a_report,
    a_request,
    an_act,
    approve,
    follow_up_of,
    in_the_field,
    put,
    resolve,
    the_order,
    withdrawn,
)


def asked(guard: str, case, request=None, act=None, form=None, on_behalf=False) -> str | None:
    """The code that a guard answers for the first work order."""
    ask = Ask(case, the_order(case), act or an_act(), request or a_request("x"), form, on_behalf)
    found = GUARDS[guard](ask)
    return found.code if found else None


def test_G4_who_decided_on_an_older_version_learns_the_present_one() -> None:
    case = a_case(Column.PL)
    assert asked("G4", case, a_request("x", expected_version=1)) is None
    assert asked("G4", case, a_request("x", expected_version=0)) == "stale-version"


def test_G5_a_withdrawn_order_wants_a_decision_first() -> None:
    assert asked("G5", withdrawn(a_case(Column.MF))) == "cancellation-open"
    assert asked("G5", a_case(Column.MF, cancellation=Cancellation.COMPLETE_ANYWAY)) is None


def test_G6_an_attempt_is_used_once() -> None:
    assert (asked("G6", a_case(Column.RO)), asked("G6", a_case(Column.MF))) == ("attempt-used", None)


@pytest.mark.parametrize("missing", ["responsible", "start", "estimate"])
def test_G7_names_what_the_plan_lacks(missing: str) -> None:
    assert asked("G7", a_case(Column.PL, **{missing: None})) == "not-planned"
    assert asked("G7", a_case(Column.PL)) is None


@pytest.mark.parametrize(
    ("word", "code"),
    [
        (None, "too-early"),
        (Bookable(notice_required=True), "too-early"),
        (Bookable(notice_required=False, bookable_from=date(2026, 3, 10)), "too-early"),
        (Bookable(notice_required=False, bookable_from=date(2026, 3, 9)), None),
    ],
)
def test_G8_the_newest_word_about_the_first_day_counts(word: Bookable | None, code: str | None) -> None:
    case = a_case(Column.PL)
    case.bookable = word
    assert asked("G8", case) == code


@pytest.mark.parametrize(
    ("phone", "allowed", "code"),
    [
        ("+4915112345678", True, None),
        ("+4915112345678", False, "sms-not-allowed"),
        ("+49302270000", True, "no-mobile"),
        ("110", True, "no-mobile"),
        (None, True, "no-mobile"),
    ],
)
def test_G10_a_text_needs_a_mobile_number_and_consent(phone: str | None, allowed: bool, code: str | None) -> None:
    case = a_case(Column.PL)
    case.contact = Contact(name="A", phone=phone, language="de", sms_allowed=allowed)
    assert asked("G10", case) == code


def test_G11_a_letter_needs_the_whole_address() -> None:
    case = a_case(Column.PL)
    assert asked("G11", case) is None
    case.address = case.address.model_copy(update={"number": " "})
    assert asked("G11", case) == "no-address"


def test_G13_a_blocker_keeps_a_ready_order_from_the_field() -> None:
    blockers = {Blocker.PERMIT_OPEN: "road works"}
    assert asked("G13", a_case(Column.RD, blockers=blockers)) == "blocked"
    assert asked("G13", a_case(Column.RD)) is None


def test_G14_only_the_responsible_technician_or_staff_on_behalf() -> None:
    case, other = a_case(Column.RD), TechnicianId(UUID(int=9))
    assert asked("G14", case, act=in_the_field()) is None
    assert asked("G14", case, act=an_act("person:local:tina", technician=other)) == "not-responsible"
    assert asked("G14", case, a_request("resolve", reason="he asked me"), on_behalf=True) is None
    assert asked("G14", case, a_request("resolve", reason=" "), on_behalf=True) == "reason-missing"
    assert asked("G14", case, a_request("start", reason="he asked me"), on_behalf=True) == "not-responsible"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"result": "OK"}, None),
        ({"result": "OK", "sub_reason": "no_access"}, "result-invalid"),
        ({"result": "NOT_AT_HOME"}, None),
        ({"result": "NOT_AT_HOME", "sub_reason": None}, "result-invalid"),
        ({"result": "NOT_AT_HOME", "sub_reason": "missing_equipment"}, "result-invalid"),
        ({"result": "NOT_AT_HOME", "sub_reason": "other"}, "result-invalid"),
        ({"result": "NOT_AT_HOME", "sub_reason": "other", "sub_reason_text": "bees"}, None),
        ({"result": "MATERIAL_MISSING"}, None),
        ({"result": "MATERIAL_MISSING", "missing": ()}, "result-invalid"),
        ({"result": "MATERIAL_MISSING", "missing": ("protocol",)}, "result-invalid"),
        ({"result": "COMMS_PENDING", "installed": (a_device(), a_gateway())}, None),
        ({"result": "COMMS_PENDING"}, "result-invalid"),
        ({"result": "COMMS_PENDING", "installed": (a_device(), a_gateway(comms="failed"))}, "result-invalid"),
        ({"result": "DOCS_INCOMPLETE", "missing": ()}, "result-invalid"),
        ({"result": "OK", "finished_at": NOW - timedelta(minutes=1)}, "result-invalid"),
    ],
)
def test_G15_exactly_one_result_with_a_sub_reason_that_fits(given: dict, code: str | None) -> None:
    assert asked("G15", a_case(Column.IP), a_request("resolve", report=a_report(**given))) == code


def test_G15_a_repair_need_not_put_in_the_gateway_that_is_there() -> None:
    case = a_case(Column.RESOLVED_WELL, installed=(BuiltIn(role="smgw", serial="GW1"),))
    report = a_report("COMMS_PENDING", installed=(), removed=())
    assert asked("G15", case, a_request("resolve", report=report)) is None


def test_G15_no_report_is_none() -> None:
    assert asked("G15", a_case(Column.IP), a_request("resolve", report=None)) == "result-invalid"


def a_form(schema: dict) -> FormVersion:
    return FormVersion(
        form_id="meter_exchange/1", operator="nord", work_kind="meter_exchange", answers=schema, valid_from=NOW.date()
    )


@pytest.mark.parametrize(
    ("answers", "fields"),
    [
        ({"ok": True, "seal": "A-17"}, None),
        ({"ok": True}, ["seal"]),
        ({"ok": "yes", "seal": "A"}, ["ok", "seal"]),
        ({"ok": False, "seal": "A-17"}, ["why"]),
    ],
)
def test_G16_names_every_field_that_is_missing_or_wrong(answers: dict, fields: list[str] | None) -> None:
    schema = {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}, "seal": {"type": "string", "minLength": 2}},
        "required": ["ok", "seal"],
        "if": {"properties": {"ok": {"const": False}}},
        "then": {"required": ["why"]},
    }
    request = a_request("resolve", report=a_report(answers=answers))
    found = GUARDS["G16"](Ask(case := a_case(Column.IP), the_order(case), in_the_field(), request, a_form(schema)))
    assert (vars(found)["fields"] if found else None) == fields


def test_G16_a_failed_visit_needs_no_form() -> None:
    report = a_report("NOT_AT_HOME", form_key=None, form_version=None)
    assert asked("G16", a_case(Column.IP), a_request("resolve", report=report)) is None
    assert asked("G16", a_case(Column.IP), a_request("resolve", report=a_report(form_key=None))) == "form-incomplete"


MANY_DIGITS = RegisterReading(
    obis="1-0:1.8.0", reading="1234567", unit="kWh", at=NOW, source="typed", digits=6, decimals=0
)


@pytest.mark.parametrize(
    ("devices", "code"),
    [
        ((a_device(),), None),
        ((a_device(device_type="mme-3b"),), None),
        ((a_device(device_type=None),), None),
        ((a_device(device_type="other"),), "wrong-device-type"),
        ((a_device(device_type="other", deviation={"reason": "other"}),), None),
        ((), "role-missing-in-report"),
        ((a_device("NEW-1"), a_device("new1")), "serial-twice"),
        ((a_device(registers=(MANY_DIGITS,)),), "result-invalid"),
    ],
)
def test_G17_what_was_built_in_fits_the_plan(devices: tuple, code: str | None) -> None:
    assert asked("G17", a_case(Column.IP), a_request("resolve", report=a_report(installed=devices))) == code


def test_G18_words_are_more_than_blanks() -> None:
    assert asked("G18", a_case(), a_request("x", reason="  ")) == "reason-missing"
    assert asked("G18", a_case(), a_request("x", reason="so")) is None


@pytest.mark.parametrize(
    ("on", "code"),
    [
        (None, "return-date-invalid"),
        (date(2026, 3, 2), "return-date-invalid"),
        (date(2026, 3, 3), None),
        (date(2028, 3, 2), None),
        (date(2028, 3, 3), "return-date-invalid"),
    ],
)
def test_G19_a_return_date_lies_ahead_but_not_too_far(on: date | None, code: str | None) -> None:
    assert asked("G19", a_case(), a_request("put_on_hold", return_on=on)) == code


def test_G20_everybody_who_knows_of_the_visit_was_told() -> None:
    case = a_case(Column.MF, customer_knows=True, came_from="READY")
    told = {"resolution": "cancelled", "customer_informed": False, "technician_informed": False}
    assert asked("G20", case, a_request("close_case", **told, reason="")) == "decision-missing"
    assert asked("G20", case, a_request("close_case", **told)) == "customer-not-informed"
    told["customer_informed"] = True
    assert asked("G20", case, a_request("close_case", **told)) == "technician-not-informed"
    told["technician_informed"] = True
    assert asked("G20", case, a_request("close_case", **told)) is None


def test_G21_what_stands_on_site_is_completed_or_reversed() -> None:
    case = a_case(Column.MF)
    resolve(the_order(case), Result.OK)
    assert asked("G21", case, a_request("close_case", resolution="cancelled")) == "device-on-site"
    assert asked("G21", case, a_request("close_case")) == "device-on-site"


def test_G21_another_order_that_carries_the_devices_is_enough_to_give_up_but_not_to_cancel() -> None:
    case = a_case(Column.MF)
    put(case, other := follow_up_of(case, "meter_exchange"), Column.CLOSED_WELL)
    assert other.installed
    assert asked("G21", case, a_request("close_case")) is None
    assert asked("G21", case, a_request("close_case", resolution="cancelled")) == "device-on-site"


def test_G22_an_approval_counts_for_the_evidence_as_it_is_now() -> None:
    case = a_case(Column.RESOLVED_WELL)
    assert asked("G22", case) == "review-missing"
    approve(the_order(case))
    assert asked("G22", case) is None
    the_order(case).evidence_version += 1
    assert asked("G22", case) == "review-missing"


def test_G22_an_approved_waiver_stands_in_and_a_raised_one_does_not() -> None:
    case = a_case(Column.RESOLVED_WELL)
    waiver = raise_exception(case, an_act(), ExceptionType.QA_WAIVER, reason="camera")
    assert asked("G22", case) == "review-missing"
    waiver.state = ExceptionState.APPROVED
    assert asked("G22", case) is None


def test_G23_only_what_was_refused_used_or_built_in_is_corrected() -> None:
    request = a_request("order_field_visit")
    assert asked("G23", a_case(Column.MF), request) == "nothing-to-correct"
    assert asked("G23", a_case(Column.MF, rejection="taken_over"), request) is None
    assert asked("G23", a_case(Column.MF, resolved_at=NOW, outcome=Outcome.FAILED), request) is None
    failed_and_withdrawn = withdrawn(a_case(Column.MF, resolved_at=NOW, outcome=Outcome.FAILED))
    assert asked("G23", failed_and_withdrawn, request) == "nothing-to-correct"
    resolve(the_order(built_in := withdrawn(a_case(Column.MF))), Result.OK)
    assert asked("G23", built_in, request) is None


def test_G24_a_rejection_comes_first() -> None:
    assert asked("G24", a_case(Column.MF, rejection="taken_over")) == "rejection-open"
    assert asked("G24", a_case(Column.MF)) is None


def test_G25_the_fourth_attempt_needs_a_second_person() -> None:
    case = a_case(Column.RO)
    for _ in range(2):
        resolve(follow_up_of(case, "meter_exchange", Column.CLOSED_OTHERWISE), Result.NOT_AT_HOME)
    assert asked("G25", case) == "attempts-exhausted"
    raise_exception(case, an_act(), ExceptionType.THREE_FAILED_ATTEMPTS, reason="x").state = ExceptionState.APPROVED
    assert asked("G25", case) is None


def test_G26_one_offer_at_a_time() -> None:
    pending = PendingOffer(channel="sms", asked_at=NOW)
    assert (asked("G26", a_case(Column.PL, pending=pending)), asked("G26", a_case(Column.PL))) == ("booking-open", None)


def test_G27_an_objection_keeps_planning_from_beginning() -> None:
    case = a_case(Column.OP)
    raise_exception(case, an_act(), ExceptionType.ANNOUNCEMENT_OBJECTED, reason="x")
    assert asked("G27", case) == "announcement-objected"


def test_G28_not_needed_is_only_what_another_order_did() -> None:
    case = a_case(Column.MF)
    not_needed = a_request("close_case", resolution="not_needed")
    assert asked("G28", case, not_needed) == "still-needed"
    put(case, follow_up_of(case, "meter_exchange"), Column.RESOLVED_WELL)
    assert (asked("G28", case, not_needed), asked("G28", case, a_request("close_case"))) == (None, None)


def test_every_guard_that_a_row_names_is_known_here_or_decided_elsewhere() -> None:
    elsewhere = {"G1", "G2", "G3", "G9", "G12"}
    named = {guard for row in TRANSITIONS.values() for guard in row.guards}
    assert named - set(GUARDS) <= elsewhere
    assert set(ONLY_NOT_NEEDED) < set(GUARDS)


def test_asking_names_every_objection_and_changes_nothing() -> None:
    case = a_case(Column.PL, responsible=None)
    case.contact = None
    case.bookable = None
    ask = Ask(case, the_order(case), an_act(), a_request("send_booking", expected_version=0))
    codes = [each.code for each in objections(ask)]
    assert codes == ["stale-version", "not-planned", "too-early", "no-mobile"]
    assert case.told == []
