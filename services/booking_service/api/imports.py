"""Technicians by CSV: good rows are entered in one transaction, every bad one is named with its place and rule."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from contracts.ids import CompanyId, TeamId, TechnicianId
from kit.auth import Principal, RoleMissing, needs
from kit.csvs import Finding
from kit.problems import Unsupported
from kit.store import Ref, Unit
from services.booking_service.api.views import TheStore, View
from services.booking_service.domain.operators import DEFAULT, Operator
from services.booking_service.domain.technicians import Company, Skill, Team, Technician
from services.booking_service.technicians_csv import Line, read

router = APIRouter()
Importer = Annotated[Principal, Depends(needs("import:run"))]


class Imported(View):
    """What became of the rows: created + changed + unchanged + refused is all of them."""

    rows: int
    created: int
    changed: int
    unchanged: int
    refused: int
    errors: tuple[dict[str, str | int], ...]
    """Row, line, column, code of the rule and what is wrong; the value itself is not repeated."""


@router.post("/v1/imports/technicians")
async def import_technicians(request: Request, importer: Importer, store: TheStore) -> Imported:
    """Enter or change technicians, their companies, teams and weekly shifts; the same file again changes nothing."""
    if not importer.may("team:edit"):
        raise RoleMissing("team:edit")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/csv":
        raise Unsupported("this door takes text/csv")
    lines, findings = read(await request.body())

    def wanted(_: Unit) -> Iterator[Ref]:
        yield Operator, DEFAULT
        for line in lines:
            yield Technician, line.user_id
            yield Company, line.company
            if line.team is not None:
                yield Team, line.team
            yield from ((Skill, code) for code in line.skills)

    return await store.run(importer, lambda unit: _enter_all(unit, lines, findings), needs=wanted)


def _enter_all(unit: Unit, lines: Sequence[Line], findings: Sequence[Finding]) -> Imported:
    found, counts = list(findings), {"created": 0, "changed": 0, "unchanged": 0}
    for line in lines:
        if refused := _finding(unit, line):
            found.append(refused)
        else:
            counts[_enter(unit, line)] += 1
    refused_rows = {finding.row for finding in found}
    found.sort(key=lambda finding: (finding.row or 0, finding.column or ""))
    return Imported(
        rows=sum(counts.values()) + len(refused_rows),
        refused=len(refused_rows),
        errors=tuple(finding.as_member() for finding in found),
        **counts,
    )


def _finding(unit: Unit, line: Line) -> Finding | None:
    """What only the database can tell of a row."""
    unknown = sorted(code for code in line.skills if unit.find(Skill, code) is None)
    if unknown:
        words = f"no such skill: {', '.join(unknown)}"
        return Finding("csv/skill", words, line.row.number, "skills", line.row.line)
    company, team = unit.find(Company, line.company), unit.find(Team, line.team) if line.team else None
    if team is not None and (company is None or team.company_id != company.company_id):
        words = "a team of this name belongs to another company"
        return Finding("csv/team", words, line.row.number, "team", line.row.line)
    known = unit.find(Technician, line.user_id)
    if known is not None and (company is None or known.company_id != company.company_id):
        words = "this person is a technician of another company"
        return Finding("csv/company", words, line.row.number, "company", line.row.line)
    return None


def _enter(unit: Unit, line: Line) -> str:
    company, team = _company(unit, line), _team(unit, line)
    technician = unit.find(Technician, line.user_id)
    if technician is None:
        technician = Technician(
            technician_id=TechnicianId(unit.new_id()),
            user_id=line.user_id,
            name=line.name,
            company_id=company.company_id,
            zone=line.zone or unit.get(Operator, DEFAULT).zone,
            active_from=line.active_from or unit.now.date(),
        )
        _change(technician, line, team)
        unit.add(technician)
        return "created"
    before = _state(technician)
    _change(technician, line, team)
    return "unchanged" if _state(technician) == before else "changed"


def _change(technician: Technician, line: Line, team: Team | None) -> None:
    technician.name, technician.skills = line.name, line.skills
    technician.team_id = team.team_id if team else technician.team_id
    for name in ("lat", "lon", "zone", "active_from", "active_to"):
        value = getattr(line, name)
        setattr(technician, name, getattr(technician, name) if value is None else value)
    technician.plan_week(line.week(technician.active_from))


def _state(technician: Technician) -> dict[str, Any]:
    return {
        name: value for name, value in vars(technician).items() if name not in {"told", "loaded", "key_text", "holder"}
    }


def _company(unit: Unit, line: Line) -> Company:
    company = unit.find(Company, line.company)
    if company is None:
        company = Company(company_id=CompanyId(unit.new_id()), name=line.company, own=line.own)
        unit.add(company)
    return company


def _team(unit: Unit, line: Line) -> Team | None:
    if line.team is None:
        return None
    team = unit.find(Team, line.team)
    if team is None:
        team = Team(team_id=TeamId(unit.new_id()), company_id=_company(unit, line).company_id, name=line.team)
        unit.add(team)
    return team
