"""What an operator configures: flows of its case types and sub-reasons of failed visits, as data (lifecycle §15)."""

from datetime import date
from typing import Annotated, Self

from fastapi import APIRouter, Depends
from pydantic import Field, model_validator

from contracts.codes import CaseType, Result
from contracts.event import Part
from contracts.ids import Code
from kit.auth import Principal, needs
from kit.store import Unit
from services.case_service import store_beside as queries
from services.case_service.api.views import TheStore, View
from services.case_service.domain.act import Policy
from services.case_service.domain.calendar import local_day
from services.case_service.domain.flow import (
    DEFAULT_SUB_REASONS,
    FAILED_RESULTS,
    STANDARD,
    Flow,
    FlowBook,
    FlowContent,
    SubReasons,
    flow_key,
    valid_on,
)
from services.case_service.errors import StaleVersion

Reader = Annotated[Principal, Depends(needs("setting:read"))]
Editor = Annotated[Principal, Depends(needs("setting:edit"))]
OTHER = "other"


class NewFlow(FlowContent):
    """The next version of a flow. A version that exists never changes; running cases keep theirs."""

    operator: Code
    case_type: CaseType
    valid_from: date
    """Cases that open from this day on get it."""
    expected_version: int | None = None
    """Number of the newest version on which the editor decided."""


class FlowView(View):
    """All versions of an operator's flow, oldest first; version 1 comes with the product."""

    operator: Code
    case_type: CaseType
    in_force: int
    """Number of the version that a case opened today gets."""
    versions: tuple[Flow, ...]


class FlowPage(View):
    """The flows of an operator, one per case type."""

    items: tuple[FlowView, ...]


class NewSubReasons(Part):
    """Why visits of an operator may fail: each code with the failed result that it belongs to."""

    operator: Code
    reasons: Annotated[dict[Code, Result], Field(min_length=1, max_length=100, examples=[dict(DEFAULT_SUB_REASONS)])]
    expected_version: int | None = None

    @model_validator(mode="after")
    def _belong_to_failures(self) -> Self:
        if strange := sorted(code for code, result in self.reasons.items() if result not in FAILED_RESULTS):
            raise ValueError(f"{', '.join(strange)}: only results of failed visits have sub-reasons")
        if missing := sorted(FAILED_RESULTS - set(self.reasons.values())):
            raise ValueError(f"{', '.join(missing)} needs a sub-reason")
        return self


class SubReasonView(View):
    """The sub-reasons of an operator. `version` 0: it keeps the default."""

    operator: Code
    version: int
    reasons: dict[Code, Result]
    needs_text: tuple[Code, ...]


def routes(policy: Policy) -> APIRouter:
    """The routes, with the operator's days."""
    router = APIRouter()
    _flows(router, policy)
    _sub_reasons(router)
    return router


def _flows(router: APIRouter, policy: Policy) -> None:
    @router.get("/v1/flows")
    async def read_flows(operator: Code, _: Reader, store: TheStore) -> FlowPage:
        """Every version of every flow of an operator."""
        books = await store.read(lambda db: queries.flows(db, operator))
        found = {row.case_type: row.versions for row in books}
        today = local_day(store.clock.now(), policy.zone)
        every = (
            FlowBook(flow_key=flow_key(operator, each), operator=operator, case_type=each, versions=found.get(each, ()))
            for each in CaseType
        )
        return FlowPage(items=tuple(_flow_view(book, today) for book in every))

    @router.put("/v1/flows")
    async def put_flow(body: NewFlow, editor: Editor, store: TheStore) -> FlowView:
        """Add a version to a flow. The same words again are no new version."""
        key = flow_key(body.operator, body.case_type)

        def command(unit: Unit) -> FlowView:
            book = unit.find(FlowBook, key)
            if book is None:
                book = FlowBook(flow_key=key, operator=body.operator, case_type=body.case_type)
                unit.add(book)
            before = book.newest.number
            _as_decided(body.expected_version, before)
            given = {name: getattr(body, name) for name in FlowContent.model_fields}
            book.put(FlowContent(**given), body.valid_from)
            unit.audit("setting:edit", f"flow/{key}", old=before, new=book.newest.number)
            return _flow_view(book, local_day(unit.now, policy.zone))

        return await store.run(editor, command, needs=[(FlowBook, key)])


def _sub_reasons(router: APIRouter) -> None:
    @router.get("/v1/sub-reasons")
    async def read_sub_reasons(operator: Code, reader: Reader, store: TheStore) -> SubReasonView:
        """Why visits of an operator may fail."""

        def ask(unit: Unit) -> SubReasonView:
            return _reason_view(unit.find(SubReasons, operator), operator)

        return await store.run(reader, ask, needs=[(SubReasons, operator)])

    @router.put("/v1/sub-reasons")
    async def put_sub_reasons(body: NewSubReasons, editor: Editor, store: TheStore) -> SubReasonView:
        """Replace the sub-reasons of an operator; reports that came before keep theirs."""

        def command(unit: Unit) -> SubReasonView:
            kept = unit.find(SubReasons, body.operator)
            _as_decided(body.expected_version, kept.version if kept else 0)
            if kept is None:
                kept = SubReasons(operator=body.operator)
                unit.add(kept)
            added = sorted(body.reasons.keys() - kept.reasons.keys())
            gone = sorted(kept.reasons.keys() - body.reasons.keys())
            changed = kept.reasons != body.reasons
            kept.reasons = dict(body.reasons)
            unit.audit("setting:edit", f"sub_reasons/{body.operator}", added=added, removed=gone)
            return _reason_view(kept, body.operator, kept.version + changed)

        return await store.run(editor, command, needs=[(SubReasons, body.operator)])


def _as_decided(expected: int | None, present: int) -> None:
    if expected not in {None, present}:
        raise StaleVersion(f"Version {expected} is not the present one: {present}.", current_version=present)


def _flow_view(book: FlowBook, today: date) -> FlowView:
    versions = (STANDARD[book.case_type], *book.versions)
    in_force = valid_on(book, book.case_type, today).number
    return FlowView(operator=book.operator, case_type=book.case_type, in_force=in_force, versions=versions)


def _reason_view(kept: SubReasons | None, operator: Code, version: int | None = None) -> SubReasonView:
    reasons = kept.reasons if kept else dict(DEFAULT_SUB_REASONS)
    known = (kept.version if kept else 0) if version is None else version
    return SubReasonView(
        operator=operator, version=known, reasons=reasons, needs_text=(OTHER,) if OTHER in reasons else ()
    )
