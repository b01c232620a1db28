"""Orders that open, join and change cases; answers that partners wait for; master data; objections."""

from datetime import date, timedelta

import pytest

from contracts import cases
from contracts.codes import ExceptionType
from contracts.contacts import ContactRecorded
from contracts.orders import MasterDataReceived, OrderAmended
from contracts.parts import AnswerOwed, Days
from services.case_service.domain import waits
from services.case_service.domain.actions import answer_at_once, do
from services.case_service.domain.incoming.orders import amend_order, receive_again, take_master_data
from services.case_service.domain.incoming.table import hear
from services.case_service.domain.orders import join, open_case, point_of
from services.case_service.domain.requests import ActionRequest
from services.case_service.domain.states import Column
from services.case_service.errors import AnswerGiven, CodeNotAllowed, DecisionMissing
from tests.unit.case_service import facts
from tests.unit.case_service.builders import NOW, a_case, a_new_case, a_plan, an_act, an_order, follow_up_of, the_order

SYSTEM = "system:case_service"


def told(case, kind) -> list:
    return [fact for fact in case.told if isinstance(fact, kind)]


def test_an_order_opens_a_case_with_contact_and_first_work_order() -> None:
    case = open_case(an_act(SYSTEM), an_order())
    assert [type(fact).__name__ for fact in case.told] == ["CaseOpened", "ContactRecorded", "WorkOrderOpened"]
    opened = case.told[2]
    assert (opened.kind, opened.skills, opened.duration_min) == ("meter_exchange", ("meter_3ph",), 45)
    assert case.open_point == "nord/DE000123001010000000000000001234A/exchange"


def test_a_plan_with_a_gateway_is_another_kind_of_work() -> None:
    case = open_case(an_act(SYSTEM), an_order(device_plan=a_plan(gateway=True)))
    assert case.told[2].kind == "imsys_install"
    assert "smgw" in case.told[2].skills


def test_an_order_without_a_contact_allows_no_texts() -> None:
    (contact,) = told(open_case(an_act(SYSTEM), an_order(contact=None)), ContactRecorded)
    assert (contact.name, contact.sms_allowed) == ("", False)


def test_the_same_point_and_kind_is_one_key() -> None:
    assert point_of(an_order()) == point_of(an_order(order_key="mdm-b:1", partner="mdm-b"))
    assert point_of(an_order()) != point_of(an_order(kind="install"))


def test_a_second_reference_is_told_and_found() -> None:
    case = a_new_case()
    join(case, an_act(SYSTEM), an_order(order_key="mdm-b:9", partner="mdm-b"))
    assert (told(case, cases.CaseAmended)[0].orders, "mdm-b:9" in set(case.keys())) == (("erp-a:4711", "mdm-b:9"), True)


def test_the_stored_version_again_is_late() -> None:
    case = a_new_case()
    assert receive_again(case, an_act(SYSTEM), an_order(version=1))
    assert (case.told, case.beside[0].code) == ([], "late")


def test_a_higher_version_amends_while_somebody_works() -> None:
    case = a_case(Column.PL)
    assert receive_again(case, an_act(SYSTEM), an_order(version=2, priority=90, due_on=date(2026, 5, 1)))
    (news,) = told(case, cases.CaseAmended)
    assert (news.changed, news.version, news.due_on) == (("priority", "due_on"), 2, date(2026, 5, 1))


def test_a_higher_version_of_closed_work_needs_another_case() -> None:
    assert not receive_again(a_case(Column.CLOSED_WELL), an_act(SYSTEM), an_order(version=2))


def test_another_phone_number_is_told_to_whom_it_concerns_and_nobody_else() -> None:
    case = a_case(Column.PL)
    contact = case.contact.model_copy(update={"phone": "+4915112345679"})
    receive_again(case, an_act(SYSTEM), an_order(version=2, contact=contact))
    (news,) = told(case, cases.CaseAmended)
    assert (news.changed, [fact.phone for fact in told(case, ContactRecorded)]) == (("contact",), ["+4915112345679"])
    assert "+49" not in news.to_json().decode()


def test_J55_a_partner_s_status_is_a_line_and_with_a_window_a_proposal() -> None:
    case = a_case(Column.PL)
    window = Days(from_=date(2026, 4, 1), to=date(2026, 4, 3))
    status = OrderAmended(
        order_key="erp-a:4711", partner="erp-a", received_at=NOW, partner_status="rescheduled", window=window
    )
    amend_order(case, an_act(SYSTEM), status)
    assert (case.told, [remark.code for remark in case.beside]) == ([], ["partner_status", "partner_proposes"])


def master_data(**changed) -> MasterDataReceived:
    return MasterDataReceived(order_key="erp-a:4711", metering_point_id="P", origin="market_feedback", changed=changed)


def test_J63_master_data_after_the_handover_is_taken_over_and_blocks_nobody() -> None:
    case = a_case(Column.CLOSED_WELL)
    take_master_data(case, an_act(SYSTEM), master_data(priority={"old": 50, "new": 90}))
    assert (case.priority, told(case, cases.WorkOrderMoved), the_order(case).blockers) == (90, [], {})


def test_J63_master_data_are_taken_over_as_long_as_any_order_was_handed_over() -> None:
    case = a_case(Column.CLOSED_WELL)
    follow_up_of(case, "comms_repair", Column.CLOSED_OTHERWISE)
    take_master_data(case, an_act(SYSTEM), master_data(priority={"old": 50, "new": 90}))
    hot = [remark.code for remark in case.beside if remark.hotlist]
    assert (case.priority, hot) == (90, ["master_data_after_handover"])


def test_J63_master_data_of_what_was_given_up_are_late() -> None:
    case = a_case(Column.CLOSED_OTHERWISE)
    take_master_data(case, an_act(SYSTEM), master_data(priority={"old": 50, "new": 90}))
    assert (case.priority, [remark.code for remark in case.beside]) == (50, ["late"])


def test_J63_master_data_on_the_way_stops_the_technician() -> None:
    case = a_case(Column.RD)
    take_master_data(case, an_act(SYSTEM), master_data(metering_point_id={"new": "P2"}))
    assert (case.metering_point_id, the_order(case).dispatched) == ("P2", False)


def test_master_data_that_we_do_not_hold_goes_to_a_person() -> None:
    case = a_case(Column.PL)
    take_master_data(case, an_act(SYSTEM), master_data(colour={"new": "red"}))
    assert [remark.params for remark in case.beside if remark.hotlist] == [{"fields": ["colour"]}]


def an_answer(**given) -> AnswerOwed:
    made = {"answer_by": NOW + timedelta(days=5), "proposal": "accepted", "code": "Z1", "allowed": ("Z1", "Z2")}
    return AnswerOwed(**(made | {"auto": False} | given))


def act(case, action: str, **given) -> None:
    do(case, an_act(), ActionRequest(action=action, **given))


def test_J04_a_proposal_that_may_be_taken_is_answered_at_once() -> None:
    case = open_case(an_act(SYSTEM), an_order(answer=an_answer(auto=True)))
    answer_at_once(case, an_act(SYSTEM))
    answer_at_once(case, an_act(SYSTEM))
    (answer,) = told(case, cases.OrderAnswered)
    assert (answer.decision, answer.code, answer.order_version) == ("accepted", "Z1", 1)


def test_J04_a_refused_order_ends_its_case() -> None:
    case = open_case(an_act(SYSTEM), an_order(answer=an_answer()))
    with pytest.raises(CodeNotAllowed):
        act(case, "answer_order", answer="refused", code="Z9")
    act(case, "answer_order", answer="refused", code="Z2")
    assert [fact.reason for fact in told(case, cases.CaseAbandoned)] == ["order_refused"]
    assert the_order(case).close_reason == "NOT_NEEDED"


def test_an_order_is_answered_once() -> None:
    case = open_case(an_act(SYSTEM), an_order(answer=an_answer()))
    act(case, "answer_order", answer="accepted", code="Z1")
    with pytest.raises(AnswerGiven):
        act(case, "answer_order", answer="accepted", code="Z1")


def test_the_clock_of_an_answer_runs_until_it_is_given() -> None:
    case = open_case(an_act(SYSTEM), an_order(answer=an_answer()))
    assert answers_due(case) == [timedelta(days=4), timedelta(days=5)]
    act(case, "answer_order", answer="accepted", code="Z1")
    assert answers_due(case) == []


def answers_due(case):
    """After which times an owed answer is called for."""
    return [each.due_at - NOW for each in waits.wanted(case, an_act().policy) if each.kind == "answer_due"]


def objected():
    """The announcement was refused."""
    case = a_case(Column.OP)
    hear(case, an_act(SYSTEM), facts.facts(case, the_order(case))["BookableFromSet"][1])
    announced = {"fact": "rollout_announced", "attempt": 1}
    hear(case, an_act(SYSTEM), facts.rejected(case, the_order(case), "ANNOUNCEMENT_OBJECTED", **announced))
    return case, case.exceptions[0]


def test_J03_an_objection_is_decided_by_a_person() -> None:
    case, raised = objected()
    assert raised.type is ExceptionType.ANNOUNCEMENT_OBJECTED
    with pytest.raises(DecisionMissing):
        act(case, "resolve_exception", exception_id=raised.exception_id)
    act(case, "resolve_exception", exception_id=raised.exception_id, decision="wait", due_on=date(2026, 6, 1))
    assert (raised.open, raised.due_on) == (True, date(2026, 6, 1))
    act(case, "resolve_exception", exception_id=raised.exception_id, decision="carry_on")
    assert not raised.open


def test_J03_to_abandon_ends_the_case_and_tells_the_market() -> None:
    case, raised = objected()
    act(case, "resolve_exception", exception_id=raised.exception_id, decision="abandon")
    assert len(told(case, cases.CaseAbandoned)) == 1
    assert [(fact.fact, fact.final) for fact in told(case, cases.HandoverRequested)][-1] == ("work_not_completed", True)
