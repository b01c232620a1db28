"""Reading cases and work orders: lists, one of them, its history. Nothing here changes anything."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query

from kit.auth import Principal, Scope, needs
from kit.errors import NotFound
from kit.http import cursor, read_cursor
from kit.jsons import Finding
from kit.problems import BadRequest
from services.case_service import store as queries
from services.case_service.api.views import (
    CasePage,
    CaseView,
    HistoryView,
    Line,
    TheStore,
    WorkOrderPage,
    WorkOrderView,
    case_brief,
    case_view,
    work_order_view,
)
from services.case_service.domain.selection import CaseQuery, OrderQuery, keys_of

router = APIRouter()
Reader = Annotated[Principal, Depends(needs("case:read"))]


@router.get("/v1/cases")
async def list_cases(reader: Reader, store: TheStore, query: Annotated[CaseQuery, Query()]) -> CasePage:
    """Cases, most urgent first. Unknown filters are refused by name."""
    begin = _begin(query.after, query.sort)
    found = await store.read(lambda db: queries.cases(db, reader.scope, query, begin))
    more = _next(found, query, "case_id")
    return CasePage(items=tuple(case_brief(row, reader.scope) for row in found), next=more)


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
async def list_work_orders(reader: Reader, store: TheStore, query: Annotated[OrderQuery, Query()]) -> WorkOrderPage:
    """Work orders, most urgent first. A technician sees the mobile list: dispatched, and under way."""
    begin = _begin(query.after, query.sort)
    found = await store.read(lambda db: queries.work_orders(db, reader.scope, query, begin))
    more = _next(found, query, "work_order_id")
    return WorkOrderPage(items=tuple(work_order_view(row, row, reader.scope) for row in found), next=more)


KINDS = {"priority": int, "due": date, "opened": datetime, "postcode": str, "start": datetime}
"""What a cursor holds of each key of a sort."""


def _begin(after: str | None, sort: str) -> tuple[Any, ...]:
    """Where a page begins; a cursor belongs to the sort that it came from."""
    if after is None:
        return ()
    kinds = [KINDS[key] for key, _ in keys_of(sort)]
    of, *begin = read_cursor(after, str, *kinds, UUID)
    if of != sort:
        raise BadRequest(Finding("http/cursor", "/query/after", rule=f"a cursor of the sort {sort}"))
    return tuple(begin)


def _next(found: Sequence[Any], query: CaseQuery | OrderQuery, id_: str) -> str | None:
    if len(found) < query.limit:
        return None
    last = found[-1]
    places = (getattr(last, f"at_{number}") for number in range(len(keys_of(query.sort))))
    return cursor(query.sort, *places, getattr(last, id_))


@router.get("/v1/work-orders/{work_order_id}")
async def read_work_order(work_order_id: UUID, reader: Reader, store: TheStore) -> WorkOrderView:
    """One work order."""
    row = await store.read(lambda db: queries.work_order(db, reader.scope, work_order_id))
    if row is None:
        raise NotFound(f"there is no work order {work_order_id}")
    return work_order_view(row, row, reader.scope)
