"""Files of orders, points and areas that people import: proposed, confirmed, tried without effect, taken, followed."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from kit.auth import Principal, needs
from kit.http import the_store
from kit.jobs import ACTIVE, refuse_while_behind
from kit.store import Store, Unit
from services.mdm_adapter import import_store
from services.mdm_adapter import store as queries
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects.csv import columns
from services.mdm_adapter.dialects.csv.columns import ImportKind
from services.mdm_adapter.dialects.csv.sheets import is_sheet, proposed, read_table
from services.mdm_adapter.domain.imports import JOB, Form, Import, ImportState
from services.mdm_adapter.domain.messages import InState, Noted
from services.mdm_adapter.domain.orders import Arrival
from services.mdm_adapter.errors import BadMapping, ImportBusy, NoSuchThing
from services.mdm_adapter.importing import BATCH, Line, Outcome, Whose, error_file, lines_of, rehearsed
from services.mdm_adapter.partners.mapping import ColumnMap
from services.mdm_adapter.receiving import Arriving, keep, needs_receiving

FILE_BYTES = 50_000_000
SHOWN = 100
"""Refused rows that an answer shows; the file of errors has all."""
Importer = Annotated[Principal, Depends(needs("import:run"))]
TheStore = Annotated[Store, Depends(the_store)]

following = APIRouter()


class RunRequest(BaseModel):
    """How a file is read, and whether it is for real; what is left out stays as proposed."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    mapping: ColumnMap | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    dry_run: bool = False
    """Only say what would become of each row; nothing is written."""
    atomic: bool = False
    """All rows or none."""


class RowFinding(BaseModel):
    """What is wrong with a row, and where in the file."""

    row: int
    column: str
    rule: str
    message: str


class ImportView(BaseModel):
    """An import: how it is read, how far it is, what became of its rows."""

    import_id: UUID
    kind: ImportKind
    partner: str
    state: str
    """proposed, queued, running, done, cancelled, failed or refused; dry_run: nothing was done."""
    form: Form
    mapping: ColumnMap
    unmapped: tuple[str, ...] = ()
    """Columns of the file that nothing is taken from; only in the proposal."""
    rows: int
    accepted: int
    unchanged: int
    changed: int
    refused: int
    rules: dict[str, int]
    """How many rows were refused by which rule."""
    score: float | None
    """Share of the rows that were looked at which can be taken."""
    findings: tuple[RowFinding, ...]


def routes(desk: Desk) -> APIRouter:
    """Imports, at this desk."""
    router = APIRouter(tags=["imports"])
    router.include_router(following)

    @router.post("/v1/imports", status_code=201, max_body_size=FILE_BYTES)
    async def propose(
        request: Request,
        kind: ImportKind,
        importer: Importer,
        store: TheStore,
        partner: str = "",
        sheet: Annotated[str | None, Query(max_length=100)] = None,
    ) -> ImportView:
        """Keep a file (CSV or Excel) and propose how it is read; nothing of it is taken before somebody confirms."""
        _check(desk, importer, kind, partner)
        content = await request.body()
        form, mapping, header = await asyncio.to_thread(_proposal, desk, content, kind, partner, sheet)
        arriving = Arriving(partner, content, "import")
        unmapped = tuple(name for name in header if name not in mapping.columns)

        def command(unit: Unit) -> ImportView:
            message = keep(unit, arriving)
            message.state = InState.PROCESSED  # an import has states of its own
            made = Import(
                import_id=unit.new_id(),
                kind=kind,
                partner=partner,
                file_id=message.id,
                received_at=unit.now,
                form=form,
                mapping=mapping,
                created_by=importer.id,
            )
            unit.add(made)
            unit.audit("import:run", f"import/{made.import_id}", kind=kind.value, bytes=len(content))
            return _view(made, ImportState.PROPOSED, {}).model_copy(update={"unmapped": unmapped})

        return await store.run(importer, command, needs=needs_receiving(arriving))

    @router.post("/v1/imports/{import_id}/run", status_code=202)
    async def run(import_id: UUID, body: RunRequest, importer: Importer, store: TheStore) -> ImportView:
        """Take the rows as confirmed, in batches; with `dry_run` only say what would become of them."""
        found = await _found(store, importer, import_id)
        if found.job_state in ACTIVE:
            raise ImportBusy(found.job_state)
        content = await store.read(lambda db: queries.raw(db, importer.scope, found.file_id)) or b""
        form = _form(found.form, body)
        mapping, lines = await asyncio.to_thread(_read, content, form, found.kind, body.mapping or found.mapping)
        report: Mapping[int, Outcome] = {}
        if body.dry_run or body.atomic:
            arrival = Arrival(found.file_id, str(found.file_id), found.received_at)
            whose = Whose(desk.partners.find(found.partner), found.kind, arrival)
            report = await _rehearse(store, importer, whose, lines)
        refused = {number: each.findings for number, each in report.items() if each.result == "refused"}
        if body.dry_run:
            return _report(found, form, mapping, report, refused)
        await _begin(store, importer, import_id, Confirmed(form, mapping, len(lines), refused))
        return await _shown(store, importer, import_id)

    return router


@following.get("/v1/imports/{import_id}")
async def show(import_id: UUID, importer: Importer, store: TheStore) -> ImportView:
    """How far an import is, and what was wrong with its rows."""
    return await _shown(store, importer, import_id)


@following.get("/v1/imports/{import_id}/errors")
async def errors(import_id: UUID, importer: Importer, store: TheStore) -> Response:
    """The refused rows as they stand in the file, each with row, column, rule and message behind it."""
    found = await _found(store, importer, import_id)
    refused = await store.read(lambda db: import_store.findings_of(db, import_id))
    content = await store.read(lambda db: queries.raw(db, importer.scope, found.file_id)) or b""
    made = await asyncio.to_thread(error_file, content, found.form, found.mapping, refused)
    headers = {"Content-Disposition": f'attachment; filename="{import_id}.err.csv"'}
    return Response(made, media_type="text/csv", headers=headers)


@following.post("/v1/imports/{import_id}/cancel", status_code=202)
async def cancel(import_id: UUID, importer: Importer, store: TheStore) -> ImportView:
    """End it: after the batch that is at work nothing more is taken. What was taken stays."""
    found = await _found(store, importer, import_id)
    if found.job_state not in ACTIVE:
        raise ImportBusy(found.job_state or found.state.value)

    def command(unit: Unit) -> None:
        unit.stop_job(found.job_id)
        unit.audit("import:run", f"import/{import_id}", cancelled=True)

    await store.run(importer, command)
    return await _shown(store, importer, import_id)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """How a file is read, and what a rehearsal refused of it: then nothing is taken."""

    form: Form
    mapping: ColumnMap
    rows: int
    refused: Mapping[int, Sequence[Noted]]


async def _begin(store: Store, importer: Principal, import_id: UUID, given: Confirmed) -> None:
    """Have a job take the rows, unless all or nothing was asked for and something is wrong."""
    await store.read(refuse_while_behind)
    await store.transact(lambda db: import_store.forget_findings(db, import_id))

    def command(unit: Unit) -> None:
        made = unit.get(Import, str(import_id))
        made.confirm(given.form, given.mapping, given.rows, dict(import_store.by_rule(given.refused)))
        if not given.refused:
            key = f"{import_id}/{made.version}"
            made.job_id = unit.job(JOB, key, given.rows, import_id=str(import_id))
        unit.audit("import:run", f"import/{import_id}", rows=given.rows, refused=len(given.refused))

    await store.run(importer, command, needs=[(Import, str(import_id))])
    await store.transact(lambda db: import_store.note(db, import_id, given.refused))


def _check(desk: Desk, importer: Principal, kind: ImportKind, partner: str) -> None:
    """Orders are somebody's; a partner imports its own orders and nothing else."""
    own = importer.scope.kind == "partner"
    if own and (kind is not ImportKind.ORDERS or importer.scope.id != partner):
        raise NoSuchThing("there is nothing here that you may see")
    if (kind is ImportKind.ORDERS or partner) and desk.partners.find(partner) is None:
        raise NoSuchThing("there is no such partner")


def _proposal(
    desk: Desk, content: bytes, kind: ImportKind, partner: str, sheet: str | None
) -> tuple[Form, ColumnMap, tuple[str, ...]]:
    """How a file seems to be meant: the partner's own mapping, else what the names of its columns say."""
    delimiter, encoding = (";", "utf-8") if is_sheet(content) else proposed(content)
    form = Form(delimiter=delimiter, encoding=encoding, sheet=sheet)
    header = read_table(content, delimiter, encoding, sheet).header
    profile = desk.partners.find(partner)
    agreed = profile.csv.mapping if profile and kind is ImportKind.ORDERS else None
    return form, agreed if isinstance(agreed, ColumnMap) else ColumnMap(columns=columns.suggested(kind, header)), header


def _form(found: Form, body: RunRequest) -> Form:
    given = {name: value for name in ("delimiter", "encoding", "sheet") if (value := getattr(body, name)) is not None}
    if len(given.get("delimiter", ";")) != 1:
        raise BadMapping(["delimiter: one character"])
    return found.model_copy(update=given)


def _read(content: bytes, form: Form, kind: ImportKind, given: ColumnMap) -> tuple[ColumnMap, list[Line]]:
    table = read_table(content, form.delimiter, form.encoding, form.sheet)
    mapping = columns.checked(kind, given, table.header)
    return mapping, lines_of(table, mapping)


async def _rehearse(store: Store, importer: Principal, whose: Whose, lines: Sequence[Line]) -> Mapping[int, Outcome]:
    """What would become of every row. All of it happens in one unit that is never written."""
    unit = Unit(store.repositories, store.clock.now(), store.new_id, importer)
    found = dict[int, Outcome]()
    for begin in range(0, len(lines), BATCH):
        batch = lines[begin : begin + BATCH]
        found |= await store.db.transact(lambda db, batch=batch: rehearsed(unit, db, whose, batch))  # type: ignore[misc]
    return found


async def _found(store: Store, importer: Principal, import_id: UUID) -> Any:
    found = await store.read(lambda db: import_store.import_of(db, importer.scope, import_id))
    if found is None:
        raise NoSuchThing("there is no such import")
    return found


async def _shown(store: Store, importer: Principal, import_id: UUID) -> ImportView:
    def query(db: sa.Connection) -> tuple[Any, Mapping[int, Sequence[Noted]]]:
        return import_store.import_of(db, importer.scope, import_id), import_store.findings_of(db, import_id, SHOWN)

    found, refused = await store.read(query)
    if found is None:
        raise NoSuchThing("there is no such import")
    at_work = found.state is ImportState.RUNNING and found.job_state
    return _view(found, found.job_state if at_work else found.state.value, refused)


def _report(
    found: Any, form: Form, mapping: ColumnMap, report: Mapping[int, Outcome], refused: Mapping[int, Sequence[Noted]]
) -> ImportView:
    counted = Counter(each.result for each in report.values())
    shown = dict(sorted(refused.items())[:SHOWN])
    view = _view(found, "dry_run", {})
    counts = {name: counted[name] for name in import_store.COUNTS}  # type: ignore[index]
    update: dict[str, Any] = {"form": form, "mapping": mapping, "rows": len(report), **counts}
    update |= {
        "rules": dict(import_store.by_rule(refused)),
        "score": _score(counts),
        "findings": _findings(mapping, shown),
    }
    return view.model_copy(update=update)


def _view(found: Any, state: str, refused: Mapping[int, Sequence[Noted]]) -> ImportView:
    counts = {name: getattr(found, name) for name in import_store.COUNTS}
    return ImportView(
        import_id=found.import_id,
        kind=found.kind,
        partner=found.partner,
        state=str(state),
        form=found.form,
        mapping=found.mapping,
        rows=found.rows,
        **counts,
        rules=found.rules,
        score=_score(counts),
        findings=_findings(found.mapping, refused),
    )


def _findings(mapping: ColumnMap, refused: Mapping[int, Sequence[Noted]]) -> tuple[RowFinding, ...]:
    return tuple(
        RowFinding(
            row=number,
            column=columns.original(mapping, each.position),
            rule=each.rule or each.code,
            message=each.detail,
        )
        for number, found in refused.items()
        for each in found
    )


def _score(counts: Mapping[str, int]) -> float | None:
    looked_at = sum(counts.values())
    return round((looked_at - counts["refused"]) / looked_at, 4) if looked_at else None
