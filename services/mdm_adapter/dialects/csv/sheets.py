"""A table as people send it, CSV or Excel: the header and the rows, and what was found in rows that cannot be taken."""

import codecs
import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from kit.csvs import COLUMNS, FIELD_CHARACTERS, CsvRefused, Finding, Row, Table, read_csv

UNPACKED_BYTES = 50_000_000
PARTS = 2_000
HEAD_BYTES = 65_536
SHEET = b"PK\x03\x04"
DELIMITERS = (";", ",", "\t", "|")
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def is_sheet(data: bytes) -> bool:
    """Whether these bytes are a packed sheet."""
    return data.startswith(SHEET)


def proposed(data: bytes) -> tuple[str, str]:
    """Delimiter and encoding that a file seems to have; shown to a person before they count."""
    encoding = "utf-8"
    if not data.startswith(codecs.BOM_UTF8):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            encoding = "cp1252"
    first = data.split(b"\n", 1)[0].decode(encoding, "replace")
    return max(DELIMITERS, key=first.count), encoding


def read_table(data: bytes, delimiter: str, encoding: str, sheet: str | None) -> Table:
    """Header and rows of a file. Raises CsvRefused."""
    if is_sheet(data):
        return read_sheet(data, sheet)
    return read_csv(data, delimiter=delimiter, encoding=encoding)


def read_sheet(data: bytes, name: str | None = None) -> Table:
    """The first sheet of an Excel file, or the named one: values only, a formula refuses its row. Raises CsvRefused."""
    import openpyxl  # large, and rarely needed

    _refuse_bombs(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles that we do not look at
        try:
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        except Exception as error:
            raise CsvRefused(Finding("csv/syntax", "not readable as a sheet")) from error
        try:
            if name is not None and name not in book.sheetnames:
                raise CsvRefused(Finding("csv/header", f"there is no sheet {name!r}"))
            return _table(book[name] if name else book.worksheets[0])
        finally:
            book.close()


def _refuse_bombs(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            parts = packed.infolist()
            if len(parts) > PARTS or sum(part.file_size for part in parts) > UNPACKED_BYTES:
                raise CsvRefused(Finding("csv/limit", f"the sheet unpacks to more than {UNPACKED_BYTES} bytes"))
            for part in parts:
                with packed.open(part) as file:
                    if b"<!DOCTYPE" in file.read(HEAD_BYTES):
                        raise CsvRefused(Finding("csv/syntax", "a document type has no place in a sheet"))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise CsvRefused(Finding("csv/syntax", "not readable as a sheet")) from error


def _table(sheet: Any) -> Table:
    lines = _lines(sheet)
    header = _header(next(lines, (1, ())))
    table, number = Table([], [], header), 0
    for line, cells in lines:
        texts = [_text(cell) for cell in cells[: len(header)]]
        if not any(texts):
            continue
        number += 1
        values = dict(zip(header, [*texts, *[""] * (len(header) - len(texts))], strict=True))
        found = [
            Finding("csv/formula", "a formula; only values are taken", number, name, line)
            for name, text in values.items()
            if text.startswith("=")
        ]
        table.findings.extend(found)
        if not found:
            table.rows.append(Row(number, line, values))
    return table


def _lines(sheet: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    """Rows with their number in the sheet. Raises CsvRefused for what no library can read."""
    rows = enumerate(sheet.iter_rows(values_only=True), start=1)
    while True:
        try:
            found = next(rows, None)
        except Exception as error:
            raise CsvRefused(Finding("csv/syntax", "not readable as a sheet")) from error
        if found is None:
            return
        yield found


def _header(first: tuple[int, Sequence[Any]]) -> tuple[str, ...]:
    line, cells = first
    names = [_text(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise CsvRefused(Finding("csv/header", "the sheet is empty; its first row must be the header", line=line))
    if len(names) > COLUMNS:
        raise CsvRefused(Finding("csv/limit", f"more than {COLUMNS} columns", line=line))
    if "" in names or len(set(names)) < len(names):
        raise CsvRefused(Finding("csv/header", "every column has a name of its own", line=line))
    return tuple(names)


def _text(cell: Any) -> str:
    """A value as it would stand in a CSV file."""
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).lower()
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime() | date() | time():
            return cell.isoformat()
    return str(cell).strip()[:FIELD_CHARACTERS]
