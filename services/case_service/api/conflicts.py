"""The visit-conflict list: reports that came when nobody could take them, for a dispatcher to decide."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.problems import refusals
from kit.store import Unit
from services.case_service import store as queries
from services.case_service.acts import within
from services.case_service.api.views import ConflictPage, ConflictView, TheStore
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Words
from services.case_service.domain.visits import ConflictState, VisitConflict
from services.case_service.errors import MoveNotAllowed

router = APIRouter()
Closer = Annotated[Principal, Depends(needs("work_order:close"))]


class Dismissal(BaseModel):
    """Why a report counts for nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    reason: str = Field(min_length=1, max_length=2000)
    """Nothing was done on site, in the words of the dispatcher; they stay here."""


@router.get("/v1/visit-conflicts")
async def list_conflicts(
    reader: Closer, store: TheStore, state: ConflictState | None = ConflictState.OPEN
) -> ConflictPage:
    """Kept reports, oldest first."""
    found = await store.read(lambda db: queries.conflicts(db, reader.scope, state=state))
    return ConflictPage(items=tuple(_view(row) for row in found))


@router.post("/v1/visit-conflicts/{conflict_id}/dismiss", responses=refusals(MoveNotAllowed))
async def dismiss(conflict_id: UUID, body: Dismissal, closer: Closer, store: TheStore) -> ConflictView:
    """Nothing was done on site: the report is put aside."""

    def command(unit: Unit) -> ConflictView:
        conflict = unit.get(VisitConflict, str(conflict_id))
        case = within(unit.get(Case, str(conflict.case_id)), closer.scope)
        if conflict.state is not ConflictState.OPEN:
            raise MoveNotAllowed(f"The report is {conflict.state} already.")
        conflict.state = ConflictState.DISMISSED
        words = Words(
            words_id=unit.new_id(),
            case_id=case.case_id,
            work_order_id=conflict.work_order_id,
            step="dismiss_report",
            text=body.reason,
            actor=closer.id,
            at=unit.now,
        )
        unit.add(words)
        unit.audit(
            "visit_conflict:dismiss", f"case/{case.case_id}", conflict=str(conflict_id), words=str(words.words_id)
        )
        return _view(conflict)

    def wanted(unit: Unit) -> list[tuple[type[Any], str]]:
        conflict = unit.find(VisitConflict, str(conflict_id))
        if conflict is None:
            raise NotFound(f"there is no report {conflict_id}")
        return [(VisitConflict, str(conflict_id)), (Case, str(conflict.case_id))]

    return await store.run(closer, command, needs=wanted)


def _view(row: Any) -> ConflictView:
    report = row.report
    names = set(ConflictView.model_fields) - {"result", "serials"}
    serials = tuple(device.serial for device in (*report.installed, *report.removed))
    return ConflictView(**{name: getattr(row, name) for name in names}, result=report.result, serials=serials)
