"""The twelve states of a work order with their labels, and the fourteen columns of the matrices (lifecycle §1.1)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from contracts.codes import CloseReason, Outcome, State


class Column(StrEnum):
    """Where a work order stands in the matrices: its state, RESOLVED and CLOSED split by how the work ended."""

    OP = "OP"
    PL = "PL"
    RP = "RP"
    AR = "AR"
    MF = "MF"
    RD = "RD"
    IP = "IP"
    RESOLVED_WELL = "R+"
    RESOLVED_FAILED = "R−"
    RO = "RO"
    OH = "OH"
    RJ = "RJ"
    CLOSED_WELL = "C+"
    CLOSED_OTHERWISE = "C−"


class Label(NamedTuple):
    """What people read: the code of the page, German, Norwegian (the words of the Powercatch guide)."""

    code: str
    de: str
    no: str


# fmt: off
LABELS: Mapping[State, Label] = MappingProxyType({
    State.OPEN:             Label("OP",      "Offen",               "Åpen"),
    State.PLANNING:         Label("PL",      "In Planung",          "Under planlegging"),
    State.READY_TO_PRINT:   Label("RP",      "Druckbereit",         "Klar til utskrift"),
    State.AWAITING_REPLY:   Label("AR",      "Wartet auf Antwort",  "Venter på respons"),
    State.MANUAL_FOLLOW_UP: Label("MF",      "Manuelle Klärung",    "Manuell oppfølging"),
    State.READY:            Label("RD",      "Ausführungsbereit",   "Klar til utførelse"),
    State.IN_PROGRESS:      Label("IP",      "In Arbeit",           "Under arbeid"),
    State.RESOLVED:         Label("R+ / R−", "Rückgemeldet",        "Løst"),
    State.REOPENED:         Label("RO",      "Wiedereröffnet",      "Reåpnet"),
    State.CLOSED:           Label("C+ / C−", "Geschlossen",         "Lukket"),
    State.REJECTED_BY_MDM:  Label("RJ",      "Vom MDM abgelehnt",   "Avvist i Quant"),
    State.ON_HOLD:          Label("OH",      "Zurückgestellt",      "På vent"),
})
# fmt: on

HANDED_OVER = frozenset({CloseReason.DONE, CloseReason.DONE_PARTIAL})
"""Close reasons of C+; all others are C−, which nothing leaves (I16)."""

COLUMNS_OF: Mapping[State, frozenset[Column]] = MappingProxyType(
    {state: frozenset(Column(code.strip()) for code in label.code.split("/")) for state, label in LABELS.items()}
)


def column(state: State, outcome: Outcome | None, close_reason: CloseReason | None) -> Column:
    """The column of a work order."""
    if state is State.RESOLVED:
        return Column.RESOLVED_FAILED if outcome is Outcome.FAILED else Column.RESOLVED_WELL
    if state is State.CLOSED:
        return Column.CLOSED_WELL if close_reason in HANDED_OVER else Column.CLOSED_OTHERWISE
    return Column(LABELS[state].code)
