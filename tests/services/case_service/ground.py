"""Cases that stand in any column of a real database, and everything that may be under way towards them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

from contracts.codes import Result
from contracts.event import Event
from contracts.ids import WorkOrderId
from contracts.orders import MasterDataReceived, OrderAmended, OrderCancelled
from contracts.roles import Role
from kit.auth import Principal, Scope
from kit.bus import Abandon
from kit.errors import HubError
from kit.processing import Processor
from kit.store import Unit
from kit.testing import Stage
from services.case_service.acts import act_of, conclude
from services.case_service.api.moving import Moving
from services.case_service.domain import moves
from services.case_service.domain.act import Policy
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Bookable
from services.case_service.domain.incoming.orders import cancel_order
from services.case_service.domain.incoming.table import hear
from services.case_service.domain.orders import open_case
from services.case_service.domain.requests import MoveRequest
from services.case_service.domain.states import Column
from services.case_service.domain.visits import VisitConflict, keep_conflict
from services.case_service.domain.work_order import PendingOffer, WorkOrder
from services.case_service.errors import Objection
from tests.unit.case_service import facts
from tests.unit.case_service.builders import (
    APPOINTMENT,
    NOW,
    TECHNICIAN,
    a_request,
    an_act,
    an_order,
    approve,
    in_the_field,
    plan,
    put,
    resolve,
)
from tests.unit.case_service.lives import fitting_report

POLICY = Policy()
EVERYWHERE = Scope.everything("the test is the whole staff")
ANNA = Principal("person:local:anna", frozenset({Role.DISPATCHER, Role.MDM}), EVERYWHERE, "person")
TOM = Principal("person:local:tom", frozenset({Role.TECHNICIAN}), Scope("technician", str(TECHNICIAN)), "person")
IN_THE_FIELD = frozenset({"start", "resolve"})
CANCELLED_VERSION = 2
NUMBERS = count(1)
UNDER_WAY = frozenset({Column.PL, Column.RP, Column.AR, Column.RD, Column.IP})
"""Columns in which somebody plans, waits for the customer or goes there."""


@dataclass(frozen=True)
class Place:
    """Where a case stands: the column of its work order, and what else is known there."""

    name: str
    column: Column
    attributes: Mapping[str, Any] = field(default_factory=dict)
    result: Result | None = None
    """A visit that was reported although the column does not say so."""
    approved: bool = False


OFFER = {"offer": 1, "pending": PendingOffer(channel="sms", asked_at=NOW)}
PLACES: tuple[Place, ...] = (
    *(Place(str(column), column) for column in Column),
    Place("PL with an offer", Column.PL, OFFER),
    Place("MF from the field", Column.MF, {"came_from": "IN_PROGRESS", "dispatched_to": TECHNICIAN}),
    Place("MF reported", Column.MF, {}, Result.OK, approved=True),
)


def a_case_at(place: Place) -> tuple[Case, list[Event]]:
    """A case of its own in this place, and the facts that told of its opening."""
    number = next(NUMBERS)
    order = an_order(
        order_key=f"erp-a:{number}", order_no=str(number), metering_point_id=f"DE{number:031}", address=address(number)
    )
    case = open_case(an_act("system:case_service"), order)
    opening = list(case.told)
    case.told.clear()
    case.beside.clear()
    case.bookable = Bookable(notice_required=False, bookable_from=NOW.date())
    first = case.work_orders[0]
    put(case, first, place.column)
    first.appointment_id = UUID(int=APPOINTMENT.int + (number << 32)) if first.appointment_id else None
    for name, value in place.attributes.items():
        setattr(first, name, value)
    if place.result:
        plan(first)
        resolve(first, place.result)
    if place.approved:
        approve(first)
    return case, opening


def address(number: int) -> dict[str, str]:
    return {"street": "Am Markt", "number": str(number), "postcode": "00101", "city": "Musterstadt", "country": "DE"}


def withdrawal(case: Case, version: int = CANCELLED_VERSION) -> OrderCancelled:
    """The partner cancels the case's order."""
    return OrderCancelled(
        order_key=case.references[0].order_key,
        partner="erp-a",
        version=version,
        reason="moved_out",
        cancelled_by="erp-a",
        received_at=NOW,
    )


@dataclass(frozen=True)
class Flight:
    """One thing that is under way towards a case."""

    name: str
    move: MoveRequest | None = None
    fact: Event | None = None
    conflict: VisitConflict | None = None

    @property
    def mover(self) -> Principal:
        return TOM if self.move and self.move.move in IN_THE_FIELD else ANNA


def names_of_flights() -> list[tuple[str, int]]:
    """Every move and every row of the events, each with the number of its variants."""
    case, _ = a_case_at(PLACES[0])
    of_moves = [(name, len(variants(name, case.current))) for name in moves.MOVES]
    of_facts = [(row, len(told)) for row, told in all_facts(case).items()]
    return of_moves + of_facts


def all_facts(case: Case) -> dict[str, list[Event]]:
    """Every fact about a case that may be under way."""
    return {**facts.facts(case, case.by_sequence[0]), **of_its_order(case)}


def of_its_order(case: Case) -> dict[str, list[Event]]:
    """What the partner may have sent before it withdrew: nothing of it is newer than the withdrawal."""
    key = case.references[0].order_key
    known = {"order_key": key, "partner": "erp-a", "received_at": NOW, "version": CANCELLED_VERSION}
    changed = {"priority": {"old": 50, "new": 7}}
    point = {"metering_point_id": case.metering_point_id}
    return {
        "OrderReceived": [an_order(**known, **point, order_no=key.partition(":")[2], priority=9)],
        "OrderAmended": [OrderAmended(**known, priority=8)],
        "MasterDataReceived": [
            MasterDataReceived(
                order_key=key, metering_point_id=case.metering_point_id, origin="partner", changed=changed
            )
        ],
    }


def variants(move: str, order: WorkOrder) -> list[MoveRequest]:
    """A move with everything that guards want, in each of its forms."""
    if move in {"resolve", "correct_report"}:
        return [a_request(move, report=fitting_report(order, result)) for result in Result]
    if move == "close_case":
        return [a_request(move, resolution=each) for each in ("cancelled", "no_more_attempts", "not_needed")]
    if move == "order_field_visit":
        return [a_request(move, decision=each) for each in ("complete_anyway", "reverse")]
    return [a_request(move)]


def flight_of(case: Case, name: str, number: int) -> Flight:
    """The thing of this name that is under way towards this case, as it stands now."""
    first = case.by_sequence[0]
    if name not in moves.MOVES:
        return Flight(f"{name} {number}", fact=all_facts(case)[name][number])
    request, conflict = variants(name, first)[number], None
    if name == "accept_report":
        conflict = keep_conflict(case, in_the_field(), first, fitting_report(first, Result.OK))
        request = request.model_copy(update={"conflict_id": conflict.conflict_id})
    return Flight(f"{name} {number}", move=request, conflict=conflict)


class Ground:
    """A case_service on a stage, with ways to put cases there and to let things happen to them."""

    def __init__(self, stage: Stage, second: Processor | None = None) -> None:
        self.stage = stage
        self.second = second or stage.processor
        """Another worker on the same database, where tests want two."""

    async def places(self, cases: Iterable[Case], beside: Iterable[VisitConflict] = ()) -> None:
        """Keep cases that were built."""

        def command(unit: Unit) -> None:
            for case in cases:
                unit.add(case)
                conclude(case, unit, act_of(unit, POLICY))
            for each in beside:
                unit.add(each)

        await self.stage.run(command)

    async def kept(self, keys: Sequence[UUID]) -> list[Case]:
        """The cases as they are kept."""
        needs = [(Case, str(key)) for key in keys]
        found: list[Case] = await self.stage.run(lambda unit: [unit.get(*need) for need in needs], needs=needs)
        return found

    async def moves(self, work_order_id: WorkOrderId, request: MoveRequest, mover: Principal = ANNA) -> str | None:
        """Do the command behind the route; answers the code of its refusal."""
        command = Moving(work_order_id, request, mover, POLICY)
        try:
            await self.stage.store.run(mover, command, needs=command.needs)
        except HubError as refused:
            return refused.code
        return None

    async def hears(self, told: Sequence[Event], by: Processor | None = None) -> None:
        """Facts arrive, in deliveries as a broker makes them; nothing is parked."""
        for begin in range(0, len(told), 400):
            batch = [self.stage.record(fact) for fact in told[begin : begin + 400]]
            await (by or self.stage.processor).deliver(batch, Abandon())
        assert await self.stage.parked() == []


# the same on a case that is kept nowhere


def apply(case: Case, flight: Flight) -> None:
    """What a flight does, in the pure domain; what is refused changes nothing."""
    if flight.fact is not None:
        hear(case, an_act("system:case_service"), flight.fact)
        return
    act = in_the_field() if flight.mover is TOM else an_act()
    ask = moves.ask_for(case, act, case.by_sequence[0].work_order_id, flight.move, None)
    if not moves.objections(ask):
        try:
            moves.move(ask, flight.conflict)
        except Objection as late:
            raise AssertionError("refused after nothing objected") from late


def withdraw(case: Case) -> None:
    cancel_order(case, an_act("system:case_service"), withdrawal(case))


def outcome(case: Case) -> tuple[Any, ...]:
    """What a case came to, as partners and people see it."""
    of_orders = tuple(
        (each.column, each.outcome, each.close_reason, each.cancellation, each.rejection, each.approved)
        for each in case.by_sequence
    )
    of_handovers = tuple((each.fact, each.attempt, each.state) for each in case.handovers)
    of_exceptions = tuple(sorted((each.type, each.state) for each in case.exceptions))
    return of_orders, case.ending, of_handovers, of_exceptions, case.gate_evidence is not None
