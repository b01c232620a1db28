"""Lists and figures as JSON. Nothing here changes anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import perf_counter
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query

from kit.auth import Principal, Scope, needs
from kit.errors import NotFound
from kit.http import cursor as cursor_of
from kit.http import read_cursor
from kit.store import Store
from services.cockpit_service import metrics
from services.cockpit_service import store as queries
from services.cockpit_service.api.views import (
    CaseBrief,
    CasePage,
    CaseView,
    Code,
    ContactView,
    Counts,
    HandoverView,
    Limit,
    LineView,
    ProblemList,
    ProblemView,
    Search,
    TheStore,
    TimelinePage,
    WorkOrderView,
)
from services.cockpit_service.settings import Settings

Reader = Annotated[Principal, Depends(needs("case:read"))]
Counter = Annotated[Principal, Depends(needs("kpi:read"))]
ContactReader = Annotated[Principal, Depends(needs("contact:read"))]
Cursor = Annotated[str | None, Query(max_length=400)]


@contextmanager
def timed(page: str) -> Iterator[None]:
    """Measure what the queries of a page cost."""
    began = perf_counter()
    yield
    metrics.QUERY_SECONDS.labels(page).observe(perf_counter() - began)


async def find_cases(
    store: Store,
    scope: Scope,
    *,
    phase: str | None = None,
    state: str | None = None,
    q: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> CasePage:
    """A page of cases."""
    after = read_cursor(cursor, UUID)[0] if cursor else None
    with timed("cases"):
        found = await store.read(
            lambda db: queries.case_list(db, scope, phase=phase, state=state, q=q, after=after, limit=limit)
        )
    more = cursor_of(found[-1].case_id) if len(found) == limit else None
    return CasePage(items=tuple(CaseBrief.model_validate(row) for row in found), next=more)


async def find_case(store: Store, scope: Scope, case_id: UUID) -> CaseView:
    """One case with all that belongs to it; raises NotFound where it is out of sight."""

    def ask(db: sa.Connection) -> CaseView:
        row = queries.case(db, scope, case_id)
        if row is None:
            raise NotFound(f"there is no case {case_id}")
        return CaseView(
            **row._mapping,  # noqa: SLF001 - SQLAlchemy's public name
            work_orders=tuple(WorkOrderView.model_validate(each) for each in queries.work_orders(db, [case_id])),
            handovers=tuple(HandoverView.model_validate(each) for each in queries.handovers(db, case_id)),
        )

    with timed("case"):
        return await store.read(ask)


async def find_timeline(
    store: Store, scope: Scope, case_id: UUID, cursor: str | None = None, limit: int = 200
) -> TimelinePage:
    """A page of what happened to a case."""
    after = read_cursor(cursor, datetime, UUID) if cursor else None
    with timed("timeline"):
        found = await store.read(
            lambda db: queries.timeline(db, scope, case_id, limit, (after[0], after[1]) if after else None)
        )
    more = cursor_of(found[-1].at, found[-1].event_id) if len(found) == limit else None
    return TimelinePage(items=tuple(LineView.model_validate(row) for row in found), next=more)


async def count(store: Store, scope: Scope, quarantine_days: int) -> Counts:
    """The figures of the overview, from one look at the database."""
    since = store.clock.now() - timedelta(days=quarantine_days)

    def ask(db: sa.Connection) -> Counts:
        phases = queries.phases(db, scope)
        return Counts(
            cases=sum(phases.values()),
            phases=phases,
            states=queries.states(db, scope),
            problems=queries.problem_counts(db, scope, since),
        )

    with timed("counts"):
        return await store.read(ask)


async def find_problems(
    store: Store, scope: Scope, quarantine_days: int, kind: str | None = None, limit: int = 100
) -> ProblemList:
    """Open problems."""
    since = store.clock.now() - timedelta(days=quarantine_days)
    with timed("problems"):
        found = await store.read(lambda db: queries.open_problems(db, scope, since, kind, limit))
    return ProblemList(items=tuple(ProblemView.model_validate(row) for row in found))


def router(settings: Settings) -> APIRouter:
    """The routes below /v1."""
    routes, days = APIRouter(), settings.quarantine_days

    @routes.get("/v1/cases")
    async def list_cases(
        reader: Reader,
        store: TheStore,
        phase: Code = None,
        state: Code = None,
        q: Search = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> CasePage:
        """Cases, the newest first.

        `state`: at least one work order stands in it. `q`: id of the case or of a work order, metering point, order
        number, postcode or municipality.
        """
        return await find_cases(store, reader.scope, phase=phase, state=state, q=q, cursor=cursor, limit=limit)

    @routes.get("/v1/cases/{case_id}")
    async def show_case(case_id: UUID, reader: Reader, store: TheStore) -> CaseView:
        """One case with its work orders and handovers."""
        return await find_case(store, reader.scope, case_id)

    @routes.get("/v1/cases/{case_id}/timeline")
    async def show_timeline(
        case_id: UUID, reader: Reader, store: TheStore, cursor: Cursor = None, limit: Limit = 200
    ) -> TimelinePage:
        """What happened to a case, as all services tell it."""
        await find_case(store, reader.scope, case_id)
        return await find_timeline(store, reader.scope, case_id, cursor, limit)

    @routes.get("/v1/cases/{case_id}/contact")
    async def show_contact(case_id: UUID, reader: ContactReader, store: TheStore) -> ContactView:
        """Who lives there; for dispatchers. It is gone after the purge."""
        found = await store.read(lambda db: queries.contact(db, reader.scope, case_id))
        if found is None:
            raise NotFound(f"there is no contact of case {case_id}")
        return ContactView.model_validate(found)

    @routes.get("/v1/counts")
    async def show_counts(reader: Counter, store: TheStore) -> Counts:
        """Cases by phase, work orders by state, open problems by kind."""
        return await count(store, reader.scope, days)

    @routes.get("/v1/problems")
    async def list_problems(reader: Reader, store: TheStore, kind: Code = None, limit: Limit = 100) -> ProblemList:
        """What people have to look at, the oldest first."""
        return await find_problems(store, reader.scope, days, kind, limit)

    return routes
