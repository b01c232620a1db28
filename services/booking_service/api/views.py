"""How booking's objects look over HTTP; no view holds a customer's name, address or number."""

from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.codes import AgreedVia, BookingChannel, ConfirmedBy, State, Suggestion
from contracts.parts import Area, Days, Span
from kit.errors import Conflict
from kit.http import the_store
from kit.store import Store
from services.booking_service.domain.states import AppointmentState
from services.booking_service.errors import Stale

TheStore = Annotated[Store, Depends(the_store)]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}$")]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Text = Annotated[str, Field(max_length=1_000)]


class View(BaseModel):
    """What is answered; read from rows and aggregates alike."""

    model_config = ConfigDict(
        defer_build=True, from_attributes=True, populate_by_name=True, use_attribute_docstrings=True
    )


class Asked(BaseModel):
    """What is sent in."""

    model_config = ConfigDict(populate_by_name=True, use_attribute_docstrings=True, extra="forbid")


class AppointmentView(View):
    """One appointment."""

    appointment_id: UUID
    version: int
    case_id: UUID
    work_order_id: UUID
    sequence: int
    technician_id: UUID
    team_id: UUID | None
    company_id: UUID
    block_start: datetime
    block_minutes: int
    window_from: datetime
    window_to: datetime
    """What the customer is told."""
    alternatives: tuple[Span, ...]
    state: AppointmentState
    revision: int
    attempt: int
    channel: BookingChannel | None
    answer_by: datetime | None
    entry_right: bool
    needs_staff: str | None
    """Why a person must look at it."""
    suggestion: Suggestion | None
    frozen: bool
    recheck: bool
    confirmed_by: ConfirmedBy | None
    agreed_via: AgreedVia | None
    created_by: str
    warnings: tuple[str, ...] = ()


class Page(View):
    """A part of a list; `next` is handed back as `after`, absent at the end."""

    next: str | None = None


class AppointmentPage(Page):
    """Appointments, oldest first."""

    items: tuple[AppointmentView, ...]


class WorkOrderView(View):
    """A work order as planning sees it."""

    work_order_id: UUID
    case_id: UUID
    sequence: int
    kind: str
    state: State
    predecessor: UUID | None
    skills: tuple[str, ...]
    duration_min: int
    due: date | None
    company_id: UUID | None
    appointment_id: UUID | None
    attempt: int
    frozen: bool
    operator: str
    area: Area | None
    priority: int
    fixed_days: Days | None
    fixed_on: date | None
    bookable_from: date | None
    """None while the statutory notice is missing."""
    comment: str | None
    """What staff wrote last when they confirmed or gave back its time."""


class WorkOrderPage(Page):
    """Work orders, oldest first."""

    items: tuple[WorkOrderView, ...]


class SlotView(View):
    """A place that is free now; slots are not held."""

    day: date
    window: Span
    technician_id: UUID
    team_id: UUID | None
    company_id: UUID
    start: datetime
    minutes: int
    booked_minutes: int


class Slots(View):
    """Free places by day, window, least booked minutes, technician."""

    first_day: date | None
    """The first day that rules and partner allow; none while the statutory notice is missing."""
    refused: str | None = None
    """Why nothing may be planned yet."""
    slots: tuple[SlotView, ...]


class Offerability(View):
    """Codes with which an offer would be refused now; none: it would go out."""

    codes: tuple[str, ...]
    first_possible: date | None


class StopView(View):
    """One visit of a day."""

    appointment_id: UUID
    work_order_id: UUID
    case_id: UUID
    sequence: int
    kind: str
    state: AppointmentState
    work_order_state: State
    revision: int
    frozen: bool
    block_start: datetime
    block_minutes: int
    window_from: datetime
    window_to: datetime
    area: Area | None
    travel_estimate_min: int | None
    """From the stop before, or from home; none where a position is missing."""


class ShiftView(View):
    """Working time of a day, as instants."""

    starts_at: datetime
    ends_at: datetime
    break_at: datetime | None
    break_minutes: int
    max_jobs: int | None
    manual: bool
    """Set for this day by hand; else from the weekly pattern."""


class DayView(View):
    """A technician's day."""

    technician_id: UUID
    on: date
    shifts: tuple[ShiftView, ...]
    stops: tuple[StopView, ...]
    work_minutes: int
    travel_minutes: int
    warnings: tuple[str, ...]


class WeekShiftBody(Asked):
    """A shift of every week, local time of the technician."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True, extra="forbid")

    weekday: int = Field(ge=0, le=6)
    """0 is Monday."""
    starts: time = Field(alias="from")
    ends: time = Field(alias="to")
    break_from: time | None = None
    break_minutes: int = Field(0, ge=0, le=240)
    max_jobs: int | None = Field(None, ge=1)
    valid_from: date
    valid_to: date | None = None


class Away(Asked):
    """Time away from work."""

    technician_id: UUID
    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime
    kind: Annotated[str, Field(pattern=r"^(vacation|sick|training|vehicle|other)$")]


def refuse_stale(expected: int | None, version: int) -> None:
    """An edit that was based on another version than the one that stands changes nothing."""
    if expected is not None and expected != version:
        raise Stale(version)


def required(expected: int | None) -> int:
    """Where an edit has to say what it is based on."""
    if expected is None:
        raise Conflict("say with If-Match, or expected_version, which version this is based on")
    return expected
