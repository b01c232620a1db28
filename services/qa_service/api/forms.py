"""Forms for clients: which one to fill in, and whether answers are right, before a report is sent."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query

from kit.auth import needs
from kit.errors import NotFound
from services.qa_service import store as queries
from services.qa_service.api.views import AnswersQuestion, FormList, FormView, Kind, TheStore
from services.qa_service.domain.forms import Checked, Work, check
from services.qa_service.domain.policy import Policy

READER = Depends(needs("case:read"))


def routes(policy: Policy) -> APIRouter:
    """The routes; days are those of the installation's zone."""
    router = APIRouter(dependencies=[READER])

    @router.get("/v1/forms")
    async def list_forms(
        store: TheStore,
        work_kind: Annotated[Kind | None, Query()] = None,
        operator: Annotated[Kind | None, Query()] = None,
    ) -> FormList:
        """Forms that count today, for a kind of work order and an operator if they are named."""
        today = store.clock.now().astimezone(ZoneInfo(policy.zone)).date()
        found = await store.read(lambda db: queries.active_forms(db, work_kind, operator, today))
        return FormList(items=tuple(FormView.model_validate(dict(row)) for row in found))

    @router.post("/v1/forms/{form_key}/{form_version}/validate")
    async def validate(form_key: str, form_version: int, body: AnswersQuestion, store: TheStore) -> Checked:
        """What is missing or wrong; the same check that a report meets. Nothing is stored."""
        form = await store.read(lambda db: queries.form(db, form_key, form_version))
        if form is None:
            raise NotFound("there is no such form")
        work = Work(body.installed, body.removed)
        return check(form, body.answers, body.evidence_kinds, work, partial=body.partial)

    return router
