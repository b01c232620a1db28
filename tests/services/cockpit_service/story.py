"""What the other services tell of one case that is done by SMS, visit, review and handover, as the console hears it."""

from typing import Any
from uuid import UUID

from contracts.assets import DeviceInstalled, DeviceMismatch, DevicePicked, MaterialMissing, MaterialReserved
from contracts.bookings import (
    AppointmentConfirmed,
    AppointmentKept,
    AppointmentOffered,
    AppointmentProposed,
    AppointmentQuestioned,
    BookableFromSet,
)
from contracts.cases import (
    BookingRequested,
    CaseCompleted,
    CaseOpened,
    CasePhaseChanged,
    ExceptionRaised,
    ExceptionResolved,
    HandoverRequested,
    MaterialRequested,
    WorkOrderMoved,
    WorkOrderOpened,
)
from contracts.contacts import ContactRecorded
from contracts.event import Event
from contracts.handovers import HandoverAccepted, HandoverRejected, HandoverSent
from contracts.messages import MessageRecorded
from contracts.notices import NoticeSent, ReplyReceived
from contracts.quality import ReviewApproved, ReviewOpened
from contracts.samples import example
from contracts.visits import VisitReported

CASE, ORDER = UUID(int=0xC1), UUID(int=0xA1)
PERSONAL = ("Kim Muster", "+4915112345678", "kim.muster@example.org", "Musterweg", "Your appointment", "Nobody opened")


def of(kind: type[Event], **changes: Any) -> Event:
    """The example of an event, told of the story's case and its work order."""
    about: dict[str, Any] = {"case_id": CASE, "work_order_id": ORDER, "sequence": 1}
    mine = {name: value for name, value in about.items() if name in kind.model_fields}
    return example(kind, **{**mine, **changes})


def phase(now: str) -> Event:
    return of(CasePhaseChanged, to_phase=now, on_hold=False)


def moved(move: str, state: str, version: int, **changes: Any) -> Event:
    return of(
        WorkOrderMoved,
        move=move,
        to_state=state,
        version=version,
        **{"result": None, "sub_reason": None, "close_reason": None, **changes},
    )


def story() -> list[Event]:
    """All of it, in an order in which it may have happened; one handover is refused first."""
    return [
        of(CaseOpened, orders=("erp:4500012345",)),
        of(ContactRecorded),
        of(WorkOrderOpened, state="OPEN"),
        phase("BACKLOG"),
        of(BookableFromSet),
        moved("T01", "PLANNING", 1),
        phase("PLANNING"),
        of(AppointmentProposed),
        of(MaterialRequested),
        of(MaterialMissing),
        of(MaterialReserved),
        of(BookingRequested),
        of(AppointmentOffered),
        of(NoticeSent),
        of(MessageRecorded),
        moved("T04", "AWAITING_REPLY", 2),
        of(ReplyReceived),
        of(AppointmentQuestioned),
        of(AppointmentConfirmed),
        moved("T07", "READY", 3),
        phase("BOOKED"),
        of(DevicePicked),
        moved("T18", "IN_PROGRESS", 4),
        moved("T20", "RESOLVED", 5, result="OK"),
        of(VisitReported, visit_version=1),
        of(DeviceInstalled),
        of(DeviceMismatch, visit_version=1),
        of(ReviewOpened),
        of(AppointmentKept),
        phase("IN_QA"),
        of(ReviewApproved),
        moved("T21", "CLOSED", 6, close_reason="DONE"),
        of(HandoverRequested, attempt=1),
        phase("HANDOVER"),
        of(HandoverSent, attempt=1),
        of(HandoverRejected, attempt=1),
        of(ExceptionRaised),
        phase("EXCEPTION"),
        of(VisitReported, visit_version=2),
        of(ExceptionResolved),
        of(HandoverRequested, attempt=2),
        of(HandoverSent, attempt=2),
        of(HandoverAccepted, attempt=2),
        of(CaseCompleted),
        phase("COMPLETED"),
    ]
