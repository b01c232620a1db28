"""The dispatcher of §2.4: which row a fact is, which work orders it concerns, what of their cells it takes."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from contracts.assets import DeviceCommissioned
from contracts.bookings import AppointmentConfirmed, AppointmentProposed, Slot
from contracts.codes import CommissionedBy, ConfirmedBy, Fact, Result, WorkOrderKind
from contracts.event import Event
from contracts.groups import OfAppointment, OfHandover, OfWorkOrder
from contracts.handovers import HandoverAccepted, HandoverRejected
from contracts.notices import LetterPrepared, LetterPrinted, NoticeFailed, NoticeSent
from contracts.quality import ReviewApproved, ReworkRequested
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Place
from services.case_service.domain.gate import COMMUNICATING, silent
from services.case_service.domain.incoming import assets, bookings, handovers, notices, quality
from services.case_service.domain.incoming.scene import ANOM, LATE, UPD, Effects, Scene
from services.case_service.domain.matrices import EVENTS
from services.case_service.domain.work_order import WorkOrder
from services.case_service.errors import IllegalStep

EFFECTS: Effects = MappingProxyType(
    {**bookings.EFFECTS, **notices.EFFECTS, **assets.EFFECTS, **quality.EFFECTS, **handovers.EFFECTS}
)
"""Every fact about a case that others tell, with what it does. Orders have a room of their own."""

ROW_BY_NAME: Mapping[str, str] = MappingProxyType(
    {name: row for row in EVENTS if "(" not in row for name in row.split(", ")}
    | {"ReplyReceived": "ReplyReceived (any reading)"}
)


_EXCUSED: Mapping[type[Event], tuple[str, ...]] = MappingProxyType({HandoverRejected: (UPD,)})
"""Reasons for which a rejection is none (lifecycle §7.2): no T25, only a line."""


def row_of(event: Event) -> str:
    """The row of the table that a fact is."""
    name = type(event).__name__
    if isinstance(event, NoticeFailed):
        return f"{name} {event.permanence}"
    if isinstance(event, ReworkRequested):
        return f"{name} {event.kind}"
    if isinstance(event, OfHandover):
        return _handover_row(name, event.fact)
    return ROW_BY_NAME[name]


def _handover_row(name: str, fact: Fact) -> str:
    if fact is Fact.ROLLOUT_ANNOUNCED:
        return "Handover… (announced)"
    if fact is not Fact.EXCHANGE_COMPLETED:
        return "Handover… (not completed, cancelled)"
    rows = (row for row in EVENTS if row.endswith(" (exchange)"))
    return next(row for row in rows if name in row.removesuffix(" (exchange)").split(", "))


def hear(case: Case, act: Act, event: Event) -> None:
    """Apply a fact to every work order that it concerns; what the table does not allow is recorded, not lost."""
    row = row_of(event)
    for order, own in concerned(case, event):
        choices = EVENTS[row][order.column]
        scene = Scene(case, order, act, event, choices, own)
        taken = _take(scene)
        if taken not in {*choices, LATE, ANOM, *_EXCUSED.get(type(event), ())}:
            raise IllegalStep(taken, order.column, row)
        if taken == LATE:
            case.remark(act, order, "late", event=type(event).__name__)
        elif taken == ANOM:
            case.anomaly(act, order, "unexpected_event", event=type(event).__name__, state=str(order.column))


def _take(scene: Scene[Any]) -> str:
    if scene.own and stale(scene.order, scene.event):
        return LATE
    if scene.choices == (LATE,) and not _leaves_a_trace(scene.event):
        return LATE
    if scene.choices == (ANOM,):
        return ANOM
    return EFFECTS[type(scene.event)](scene)


def _leaves_a_trace(event: Event) -> bool:
    """Late answers to an exchange are kept in mind (lifecycle §7.3)."""
    return isinstance(event, HandoverAccepted | HandoverRejected) and event.fact is Fact.EXCHANGE_COMPLETED


def concerned(case: Case, event: Event) -> Iterable[tuple[WorkOrder, bool]]:
    """The order that a fact names, and follow-ups that wait for it; else every order that is not closed."""
    named = _named(case, event)
    if named is None:
        yield from [(order, True) for order in case.unclosed or [case.current]]
        return
    yield named, True
    yield from [(order, False) for order in _waiting(case, named, event)]


def _waiting(case: Case, named: WorkOrder, event: Event) -> list[WorkOrder]:
    """Follow-ups that need no visit any more; asked after the fact was applied to the order that it names."""
    if isinstance(event, DeviceCommissioned):
        return assets.waiting_follow_ups(case, named, WorkOrderKind.COMMS_REPAIR) if _all_speak(case, event) else []
    if isinstance(event, ReviewApproved) and named.result is Result.DOCS_INCOMPLETE and named.approved:
        return assets.waiting_follow_ups(case, named, WorkOrderKind.REWORK, WorkOrderKind.REVERSAL)
    return []


def _all_speak(case: Case, event: DeviceCommissioned) -> bool:
    """Everything that should communicate does. A meter that is commissioned by being built in says nothing of that."""
    pending = any(fact.place is Place.PENDING for fact in case.devices)
    later = event.role in COMMUNICATING or event.by is not CommissionedBy.VISIT
    return later and not pending and not silent(case)


def _named(case: Case, event: Event) -> WorkOrder | None:
    if isinstance(event, OfWorkOrder):
        return case.order(event.work_order_id)
    if isinstance(event, OfHandover) and event.fact is not Fact.ROLLOUT_ANNOUNCED:
        found = handovers.find(case, event)
        named = event.work_order_id or (found.work_order_id if found else None)
        return case.order(named) if named else case.current
    if isinstance(event, NoticeSent | NoticeFailed | LetterPrepared | LetterPrinted) and event.work_order_id:
        return case.order(event.work_order_id)
    return None


def stale(order: WorkOrder, event: Event) -> bool:
    """Whether a fact speaks of an older offer, revision, attempt or visit than the order knows (events page §1)."""
    if isinstance(event, AppointmentProposed):
        return event.appointment_id == order.appointment_id and event.revision < (order.revision or 0)
    if isinstance(event, OfAppointment):
        return _old_appointment(order, event)
    if isinstance(event, NoticeSent | NoticeFailed | LetterPrepared | LetterPrinted):
        return event.attempt is not None and event.attempt < order.offer
    if isinstance(event, OfHandover) and event.fact is Fact.EXCHANGE_COMPLETED:
        return order.handover is not None and event.attempt < order.handover
    return False


def _old_appointment(order: WorkOrder, event: OfAppointment) -> bool:
    if order.appointment_id is not None and event.appointment_id != order.appointment_id:
        return True
    if event.revision < (order.revision or 0):
        return True
    by_staff = isinstance(event, AppointmentConfirmed) and event.by is ConfirmedBy.STAFF
    answers_offer = not isinstance(event, Slot) and not by_staff
    return answers_offer and event.attempt < order.offer
