"""The transition table T01–T34 of a work order (lifecycle §2.1): every change of state is one of these rows."""

# ruff: noqa: E501 - the table is as wide as the page's

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from contracts.codes import CloseReason, State
from services.case_service.domain.states import COLUMNS_OF, Column

ANY_BUT_CLOSED = "OP PL RP AR MF RD IP R+ R− RO OH RJ"
SAME = "same"


class Row(NamedTuple):
    """One row of the table, as the page prints it."""

    from_: frozenset[Column]
    to: State | None
    """None: the state stays."""
    closes: frozenset[CloseReason]
    """With which reasons, where the row closes."""
    how: str
    """A automatic, M by a person; bulk, and who."""
    moves: tuple[str, ...]
    """Names of the move that a person asks for."""
    guards: tuple[str, ...]


def expand(guards: str) -> tuple[str, ...]:
    """`G1–G4 G27` in full."""
    found: list[str] = []
    for part in guards.split():
        first, _, last = part.partition("–")
        found += [f"G{n}" for n in range(int(first[1:]), int((last or first)[1:]) + 1)]
    return tuple(found)


def _row(from_: str, to: str, how: str, moves: str = "", guards: str = "") -> Row:
    state, _, closes = to.partition(":")
    target = None if state == SAME else next(each for each, codes in COLUMNS_OF.items() if state in codes)
    return Row(
        frozenset(Column(code) for code in from_.split()),
        target,
        frozenset(CloseReason(reason) for reason in closes.split()),
        how,
        tuple(moves.split()),
        expand(guards),
    )


# fmt: off
TRANSITIONS: Mapping[str, Row] = MappingProxyType({
    "T01": _row("OP",                         "PL",                  "M bulk",                "start_planning",            "G1–G4 G27"),
    "T02": _row("PL",                         "RP",                  "M bulk",                "prepare_letter",            "G5–G9 G11 G26 G27"),
    "T03": _row("RP",                         "AR",                  "A"),
    "T04": _row("PL",                         "AR",                  "M bulk, completes A",   "send_booking",              "G5–G10 G26 G27"),
    "T05": _row("PL RP AR",                   "MF",                  "A"),
    "T06": _row("PL RP",                      SAME,                  "A"),
    "T07": _row("AR",                         "RD",                  "A",                     "",                          "G5–G7"),
    "T08": _row("AR",                         "MF",                  "A"),
    "T09": _row("AR",                         "MF",                  "A"),
    "T10": _row("AR",                         "MF",                  "M",                     "follow_up_manually",        "G1–G4"),
    "T11": _row("MF",                         "RD",                  "A",                     "",                          "G5–G7"),
    "T12": _row("MF",                         "RD",                  "M / A",                 "send_to_execution",         "G5–G8 G18"),
    "T13": _row("MF",                         "RD",                  "A",                     "",                          "G5–G7"),
    "T14": _row("MF",                         SAME,                  "A"),
    "T15": _row("PL RP AR MF RD RO",          "OH",                  "M bulk",                "put_on_hold",               "G5 G19 G24"),
    "T16": _row("OH",                         "MF",                  "M",                     "contact_made",              "G1–G4"),
    "T17": _row("OH MF",                      "PL",                  "M bulk",                "plan_again",                "G5 G6 G24"),
    "T18": _row("RD",                         "IP",                  "M tech",                "start",                     "G5 G13 G14"),
    "T19": _row("RD MF",                      "R+",                  "M tech; dispatcher for `accept_report`", "resolve accept_report", "G13 G14–G17"),
    "T20": _row("IP",                         "R+",                  "M tech; planner on behalf with G18", "resolve",       "G14–G17"),
    "T21": _row("R+",                         "C+:DONE DONE_PARTIAL", "A",                    "",                          "G5 G22"),
    "T22": _row("R−",                         "RO",                  "M bulk",                "reopen",                    "G18"),
    "T23": _row("RO",                         "C−:SUPERSEDED",       "M bulk",                "plan_again",                "G25"),
    "T24": _row("R− R+",                      "C−:FAILED SUPERSEDED", "M / A",                "close_case",                "G18 G21"),
    "T25": _row("C+",                         "RJ",                  "A"),
    "T26": _row("RJ",                         "MF",                  "M",                     "take_over",                 "G1–G4"),
    "T27": _row("MF",                         "C+:DONE DONE_PARTIAL", "M (MDM, dispatcher)",  "data_corrected",            "G18 G22 G23"),
    "T28": _row("OP",                         "C−:CANCELLED NOT_NEEDED", "A"),
    "T29": _row("PL OH RP AR MF RD RO RJ IP", "MF",                  "A"),
    "T30": _row("R+ R−",                      "MF",                  "A"),
    "T31": _row("MF",                         "C−:CANCELLED FAILED NOT_NEEDED", "M bulk",     "close_case",                "G18 G20 G21 G5 G6 G28"),
    "T32": _row("PL RP AR RD RO",             "MF",                  "M bulk / A",            "follow_up_manually",        "G18"),
    "T33": _row("R+ MF",                      "RO",                  "A / M",                 "order_field_visit",         "G18 G23"),
    "T34": _row(ANY_BUT_CLOSED,               SAME,                  "A"),
})
# fmt: on


def allowed(move: str, before: Column, after: State, close_reason: CloseReason | None) -> bool:
    """Whether the table has this step."""
    row = TRANSITIONS[move]
    target = row.to is after if row.to else before in COLUMNS_OF[after]
    closing = close_reason in row.closes if after is State.CLOSED else close_reason is None
    return before in row.from_ and target and closing


def leading_out_of(before: Column) -> Iterable[str]:
    """The rows that start here."""
    return (move for move, row in TRANSITIONS.items() if before in row.from_)
