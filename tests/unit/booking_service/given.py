"""Cases, technicians and appointments as tests of booking's domain need them."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts.codes import LegalBasis, Match, Reading, State
from contracts.groups import OfAppointment
from contracts.notices import ReplyReceived
from contracts.parts import DevicePlan, PlanItem, Span
from services.booking_service.domain.appointments import Appointment
from services.booking_service.domain.cases import BookedCase, Contact, WorkOrder
from services.booking_service.domain.operators import Operator
from services.booking_service.domain.places import Place
from services.booking_service.domain.states import AppointmentState
from services.booking_service.domain.technicians import Busy, Technician, WeekShift

CASE, ORDER, APPOINTMENT = UUID(int=1), UUID(int=2), UUID(int=3)
TECHNICIAN, COMPANY, REPLY = UUID(int=4), UUID(int=5), UUID(int=6)
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
MONDAY = date(2026, 3, 9)
START = datetime(2026, 3, 9, 7, tzinfo=UTC)
"""08:00 in Berlin."""
WINDOW = Span(from_=datetime(2026, 3, 9, 6, 30, tzinfo=UTC), to=datetime(2026, 3, 9, 9, tzinfo=UTC))
MME = DevicePlan(plan="MME", install=(PlanItem(role="meter", quantity=1, alternatives=()),), remove=())
IMSYS = DevicePlan(plan="IMSYS", install=(PlanItem(role="smgw", quantity=1, alternatives=()),), remove=())


def an_operator(**changes: Any) -> Operator:
    return Operator(**{"operator": "default", **changes})


def a_contact(**changes: Any) -> Contact:
    usual = {"mobile": True, "sms_allowed": True, "postal": True, "access_note": False, "points_at_address": 1}
    return Contact(**{**usual, **changes})


def an_order(**changes: Any) -> WorkOrder:
    usual = {
        "work_order_id": ORDER,
        "sequence": 1,
        "state": State.PLANNING,
        "kind": "meter_exchange",
        "skills": ("meter_3ph",),
        "duration_min": 45,
    }
    return WorkOrder(**{**usual, **changes})


def a_case(order: WorkOrder | None = None, **changes: Any) -> BookedCase:
    usual = {
        "case_id": CASE,
        "operator": "stadtwerk",
        "legal_basis": LegalBasis.MANDATORY,
        "device_plan": MME,
        "contact": a_contact(),
        "notice_required": False,
        "bookable_from": date(2026, 3, 1),
    }
    return BookedCase(**{**usual, "work_orders": [order or an_order()], **changes})


def a_week(starts: time = time(7, 30), ends: time = time(15, 30), **changes: Any) -> list[WeekShift]:
    usual = {"seq": 0, "break_from": time(11, 30), "break_minutes": 30, "valid_from": date(2026, 1, 1)}
    return [WeekShift(weekday=day, starts=starts, ends=ends, **{**usual, **changes}) for day in range(5)]


def a_technician(booked: tuple[int, ...] = (), **changes: Any) -> Technician:
    usual = {
        "technician_id": TECHNICIAN,
        "user_id": "person:local:tilo",
        "name": "Tilo",
        "company_id": COMPANY,
        "skills": ("meter_1ph", "meter_3ph"),
        "zone": "Europe/Berlin",
        "active_from": date(2026, 1, 1),
        "week": a_week(),
        "busy": [Busy(cell=cell, appointment_id=UUID(int=99)) for cell in booked],
    }
    return Technician(**{**usual, **changes})


def a_place(**changes: Any) -> Place:
    usual = {
        "technician_id": TECHNICIAN,
        "team_id": None,
        "company_id": COMPANY,
        "start": START,
        "minutes": 45,
        "window": WINDOW,
    }
    return Place(**{**usual, **changes})


def an_appointment(state: AppointmentState = AppointmentState.PROPOSED, **changes: Any) -> Appointment:
    known = OfAppointment(
        case_id=CASE, work_order_id=ORDER, sequence=1, appointment_id=APPOINTMENT, revision=0, attempt=0
    )
    made = Appointment.propose(known, a_place(), "person:local:anna", NOW)
    made.told.clear()
    made.state = state
    made.channel, made.answer_by = "sms", START - timedelta(days=3)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def a_reply(**changes: Any) -> ReplyReceived:
    usual = {
        "case_id": CASE,
        "work_order_id": ORDER,
        "sequence": 1,
        "appointment_id": APPOINTMENT,
        "revision": 0,
        "attempt": 1,
        "reply_id": REPLY,
        "channel": "sms",
        "reading": Reading.EXACT_OK,
        "confidence": Decimal("1.00"),
        "match": Match.CODE,
    }
    return ReplyReceived(**{**usual, **changes})
