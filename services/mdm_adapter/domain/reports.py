"""From what the adapter keeps of a case to the document that reports it; what is missing is named, never guessed."""

from dataclasses import dataclass
from hashlib import sha256

from contracts.codes import Fact, Outcome
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.matrix import DocumentKind
from services.mdm_adapter.documents.places import edited
from services.mdm_adapter.documents.values import MeteringPoint
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_status import WorkStatus
from services.mdm_adapter.domain.dossier import Dossier, Visit
from services.mdm_adapter.domain.handover import Handover, Row
from services.mdm_adapter.domain.orders import Order
from services.mdm_adapter.errors import NoSuchPlace

Report = WorkStatus | DeviceExchangeCompleted | WorkNotCompleted | Answer
ALREADY_COMPLETED = Reason(code="6.1", text="already completed")
ONE_SIDED = frozenset({DocumentKind.DEVICE_REMOVED, DocumentKind.DEVICE_INSTALLED})
NOT_DONE, GIVEN_UP = "NOT_DONE", "GIVEN_UP"


@dataclass(frozen=True, slots=True)
class Missing:
    """Facts that another event has to bring before the document can be written."""

    facts: tuple[str, ...]


def report(dossier: Dossier, handover: Handover, row: Row, order: Order) -> Report | Missing:
    """The document of a row with what a person corrected in it, or what is missing for it."""
    document = _document(dossier, handover, row, order)
    if isinstance(document, Missing):
        return document
    try:
        document = edited(document, row.edits)
    except NoSuchPlace as nowhere:  # also where the facts have changed since it was corrected
        return Missing((str(nowhere),))
    if not isinstance(document, DeviceExchangeCompleted):
        return document
    if row.document in ONE_SIDED and not (document.installed or document.removed):
        return document  # nothing went, or nothing came: there is nothing to tell
    missing = document.missing()
    return Missing(missing) if missing else document


def _document(dossier: Dossier, handover: Handover, row: Row, order: Order) -> Report | Missing:
    match DocumentKind(row.document):
        case DocumentKind.CANCELLATION_ANSWER:
            return _cancellation_answer(handover, order)
        case DocumentKind.WORK_NOT_COMPLETED:
            return _not_completed(dossier, handover, order)
        case DocumentKind.WORK_ANNOUNCED:
            return _announced(dossier, handover, order)
        case DocumentKind.DEVICE_REMOVED:
            return _one_side(_completed(dossier, handover, order), "installed")
        case DocumentKind.DEVICE_INSTALLED:
            return _one_side(_completed(dossier, handover, order), "removed")
        case DocumentKind.VALUES_WITHDRAWN | DocumentKind.READINGS_WITHDRAWN:
            return _withdrawn(dossier, handover, row, order)
        case _:
            return _completed(dossier, handover, order)


def _announced(dossier: Dossier, handover: Handover, order: Order) -> WorkStatus | Missing:
    if dossier.metering_point_id is None or dossier.metering_point_scheme is None:
        return Missing(("metering point",))
    return WorkStatus(
        order_no=order.order_no,
        order_version=order.order_version,
        metering_point=MeteringPoint(id=dossier.metering_point_id, scheme=dossier.metering_point_scheme),
        plan=handover.plan,
        statutory=handover.statutory,
        planned_on=handover.planned_on,
        window_from=handover.window_from,
        window_to=handover.window_to,
    )


def _one_side(document: DeviceExchangeCompleted | Missing, other: str) -> DeviceExchangeCompleted | Missing:
    """Only what went, or only what came."""
    return document if isinstance(document, Missing) else document.model_copy(update={other: ()})


def _withdrawn(dossier: Dossier, handover: Handover, row: Row, order: Order) -> DeviceExchangeCompleted | Missing:
    """What the recipient was told no longer holds: the visit that undid it, and which messages are meant."""
    document = _completed(dossier, handover, order)
    if isinstance(document, Missing):
        return document
    told = [
        str(each.message_id)
        for each in dossier.rows
        if (each.fact, each.recipient) == (Fact.EXCHANGE_COMPLETED, row.recipient) and each.was_sent and each.message_id
    ]
    return document.model_copy(update={"withdraws": tuple(told)})


def _completed(dossier: Dossier, handover: Handover, order: Order) -> DeviceExchangeCompleted | Missing:
    visit = _visit(dossier, handover)
    if visit is None or dossier.metering_point_id is None or dossier.metering_point_scheme is None:
        return Missing(("visit report",))
    exchange = _exchange(dossier, visit)
    return DeviceExchangeCompleted(
        order_no=order.order_no,
        order_version=order.order_version,
        metering_point=MeteringPoint(id=dossier.metering_point_id, scheme=dossier.metering_point_scheme),
        started_at=exchange.started_at,
        finished_at=exchange.finished_at,
        installed=exchange.installed,
        removed=exchange.removed,
    )


def _visit(dossier: Dossier, handover: Handover) -> Visit | None:
    """The report that the case speaks of, in that version or a newer one; without a name, the work order's last."""
    if handover.visit_id is not None:
        visit = dossier.visit(handover.visit_id)
        return visit if visit and visit.visit_version >= (handover.visit_version or 1) else None
    done = [
        each
        for each in dossier.visits
        if each.work_order_id == handover.work_order_id and each.outcome != Outcome.FAILED
    ]
    return max(done, key=lambda each: each.finished_at, default=None)


def _exchange(dossier: Dossier, visit: Visit) -> Visit:
    """The visit in which the devices came and went: this one, or for rework and repair the newest before it."""
    before = (each for each in dossier.visits if each.sequence <= visit.sequence and (each.installed or each.removed))
    return visit if visit.installed or visit.removed else max(before, key=lambda each: each.sequence, default=visit)


def _not_completed(dossier: Dossier, handover: Handover, order: Order) -> WorkNotCompleted | Missing:
    visit = dossier.visit(handover.visit_id)
    if handover.visit_id is not None and visit is None:
        return Missing(("visit report",))
    if dossier.metering_point_id is None or dossier.metering_point_scheme is None:
        return Missing(("metering point",))
    return WorkNotCompleted(
        order_no=order.order_no,
        order_version=order.order_version,
        metering_point=MeteringPoint(id=dossier.metering_point_id, scheme=dossier.metering_point_scheme),
        at=visit.finished_at if visit else handover.requested_at,
        outcome=visit.outcome if visit else NOT_DONE,
        reason=visit.result if visit else GIVEN_UP,
        sub_reason=visit.sub_reason if visit else None,
        attempts=len(dossier.visits),
        final=handover.final,
    )


def _cancellation_answer(handover: Handover, order: Order) -> Answer:
    """Cancelled, also where values are taken back for it; or too late, because the work is done."""
    if handover.decision == "too_late":
        item = ItemAnswer(item=order.order_no, state=ItemState.REFUSED, reasons=(ALREADY_COMPLETED,))
    else:
        item = ItemAnswer(item=order.order_no, state=ItemState.ACCEPTED)
    return Answer(items=(item,))


def payload_hash(document: Report) -> str:
    """Equal words, equal hash; envelope ids and times are not part of it."""
    return sha256(document.model_dump_json().encode()).hexdigest()


def business_key(row: Row, dossier: Dossier, document: Report) -> str:
    """What the document is about: partner, order, point, fact, devices, effective time."""
    old, new, at = list[str](), list[str](), ""
    if isinstance(document, DeviceExchangeCompleted):
        old = sorted(device.serial for device in document.removed)
        new = sorted(device.serial for device in document.installed)
        at = document.finished_at.isoformat()
    parts = (row.recipient, row.order_key, dossier.metering_point_id or "", Fact(row.fact).value, *old, "", *new, at)
    return sha256("|".join(parts).encode()).hexdigest()
