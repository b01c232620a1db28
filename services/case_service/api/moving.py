"""Asking for moves of a work order: one command each, committed before it is answered."""

from collections.abc import Awaitable, Iterable, Mapping
from types import MappingProxyType
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response

from contracts.codes import State
from contracts.ids import WorkOrderId
from kit.auth import Principal, RoleMissing, needs
from kit.errors import NotFound
from kit.http import expected_version
from kit.jsons import MISSING, Finding, Misfit
from kit.problems import problem_of, refusals
from kit.store import Ref, Store, Unit
from services.case_service.acts import act_of, conclude, known, of_case, within_order
from services.case_service.api.examples import OF_MOVES
from services.case_service.api.refusals import audited
from services.case_service.api.views import MovesView, TheStore, WorkOrderView, work_order_of
from services.case_service.domain import moves
from services.case_service.domain.act import Policy
from services.case_service.domain.answers import FieldAnswers
from services.case_service.domain.case import Case
from services.case_service.domain.entries import FormVersion
from services.case_service.domain.flow import SubReasons
from services.case_service.domain.guard_table import PROMISES
from services.case_service.domain.guards import Ask
from services.case_service.domain.requests import MoveRequest
from services.case_service.domain.visits import VisitConflict, conflict_id
from services.case_service.errors import CancelByMdmOnly, MasterOwned, OutcomeChanges

Asks = Annotated[MoveRequest, Body(openapi_examples=OF_MOVES)]
REFUSALS = refusals(
    *(refusal for promise in PROMISES.values() for refusal in promise.refusals),
    OutcomeChanges,
    CancelByMdmOnly,
    MasterOwned,
)
ASKED = {"model": WorkOrderView, "description": "send_booking was asked; the order moves when the message is out."}
Reader = Annotated[Principal, Depends(needs("case:read"))]

# fmt: off
MOVE_ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "start_planning":     ("work_order:plan",),
    "prepare_letter":     ("work_order:plan",),
    "send_booking":       ("work_order:plan",),
    "follow_up_manually": ("work_order:plan",),
    "send_to_execution":  ("appointment:confirm",),
    "put_on_hold":        ("work_order:hold",),
    "contact_made":       ("work_order:plan",),
    "plan_again":         ("work_order:plan",),
    "start":              ("work_order:report",),
    "resolve":            ("work_order:report",),
    "reopen":             ("work_order:close",),
    "close_case":         ("work_order:close",),
    "take_over":          ("work_order:correct",),
    "data_corrected":     ("work_order:correct",),
    "order_field_visit":  ("work_order:rework",),
    "correct_report":     ("work_order:report", "work_order:correct"),
    "add_evidence":       ("evidence:upload", "work_order:correct"),
    "accept_report":      ("work_order:close",),
    "assign":             ("work_order:plan",),
    "set_flag":           ("case:flag",),
    "acknowledge_change": ("work_order:plan",),
})
"""Which actions of the matrix allow which move (security §5); one of them is enough."""
# fmt: on


def routes(policy: Policy) -> APIRouter:
    """The routes, with the operator's waiting times."""
    router = APIRouter()

    @router.post(
        "/v1/work-orders/{work_order_id}/moves",
        response_model=WorkOrderView,
        responses={202: ASKED, **REFUSALS},
    )
    async def move(
        work_order_id: UUID, body: Asks, mover: Reader, store: TheStore, request: Request, response: Response
    ) -> WorkOrderView | Response:
        """Make one move of the lifecycle, or learn every reason why not. A report is kept even then."""
        asked = body.model_copy(update={"expected_version": expected_version(request, body.expected_version)})
        _decided(asked)
        command = Moving(WorkOrderId(work_order_id), asked, mover, policy)
        found = await audited(f"move:{body.move}", f"work_order/{work_order_id}", _run(store, command))
        if not isinstance(found, WorkOrderView):
            return problem_of(moves.refused_report(State(found["state"])), request.scope["hub.request_id"])
        if body.move == "send_booking":  # asked, not done: it moves when the message is out
            response.status_code = 202
        return found

    @router.get("/v1/work-orders/{work_order_id}/moves")
    async def possible_moves(work_order_id: UUID, reader: Reader, store: TheStore) -> MovesView:
        """What may be asked of this work order now, and what objects."""

        def ask(unit: Unit) -> MovesView:
            case = known(unit, str(work_order_id))
            order = within_order(case, WorkOrderId(work_order_id), reader.scope)
            return MovesView(
                state=order.state,
                version=order.version,
                moves=moves.possible(case, act_of(unit, policy), order.work_order_id),
            )

        return await store.run(reader, ask, needs=lambda unit: of_case(unit, str(work_order_id)))

    return router


def _decided(asked: MoveRequest) -> None:
    """Whoever moves by hand says on which version he decided; raises Misfit (lifecycle §14)."""
    wanted = {} if asked.move in moves.OFFLINE else {"expected_version": "the version, here or as If-Match"}
    wanted |= {"expected_edition": "the edition that stands beside the flags"} if asked.flag else {}
    missing = [Finding(MISSING, f"/{name}", rule=rule) for name, rule in wanted.items() if getattr(asked, name) is None]
    if missing:
        raise Misfit(missing)


class Moving:
    """The command behind a move: what it needs, and what it does."""

    def __init__(self, work_order_id: WorkOrderId, request: MoveRequest, mover: Principal, policy: Policy) -> None:
        self.work_order_id, self.request, self.mover, self.policy = work_order_id, request, mover, policy
        report = request.report
        self.kept_as = str(request.conflict_id or (conflict_id(work_order_id, report) if report else ""))

    def needs(self, unit: Unit) -> Iterable[Ref]:
        """The case; with a report the form and the sub-reasons that it names, and the place where it would be kept."""
        own = str(self.work_order_id)
        yield FieldAnswers, own
        if self.kept_as:
            yield VisitConflict, self.kept_as
        yield from of_case(unit, own)
        case = unit.find(Case, own)
        if self.kept_as and case is not None:
            yield SubReasons, case.operator
            if name := self._form_id(unit.find(VisitConflict, self.kept_as)):
                yield FormVersion, name

    def __call__(self, unit: Unit) -> WorkOrderView | dict[str, str]:
        """Make the move; of a report that was kept instead the state that did not allow it."""
        conflict = unit.find(VisitConflict, self.kept_as) if self.kept_as else None
        ask = self.ask(unit, conflict)
        if conflict is not None and self.request.move == "resolve":
            return {"state": ask.order.state}  # the same report again
        if self.make(unit, ask, conflict):
            return work_order_of(ask.case, ask.order, self.mover.scope)
        return {"state": ask.order.state}

    def ask(self, unit: Unit, conflict: VisitConflict | None = None) -> Ask:
        """What guards look at; raises where role or scope forbid even to ask."""
        self._may()
        case, act = known(unit, str(self.work_order_id)), act_of(unit, self.policy)
        within_order(case, self.work_order_id, self.mover.scope)
        self._within_company()
        own = unit.find(SubReasons, case.operator) if self.kept_as else None
        answers = unit.find(FieldAnswers, str(self.work_order_id))
        return moves.ask_for(case, act, self.work_order_id, self.request, self._form(unit, conflict), own, answers)

    def make(self, unit: Unit, ask: Ask, conflict: VisitConflict | None = None) -> bool:
        """Make the move, or raise with every objection; False where a report was kept instead."""
        kept = moves.move(ask, conflict)
        conclude(ask.case, unit, ask.act)
        if kept is not None:
            unit.add(kept)
        return kept is None

    def _may(self) -> None:
        possible = MOVE_ACTIONS.get(self.request.move, ("work_order:plan",))
        if not any(self.mover.may(action) for action in possible):
            raise RoleMissing(possible[0])

    def _within_company(self) -> None:
        """A company neither hands its work to another one nor gives it back here: for it there is no other."""
        own, given = self.mover.scope, self.request.company_id
        if own.kind == "company" and "company_id" in self.request.model_fields_set and str(given) != own.id:
            raise NotFound(f"there is no company {given}")

    def _form(self, unit: Unit, conflict: VisitConflict | None) -> FormVersion | None:
        name = self._form_id(conflict)
        return unit.find(FormVersion, name) if name else None

    def _form_id(self, conflict: VisitConflict | None) -> str | None:
        report = self.request.report or (conflict.report if conflict else None)
        return report.form_id if report else None


def _run(store: Store, command: Moving) -> Awaitable[WorkOrderView | dict[str, str]]:
    return store.run(command.mover, command, needs=command.needs)
