"""What a move of the work order does to its appointment (section 8), as a table."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from contracts.codes import Move, MoveReason, State


class Effect(StrEnum):
    """What booking does when it hears of a move."""

    HOLD = "hold"
    """Released, for the customer or the site is not available."""
    CLOSE = "close"
    """Released, and a tombstone on the work order."""
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    CONFIRM = "confirm"
    VOID = "void"
    """Back to PROPOSED: an answer to the old offer is stale."""
    STOP_WAITING = "stop_waiting"
    """The appointment stays, no reminder goes out."""
    START = "start"
    VISIT = "visit"
    SUPERSEDE = "supersede"
    """Released; the successor brings its own opening."""


# fmt: off
EFFECTS: Mapping[Move, Effect] = MappingProxyType({
    Move.T10: Effect.STOP_WAITING,
    Move.T11: Effect.CONFIRM,
    Move.T12: Effect.CONFIRM,
    Move.T15: Effect.HOLD,
    Move.T18: Effect.START,
    Move.T19: Effect.VISIT,
    Move.T20: Effect.VISIT,
    Move.T21: Effect.CLOSE,
    Move.T22: Effect.SUPERSEDE,
    Move.T23: Effect.SUPERSEDE,
    Move.T24: Effect.CLOSE,
    Move.T27: Effect.CLOSE,
    Move.T28: Effect.CLOSE,
    Move.T29: Effect.FREEZE,
    Move.T30: Effect.FREEZE,
    Move.T31: Effect.CLOSE,
    Move.T33: Effect.SUPERSEDE,
})
"""Moves whose effect does not depend on where the work order came from."""

EFFECTS_FROM: Mapping[tuple[Move, State], Effect] = MappingProxyType({
    (Move.T17, State.MANUAL_FOLLOW_UP): Effect.VOID,
    (Move.T32, State.READY_TO_PRINT):   Effect.VOID,
    (Move.T32, State.PLANNING):         Effect.VOID,
    (Move.T32, State.AWAITING_REPLY):   Effect.STOP_WAITING,
    (Move.T32, State.READY):            Effect.STOP_WAITING,
})
# fmt: on


def effect_of(move: str, from_state: State, reason: str | None) -> Effect | None:
    """What a move does here; None: nothing, also for moves of a later version."""
    if move not in set(Move):
        return None
    known = Move(move)
    if known is Move.T34 and reason == MoveReason.CANCELLATION_WITHDRAWN:
        return Effect.UNFREEZE
    return EFFECTS.get(known) or EFFECTS_FROM.get((known, from_state))
