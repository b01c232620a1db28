"""What booking_service remembers."""

from datetime import date

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Date, Float, ForeignKey, Integer, Table, Text, Time

from contracts.codes import AgreedVia, BookingChannel, ConfirmedBy, LegalBasis, State, Suggestion
from contracts.parts import Area, Days, DevicePlan, Span
from kit.db import Choice, Id, Json, Utc, kernel
from services.booking_service.domain.cases import Contact
from services.booking_service.domain.operators import Hours, ReplyMode
from services.booking_service.domain.states import OPEN, AppointmentState

metadata = sa.MetaData()
kernel(metadata)

operators = Table(
    "operators",
    metadata,
    Column("operator", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("country", Text, nullable=False),
    Column("subdivision", Text),
    Column("closures", Json(tuple[str, ...]), nullable=False),
    Column("zone", Text, nullable=False),
    Column("windows", Json(tuple[Hours, ...]), nullable=False),
    Column("reply_mode", Choice(ReplyMode), nullable=False),
    Column("likely_threshold_percent", Integer, nullable=False),
    Column("code_required", Boolean, nullable=False),
    Column("min_lead_confirm_minutes", Integer, nullable=False),
    Column("sms_answer_days", Integer, nullable=False),
    Column("letter_answer_days", Integer, nullable=False),
    Column("letter_transit_days", Integer, nullable=False),
    Column("grid_minutes", Integer, nullable=False),
)

companies = Table(
    "companies",
    metadata,
    Column("company_id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False, unique=True),
    Column("own", Boolean, nullable=False),
)
teams = Table(
    "teams",
    metadata,
    Column("team_id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("company_id", ForeignKey("companies.company_id"), nullable=False),
    Column("name", Text, nullable=False, unique=True),
    Column("lat", Float),
    Column("lon", Float),
    Column("areas", Json(tuple[str, ...]), nullable=False),
)
skills = Table(
    "skills",
    metadata,
    Column("code", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("labels", Json(dict[str, str]), nullable=False),
)
technicians = Table(
    "technicians",
    metadata,
    Column("technician_id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("user_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("company_id", ForeignKey("companies.company_id"), nullable=False),
    Column("team_id", ForeignKey("teams.team_id")),
    Column("skills", Json(tuple[str, ...]), nullable=False),
    Column("lat", Float),
    Column("lon", Float),
    Column("zone", Text, nullable=False),
    Column("active_from", Date, nullable=False),
    Column("active_to", Date),
)
shift_templates = Table(
    "shift_templates",
    metadata,
    Column("technician_id", ForeignKey("technicians.technician_id"), primary_key=True),
    Column("weekday", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("starts", Time, nullable=False),
    Column("ends", Time, nullable=False),
    Column("break_from", Time),
    Column("break_minutes", Integer, nullable=False),
    Column("max_jobs", Integer),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
)
shifts = Table(
    "shifts",
    metadata,
    Column("technician_id", ForeignKey("technicians.technician_id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("starts_at", Utc, nullable=False),
    Column("ends_at", Utc, nullable=False),
    Column("break_at", Utc),
    Column("break_minutes", Integer, nullable=False),
    Column("max_jobs", Integer),
)
absences = Table(
    "absences",
    metadata,
    Column("absence_id", Id, primary_key=True),
    Column("technician_id", ForeignKey("technicians.technician_id"), nullable=False, index=True),
    Column("starts_at", Utc, nullable=False),
    Column("ends_at", Utc, nullable=False),
    Column("kind", Text, nullable=False),
)

cases = Table(
    "cases",
    metadata,
    Column("case_id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("operator", Text, nullable=False),
    Column("legal_basis", Choice(LegalBasis)),
    Column("device_plan", Json(DevicePlan)),
    Column("area", Json(Area)),
    Column("priority", Integer, nullable=False),
    Column("fixed_days", Json(Days)),
    Column("fixed_on", Date),
    Column("due_on", Date),
    Column("case_version", Integer, nullable=False),
    Column("contact", Json(Contact)),
    Column("contact_version", Integer, nullable=False),
    Column("opted_out", Boolean, nullable=False),
    Column("notice_required", Boolean),
    Column("bookable_from", Date),
    Column("notice_parts", Json(dict[int, date]), nullable=False),
    Column("notice_on", Date),
    Column("notice_effective_on", Date),
    Column("notice_lifted", Boolean, nullable=False),
    Column("ended_at", Utc),
    Column("ended_reason", Text),
)
work_orders = Table(
    "work_orders",
    metadata,
    Column("work_order_id", Id, primary_key=True),
    Column("case_id", ForeignKey("cases.case_id"), nullable=False, index=True),
    Column("sequence", Integer, nullable=False),
    Column("state", Choice(State), nullable=False),
    Column("kind", Text, nullable=False),
    Column("predecessor", Id),
    Column("skills", Json(tuple[str, ...]), nullable=False),
    Column("duration_min", Integer, nullable=False),
    Column("due_on", Date),
    Column("company_id", Id),
    Column("moved_version", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("appointment_id", Id),
    Column("frozen", Boolean, nullable=False),
    Column("started", Boolean, nullable=False),
    Column("gone_at", Utc),
    Column("gone_reason", Text),
    Column("comment", Text),
)
unassigned = work_orders.c.appointment_id.is_(None) & work_orders.c.gone_at.is_(None)
sa.Index(
    "work_orders_unassigned",
    work_orders.c.state,
    work_orders.c.work_order_id,
    postgresql_where=unassigned,
    sqlite_where=unassigned,
)

appointments = Table(
    "appointments",
    metadata,
    Column("appointment_id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("case_id", ForeignKey("cases.case_id"), nullable=False),
    Column("work_order_id", ForeignKey("work_orders.work_order_id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("technician_id", ForeignKey("technicians.technician_id"), nullable=False),
    Column("team_id", Id),
    Column("company_id", Id, nullable=False),
    Column("block_start", Utc, nullable=False),
    Column("block_minutes", Integer, nullable=False),
    Column("window_from", Utc, nullable=False),
    Column("window_to", Utc, nullable=False),
    Column("alternatives", Json(tuple[Span, ...]), nullable=False),
    Column("state", Choice(AppointmentState), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("channel", Choice(BookingChannel)),
    Column("answer_by", Utc),
    Column("entry_right", Boolean, nullable=False),
    Column("was_offered", Boolean, nullable=False),
    Column("offered_at", Utc),
    Column("needs_staff", Text),
    Column("suggestion", Choice(Suggestion)),
    Column("frozen", Boolean, nullable=False),
    Column("recheck", Boolean, nullable=False),
    Column("confirmed_by", Choice(ConfirmedBy)),
    Column("agreed_via", Choice(AgreedVia)),
    Column("created_by", Text, nullable=False),
    Column("created_at", Utc, nullable=False),
)
is_open = appointments.c.state.in_([str(state) for state in OPEN])
sa.Index(
    "appointments_one_open",
    appointments.c.work_order_id,
    unique=True,
    postgresql_where=is_open,
    sqlite_where=is_open,
)
sa.Index("appointments_of_technician", appointments.c.technician_id, appointments.c.block_start)
needs_staff = appointments.c.needs_staff.is_not(None)
sa.Index(
    "appointments_needs_staff",
    appointments.c.appointment_id,
    postgresql_where=needs_staff,
    sqlite_where=needs_staff,
)
blocks = Table(
    "blocks",
    metadata,
    Column("technician_id", ForeignKey("technicians.technician_id"), primary_key=True),
    Column("cell", Integer, primary_key=True),
    Column("appointment_id", ForeignKey("appointments.appointment_id"), nullable=False, index=True),
    sqlite_with_rowid=False,
)
