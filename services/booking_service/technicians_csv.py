"""Technicians from a CSV file: how its columns are read, and what is wrong with a row.

UTF-8, `;` between columns, a header, one row per technician. Skills are separated by blanks. `weekdays` are digits,
1 is Monday: `12345`. Times are HH:MM of the technician's zone, days are YYYY-MM-DD. A company or team that is not
known is entered with the row.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kit.csvs import CellRefused, Finding, Row, Rule, read_csv
from services.booking_service.domain.technicians import WeekShift

HEADER = ("user_id", "name", "company", "skills", "weekdays", "shift_from", "shift_to")
OPTIONAL = (
    *("own", "team", "lat", "lon", "zone", "active_from", "active_to"),
    *("break_from", "break_minutes", "max_jobs"),
)


def _matching(rule: str, pattern: str, words: str) -> Rule:
    compiled = re.compile(pattern)

    def check(cell: str) -> str:
        if not compiled.fullmatch(cell.strip()):
            raise CellRefused(rule, words)
        return cell.strip()

    return check


def _readable(rule: str, read: Callable[[str], object], words: str) -> Rule:
    def check(cell: str) -> str:
        try:
            if cell.strip():
                read(cell.strip())
        except (ValueError, ZoneInfoNotFoundError, OSError) as error:
            raise CellRefused(rule, words) from error
        return cell.strip()

    return check


def _required(rule: Rule) -> Rule:
    def check(cell: str) -> str:
        if not cell.strip():
            raise CellRefused("csv/empty", "must be filled")
        return rule(cell)

    return check


def _degrees(cell: str) -> float:
    degrees = float(cell)
    if not -180 <= degrees <= 180:
        raise ValueError
    return degrees


_clock = _readable("csv/time", time.fromisoformat, "a time is HH:MM")
_day = _readable("csv/date", date.fromisoformat, "a day is YYYY-MM-DD")
_point = _readable("csv/degrees", _degrees, "degrees between -180 and 180, with a point")
_name = _matching("csv/name", r"[^\n]{1,120}", "1 to 120 characters")

RULES: Mapping[str, Rule] = {
    "user_id": _matching("csv/user", r"[A-Za-z0-9][A-Za-z0-9_.:|/+=-]{0,159}", "the id of a person who can sign in"),
    "name": _name,
    "company": _name,
    "skills": _matching("csv/code", r"([a-z0-9_]{1,40}( +|$))*", "codes of skills, blanks between them"),
    "weekdays": _matching("csv/weekdays", r"(?!.*(.).*\1)[1-7]{1,7}", "digits 1 (Monday) to 7, each once"),
    "shift_from": _required(_clock),
    "shift_to": _required(_clock),
    "own": _matching("csv/yes-no", r"(yes|no)?", "yes or no"),
    "team": _matching("csv/name", r"[^\n]{0,120}", "at most 120 characters"),
    "lat": _point,
    "lon": _point,
    "zone": _readable("csv/zone", ZoneInfo, "a time zone such as Europe/Berlin"),
    "active_from": _day,
    "active_to": _day,
    "break_from": _clock,
    "break_minutes": _matching("csv/minutes", r"([0-9]{1,2}|1[0-9]{2}|2[0-3][0-9]|240)?", "0 to 240 minutes"),
    "max_jobs": _matching("csv/count", r"([1-9][0-9]{0,2})?", "1 to 999, or empty"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One technician of the file; empty cells are None and leave what is known."""

    row: Row
    user_id: str
    name: str
    company: str
    own: bool
    team: str | None
    skills: tuple[str, ...]
    lat: float | None
    lon: float | None
    zone: str | None
    active_from: date | None
    active_to: date | None
    starts: time
    ends: time
    break_from: time | None
    break_minutes: int
    max_jobs: int | None
    weekdays: tuple[int, ...]

    def week(self, valid_from: date) -> list[WeekShift]:
        """The weekly shifts of the row."""
        return [
            WeekShift(
                weekday=weekday,
                seq=0,
                starts=self.starts,
                ends=self.ends,
                break_from=self.break_from,
                break_minutes=self.break_minutes,
                max_jobs=self.max_jobs,
                valid_from=valid_from,
            )
            for weekday in self.weekdays
        ]


def read(data: bytes) -> tuple[list[Line], list[Finding]]:
    """The good rows of a file, and what is wrong with the others; raises CsvRefused for a file that is no table."""
    table = read_csv(data, header=HEADER, optional=OPTIONAL, rules=RULES, unique=("user_id",))
    lines, findings = list[Line](), list(table.findings)
    for row in table.rows:
        line = _line(row)
        if line.ends > line.starts:
            lines.append(line)
        else:
            words = "a shift ends after it starts; one over midnight is split there"
            findings.append(Finding("csv/shift", words, row.number, "shift_to", row.line))
    return lines, findings


def _line(row: Row) -> Line:
    def cell(name: str) -> str | None:
        return row.values.get(name) or None

    def day(name: str) -> date | None:
        found = cell(name)
        return date.fromisoformat(found) if found else None

    lat, lon, pause, jobs = cell("lat"), cell("lon"), cell("break_from"), cell("max_jobs")
    return Line(
        row=row,
        user_id=row.values["user_id"],
        name=row.values["name"],
        company=row.values["company"],
        own=cell("own") != "no",
        team=cell("team"),
        skills=tuple(dict.fromkeys(row.values["skills"].split())),
        lat=float(lat) if lat else None,
        lon=float(lon) if lon else None,
        zone=cell("zone"),
        active_from=day("active_from"),
        active_to=day("active_to"),
        starts=time.fromisoformat(row.values["shift_from"]),
        ends=time.fromisoformat(row.values["shift_to"]),
        break_from=time.fromisoformat(pause) if pause else None,
        break_minutes=int(cell("break_minutes") or 0),
        max_jobs=int(jobs) if jobs else None,
        weekdays=tuple(sorted(int(digit) - 1 for digit in row.values["weekdays"])),
    )
