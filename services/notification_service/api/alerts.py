"""Alerts: what the people of the house, or of a company, should look at."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends

from kit.auth import Principal, needs
from kit.http import cursor, read_cursor
from services.notification_service import store as queries
from services.notification_service.api.shapes import Limit, TheStore, View

Watcher = Annotated[Principal, Depends(needs("case:read"))]


class AlertView(View):
    """One thing to look at: `kind` is the event that it is about, `cause` its code."""

    alert_id: UUID
    rule_id: str
    audience: str
    case_id: UUID | None
    work_order_id: UUID | None
    kind: str
    cause: str | None
    due_at: datetime


class AlertPage(View):
    """Alerts in the order of their times; `next` goes into `after` for those that come later."""

    alerts: tuple[AlertView, ...]
    next: str | None


def routes() -> APIRouter:
    """The list; companies see what concerns them, technicians and customers nothing."""
    made = APIRouter()

    @made.get("/v1/alerts")
    async def list_alerts(
        watcher: Watcher,
        store: TheStore,
        audience: str | None = None,
        rule: str | None = None,
        case: UUID | None = None,
        after: str | None = None,
        limit: Limit = 100,
    ) -> AlertPage:
        """What is due, oldest first, for whoever collects it; digests appear with their quarter of an hour or day."""
        begin = read_cursor(after, datetime, UUID) if after else None
        asked: dict[str, Any] = {"audience": audience, "rule_id": rule, "case_id": case, "limit": limit}
        rows = await store.read(lambda db: queries.alerts(db, watcher.scope, store.clock.now(), after=begin, **asked))
        views = tuple(AlertView.model_validate(row) for row in rows)
        last = cursor(views[-1].due_at, views[-1].alert_id) if views else after
        return AlertPage(alerts=views, next=last)

    return made
