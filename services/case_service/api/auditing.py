"""What the audit says of a case, to be read and taken along: JSON that can be checked offline, or a page for people."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kit.auth import Principal, needs
from kit.store import Unit
from kit.trail import Exported, rows_about
from services.case_service.acts import named, of_case, owns, within
from services.case_service.api.views import TheStore
from services.case_service.domain.changes import subjects

router = APIRouter()
Auditor = Annotated[Principal, Depends(needs("audit:read"))]

ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
PAGE_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
"""The page is also kept as a file, so that its style stands in it; it has no script."""
WHY = ("reason", "rules", "code", "step", "cause", "source")
"""Members of the details that say why; `set` holds old and new values."""


@router.get("/v1/cases/{case_id}/audit", responses={200: {"content": {"text/html": {}}}}, response_model=Exported)
async def export(case_id: UUID, auditor: Auditor, store: TheStore, request: Request) -> Exported | Response:
    """Who changed what of this case, when and why, oldest first; `Accept: text/html` gives a page. Itself audited."""

    def note(unit: Unit) -> list[str]:
        case = within(named(unit, case_id), auditor.scope)
        unit.audit("audit:export", f"case/{case_id}")
        return subjects(case, [order for order in case.work_orders if owns(order, auditor.scope)])

    about = await store.run(auditor, note, needs=lambda unit: of_case(unit, str(case_id)))
    found = await store.read(lambda db: rows_about(db, store.service, about))
    exported = Exported(service=store.service, subject=f"case/{case_id}", exported_at=store.clock.now(), rows=found)
    return _page(exported) if "text/html" in request.headers.get("accept", "") else exported


def _page(exported: Exported) -> Response:
    text = ENVIRONMENT.get_template("audit.html").render(exported=exported, why=WHY, shown=shown)
    return HTMLResponse(text, headers=PAGE_POLICY)


def shown(value: Any) -> str:
    """A value as people read it: nothing is a dash, lists and members stand in one line."""
    if value is None or value in ([], {}):
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(inner)}" for name, inner in value.items() if inner not in (None, [], {}))
    return ", ".join(map(shown, value)) if isinstance(value, list) else str(value)
