"""The visit-conflict list: reports that came when nobody could take them, for a dispatcher to decide."""

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.problems import refusals
from kit.store import Ref, Unit
from services.case_service import store_beside as queries
from services.case_service.acts import act_of, conclude, known, of_case, within
from services.case_service.api.paging import Paged
from services.case_service.api.refusals import audited
from services.case_service.api.views import CaseView, ConflictPage, ConflictView, TheStore, view_of
from services.case_service.domain.act import Policy
from services.case_service.domain.case import Case
from services.case_service.domain.entries import FormVersion, Words
from services.case_service.domain.flow import FlowBook, SubReasons, flow_key, valid_on
from services.case_service.domain.late_reports import open_for_report
from services.case_service.domain.orders import point_key
from services.case_service.domain.sla_targets import SlaTargets, aim
from services.case_service.domain.visits import ConflictState, VisitConflict
from services.case_service.errors import FormIncomplete, MoveNotAllowed

Closer = Annotated[Principal, Depends(needs("work_order:close"))]


class Decision(BaseModel):
    """What a dispatcher decided about a kept report."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    reason: str = Field(min_length=1, max_length=2000)
    """Why, in the words of the dispatcher; they stay here."""


def routes(policy: Policy) -> APIRouter:
    """The routes, with the operator's waiting times."""
    router = APIRouter()

    @router.get("/v1/visit-conflicts")
    async def list_conflicts(
        reader: Closer,
        store: TheStore,
        pages: Paged,
        state: ConflictState | None = ConflictState.OPEN,
    ) -> ConflictPage:
        """Kept reports, oldest first."""
        begin, limit = pages.begin, pages.limit
        found = await store.read(lambda db: queries.conflicts(db, reader.scope, state=state, begin=begin, limit=limit))
        return ConflictPage(items=tuple(map(_view, found)), next=pages.next(found, "reported_at", "conflict_id"))

    @router.post("/v1/visit-conflicts/{conflict_id}/dismiss", responses=refusals(MoveNotAllowed))
    async def dismiss(conflict_id: UUID, body: Decision, closer: Closer, store: TheStore) -> ConflictView:
        """Nothing was done on site: the report is put aside."""

        def command(unit: Unit) -> ConflictView:
            conflict = unit.get(VisitConflict, str(conflict_id))
            case = within(unit.get(Case, str(conflict.case_id)), closer.scope)
            put_aside(unit, case, conflict, body.reason)
            return _view(conflict)

        return await store.run(closer, command, needs=lambda unit: _of_conflict(unit, str(conflict_id)))

    @router.post(
        "/v1/visit-conflicts/{conflict_id}/open-case",
        status_code=201,
        responses=refusals(MoveNotAllowed, FormIncomplete),
    )
    async def open_case(conflict_id: UUID, body: Decision, closer: Closer, store: TheStore) -> CaseView:
        """The order is closed, but something stands on site: a new case takes the report, so that it is booked."""

        def command(unit: Unit) -> CaseView:
            return view_of(open_for(unit, policy, closer, str(conflict_id), body.reason), closer.scope)

        running = store.run(closer, command, needs=lambda unit: _of_opening(unit, str(conflict_id)))
        return await audited("visit_conflict:open_case", f"visit_conflict/{conflict_id}", running)

    return router


def put_aside(unit: Unit, case: Case, conflict: VisitConflict, reason: str) -> None:
    """Dismiss a report; raises MoveNotAllowed where it was decided already."""
    if conflict.state is not ConflictState.OPEN:
        raise MoveNotAllowed(f"The report is {conflict.state} already.")
    conflict.state = ConflictState.DISMISSED
    words = Words(
        words_id=unit.new_id(),
        case_id=case.case_id,
        work_order_id=conflict.work_order_id,
        step="dismiss_report",
        text=reason,
        actor=unit.principal.id,
        at=unit.now,
    )
    unit.add(words)
    named = {"conflict": str(conflict.conflict_id), "words": str(words.words_id)}
    unit.audit("visit_conflict:dismiss", f"case/{case.case_id}", **named)


def open_for(unit: Unit, policy: Policy, closer: Principal, name: str, reason: str) -> Case:
    """Open the case that takes a kept report."""
    conflict, act = unit.get(VisitConflict, name), act_of(unit, policy)
    before = within(known(unit, str(conflict.case_id)), closer.scope)
    form_id = conflict.report.form_id
    case = open_for_report(
        before,
        act,
        conflict,
        reason=reason,
        holds_point=unit.find(Case, _point_of(before)) is None,
        flow=valid_on(unit.find(FlowBook, _flow_of(before)), before.case_type, act.today),
        form=unit.find(FormVersion, form_id) if form_id else None,
        sub_reasons=unit.find(SubReasons, before.operator),
    )
    aim(case, unit.find(SlaTargets, before.operator), policy)
    unit.add(case)
    conclude(before, unit, act)
    conclude(case, unit, act)
    unit.audit("visit_conflict:open_case", f"case/{before.case_id}/{name}", opened_case_id=str(case.case_id))
    return case


def _of_conflict(unit: Unit, name: str) -> Iterable[Ref]:
    yield VisitConflict, name
    conflict = unit.find(VisitConflict, name)
    if conflict is None:
        raise NotFound(f"there is no report {name}")
    yield from of_case(unit, str(conflict.case_id))


def _of_opening(unit: Unit, name: str) -> Iterable[Ref]:
    yield from _of_conflict(unit, name)
    conflict = unit.get(VisitConflict, name)
    case = unit.get(Case, str(conflict.case_id))
    yield SubReasons, case.operator
    yield SlaTargets, case.operator
    yield FlowBook, _flow_of(case)
    yield Case, _point_of(case)
    if conflict.report.form_id:
        yield FormVersion, conflict.report.form_id


def _flow_of(case: Case) -> str:
    return flow_key(case.operator, case.case_type)


def _point_of(case: Case) -> str:
    return point_key(case.operator, case.metering_point_id, case.case_type)


def _view(row: Any) -> ConflictView:
    report = row.report
    names = set(ConflictView.model_fields) - {"result", "serials"}
    serials = tuple(device.serial for device in (*report.installed, *report.removed))
    return ConflictView(**{name: getattr(row, name) for name in names}, result=report.result, serials=serials)
