"""Activities of cases over HTTP: permits, preparation, what subcontractors do (S2-13)."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from contracts.event import Part
from contracts.ids import Code
from contracts.ids import Principal as PrincipalId
from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.http import cursor, read_cursor
from kit.store import Ref, Unit
from services.case_service import store_beside as queries
from services.case_service.acts import act_of, conclude, known, named, of_case, within
from services.case_service.api.refusals import audited
from services.case_service.api.views import TheStore, View
from services.case_service.domain.act import Policy
from services.case_service.domain.activities import Activity, ActivityState, finish, open_activity
from services.case_service.domain.flow import ActivityKind
from services.case_service.errors import CaseEnded

Limit = Annotated[int, Query(ge=1, le=500)]
Planner = Annotated[Principal, Depends(needs("work_order:plan"))]


class NewActivity(Part):
    """Something that somebody has to do for a case."""

    case_id: UUID
    kind: ActivityKind
    code: Code
    owner: PrincipalId
    """A person, or a queue."""
    due_on: date
    mandatory: bool = False
    """A mandatory permit keeps technicians off the site until it is done."""


class ActivityView(View):
    """An activity of a case."""

    activity_id: UUID
    case_id: UUID
    kind: ActivityKind
    code: str
    owner: str
    due_on: date
    mandatory: bool
    state: ActivityState
    step: str | None
    """The step of the flow that opened it."""
    opened_by: str
    opened_at: datetime
    done_by: str | None
    done_at: datetime | None


class ActivityPage(View):
    """Activities, and where the next page begins."""

    items: tuple[ActivityView, ...]
    next: str | None


def routes(policy: Policy) -> APIRouter:
    """The routes, with the operator's days."""
    router = APIRouter()
    _list(router)
    _change(router, policy)
    return router


def _list(router: APIRouter) -> None:
    @router.get("/v1/activities")
    async def list_activities(
        planner: Planner,
        store: TheStore,
        case_id: UUID | None = None,
        owner: str | None = None,
        state: ActivityState | None = ActivityState.OPEN,
        after: str | None = None,
        limit: Limit = 100,
    ) -> ActivityPage:
        """Activities in the order of their opening."""
        begin = UUID(read_cursor(after, str)[0]) if after else None
        found = await store.read(
            lambda db: queries.activities(
                db, planner.scope, case_id=case_id, owner=owner, state=state, after=begin, limit=limit
            )
        )
        more = cursor(str(found[-1].activity_id)) if len(found) == limit else None
        return ActivityPage(items=tuple(ActivityView.model_validate(row) for row in found), next=more)


def _change(router: APIRouter, policy: Policy) -> None:
    @router.post("/v1/activities", status_code=201)
    async def add_activity(body: NewActivity, planner: Planner, store: TheStore) -> ActivityView:
        """Open an activity of a case. An open mandatory permit blocks its work orders (PERMIT_OPEN)."""

        def command(unit: Unit) -> ActivityView:
            case, act = within(named(unit, body.case_id), planner.scope), act_of(unit, policy)
            if case.terminal:
                raise CaseEnded(f"The case is {case.phase}.", phase=case.phase)
            opened = open_activity(case, act, body.kind, body.code, body.owner, body.due_on, mandatory=body.mandatory)
            conclude(case, unit, act)
            unit.audit("activity:open", f"case/{case.case_id}/{opened.activity_id}", kind=body.kind, code=body.code)
            return ActivityView.model_validate(opened)

        running = store.run(planner, command, needs=lambda unit: of_case(unit, str(body.case_id)))
        return await audited("activity:open", f"case/{body.case_id}", running)

    @router.post("/v1/activities/{activity_id}/done")
    async def finish_activity(activity_id: UUID, planner: Planner, store: TheStore) -> ActivityView:
        """It is done; what it blocked may go on."""

        def command(unit: Unit) -> ActivityView:
            activity = unit.get(Activity, str(activity_id))
            case, act = within(known(unit, str(activity.case_id)), planner.scope), act_of(unit, policy)
            finish(case, act, activity)
            conclude(case, unit, act)
            unit.audit("activity:done", f"case/{case.case_id}/{activity_id}", kind=activity.kind, code=activity.code)
            return ActivityView.model_validate(activity)

        def wanted(unit: Unit) -> Iterable[Ref]:
            yield Activity, str(activity_id)
            activity = unit.find(Activity, str(activity_id))
            if activity is None:
                raise NotFound(f"there is no activity {activity_id}")
            yield from of_case(unit, str(activity.case_id))

        return await store.run(planner, command, needs=wanted)
