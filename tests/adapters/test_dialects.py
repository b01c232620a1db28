"""One document, every dialect: what is written is read back equal, field for field, in each that carries it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from contracts.codes import Level
from kit.csvs import write_csv
from services.mdm_adapter.dialects.cim_xml import messages
from services.mdm_adapter.dialects.cim_xml.envelope import open_envelope
from services.mdm_adapter.dialects.cim_xml.replies import read_answer
from services.mdm_adapter.dialects.cim_xml.reports import decode_completed, decode_not_completed
from services.mdm_adapter.dialects.csv import files as csv
from services.mdm_adapter.dialects.csv.orders import FIELDS
from services.mdm_adapter.dialects.items import OrderDocument
from services.mdm_adapter.dialects.json_ce import messages as json_ce
from services.mdm_adapter.dialects.json_ce.publishing import schemas
from services.mdm_adapter.dialects.json_ce.wire import BY_TYPE
from services.mdm_adapter.dialects.sending import Sending
from services.mdm_adapter.documents.answer import Answer, ItemState
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_order_cancelled import WorkOrderCancelled
from services.mdm_adapter.documents.work_order_changed import WorkOrderChanged
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.documents.work_status import WorkStatus
from tests.unit.mdm_adapter.examples import (
    ANNOUNCED,
    CANCELLATIONS,
    COMPLETED,
    NOT_COMPLETED,
    answers,
    changes,
    full_orders,
    json_orders,
    orders,
)

BERLIN = ZoneInfo("Europe/Berlin")
SENDING = Sending("M-1", "C-1", "ROLLOUT-HUB", datetime(2026, 3, 2, 8, tzinfo=UTC))


def through_cim(document: OrderDocument) -> OrderDocument | None:
    content = messages.encode_request(document, SENDING, BERLIN)
    assert messages.own_faults(content) == []
    (item,) = messages.decode(content, None, None).items
    return item.document


def through_csv(order: WorkOrderRequested) -> OrderDocument | None:
    said = {"order_no": order.order_no, "version": str(order.order_version)}
    said |= {"metering_point_id": order.metering_point.id, "scheme": order.metering_point.scheme.value}
    content = order.content()
    for column, field in FIELDS.items():
        name, _, member = field.partition(".")
        value = content.get(name, {}).get(member) if member else content.get(name)
        if value is not None:
            said[column] = str(value).lower() if isinstance(value, bool) else str(value)
    (item,) = csv.decode(write_csv(tuple(said), [tuple(said.values())]), None).items
    return item.document


@given(full_orders())
def test_an_order_survives_cim_xml(order: WorkOrderRequested) -> None:
    assert through_cim(order) == order


@given(changes() | CANCELLATIONS)
def test_a_change_and_a_cancellation_survive_cim_xml(document: OrderDocument) -> None:
    assert through_cim(document) == document


@given(orders())
def test_an_order_says_the_same_through_cim_xml_and_csv(order: WorkOrderRequested) -> None:
    safe = order.model_copy(update={"customer": None, "location": None})
    assert through_cim(safe) == through_csv(safe) == safe


@given(COMPLETED)
def test_completed_work_survives_cim_xml(document: DeviceExchangeCompleted) -> None:
    content = messages.encode_report(document, SENDING)
    envelope = open_envelope(content, None, None)
    assert (messages.own_faults(content), envelope.findings) == ([], [])
    assert envelope.payload is not None
    assert decode_completed(envelope.payload) == document


@given(NOT_COMPLETED)
def test_work_that_was_not_completed_survives_cim_xml(document: WorkNotCompleted) -> None:
    envelope = open_envelope(messages.encode_report(document, SENDING), None, None)
    assert (envelope.payload is not None, envelope.header is not None, envelope.findings) == (True, True, [])
    assert decode_not_completed(envelope.payload, envelope.header.properties) == document  # type: ignore[arg-type, union-attr]


@given(answers())
def test_an_answer_survives_cim_xml(answer: Answer) -> None:
    content = messages.encode_answer(answer, SENDING)
    reply = messages.decode(content, None, None).reply
    assert messages.own_faults(content) == []
    assert reply is not None
    assert read_answer(reply, [item.item for item in answer.items]) == answer


def other_prefix(content: bytes) -> bytes:
    renamed = content.replace(b"<m:", b"<q:").replace(b"</m:", b"</q:")
    return renamed.replace(b"xmlns:m=", b"xmlns:q=", 1)


def default_namespaces(content: bytes) -> bytes:
    return re.sub(rb"(</?)[ms]:", rb"\1", content).replace(b"xmlns:m=", b"xmlns=").replace(b"xmlns:s=", b"xmlns=")


def inside_ids(piece: bytes) -> Callable[[bytes], bytes]:
    """Puts something in the middle of every id, behind its first character."""
    return lambda content: re.sub(rb"(<s:mRID>.)", lambda found: found.group(1) + piece, content)


SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "other prefix": other_prefix,
    "default namespaces": default_namespaces,
    "BOM": lambda content: b"\xef\xbb\xbf" + content,
    "UTF-16": lambda content: content.decode().replace("UTF-8", "UTF-16", 1).encode("utf-16"),
    "CDATA": lambda content: re.sub(rb"<s:mRID>([^<]+)<", rb"<s:mRID><![CDATA[\1]]><", content),
    "comment before a value": lambda content: content.replace(b"<s:mRID>", b"<s:mRID><!-- -->", 1),
    "comment in an id": inside_ids(b"<!-- a comment -->"),
    "processing instruction in an id": inside_ids(b"<?some thing?>"),
    "empty CDATA in an id": inside_ids(b"<![CDATA[]]>"),
    "blanks around": lambda content: content.replace(b"<s:mRID>", b"<s:mRID>\n  ", 1),
}


@pytest.mark.parametrize("spelling", sorted(SPELLINGS))
@given(order=full_orders())
def test_X03_another_spelling_is_the_same_canonical_json_byte_by_byte(spelling: str, order: WorkOrderRequested) -> None:
    plain = messages.encode_request(order, SENDING, BERLIN)
    content = SPELLINGS[spelling](plain)
    said = []
    for each in (plain, content):
        decoded = messages.decode(each, None, None)
        (item,) = decoded.items
        assert item.document is not None
        said.append((item.document.model_dump_json(), decoded.message_id, decoded.correlation_id, decoded.orders))
    assert (content != plain, said[1]) == (True, said[0])


def through_json(document: OrderDocument) -> OrderDocument | None:
    content = json_ce.encode_request(document, SENDING)
    assert json_ce.own_faults(content) == []
    decoded = json_ce.decode(content, None, None)
    assert decoded.findings == []
    (item,) = decoded.items
    return item.document


@given(json_orders())
def test_an_order_survives_json(order: WorkOrderRequested) -> None:
    assert through_json(order) == order


@given(changes())
def test_a_change_survives_json(change: WorkOrderChanged) -> None:
    change = change.model_copy(update={"properties": ()})
    assert through_json(change) == change


@given(CANCELLATIONS)
def test_a_cancellation_survives_json(cancellation: WorkOrderCancelled) -> None:
    assert through_json(cancellation) == cancellation


@given(COMPLETED | NOT_COMPLETED | ANNOUNCED)
def test_a_report_survives_json(report: DeviceExchangeCompleted | WorkNotCompleted | WorkStatus) -> None:
    content = json_ce.encode_report(report, SENDING)
    assert (json_ce.own_faults(content), json_ce.decode_report(content)) == ([], report)


@given(answers())
def test_an_answer_survives_json(answer: Answer) -> None:
    one = Answer(items=answer.items[:1], level=answer.level)
    content = json_ce.encode_answer(one, SENDING)
    decoded = json_ce.decode(content, None, None)
    kept = one.model_copy(update={"level": Level.TRANSPORT}) if one.items[0].state is ItemState.RECEIVED else one
    assert (json_ce.own_faults(content), decoded.findings, decoded.answer) == ([], [], kept)


@given(orders())
def test_one_order_is_equal_through_xml_json_and_csv(order: WorkOrderRequested) -> None:
    plain = order.model_copy(update={"customer": None, "location": None})
    assert through_cim(plain) == through_json(plain) == through_csv(plain) == plain


@given(NOT_COMPLETED)
def test_work_that_was_not_completed_is_equal_through_xml_and_json(report: WorkNotCompleted) -> None:
    as_xml, as_json = messages.encode_report(report, SENDING), json_ce.encode_report(report, SENDING)
    assert messages.decode_report(as_xml) == json_ce.decode_report(as_json) == report


@given(ANNOUNCED)
def test_an_announcement_is_equal_through_xml_and_json(report: WorkStatus) -> None:
    as_xml, as_json = messages.encode_report(report, SENDING), json_ce.encode_report(report, SENDING)
    assert messages.decode_report(as_xml) == json_ce.decode_report(as_json) == report


@given(answers())
def test_a_rejection_is_equal_through_xml_and_json(answer: Answer) -> None:
    one = Answer(items=answer.items[:1])
    reply = messages.decode(messages.encode_answer(one, SENDING), None, None).reply
    said = json_ce.decode(json_ce.encode_answer(one, SENDING), None, None).answer
    assert (reply is not None, said is not None) == (True, True)
    assert read_answer(reply, [one.items[0].item]).items == said.items == one.items  # type: ignore[arg-type, union-attr]


@given(COMPLETED)
def test_one_fact_is_equal_through_xml_and_json(report: DeviceExchangeCompleted) -> None:
    payload = open_envelope(messages.encode_report(report, SENDING), None, None).payload
    assert payload is not None
    assert decode_completed(payload) == json_ce.decode_report(json_ce.encode_report(report, SENDING))


def test_the_schemas_that_partners_are_given_are_those_of_the_reader() -> None:
    published = {path.name: path.read_text("utf-8") for path in json_ce.SCHEMAS.glob("*.json")}
    assert published == dict(schemas())


@pytest.mark.parametrize("type_", sorted(BY_TYPE))
def test_a_schema_refuses_what_the_reader_refuses(type_: str) -> None:
    assert [each.validator for each in json_ce.validator(type_).iter_errors({"type": type_, "colour": 1})] != []
