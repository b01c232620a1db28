"""Reading cases and work orders: lists, one of them, its history. Nothing here changes anything."""

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Depends

from contracts.codes import Phase, State
from kit.auth import Principal, Scope, needs
from kit.errors import NotFound
from kit.http import cursor, read_cursor
from services.case_service import store as queries
from services.case_service.api.views import (
    CaseBrief,
    CasePage,
    CaseView,
    HistoryView,
    Limit,
    Line,
    TheStore,
    WorkOrderPage,
    WorkOrderView,
    case_view,
    work_order_view,
)

router = APIRouter()
Reader = Annotated[Principal, Depends(needs("case:read"))]


@router.get("/v1/cases")
async def list_cases(
    reader: Reader,
    store: TheStore,
    phase: Phase | None = None,
    order_key: str | None = None,
    metering_point_id: str | None = None,
    after: str | None = None,
    limit: Limit = 100,
) -> CasePage:
    """Cases in the order of their opening."""
    begin = UUID(read_cursor(after, str)[0]) if after else None
    found = await store.read(
        lambda db: queries.cases(
            db,
            reader.scope,
            phase=phase,
            order_key=order_key,
            metering_point_id=metering_point_id,
            after=begin,
            limit=limit,
        )
    )
    more = cursor(str(found[-1].case_id)) if len(found) == limit else None
    return CasePage(items=tuple(CaseBrief.model_validate(row) for row in found), next=more)


@router.get("/v1/cases/{case_id}")
async def read_case(case_id: UUID, reader: Reader, store: TheStore) -> CaseView:
    """One case with its work orders, orders and exceptions."""
    return await store.read(lambda db: _case(db, reader.scope, case_id))


def _case(db: sa.Connection, scope: Scope, case_id: UUID) -> CaseView:
    case = queries.case(db, scope, case_id)
    if case is None:
        raise NotFound(f"there is no Case {case_id}")
    parts = queries.inside(db, scope, [case_id])
    return case_view(
        case, parts["case_orders"], parts["work_orders"], parts["exceptions"], parts["sla_intervals"], scope
    )


@router.get("/v1/cases/{case_id}/history")
async def read_history(case_id: UUID, reader: Reader, store: TheStore) -> HistoryView:
    """Everything that happened, with the words of people."""
    return await store.read(lambda db: _history(db, reader.scope, case_id))


def _history(db: sa.Connection, scope: Scope, case_id: UUID) -> HistoryView:
    if queries.case(db, scope, case_id) is None:
        raise NotFound(f"there is no Case {case_id}")
    return HistoryView(lines=tuple(sorted(_lines(queries.story(db, scope, case_id)), key=lambda line: line.at)))


def _lines(story: Any) -> Iterable[Line]:
    for row in story["history"]:
        yield Line(
            at=row.at,
            actor=row.actor,
            kind="move" if row.move else "change",
            work_order_id=row.work_order_id,
            code=row.move,
            from_state=row.from_state,
            to_state=row.to_state,
            version=row.version,
            reason=row.reason,
        )
    for row in story["remarks"]:
        said = {"code": row.code, "hotlist": row.hotlist, "params": row.params}
        yield Line(at=row.at, actor=row.actor, kind="remark", work_order_id=row.work_order_id, **said)
    for row in story["reasons"]:
        said = {"code": row.step, "text": row.text}
        yield Line(at=row.at, actor=row.actor, kind="words", work_order_id=row.work_order_id, **said)
    for row in story["visits"]:
        said = {"code": row.result, "version": row.visit_version}
        yield Line(at=row.reported_at, actor=row.reported_by, kind="visit", work_order_id=row.work_order_id, **said)


@router.get("/v1/work-orders")
async def list_work_orders(
    reader: Reader,
    store: TheStore,
    responsible: UUID | None = None,
    state: State | None = None,
    dispatched: bool | None = None,
    after: str | None = None,
    limit: Limit = 100,
) -> WorkOrderPage:
    """Work orders in the order of their opening. A technician sees the mobile list: dispatched, and under way."""
    begin = UUID(read_cursor(after, str)[0]) if after else None
    found = await store.read(
        lambda db: queries.work_orders(
            db,
            reader.scope,
            responsible=responsible,
            state=state,
            dispatched=dispatched,
            after=begin,
            limit=limit,
        )
    )
    more = cursor(str(found[-1].work_order_id)) if len(found) == limit else None
    shown = [row for row in found if reader.scope.kind != "technician" or _in_the_list(row, reader.scope)]
    return WorkOrderPage(items=tuple(work_order_view(row, row, reader.scope) for row in shown), next=more)


def _in_the_list(row: Any, scope: Scope) -> bool:
    mine = str(row.responsible) == scope.id
    return mine and (row.dispatched or row.state is State.IN_PROGRESS)


@router.get("/v1/work-orders/{work_order_id}")
async def read_work_order(work_order_id: UUID, reader: Reader, store: TheStore) -> WorkOrderView:
    """One work order."""
    row = await store.read(lambda db: queries.work_order(db, reader.scope, work_order_id))
    if row is None:
        raise NotFound(f"there is no work order {work_order_id}")
    return work_order_view(row, row, reader.scope)
