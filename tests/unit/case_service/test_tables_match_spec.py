"""The tables in code and on the lifecycle page agree cell by cell; the page is the binding one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.codes import CloseReason, State
from services.case_service.domain.guard_table import PROMISES
from services.case_service.domain.guards import GUARDS
from services.case_service.domain.lifecycle import arrows, diagram, tables
from services.case_service.domain.matrices import EVENTS, MOVES
from services.case_service.domain.states import COLUMNS_OF, LABELS, Column
from services.case_service.domain.transitions import TRANSITIONS, expand

PAGE = Path(__file__).resolve().parents[3].parent / "shared" / "spec" / "lifecycle.md"


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of the first table under a heading, without its head."""
    text = PAGE.read_text("utf-8").split(f"\n### {heading}", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    end = next((at for at, line in enumerate(lines) if at > 1 and set(line) <= set("|-")), len(lines))
    for line in lines[2:end]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def matrix(heading: str) -> dict[str, dict[Column, tuple[str, ...]]]:
    """A matrix of the page."""
    found = {}
    for name, *cells in rows(heading):
        choices = [() if cell == "·" else tuple(cell.split("/")) for cell in cells]
        for each in name.split(", ") if heading.startswith("2.3") else [name]:
            found[each] = dict(zip(Column, choices, strict=True))
    return found


def test_the_matrix_of_moves_is_the_page_s() -> None:
    assert {move: dict(cells) for move, cells in MOVES.items()} == matrix("2.3 ")


def test_the_matrix_of_events_is_the_page_s() -> None:
    assert {row: dict(cells) for row, cells in EVENTS.items()} == matrix("2.4 ")


TABLE = {cells[0]: cells for cells in rows("2.1 ")}


@pytest.mark.parametrize("move", TRANSITIONS)
def test_a_row_leads_from_and_to_where_the_page_says(move: str) -> None:
    origin, target = places(TABLE[move][1])
    row = TRANSITIONS[move]
    assert (set(row.from_), row.to, set(row.closes)) == (origin, *target)


@pytest.mark.parametrize("move", TRANSITIONS)
def test_a_row_is_made_as_the_page_says(move: str) -> None:
    _, _, how, named, guards, *_ = TABLE[move]
    asked = {each for each in re.findall(r"`([a-z_]+)`", named) if each in MOVES}
    # T04's first name asks, T32 shares its name with T10; other quoted words on the page are codes and templates
    assert TRANSITIONS[move].how == how
    assert set(TRANSITIONS[move].moves) == asked
    assert set(TRANSITIONS[move].guards) == mentioned(guards)


def test_every_row_of_the_page_is_here() -> None:
    assert list(TABLE) == list(TRANSITIONS)


REFUSALS = {cells[0]: cells[2] for cells in rows("2.2 ")}


@pytest.mark.parametrize("guard", REFUSALS)
def test_a_guard_refuses_with_the_page_s_status_and_codes(guard: str) -> None:
    said = re.match(r"(\d{3}) ((?:`[a-z-]+`(?:, )?)+)", REFUSALS[guard])
    wanted = [(int(said[1]), code) for code in re.findall(r"`([a-z-]+)`", said[2])] if said else []
    assert [(each.status, each.code) for each in PROMISES[guard].refusals] == wanted


def test_every_guard_of_the_page_is_here_and_asked_where_it_is_ours() -> None:
    elsewhere = {"G1", "G2", "G3", "G9", "G12"}  # the matrix, role and scope, booking_service, actions on the case
    assert (list(REFUSALS), set(GUARDS)) == (list(PROMISES), set(PROMISES) - elsewhere)


def test_S3_01_the_printed_graph_has_exactly_twelve_states_and_all_rows() -> None:
    printed = {table.title: table for table in tables()}
    drawn = {state for ends in arrows() for state in ends}
    named = {name for names in arrows().values() for name in names}
    staying = {name for name, row in TRANSITIONS.items() if row.to is None}
    assert (len(printed["States"].rows), drawn) == (12, set(State))
    assert [row[0] for row in printed["Transitions"].rows] == [f"T{number:02}" for number in range(1, 35)]
    assert (named | staying, named & staying) == (set(TRANSITIONS), set())
    assert all(f" {state}" in diagram() for state in State)


def test_the_printed_matrices_are_those_that_run() -> None:
    printed = {table.title: {row[0]: row[1:] for row in table.rows} for table in tables()}
    for title, table in (("State × move", MOVES), ("State × fact", EVENTS)):
        cells = {name: tuple("/".join(row[column]) or "·" for column in Column) for name, row in table.items()}
        assert printed[title] == cells


def test_the_states_have_the_page_s_labels() -> None:
    text = PAGE.read_text("utf-8").split("### 1.1", 1)[1].split("### 1.2", 1)[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "| " in line][1:]
    printed = {State(cells[0]): tuple(cells[1:4]) for cells in lines if cells[0] in set(State)}
    assert printed == {state: tuple(label) for state, label in LABELS.items()}


def mentioned(cell: str) -> set[str]:
    """Guards of a cell; words around them say when they are asked."""
    if cell == "section 7" or cell == "section 6" or cell.startswith("version newer"):
        return set()
    return set(expand(" ".join(re.findall(r"G\d+(?:–G\d+)?", cell))))


def places(cell: str) -> tuple[set[Column], tuple[State | None, set[CloseReason]]]:
    """From which columns, to which state; None: the same."""
    origin: set[Column] = set()
    target: tuple[State | None, set[CloseReason]] = (None, set())
    for part in cell.split("; "):
        before, _, after = part.partition(" → ")
        origin |= columns(before.partition(" that came ")[0])
        reasons = {CloseReason(word) for word in re.findall(r"[A-Z_]+", after) if word in set(CloseReason)}
        if "same" not in after and after:
            state = next(State(word) for word in re.findall(r"[A-Z_]+", after) if word in set(State))
            target = (state, target[1] | (reasons if state is State.CLOSED else set()))
    return origin, target


def columns(text: str) -> set[Column]:
    """`RESOLVED(OK, PARTIAL), OPEN` as columns; what ends in `or on …` names the same state again."""
    if text == "any state but CLOSED":
        return set(Column) - COLUMNS_OF[State.CLOSED]
    found: set[Column] = set()
    for name, _, inner in re.findall(r"([A-Z_]{4,})(\(([A-Z_, ]+)\))?", text):
        if name not in set(State):
            continue
        state = State(name)
        well = {"OK", "PARTIAL", "DONE", "DONE_PARTIAL"} & set(re.findall(r"[A-Z_]+", inner))
        badly = {"FAILED"} & set(re.findall(r"[A-Z_]+", inner))
        if not inner:
            found |= COLUMNS_OF[state]
        found |= {Column.RESOLVED_WELL} if well and state is State.RESOLVED else set()
        found |= {Column.CLOSED_WELL} if well and state is State.CLOSED else set()
        found |= {Column.RESOLVED_FAILED} if badly and state is State.RESOLVED else set()
    return found
