"""A CSV file of orders: in our own columns, or in the partner's where it is agreed what they mean."""

from collections.abc import Iterator

from kit.csvs import CsvRefused, Row, Table, read_csv
from services.mdm_adapter.dialects.csv import orders
from services.mdm_adapter.dialects.csv.columns import ImportKind, checked, mapped
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Decoded, Item, Kind
from services.mdm_adapter.errors import BadMapping
from services.mdm_adapter.partners.mapping import ColumnMap
from services.mdm_adapter.partners.profile import CsvForm, Profile, Strict, StrictIds

NAME = orders.NAME


def decode(data: bytes, profile: Profile | None) -> Decoded:
    """Read a file of orders; a file that cannot be read is refused as a whole, a bad row alone."""
    form = profile.csv if profile else CsvForm()
    strict = profile.strict.ids if profile else Strict().ids
    partner = profile.id if profile else ""
    agreed = form.mapping if isinstance(form.mapping, ColumnMap) else None
    try:
        table = _theirs(data, form) if agreed else _ours(data, form)
        items = [*_refused_rows(table)]
        items += _mapped(table, agreed, partner, strict) if agreed else _items(table, partner, strict)
    except CsvRefused as refused:
        findings = [Finding(each.code, each.column or "file", each.detail, each.line) for each in refused.findings]
        return Decoded(NAME, Kind.ORDERS, findings=findings)
    except BadMapping as refused:
        return Decoded(
            NAME, Kind.ORDERS, findings=[Finding("csv/header", "file", wrong, 1) for wrong in refused.errors]
        )
    items.sort(key=lambda item: item.row or 0)
    return Decoded(NAME, Kind.ORDERS, items, orders=tuple(item.order_no for item in items))


def _ours(data: bytes, form: CsvForm) -> Table:
    return read_csv(
        data,
        delimiter=form.delimiter,
        encoding=form.encoding,
        header=orders.REQUIRED,
        optional=orders.COLUMNS,
        rules={"order_no": orders.order_no, "version": orders.version},
        unique=("order_no", "version"),
    )


def _theirs(data: bytes, form: CsvForm) -> Table:
    return read_csv(data, delimiter=form.delimiter, encoding=form.encoding)


def _items(table: Table, partner: str, strict: StrictIds) -> Iterator[Item]:
    return (orders.item_of(row, partner, strict) for row in table.rows)


def _mapped(table: Table, agreed: ColumnMap, partner: str, strict: StrictIds) -> Iterator[Item]:
    """The rows in our columns; what is not in the agreed form refuses its row. Raises BadMapping."""
    given = checked(ImportKind.ORDERS, agreed, table.header)
    for row in table.rows:
        values, wrong = mapped(given, row.values)
        found = [Finding(each.rule, column, each.detail, row.line) for column, each in wrong]
        found += [
            Finding("csv/missing", column, "is missing", row.line)
            for column in orders.REQUIRED
            if not values.get(column) and column not in dict(wrong)
        ]
        if found:
            yield Item(values.get("order_no", ""), None, found, row=row.number)
        else:
            yield orders.item_of(Row(row.number, row.line, values), partner, strict)


def _refused_rows(table: Table) -> list[Item]:
    by_row: dict[int, list[Finding]] = {}
    for found in table.findings:
        finding = Finding(found.code, found.column or "row", found.detail, found.line)
        by_row.setdefault(found.row or 0, []).append(finding)
    return [Item("", None, findings, row=row) for row, findings in by_row.items()]
