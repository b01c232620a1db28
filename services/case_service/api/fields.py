"""Fields that two people filled in: both values, for a dispatcher to decide (B5)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends

from contracts.event import Part
from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.store import Ref, Unit
from services.case_service import store_beside as queries
from services.case_service.acts import act_of, conclude, known, of_case, within
from services.case_service.api.paging import Paged
from services.case_service.api.views import TheStore, View
from services.case_service.domain.act import Policy
from services.case_service.domain.answers import EditState, FieldAnswers, FieldConflict, Side, decide

Closer = Annotated[Principal, Depends(needs("work_order:close"))]


class Choice(Part):
    """Which of two values holds."""

    keep: Side


class ConflictOfField(View):
    """Two people filled in one field; the present value stays until a dispatcher decides."""

    conflict_id: UUID
    case_id: UUID
    work_order_id: UUID
    form_key: str
    field: str
    present: dict[str, Any]
    edited: dict[str, Any]
    edited_by: str
    edited_at: datetime
    state: EditState
    chosen: Side | None


class FieldConflictPage(View):
    """Fields that wait for a decision, oldest first, and where the next page begins."""

    items: tuple[ConflictOfField, ...]
    next: str | None


def routes(policy: Policy) -> APIRouter:
    """The routes, with the operator's days."""
    router = APIRouter()

    @router.get("/v1/field-conflicts")
    async def list_conflicts(
        closer: Closer, store: TheStore, pages: Paged, state: EditState | None = EditState.OPEN
    ) -> FieldConflictPage:
        """Fields that two people filled in."""
        begin, limit = pages.begin, pages.limit
        found = await store.read(
            lambda db: queries.field_conflicts(db, closer.scope, state=state, begin=begin, limit=limit)
        )
        items = tuple(ConflictOfField.model_validate(row) for row in found)
        return FieldConflictPage(items=items, next=pages.next(found, "edited_at", "conflict_id"))

    @router.post("/v1/field-conflicts/{name}/decide")
    async def decide_conflict(name: UUID, body: Choice, closer: Closer, store: TheStore) -> ConflictOfField:
        """Say which of the two values holds."""

        def command(unit: Unit) -> ConflictOfField:
            conflict = unit.get(FieldConflict, str(name))
            case, act = within(known(unit, str(conflict.case_id)), closer.scope), act_of(unit, policy)
            answers = unit.get(FieldAnswers, str(conflict.work_order_id))
            decide(act, conflict, answers, body.keep)
            conclude(case, unit, act)
            subject = f"case/{case.case_id}/{conflict.work_order_id}"
            unit.audit("field_conflict:decide", subject, field=conflict.field, keep=body.keep)
            return ConflictOfField.model_validate(conflict)

        def wanted(unit: Unit) -> Iterable[Ref]:
            yield FieldConflict, str(name)
            conflict = unit.find(FieldConflict, str(name))
            if conflict is None:
                raise NotFound(f"there is no field conflict {name}")
            yield FieldAnswers, str(conflict.work_order_id)
            yield from of_case(unit, str(conflict.case_id))

        return await store.run(closer, command, needs=wanted)

    return router
