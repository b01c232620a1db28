"""Companies, teams, skills and technicians: entered, changed and read; deactivated, never deleted."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field, field_validator

from contracts.ids import CompanyId, TeamId, TechnicianId
from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.http import cursor, etag, expected_version, read_cursor
from kit.store import Ref, Unit
from services.booking_service import tables
from services.booking_service.api.views import (
    Asked,
    Code,
    Name,
    Page,
    TheStore,
    View,
    WeekShiftBody,
    refuse_stale,
    required,
)
from services.booking_service.domain.grid import start_of
from services.booking_service.domain.operators import DEFAULT, Operator
from services.booking_service.domain.technicians import Company, Skill, Team, Technician, WeekShift
from services.booking_service.errors import HasAppointments, UnknownName
from services.booking_service.scopes import sees_company
from services.booking_service.store import queries

router = APIRouter()
Editor = Annotated[Principal, Depends(needs("team:edit"))]
Degrees = Annotated[float, Field(ge=-180, le=180)]
Skills = Annotated[tuple[Code, ...], Field(max_length=50)]
Zone = Annotated[str, Field(max_length=60)]


class CompanyRequest(Asked):
    """Who sends technicians."""

    name: Name
    own: bool = True


class CompanyView(View):
    """A company."""

    company_id: UUID
    version: int
    name: str
    own: bool


class TeamRequest(Asked):
    """Technicians who start from one place; without areas everywhere."""

    company_id: UUID
    name: Name
    lat: Degrees | None = None
    lon: Degrees | None = None
    areas: Annotated[tuple[Code, ...], Field(max_length=1_000)] = ()


class TeamView(View):
    """A team."""

    team_id: UUID
    version: int
    company_id: UUID
    name: str
    lat: float | None
    lon: float | None
    areas: tuple[str, ...]


class SkillBody(Asked):
    """A skill and its labels by language."""

    code: Code
    labels: dict[str, Name] = {}


class TechnicianRequest(Asked):
    """Somebody who can be sent."""

    user_id: Annotated[str, Field(min_length=1, max_length=160)]
    name: Name
    company_id: UUID
    team_id: UUID | None = None
    skills: Skills = ()
    lat: Degrees | None = None
    lon: Degrees | None = None
    zone: Zone | None = None
    active_from: date | None = None
    active_to: date | None = None
    week: Annotated[tuple[WeekShiftBody, ...], Field(max_length=100)] = ()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        return known_zone(zone) if zone else zone


class TechnicianChange(Asked):
    """What is to change; what is left out stays."""

    name: Name | None = None
    team_id: UUID | None = None
    skills: Skills | None = None
    lat: Degrees | None = None
    lon: Degrees | None = None
    active_to: date | None = None
    week: Annotated[tuple[WeekShiftBody, ...], Field(max_length=100)] | None = None
    expected_version: int | None = None


class TechnicianView(View):
    """A technician. The name is for staff; events and logs hold the id."""

    technician_id: UUID
    version: int
    user_id: str
    name: str
    company_id: UUID
    team_id: UUID | None
    skills: tuple[str, ...]
    lat: float | None
    lon: float | None
    zone: str
    active_from: date
    active_to: date | None
    week: tuple[WeekShiftBody, ...]
    conflicts: tuple[UUID, ...] = ()
    """Appointments that no shift covers any more; they stay until somebody moves them."""


class TechnicianPage(Page):
    """Technicians in sight."""

    items: tuple[TechnicianView, ...]


@router.get("/v1/companies")
async def list_companies(editor: Editor, store: TheStore) -> list[CompanyView]:
    """Companies in sight."""
    where = queries.of_company(editor.scope, tables.companies.c.company_id)
    rows = await store.read(lambda db: queries.everything(db, tables.companies, where))
    return [CompanyView.model_validate(row) for row in rows]


@router.post("/v1/companies", status_code=201)
async def add_company(body: CompanyRequest, editor: Editor, store: TheStore) -> CompanyView:
    """Enter a company; the same name again answers the one that is there."""

    def command(unit: Unit) -> Company:
        known = unit.find(Company, body.name)
        if known is not None and sees_company(unit.principal.scope, known.company_id):
            return known
        if unit.principal.scope.kind != "all" or known is not None:
            raise NotFound("there is no such company")
        made = Company(company_id=CompanyId(unit.new_id()), name=body.name, own=body.own)
        unit.add(made)
        return made

    made = await store.run(editor, command, needs=[(Company, body.name)])
    return CompanyView.model_validate(made)


@router.get("/v1/teams")
async def list_teams(editor: Editor, store: TheStore) -> list[TeamView]:
    """Teams in sight."""
    where = queries.of_company(editor.scope, tables.teams.c.company_id)
    rows = await store.read(lambda db: queries.everything(db, tables.teams, where))
    return [TeamView.model_validate(row) for row in rows]


@router.post("/v1/teams", status_code=201)
async def add_team(body: TeamRequest, editor: Editor, store: TheStore) -> TeamView:
    """Enter a team; the same name again changes the one that is there."""

    def command(unit: Unit) -> Team:
        company = _company(unit, body.company_id)
        team = unit.find(Team, body.name)
        if team is None:
            team = Team(team_id=TeamId(unit.new_id()), company_id=company.company_id, name=body.name)
            unit.add(team)
        if team.company_id != company.company_id:
            raise UnknownName("a team of this name belongs to another company")
        team.lat, team.lon, team.areas = body.lat, body.lon, body.areas
        return team

    made = await store.run(editor, command, needs=[(Company, str(body.company_id)), (Team, body.name)])
    return TeamView.model_validate(made)


@router.get("/v1/skills")
async def list_skills(editor: Editor, store: TheStore) -> list[SkillBody]:
    """What can be asked of a technician."""
    _ = editor
    rows = await store.read(lambda db: queries.everything(db, tables.skills, tables.skills.c.code.is_not(None)))
    return [SkillBody(code=row["code"], labels=row["labels"]) for row in rows]


@router.post("/v1/skills", status_code=201)
async def add_skill(body: SkillBody, editor: Editor, store: TheStore) -> SkillBody:
    """Enter a skill, or its labels anew."""

    def command(unit: Unit) -> SkillBody:
        skill = unit.find(Skill, body.code)
        if skill is None:
            unit.add(Skill(code=body.code, labels=dict(body.labels)))
        else:
            skill.labels = dict(body.labels)
        return body

    return await store.run(editor, command, needs=[(Skill, body.code)])


@router.get("/v1/technicians")
async def list_technicians(
    editor: Editor,
    store: TheStore,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> TechnicianPage:
    """Technicians in sight."""
    start = UUID(read_cursor(after, str)[0]) if after else None
    found = await store.read(lambda db: queries.technician_list(db, editor.scope, start, limit))
    last = cursor(str(found[-1].technician_id)) if len(found) == limit else None
    return TechnicianPage(items=tuple(TechnicianView.model_validate(each) for each in found), next=last)


@router.post("/v1/technicians", status_code=201)
async def add_technician(
    body: TechnicianRequest, editor: Editor, store: TheStore, response: Response
) -> TechnicianView:
    """Enter a technician."""

    def wanted(_: Unit) -> Iterator[Ref]:
        yield Technician, body.user_id
        yield Company, str(body.company_id)
        yield Operator, DEFAULT
        if body.team_id is not None:
            yield Team, str(body.team_id)
        yield from ((Skill, code) for code in body.skills)

    def command(unit: Unit) -> Technician:
        company = _company(unit, body.company_id)
        if unit.find(Technician, body.user_id) is not None:
            raise UnknownName("this person is a technician already")
        refuse_unknown(unit, body.skills, body.team_id, company.company_id)
        made = Technician(
            technician_id=TechnicianId(unit.new_id()),
            user_id=body.user_id,
            name=body.name,
            company_id=company.company_id,
            team_id=TeamId(body.team_id) if body.team_id else None,
            skills=body.skills,
            lat=body.lat,
            lon=body.lon,
            zone=body.zone or unit.get(Operator, DEFAULT).zone,
            active_from=body.active_from or unit.now.date(),
            active_to=body.active_to,
        )
        made.plan_week(week_shifts(body.week))
        unit.add(made)
        return made

    return _answer(await store.run(editor, command, needs=wanted), response)


@router.patch("/v1/technicians/{technician_id}")
async def change_technician(
    technician_id: UUID, body: TechnicianChange, editor: Editor, store: TheStore, request: Request, response: Response
) -> TechnicianView:
    """Change a technician; needs If-Match. Nobody ends with open appointments after the last day."""
    expected = required(expected_version(request, body.expected_version))

    def wanted(_: Unit) -> Iterator[Ref]:
        yield Technician, str(technician_id)
        yield Operator, DEFAULT
        if body.team_id is not None:
            yield Team, str(body.team_id)
        yield from ((Skill, code) for code in body.skills or ())

    def command(unit: Unit) -> Technician:
        technician = in_sight(unit, technician_id)
        refuse_stale(expected, technician.version)
        refuse_unknown(unit, body.skills or (), body.team_id, technician.company_id)
        grid_minutes = unit.get(Operator, DEFAULT).grid_minutes
        for name in body.model_fields_set & {"name", "team_id", "skills", "lat", "lon"}:
            setattr(technician, name, getattr(body, name))
        if "active_to" in body.model_fields_set:
            _end(technician, body.active_to, grid_minutes)
        if body.week is not None:
            technician.plan_week(week_shifts(body.week))
        technician.conflicts = tuple(sorted(technician.uncovered(grid_minutes)))
        return technician

    return _answer(await store.run(editor, command, needs=wanted), response)


def in_sight(unit: Unit, technician_id: UUID | str) -> Technician:
    """The technician, if the caller may see it."""
    found = unit.find(Technician, str(technician_id))
    if found is None or not sees_company(unit.principal.scope, found.company_id):
        raise NotFound("there is no such technician")
    return found


def refuse_unknown(unit: Unit, skills: Iterable[str], team_id: UUID | None, company_id: UUID) -> None:
    """Skills and teams must have been entered, else nobody would ever be found for a work order."""
    if missing := sorted(code for code in skills if unit.find(Skill, code) is None):
        raise UnknownName(f"unknown skills: {', '.join(missing)}")
    team = unit.find(Team, str(team_id)) if team_id else None
    if team_id is not None and (team is None or team.company_id != company_id):
        raise UnknownName("the company has no such team")


def week_shifts(bodies: Iterable[WeekShiftBody]) -> list[WeekShift]:
    """Weekly shifts, numbered within their weekday."""
    made: list[WeekShift] = []
    for body in bodies:
        seq = sum(each.weekday == body.weekday for each in made)
        fields = {name: getattr(body, name) for name in WeekShiftBody.model_fields}
        made.append(WeekShift(seq=seq, **fields))
    return made


def known_zone(zone: str) -> str:
    """A zone of the IANA database, or ValueError."""
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError("no such time zone") from error


def _end(technician: Technician, active_to: date | None, grid_minutes: int) -> None:
    technician.active_to = active_to
    if active_to is None:
        return
    after = datetime.combine(active_to, time.max, ZoneInfo(technician.zone))
    left = {busy.appointment_id for busy in technician.busy if start_of(busy.cell, grid_minutes) > after}
    if left:
        raise HasAppointments(left)


def _company(unit: Unit, company_id: UUID) -> Company:
    found = unit.find(Company, str(company_id))
    if found is None or not sees_company(unit.principal.scope, found.company_id):
        raise NotFound("there is no such company")
    return found


def _answer(technician: Technician, response: Response) -> TechnicianView:
    response.headers["ETag"] = etag(technician.version)
    return TechnicianView.model_validate(technician)
