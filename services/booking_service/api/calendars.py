"""How operators count days, name windows and take replies: read by staff, set by the admin."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, field_validator

from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.http import etag, expected_version
from kit.store import Unit
from services.booking_service.api.people import known_zone
from services.booking_service.api.views import Asked, Code, TheStore, View, refuse_stale, required
from services.booking_service.domain.calendars import known_region
from services.booking_service.domain.operators import DEFAULT, WINDOWS, Hours, Operator, ReplyMode
from services.booking_service.store import queries

router = APIRouter()
Reader = Annotated[Principal, Depends(needs("setting:read"))]
Admin = Annotated[Principal, Depends(needs("setting:edit"))]
Closure = Annotated[str, Field(pattern=r"^([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


class CalendarBody(Asked):
    """One operator's calendar and booking habits."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    subdivision: Annotated[str, Field(max_length=6)] | None = None
    closures: Annotated[tuple[Closure, ...], Field(max_length=500)] = ()
    """MM-DD every year, or YYYY-MM-DD."""
    zone: str
    windows: Annotated[tuple[Hours, ...], Field(min_length=1, max_length=24)] = WINDOWS
    reply_mode: ReplyMode = ReplyMode.EXACT
    likely_threshold_percent: int = Field(85, ge=0, le=100)
    code_required: bool = False
    min_lead_confirm_minutes: int = Field(120, ge=0, le=10_080)
    sms_answer_days: int = Field(3, ge=1, le=30)
    letter_answer_days: int = Field(10, ge=1, le=60)
    letter_transit_days: int = Field(4, ge=0, le=30)
    expected_version: int | None = Field(None, exclude=True)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        return known_zone(zone)


class CalendarView(View):
    """One operator's calendar and booking habits, as they stand."""

    operator: str
    version: int
    country: str
    subdivision: str | None
    closures: tuple[str, ...]
    zone: str
    windows: tuple[Hours, ...]
    reply_mode: ReplyMode
    likely_threshold_percent: int
    code_required: bool
    min_lead_confirm_minutes: int
    sms_answer_days: int
    letter_answer_days: int
    letter_transit_days: int


@router.get("/v1/calendars/{operator}")
async def read_calendar(operator: Code, reader: Reader, store: TheStore, response: Response) -> CalendarView:
    """An operator's own calendar; those without one follow `default`."""
    _ = reader
    row = await store.read(lambda db: queries.operator(db, operator))
    if row is None:
        raise NotFound("this operator has no calendar of its own")
    view = CalendarView.model_validate(row)
    response.headers["ETag"] = etag(view.version)
    return view


@router.put("/v1/calendars/{operator}")
async def set_calendar(
    operator: Code, body: CalendarBody, admin: Admin, store: TheStore, request: Request, response: Response
) -> CalendarView:
    """Give an operator its own calendar, or change it; a change needs If-Match. Deadlines already set stay."""
    known_region(body.country, body.subdivision)
    expected = expected_version(request, body.expected_version)

    def command(unit: Unit) -> Operator:
        found = unit.find(Operator, operator)
        if found is None:
            found = Operator(operator=operator, grid_minutes=unit.get(Operator, DEFAULT).grid_minutes)
            unit.add(found)
        else:
            refuse_stale(required(expected), found.version)
        for name in CalendarBody.model_fields:
            if name != "expected_version":
                setattr(found, name, getattr(body, name))
        unit.audit("setting:edit", f"calendar/{operator}")
        return found

    made = await store.run(admin, command, needs=[(Operator, operator), (Operator, DEFAULT)])
    response.headers["ETag"] = etag(made.version)
    return CalendarView.model_validate(made)
