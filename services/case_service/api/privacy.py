"""Erasure by two persons, and what is kept of a person, for that person (SEC-ERA, D-DP-11)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field

from contracts.event import Part
from contracts.parts import Address, Contact, Position
from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.store import Ref, Unit
from services.case_service import store_beside as queries
from services.case_service.acts import act_of, conclude, known, named, of_case, within
from services.case_service.api.refusals import audited
from services.case_service.api.views import TheStore, View
from services.case_service.domain.act import Policy
from services.case_service.domain.answers import FieldAnswers, FieldConflict
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Words
from services.case_service.domain.privacy import Erasure, ErasureState, grant
from services.case_service.domain.visits import Visit, VisitConflict

Eraser = Annotated[Principal, Depends(needs("case:erase"))]
Exporter = Annotated[Principal, Depends(needs("person:export"))]


class ErasureRequest(Part):
    """Who wants to be forgotten."""

    case_id: UUID
    reason: str = Field(min_length=1, max_length=2000)
    """Read by the second person."""


class ErasureView(View):
    """A wish to be forgotten, and who agreed."""

    erasure_id: UUID
    case_id: UUID
    reason: str
    requested_by: str
    requested_at: datetime
    state: ErasureState
    approved_by: str | None
    approved_at: datetime | None


class ErasurePage(View):
    """Erasures, oldest first."""

    items: tuple[ErasureView, ...]


class PersonalCase(View):
    """What is kept of a person in one case."""

    case_id: UUID
    contact: Contact | None
    address: Address
    position: Position | None
    access_note: str | None
    flag_text: str | None
    texts: tuple[dict[str, Any], ...]
    """What people wrote."""
    reports: tuple[dict[str, Any], ...]
    """What technicians reported, kept reports among them."""
    answers: tuple[dict[str, Any], ...]


class PersonView(View):
    """Everything that case_service keeps of a person."""

    cases: tuple[PersonalCase, ...]


def routes(policy: Policy) -> APIRouter:
    """The routes, with the operator's days."""
    router = APIRouter()

    @router.get("/v1/erasures")
    async def list_erasures(eraser: Eraser, store: TheStore, state: ErasureState | None = None) -> ErasurePage:
        """Who wanted to be forgotten, with the reason for the second person."""
        found = await store.read(lambda db: queries.erasures(db, eraser.scope, state=state))
        return ErasurePage(items=tuple(ErasureView.model_validate(row) for row in found))

    @router.post("/v1/erasures", status_code=201)
    async def request_erasure(body: ErasureRequest, eraser: Eraser, store: TheStore) -> ErasureView:
        """The first person: somebody wants to be forgotten."""

        def command(unit: Unit) -> ErasureView:
            case = within(named(unit, body.case_id), eraser.scope)
            erasure = Erasure(
                erasure_id=unit.new_id(),
                case_id=case.case_id,
                reason=body.reason,
                requested_by=eraser.id,
                requested_at=unit.now,
            )
            unit.add(erasure)
            unit.audit("case:erase", f"case/{case.case_id}/{erasure.erasure_id}", state=erasure.state)
            return ErasureView.model_validate(erasure)

        return await store.run(eraser, command, needs=lambda unit: of_case(unit, str(body.case_id)))

    @router.post("/v1/erasures/{erasure_id}/approve")
    async def approve_erasure(erasure_id: UUID, eraser: Eraser, store: TheStore) -> ErasureView:
        """The second person agrees: all personal data of the case go, here and in every service."""
        case_id = await store.run(eraser, lambda unit: _case_of(unit, erasure_id), needs=[(Erasure, str(erasure_id))])
        records = await store.read(lambda db: queries.personal(db, eraser.scope, [case_id]))

        def command(unit: Unit) -> ErasureView:
            erasure = unit.get(Erasure, str(erasure_id))
            case, act = within(known(unit, str(case_id)), eraser.scope), act_of(unit, policy)
            grant(case, act, erasure, [unit.get(kind, key) for kind, key in records])
            conclude(case, unit, act)
            unit.audit("case:erase", f"case/{case_id}/{erasure_id}", state=erasure.state)
            return ErasureView.model_validate(erasure)

        def wanted(unit: Unit) -> Iterable[Ref]:
            yield Erasure, str(erasure_id)
            yield from records
            yield from of_case(unit, str(case_id))

        running = store.run(eraser, command, needs=wanted)
        return await audited(store, eraser, "case:erase", f"case/{case_id}/{erasure_id}", running)

    @router.get("/v1/persons/{person}/export")
    async def export_person(person: UUID, exporter: Exporter, store: TheStore) -> PersonView:
        """What is kept of the customer of this case, in all cases of the same person at the same metering point."""
        case_ids = await store.read(lambda db: queries.at_point_of(db, exporter.scope, person))
        records = await store.read(lambda db: queries.personal(db, exporter.scope, case_ids))

        command = Gathering(person, case_ids, records, exporter)
        return await store.run(exporter, command, needs=command.needs)

    return router


class Gathering:
    """The command behind a person's export: reading is a change too, for it is audited."""

    def __init__(
        self, person: UUID, case_ids: Sequence[UUID], records: Sequence[tuple[type[Any], str]], exporter: Principal
    ) -> None:
        self.person, self.case_ids, self.records, self.exporter = person, case_ids, records, exporter

    def needs(self, _: Unit) -> Iterable[Ref]:
        """All cases at the point, and all records beside them."""
        yield Case, str(self.person)
        yield from ((Case, str(name)) for name in self.case_ids)
        yield from self.records

    def __call__(self, unit: Unit) -> PersonView:
        """What is kept of the same person."""
        named = within(unit.get(Case, str(self.person)), self.exporter.scope)
        every = [unit.get(Case, str(name)) for name in self.case_ids]
        same = [case for case in every if case is named or _is_same(case, named)]
        found = [unit.get(kind, key) for kind, key in self.records]
        for case in same:
            unit.audit("person:export", f"case/{case.case_id}", person=str(self.person))
        return PersonView(cases=tuple(_personal(case, found) for case in same))


def _case_of(unit: Unit, erasure_id: UUID) -> UUID:
    erasure = unit.find(Erasure, str(erasure_id))
    if erasure is None:
        raise NotFound(f"there is no erasure {erasure_id}")
    return erasure.case_id


def _is_same(case: Case, named: Case) -> bool:
    """A person is who is reached in the same way."""
    mine, theirs = case.contact, named.contact
    if mine is None or theirs is None:
        return False
    return mine.name == theirs.name and (mine.phone, mine.email) == (theirs.phone, theirs.email)


def _personal(case: Case, found: list[Any]) -> PersonalCase:
    own = [each for each in found if each.case_id == case.case_id]
    answers = [each.given for each in own if isinstance(each, FieldAnswers)]
    answers += [{"present": each.present, "edited": each.edited} for each in own if isinstance(each, FieldConflict)]
    return PersonalCase(
        case_id=case.case_id,
        contact=case.contact,
        address=case.address,
        position=case.position,
        access_note=case.access_note,
        flag_text=case.flag_text,
        texts=tuple({"at": each.at, "step": each.step, "text": each.text} for each in own if isinstance(each, Words)),
        reports=tuple(
            each.report.model_dump(mode="json", exclude_none=True, by_alias=True)
            for each in own
            if isinstance(each, Visit | VisitConflict)
        ),
        answers=tuple(answers),
    )
