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


class CodeMap:
    """The codes of one partner."""

    def __init__(self, rows: Iterable[CodeRow] = ()) -> None:
        self._rows = sorted(rows, key=lambda row: (row.list is not None, row.valid_from or date.min), reverse=True)

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
    rows, wrong = list[CodeRow](), list[str]()
    reader = csv.DictReader(StringIO(text), delimiter=";")
    if tuple(reader.fieldnames or ()) != COLUMNS:
        return None, [f"line 1: the columns are {';'.join(COLUMNS)}"]
    for line, row in enumerate(reader, start=2):
        code, reason, day = row["partner_code"], row["hub_reason"], row["valid_from"]
        try:
            since = date.fromisoformat(day) if day else None
        except ValueError:
            wrong.append(f"line {line}: valid_from: a day like 2026-04-01")
            continue
        if not code or reason not in NAMED:
            wrong.append(f"line {line}: {'hub_reason: not one of ours' if code else 'partner_code: is missing'}")
            continue
        rows.append(CodeRow(code, row["list"] or None, HubReason(reason), since))
    return (None, wrong) if wrong else (CodeMap(rows), [])
