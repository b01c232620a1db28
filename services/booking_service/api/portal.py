"""What a customer does with the own appointment: see it, confirm it, ask for another time (section 9)."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from contracts.parts import Span
from kit.auth import Principal, Scope, needs
from kit.errors import NotFound
from kit.store import Store, Unit
from services.booking_service import booking, portal
from services.booking_service.api.views import Asked, TheStore, View
from services.booking_service.domain.appointments import Appointment
from services.booking_service.domain.states import AppointmentState
from services.booking_service.store import queries

router = APIRouter()
Reader = Annotated[Principal, Depends(needs("schedule:read"))]
Confirmer = Annotated[Principal, Depends(needs("appointment:confirm"))]
Mover = Annotated[Principal, Depends(needs("appointment:move"))]

OWN = Scope.everything("the token names the one appointment")


class Wish(StrEnum):
    """What the customer wants instead of the time that was offered."""

    DECLINE = "decline"
    """Another time."""
    CONTACT = "contact"
    """A call."""


class AnotherTime(Asked):
    """The time does not suit, or something has to be said."""

    reading: Wish = Wish.DECLINE


class PortalView(View):
    """The appointment as its customer sees it: no person, no address, no internal text."""

    window_from: datetime
    window_to: datetime
    alternatives: tuple[Span, ...]
    state: AppointmentState
    revision: int


@router.get("/v1/portal/appointment")
async def own_appointment(customer: Reader, store: TheStore) -> PortalView:
    """The appointment that the token was given for."""
    row = await store.read(lambda db: queries.appointment(db, OWN, _own(customer)))
    if row is None:
        raise NotFound("there is no such appointment")
    return PortalView.model_validate(row)


@router.post("/v1/portal/appointment/confirm")
async def confirm(customer: Confirmer, store: TheStore) -> PortalView:
    """The customer agrees to the time that stands (A6, by portal). A second time changes nothing."""
    return await _done(store, customer, portal.confirm(_own(customer)))


@router.post("/v1/portal/appointment/another-time")
async def another_time(request: AnotherTime, customer: Mover, store: TheStore) -> PortalView:
    """The customer wants another time without choosing one, or a call: a person takes over (A8)."""
    return await _done(store, customer, portal.another_time(_own(customer), call=request.reading is Wish.CONTACT))


async def _done(store: Store, customer: Principal, command: Callable[[Unit], Appointment]) -> PortalView:
    refs = await store.read(lambda db: queries.refs(db, OWN, _own(customer)))
    if refs is None:
        raise NotFound("there is no such appointment")
    done = await store.run(customer, command, needs=booking.changing(refs, _own(customer)))
    return PortalView.model_validate(done)


def _own(customer: Principal) -> UUID:
    """The appointment of the token; for everybody else there is none."""
    try:
        return UUID(customer.scope.id if customer.scope.kind == "appointment" else "")
    except ValueError:
        raise NotFound("there is no such appointment") from None
