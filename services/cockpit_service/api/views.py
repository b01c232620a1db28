"""How the read model looks over HTTP; only the contact names a person."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict

from contracts.codes import Fact
from kit.http import the_store
from kit.store import Store
from services.cockpit_service.store import PAGE

TheStore = Annotated[Store, Depends(the_store)]
Limit = Annotated[int, Query(ge=1, le=PAGE)]
Search = Annotated[str | None, Query(max_length=200)]
Code = Annotated[str | None, Query(max_length=60)]


class View(BaseModel):
    """What is answered."""

    model_config = ConfigDict(defer_build=True, from_attributes=True, use_attribute_docstrings=True)


class WorkOrderView(View):
    """A work order, with what bookings, visits, reviews and material say of it."""

    work_order_id: UUID
    sequence: int
    kind: str | None
    state: str | None
    move: str | None
    """The last row of the transition table that it took."""
    moved_at: datetime | None
    reason: str | None
    result: str | None
    close_reason: str | None
    predecessor: UUID | None
    due_on: date | None
    responsible: UUID | None
    company_id: UUID | None
    appointment_id: UUID | None
    appointment_state: str | None
    window_from: datetime | None
    window_to: datetime | None
    visit_result: str | None
    visited_at: datetime | None
    review_state: str | None
    review_round: int | None
    material: str | None


class HandoverView(View):
    """One try to hand a fact over."""

    fact: Fact
    attempt: int
    requested_at: datetime | None
    supplement: bool
    state: str | None
    """SENT, ACKNOWLEDGED, ACCEPTED, REJECTED, RETRYING or FAILED; absent while it waits."""
    document: str | None
    recipient: str | None
    reasons: tuple[str, ...]
    changed_at: datetime | None


class CaseBrief(View):
    """A case in a list. What was not heard yet is absent."""

    case_id: UUID
    opened_at: datetime | None
    operator: str | None
    case_type: str | None
    origin: str | None
    legal_basis: str | None
    metering_point_id: str | None
    orders: tuple[str, ...]
    postcode: str | None
    municipality: str | None
    stage: str | None
    priority: int | None
    due_on: date | None
    flags: tuple[str, ...]
    phase: str | None
    phase_since: datetime | None
    on_hold: bool
    sla: str | None
    ended_at: datetime | None
    end_reason: str | None


class CaseView(CaseBrief):
    """A case with all that belongs to it."""

    bookable_from: date | None
    last_notice: str | None
    last_notice_at: datetime | None
    work_orders: tuple[WorkOrderView, ...]
    handovers: tuple[HandoverView, ...]


class CasePage(View):
    """Cases, the newest first; `next` is handed back as `cursor`."""

    items: tuple[CaseBrief, ...]
    next: str | None = None


class LineView(View):
    """One event of a case."""

    event_id: UUID
    at: datetime
    topic: str
    sequence: int
    type: str
    work_order_id: UUID | None
    text: str
    """Codes, dates and ids."""


class TimelinePage(View):
    """Events in the order of their happening; `next` is handed back as `cursor`."""

    items: tuple[LineView, ...]
    next: str | None = None


class ContactView(View):
    """Who lives there."""

    name: str
    street: str
    number: str
    addition: str | None
    postcode: str
    city: str
    country: str
    language: str
    sms_allowed: bool


class ProblemView(View):
    """Something that a person has to look at."""

    problem_key: str
    kind: str
    """exception, handover, needs_staff, material, mismatch, reading, commissioning or quarantine."""
    code: str
    since: datetime
    case_id: UUID | None
    work_order_id: UUID | None
    owner: str | None
    """Person or queue; of a quarantined message the partner who sent it."""
    due_on: date | None


class ProblemList(View):
    """Open problems, the oldest first."""

    items: tuple[ProblemView, ...]


class Counts(View):
    """The figures of the overview."""

    cases: int
    phases: Mapping[str, int]
    """Cases by phase."""
    states: Mapping[str, int]
    """Work orders by state."""
    problems: Mapping[str, int]
    """Open problems by kind."""
