"""The dialect as a whole: bytes to what they say, and documents to bytes that our own schemas have passed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit import jsons
from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.identifiers import content_findings, is_warning, order_findings
from services.mdm_adapter.dialects.items import Decoded, Item, Kind, OrderDocument
from services.mdm_adapter.dialects.json_ce import orders, reports, wire
from services.mdm_adapter.dialects.json_ce.reports import Report
from services.mdm_adapter.dialects.sending import Sending
from services.mdm_adapter.documents.answer import Answer
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.order_content import OrderContent
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_order_cancelled import WorkOrderCancelled
from services.mdm_adapter.documents.work_order_changed import WorkOrderChanged
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.documents.work_status import WorkStatus
from services.mdm_adapter.partners.profile import Profile, Strict

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

NAME = "json_ce"
MEDIA_TYPE = "application/cloudevents+json"
SCHEMAS = Path(__file__).parent / "schemas"
AHEAD = timedelta(minutes=5)
CHANGED_DATA = ("/data/rueckmeldung/changes",)
"""Below these a null is a value: there is none any more."""

REPORTS = frozenset({"work_status", "device_exchange_completed", "work_not_completed"})
"""Messages that only we send."""
_Orders = wire.WorkOrderRequested | wire.WorkOrderChanged | wire.WorkOrderCancelled
_WIRE: dict[type, type[wire.CloudEvent]] = {
    WorkOrderRequested: wire.WorkOrderRequested,
    WorkOrderChanged: wire.WorkOrderChanged,
    WorkOrderCancelled: wire.WorkOrderCancelled,
    WorkStatus: wire.WorkStatus,
    DeviceExchangeCompleted: wire.DeviceExchangeCompleted,
    WorkNotCompleted: wire.WorkNotCompleted,
}


def is_json(data: bytes) -> bool:
    """Whether bytes look like a message in JSON: the first thing in them is `{` or `[`."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}


def companion_of(data: bytes) -> str | None:
    """What JSON beside a message is called: objects of BO4E, or notes; None: it is, or would be, a message."""
    try:
        tree = jsons.read(data)
    except jsons.Unreadable:
        return None
    if not isinstance(tree, dict) or not tree or tree.keys() & {"specversion", "type", "id", "source", "data"}:
        return None
    return "BO4E JSON" if "stammdaten" in tree else "companion"


def decode(data: bytes, profile: Profile | None, now: datetime | None) -> Decoded:
    """Read a message and all that is wrong with it; nothing but our own findings comes out.

    Without `now` no time lies in the future; without a profile nobody's name is wrong.
    """
    try:
        tree = jsons.read(data)
    except jsons.Unreadable as refused:
        findings = [replace(_finding(found), code=codes.UNREADABLE) for found in refused.errors]
        return Decoded(NAME, Kind.OTHER, findings=findings)
    if not isinstance(tree, dict):
        return Decoded(NAME, Kind.OTHER, findings=[Finding(codes.UNREADABLE, "/", "one message is one object")])
    found = [_null(place) for place in _nulls(tree, "")]
    model = wire.BY_TYPE.get(str(tree.get("type")))
    if model is None:
        return _refused(tree, [Finding(codes.NOUN, "/type", "is no message that is taken here", rule="json/value")])
    try:
        message = jsons.read_as(data, model)
    except jsons.Unreadable as refused:
        return _refused(tree, [*found, *(_finding(each) for each in refused.errors)])
    return _decoded(message, [*found, *_judged(message, profile, now)], profile)


def _finding(found: jsons.Finding) -> Finding:
    """Wrong in its envelope, or in its data; where there is no tree, by line and column."""
    place = found.pointer or (f"line {found.line}, column {found.column}" if found.line else "/")
    code = codes.PAYLOAD if place.startswith("/data") else codes.HEADER
    return Finding(code, place, found.rule or found.code, found.line, found.code)


def _nulls(value: Any, place: str) -> Iterator[str]:
    if value is None:
        yield place
    elif place not in CHANGED_DATA:
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for name, each in inside:
            yield from _nulls(each, f"{place}/{name}")


def _null(place: str) -> Finding:
    code = codes.PAYLOAD if place.startswith("/data") else codes.HEADER
    return Finding(code, place, "null says nothing: leave the member out", rule="json/value")


def _refused(tree: dict[str, Any], findings: list[Finding]) -> Decoded:
    """A message that is refused as a whole; what it names is quoted as far as it can be read."""
    data = tree.get("data")
    order = data.get("auftrag") if isinstance(data, dict) else None
    number = order.get("order_no") if isinstance(order, dict) else None
    id_, correlation = (each if isinstance(each, str) else None for each in (tree.get("id"), tree.get("correlationid")))
    return Decoded(
        NAME,
        Kind.ANSWER if _noun(tree.get("type")) in {"received", "accepted", "rejected", "corrected"} else Kind.OTHER,
        findings=findings,
        message_id=id_ and id_[:64],
        correlation_id=(correlation or id_ or "")[:64] or None,
        noun=_noun(tree.get("type")),
        orders=(number[:80],) if isinstance(number, str) else (),
    )


def _noun(type_: Any) -> str | None:
    """The message's name without the fixed parts around it."""
    return str(type_).removeprefix("rollout.document.").removesuffix(".v1")[:40] if type_ else None


def _judged(message: wire.CloudEvent, profile: Profile | None, now: datetime | None) -> Iterator[Finding]:
    if now and message.time > now + AHEAD:
        yield Finding(codes.HEADER, "/time", "lies in the future", rule="json/value")
    if profile and not profile.is_named(message.source, now.date() if now else None):
        yield Finding(codes.SOURCE, "/source", "is not a name of the sender", rule="SENDER_MISMATCH")


def _decoded(message: wire.CloudEvent, findings: list[Finding], profile: Profile | None) -> Decoded:
    about = getattr(message, "data").auftrag  # noqa: B009 -- every message of the union has data
    common: dict[str, Any] = {
        "findings": findings,
        "message_id": message.id,
        "correlation_id": message.correlationid,
        "noun": _noun(getattr(message, "type")),  # noqa: B009
        "orders": (about.order_no,) if about else (),
    }
    match message:
        case wire.WorkOrderRequested() | wire.WorkOrderChanged() | wire.WorkOrderCancelled():
            items = [] if findings else [_item(message, profile)]
            return Decoded(NAME, Kind.ORDERS, items, **common | {"correlation_id": message.correlationid or message.id})
        case wire.Received() | wire.Accepted() | wire.Rejected():
            return Decoded(NAME, Kind.ANSWER, answer=reports.answer(message), **common)
        case wire.Corrected():
            return Decoded(NAME, Kind.CORRECTION, corrected=reports.corrected(message), **common)
        case _:
            refused = Finding(codes.NOUN, "/type", "is a report of ours, none that is taken", rule="json/value")
            return Decoded(NAME, Kind.OTHER, **common | {"findings": [*findings, refused]})


def _item(message: _Orders, profile: Profile | None) -> Item:
    """The order, with what its identifiers break."""
    number = message.data.auftrag.order_no
    strict, partner = (profile.strict if profile else Strict()), profile.id if profile else ""
    try:
        document = _document(message)
    except ValueError as error:
        return Item(number, None, [Finding(codes.PAYLOAD, "/data/stammdaten", str(error), rule="json/value")])
    if isinstance(document, OrderContent):
        found = content_findings(partner, document, strict.ids)
    else:
        found = list(order_findings(partner, number))
    placed = [Finding(each.code, orders.place_of(each.position), each.detail, rule=each.rule) for each in found]
    wrong = [each for each in placed if not is_warning(each)]
    return Item(number, document, wrong, [each for each in placed if is_warning(each)])


def _document(message: _Orders) -> OrderDocument:
    match message:
        case wire.WorkOrderRequested():
            return orders.requested(message)
        case wire.WorkOrderChanged():
            return orders.changed(message)
        case _:
            return orders.cancelled(message)


def encode_report(document: Report, sending: Sending) -> bytes:
    """A report; the partner answers by quoting its id."""
    return _written(_WIRE[type(document)], reports.data_of_report(document), sending, document.order_no, None)


def encode_answer(answer: Answer, sending: Sending) -> bytes:
    """An answer of ours; its correlation id is that of the message it answers."""
    data = reports.data_of_answer(answer)
    return _written(reports.kind_of_answer(answer), data, sending, answer.items[0].item, sending.correlation_id)


def encode_request(document: OrderDocument, sending: Sending) -> bytes:
    """An order as a partner would send it: what `decode` reads back, field for field."""
    return _written(_WIRE[type(document)], orders.data_of(document), sending, document.order_no, None)


def _written(
    model: type[wire.CloudEvent], data: dict[str, Any], sending: Sending, order_no: str, correlation: str | None
) -> bytes:
    message = model.model_validate(
        {
            "type": wire.type_of(model),
            "id": sending.message_id,
            "source": sending.source,
            "time": sending.at,
            "subject": order_no or None,
            "correlationid": correlation,
            "data": data,
        }
    )
    return message.model_dump_json(by_alias=True, exclude_none=True).encode()


def decode_report(data: bytes) -> Report:
    """A report of ours read again. Raises kit.jsons.Unreadable where it is none."""
    model = wire.BY_TYPE[str(jsons.read(data)["type"])]
    return reports.report(jsons.read_as(data, model))  # type: ignore[arg-type]


def own_faults(data: bytes) -> list[str]:
    """What keeps a message of ours from leaving: each finding of the schema that partners were given."""
    tree = json.loads(data)
    found = validator(str(tree["type"])).iter_errors(tree)
    return [f"/{'/'.join(map(str, each.absolute_path))}: {each.validator}" for each in found]


@lru_cache
def validator(type_: str) -> "Draft202012Validator":
    """The schema of a message, as it is published."""
    from jsonschema import Draft202012Validator  # slow to import; only what leaves in JSON needs it

    schema = json.loads((SCHEMAS / f"{_noun(type_)}.json").read_text("utf-8"))
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
