"""Withdrawals on a real database (lifecycle §6): each row of the matrix, and races against everything under way."""

import asyncio
import copy
import random
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest

from contracts.cases import CaseCancelled, HandoverRequested, MaterialReleased
from contracts.codes import Cancellation, HubReason, State
from contracts.event import Event
from contracts.handovers import HandoverRejected
from kit.processing import Processor
from kit.testing import Stage
from services.case_service.app import build
from services.case_service.domain.case import Case, Ending
from services.case_service.domain.states import Column
from services.case_service.domain.work_order import WorkOrder
from services.case_service.settings import Settings
from tests.services.case_service.ground import (
    PLACES,
    UNDER_WAY,
    Flight,
    Ground,
    Place,
    a_case_at,
    apply,
    flight_of,
    names_of_flights,
    outcome,
    withdraw,
    withdrawal,
)
from tests.unit.case_service import facts
from tests.unit.case_service.builders import a_request
from tests.unit.case_service.lives import laws_hold

BOTH = ("sqlite", "postgresql")


@pytest.fixture(params=BOTH)
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ground]:
    """case_service on either database; on PostgreSQL two workers, whose transactions run side by side."""
    url: Callable[[], str] = request.getfixturevalue("new_database") if request.param == "postgresql" else str
    stage = await Stage.open(build, tmp_path, settings=Settings, database_url=url() or None)
    second = Processor(stage.service.name, stage.store, stage.service.handlers)
    yield Ground(stage, second)
    await stage.close()


DECISIONS = frozenset({"close_case", "data_corrected", "order_field_visit"})


class Race(NamedTuple):
    """A case, and what is under way towards it while its partner withdraws."""

    place: Place
    flight: Flight
    case: Case

    @property
    def key(self) -> UUID:
        return self.case.case_id

    @property
    def name(self) -> str:
        return f"{self.flight.name} in {self.place.name}"

    def decided(self, withdrawn_first: bool) -> bool:
        """Nothing waits for a decision: it was what was under way, or there was nothing to decide in C+."""
        decides = self.flight.move is not None and self.flight.move.move in DECISIONS
        return withdrawn_first and (decides or self.place.column is Column.CLOSED_WELL)

    def answered(self, case: Case, withdrawn_first: bool) -> int:
        """How often the partner must have heard of its withdrawal, once all is decided."""
        if case.references[0].current_key is None:
            return 0  # a newer version opened another case, which is asked and answers now
        if any(order.cancellation is Cancellation.REVERSE for order in case.unclosed):
            return 0  # the work is still there, and somebody has to take it back
        rejected = self.flight.fact if isinstance(self.flight.fact, HandoverRejected) else None
        withdraws = rejected and rejected.reasons[0].hub_reason is HubReason.CANCELLED_BY_CIS
        handed_over = self.place.column is Column.CLOSED_WELL
        return 2 if withdraws and handed_over and not withdrawn_first else 1  # it withdrew two versions


def all_races(most: int) -> list[Race]:
    """Every place × every move and fact, in so many of its variants at most."""
    races = []
    for place in PLACES:
        for name, variants in names_of_flights():
            for number in range(min(variants, most)):
                case, _ = a_case_at(place)
                races.append(Race(place, flight_of(case, name, number), case))
    return races


async def set_out(ground: Ground, races: Sequence[Race]) -> None:
    """Put the cases where they stand; they are copied, for what is kept is not ours any more."""
    kept = [race.flight.conflict for race in races if race.flight.conflict]
    await ground.places([copy.deepcopy(race.case) for race in races], kept)


async def arrive(ground: Ground, races: Sequence[Race]) -> None:
    """What is under way arrives: facts in deliveries, moves one by one."""
    await ground.hears([race.flight.fact for race in races if race.flight.fact])
    asked = [race for race in races if race.flight.move]
    for at in range(0, len(asked), 8):
        await asyncio.gather(*(ask(ground, race) for race in asked[at : at + 8]))


async def ask(ground: Ground, race: Race) -> None:
    """A person makes the move; what is refused changes nothing."""
    assert race.flight.move is not None
    await ground.moves(race.case.by_sequence[0].work_order_id, race.flight.move, race.flight.mover)


async def partners_withdraw(ground: Ground, races: Sequence[Race]) -> None:
    await ground.hears([withdrawal(race.case) for race in races])


async def people_decide(ground: Ground, cases: Sequence[Case]) -> None:
    """Whatever waits for a decision gets one: cancelled; or completed anyway, where the work stands on site."""
    waiting = [(case, order) for case in cases for order in case.by_sequence if order.undecided]
    close = a_request("close_case", resolution="cancelled", customer_informed=True, technician_informed=True)
    stands = []
    for case, order in waiting:
        if await ground.moves(order.work_order_id, close) == "device-on-site":
            stands.append((case, order))
    await ground.hears([facts.approved(case, order) for case, order in stands])
    for _, order in stands:
        assert await ground.moves(order.work_order_id, a_request("data_corrected")) is None


def begun(case: Case) -> list[WorkOrder]:
    """Open work orders, but for follow-ups that are decided with their predecessor."""
    return [order for order in case.unclosed if not (order.state is State.OPEN and order.predecessor)]


async def told_by_case(ground: Ground) -> dict[UUID, list[Event]]:
    """What was told so far, by case."""
    found: dict[UUID, list[Event]] = {}
    for fact in await ground.stage.told():
        found.setdefault(fact.case_id, []).append(fact)
    return found


def answers(told: Sequence[Event]) -> list[str]:
    """What the partner heard about its withdrawal."""
    return [str(f.decision) for f in told if isinstance(f, HandoverRequested) and f.fact == "cancelled"]


@pytest.mark.parametrize("withdrawn_first", [True, False], ids=["withdrawn first", "withdrawn second"])
@pytest.mark.parametrize("variants", [1, pytest.param(9, marks=pytest.mark.slow)], ids=["one form", "every form"])
async def test_after_every_two_step_interleaving_nobody_plans_or_goes_there_and_a_decision_ends_it(
    ground: Ground, withdrawn_first: bool, variants: int
) -> None:
    races = all_races(variants)
    await set_out(ground, races)
    for step in (partners_withdraw, arrive) if withdrawn_first else (arrive, partners_withdraw):
        await step(ground, races)
    cases = await ground.kept([race.key for race in races])
    for race, case in zip(races, cases, strict=True):
        laws_hold(case)
        assert not {order.column for order in case.work_orders} & UNDER_WAY, race.name
        assert not any(order.pending or order.replied_at for order in case.work_orders if order.undecided), race.name
        assert race.decided(withdrawn_first) or all(order.undecided for order in begun(case)), race.name
    await people_decide(ground, cases)
    told = await told_by_case(ground)
    for race, case in zip(races, await ground.kept([race.key for race in races]), strict=True):
        laws_hold(case)
        assert not any(order.undecided for order in case.work_orders), race.name
        heard = told.get(race.key, [])
        assert len(answers(heard)) == race.answered(case, withdrawn_first), race.name
        if case.ending is Ending.CANCELLED:
            assert answers(heard) == ["confirmed"], race.name
            assert sum(isinstance(fact, CaseCancelled) for fact in heard) == 1, race.name
            released = {fact.work_order_id for fact in heard if isinstance(fact, MaterialReleased)}
            closed = {order.work_order_id for order in case.work_orders if order.close_reason == "CANCELLED"}
            assert closed <= released, race.name


RIVALS: tuple[tuple[Place, str, int], ...] = (
    (Place("IP", Column.IP), "resolve", 0),
    (Place("IP", Column.IP), "resolve", 3),
    (Place("R+", Column.RESOLVED_WELL), "ReviewApproved", 0),
    (Place("AR", Column.AR), "AppointmentConfirmed", 0),
    (next(place for place in PLACES if place.name == "PL with an offer"), "NoticeSent", 0),
    (Place("C+", Column.CLOSED_WELL), "HandoverAccepted (exchange)", 0),
)
"""J49: what a withdrawal races against."""


def serial_results(race: Race) -> list[tuple[object, ...]]:
    """What the case comes to if one is simply done after the other, both ways."""
    found = []
    for withdrawn_first in (True, False):
        case = copy.deepcopy(race.case)
        steps: list[Callable[[Case], None]] = [withdraw, lambda case: apply(case, race.flight)]
        for step in steps if withdrawn_first else steps[::-1]:
            step(case)
        found.append(outcome(case))
    return found


@pytest.mark.parametrize("rounds", [4, pytest.param(20, marks=pytest.mark.slow)], ids=["200", "1000"])
async def test_X15_J49_whoever_commits_first_it_is_one_of_the_two_serial_results(ground: Ground, rounds: int) -> None:
    chance = random.Random(49)
    for _ in range(rounds):
        races = []
        for _ in range(50):
            place, name, number = chance.choice(RIVALS)
            case, _ = a_case_at(place)
            races.append(Race(place, flight_of(case, name, number), case))
        await set_out(ground, races)
        await at_once(ground, races, chance)
        cases = await ground.kept([race.key for race in races])
        for race, case in zip(races, cases, strict=True):
            laws_hold(case)
            assert outcome(case) in serial_results(race), race.name
        await people_decide(ground, cases)
        told = await told_by_case(ground)
        for race in races:
            assert len(answers(told[race.key])) == 1, race.name


async def at_once(ground: Ground, races: Sequence[Race], chance: random.Random) -> None:
    """Withdrawals by one worker, facts by another, every move by itself; in pieces, so that both orders occur."""

    def pieces(facts: list[Event]) -> list[list[Event]]:
        chance.shuffle(facts)
        return [facts[at : at + 5] for at in range(0, len(facts), 5)]

    async def deliver(facts: list[Event], by: Processor) -> None:
        for piece in pieces(facts):
            await ground.hears(piece, by)

    withdrawals = deliver([withdrawal(race.case) for race in races], ground.stage.processor)
    news = deliver([race.flight.fact for race in races if race.flight.fact], ground.second)
    reports = [ask(ground, race) for race in races if race.flight.move]
    chance.shuffle(reports)
    await asyncio.gather(withdrawals, *reports, news)


class Row(NamedTuple):
    """One row of the matrix of section 6, as far as case_service owns its columns."""

    to: State
    move: str | None
    urgent: bool
    """A decision is pressed for after two hours instead of two working days; the technician is called."""
    customer: bool
    """Somebody must tell the customer."""
    answered: tuple[str, ...]
    """What the partner hears at once."""
    decided: tuple[str, ...]
    """What it has heard once people decided."""
    installed: bool = False


MF, CLOSED = State.MANUAL_FOLLOW_UP, State.CLOSED
# fmt: off
MATRIX: dict[str, tuple[Place, Row]] = {
    "OPEN":             (PLACES[0],  Row(CLOSED, "T28", False, False, ("confirmed",), ("confirmed",))),
    "PLANNING":         (PLACES[1],  Row(MF, "T29", False, False, (), ("confirmed",))),
    "READY_TO_PRINT":   (PLACES[2],  Row(MF, "T29", False, False, (), ("confirmed",))),
    "AWAITING_REPLY":   (PLACES[3],  Row(MF, "T29", False, True,  (), ("confirmed",))),
    "MANUAL_FOLLOW_UP": (Place("MF", Column.MF, {"customer_knows": True}),
                                     Row(MF, "T29", False, True,  (), ("confirmed",))),
    "READY":            (PLACES[5],  Row(MF, "T29", True,  True,  (), ("confirmed",))),
    "IN_PROGRESS":      (PLACES[6],  Row(MF, "T29", True,  True,  (), ("confirmed",))),
    "RESOLVED well":    (PLACES[7],  Row(MF, "T30", False, True,  (), ("too_late",), installed=True)),
    "RESOLVED failed":  (PLACES[8],  Row(MF, "T30", False, True,  (), ("confirmed",))),
    "REOPENED":         (PLACES[9],  Row(MF, "T29", False, True,  (), ("confirmed",))),
    "ON_HOLD":          (PLACES[10], Row(MF, "T29", False, False, (), ("confirmed",))),
    "REJECTED_BY_MDM":  (PLACES[11], Row(MF, "T29", False, True,  (), ("too_late",), installed=True)),
    "CLOSED well":      (PLACES[12], Row(CLOSED, None, False, False, ("too_late",), ("too_late",), installed=True)),
    "CLOSED otherwise": (PLACES[13], Row(CLOSED, None, False, False, ("confirmed",), ("confirmed",))),
}
# fmt: on


@pytest.mark.parametrize("state", MATRIX)
async def test_S3_47_a_withdrawal_does_what_its_row_says(ground: Ground, state: str) -> None:
    place, row = MATRIX[state]
    case, _ = a_case_at(place)
    before = copy.deepcopy(case.by_sequence[0])
    await ground.places([case])
    await ground.stage.told_since()
    await ground.hears([withdrawal(case)])
    (kept,) = await ground.kept([case.case_id])
    order, told = kept.by_sequence[0], await ground.stage.told_since()
    moved = [fact.move for fact in told if type(fact).__name__ == "WorkOrderMoved"]
    assert (order.state, moved, answers(told)) == (row.to, [row.move] if row.move else [], list(row.answered))
    assert order.undecided == (row.to is MF)
    assert (order.pending, order.replied_at, order.offer) == (None, None, before.offer), "the offer is void"
    assert (order.appointment_id, order.start) == (before.appointment_id, before.start), "booking keeps it, locked"
    assert any(isinstance(fact, MaterialReleased) for fact in told) == (state == "OPEN"), "kept until T31"
    await its_tasks_are(ground, row, before)
    await people_decide(ground, [kept])
    (decided,) = await ground.kept([case.case_id])
    told += await ground.stage.told_since()
    assert answers(told) == list(row.decided)
    assert decided.by_sequence[0].state is State.CLOSED
    assert (decided.ending is Ending.CANCELLED) == (not row.installed and state != "CLOSED otherwise")
    if row.to is MF and not row.installed:
        assert any(isinstance(fact, MaterialReleased) for fact in told), "T31 releases"


async def its_tasks_are(ground: Ground, row: Row, before: object) -> None:
    """Who must be told, how soon it presses, and the comment with what was."""
    remarks = await ground.stage.rows("remarks")
    hot = [remark.code for remark in remarks if remark.hotlist]
    assert ("tell_customer" in hot, "call_technician" in hot) == (row.customer, row.urgent)
    comments = [remark.params for remark in remarks if remark.code == "cancelled_by_partner"]
    waiting = {timer.kind: timer.due_at for timer in await ground.stage.rows("timers")}
    if row.to is not MF:
        assert (comments, "cancel_decision" in waiting) == ([], False)
        return
    (comment,) = comments
    known = {name: getattr(before, name) for name in ("state", "outcome", "result")}
    assert comment == {name: value for name, value in known.items() if value is not None}
    assert ("installed_while_withdrawn" in hot) == row.installed
    hours = (waiting["cancel_decision"] - ground.stage.clock.now()).total_seconds() / 3600
    assert (hours == 2) == row.urgent


@pytest.mark.parametrize("place", ["PL with an offer", "RP"])
async def test_S3_47_an_offer_that_left_after_all_makes_a_task_to_tell_the_customer(ground: Ground, place: str) -> None:
    case, _ = a_case_at(next(each for each in PLACES if each.name == place))
    row = "LetterPrinted" if place == "RP" else "NoticeSent"
    late = flight_of(case, row, 0).fact
    await ground.places([case])
    await ground.hears([withdrawal(case)])
    assert late is not None
    await ground.hears([late])
    hot = [remark.code for remark in await ground.stage.rows("remarks") if remark.hotlist]
    assert "tell_customer" in hot
    close = a_request("close_case", resolution="cancelled", customer_informed=False)
    (kept,) = await ground.kept([case.case_id])
    assert await ground.moves(kept.by_sequence[0].work_order_id, close) == "customer-not-informed"


@pytest.mark.parametrize("kind", ["OrderReceived", "OrderAmended"])
async def test_S3_47_only_a_version_newer_than_the_withdrawal_takes_it_back(ground: Ground, kind: str) -> None:
    case, _ = a_case_at(PLACES[5])
    same = flight_of(case, kind, 0).fact
    await ground.places([case])
    await ground.hears([withdrawal(case)])
    assert same is not None
    await ground.hears([same])
    (kept,) = await ground.kept([case.case_id])
    assert kept.by_sequence[0].cancellation is Cancellation.UNDECIDED
    await ground.hears([same.model_copy(update={"version": 3})])
    (kept,) = await ground.kept([case.case_id])
    assert (kept.by_sequence[0].state, kept.by_sequence[0].cancellation) == (MF, Cancellation.NONE)


async def test_of_twenty_who_decide_on_one_version_at_once_one_wins_and_the_others_see_it(ground: Ground) -> None:
    case, _ = a_case_at(PLACES[1])
    await ground.places([case])
    order = case.by_sequence[0].work_order_id
    (before,) = await ground.kept([case.case_id])
    request = a_request("assign", expected_version=before.by_sequence[0].version)
    codes = await asyncio.gather(*(ground.moves(order, request) for _ in range(20)))
    (after,) = await ground.kept([case.case_id])
    assert sorted(map(str, codes)) == ["None"] + ["stale-version"] * 19
    assert after.by_sequence[0].version == before.by_sequence[0].version + 1
