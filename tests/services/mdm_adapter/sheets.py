"""Files that people import: orders in German columns, as CSV and as Excel, with the mistakes that tests ask for."""

import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import openpyxl

from contracts.ids import malo_check_digit

HEADER = ("Auftragsnummer", "Auftragsart", "Zählpunkt", "Zählernummer", "Gerätetyp", "Termin", "Straße", "Hausnummer")
HEADER += ("PLZ", "Ort", "Gemeinde")
MAPPING: dict[str, Any] = {
    "columns": {
        "Auftragsnummer": "order_no",
        "Auftragsart": "kind",
        "Zählpunkt": "metering_point.id",
        "Zählernummer": "old_serial",
        "Gerätetyp": "device_type",
        "Termin": "fixed_on",
        "Straße": "location.street",
        "Hausnummer": "location.number",
        "PLZ": "postcode",
        "Ort": "city",
        "Gemeinde": "municipality",
    },
    "constants": {"version": 1},
    "formats": {"date": "%d.%m.%Y", "decimal": ","},
}
Change = Callable[[dict[str, str]], None]


def malo(number: int) -> str:
    """A MaLo that nobody has."""
    body = f"{5_000_000_000 + number}"
    return f"{body}{malo_check_digit(body)}"


def wrong_digit(row: dict[str, str]) -> None:
    point = row["Zählpunkt"]
    row["Zählpunkt"] = point[:-1] + str((int(point[-1]) + 1) % 10)


def wrong_date(row: dict[str, str]) -> None:
    row["Termin"] = "31.02.2026"


def wrong_type(row: dict[str, str]) -> None:
    row["Gerätetyp"] = "mme_9ph"


BAD: Mapping[int, Change] = {17: wrong_digit, 4711: wrong_date, 9999: wrong_type}
"""The three of the specification."""


def rows_of(count: int, changes: Mapping[int, Change] | None = None, prefix: str = "A") -> list[dict[str, str]]:
    """Orders, some of them wrong."""
    rows = []
    for number in range(1, count + 1):
        row = dict(
            zip(
                HEADER,
                (
                    *(f"{prefix}-{number:06}", "exchange", malo(number), f"1OLD{number:08}", "mme_3ph", "15.06.2026"),
                    *("Am Hang", str(number), "00101", "Nordstadt", "01001001"),
                ),
                strict=True,
            )
        )
        if changes and number in changes:
            changes[number](row)
        rows.append(row)
    return rows


def as_csv(rows: Sequence[Mapping[str, str]], delimiter: str = ";", encoding: str = "utf-8") -> bytes:
    lines = [delimiter.join(HEADER), *(delimiter.join(row.values()) for row in rows)]
    return ("\n".join(lines) + "\n").encode(encoding)


def as_sheet(rows: Sequence[Mapping[str, str]], name: str = "Aufträge") -> bytes:
    """The same in Excel, with cells as people have them: numbers and days, not texts."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = name
    sheet.append(HEADER)
    for row in rows:
        values = [date(2026, 6, 15) if value == "15.06.2026" else value for value in row.values()]
        values[HEADER.index("Hausnummer")] = int(row["Hausnummer"])
        sheet.append(values)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
