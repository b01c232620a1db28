"""How CSV files of others are read, strictly and as declared, and how our cells are made harmless to spreadsheets.

Checks in this order, each with its code: size `csv/limit`, encoding `csv/encoding`, control characters `csv/charset`,
quoting `csv/syntax`, header `csv/header`; these refuse the file. Then per row: number of columns `csv/columns`, the
rule of a column (its own code, for instance `csv/serial`), a repeated key `csv/duplicate`; these refuse the row.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

from kit.errors import Invalid

FILE_BYTES = 200_000_000
FIELD_CHARACTERS = 65_536
COLUMNS = 500
ENCODINGS = frozenset({"utf-8", "iso8859-1", "iso8859-15", "cp1252"})

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # TAB, CR and LF are text
NUMBER = re.compile(r"-?\d+([.,]\d+)?")
SERIAL = re.compile(r"[A-Z0-9]{1,35}")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where. `row` counts data rows from 1, `line` counts lines of the file from 1."""

    code: str
    detail: str
    row: int | None = None
    column: str | None = None
    line: int | None = None

    def as_member(self) -> dict[str, str | int]:
        """The finding as an entry of a problem's `errors`: only what is known of its place."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Row:
    """One row that passed all checks. `number` counts data rows from 1, refused ones included."""

    number: int
    line: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The good rows of a file, and what was found in the others."""

    rows: list[Row]
    findings: list[Finding]
    header: tuple[str, ...] = ()


class CsvRefused(Invalid):
    """The file as a whole cannot be read; no row of it was taken."""

    def __init__(self, *findings: Finding) -> None:
        first = findings[0]
        place = f"line {first.line}: " if first.line else ""
        super().__init__(f"{place}{first.detail} ({first.code})")
        self._findings = findings
        self.errors = [
            {name: value for name, value in asdict(found).items() if value is not None} for found in findings
        ]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found, in the order of the file."""
        return self._findings


class CellRefused(Invalid):
    """A cell breaks the rule of its column; `rule` is the finding's code, a rule id or `csv/…`."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(detail)
        self.rule, self.detail = rule, detail


Rule = Callable[[str], str]
"""Gives the cell in the form that is stored, or raises CellRefused."""


def serial(cell: str) -> str:
    """The rule of a device serial: blanks around it do not count, letters are upper case, only A–Z and 0–9."""
    found = cell.strip(" ").upper() if cell.isascii() else cell
    if not SERIAL.fullmatch(found):
        raise CellRefused("csv/serial", "a serial has 1 to 35 characters of A-Z and 0-9")
    return found


def read_csv(
    data: bytes,
    *,
    delimiter: str = ";",
    encoding: str = "utf-8",
    header: Sequence[str] | None = None,
    optional: Sequence[str] = (),
    rules: Mapping[str, Rule] | None = None,
    unique: Sequence[str] = (),
) -> Table:
    """Read a whole file. Raises CsvRefused; nothing about the file is guessed.

    The header must name every column of `header` once, may name those of `optional`, in any order, and nothing else;
    with `header=None` any unique names are taken. `rules` names the rule of a column, `unique` the columns that
    together may occur once: the first row counts, its repetition is refused.
    """
    text = _decoded(data, encoding)
    records = _records(text, delimiter)
    names = _header(next(records, None), header, optional)
    table, seen = Table([], [], names), dict[tuple[str, ...], int]()
    for number, (line, cells) in enumerate(records, start=1):
        found, row = _row(number, line, cells, names, rules or {})
        key = tuple(row.values.get(name, "") for name in unique)
        if not found and unique and (first := seen.setdefault(key, number)) != number:
            found = [Finding("csv/duplicate", f"repeats row {first}", number, unique[-1], line)]
        table.findings.extend(found)
        if not found:
            table.rows.append(row)
    return table


def safe_cell(value: str | float | Decimal) -> str:
    """A cell for an export: text that a spreadsheet would execute gets a leading apostrophe (SEC-WEB-06)."""
    text = str(value)
    if isinstance(value, str) and text[:1] in {"=", "+", "-", "@", "\t", "\r", "\0"} and not NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def write_csv(header: Sequence[str], rows: Iterable[Sequence[str | float | Decimal]], *, delimiter: str = ";") -> bytes:
    """An export in UTF-8: every cell is safe, quoted where it must be."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _decoded(data: bytes, encoding: str) -> str:
    if len(data) > FILE_BYTES:
        raise CsvRefused(Finding("csv/limit", f"the file has more than {FILE_BYTES} bytes"))
    if data.startswith(codecs.BOM_UTF8):
        data, encoding = data.removeprefix(codecs.BOM_UTF8), "utf-8"
    if codecs.lookup(encoding).name not in ENCODINGS:
        raise CsvRefused(Finding("csv/encoding", f"{encoding} is not one of {', '.join(sorted(ENCODINGS))}"))
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CsvRefused(Finding("csv/encoding", f"the bytes are not {encoding}", line=line)) from error
    if found := CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise CsvRefused(Finding("csv/charset", f"control character U+{ord(found.group()):04X}", line=line))
    return text


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the line where each starts; empty lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            code = "csv/limit" if "field limit" in str(error) else "csv/syntax"
            raise CsvRefused(Finding(code, f"not readable from here on: {error}", line=line)) from error
        if cells is None:
            return
        if len(cells) > COLUMNS:
            raise CsvRefused(Finding("csv/limit", f"more than {COLUMNS} columns", line=line))
        if any(len(cell) > FIELD_CHARACTERS for cell in cells):
            raise CsvRefused(Finding("csv/limit", f"a field has more than {FIELD_CHARACTERS} characters", line=line))
        if cells:
            yield line, cells


def _header(
    first: tuple[int, list[str]] | None, header: Sequence[str] | None, optional: Sequence[str]
) -> tuple[str, ...]:
    if first is None:
        raise CsvRefused(Finding("csv/header", "the file is empty; its first line must be the header", line=1))
    line, names = first
    found = [
        Finding("csv/header", f"column {name!r} is named twice", column=name, line=line)
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if "" in names:
        found.append(Finding("csv/header", "a column without a name", line=line))
    if header is not None:
        found += [
            Finding("csv/header", f"column {name!r} is missing", column=name, line=line)
            for name in header
            if name not in names
        ]
        found += [
            Finding("csv/header", f"column {name!r} is not known here", column=name, line=line)
            for name in dict.fromkeys(names)
            if name and name not in header and name not in optional
        ]
    if found:
        raise CsvRefused(*found)
    return tuple(names)


def _row(
    number: int, line: int, cells: Sequence[str], names: Sequence[str], rules: Mapping[str, Rule]
) -> tuple[list[Finding], Row]:
    row = Row(number, line, dict(zip(names, cells, strict=False)))
    if len(cells) != len(names):
        detail = f"{len(cells)} columns, expected {len(names)}"
        return [Finding("csv/columns", detail, number, None, line)], row
    found = list[Finding]()
    for name, rule in rules.items():
        if name in row.values:
            try:
                row.values[name] = rule(row.values[name])
            except CellRefused as refused:
                found.append(Finding(refused.rule, refused.detail, number, name, line))
    return found, row
