"""Which columns an import may have, by kind, what people call them, and how a file's own columns become ours."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from kit.csvs import CellRefused
from services.mdm_adapter.dialects.csv import orders
from services.mdm_adapter.errors import BadMapping
from services.mdm_adapter.partners.mapping import ColumnMap, Formats


class ImportKind(StrEnum):
    """What the rows of a file are."""

    ORDERS = "orders"
    POINTS = "points"
    AREAS = "areas"


PLACE = ("street", "number", "addition", "postcode", "city", "country", "municipality", "stage", "lat", "lon")
PARTIES = ("party_nb", "party_lf", "party_wmsb", "party_msb_old")
# fmt: off
COLUMNS: Mapping[ImportKind, tuple[str, ...]] = MappingProxyType({
    ImportKind.ORDERS: orders.COLUMNS,
    ImportKind.POINTS: ("metering_point_id", "scheme", "valid_from", *PLACE, "voltage", "customer_class", *PARTIES),
    ImportKind.AREAS:  ("country", "postcode", "municipality", "stage"),
})
REQUIRED: Mapping[ImportKind, tuple[str, ...]] = MappingProxyType({
    ImportKind.ORDERS: orders.REQUIRED,
    ImportKind.POINTS: ("metering_point_id",),
    ImportKind.AREAS:  ("postcode", "municipality"),
})
KEYS: Mapping[ImportKind, tuple[str, ...]] = MappingProxyType({
    ImportKind.ORDERS: ("order_no", "version"),
    ImportKind.POINTS: ("metering_point_id", "valid_from"),
    ImportKind.AREAS:  ("country", "postcode"),
})
SYNONYMS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "order_no":          ("order", "order number", "auftrag", "auftragsnummer", "auftragsnr", "ordrenummer"),
    "version":           ("order version", "revision", "auftragsversion"),
    "kind":              ("work", "order kind", "auftragsart", "art", "arbeid"),
    "metering_point_id": ("metering point", "zählpunkt", "zählpunktbezeichnung", "messlokation", "melo", "malo",
                          "marktlokation", "gsrn", "målepunkt", "målepunktid", "mätpunkt"),
    "old_serial":        ("old meter", "meter number", "serial", "zählernummer", "zählernr", "gerätenummer",
                          "målernummer", "mätarnummer"),
    "device_type":       ("device type", "meter type", "gerätetyp", "zählertyp", "målertype"),
    "plan":              ("device plan", "plan", "einbauart"),
    "fixed_on":          ("date", "fixed day", "termin", "datum", "dato"),
    "planned_on":        ("planned day", "plantermin", "geplant am"),
    "window_from":       ("from", "earliest", "von", "frühestens", "fra", "från"),
    "window_to":         ("to", "latest", "bis", "spätestens", "til", "till"),
    "due_on":            ("due", "due date", "frist", "fällig am"),
    "name":              ("customer", "customer name", "kunde", "kundenname", "ansprechpartner", "navn", "namn"),
    "phone":             ("telephone", "mobile", "telefon", "telefonnummer", "mobil", "handy"),
    "email":             ("e-mail", "mail", "e-mail-adresse", "epost", "e-post"),
    "street":            ("street name", "straße", "strasse", "gate", "gata"),
    "number":            ("house number", "hausnummer", "hausnr", "nr", "husnummer"),
    "addition":          ("address addition", "adresszusatz", "zusatz"),
    "postcode":          ("postal code", "zip", "plz", "postleitzahl", "postnummer"),
    "city":              ("town", "ort", "stadt", "poststed", "ort/stadt"),
    "country":           ("country code", "land"),
    "municipality":      ("municipality number", "gemeinde", "gemeindeschlüssel", "ags", "kommune", "kommunenummer"),
    "stage":             ("rollout stage", "abschnitt", "etappe", "los"),
    "valid_from":        ("valid from", "gültig ab", "gültig von", "gyldig fra"),
    "voltage":           ("voltage level", "spannungsebene", "spannung"),
    "customer_class":    ("customer class", "kundengruppe"),
    "party_nb":          ("grid operator", "netzbetreiber", "nb", "nettselskap"),
    "party_lf":          ("supplier", "lieferant", "lf", "kraftleverandør"),
    "party_wmsb":        ("metering operator", "wmsb", "messstellenbetreiber"),
    "party_msb_old":     ("old metering operator", "msb alt", "alter messstellenbetreiber"),
    "lat":               ("latitude", "breite", "breitengrad"),
    "lon":               ("longitude", "länge", "längengrad"),
})
# fmt: on
PATHS: Mapping[str, str] = MappingProxyType(
    {
        **{path: column for column, path in orders.FIELDS.items()},
        "order_version": "version",
        "metering_point.id": "metering_point_id",
        "metering_point.scheme": "scheme",
        "location.lat": "lat",
        "location.lon": "lon",
        **{name.replace("party_", "party."): name for name in PARTIES},
    }
)
"""The canonical path of a fact -> its column."""
DATES = frozenset({"window_from", "window_to", "fixed_on", "planned_on", "due_on", "valid_from"})
DECIMALS = frozenset({"lat", "lon"})
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def suggested(kind: ImportKind, header: Sequence[str]) -> dict[str, str]:
    """What the names of a file most likely mean; each of ours at most once, in the order of the file."""
    meant, taken = dict[str, str](), set[str]()
    words = {plain(name): column for column in COLUMNS[kind] for name in (column, *SYNONYMS.get(column, ()))}
    words |= {path: column for path, column in PATHS.items() if column in COLUMNS[kind]}
    for name in header:
        column = words.get(plain(name)) or words.get(name.strip())
        if column and column not in taken:
            meant[name] = column
            taken.add(column)
    return meant


def plain(name: str) -> str:
    """A name without what people write differently: case, blanks, underscores, dots, hyphens."""
    return re.sub(r"[\s_.\-/]+", " ", name).strip().casefold()


def checked(kind: ImportKind, given: ColumnMap, header: Sequence[str]) -> ColumnMap:
    """The same in our names. Raises BadMapping with every column that is not there, on either side."""
    known = COLUMNS[kind]
    columns = {name: PATHS.get(target, target) for name, target in given.columns.items()}
    constants = {PATHS.get(target, target): value for target, value in given.constants.items()}
    key = tuple(PATHS.get(target, target) for target in given.key)
    wrong = [f"columns.{name}: the file has no such column" for name in columns if name not in header]
    wrong += [
        f"{target}: {kind.value} have no such column"
        for target in (*columns.values(), *constants, *key)
        if target not in known
    ]
    twice = {target for target in columns.values() if list(columns.values()).count(target) > 1}
    wrong += [f"{target}: named by two columns" for target in sorted(twice)]
    there = {*columns.values(), *constants}
    wrong += [f"{target}: no column and no constant says it" for target in REQUIRED[kind] if target not in there]
    if wrong:
        raise BadMapping(wrong)
    return given.model_copy(update={"columns": columns, "constants": constants, "key": key or KEYS[kind]})


def mapped(given: ColumnMap, values: Mapping[str, str]) -> tuple[dict[str, str], list[tuple[str, CellRefused]]]:
    """A row in our names and forms, and the columns that are not in the form that the mapping says."""
    row = {target: _text(value) for target, value in given.constants.items()}
    wrong = list[tuple[str, CellRefused]]()
    for name, target in given.columns.items():
        cell = values.get(name, "").strip()
        if not cell:
            continue
        try:
            row[target] = _read(target, cell, given.formats)
        except CellRefused as refused:
            wrong.append((target, refused))
    return row, wrong


def _read(target: str, cell: str, formats: Formats) -> str:
    if target in DATES:
        return _date(cell, formats.date)
    if target in DECIMALS and formats.decimal == ",":
        return cell.replace(".", "").replace(",", ".")
    return RULES[target](cell) if target in RULES else cell


def _date(cell: str, form: str) -> str:
    """A date of a sheet is one already; a text is read in the form that was said."""
    try:
        if ISO_DATE.fullmatch(cell):
            return datetime.strptime(cell, "%Y-%m-%d").date().isoformat()  # noqa: DTZ007 - a day has no zone
        return datetime.strptime(cell, form).date().isoformat()  # noqa: DTZ007
    except ValueError:
        raise CellRefused("csv/date", f"no date of the form {form}") from None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


RULES: Mapping[str, Callable[[str], str]] = MappingProxyType({"order_no": orders.order_no, "version": orders.version})


def original(given: ColumnMap, position: str) -> str:
    """The file's own name for the place of a finding."""
    column = POSITIONS.get(position, PATHS.get(position, position))
    return next((name for name, target in given.columns.items() if target == column), column)


POSITIONS: Mapping[str, str] = MappingProxyType(
    {
        "metering_point": "metering_point_id",
        "old_device": "old_serial",
        "window": "window_from",
        "address": "street",
        "area": "municipality",
    }
)
"""Places that findings of orders name -> the column that says it."""


def missing(kind: ImportKind, row: Mapping[str, str]) -> Iterable[str]:
    """Columns that a row must say and does not."""
    return (column for column in REQUIRED[kind] if not row.get(column))
