"""What is said about printed letters, by the print shop or by a person: each letter goes out once, or not at all."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from kit.csvs import CellRefused, Finding, Row, Rule, Table
from kit.store import Unit
from services.notification_service import printing
from services.notification_service.domain.correspondence import Correspondence
from services.notification_service.domain.desk import Desk
from services.notification_service.domain.letters import ON_ITS_WAY, Letter, LetterState

COLUMNS = ("letter_id", "status", "printed_on", "sheets")
STATUSES = ("printed", "spoiled", "pulled")
BY_HAND = frozenset({LetterState.PREPARED, LetterState.PULLED, *ON_ITS_WAY})
"""A person may have printed the document before it went to the print shop, or before it was called back."""


class Result(StrEnum):
    """What became of one letter."""

    DONE = "done"
    UNCHANGED = "unchanged"
    """It was known already."""
    REFUSED = "refused"


class Outcome(NamedTuple):
    """What became of one letter, and why nothing did."""

    result: Result
    code: str | None = None


DONE, UNCHANGED = Outcome(Result.DONE), Outcome(Result.UNCHANGED)


def by_hand(unit: Unit, desk: Desk, letter_id: UUID, on: date) -> Outcome:
    """A person says that a letter was printed."""
    case = unit.find(Correspondence, str(letter_id))
    if case is None:
        return Outcome(Result.REFUSED, "not-found")
    letter = case.letter(letter_id)
    if letter.state is LetterState.PRINTED:
        return UNCHANGED
    if on > _today(unit, desk, case):
        return Outcome(Result.REFUSED, "printed-in-future")
    if letter.state not in BY_HAND:
        return Outcome(Result.REFUSED, "state-forbids")
    printing.printed(unit, case, letter, on)
    return DONE


def take(unit: Unit, desk: Desk, batch_id: UUID, table: Table) -> tuple[list[tuple[UUID, Outcome]], list[Finding]]:
    """Apply a receipt line by line; what is wrong with a line is recorded, and the others count."""
    findings, taken = list(table.findings), []
    for row in table.rows:
        letter_id = UUID(row.values["letter_id"])
        case = unit.find(Correspondence, str(letter_id))
        found = _apply(unit, desk, case, case.letter(letter_id), batch_id, row) if case else _wrong(row, "unknown")
        if isinstance(found, Finding):
            findings.append(found)
        else:
            taken.append((letter_id, found))
    for finding in findings:
        place = {name: value for name, value in finding.as_member().items() if name != "code"}
        unit.anomaly("print_receipt", f"batch/{batch_id}", rule=finding.code, **place)
    return taken, findings


def _apply(unit: Unit, desk: Desk, case: Correspondence, letter: Letter, batch_id: UUID, row: Row) -> Outcome | Finding:
    said = row.values
    if letter.batch_id != batch_id:
        return _wrong(row, "unknown")
    if int(said["sheets"]) != letter.sheets:
        return _wrong(row, "sheets")
    if (on := date.fromisoformat(said["printed_on"])) > _today(unit, desk, case):
        return _wrong(row, "future")
    if letter.state == said["status"].upper():
        return UNCHANGED
    if letter.state not in ON_ITS_WAY:
        return _wrong(row, "state")
    asked_back = letter.state is LetterState.PULL_REQUESTED
    match said["status"]:
        case "printed":
            printing.printed(unit, case, letter, on)
        case "spoiled" if not asked_back:
            printing.spoiled(unit, desk, case, letter)
        case _ if asked_back:  # pulled, or spoiled: it does not go out
            letter.pulled()
        case _:
            return _wrong(row, "state")
    return DONE


_WRONG: Mapping[str, tuple[str, str]] = {
    "unknown": ("letter_id", "no letter of this batch"),
    "sheets": ("sheets", "the letter has another number of sheets"),
    "future": ("printed_on", "a letter is printed today or earlier"),
    "state": ("status", "nothing is known of this letter that fits"),
}


def _wrong(row: Row, what: str) -> Finding:
    column, detail = _WRONG[what]
    return Finding(f"letter/{what}", detail, row.number, column, row.line)


def _today(unit: Unit, desk: Desk, case: Correspondence) -> date:
    return desk.operators.get(case.operator).calendar.local(unit.now).date()


def _id(cell: str) -> str:
    try:
        return str(UUID(cell))
    except ValueError:
        raise CellRefused("letter/unknown", "not the id of a letter") from None


def _status(cell: str) -> str:
    if cell not in STATUSES:
        raise CellRefused("letter/status", f"one of {', '.join(STATUSES)}")
    return cell


def _day(cell: str) -> str:
    try:
        return date.fromisoformat(cell).isoformat()
    except ValueError:
        raise CellRefused("letter/day", "a day as YYYY-MM-DD") from None


def _sheets(cell: str) -> str:
    if not (cell.isascii() and cell.isdigit() and len(cell) <= 4):
        raise CellRefused("letter/sheets", "a number of sheets")
    return cell


RULES: Mapping[str, Rule] = {"letter_id": _id, "status": _status, "printed_on": _day, "sheets": _sheets}
