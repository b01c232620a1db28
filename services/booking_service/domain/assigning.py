"""Whether an appointment may lie at a place: the hard checks in their order, and what is only worth a warning."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from contracts.codes import State
from kit.errors import HubError
from services.booking_service.domain.appointments import Appointment
from services.booking_service.domain.cases import BookedCase, WorkOrder
from services.booking_service.domain.grid import is_on_grid
from services.booking_service.domain.operators import Operator
from services.booking_service.domain.places import Place
from services.booking_service.domain.technicians import Technician
from services.booking_service.errors import (
    Absent,
    CompanyMismatch,
    Frozen,
    InThePast,
    LetterInPrint,
    MaxJobs,
    MissingSkill,
    OffGrid,
    OutsideOwnWindow,
    OutsideShift,
    OutsideWindow,
    SlotTaken,
    StateForbids,
    TooEarly,
    WorkOrderGone,
)

ASSIGNABLE = frozenset({State.PLANNING, State.MANUAL_FOLLOW_UP})
"""An OPEN order needs T01 first."""
MOVABLE = ASSIGNABLE | {State.AWAITING_REPLY, State.READY}
NOTE_WANTED_FROM = 3
"""So many metering points at one address need an access note."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """A question: may this work order be done at this place? `moving` is its appointment, if it has one."""

    case: BookedCase
    order: WorkOrder
    technician: Technician
    place: Place
    operator: Operator
    now: datetime
    moving: Appointment | None = None
    hide_others: bool = False
    """A company is not told whose appointment is in its way."""

    @property
    def day(self) -> date:
        """The operator's day of the block."""
        return self.operator.days.local_day(self.place.start)

    @property
    def only_the_technician(self) -> bool:
        """Time and window stay as they are (A14)."""
        was, place = self.moving, self.place
        return was is not None and (was.block_start, was.block_minutes, was.window) == (
            place.start,
            place.minutes,
            place.window,
        )


def objections(ask: Assignment) -> Iterator[HubError]:
    """Ask: every reason against the place, in the order of section 4; the first one is the answer."""
    yield from standing(ask.order, ask.moving, only_the_technician=ask.only_the_technician)
    if ask.order.company_id is not None and ask.order.company_id != ask.technician.company_id:
        yield CompanyMismatch("the work order lies in another company's queue")
    yield from _form(ask)
    yield from _technician(ask)
    yield from _days(ask)
    if held := ask.technician.holding(ask.place.cells, ask.moving.appointment_id if ask.moving else None):
        yield SlotTaken(None if ask.hide_others else held)


def standing(order: WorkOrder, moving: Appointment | None, *, only_the_technician: bool = False) -> Iterator[HubError]:
    """What the work order itself has against an appointment, or against moving it."""
    if order.gone:
        yield WorkOrderGone(f"the work order ended: {order.gone_reason}")
    if moving is None:
        if order.state not in ASSIGNABLE:
            yield StateForbids(f"a work order that is {order.state} gets no new appointment")
        if order.appointment_id is not None:
            yield StateForbids("the work order has an open appointment: move or release it")
    elif not moving.state.open:
        yield StateForbids(f"the appointment is {moving.state}")
    elif order.state is State.READY_TO_PRINT and not only_the_technician:
        yield LetterInPrint("take the letter back first")
    elif order.state not in MOVABLE | {State.READY_TO_PRINT}:
        yield StateForbids(f"an appointment of a work order that is {order.state} cannot be moved")
    if order.frozen:
        yield Frozen("a cancellation is undecided")


def _form(ask: Assignment) -> Iterator[HubError]:
    place = ask.place
    if place.minutes < 1 or not is_on_grid(place.start, place.grid_minutes):
        yield OffGrid(f"blocks start at full {place.grid_minutes} minutes")
    if not place.window.from_ <= place.start < place.window.to:
        yield OutsideOwnWindow("the block starts inside the window that the customer is told")
    if place.start < ask.now:
        yield InThePast("the block would start in the past")


def _technician(ask: Assignment) -> Iterator[HubError]:
    technician, place = ask.technician, ask.place
    if missing := set(ask.order.skills) - set(technician.skills):
        yield MissingSkill(missing)
    shift = technician.shift_for(ask.day, place.start, place.end)
    if shift is None:
        yield OutsideShift("no shift of the technician holds this block beside its break")
    if technician.absent(place.start, place.end):
        yield Absent("the technician is away")
    if shift is not None and shift.max_jobs is not None:
        but = ask.moving.appointment_id if ask.moving else None
        if len(technician.jobs(shift, place.grid_minutes, but)) >= shift.max_jobs:
            yield MaxJobs(shift.max_jobs)


def _days(ask: Assignment) -> Iterator[HubError]:
    first = ask.case.bookable_from
    allowed = ask.case.days_allowed(ask.order, ask.operator.days.local_day(ask.now))
    if first is None or ask.day < first:
        yield TooEarly(first)
    if allowed is not None and not allowed.from_ <= ask.day <= allowed.to:
        yield OutsideWindow(f"the partner allows {allowed.from_} to {allowed.to}")


def warnings(ask: Assignment) -> tuple[str, ...]:
    """What a dispatcher should know of the place, and may do nevertheless."""
    due, contact = ask.case.due(ask.order), ask.case.contact
    found = {
        "after-due": due is not None and ask.day > due,
        "access-note-missing": contact is not None
        and contact.points_at_address >= NOTE_WANTED_FROM
        and not contact.access_note,
        "holiday": ask.operator.days.closed(ask.day),
    }
    return tuple(code for code, holds in found.items() if holds)
