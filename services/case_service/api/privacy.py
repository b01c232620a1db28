"""Erasure by two persons (SEC-ERA, D-DP-11)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field

from contracts.event import Part
from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.store import Ref, Unit
from services.case_service import store_beside as queries
from services.case_service.acts import act_of, conclude, known, named, of_case, within
from services.case_service.api.paging import Paged
from services.case_service.api.refusals import audited
from services.case_service.api.views import TheStore, View
from services.case_service.domain.act import Policy
from services.case_service.domain.privacy import Erasure, ErasureState, grant

Eraser = Annotated[Principal, Depends(needs("case:erase"))]


class PersonRequest(Part):
    """Who wants to be forgotten, or to know what is kept: the customer of a case."""

    case_id: UUID
    reason: str = Field(min_length=1, max_length=2000)
    """Read by the second person."""


class ErasureView(View):
    """A wish to be forgotten, and who agreed."""

    erasure_id: UUID
    case_id: UUID
    reason: str
    requested_by: str
    requested_at: datetime
    state: ErasureState
    approved_by: str | None
    approved_at: datetime | None


class ErasurePage(View):
    """Erasures, oldest first, and where the next page begins."""

    items: tuple[ErasureView, ...]
    next: str | None


def routes(policy: Policy) -> APIRouter:
    """The routes, with the operator's days."""
    router = APIRouter()

    @router.get("/v1/erasures")
    async def list_erasures(
        eraser: Eraser, store: TheStore, pages: Paged, state: ErasureState | None = None
    ) -> ErasurePage:
        """Who wanted to be forgotten, with the reason for the second person."""
        begin, limit = pages.begin, pages.limit
        found = await store.read(lambda db: queries.erasures(db, eraser.scope, state=state, begin=begin, limit=limit))
        items = tuple(ErasureView.model_validate(row) for row in found)
        return ErasurePage(items=items, next=pages.next(found, "requested_at", "erasure_id"))

    @router.post("/v1/erasures", status_code=201)
    async def request_erasure(body: PersonRequest, eraser: Eraser, store: TheStore) -> ErasureView:
        """The first person: somebody wants to be forgotten."""

        def command(unit: Unit) -> ErasureView:
            case = within(named(unit, body.case_id), eraser.scope)
            erasure = Erasure(
                erasure_id=unit.new_id(),
                case_id=case.case_id,
                reason=body.reason,
                requested_by=eraser.id,
                requested_at=unit.now,
            )
            unit.add(erasure)
            unit.audit("case:erase", f"case/{case.case_id}/{erasure.erasure_id}", state=erasure.state)
            return ErasureView.model_validate(erasure)

        running = store.run(eraser, command, needs=lambda unit: of_case(unit, str(body.case_id)))
        return await audited("case:erase", f"case/{body.case_id}", running)

    @router.post("/v1/erasures/{erasure_id}/approve")
    async def approve_erasure(erasure_id: UUID, eraser: Eraser, store: TheStore) -> ErasureView:
        """The second person agrees: all personal data of the case go, here and in every service."""
        case_id = await store.run(eraser, lambda unit: _case_of(unit, erasure_id), needs=[(Erasure, str(erasure_id))])
        records = await store.read(lambda db: queries.personal(db, eraser.scope, [case_id]))

        def command(unit: Unit) -> ErasureView:
            erasure = unit.get(Erasure, str(erasure_id))
            case, act = within(known(unit, str(case_id)), eraser.scope), act_of(unit, policy)
            grant(case, act, erasure, [unit.get(kind, key) for kind, key in records])
            conclude(case, unit, act)
            unit.audit("case:erase", f"case/{case_id}/{erasure_id}", state=erasure.state)
            return ErasureView.model_validate(erasure)

        def wanted(unit: Unit) -> Iterable[Ref]:
            yield Erasure, str(erasure_id)
            yield from records
            yield from of_case(unit, str(case_id))

        running = store.run(eraser, command, needs=wanted)
        return await audited("case:erase", f"case/{case_id}/{erasure_id}", running)

    return router


def _case_of(unit: Unit, erasure_id: UUID) -> UUID:
    erasure = unit.find(Erasure, str(erasure_id))
    if erasure is None:
        raise NotFound(f"there is no erasure {erasure_id}")
    return erasure.case_id
