"""Asking something of a case as a whole: actions, the gate, how its customer is reached."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends

from contracts.codes import ExceptionResult
from contracts.parts import Contact
from contracts.roles import Reach, granted
from kit.auth import Principal, RoleMissing, needs
from kit.errors import NotFound
from kit.problems import refusals
from kit.store import Unit
from services.case_service import errors
from services.case_service.acts import act_of, conclude, named, of_case, of_customer, within
from services.case_service.api.examples import OF_ACTIONS
from services.case_service.api.refusals import audited
from services.case_service.api.views import CaseView, ContactView, GateView, TheStore, gate_view, view_of
from services.case_service.domain import actions
from services.case_service.domain.act import Act, Policy
from services.case_service.domain.calendar import at_local
from services.case_service.domain.case import Case
from services.case_service.domain.privacy import masked, visits_now
from services.case_service.domain.requests import ActionRequest, CaseAction

Asks = Annotated[ActionRequest, Body(openapi_examples=OF_ACTIONS)]
REFUSALS = refusals(
    errors.CaseEnded,
    errors.MasterOwned,
    errors.ExceptionIncomplete,
    errors.FourEyes,
    errors.MoveNotAllowed,
    errors.GateClosed,
    errors.AnswerGiven,
    errors.CodeNotAllowed,
    errors.DecisionMissing,
)
Reader = Annotated[Principal, Depends(needs("case:read"))]
ContactReader = Annotated[Principal, Depends(needs("contact:read"))]

# fmt: off
CASE_ACTIONS: Mapping[CaseAction, str] = MappingProxyType({
    CaseAction.RAISE_EXCEPTION:   "exception:raise",
    CaseAction.APPROVE_EXCEPTION: "exception:approve",
    CaseAction.RESOLVE_EXCEPTION: "exception:raise",
    CaseAction.CHECK_GATE:        "case:read",
    CaseAction.ANNOUNCE:          "case:announce",
    CaseAction.ANSWER_ORDER:      "order:answer",
    CaseAction.ADD_WORK_ORDER:    "work_order:plan",
    CaseAction.LINK:              "case:link",
})
# fmt: on


def routes(policy: Policy) -> APIRouter:
    """The routes, with the operator's waiting times."""
    router = APIRouter()

    @router.post("/v1/cases/{case_id}/actions", responses=REFUSALS)
    async def act(case_id: UUID, body: Asks, actor: Reader, store: TheStore) -> CaseView:
        """Ask something of a case as a whole."""

        def command(unit: Unit) -> CaseView:
            _allow(actor, _action_of(body))
            case, doing = within(named(unit, case_id), actor.scope), act_of(unit, policy)
            other = within(named(unit, body.linked_case_id), actor.scope) if body.linked_case_id else None
            actions.do(case, doing, body, other)
            for changed in filter(None, (case, other)):
                conclude(changed, unit, doing)
            return view_of(case, actor.scope)

        both = [case_id, *filter(None, [body.linked_case_id])]
        running = store.run(
            actor, command, needs=lambda unit: (ref for each in both for ref in of_case(unit, str(each)))
        )
        return await audited(f"action:{body.action}", f"case/{case_id}", running)

    @router.get("/v1/cases/{case_id}/gate")
    @router.get("/v1/cases/{case_id}/done", name="read_done")
    async def read_gate(case_id: UUID, reader: Reader, store: TheStore) -> GateView:
        """The definition of done, light by light: what is missing, what proves it, what stands in."""

        def ask(unit: Unit) -> GateView:
            return gate_view(within(named(unit, case_id), reader.scope))

        return await store.run(reader, ask, needs=lambda unit: of_case(unit, str(case_id)))

    @router.get("/v1/cases/{case_id}/contact")
    async def read_contact(case_id: UUID, reader: ContactReader, store: TheStore) -> ContactView:
        """How the customer can be reached; technicians see it on the day of the visit. Each reading is audited."""

        def ask(unit: Unit) -> ContactView:
            case = of_customer(named(unit, case_id), reader.scope)
            shown = contact_for(case, reader, act_of(unit, policy))
            unit.audit("contact:read", f"case/{case_id}")
            return shown

        return await store.run(reader, ask, needs=lambda unit: of_case(unit, str(case_id)))

    return router


def _allow(actor: Principal, action: str) -> None:
    if not actor.may(action):
        raise RoleMissing(action)


def _action_of(body: ActionRequest) -> str:
    """To refuse an exception is the second person's right."""
    if body.action is CaseAction.RESOLVE_EXCEPTION and body.result is ExceptionResult.REFUSED:
        return "exception:approve"
    return CASE_ACTIONS[body.action]


def contact_for(case: Case, reader: Principal, act: Act) -> ContactView:
    """How a customer is reached, as far as the reader may know it."""
    grant = granted(reader.roles, "contact:read")
    contact = case.contact or Contact(name="", language="de", sms_allowed=False)
    if grant is None or (
        grant.reach is Reach.VISIT_DAY and not visits_now(case, act, at_local(act.today, 0, act.policy.zone))
    ):
        raise NotFound(f"there is no Case {case.case_id}")
    hidden = grant.remark == "masked"
    return ContactView(
        case_id=case.case_id,
        version=case.contact_version,
        name=contact.name,
        phone=masked(contact.phone) if hidden else contact.phone,
        email=None if hidden else contact.email,
        language=contact.language,
        sms_allowed=contact.sms_allowed,
        address=case.address,
        position=case.position,
        access_note=case.access_note,
    )
