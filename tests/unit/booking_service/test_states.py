"""The table of steps: what it has, what it refuses, and what follows a work order."""

from collections.abc import Callable
from itertools import product

import pytest

from contracts.bookings import (
    AnswerOverdue,
    AppointmentConfirmed,
    AppointmentKept,
    AppointmentMissed,
    AppointmentMoved,
    AppointmentOffered,
    AppointmentReleased,
)
from contracts.codes import AgreedVia, BookingChannel, ConfirmedBy, Move, Outcome, ReleaseReason, State
from contracts.event import Event
from services.booking_service.domain.appointments import Appointment
from services.booking_service.domain.moves import EFFECTS, EFFECTS_FROM, Effect, effect_of
from services.booking_service.domain.states import NEXT, OPEN, AppointmentState, Step
from services.booking_service.errors import StateForbids
from tests.unit.booking_service.given import NOW, START, a_place, an_appointment

BY = "person:local:anna"
LATER = a_place(start=START.replace(hour=8))


def _confirm_unasked(appointment: Appointment) -> None:
    appointment.confirm(ConfirmedBy.STAFF, AgreedVia.PHONE, notice=False)


DO: dict[Step, Callable[[Appointment], None]] = {
    Step.OFFER: lambda it: it.offer(1, BookingChannel.SMS, START, entry_right=False, now=NOW),
    Step.SENT: lambda it: it.sent(START),
    Step.NOT_SENT: lambda it: it.not_sent(),
    Step.OVERDUE: lambda it: it.overdue(),
    Step.CONFIRM: lambda it: it.confirm(ConfirmedBy.REPLY, notice=False),
    Step.CONFIRM_UNASKED: _confirm_unasked,
    Step.DECLINE: lambda it: it.decline(),
    Step.MOVE: lambda it: it.move(LATER, BY),
    Step.MOVE_AGREED: lambda it: it.move_agreed(LATER, BY, AgreedVia.PHONE),
    Step.RELEASE: lambda it: it.release(ReleaseReason.STAFF),
    Step.KEEP: lambda it: it.visited(Outcome.OK, None, NOW),
    Step.MISS: lambda it: it.visited(Outcome.FAILED, "customer_not_home", NOW),
    Step.KEEP_UNCONFIRMED: lambda it: it.visited(Outcome.OK, None, NOW),
    Step.REASSIGN: lambda it: it.reassign(a_place(technician_id=BLOCKED), BY),
    Step.VOID: lambda it: it.void(),
}
BLOCKED = an_appointment().appointment_id
TELLS: dict[Step, tuple[type[Event], ...]] = {
    Step.OFFER: (AppointmentOffered,),
    Step.OVERDUE: (AnswerOverdue,),
    Step.CONFIRM: (AppointmentConfirmed,),
    Step.CONFIRM_UNASKED: (AppointmentConfirmed,),
    Step.MOVE: (AppointmentMoved,),
    Step.MOVE_AGREED: (AppointmentMoved, AppointmentConfirmed),
    Step.RELEASE: (AppointmentReleased,),
    Step.KEEP: (AppointmentKept,),
    Step.MISS: (AppointmentMissed,),
    Step.KEEP_UNCONFIRMED: (AppointmentKept,),
    Step.REASSIGN: (AppointmentMoved,),
}
CALLED_TWO_WAYS = {Step.CONFIRM, Step.CONFIRM_UNASKED, Step.KEEP, Step.MISS, Step.KEEP_UNCONFIRMED}
"""One act, and the table's row follows from the state: their complement is tested below, by act."""


def _looks(appointment: Appointment) -> dict[str, object]:
    return {name: value for name, value in vars(appointment).items() if name != "told"}


@pytest.mark.parametrize(("state", "step"), NEXT)
def test_every_row_of_the_table_leads_where_it_says_and_tells_its_facts(state: AppointmentState, step: Step) -> None:
    appointment = an_appointment(state)
    DO[step](appointment)
    assert (appointment.state, tuple(map(type, appointment.told))) == (NEXT[state, step], TELLS.get(step, ()))


@pytest.mark.parametrize(
    ("state", "step"), sorted(set(product(AppointmentState, set(Step) - CALLED_TWO_WAYS)) - NEXT.keys())
)
def test_what_the_table_does_not_have_is_refused_and_changes_nothing(state: AppointmentState, step: Step) -> None:
    appointment = an_appointment(state)
    before = _looks(appointment)
    with pytest.raises(StateForbids, match=f"is not possible for an appointment that is {state}"):
        DO[step](appointment)
    assert (_looks(appointment), appointment.told) == (before, [])


@pytest.mark.parametrize(
    ("state", "by"),
    [
        (AppointmentState.PROPOSED, ConfirmedBy.REPLY),
        *product((AppointmentState.CONFIRMED, *(set(AppointmentState) - set(OPEN))), ConfirmedBy),
    ],
)
def test_nobody_confirms_what_was_never_offered_is_confirmed_or_is_over(
    state: AppointmentState, by: ConfirmedBy
) -> None:
    appointment = an_appointment(state)
    with pytest.raises(StateForbids):
        appointment.confirm(by, notice=False)
    assert (appointment.state, appointment.told) == (state, [])


@pytest.mark.parametrize("state", [AppointmentState.REBOOK_REQUESTED, *sorted(set(AppointmentState) - set(OPEN))])
def test_A13_a_visit_keeps_no_appointment_that_was_declined_or_is_over(state: AppointmentState) -> None:
    appointment = an_appointment(state)
    with pytest.raises(StateForbids):
        appointment.visited(Outcome.OK, None, NOW)
    assert appointment.state is state


@pytest.mark.parametrize("state", sorted(set(AppointmentState) - set(OPEN)))
def test_final_states_are_final(state: AppointmentState) -> None:
    assert not [step for step in Step if (state, step) in NEXT]


def test_A9_a_move_voids_the_offer_and_A14_another_technician_does_not() -> None:
    moved, reassigned = an_appointment(AppointmentState.SENT), an_appointment(AppointmentState.SENT)
    moved.move(LATER, BY)
    reassigned.reassign(a_place(technician_id=BLOCKED), BY)
    assert (moved.revision, moved.answer_by, moved.state) == (1, None, AppointmentState.PROPOSED)
    assert (reassigned.revision, reassigned.answer_by is None) == (0, False)


@pytest.mark.parametrize("sub_reason", ["no_access", "customer_refuses", None])
def test_A12_only_a_customer_who_was_not_at_home_missed_it(sub_reason: str | None) -> None:
    appointment = an_appointment(AppointmentState.CONFIRMED)
    appointment.visited(Outcome.FAILED, sub_reason, NOW)
    assert appointment.state is AppointmentState.KEPT


def test_leaving_the_open_states_gives_the_time_back() -> None:
    released, kept = an_appointment(), an_appointment(AppointmentState.CONFIRMED)
    released.release(ReleaseReason.CLOSED)
    kept.visited(Outcome.OK, None, NOW)
    assert (released.blocks, kept.blocks) == ([], [])


def test_every_move_of_the_lifecycle_has_its_row_of_section_8() -> None:
    silent = {"T01", "T02", "T03", "T04", "T05", "T06", "T07", "T08", "T09", "T13", "T14", "T16", "T25", "T26", "T34"}
    speaking = {str(move) for move in EFFECTS} | {str(move) for move, _ in EFFECTS_FROM}
    assert speaking == set(Move) - silent


@pytest.mark.parametrize(
    ("move", "came_from", "reason", "effect"),
    [
        ("T17", State.MANUAL_FOLLOW_UP, None, Effect.VOID),
        ("T17", State.ON_HOLD, None, None),
        ("T32", State.READY_TO_PRINT, None, Effect.VOID),
        ("T32", State.READY, None, Effect.STOP_WAITING),
        ("T32", State.REOPENED, None, None),
        ("T34", State.MANUAL_FOLLOW_UP, "cancellation_withdrawn", Effect.UNFREEZE),
        ("T34", State.MANUAL_FOLLOW_UP, "amended", None),
        ("T99", State.READY, None, None),
    ],
)
def test_some_moves_depend_on_where_the_work_order_came_from(
    move: str, came_from: State, reason: str | None, effect: Effect | None
) -> None:
    assert effect_of(move, came_from, reason) is effect
