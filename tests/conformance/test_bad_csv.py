"""Every CSV file of the bad-input corpus gets the verdict of its manifest, and nothing else leaves the reader."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kit.csvs import CsvRefused, Finding, Table, read_csv, safe_cell, serial, write_csv

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "samples" / "badinput"
ROWS = {
    row["file"]: row
    for row in csv.DictReader((CORPUS / "MANIFEST.csv").read_text(encoding="utf-8").splitlines())
    if row["file"].startswith("csv/")
}
HEADER = ("partner", "serial", "note")


def read(name: str, encoding: str = "utf-8") -> Table:
    return read_csv(
        (CORPUS / name).read_bytes(),
        header=HEADER,
        encoding=encoding,
        rules={"serial": serial},
        unique=("partner", "serial"),
    )


def refused(name: str, encoding: str = "utf-8") -> tuple[Finding, ...]:
    with pytest.raises(CsvRefused) as refusal:
        read(name, encoding)
    return refusal.value.findings


def places(found: list[Finding]) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.row) for finding in found]


def valid() -> None:
    assert [row.values for row in read("csv/valid.csv").rows] == [
        {"partner": "P1", "serial": "1EMH0012345678", "note": "ok"}
    ]


def formula() -> None:
    notes = [row.values["note"] for row in read("csv/formula.csv").rows]
    assert len(notes) == 10
    assert [safe_cell(note)[0] == "'" for note in notes] == [True] * 7 + [False, True, False]


def utf8_bom() -> None:
    assert read("csv/utf8_bom.csv").header == HEADER


def cp1252() -> None:
    assert refused("csv/cp1252.csv")[0].code == "csv/encoding"
    assert read("csv/cp1252.csv", "cp1252").rows[0].values["note"] == "Müller €"


def unclosed_quote() -> None:
    assert [(found.code, found.line) for found in refused("csv/unclosed_quote.csv")] == [("csv/syntax", 2)]


def nul() -> None:
    assert [(found.code, found.line) for found in refused("csv/nul.csv")] == [("csv/charset", 2)]


def huge_field() -> None:
    assert [found.code for found in refused("csv/huge_field.csv")] == ["csv/limit"]


def ragged() -> None:
    found = read("csv/ragged.csv").findings
    assert places(found) == [("csv/columns", 1), ("csv/columns", 2)]
    assert [(finding.line, "expected 3" in finding.detail) for finding in found] == [(2, True), (3, True)]


def dup_header() -> None:
    assert {found.code for found in refused("csv/dup_header.csv")} == {"csv/header"}


def duplicate_serial() -> None:
    table = read("csv/duplicate_serial.csv")
    assert ([row.number for row in table.rows], places(table.findings)) == ([1], [("csv/duplicate", 2)])


def serial_homoglyph() -> None:
    table = read("csv/serial_homoglyph.csv")
    assert [(row.number, row.values["serial"]) for row in table.rows] == [(2, "1EMH0012345678")]
    assert places(table.findings) == [("csv/serial", 1), ("csv/duplicate", 3)]


VERDICTS: dict[str, Callable[[], None]] = {
    f"csv/{check.__name__}.csv": check
    for check in (
        valid,
        formula,
        utf8_bom,
        cp1252,
        unclosed_quote,
        nul,
        huge_field,
        ragged,
        dup_header,
        duplicate_serial,
        serial_homoglyph,
    )
}


def test_every_csv_row_of_the_manifest_has_its_file_and_its_check() -> None:
    files = {f"csv/{path.name}" for path in (CORPUS / "csv").iterdir()}
    assert files == ROWS.keys() == VERDICTS.keys()


@pytest.mark.parametrize("name", sorted(VERDICTS))
def test_a_csv_file_of_the_corpus_gets_the_verdict_of_its_manifest(name: str) -> None:
    VERDICTS[name]()
    assert ROWS[name]["expected_verdict"]


def test_a_refused_file_names_its_findings_as_members_of_the_problem() -> None:
    with pytest.raises(CsvRefused) as refusal:
        read("csv/nul.csv")
    assert refusal.value.errors == [{"code": "csv/charset", "detail": "control character U+0000", "line": 2}]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"partner;serial\n", b"partner;serial;note;more\n", b"partner;;note\n"])
def test_a_header_that_is_not_the_declared_one_refuses_the_file(data: bytes) -> None:
    with pytest.raises(CsvRefused, match="csv/header"):
        read_csv(data, header=HEADER)


def test_a_column_may_be_optional_and_columns_may_come_in_any_order() -> None:
    table = read_csv(b"note;partner\nx;P1\n", header=("partner",), optional=("note", "more"))
    assert table.rows[0].values == {"note": "x", "partner": "P1"}


def test_an_encoding_that_nobody_may_declare_is_refused() -> None:
    with pytest.raises(CsvRefused, match="csv/encoding"):
        read_csv(b"a\n", encoding="utf-7")


@given(some.binary(max_size=400))
def test_only_our_own_error_leaves_the_reader(data: bytes) -> None:
    try:
        found: object = read_csv(data, header=None).header
    except CsvRefused as refusal:
        found = refusal.findings
    assert found


CELLS = some.text(some.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)


@given(some.lists(some.tuples(CELLS, CELLS), max_size=10))
def test_what_we_export_is_read_back_as_it_was_but_for_the_apostrophe(rows: list[tuple[str, str]]) -> None:
    table = read_csv(write_csv(("a", "b"), rows), header=("a", "b"))
    assert [(row.values["a"], row.values["b"]) for row in table.rows] == [(safe_cell(a), safe_cell(b)) for a, b in rows]


@pytest.mark.parametrize(("cell", "safe"), [("-5.25", "-5.25"), (-5, "-5"), ("+49171", "'+49171"), ("-x", "'-x")])
def test_numbers_stay_numbers(cell: str | int, safe: str) -> None:
    assert safe_cell(cell) == safe
