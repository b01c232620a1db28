"""Forms that are filled in field by field, by clients that may have been offline (B5)."""

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field, JsonValue

from contracts.event import Part
from contracts.ids import WorkOrderId
from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.store import Ref, Unit
from services.case_service import store_beside as queries
from services.case_service.acts import act_of, conclude, known, of_case, within_order
from services.case_service.api.views import TheStore, View
from services.case_service.domain.act import Policy
from services.case_service.domain.answers import (
    FieldAnswers,
    FieldConflict,
    FieldEdit,
    conflict_id,
    merge,
)

Reporter = Annotated[Principal, Depends(needs("work_order:report"))]
Reader = Annotated[Principal, Depends(needs("evidence:read"))]


class Edits(Part):
    """Fields that were filled in, in the order of the client's queue."""

    downloaded_version: int = Field(ge=0)
    """Version of the work order that the client had loaded; stored, not enforced."""
    edits: Annotated[tuple[FieldEdit, ...], Field(min_length=1, max_length=500)]


class AnswersView(View):
    """What is saved in the forms of a work order."""

    work_order_id: UUID
    answers: dict[str, dict[str, JsonValue]]
    conflicts: tuple[UUID, ...] = ()
    """Edits of this request that met another value."""


def routes(policy: Policy) -> APIRouter:
    """The routes, with the operator's days."""
    router = APIRouter()

    @router.post("/v1/work-orders/{work_order_id}/edits")
    async def edit(work_order_id: UUID, body: Edits, reporter: Reporter, store: TheStore) -> AnswersView:
        """Apply each edit whose field is still as the client knew it; the others become conflicts."""
        own = WorkOrderId(work_order_id)
        names = [conflict_id(own, each) for each in body.edits]

        def command(unit: Unit) -> AnswersView:
            case, act = known(unit, str(own)), act_of(unit, policy)
            order, answers = within_order(case, own, reporter.scope), unit.find(FieldAnswers, str(own))
            if answers is None:
                answers = FieldAnswers(work_order_id=own, case_id=case.case_id)
                unit.add(answers)
            before = [name for name in names if unit.find(FieldConflict, str(name))]
            order.downloaded_version = body.downloaded_version
            kept = merge(case, act, order, answers, body.edits, before)
            for each in kept:
                unit.add(each)
            conclude(case, unit, act)
            fields = [f"{each.form_key}/{each.field}" for each in body.edits]
            details = {"fields": fields, "downloaded_version": body.downloaded_version, "conflicts": len(kept)}
            unit.audit("answers:edit", f"case/{case.case_id}/{own}", **details)
            found = tuple(each.conflict_id for each in kept)
            return AnswersView(work_order_id=own, answers=answers.given, conflicts=found)

        def wanted(unit: Unit) -> Iterable[Ref]:
            yield FieldAnswers, str(own)
            yield from ((FieldConflict, str(name)) for name in names)
            yield from of_case(unit, str(own))

        return await store.run(reporter, command, needs=wanted)

    @router.get("/v1/work-orders/{work_order_id}/answers")
    async def read_answers(work_order_id: UUID, reader: Reader, store: TheStore) -> AnswersView:
        """What is saved in the forms of a work order."""
        row = await store.read(lambda db: queries.answers(db, reader.scope, work_order_id))
        if row is None:
            raise NotFound(f"there is no work order {work_order_id}")
        return AnswersView(work_order_id=work_order_id, answers=row.given or {})

    return router
