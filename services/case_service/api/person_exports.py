"""What is kept of a person, for that person, by two of us (B16, SEC-ERA-04)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends

from contracts.parts import Address, Contact, Position
from kit.auth import Principal, needs
from kit.problems import refusals
from kit.store import Ref, Unit
from services.case_service import store_beside as queries
from services.case_service.acts import act_of, named, of_case, within
from services.case_service.api.paging import Paged
from services.case_service.api.privacy import PersonRequest
from services.case_service.api.refusals import audited
from services.case_service.api.views import TheStore, View
from services.case_service.domain.act import Policy
from services.case_service.domain.answers import FieldAnswers, FieldConflict
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Words
from services.case_service.domain.privacy import ExportState, PersonExport
from services.case_service.domain.visits import Visit, VisitConflict
from services.case_service.errors import FourEyes, MoveNotAllowed

Exporter = Annotated[Principal, Depends(needs("person:export"))]


class ExportView(View):
    """A wish to know what is kept, and who agreed."""

    case_id: UUID
    reason: str
    requested_by: str
    requested_at: datetime
    state: ExportState
    approved_by: str | None
    approved_at: datetime | None


class ExportPage(View):
    """Wishes to know, oldest first, and where the next page begins."""

    items: tuple[ExportView, ...]
    next: str | None


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
    _agree(router, policy)
    _take(router)
    return router


def _agree(router: APIRouter, policy: Policy) -> None:
    @router.get("/v1/person-exports")
    async def list_exports(
        exporter: Exporter, store: TheStore, pages: Paged, state: ExportState | None = None
    ) -> ExportPage:
        """Who wanted to know what is kept of them, with the reason for the second person."""
        begin, limit, scope = pages.begin, pages.limit, exporter.scope
        found = await store.read(lambda db: queries.person_exports(db, scope, state=state, begin=begin, limit=limit))
        items = tuple(ExportView.model_validate(row) for row in found)
        return ExportPage(items=items, next=pages.next(found, "requested_at", "case_id"))

    @router.post("/v1/person-exports", status_code=201, responses=refusals(MoveNotAllowed))
    async def request_export(body: PersonRequest, exporter: Exporter, store: TheStore) -> ExportView:
        """The first person: the customer of this case wants to know what is kept."""
        name = str(body.case_id)

        def command(unit: Unit) -> ExportView:
            case, act = within(named(unit, body.case_id), exporter.scope), act_of(unit, policy)
            wish = unit.find(PersonExport, name)
            if wish is None:
                wish = PersonExport(
                    case_id=case.case_id, reason=body.reason, requested_by=exporter.id, requested_at=unit.now
                )
                unit.add(wish)
            else:
                wish.ask(act, body.reason)
            unit.audit("person:export", f"case/{name}", state=wish.state)
            return ExportView.model_validate(wish)

        running = store.run(exporter, command, needs=lambda unit: _of_export(unit, name))
        return await audited("person:export", f"case/{name}", running)

    @router.post("/v1/person-exports/{person}/approve", responses=refusals(MoveNotAllowed, FourEyes))
    async def approve_export(person: UUID, exporter: Exporter, store: TheStore) -> ExportView:
        """The second person agrees: what is kept may be taken, once."""

        def command(unit: Unit) -> ExportView:
            within(named(unit, person), exporter.scope)
            wish = unit.get(PersonExport, str(person))
            wish.approve(act_of(unit, policy))
            unit.audit("person:export", f"case/{person}", state=wish.state)
            return ExportView.model_validate(wish)

        running = store.run(exporter, command, needs=lambda unit: _of_export(unit, str(person)))
        return await audited("person:export", f"case/{person}", running)


def _take(router: APIRouter) -> None:
    @router.get("/v1/persons/{person}/export", responses=refusals(FourEyes))
    async def export_person(person: UUID, exporter: Exporter, store: TheStore) -> PersonView:
        """What is kept of the customer of this case, in all cases of the same person at the same metering point.

        Two persons saw the wish before; it is taken once.
        """
        case_ids = await store.read(lambda db: queries.at_point_of(db, exporter.scope, person))
        records = await store.read(lambda db: queries.personal(db, exporter.scope, case_ids))

        command = Gathering(person, case_ids, records, exporter)
        running = store.run(exporter, command, needs=command.needs)
        return await audited("person:export", f"case/{person}", running)


class Gathering:
    """The command behind a person's export: reading is a change too, for it is audited."""

    def __init__(
        self, person: UUID, case_ids: Sequence[UUID], records: Sequence[tuple[type[Any], str]], exporter: Principal
    ) -> None:
        self.person, self.case_ids, self.records, self.exporter = person, case_ids, records, exporter

    def needs(self, unit: Unit) -> Iterable[Ref]:
        """The wish, all cases at the point, and all records beside them."""
        yield from _of_export(unit, str(self.person))
        yield from ((Case, str(name)) for name in self.case_ids)
        yield from self.records

    def __call__(self, unit: Unit) -> PersonView:
        """What is kept of the same person."""
        asked, wish = within(named(unit, self.person), self.exporter.scope), unit.find(PersonExport, str(self.person))
        if wish is None or wish.state is not ExportState.GRANTED:
            raise FourEyes("Two persons have to see the wish first: one asks, another one approves.")
        wish.take()
        every = [unit.get(Case, str(name)) for name in self.case_ids]
        same = [case for case in every if case is asked or _is_same(case, asked)]
        found = [unit.get(kind, key) for kind, key in self.records]
        for case in same:
            unit.audit("person:export", f"case/{case.case_id}", person=str(self.person), state=wish.state)
        return PersonView(cases=tuple(_personal(case, found) for case in same))


def _of_export(unit: Unit, name: str) -> Iterable[Ref]:
    yield PersonExport, name
    yield from of_case(unit, name)


def _is_same(case: Case, asked: Case) -> bool:
    """A person is who is reached in the same way."""
    mine, theirs = case.contact, asked.contact
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
