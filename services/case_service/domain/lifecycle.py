"""The lifecycle to read: states, transitions, guards, both matrices and a diagram, from the data that runs."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from contracts.codes import State
from services.case_service.domain.guard_table import PROMISES
from services.case_service.domain.matrices import EVENTS, MOVES, Cells, steps
from services.case_service.domain.states import COLUMNS_OF, LABELS, Column
from services.case_service.domain.transitions import TRANSITIONS, Row

NOTHING = "–"
STAYS = "same"
STATE_OF: Mapping[Column, State] = {column: state for state, columns in COLUMNS_OF.items() for column in columns}


class Table(NamedTuple):
    """A table with its words."""

    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables() -> tuple[Table, ...]:
    """All tables of the lifecycle, in the order of the page."""
    return states(), transitions(), guards(), moves(), events()


def states() -> Table:
    """The twelve states (§1.1) with their labels."""
    rows = tuple((str(state), label.code, label.de, label.no) for state, label in LABELS.items())
    note = "R+ and R− are one state, parted by how the visit ended; so are C+ (handed over) and C− (terminal)."
    return Table("States", note, ("state", "code", "Deutsch", "Norsk"), rows)


def transitions() -> Table:
    """T01–T34 (§2.1): what leads where, by whom, and what is asked before."""
    rows = tuple(
        (name, _codes(row.from_), _target(row), row.how, _caused_by(name, row), " ".join(row.guards) or NOTHING)
        for name, row in TRANSITIONS.items()
    )
    note = "A: automatic, M: a person's move. `move` names stand as code, the facts that are heard in plain words."
    return Table("Transitions", note, ("T", "from", "to", "A/M", "move or fact", "guards"), rows)


def guards() -> Table:
    """G1–G28 (§2.2) with status and code of their refusals."""
    rows = tuple((name, promise.holds, *_refusals(promise.refusals)) for name, promise in PROMISES.items())
    note = "A refused step changes nothing; every objection is named, the first one decides."
    return Table("Guards", note, ("G", "holds when", "status", "code"), rows)


def moves() -> Table:
    """State × move (§2.3): what a person may ask for."""
    note = "Tnn legal, `ok` without transition, `conf` refused but the report is kept, `rec` recorded, · refused."
    return Table("State × move", note, ("move", *Column), _matrix(MOVES))


def events() -> Table:
    """State × incoming fact (§2.4): what happens."""
    note = (
        "Tnn fires, `upd` applied, `late` recorded as late, `anom` recorded as an anomaly, `new` opens another case; "
        "of `a/b` a rule of the fact decides."
    )
    return Table("State × fact", note, ("fact", *Column), _matrix(EVENTS))


def arrows() -> dict[tuple[State, State], list[str]]:
    """Which rows lead from one state to another; rows that keep the state are left out."""
    found: dict[tuple[State, State], list[str]] = {}
    for name, row in TRANSITIONS.items():
        if row.to is not None:
            for origin in dict.fromkeys(STATE_OF[column] for column in Column if column in row.from_):
                found.setdefault((origin, row.to), []).append(name)
    return found


def diagram() -> str:
    """The states as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    direction LR", f"    [*] --> {State.OPEN}"]
    lines += [f"    {origin} --> {target}: {', '.join(names)}" for (origin, target), names in arrows().items()]
    return "\n".join([*lines, f"    {State.CLOSED} --> [*]"])


def as_data() -> dict[str, Any]:
    """All of it for programs."""
    return {
        "states": {str(state): label._asdict() for state, label in LABELS.items()},
        "transitions": {
            name: {
                "from": [column for column in Column if column in row.from_],
                "to": row.to,
                "closes": sorted(row.closes),
                "how": row.how,
                "moves": row.moves,
                "guards": row.guards,
            }
            for name, row in TRANSITIONS.items()
        },
        "guards": {
            name: {
                "holds": promise.holds,
                "refusals": [{"status": each.status, "code": each.code} for each in promise.refusals],
            }
            for name, promise in PROMISES.items()
        },
        "moves": _plain(MOVES),
        "events": _plain(EVENTS),
    }


def _codes(columns: Iterable[Column]) -> str:
    there = set(columns)
    return " ".join(column for column in Column if column in there)


def _target(row: Row) -> str:
    if row.to is None:
        return STAYS
    return f"{row.to}({', '.join(sorted(row.closes))})" if row.closes else str(row.to)


def _caused_by(name: str, row: Row) -> str:
    facts = [fact for fact, cells in EVENTS.items() if any(name in steps(cell) for of in cells.values() for cell in of)]
    return "; ".join([*(f"`{move}`" for move in row.moves), *facts]) or "follows from another step"


def _refusals(kinds: Iterable[Any]) -> tuple[str, str]:
    found = list(kinds)
    return ", ".join(dict.fromkeys(str(each.status) for each in found)), ", ".join(each.code for each in found)


def _matrix(table: Cells) -> tuple[tuple[str, ...], ...]:
    return tuple((name, *("/".join(cells[column]) or "·" for column in Column)) for name, cells in table.items())


def _plain(table: Cells) -> dict[str, dict[str, list[str]]]:
    return {name: {str(column): list(found) for column, found in cells.items()} for name, cells in table.items()}
