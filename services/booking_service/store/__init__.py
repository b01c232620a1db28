"""How booking's aggregates are loaded and written; with the queries beside it the only SQL of this service."""

from kit.store import Alias, Children, Mapped
from kit.unit import Kinds
from services.booking_service import tables
from services.booking_service.domain.appointments import Appointment, Block
from services.booking_service.domain.cases import BookedCase, WorkOrder
from services.booking_service.domain.operators import Operator
from services.booking_service.domain.technicians import (
    Absence,
    Busy,
    Company,
    DayShift,
    Skill,
    Team,
    Technician,
    WeekShift,
)

OPERATORS = Mapped(Operator, tables.operators)
SKILLS = Mapped(Skill, tables.skills)
COMPANIES = Mapped(Company, tables.companies, aliases=(Alias(tables.companies.c.name, tables.companies.c.company_id),))
TEAMS = Mapped(Team, tables.teams, aliases=(Alias(tables.teams.c.name, tables.teams.c.team_id),))
TECHNICIANS = Mapped(
    Technician,
    tables.technicians,
    children=(
        Children("week", WeekShift, tables.shift_templates, parent="technician_id"),
        Children("days", DayShift, tables.shifts, parent="technician_id"),
        Children("absences", Absence, tables.absences, parent="technician_id"),
        Children("busy", Busy, tables.blocks, parent="technician_id"),
    ),
    aliases=(
        Alias(tables.technicians.c.user_id, tables.technicians.c.technician_id),
        Alias(tables.absences.c.absence_id, tables.absences.c.technician_id),
    ),
)
CASES = Mapped(
    BookedCase,
    tables.cases,
    children=(Children("work_orders", WorkOrder, tables.work_orders, parent="case_id"),),
    aliases=(Alias(tables.work_orders.c.work_order_id, tables.work_orders.c.case_id),),
)
APPOINTMENTS = Mapped(
    Appointment,
    tables.appointments,
    children=(Children("blocks", Block, tables.blocks, parent="appointment_id"),),
)

REPOSITORIES: Kinds = {
    Operator: OPERATORS,
    Skill: SKILLS,
    Company: COMPANIES,
    Team: TEAMS,
    Technician: TECHNICIANS,  # locked before cases and appointments: two assignments never wait in a circle
    BookedCase: CASES,
    Appointment: APPOINTMENTS,
}
