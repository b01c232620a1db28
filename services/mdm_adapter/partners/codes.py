"""What a partner's code means to the hub: its own map first, then what is agreed for everybody."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from io import StringIO
from types import MappingProxyType

from contracts.codes import Fact, HubReason

COLUMNS = ("partner_code", "list", "hub_reason", "action", "valid_from")
_R = HubReason
# fmt: off
CIM: Mapping[str, HubReason] = MappingProxyType({
    **dict.fromkeys(("1.5", "1.6", "1.7", "1.8", "2.5", "2.9"), _R.SCHEMA),
    "1.9":                                                      _R.VERSION,
    **dict.fromkeys(("2.4", "2.6", "2.18", "2.30"),             _R.UNKNOWN_DEVICE),
    **dict.fromkeys(("2.12", "2.22", "2.32"),                   _R.UNKNOWN_METERING_POINT),
    **dict.fromkeys(("2.13", "2.29"),                           _R.LINK_CONFLICT),
    "2.14":                                                     _R.UNAUTHORISED,
    "2.15":                                                     _R.OTHER,
    **dict.fromkeys(("3.1", "3.2", "5.1", "5.2"),               _R.BUSY),
    "4.1":                                                      _R.TIMEOUT,
    **dict.fromkeys(("5.3", "5.4", "5.8", "5.9", "6.1"),        _R.OTHER),
    "6.2":                                                      _R.ON_HOLD,
    "6.3":                                                      _R.RELEASED,
    "6.4":                                                      _R.RESCHEDULED,
    "6.5":                                                      _R.CANCELLED_BY_CIS,
    **{f"7.{number}": _R.UNAUTHORISED for number in range(1, 8)},
})
MARKET: Mapping[str, HubReason] = MappingProxyType({      # receipts of the German market
    **dict.fromkeys(("Z10", "Z14", "Z15"),               _R.UNKNOWN_METERING_POINT),
    **dict.fromkeys(("Z19", "Z20", "Z42"),               _R.UNKNOWN_DEVICE),
    "Z27":                                               _R.READING_IMPLAUSIBLE,
    **dict.fromkeys(("Z16", "Z17", "Z18", "Z25", "Z26"), _R.NOT_RESPONSIBLE),
    **dict.fromkeys(("Z21", "Z29", "Z34", "Z35", "Z38", "Z39", "Z40", "Z41"), _R.SCHEMA),
    **dict.fromkeys(("Z31", "Z37"),                      _R.UNAUTHORISED),
    "Z88":                                               _R.DATA_CLEARING,
})
ANNOUNCED: Mapping[str, HubReason] = MappingProxyType({   # answers to an announcement or an enquiry before the visit
    **dict.fromkeys(("A01", "A02", "A04"),               _R.ANNOUNCEMENT_OBJECTED),
    "E17":                                               _R.TOO_LATE,
    "Z07":                                               _R.FOREIGN_METER,
})
# fmt: on
NAMED: Mapping[str, HubReason] = MappingProxyType({reason.value: reason for reason in HubReason})
"""A partner may speak our own words."""


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One line of a partner's map. Without a list it holds for the code in every list."""

    code: str
    list: str | None
    reason: HubReason
    valid_from: date | None
    action: str | None = None
    """What is proposed to whoever deals with it."""


class CodeMap:
    """The codes of one partner."""

    def __init__(self, rows: Iterable[CodeRow] = ()) -> None:
        self._rows = sorted(rows, key=lambda row: (row.list is not None, row.valid_from or date.min), reverse=True)

    @property
    def rows(self) -> list[CodeRow]:
        """The lines of the map, by code."""
        return sorted(self._rows, key=lambda row: (row.code, row.list or "", row.valid_from or date.min))

    def reason(
        self, code: str, list_: str | None, fact: Fact | None, on: date, means: HubReason | None = None
    ) -> HubReason | None:
        """What a code means on a day, `means` where the message itself says so; None: nobody knows, it is OTHER."""
        for row in self._rows:
            fits = row.code == code and row.list in (None, list_)
            if fits and (row.valid_from is None or row.valid_from <= on):
                return row.reason
        if means is not None:
            return means
        before = ANNOUNCED.get(code) if fact is Fact.ROLLOUT_ANNOUNCED else None
        known = before or NAMED.get(code) or CIM.get(code) or MARKET.get(code)
        if known is None and fact is Fact.ROLLOUT_ANNOUNCED:
            return HubReason.ORDER_REFUSED
        return known


def read_codes(text: str) -> tuple[CodeMap | None, list[str]]:
    """A map from the text of its file, or everything that is wrong with it, by line."""
    rows, wrong, seen = list[CodeRow](), list[str](), set[tuple[str, str, date | None]]()
    reader = csv.DictReader(StringIO(text), delimiter=";")
    if tuple(reader.fieldnames or ()) != COLUMNS:
        return None, [f"line 1: the columns are {';'.join(COLUMNS)}"]
    for line, cells in enumerate(reader, start=2):
        row = _row(cells)
        if isinstance(row, str):
            wrong.append(f"line {line}: {row}")
        elif (key := (row.code, row.list or "", row.valid_from)) in seen:
            wrong.append(f"line {line}: partner_code: stands there twice, for the same list and day")
        else:
            seen.add(key)
            rows.append(row)
    return (None, wrong) if wrong else (CodeMap(rows), [])


def _row(cells: Mapping[str, str | None]) -> CodeRow | str:
    """One line, or what is wrong with it."""
    code, reason, day = cells["partner_code"], cells["hub_reason"] or "", cells["valid_from"]
    try:
        since = date.fromisoformat(day) if day else None
    except ValueError:
        return "valid_from: a day like 2026-04-01"
    if not code:
        return "partner_code: is missing"
    if reason not in NAMED:
        return "hub_reason: not one of ours"
    return CodeRow(code, cells["list"] or None, HubReason(reason), since, cells["action"] or None)


def write_codes(rows: Iterable[CodeRow]) -> str:
    """The same as the text of a file."""
    out = StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        since = row.valid_from.isoformat() if row.valid_from else ""
        writer.writerow((row.code, row.list or "", row.reason.value, row.action or "", since))
    return out.getvalue()
