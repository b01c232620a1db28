"""One business fact through EDIFACT and through the other dialects: equal on the fields that each can carry."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from contracts.codes import Level
from services.mdm_adapter.dialects.cim_xml import messages as cim
from services.mdm_adapter.dialects.cim_xml.envelope import open_envelope
from services.mdm_adapter.dialects.cim_xml.replies import read_answer
from services.mdm_adapter.dialects.cim_xml.reports import decode_completed, decode_not_completed
from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.edifact_fv import reports
from services.mdm_adapter.dialects.edifact_fv.market_sending import MarketSending
from services.mdm_adapter.dialects.json_ce import messages as json_ce
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason
from services.mdm_adapter.documents.coverage import (
    CARRIED,
    CIM,
    CSV,
    EDIFACT,
    JSON,
    carried,
    shared,
    to_the_minute,
)
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.matrix import Role
from services.mdm_adapter.documents.values import Value
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.documents.work_status import WorkStatus
from tests.adapters.test_dialects import SENDING, through_cim, through_csv, through_json
from tests.unit.mdm_adapter.edifact import drawn
from tests.unit.mdm_adapter.edifact.sendings import asked, sending

BERLIN = ZoneInfo("Europe/Berlin")
Report = DeviceExchangeCompleted | WorkNotCompleted | WorkStatus


def in_market(document: Value) -> dict[str, Any]:
    """What of a document the market can be told."""
    return to_the_minute(carried(document, EDIFACT, BERLIN))  # type: ignore[no-any-return]


def checked(content: bytes, given: MarketSending) -> bytes:
    assert edifact.own_faults(content, given.at, to_supplier=given.role is Role.LF) == []
    return content


def through_market(document: Report, given: MarketSending) -> dict[str, Any]:
    content = checked(edifact.encode(document, given), given)
    match document:
        case DeviceExchangeCompleted():
            return reports.completed(content, checked(edifact.encode_readings(document, given), given))
        case WorkNotCompleted():
            return reports.not_completed(content)
        case _:
            return reports.announced(content)


def through_xml(document: DeviceExchangeCompleted | WorkNotCompleted) -> Value:
    envelope = open_envelope(cim.encode_report(document, SENDING), None, None)
    assert envelope.payload is not None
    assert envelope.header is not None
    if isinstance(document, WorkNotCompleted):
        return decode_not_completed(envelope.payload, envelope.header.properties)
    return decode_completed(envelope.payload)


def through_events(document: Report) -> Value:
    return json_ce.decode_report(json_ce.encode_report(document, SENDING))


@given(drawn.completed())
def test_E23_completed_work_is_equal_through_edifact_xml_and_json(
    drawn_case: tuple[DeviceExchangeCompleted, MarketSending],
) -> None:
    document, given = drawn_case
    told = through_market(document, given)
    assert told == in_market(document)
    assert in_market(through_xml(document)) == in_market(through_events(document)) == told


@given(drawn.not_completed())
def test_E23_work_that_was_not_completed_is_equal_through_edifact_xml_and_json(
    drawn_case: tuple[WorkNotCompleted, MarketSending],
) -> None:
    document, given = drawn_case
    told = through_market(document, given)
    assert told == in_market(document)
    assert in_market(through_xml(document)) == in_market(through_events(document)) == told


@given(drawn.announced())
def test_E23_an_announcement_is_equal_through_edifact_and_json(drawn_case: tuple[WorkStatus, MarketSending]) -> None:
    document, given = drawn_case
    told = through_market(document, given)
    assert told == in_market(document)
    assert in_market(through_events(document)) == told


def through_orders(order: WorkOrderRequested) -> WorkOrderRequested:
    given = sending(at=drawn.NOW)
    content = checked(edifact.encode_request(order, given), given)
    (item,) = edifact.decode(content, None, given.at).items
    assert item.findings == []
    assert isinstance(item.document, WorkOrderRequested)
    return item.document


@given(drawn.orders())
def test_E23_an_order_is_equal_through_edifact_xml_and_json(order: WorkOrderRequested) -> None:
    told = through_orders(order)
    assert (told.order_version, in_market(told)) == (1, in_market(order))
    for other in (through_cim(order), through_json(order.model_copy(update={"properties": ()}))):
        assert isinstance(other, WorkOrderRequested)
        assert in_market(other) == in_market(told)


@given(drawn.orders())
def test_E23_an_order_is_equal_through_edifact_and_csv(order: WorkOrderRequested) -> None:
    order = order.model_copy(update={"customer": None, "location": None, "customer_class": None})
    row, told = through_csv(order), through_orders(order)
    both = shared(WorkOrderRequested, EDIFACT, CSV)
    assert row is not None
    assert {name: getattr(row, name) for name in both} == {name: getattr(told, name) for name in both}


def read_back(document: Answer, given: MarketSending) -> Answer:
    found = reports.answered(checked(edifact.encode(document, given), given))
    assert found is not None
    return found


def as_json(document: Answer) -> Value:
    found = json_ce.decode(json_ce.encode_answer(document, SENDING), None, None).answer
    assert found is not None
    return found


@given(drawn.answers())
def test_E23_an_answer_to_an_order_is_equal_through_edifact_and_json(drawn_case: tuple[Answer, MarketSending]) -> None:
    document, given = drawn_case
    both = {"items", "level", "fixed_on", "window_from", "window_to"}
    plain = read_back(document, given)
    reasons = tuple(each.model_copy(update={"hub_reason": None}) for each in plain.items[0].reasons)
    told = plain.model_copy(update={"items": (plain.items[0].model_copy(update={"reasons": reasons}),)})
    assert shared(Answer, EDIFACT, JSON) == both
    assert told.model_dump(include=both) == document.model_dump(include=both)
    assert as_json(document).model_dump(include=both) == told.model_dump(include=both)


@given(drawn.answers(orders=(asked("23001", "4"),)).filter(lambda case: case[0].verdict == "FAILED"))
def test_E23_a_refusal_is_equal_through_edifact_and_xml(drawn_case: tuple[Answer, MarketSending]) -> None:
    document, given = drawn_case
    (item,) = document.items
    reply = cim.decode(cim.encode_answer(document, SENDING), None, None).reply
    assert reply is not None
    told = read_back(document, given)
    assert carried(read_answer(reply, [item.item]), CIM, BERLIN) == carried(told, CIM, BERLIN)


WORDS = [("A01", "E_0233", None), ("A02", "E_0233", "nein"), ("E17", None, "x")]


@pytest.mark.parametrize(("code", "list_", "text"), WORDS)
def test_E23_a_refusal_keeps_its_words_in_every_dialect(code: str, list_: str | None, text: str | None) -> None:
    reason = Reason(code=code, list=list_, text=text)
    item = ItemAnswer(item="O-1", state=ItemState.REFUSED, reasons=(reason,))
    document = Answer(items=(item,), level=Level.BUSINESS)
    reply = cim.decode(cim.encode_answer(document, SENDING), None, None).reply
    assert reply is not None
    assert as_json(document) == document
    assert carried(read_answer(reply, ["O-1"]), CIM, BERLIN) == carried(document, CIM, BERLIN)


@pytest.mark.parametrize("document", CARRIED, ids=lambda document: document.__name__)
def test_what_a_dialect_carries_are_fields_of_the_document(document: type[Value]) -> None:
    known = {*document.model_fields, "finished_on"}
    assert {name for fields in CARRIED[document].values() for name in fields} - known == set()
