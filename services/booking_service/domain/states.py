"""The states of an appointment and the one table of steps between them (booking page, section 3)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class AppointmentState(StrEnum):
    """Where an appointment stands."""

    PROPOSED = "PROPOSED"
    OFFERED = "OFFERED"
    """Told, waiting for the result of sending."""
    SENT = "SENT"
    REMINDED = "REMINDED"
    CONFIRMED = "CONFIRMED"
    REBOOK_REQUESTED = "REBOOK_REQUESTED"
    KEPT = "KEPT"
    MISSED = "MISSED"
    RELEASED = "RELEASED"

    @property
    def open(self) -> bool:
        """It holds its time; one open appointment per work order."""
        return self not in {AppointmentState.KEPT, AppointmentState.MISSED, AppointmentState.RELEASED}


OPEN = tuple(state for state in AppointmentState if state.open)


class Step(StrEnum):
    """What can happen to an appointment; values are the rows of the page. A1, the start, makes a new one."""

    OFFER = "A2"
    SENT = "A3"
    NOT_SENT = "A4"
    OVERDUE = "A5"
    CONFIRM = "A6"
    CONFIRM_UNASKED = "A7"
    """Staff only: agreed by phone, or the case went on without an answer (T11, T12)."""
    DECLINE = "A8"
    MOVE = "A9"
    MOVE_AGREED = "A10"
    RELEASE = "A11"
    KEEP = "A12"
    MISS = "A12b"
    KEEP_UNCONFIRMED = "A13"
    """The visit took place though nobody confirmed."""
    REASSIGN = "A14"
    VOID = "VOID"
    """Section 8, T17 and T32 from planning or print: back to the start, an answer to the old offer is stale."""


def _rows() -> Mapping[tuple[AppointmentState, Step], AppointmentState]:
    proposed, offered, sent = AppointmentState.PROPOSED, AppointmentState.OFFERED, AppointmentState.SENT
    reminded, confirmed = AppointmentState.REMINDED, AppointmentState.CONFIRMED
    rebook, kept, missed = AppointmentState.REBOOK_REQUESTED, AppointmentState.KEPT, AppointmentState.MISSED
    # fmt: off
    table = (
        (Step.OFFER,            (proposed,),                          offered),
        (Step.SENT,             (offered,),                           sent),
        (Step.NOT_SENT,         (offered,),                           proposed),
        (Step.OVERDUE,          (sent,),                              reminded),
        (Step.CONFIRM,          (offered, sent, reminded, rebook),    confirmed),
        (Step.CONFIRM_UNASKED,  (proposed,),                          confirmed),
        (Step.DECLINE,          (sent, reminded, confirmed),          rebook),
        (Step.MOVE,             OPEN,                                 proposed),
        (Step.MOVE_AGREED,      OPEN,                                 confirmed),
        (Step.RELEASE,          OPEN,                                 AppointmentState.RELEASED),
        (Step.KEEP,             (confirmed,),                         kept),
        (Step.MISS,             (confirmed,),                         missed),
        (Step.KEEP_UNCONFIRMED, (proposed, offered, sent, reminded),  kept),
        (Step.VOID,             OPEN,                                 proposed),
    )
    # fmt: on
    rows = {(state, step): to for step, states, to in table for state in states}
    return MappingProxyType(rows | {(state, Step.REASSIGN): state for state in OPEN})


NEXT: Mapping[tuple[AppointmentState, Step], AppointmentState] = _rows()
"""Every step that is possible, and where it leads; anything else is refused."""
