"""Files that people import: rows become orders, points or areas, each alone, a batch of them in one transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

from contracts.codes import Scheme
from contracts.ids import is_malo, is_municipality, order_key, postcode
from kit.auth import Scope
from kit.csvs import Row, Table, write_csv
from kit.jobs import Running, Verdict
from kit.store import Ref, Step, Unit, side_by_side
from services.mdm_adapter import import_store
from services.mdm_adapter import store as queries
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects.csv import orders as csv
from services.mdm_adapter.dialects.csv.columns import ImportKind, mapped, missing, original
from services.mdm_adapter.dialects.csv.sheets import read_table
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.identifiers import is_warning, party_findings, point_findings, scheme_of
from services.mdm_adapter.dialects.items import Item
from services.mdm_adapter.documents.values import Location, MeteringPoint, Party
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.domain.calendar import local_day
from services.mdm_adapter.domain.imports import Form
from services.mdm_adapter.domain.messages import Noted, noted
from services.mdm_adapter.domain.orders import Arrival, Order
from services.mdm_adapter.domain.orders import Verdict as OrderVerdict
from services.mdm_adapter.domain.points import KnownArea, Learnt, MasterData, Point, area_key
from services.mdm_adapter.errors import NoSuchThing
from services.mdm_adapter.partners.mapping import ColumnMap
from services.mdm_adapter.partners.profile import Profile, StrictIds
from services.mdm_adapter.taking import needs_of_order, take_over

REASON = "a job works on the file that somebody imports"
BATCH = 200
"""Rows of one transaction; more a job may not have at once."""
VOLTAGES = frozenset({"E03", "E04", "E05", "E06"})
CUSTOMERS = frozenset({"person", "company"})
UNCHANGED = frozenset({OrderVerdict.REPEATED, OrderVerdict.LATE})
Result = Literal["accepted", "unchanged", "changed", "refused"]
RowStep = tuple[Callable[[Unit], Iterable[Ref]], Callable[[Unit], "Outcome"]]
"""What a row needs, and what is done with it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file in our own names; with findings it is not looked at any further."""

    number: int
    line: int
    values: Mapping[str, str]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row."""

    result: Result
    findings: tuple[Noted, ...] = ()


@dataclass(frozen=True, slots=True)
class Whose:
    """On whose behalf rows are taken, and when they came."""

    profile: Profile | None
    kind: ImportKind
    arrival: Arrival

    @property
    def strict(self) -> StrictIds:
        """How strict we are with identifiers."""
        return self.profile.strict.ids if self.profile else StrictIds()


def lines_of(table: Table, given: ColumnMap) -> list[Line]:
    """The rows of a file, in order; a key that stands there again is refused."""
    bad: dict[int, list[Finding]] = {}
    for found in table.findings:
        bad.setdefault(found.row or 0, []).append(Finding(found.code, found.column or "row", found.detail, found.line))
    lines = [Line(number, found[0].line or 0, {}, tuple(found)) for number, found in bad.items()]
    seen = dict[tuple[str, ...], int]()
    lines += [_line(row, given, seen) for row in table.rows]
    return sorted(lines, key=lambda each: each.number)


def _line(row: Row, given: ColumnMap, seen: dict[tuple[str, ...], int]) -> Line:
    values, wrong = mapped(given, row.values)
    found = [Finding(refused.rule, target, refused.detail, row.line) for target, refused in wrong]
    key = tuple(values.get(name, "") for name in given.key)
    if not found and (first := seen.setdefault(key, row.number)) != row.number:
        found = [Finding("csv/duplicate", given.key[-1], f"repeats row {first}", row.line)]
    return Line(row.number, row.line, values, tuple(found))


def step_of(whose: Whose, line: Line) -> RowStep:
    """How a row is taken, or why it is not."""
    absent = [Finding("csv/missing", name, "is missing", line.line) for name in missing(whose.kind, line.values)]
    findings = [*line.findings, *([] if line.findings else absent)]
    if findings:
        return (lambda _: ()), (lambda _: _refused(findings))
    match whose.kind:
        case ImportKind.ORDERS:
            return _order_step(whose, line)
        case ImportKind.POINTS:
            return _point_step(whose, line)
        case _:
            return _area_step(whose, line)


def _refused(findings: Sequence[Finding]) -> Outcome:
    return Outcome("refused", noted(findings))


def _order_step(whose: Whose, line: Line) -> RowStep:
    profile = whose.profile
    assert profile is not None  # noqa: S101 -- orders are imported for a partner only
    item = csv.item_of(Row(line.number, line.line, dict(line.values)), profile.id, whose.strict)
    item.findings.extend(_quality(item, profile, local_day(whose.arrival.at), line.line))

    def needs(unit: Unit) -> Iterator[Ref]:
        if item.document is None or item.findings:
            return
        key = order_key(profile.id, item.order_no)
        yield Order, key
        yield from needs_of_order(unit, profile, unit.find(Order, key), item.document, whose.arrival.at)

    return needs, lambda unit: _take(unit, profile, item, whose.arrival)


def _quality(item: Item, profile: Profile, today: date, line: int) -> Iterator[Finding]:
    """What a person is told about a file of orders, beside what refuses an order anywhere (D-OWN-3)."""
    order = item.document
    if not isinstance(order, WorkOrderRequested):
        return
    country = (order.location.country if order.location else None) or profile.defaults.country
    code = order.location.postcode if order.location else None
    if country and code and postcode(code, country) is None:
        yield Finding("D-PLZ-1", "location.postcode", f"no postcode of {country}", line)
    for name in ("due_on", "fixed_on", "window_to"):
        day = getattr(order, name)
        if day is not None and day < today:
            yield Finding("D-OWN-3", name, "lies in the past", line)


def _take(unit: Unit, profile: Profile, item: Item, arrival: Arrival) -> Outcome:
    if item.document is None or item.findings:
        return _refused(item.findings)
    order = unit.find(Order, order_key(profile.id, item.order_no)) or Order.unknown(profile.id, item.order_no)
    verdict = order.judge(item.document)
    if verdict in UNCHANGED:
        return Outcome("unchanged")
    if verdict is OrderVerdict.CONFLICT:
        detail = f"version {item.document.order_version} of the order is known with other content"
        return _refused([Finding("CONFLICT", "version", detail)])
    found = take_over(unit, profile, order, item.document, verdict, arrival)
    if found:
        return _refused(found)
    return Outcome("accepted" if verdict in {OrderVerdict.NEW, OrderVerdict.DEAD_ON_ARRIVAL} else "changed")


def _point_step(whose: Whose, line: Line) -> RowStep:
    said = line.values
    point_id = said["metering_point_id"]
    scheme = said.get("scheme", "").lower()
    point = MeteringPoint(id=point_id, scheme=Scheme(scheme) if scheme in set(Scheme) else scheme_of(point_id))
    parties = tuple(
        Party(role=name.removeprefix("party_"), id=value) for name, value in said.items() if name.startswith("party_")
    )
    place, found = _location(said, whose.profile)
    found += [each for each in point_findings(point, whose.strict) if not is_warning(each)]
    found += [each for party in parties for each in party_findings(party, whose.strict) if not is_warning(each)]
    found += list(_codes(said))
    if found:
        return (lambda _: ()), (lambda _: _refused(found))
    names = ("voltage", "customer_class", "market_location")
    facts = MasterData(location=place, parties=parties, **{name: said[name] for name in names if name in said})
    since = date.fromisoformat(said["valid_from"]) if "valid_from" in said else None

    def learn(unit: Unit) -> Outcome:
        known = unit.find(Point, point.id)
        if known is None:
            known = Point(metering_point_id=point.id, scheme=point.scheme)
            unit.add(known)
        return Outcome(known.learn(facts, since).value)

    return (lambda _: [(Point, point.id)]), learn


def _location(said: Mapping[str, str], profile: Profile | None) -> tuple[Location | None, list[Finding]]:
    names = ("street", "number", "addition", "postcode", "city", "country", "municipality", "stage", "lat", "lon")
    values: dict[str, Any] = {name: said[name] for name in names if name in said}
    found = list[Finding]()
    country = values.get("country") or (profile.defaults.country if profile else None)
    if "postcode" in values and country:
        fits = postcode(values["postcode"], country)
        if fits is None:
            found.append(Finding("D-PLZ-1", "postcode", f"no postcode of {country}"))
        values["postcode"] = fits or values["postcode"]
    if "municipality" in values and country and not is_municipality(values["municipality"], country):
        found.append(Finding("D-PLZ-1", "municipality", f"no municipality of {country}"))
    for name in ("lat", "lon"):
        if name in values and not _is_decimal(values[name]):
            found.append(Finding("csv/value", name, "no number"))
    return (Location.model_validate(values) if values and not found else None), found


def _is_decimal(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _codes(said: Mapping[str, str]) -> Iterator[Finding]:
    for name, known in (("voltage", VOLTAGES), ("customer_class", CUSTOMERS)):
        if name in said and said[name] not in known:
            yield Finding("csv/value", name, f"one of {', '.join(sorted(known))}")
    if "market_location" in said and not is_malo(said["market_location"]):
        yield Finding("D-MALO-1", "market_location", "no market location: 11 digits, the last one a check digit")


def _area_step(whose: Whose, line: Line) -> RowStep:
    said = line.values
    country = said.get("country") or (whose.profile.defaults.country if whose.profile else None)
    if not country:
        return (lambda _: ()), (lambda _: _refused([Finding("csv/missing", "country", "is missing", line.line)]))
    place, found = _location({**said, "country": country}, whose.profile)
    if found or place is None:
        return (lambda _: ()), (lambda _: _refused(found))
    key, municipality, stage = area_key(country, place.postcode or ""), said["municipality"], said.get("stage")

    def learn(unit: Unit) -> Outcome:
        known = unit.find(KnownArea, key)
        if known is not None:
            return Outcome(known.learn(municipality, stage).value)
        unit.add(KnownArea(area_key=key, municipality=municipality, stage=stage))
        return Outcome(Learnt.NEW.value)

    return (lambda _: [(KnownArea, key)]), learn


class ImportJob:
    """Takes the rows of a file, batch by batch; a row is named by its number, so that none is taken twice."""

    size = BATCH

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._read: tuple[UUID, list[Line], Whose] | None = None
        """The job that is at work, and its file: read once, not once per batch."""

    def take(self, db: sa.Connection, running: Running, most: int) -> Sequence[Line]:
        """The next rows."""
        lines, _ = self._lines(db, running)
        after = int(running.after or 0)
        begin = next((at for at, each in enumerate(lines) if each.number > after), len(lines))
        return lines[begin : begin + most]

    def key(self, item: Line) -> str:
        return str(item.number)

    def step(self, running: Running, item: Line) -> Step[Verdict]:
        """Take a row, or say what is wrong with it."""
        assert self._read is not None  # noqa: S101 -- `take` was asked first
        needs, do = step_of(self._read[2], item)
        return Step(needs, lambda unit: _verdict(do(unit)), running.cause)

    def record(self, db: sa.Connection, verdicts: Sequence[tuple[Line, Verdict]], running: Running) -> None:
        """Counts, and the findings of each row that was refused."""
        import_store.count_import(db, _import_id(running), [(line.number, verdict) for line, verdict in verdicts])

    def _lines(self, db: sa.Connection, running: Running) -> tuple[list[Line], Whose]:
        import_id = _import_id(running)
        if self._read is None or self._read[0] != running.id:
            scope = Scope.everything(REASON)
            found = import_store.import_of(db, scope, import_id)
            if found is None:
                raise NoSuchThing("there is no such import")
            content = queries.raw(db, scope, found.file_id) or b""
            arrival = Arrival(found.file_id, str(found.file_id), found.received_at)
            whose = Whose(self.desk.partners.find(found.partner), found.kind, arrival)
            table = read_table(content, found.form.delimiter, found.form.encoding, found.form.sheet)
            self._read = running.id, lines_of(table, found.mapping), whose
        return self._read[1], self._read[2]


def _import_id(running: Running) -> UUID:
    return UUID(running.given["import_id"])


def _verdict(outcome: Outcome) -> Verdict:
    if outcome.result == "refused":
        first = outcome.findings[0] if outcome.findings else None
        code = (first.rule or first.code) if first else "refused"
        return Verdict("refused", code, {"findings": [each.model_dump() for each in outcome.findings]})
    return Verdict("done", outcome.result)


def rehearsed(unit: Unit, db: sa.Connection, whose: Whose, lines: Sequence[Line]) -> list[tuple[int, Outcome]]:
    """What would become of these rows. The unit is thrown away afterwards: nothing is written, nothing is told."""
    steps = [(line.number, *step_of(whose, line)) for line in lines]
    unit.load(db, lambda asked: side_by_side(needs(asked) for _, needs, _ in steps))
    return [(number, do(unit)) for number, _, do in steps]


def error_file(content: bytes, form: Form, given: ColumnMap, refused: Mapping[int, Sequence[Noted]]) -> bytes:
    """The refused rows as they stand in the file, and behind each row, column, rule and message."""
    table = read_table(content, form.delimiter, form.encoding, form.sheet)
    by_number = {row.number: row.values for row in table.rows}
    rows = [
        (
            *(by_number.get(number, {}).get(name, "") for name in table.header),
            str(number),
            original(given, found[0].position) if found else "",
            (found[0].rule or found[0].code) if found else "",
            "; ".join(each.detail for each in found),
        )
        for number, found in sorted(refused.items())
    ]
    return write_csv((*table.header, "row", "column", "rule", "message"), rows, delimiter=form.delimiter)
