"""Cases, reviews and visits as the tests of qa_service's domain need them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID

from contracts.codes import Comms, Outcome, Result, ReviewMode, ReworkKind, State
from contracts.parts import DevicePlan, EvidenceRef, InstalledDevice, PlanItem, PlannedRemoval, RemovedDevice
from services.qa_service.domain.cases import ReviewedCase
from services.qa_service.domain.facts import Item, VisitFacts
from services.qa_service.domain.forms import Form
from services.qa_service.domain.policy import Act, Policy
from services.qa_service.domain.records import Evidence, EvidenceState, Review, Visit, WorkOrder
from services.qa_service.domain.states import Column, ReviewState
from services.qa_service.seeding import contents

NOW = datetime(2026, 12, 14, 9, tzinfo=UTC)
ARRIVED, FINISHED = datetime(2026, 12, 14, 8, 5, tzinfo=UTC), datetime(2026, 12, 14, 8, 40, tzinfo=UTC)
CASE, ORDER, REVIEW, VISIT = UUID(int=0xC1), UUID(int=0xA1), UUID(int=0xD1), UUID(int=0xB1)
TILO, RITA = "person:local:tilo", "person:local:rita"
KINDS = ("photo_old_meter", "photo_old_reading", "photo_new_meter", "photo_new_reading")
MME = DevicePlan(
    plan="MME",
    install=(PlanItem(role="meter", quantity=1, alternatives=()),),
    remove=(PlannedRemoval(role="meter"),),
)
FORM = Form.activate(contents()[0], NOW.date())


def numbered() -> Callable[[], UUID]:
    numbers = count(0x900)
    return lambda: UUID(int=next(numbers))


def an_act(at: datetime = NOW, **policy: Any) -> Act:
    return Act(at, numbered(), Policy(**policy))


def installed(role: str = "meter", comms: Comms = Comms.NONE) -> InstalledDevice:
    return InstalledDevice(role=role, serial="1XYA0000000017", at=FINISHED, comms=comms, registers=())


def removed(role: str = "meter") -> RemovedDevice:
    return RemovedDevice(role=role, serial="1ABC0000000003", at=FINISHED, destination="van", registers=())


def an_item(number: int, kind: str, *, captured_at: datetime | None = FINISHED, stored: bool = True) -> Item:
    """A named photo, stored unless it is still awaited."""
    content = f"photo {number}".encode()
    ref = EvidenceRef(evidence_id=UUID(int=0xE0 + number), kind=kind, sha256=sha256(content).hexdigest())
    return Item(ref, _stored(ref, captured_at) if stored else None)


def _stored(ref: EvidenceRef, captured_at: datetime | None) -> Evidence:
    return Evidence(
        evidence_id=ref.evidence_id,
        work_order_id=ORDER,
        kind=ref.kind,
        media_type="image/jpeg",
        size=7,
        sha256_received=ref.sha256,
        sha256=sha256(ref.sha256.encode()).hexdigest(),
        state=EvidenceState.BOUND,
        captured_at=captured_at,
        uploaded_at=NOW,
        uploaded_by=TILO,
    )


def a_visit(**changes: Any) -> Visit:
    usual = {
        "work_order_id": ORDER,
        "visit_version": 1,
        "visit_id": VISIT,
        "evidence_version": 1,
        "outcome": Outcome.OK,
        "result": Result.OK,
        "performed_by": (TILO,),
        "reported_by": TILO,
        "technician_id": UUID(int=0x71),
        "company_id": UUID(int=0x81),
        "arrived_at": ARRIVED,
        "finished_at": FINISHED,
        "device_plan": MME,
        "installed": (installed(),),
        "removed": (removed(),),
        "missing": (),
        "form_key": "meter_exchange",
        "form_version": 1,
        "answers": {"installation_safe": True, "customer_present": True},
        "evidence": (),
        "clock_offset_s": 0,
        "received_at": NOW,
    }
    return Visit(**{**usual, **changes})


def facts(**changes: Any) -> VisitFacts:
    """A visit at which nothing is wrong; fields of the visit and of the facts can be changed."""
    known = {"now", "form", "items", "heard", "follow_up"}
    usual = {"now": NOW, "form": FORM, "items": tuple(an_item(at, kind) for at, kind in enumerate(KINDS))}
    about_visit = {name: value for name, value in changes.items() if name not in known}
    about_facts = {name: value for name, value in changes.items() if name in known}
    return VisitFacts(visit=a_visit(**about_visit), **{**usual, **about_facts})


def a_review(state: ReviewState = ReviewState.PENDING, **changes: Any) -> Review:
    usual = {
        "review_id": REVIEW,
        "work_order_id": ORDER,
        "sequence": 1,
        "round": 1,
        "visit_id": VISIT,
        "visit_version": 1,
        "evidence_version": 1,
        "company_id": UUID(int=0x81),
        "technician_id": UUID(int=0x71),
        "state": state,
        "mode": ReviewMode.GATE,
        "opened_at": NOW,
        "due_at": NOW + timedelta(days=2),
    }
    if state is ReviewState.IN_REVIEW:
        usual |= {"reviewer": RITA, "taken_at": NOW, "lease_until": NOW + timedelta(minutes=30)}
    return Review(**{**usual, **changes})


def a_case(column: Column = Column.PENDING, **visit: Any) -> ReviewedCase:
    """A case with one reported visit whose review stands in this column."""
    order = WorkOrder(work_order_id=ORDER, sequence=1, kind="meter_exchange", state=State.RESOLVED, evidence_version=1)
    case = ReviewedCase(case_id=CASE, work_orders=[order], visits=[a_visit(**visit)])
    match column:
        case Column.NONE:
            return case
        case Column.DESK_REWORK:
            review = a_review(ReviewState.REWORK, rework=ReworkKind.DESK)
        case Column.FIELD_REWORK:
            review = a_review(ReviewState.REWORK, rework=ReworkKind.FIELD)
        case _:
            review = a_review(ReviewState[column.name])
    case.reviews.append(review)
    return case
