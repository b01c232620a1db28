"""The check templates, by PID and date, and what every message of a kind has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from services.mdm_adapter.dialects.edifact_fv.patterns import Pattern, pattern
from services.mdm_adapter.dialects.edifact_fv.tables import rows, rows_at, tree


@dataclass(frozen=True, slots=True)
class Kind:
    """What every message of a type has."""

    head: tuple[Pattern, ...] = ()
    must: tuple[Pattern, ...] = ()
    order: tuple[Pattern, ...] = ()
    starts: str | None = None
    """The segment with which a Vorgang begins; without one the message is the Vorgang."""
    has_pid: bool = True
    is_processed: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a code of a decision stands and of which lists it may be."""

    segment: Pattern
    lists: tuple[str, ...]
    positive: bool
    when: Pattern | None = None
    plain: tuple[str, ...] = ()
    """Codes that stand without a list."""


@dataclass(frozen=True, slots=True)
class Periods:
    """What each period of master data has."""

    once: tuple[Pattern, ...] = ()
    least: tuple[Pattern, ...] = ()
    matched: tuple[tuple[Pattern, Pattern], ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """What is checked of a Vorgang with this PID."""

    pid: str
    message: str
    valid_from: date
    is_processed: bool = True
    """Whether the hub does something with it; else it answers Z31."""
    must: tuple[Any, ...] = ()
    must_to_supplier: tuple[Any, ...] = ()
    days: frozenset[str] = frozenset()
    formats: Mapping[str, str] = field(default_factory=dict)
    after: frozenset[str] = frozenset()
    not_after: frozenset[str] = frozenset()
    answers: tuple[Answer, ...] = ()
    lists_seen: tuple[str, ...] = ()
    points: tuple[tuple[Pattern, tuple[str, ...]], ...] = ()
    per_period: Periods | None = None
    readings: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a list of decisions."""

    positive: bool
    meaning: str
    needs_text: bool


def _patterns(texts: list[str] | None) -> tuple[Pattern, ...]:
    return tuple(map(pattern, texts or ()))


@cache
def kinds() -> dict[str, Kind]:
    """Every type of message that is known."""
    return {
        name: Kind(
            _patterns(row.get("head")),
            _patterns(row.get("must")),
            _patterns(row.get("order")),
            row.get("starts"),
            row.get("pid", True),
            row.get("processed", True),
        )
        for name, row in tree("messages.yaml").items()
    }


@cache
def _templates() -> dict[str, tuple[Template, ...]]:
    return {
        pid: tuple(sorted((_template(pid, row) for row in found), key=lambda each: each.valid_from))
        for pid, found in tree("templates.yaml").items()
    }


def _template(pid: str, row: dict[str, Any]) -> Template:
    periods = row.get("per_period")
    return Template(
        pid,
        row["message"],
        row["valid_from"],
        row.get("processed", True),
        tuple(row["must"]),
        tuple(row.get("must_to_supplier", ())),
        frozenset(row.get("days", ())),
        row.get("formats", {}),
        frozenset(row.get("after", ())),
        frozenset(row.get("not_after", ())),
        tuple(_answer(each) for each in row.get("answers", ())),
        tuple(row.get("lists_seen", ())),
        tuple((pattern(text), tuple(schemes)) for text, schemes in row.get("points", {}).items()),
        periods
        and Periods(
            _patterns(periods.get("once")),
            _patterns(periods.get("least")),
            tuple((pattern(one), pattern(other)) for one, other in periods.get("matched", {}).items()),
        ),
        row.get("readings", False),
    )


def _answer(row: dict[str, Any]) -> Answer:
    when = row.get("when")
    return Answer(
        pattern(row["segment"]),
        tuple(row["lists"]),
        row["cluster"] == "yes",
        pattern(when) if when else None,
        tuple(row.get("plain", ())),
    )


def template(message: str, pid: str, on: date) -> Template | None:
    """The template of a PID on a day; None: this message knows no such PID."""
    kind = kinds().get(message)
    if kind and not kind.is_processed:
        return Template(pid, message, on, is_processed=False) if len(pid) == 5 and pid.isdigit() else None
    valid = [each for each in _templates().get(pid, ()) if each.message == message and each.valid_from <= on]
    return valid[-1] if valid else None


def decision(list_: str, code: str, on: date) -> Code | None:
    """A code of a list of decisions on a day: a code means something only with its list."""
    for row in rows_at("ebd_codes.csv", on):
        if (row["list"], row["code"]) == (list_, code):
            return Code(row["cluster"] == "yes", row["meaning"], row["text_needed"] == "yes")
    return None


@cache
def name_of(segment: str) -> str:
    """How we call a segment in an acknowledgement, by its tag and first code: `LOC+Z17`."""
    names = {row["pattern"]: row["name"] for row in rows("names.csv")}
    return names.get(segment) or names.get(segment.partition("+")[0]) or segment
