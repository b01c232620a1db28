"""Sheets and mappings: whatever bytes come, they are a table or refused; names of columns are understood or not."""

import random

import pytest

from kit.csvs import CsvRefused, Table
from services.mdm_adapter.dialects.csv.columns import ImportKind, mapped, suggested
from services.mdm_adapter.dialects.csv.sheets import read_sheet
from services.mdm_adapter.dialects.packing import unpacked
from services.mdm_adapter.errors import BadMapping
from services.mdm_adapter.partners.mapping import ColumnMap, read_map
from tests.services.mdm_adapter.sheets import HEADER, as_sheet, rows_of

MUTATIONS = 150
SHEET = as_sheet(rows_of(3))


def test_a_sheet_has_the_values_that_people_see() -> None:
    table = read_sheet(SHEET)
    assert table.header == HEADER
    assert [row.values["Termin"] for row in table.rows] == ["2026-06-15"] * 3
    assert [row.values["Hausnummer"] for row in table.rows] == ["1", "2", "3"]


def test_a_sheet_that_is_not_there_is_refused() -> None:
    with pytest.raises(CsvRefused, match="there is no sheet 'B'"):
        read_sheet(SHEET, "B")


def test_E05_a_damaged_sheet_is_a_table_or_refused_and_nothing_else() -> None:
    chance, ends = random.Random(7), set[str]()
    for _ in range(MUTATIONS):
        damaged = bytearray(SHEET)
        for _ in range(chance.randint(1, 20)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            found: Table | CsvRefused = read_sheet(bytes(damaged[: chance.randint(1, len(damaged))]))
        except CsvRefused as refused:
            found = refused
        ends.add(type(found).__name__)
    assert ends <= {"Table", "CsvRefused"}


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("Zählpunktbezeichnung", "metering_point_id"),
        ("ZÄHLER-NR.", None),
        ("zählernr", "old_serial"),
        ("House_Number", "number"),
        ("PLZ", "postcode"),
        ("location.street", "street"),
        ("order_no", "order_no"),
        ("Colour", None),
    ],
)
def test_names_of_columns_are_understood_or_left_open(name: str, column: str | None) -> None:
    assert suggested(ImportKind.ORDERS, [name]).get(name) == column


def test_of_two_columns_that_may_be_one_the_first_is_meant() -> None:
    assert suggested(ImportKind.AREAS, ["PLZ", "Postleitzahl"]) == {"PLZ": "postcode"}


@pytest.mark.parametrize(
    "text", ["[", "columns: 1", "columns: {}\ncolour: red", "columns: {}\nformats: {date: '%H'}", "columns: {}\nkey: 1"]
)
def test_a_mapping_file_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadMapping):
        read_map(text)


def test_numbers_and_days_are_read_as_the_mapping_says() -> None:
    given = ColumnMap.model_validate(
        {
            "columns": {"Breite": "lat", "Ab": "valid_from"},
            "formats": {"date": "%d.%m.%Y", "decimal": ","},
            "constants": {"sms_allowed": True},
        }
    )
    row, wrong = mapped(given, {"Breite": "1.052,5", "Ab": "01.02.2026"})
    assert (row, wrong) == ({"lat": "1052.5", "valid_from": "2026-02-01", "sms_allowed": "true"}, [])


def test_what_is_not_packed_is_left_alone() -> None:
    assert unpacked(b"UNA", 10) == (b"UNA", None)
