"""Changing by hand what is the hub's: flags of a case, and how its customer is reached. The master's fields refuse."""

from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from contracts.roles import Reach, granted
from kit.auth import Principal, RoleMissing, needs
from kit.errors import NotFound
from kit.http import expected_version
from kit.problems import refusals
from kit.store import Unit
from services.case_service import store as queries
from services.case_service.acts import act_of, conclude, named, of_case, of_customer, within
from services.case_service.api.acting import contact_for
from services.case_service.api.refusals import audited
from services.case_service.api.views import CaseView, ContactView, TheStore, view_of
from services.case_service.domain.act import Policy
from services.case_service.domain.case import Case
from services.case_service.domain.edits import CaseEdit, ContactEdit, PortalEdit, edit_case, edit_contact
from services.case_service.errors import CaseEnded, MasterOwned, ReasonMissing, StaleVersion

Flagger = Annotated[Principal, Depends(needs("case:flag"))]
Editor = Annotated[Principal, Depends(needs("contact:edit"))]
OF_CUSTOMERS = frozenset(PortalEdit.__annotations__)
"""What a customer may change of the own contact (security §5: phone, consent)."""
E = TypeVar("E", CaseEdit, ContactEdit)


def routes(policy: Policy) -> APIRouter:
    """The routes, with the operator's waiting times."""
    router = APIRouter()

    @router.patch("/v1/cases/{case_id}", responses=refusals(MasterOwned, StaleVersion, CaseEnded, ReasonMissing))
    async def change_case(
        case_id: UUID, body: CaseEdit, editor: Flagger, store: TheStore, request: Request
    ) -> CaseView:
        """Change the fields of a case that are the hub's: its flags and their text."""
        edit = _versioned(request, body)

        def command(unit: Unit) -> CaseView:
            case, act = within(named(unit, case_id), editor.scope), act_of(unit, policy)
            edit_case(case, act, edit)
            conclude(case, unit, act)
            return view_of(case, editor.scope)

        running = store.run(editor, command, needs=lambda unit: of_case(unit, str(case_id)))
        return await audited("case:edit", f"case/{case_id}", running)

    @router.patch("/v1/cases/{case_id}/contact", responses=refusals(MasterOwned, StaleVersion, CaseEnded))
    async def change_contact(
        case_id: UUID, body: ContactEdit, editor: Editor, store: TheStore, request: Request
    ) -> ContactView:
        """Change how the customer is reached: phone, e-mail, language, consent, access note, position."""
        edit = _versioned(request, body)

        def command(unit: Unit) -> ContactView:
            case = of_customer(named(unit, case_id), editor.scope)
            _within_reach(editor, edit)
            return _changed(unit, case, edit, editor, policy)

        running = store.run(editor, command, needs=lambda unit: of_case(unit, str(case_id)))
        return await audited("contact:edit", f"case/{case_id}", running)

    @router.patch("/v1/portal/contact", responses=refusals(MasterOwned, CaseEnded, NotFound))
    async def change_own_contact(body: PortalEdit, editor: Editor, store: TheStore) -> ContactView:
        """Change phone and consent as a customer; the case is that of the appointment that was proved."""
        case_id = await store.read(lambda db: queries.case_of_appointment(db, editor.scope))
        if case_id is None:
            raise NotFound("there is no case of this appointment")

        def command(unit: Unit) -> ContactView:
            case = of_customer(named(unit, case_id), editor.scope)
            return _changed(unit, case, body, editor, policy)

        running = store.run(editor, command, needs=lambda unit: of_case(unit, str(case_id)))
        return await audited("contact:edit", f"case/{case_id}", running)

    return router


def _changed(unit: Unit, case: Case, edit: ContactEdit | PortalEdit, editor: Principal, policy: Policy) -> ContactView:
    act = act_of(unit, policy)
    edit_contact(case, act, edit)
    conclude(case, unit, act)
    return contact_for(case, editor, act)


def _within_reach(editor: Principal, edit: ContactEdit) -> None:
    grant = granted(editor.roles, "contact:edit")
    own = grant is None or grant.reach is Reach.OWN
    if own and edit.model_fields_set - OF_CUSTOMERS - {"expected_version"}:
        raise RoleMissing("contact:edit")


def _versioned(request: Request, body: E) -> E:
    version = expected_version(request, body.expected_version)
    return body.model_copy(update={"expected_version": version})
