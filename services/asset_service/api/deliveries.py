"""How stock comes in: stores are entered, and devices are received by CSV, row by row."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from contracts.ids import CompanyId, LocationId
from kit.auth import Principal, needs
from kit.csvs import CellRefused, CsvRefused, Finding, Row, Rule, read_csv, serial
from kit.problems import Unsupported
from kit.store import Ref, Unit
from services.asset_service import metrics, rooms
from services.asset_service.api.views import Asked, LocationView, Name, TheStore, View
from services.asset_service.domain.device_types import DeviceType
from services.asset_service.domain.devices import Device
from services.asset_service.domain.labels import Label, read_label
from services.asset_service.domain.ledger import Paper
from services.asset_service.domain.places import CENTRAL, SUPPLIER, Location, store_of
from services.asset_service.domain.states import DeviceState, LocationKind, MovementKind
from services.asset_service.rooms import THE_LEDGER

HEADER = ("manufacturer", "serial", "device_type")
OPTIONAL = ("store", "owner_no", "verified_until")
MOST_ROWS = 20_000
"""Devices of one file (D-DEV-4); they are booked in one transaction."""

Importer = Annotated[Principal, Depends(needs("device:define"))]
Receiver = Annotated[Principal, Depends(needs("import:run"))]


class Imported(View):
    """What became of the rows: received + unchanged + refused is all of them."""

    rows: int
    received: int
    unchanged: int
    """Known already, with the same type: the same file again changes nothing."""
    refused: int
    errors: tuple[dict[str, str | int], ...]
    """Row, line, column, code of the rule and what is wrong; the value itself is not repeated."""


class NewStore(Asked):
    """A small store, the operator's own or a company's."""

    name: Name
    company_id: CompanyId | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One good row of a delivery."""

    row: Row
    label: Label
    device_type: str
    place: str
    owner_no: str | None
    verified_until: date | None

    @property
    def printed(self) -> str:
        return self.row.values["serial"]


def _flag_code(cell: str) -> str:
    found = cell.strip().upper()
    if not re.fullmatch(r"[A-Z]{3}", found):
        raise CellRefused("D-DEV-1", "the manufacturer's FLAG code, three letters")
    return found


def _code(cell: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}", cell.strip()):
        raise CellRefused("csv/code", "a code of 1 to 40 characters")
    return cell.strip()


def _day(cell: str) -> str:
    try:
        return date.fromisoformat(cell.strip()).isoformat() if cell.strip() else ""
    except ValueError as error:
        raise CellRefused("csv/date", "a day is YYYY-MM-DD") from error


def _short(cell: str) -> str:
    if len(cell.strip()) > 60:
        raise CellRefused("csv/text", "at most 60 characters")
    return cell.strip()


RULES: Mapping[str, Rule] = {
    "manufacturer": _flag_code,
    "serial": serial,
    "device_type": _code,
    "store": _short,
    "owner_no": _short,
    "verified_until": _day,
}


def routes(import_bytes: int) -> APIRouter:
    """The routes of this part; a file may have so many bytes."""
    router = APIRouter()
    router.post("/v1/locations")(add_store)
    router.post("/v1/imports/devices", max_body_size=import_bytes)(import_devices)
    return router


async def add_store(asked: NewStore, importer: Importer, store: TheStore) -> LocationView:
    """Enter a small store; one that is known by this name is answered as it is."""
    place = store_of(asked.name)

    def command(unit: Unit) -> LocationView:
        found = unit.find(Location, place)
        if found is None:
            found = Location(
                location_id=LocationId(unit.new_id()),
                kind=LocationKind.SMALL_STORE,
                place=place,
                name=asked.name,
                company_id=asked.company_id,
            )
            unit.add(found)
            unit.audit("location:add", f"location/{found.location_id}", place=place)
        return LocationView.model_validate(found)

    return await store.run(importer, command, needs=[(Location, place)])


async def import_devices(request: Request, receiver: Receiver, store: TheStore) -> Imported:
    """Receive devices: `;` between columns, UTF-8, a header. Good rows go to stock at once, bad ones are named.

    Columns: manufacturer (FLAG code), serial, device_type; optional: store (default central), owner_no,
    verified_until (YYYY-MM-DD).
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/csv":
        raise Unsupported("this door takes text/csv")
    table = read_csv(
        await request.body(), header=HEADER, optional=OPTIONAL, rules=RULES, unique=("manufacturer", "serial")
    )
    if len(table.rows) > MOST_ROWS:
        raise CsvRefused(Finding("csv/limit", f"more than {MOST_ROWS} rows"))
    findings = list(table.findings)
    lines = [line for row in table.rows if (line := _line(row, findings)) is not None]

    def wanted(_: Unit) -> Iterator[Ref]:
        yield THE_LEDGER
        yield Location, SUPPLIER
        for line in lines:
            yield from rooms.device_refs([line.label])
            yield DeviceType, line.device_type
            yield Location, line.place

    return await store.run(receiver, lambda unit: _receive_all(unit, lines, findings), needs=wanted)


def _line(row: Row, findings: list[Finding]) -> Line | None:
    """The row as a line, unless its serial belongs to another manufacturer (D-DEV-1)."""
    values = row.values
    label = read_label(values["serial"], values["manufacturer"])
    if label.manufacturer != values["manufacturer"]:
        words = f"the device id is one of {label.manufacturer}"
        findings.append(Finding("D-DEV-1", words, row.number, "manufacturer", row.line))
        return None
    name, until = values.get("store", ""), values.get("verified_until", "")
    return Line(
        row=row,
        label=label,
        device_type=values["device_type"],
        place=CENTRAL if name in {"", CENTRAL} else store_of(name),
        owner_no=values.get("owner_no") or None,
        verified_until=date.fromisoformat(until) if until else None,
    )


def _receive_all(unit: Unit, lines: Sequence[Line], findings: Sequence[Finding]) -> Imported:
    paper = Paper(paper_id=unit.new_id(), kind="delivery", at=unit.now, actor=unit.principal.id)
    page = rooms.journal(unit, paper.movements, paper.told)
    found, received, unchanged = list(findings), set[str](), 0
    for line in lines:
        known = rooms.find_device(unit, line.label)
        if refused := _finding(unit, line, known):
            found.append(refused)
        elif known is not None and not _was_never_here(known):
            unchanged += 1
        else:
            device = known or _announced(unit, line)
            device.device_type, device.provisional = line.device_type, False
            device.owner_no, device.verified_until = line.owner_no, line.verified_until
            place = unit.get(Location, line.place)
            page.move(device, MovementKind.RECEIVE, place)
            page.move(device, MovementKind.PUT_AWAY, place)
            received.add(line.device_type)
    for kind in (MovementKind.RECEIVE, MovementKind.PUT_AWAY):
        metrics.MOVEMENTS.labels(kind).inc(len(paper.movements) // 2)
    if paper.movements:
        unit.add(paper)
    rooms.wake_waiting(unit, received)
    return _report(found, len(paper.movements) // 2, unchanged)


def _announced(unit: Unit, line: Line) -> Device:
    origin = unit.get(Location, SUPPLIER).location_id
    device = Device.known_by(line.label, unit.new_id(), line.device_type, line.printed, origin)
    unit.add(device)
    return device


def _was_never_here(known: Device) -> bool:
    """Only a report that was corrected since had spoken of it; now it really arrives."""
    return known.is_unmoved and known.state is DeviceState.ORDERED


def _finding(unit: Unit, line: Line, known: Device | None) -> Finding | None:
    """What only the database can tell of a row."""
    at = (line.row.number, line.row.line)
    differs = known is not None and (known.device_type != line.device_type or known.provisional)
    if known is not None and differs and not _was_never_here(known):
        return Finding("duplicate-serial", "known already, as another type or from a visit", at[0], "serial", at[1])
    kind = unit.find(DeviceType, line.device_type)
    if kind is None or not kind.serialised:
        return Finding("csv/device-type", "no such type of devices with a serial", at[0], "device_type", at[1])
    if unit.find(Location, line.place) is None:
        return Finding("csv/store", "no such store", at[0], "store", at[1])
    return None


def _report(found: Sequence[Finding], received: int, unchanged: int) -> Imported:
    refused = {finding.row for finding in found}
    ordered = sorted(found, key=lambda finding: (finding.row or 0, finding.column or ""))
    return Imported(
        rows=received + unchanged + len(refused),
        received=received,
        unchanged=unchanged,
        refused=len(refused),
        errors=tuple(finding.as_member() for finding in ordered),
    )
