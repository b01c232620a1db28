"""What people and programs can ask of booking_service over HTTP."""

from fastapi import APIRouter

from services.booking_service.api.appointments import router as appointments
from services.booking_service.api.calendars import router as calendars
from services.booking_service.api.imports import router as imports
from services.booking_service.api.people import router as people
from services.booking_service.api.planning import router as planning
from services.booking_service.api.portal import router as portal
from services.booking_service.api.shifts import router as shifts

router = APIRouter()
for part in (appointments, planning, people, shifts, imports, calendars, portal):
    router.include_router(part)
