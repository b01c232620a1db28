"""The overview and a case as pages, made on the server; the overview renews itself by fetching its own fragment."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.staticfiles import StaticFiles

from kit.auth import Principal, needs
from kit.store import Store
from services.cockpit_service.api.reading import count, find_case, find_cases, find_problems, find_timeline
from services.cockpit_service.api.views import Code, Search, TheStore
from services.cockpit_service.settings import Settings
from services.cockpit_service.signing_in import cookie_of, csrf_token

ROOM = Path(__file__).parent.parent
STATIC = StaticFiles(directory=ROOM / "static")
ENVIRONMENT = Environment(
    loader=FileSystemLoader(ROOM / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
Reader = Annotated[Principal, Depends(needs("case:read"))]
CASES_SHOWN, PROBLEMS_SHOWN = 20, 10
"""Rows of the lists on the overview."""


def words(code: str | None) -> str:
    """A code as people read it: IN_QA → In QA."""
    said = (code or "unknown").replace("_", " ").capitalize()
    return said.replace(" qa", " QA").replace(" mdm", " MDM")


ENVIRONMENT.filters["words"] = words


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    """A page; everything in it is escaped, nothing in it is script."""
    return HTMLResponse(ENVIRONMENT.get_template(template).render(values), status)


def router(settings: Settings) -> APIRouter:
    """The pages for signed-in people."""
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    async def overview(reader: Principal, store: Store, q: str | None, phase: str | None) -> dict[str, Any]:
        counts = await count(store, reader.scope, settings.quarantine_days)
        problems = await find_problems(store, reader.scope, settings.quarantine_days, limit=PROBLEMS_SHOWN)
        cases = await find_cases(store, reader.scope, q=q or None, phase=phase or None, limit=CASES_SHOWN)
        return {
            "counts": counts,
            "problems": problems.items,
            "cases": cases.items,
            "most": max(1, *counts.phases.values()),
            "q": q or "",
            "phase": phase or "",
            "now": store.clock.now(),
        }

    @routes.get("/")
    async def show_overview(
        request: Request, reader: Reader, store: TheStore, q: Search = None, phase: Code = None
    ) -> Response:
        """Where everything stands."""
        values = await overview(reader, store, q, phase)
        return page("overview.html", refresh=settings.refresh_seconds, **_person(request, reader), **values)

    @routes.get("/fragments/overview")
    async def show_fragment(reader: Reader, store: TheStore, q: Search = None, phase: Code = None) -> Response:
        """The part of the overview that changes."""
        return page("_overview.html", **await overview(reader, store, q, phase))

    @routes.get("/cases/{case_id}")
    async def show_case(request: Request, case_id: UUID, reader: Reader, store: TheStore) -> Response:
        """One case with its timeline."""
        case = await find_case(store, reader.scope, case_id)
        timeline = await find_timeline(store, reader.scope, case_id)
        return page("case.html", case=case, lines=timeline.items, more=timeline.next, **_person(request, reader))

    return routes


def _person(request: Request, reader: Principal) -> dict[str, Any]:
    """Who is signed in, and the token that lets their own page sign out."""
    secret = cookie_of(request)
    return {"person": reader.id, "csrf": csrf_token(secret) if secret else ""}
