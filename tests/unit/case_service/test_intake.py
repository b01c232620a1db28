"""Quotes, buildings, calibrations and the end of personal data, as rules without a database."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from contracts.assets import CalibrationFellDue
from contracts.cases import CaseAmended, CaseOpened, CasePurged
from contracts.codes import CommsCause, Flag, PurgeReason, PurgeScope, Scheme
from contracts.parts import Area
from services.case_service.domain.act import Policy
from services.case_service.domain.buildings import forecast
from services.case_service.domain.case import Case
from services.case_service.domain.entries import DeviceFact, Ending, Place
from services.case_service.domain.flow import STANDARD
from services.case_service.domain.incoming.calibration import fell_due
from services.case_service.domain.intake import Quote, QuoteState, link_installer, state_on
from services.case_service.domain.matrices import EVENTS
from services.case_service.domain.opening import A_METER
from services.case_service.domain.orders import building_of
from services.case_service.domain.privacy import Erasure, grant, masked, purge, without_person
from services.case_service.domain.states import Column
from services.case_service.domain.waits import rearm, ring
from services.case_service.errors import FourEyes, MoveNotAllowed, QuoteExpired
from tests.unit.case_service.builders import (
    NOW,
    OTHER_PERSON,
    PLANNER,
    a_case,
    a_device,
    a_new_case,
    a_report,
    an_act,
    an_order,
)

LAST_DAY = date(2026, 3, 31)


def a_quote(state: QuoteState = QuoteState.SENT) -> Quote:
    order = an_order()
    return Quote(
        quote_id=UUID(int=1),
        operator="nord",
        metering_point_id="P1",
        metering_point_scheme=Scheme.MELO,
        area=Area(postcode="00101", municipality="05111000"),
        device_plan=A_METER,
        contact=order.contact,
        address=order.address,
        state=state,
        valid_to=LAST_DAY,
        made_by=PLANNER,
        made_at=NOW,
    )


@pytest.mark.parametrize("state", [QuoteState.DRAFT, QuoteState.SENT])
def test_S2_08_a_quote_expires_the_day_behind_its_last(state: QuoteState) -> None:
    late = LAST_DAY + timedelta(days=1)
    assert [state_on(state, LAST_DAY, day) for day in (LAST_DAY, late)] == [state, "EXPIRED"]
    assert state_on(QuoteState.SIGNED, LAST_DAY, late) == "SIGNED"
    with pytest.raises(QuoteExpired):
        a_quote(state).may_be_signed(late)
    with pytest.raises(QuoteExpired):
        a_quote(state).send(late)


def test_S2_08_what_the_customer_never_got_cannot_be_signed_and_is_sent_once() -> None:
    quote = a_quote(QuoteState.DRAFT)
    with pytest.raises(MoveNotAllowed):
        quote.may_be_signed(LAST_DAY)
    quote.send(LAST_DAY)
    with pytest.raises(MoveNotAllowed):
        quote.send(LAST_DAY)


def test_S2_07_a_second_installer_takes_the_case_from_nobody() -> None:
    case = a_new_case()
    for name in ("installer:a", "installer:b"):
        link_installer(case, name)
    assert (case.installer, len(case.told)) == ("installer:a", 1)


def silent(case: Case, device: int, cause: CommsCause = CommsCause.NO_COVERAGE) -> Case:
    """A gateway of this case is silent."""
    fact = DeviceFact(
        device_id=UUID(int=device),
        work_order_id=case.work_orders[0].work_order_id,
        role="smgw",
        serial=f"GW{device}",
        device_type="smgw-1",
        place=Place.PENDING,
        comms_cause=cause,
        event_id=UUID(int=9),
    )
    case.devices = (*case.devices, fact)
    return case


def test_B10_the_second_silence_flags_open_cases_once() -> None:
    ended, first, second = a_case("C+"), silent(a_case("R+"), 1), a_case("OP")
    assert forecast(an_act(), [ended, first, second], "c") == []
    silent(ended, 2)
    assert forecast(an_act(), [ended, first, second], "c") == [first, second]
    assert (ended.flags, second.flags) == ((), (Flag.ANTENNA_OR_LAN,))
    assert [type(fact) for fact in second.told] == [CaseAmended]
    assert forecast(an_act(), [ended, first, second], "c") == []


def test_B10_one_device_twice_and_other_causes_are_no_second_silence() -> None:
    case = silent(silent(a_case("R+"), 1), 1)
    silent(case, 2, CommsCause.PROVISIONING)
    assert forecast(an_act(), [case], "c") == []


def test_B10_a_building_is_the_same_however_it_is_spelt() -> None:
    address = an_order().address
    other = address.model_copy(update={"street": " am  MARKT", "addition": "hinten", "city": "Elsewhere"})
    assert building_of(address) == building_of(other) == "00101/ammarkt/1"
    assert building_of(address.model_copy(update={"street": " "})) is None


EVENT = CalibrationFellDue(
    device_id=UUID(int=7),
    serial="OLD1",
    manufacturer="EMH",
    device_type="ferraris",
    due_on=date(2026, 12, 31),
    **{"class": "mid"},
    metering_point_id="P1",
    operator="nord",
)


@pytest.mark.parametrize("column", Column)
def test_J56_every_cell_of_the_row_is_kept(column: Column) -> None:
    case = a_case(column)
    taken, is_new = fell_due(an_act(), EVENT, [case], None, STANDARD[case.case_type])
    assert is_new == (EVENTS["CalibrationFellDue"][column] == ("new",))
    assert (taken is case) != is_new
    if is_new:
        opened = next(fact for fact in taken.told if isinstance(fact, CaseOpened))
        assert ([link.kind for link in opened.links], taken.open_point) == (["replaces"], None)


def test_J56_another_operator_s_case_at_the_point_lends_no_customer() -> None:
    before = a_new_case(operator="sued")
    case, _ = fell_due(an_act(), EVENT, [], before, STANDARD[before.case_type])
    assert (case.contact, case.links, [remark.code for remark in case.beside]) == (None, (), ["address_unknown"])  # type: ignore[attr-defined]


def ended(case: Case) -> Case:
    case.ending, case.ended_at = Ending.CANCELLED, NOW
    return case


def test_B16_the_timer_runs_from_the_end_and_only_once() -> None:
    case, policy = ended(a_case(Column.CLOSED_OTHERWISE)), Policy()
    ((kind, key, due_at, _),), _ = rearm(case, policy)
    assert (kind, key, due_at) == ("purge_due", str(case.case_id), NOW + timedelta(days=90))
    assert ring(case, an_act(), kind, key, due_at)
    assert [type(fact) for fact in case.told] == [CasePurged]
    assert rearm(case, policy)[0] == []


def test_B16_a_follow_up_that_is_still_open_needs_its_customer() -> None:
    case = a_case("PL")
    case.ended_at = NOW
    assert "purge_due" not in {each.kind for each in rearm(case, Policy())[0]}


def test_B16_a_reopened_case_is_no_longer_waited_for() -> None:
    case = ended(a_case(Column.CLOSED_OTHERWISE))
    rearm(case, Policy())
    case.ending = case.ended_at = None
    assert rearm(case, Policy())[1] == [f"purge_due/{case.case_id}"]


def test_B16_purging_twice_is_harmless() -> None:
    case = ended(a_case(Column.CLOSED_OTHERWISE))
    for _ in range(2):
        purge(case, PurgeScope.CONTACT, PurgeReason.RETENTION)
    assert (case.contact, case.address.postcode, case.address.city) == (None, "00101", "")


def test_B16_the_second_person_is_another_one() -> None:
    case = ended(a_case(Column.CLOSED_OTHERWISE))
    erasure = Erasure(
        erasure_id=UUID(int=1), case_id=case.case_id, reason="wrote", requested_by=PLANNER, requested_at=NOW
    )
    with pytest.raises(FourEyes):
        grant(case, an_act(PLANNER), erasure, [])
    grant(case, an_act(OTHER_PERSON), erasure, [])
    with pytest.raises(MoveNotAllowed):
        grant(case, an_act(OTHER_PERSON), erasure, [])
    assert (case.purged, erasure.approved_by) == ("all", OTHER_PERSON)


def test_B16_a_report_without_its_person_keeps_devices_and_readings() -> None:
    told = {"reason": "no_stock", "text": "said Mrs. K."}
    report = a_report(
        installed=(a_device(deviation=told),),
        answers={"note": "Mrs. K."},
        site={"generation": False, "postcode": "00101", "position": {"lat": "1", "lon": "2"}},
    )
    kept = without_person(report)
    assert "Mrs. K." not in kept.model_dump_json()
    assert (kept.site and kept.site.position, kept.installed[0].registers) == (None, report.installed[0].registers)


def test_B16_a_masked_number_shows_country_and_two_digits() -> None:
    assert [masked(number) for number in ("+4915112345642", None)] == ["+49 ••• ••• •42", None]
