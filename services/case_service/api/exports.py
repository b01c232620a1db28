"""The trigger of an invoice: completed cases, each told once, without any amount (S2-20, S4-10)."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field, model_validator

from contracts.codes import CaseType
from contracts.event import Part
from contracts.roles import limited
from kit.auth import Principal, RoleMissing, needs
from kit.store import Unit
from services.case_service import store_beside as queries
from services.case_service.api.views import TheStore, View
from services.case_service.domain.completions import Completion

Exporter = Annotated[Principal, Depends(needs("export:run"))]
LINES = 5000
router = APIRouter()


class CompletedBetween(Part):
    """From one day to another, both included; local to the operator."""

    from_: date = Field(alias="from")
    to: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to < self.from_:
            raise ValueError("`to` lies before `from`")
        return self


class CompletedLine(View):
    """One completed case. Prices are the matter of whoever invoices."""

    case_id: UUID
    completion: int
    operator: str
    kind: CaseType
    orders: tuple[str, ...]
    completed_on: date


class CompletedExport(View):
    """The lines of this run. What was told once to the house is not told to it again."""

    export_id: UUID
    lines: tuple[CompletedLine, ...]
    more: bool
    """There are more lines than one run holds: run again; a company or a partner asks for fewer days."""


@router.post("/v1/exports/completed")
async def export_completed(body: CompletedBetween, exporter: Exporter, store: TheStore) -> CompletedExport:
    """Every case that was completed in these days and not exported before.

    A company or a partner reads the cases that are its own, whatever was exported, and takes nothing away: the invoices
    are the house's.
    """
    if limited(exporter.roles, "export:run", "stock"):
        raise RoleMissing("export:run")
    scope, ours = exporter.scope, exporter.scope.kind == "all"
    found = await store.read(
        lambda db: queries.completions(db, scope, body.from_, body.to, waiting=ours, limit=LINES + 1)
    )
    keys = found[:LINES]

    def command(unit: Unit) -> CompletedExport:
        export_id = unit.new_id()
        mine = [unit.get(Completion, key) for key in keys]
        if ours:
            mine = [each for each in mine if each.export_id is None]  # another run may have been first
            for each in mine:
                each.export_id = export_id
        unit.audit("export:completed", f"export/{export_id}", lines=len(mine), first=str(body.from_), last=str(body.to))
        return CompletedExport(export_id=export_id, lines=tuple(map(_line, mine)), more=len(found) > LINES)

    return await store.run(exporter, command, needs=[(Completion, key) for key in keys])


def _line(each: Completion) -> CompletedLine:
    return CompletedLine(
        case_id=each.case_id,
        completion=each.completion,
        operator=each.operator,
        kind=each.case_type,
        orders=each.order_keys,
        completed_on=each.completed_on,
    )
