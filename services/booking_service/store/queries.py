"""What can be asked of booking without changing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping, select

from contracts.codes import State
from contracts.ids import TeamId
from kit.auth import Scope
from services.booking_service import tables
from services.booking_service.domain import slots
from services.booking_service.domain.calendars import DAY
from services.booking_service.domain.cases import BookedCase, WorkOrder
from services.booking_service.domain.grid import cells
from services.booking_service.domain.operators import DEFAULT, Operator
from services.booking_service.domain.slots import Job
from services.booking_service.domain.states import AppointmentState
from services.booking_service.domain.technicians import Absence, Busy, DayShift, Team, Technician, WeekShift
from services.booking_service.scopes import identity

DAYS_AT_ONCE = 2
"""The search looks at so many days before it loads more: most often the first ones suffice."""

ZONES = timedelta(hours=14)
"""How far a local day may reach beyond the day in UTC."""

appointments, cases, orders, technicians = tables.appointments, tables.cases, tables.work_orders, tables.technicians

EVERYTHING = Scope.everything("the appointment was in sight, so its work order is")


def job(db: Connection, scope: Scope, work_order_id: UUID) -> Job | None:
    """The work order, if it was heard of and is in sight."""
    row = db.execute(select(orders).where(orders.c.work_order_id == work_order_id, of_orders(scope))).mappings().first()
    if row is None:
        return None
    held = {name: value for name, value in row.items() if name != "case_id"}
    case = BookedCase(**db.execute(select(cases).where(cases.c.case_id == row["case_id"])).mappings().one())
    order = WorkOrder(**held)
    case.work_orders.append(order)
    names = (DEFAULT, case.operator)
    found = db.execute(select(tables.operators).where(tables.operators.c.operator.in_(names))).mappings()
    known = {each["operator"]: Operator(**each) for each in found}
    return Job(case, order, known.get(case.operator, known[DEFAULT]), known[DEFAULT].grid_minutes)


def search(db: Connection, scope: Scope, wanted: slots.Wanted, job: Job, limit: int) -> list[slots.Slot]:
    """Free slots, day after day until there are enough."""
    people = _able(db, scope, job)
    _load_week(db, people)
    found: list[slots.Slot] = []
    first = wanted.first_day
    while first <= wanted.last_day and len(found) < limit and people:
        last = min(first + (DAYS_AT_ONCE - 1) * DAY, wanted.last_day)
        _load_days(db, people, first, last, wanted.grid_minutes)
        part = replace(wanted, first_day=first, last_day=last)
        found += slots.search(people, part, job.operator, limit - len(found))
        first = last + DAY
    return found


def _able(db: Connection, scope: Scope, job: Job) -> list[Technician]:
    """Technicians in sight with the skills, whose team covers the area."""
    rows = db.execute(select(technicians).where(of_technicians(scope))).mappings()
    people = [Technician(**row) for row in rows]
    teams = {row["team_id"]: Team(**row) for row in db.execute(select(tables.teams)).mappings()}
    postcode = job.case.area.postcode if job.case.area else None
    skills = set(job.order.skills)
    return [each for each in people if skills <= set(each.skills) and _covers(teams, each.team_id, postcode)]


def _covers(teams: Mapping[TeamId, Team], team_id: TeamId | None, postcode: str | None) -> bool:
    team = teams.get(team_id) if team_id else None
    return team is None or team.covers(postcode)


def _load_week(db: Connection, people: Sequence[Technician]) -> None:
    """The weekly shifts, whatever the day."""
    _fill(db, people, "week", WeekShift, tables.shift_templates, sa.true())


def _load_days(db: Connection, people: Sequence[Technician], first: date, last: date, grid_minutes: int) -> None:
    """Shifts by hand, absences and what is booked of these technicians; the days of every zone are in the span."""
    begin, end = midnight(first) - ZONES, midnight(last) + DAY + ZONES
    days, away = tables.shifts, tables.absences
    _fill(db, people, "days", DayShift, days, days.c.day.between(first, last))
    _fill(db, people, "absences", Absence, away, (away.c.starts_at < end) & (away.c.ends_at > begin))
    columns = [appointments.c[name] for name in ("technician_id", "appointment_id", "block_start", "block_minutes")]
    query = select(*columns).where(
        appointments.c.technician_id.in_([each.technician_id for each in people]),
        appointments.c.block_start.between(begin, end),
        tables.is_open,
    )
    busy: dict[UUID, list[Busy]] = {}
    for technician_id, held_by, start, minutes in db.execute(query):
        held = (Busy(cell=cell, appointment_id=held_by) for cell in cells(start, minutes, grid_minutes))
        busy.setdefault(technician_id, []).extend(held)
    for each in people:
        each.busy = busy.get(each.technician_id, [])
        each.forget_holders()


def _fill(
    db: Connection,
    people: Sequence[Technician],
    attribute: str,
    kind: type[Any],
    table: sa.Table,
    where: sa.ColumnElement[bool],
) -> None:
    """Load one list of each technician, with one statement."""
    names = [column.name for column in table.c if column.name != "technician_id"]
    ids = [each.technician_id for each in people]
    query = select(table.c.technician_id, *(table.c[name] for name in names)).where(
        table.c.technician_id.in_(ids), where
    )
    inside: dict[UUID, list[Any]] = {}
    for row in db.execute(query.order_by(*table.primary_key)):
        inside.setdefault(row[0], []).append(kind(**dict(zip(names, row[1:], strict=True))))
    for each in people:
        setattr(each, attribute, inside.get(each.technician_id, []))


@dataclass(frozen=True, slots=True)
class Refs:
    """What must be loaded, and in which order locked, to change an appointment."""

    case_id: UUID
    work_order_id: UUID
    technician_id: UUID
    start: datetime


def refs(db: Connection, scope: Scope, appointment_id: UUID) -> Refs | None:
    """Where an appointment belongs, if it is in sight."""
    where = (appointments.c.appointment_id == appointment_id) & of_appointments(scope)
    row = db.execute(select(appointments).where(where)).first()
    return Refs(row.case_id, row.work_order_id, row.technician_id, row.block_start) if row else None


def offer_of(db: Connection, scope: Scope, appointment_id: UUID) -> tuple[Job, RowMapping] | None:
    """An appointment with its work order, to ask whether it may be offered."""
    row = appointment(db, scope, appointment_id)
    found = job(db, EVERYTHING, row["work_order_id"]) if row else None
    return (found, row) if found and row else None


def appointment(db: Connection, scope: Scope, appointment_id: UUID) -> RowMapping | None:
    """One appointment."""
    where = (appointments.c.appointment_id == appointment_id) & of_appointments(scope)
    return db.execute(select(appointments).where(where)).mappings().first()


def appointment_list(
    db: Connection, scope: Scope, *, needs_staff: bool, work_order_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Appointments that a person must look at, or those of one work order, oldest first."""
    query = select(appointments).where(of_appointments(scope))
    if needs_staff:
        query = query.where(appointments.c.needs_staff.is_not(None))
    if work_order_id is not None:
        query = query.where(appointments.c.work_order_id == work_order_id)
    if after is not None:
        query = query.where(appointments.c.appointment_id > after)
    return db.execute(query.order_by(appointments.c.appointment_id).limit(limit)).mappings().all()


def conflicts(db: Connection, scope: Scope, now: datetime) -> Sequence[RowMapping]:
    """Coming appointments in sight that no shift covers any more, or that an absence meets, oldest first."""
    coming = of_appointments(scope) & tables.is_open & (appointments.c.block_start >= now)
    rows = db.execute(select(appointments).where(coming).order_by(appointments.c.block_start)).mappings().all()
    held = {row["technician_id"] for row in rows}
    people = [
        Technician(**row)
        for row in db.execute(select(technicians).where(technicians.c.technician_id.in_(held))).mappings()
    ]
    if not people:
        return ()
    grid = grid_minutes(db)
    _load_week(db, people)
    _load_days(db, people, now.date(), rows[-1]["block_start"].date(), grid)
    uncovered = {each for one in people for each in one.uncovered(grid)}
    return [row for row in rows if row["appointment_id"] in uncovered]


def order_list(
    db: Connection, scope: Scope, *, state: State | None, unassigned: bool, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Work orders that are not gone, in the order in which they were opened."""
    around = [cases.c[name] for name in ("operator", "area", "priority", "fixed_days", "fixed_on", "bookable_from")]
    due_on = sa.func.coalesce(orders.c.due_on, cases.c.due_on).label("due")
    query = select(orders, *around, due_on).join(cases, cases.c.case_id == orders.c.case_id)
    query = query.where(orders.c.gone_at.is_(None), of_orders(scope))
    if state is not None:
        query = query.where(orders.c.state == state)
    if unassigned:
        query = query.where(orders.c.appointment_id.is_(None))
    if after is not None:
        query = query.where(orders.c.work_order_id > after)
    return db.execute(query.order_by(orders.c.work_order_id).limit(limit)).mappings().all()


def technician(db: Connection, scope: Scope, technician_id: UUID, first: date, last: date) -> Technician | None:
    """One technician with what lies between two days, if in sight."""
    where = (technicians.c.technician_id == technician_id) & of_technicians(scope)
    row = db.execute(select(technicians).where(where)).mappings().first()
    if row is None:
        return None
    found = Technician(**row)
    _load_week(db, [found])
    _load_days(db, [found], first, last, grid_minutes(db))
    return found


def technician_list(db: Connection, scope: Scope, after: UUID | None, limit: int) -> list[Technician]:
    """Technicians in sight with their weekly shifts."""
    query = select(technicians).where(of_technicians(scope))
    if after is not None:
        query = query.where(technicians.c.technician_id > after)
    rows = db.execute(query.order_by(technicians.c.technician_id).limit(limit)).mappings().all()
    people = [Technician(**row) for row in rows]
    _load_week(db, people)
    return people


def stops(db: Connection, technician_id: UUID, begin: datetime, end: datetime) -> Sequence[RowMapping]:
    """A technician's appointments between two instants, in order, without those that were given back."""
    query = (
        select(appointments, orders.c.kind, orders.c.state.label("order_state"), cases.c.area, cases.c.contact)
        .join(orders, orders.c.work_order_id == appointments.c.work_order_id)
        .join(cases, cases.c.case_id == appointments.c.case_id)
        .where(
            appointments.c.technician_id == technician_id,
            appointments.c.block_start >= begin,
            appointments.c.block_start < end,
            appointments.c.state != AppointmentState.RELEASED,
        )
        .order_by(appointments.c.block_start)
    )
    return db.execute(query).mappings().all()


def everything(db: Connection, table: sa.Table, where: sa.ColumnElement[bool]) -> Sequence[RowMapping]:
    """A small table, in the order of its key."""
    return db.execute(select(table).where(where).order_by(*table.primary_key)).mappings().all()


def operator(db: Connection, name: str) -> RowMapping | None:
    """An operator's own row."""
    return db.execute(select(tables.operators).where(tables.operators.c.operator == name)).mappings().first()


def grid_minutes(db: Connection) -> int:
    """The grid of the installation."""
    found = db.scalar(select(tables.operators.c.grid_minutes).where(tables.operators.c.operator == DEFAULT))
    return int(found or Operator(operator=DEFAULT).grid_minutes)


def midnight(day: date) -> datetime:
    """The beginning of a day in UTC."""
    return datetime.fromisoformat(f"{day}T00:00:00+00:00")


def of_technicians(scope: Scope) -> sa.ColumnElement[bool]:
    """Technicians in sight."""
    return _in_sight(scope, technicians.c.company_id, technicians.c.technician_id)


def of_appointments(scope: Scope) -> sa.ColumnElement[bool]:
    """Appointments in sight."""
    return _in_sight(scope, appointments.c.company_id, appointments.c.technician_id)


def of_orders(scope: Scope) -> sa.ColumnElement[bool]:
    """Work orders in sight."""
    return _in_sight(scope, orders.c.company_id, None)


def of_company(scope: Scope, column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """Rows of a company in sight."""
    return _in_sight(scope, column, None)


def _in_sight(scope: Scope, company: sa.Column[Any], person: sa.Column[Any] | None) -> sa.ColumnElement[bool]:
    found = identity(scope)
    if scope.kind == "all":
        return sa.true()
    if scope.kind == "company" and found is not None:
        return company == found
    if scope.kind == "technician" and person is not None and found is not None:
        return person == found
    return sa.false()
