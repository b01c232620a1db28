"""Quotes over HTTP: made, sent, and signed once, which opens the case (S2-08)."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from contracts.codes import CaseType, LegalBasis, Origin, Scheme
from contracts.event import Part
from contracts.ids import Code, Ref
from contracts.ids import Principal as PrincipalId
from contracts.parts import Address, Area, Contact, DevicePlan
from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.http import cursor, read_cursor
from kit.problems import refusals
from kit.store import Ref as Wanted
from kit.store import Unit
from services.case_service import store_beside as queries
from services.case_service.acts import act_of, conclude, known, of_case, sees
from services.case_service.api.views import TheStore, View
from services.case_service.domain.act import Policy
from services.case_service.domain.calendar import local_day
from services.case_service.domain.case import Case
from services.case_service.domain.flow import FlowBook, flow_key, valid_on
from services.case_service.domain.intake import Quote, QuoteState, link_installer, state_on
from services.case_service.domain.opening import A_METER, open_in_house
from services.case_service.domain.orders import point_key
from services.case_service.domain.sla_targets import SlaTargets, aim
from services.case_service.errors import MoveNotAllowed, QuoteExpired

Creator = Annotated[Principal, Depends(needs("case:create"))]
NEW = CaseType.NEW_CONNECTION
Limit = Annotated[int, Query(ge=1, le=500)]


class NewQuote(Part):
    """What is offered to whom, and until when."""

    operator: Code
    metering_point_id: Ref
    metering_point_scheme: Scheme
    area: Area
    address: Address
    contact: Contact
    device_plan: DevicePlan = A_METER
    installer: PrincipalId | None = None
    """Who follows the case once it is signed."""
    valid_to: date


class QuoteView(View):
    """A quote without its customer, who is read with the case."""

    quote_id: UUID
    operator: str
    metering_point_id: str
    state: QuoteState
    valid_to: date
    case_id: UUID | None


class QuotePage(View):
    """Quotes, and where the next page begins."""

    items: tuple[QuoteView, ...]
    next: str | None


def routes(policy: Policy) -> APIRouter:
    """The routes, with the operator's days."""
    router = APIRouter()

    @router.get("/v1/quotes")
    async def list_quotes(creator: Creator, store: TheStore, after: str | None = None, limit: Limit = 100) -> QuotePage:
        """Quotes in the order of their making."""
        begin = UUID(read_cursor(after, str)[0]) if after else None
        found = await store.read(lambda db: queries.quotes(db, creator.scope, after=begin, limit=limit))
        today = local_day(store.clock.now(), policy.zone)
        more = cursor(str(found[-1].quote_id)) if len(found) == limit else None
        return QuotePage(items=tuple(_view(row, today) for row in found), next=more)

    @router.post("/v1/quotes", status_code=201)
    async def make_quote(body: NewQuote, creator: Creator, store: TheStore) -> QuoteView:
        """Make a quote; the customer has it when it is sent."""

        def command(unit: Unit) -> QuoteView:
            made = {name: getattr(body, name) for name in NewQuote.model_fields}
            quote = Quote(quote_id=unit.new_id(), state=QuoteState.DRAFT, made_by=creator.id, made_at=unit.now, **made)
            unit.add(quote)
            unit.audit("quote:make", f"quote/{quote.quote_id}")
            return _view(quote, local_day(unit.now, policy.zone))

        return await store.run(creator, command)

    @router.post("/v1/quotes/{quote_id}/send", responses=refusals(MoveNotAllowed, QuoteExpired))
    async def send_quote(quote_id: UUID, creator: Creator, store: TheStore) -> QuoteView:
        """The customer has it and may sign."""

        def command(unit: Unit) -> QuoteView:
            quote, today = _mine(unit.get(Quote, str(quote_id)), creator), local_day(unit.now, policy.zone)
            quote.send(today)
            unit.audit("quote:send", f"quote/{quote_id}")
            return _view(quote, today)

        return await store.run(creator, command, needs=[(Quote, str(quote_id))])

    @router.post("/v1/quotes/{quote_id}/sign", responses=refusals(MoveNotAllowed, QuoteExpired))
    async def sign_quote(quote_id: UUID, creator: Creator, store: TheStore) -> QuoteView:
        """The customer signed: the case opens. Signed again, it is the same case; too late, `quote-expired`."""
        command = Signing(str(quote_id), creator, policy)
        return await store.run(creator, command, needs=command.needs)

    return router


class Signing:
    """The command behind a signature."""

    def __init__(self, quote_id: str, creator: Principal, policy: Policy) -> None:
        self.quote_id, self.creator, self.policy = quote_id, creator, policy

    def needs(self, unit: Unit) -> Iterable[Wanted]:
        """The quote, and what is open at its point."""
        yield Quote, self.quote_id
        if quote := unit.find(Quote, self.quote_id):
            if quote.case_id:
                yield from of_case(unit, str(quote.case_id))
            yield FlowBook, flow_key(quote.operator, NEW)
            yield SlaTargets, quote.operator
            yield from of_case(unit, point_key(quote.operator, quote.metering_point_id, NEW))

    def __call__(self, unit: Unit) -> QuoteView:
        """Sign it, unless it was signed before. The case is named to whom it is there."""
        quote, today = _mine(unit.get(Quote, self.quote_id), self.creator), local_day(unit.now, self.policy.zone)
        if quote.state is not QuoteState.SIGNED:
            quote.may_be_signed(today)
            case = _register(unit, self.policy, quote)
            quote.signed(case)
            unit.audit("quote:sign", f"case/{case.case_id}/{self.quote_id}")
        found, case = _view(quote, today), unit.get(Case, str(quote.case_id))
        return found if sees(case, self.creator.scope) else found.model_copy(update={"case_id": None})


def _register(unit: Unit, policy: Policy, quote: Quote) -> Case:
    """The case of a signed quote. One that is open at the point already takes it; of a case that is not the signer's,
    whoever sees it decides whether an installer follows it."""
    act = act_of(unit, policy)
    point = point_key(quote.operator, quote.metering_point_id, NEW)
    if unit.find(Case, point) is not None:
        there = known(unit, point)
        if quote.installer and sees(there, unit.principal.scope):
            link_installer(there, quote.installer)
        there.remark(act, None, "quote_signed", quote_id=str(quote.quote_id))
        conclude(there, unit, act)
        return there
    if quote.address is None:
        raise MoveNotAllowed("The quote names no address any more.")
    case = open_in_house(
        act,
        operator=quote.operator,
        case_type=NEW,
        origin=Origin.QUOTE,
        legal_basis=LegalBasis.CONTRACT,
        metering_point_id=quote.metering_point_id,
        metering_point_scheme=quote.metering_point_scheme,
        area=quote.area,
        address=quote.address,
        contact=quote.contact,
        plan=quote.device_plan,
        holds_point=True,
        flow=valid_on(unit.find(FlowBook, flow_key(quote.operator, NEW)), NEW, act.today),
        installer=quote.installer,
    )
    aim(case, unit.find(SlaTargets, quote.operator), policy)
    unit.add(case)
    conclude(case, unit, act)
    return case


def _mine(quote: Quote, creator: Principal) -> Quote:
    """A partner's key reaches what it made itself; anything else does not exist for it."""
    if creator.scope.kind != "all" and quote.made_by != creator.id:
        raise NotFound(f"there is no quote {quote.quote_id}")
    return quote


def _view(quote: Any, today: date) -> QuoteView:
    """Of a quote, or of its row."""
    return QuoteView(
        quote_id=quote.quote_id,
        operator=quote.operator,
        metering_point_id=quote.metering_point_id,
        state=state_on(quote.state, quote.valid_to, today),
        valid_to=quote.valid_to,
        case_id=quote.case_id,
    )
