"""Letters and print batches: lists, the document, what was printed by hand, and what the print shop says."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, model_validator

from kit.auth import open_route, webhook
from kit.blobs import Blobs
from kit.csvs import read_csv
from kit.errors import NotFound
from kit.store import Unit
from kit.webhooks import Call, Proof
from kit.webhooks import Refused as NotProved
from services.notification_service import metrics, printing, receipts
from services.notification_service import store as queries
from services.notification_service.api.shapes import Asked, LetterHandler, Limit, TheStore, View
from services.notification_service.channels.print_shop import archive_key
from services.notification_service.domain.correspondence import Correspondence
from services.notification_service.domain.desk import Desk
from services.notification_service.domain.letters import Batch, LetterState

RECEIPT_BYTES = 256 * 1024
PROVED = Depends(open_route("the print shop has no token; every receipt carries a signature over its bytes"))


class LetterView(View):
    """A letter; its document has an address of its own."""

    letter_id: UUID
    case_id: UUID
    notice_id: UUID
    state: LetterState
    batch_id: UUID | None
    sheets: int
    sha256: str
    language: str
    prepared_at: datetime
    printed_on: date | None


class LetterPage(View):
    """Letters in the order of their making; `next` goes into `after` for the following page."""

    letters: tuple[LetterView, ...]
    next: UUID | None


class BatchView(View):
    """Letters that go to the print shop together. Without a time of handing over it is still being written."""

    batch_id: UUID
    operator: str
    begun_at: datetime
    letters: int
    manifest_sha256: str | None
    handed_over_at: datetime | None


class BatchPage(View):
    """Batches; `next` goes into `after` for the following page."""

    batches: tuple[BatchView, ...]
    next: UUID | None


class RunRequest(Asked):
    """Whose letters are to go to the print shop now."""

    operator: str = Field(pattern="^[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}$")


class RunView(View):
    """The batch that a print run makes; if no letter waits there will be none."""

    batch_id: UUID


class PrintedRequest(Asked):
    """Letters that were printed: some of them, or a whole batch."""

    letter_ids: tuple[UUID, ...] = Field((), max_length=queries.PAGE)
    batch_id: UUID | None = None
    printed_on: date

    @model_validator(mode="after")
    def _one_of_both(self) -> "PrintedRequest":
        if bool(self.letter_ids) == (self.batch_id is not None):
            raise ValueError("either letter_ids or batch_id")
        return self


class ItemView(View):
    """What became of one letter. `code` says why nothing did."""

    letter_id: str
    result: receipts.Result
    code: str | None = None


class ResultView(View):
    """What became of each letter, in the order of asking."""

    letters: tuple[ItemView, ...]


class ReceiptView(ResultView):
    """What became of each line, and what was wrong with the others."""

    errors: tuple[dict[str, str | int], ...]


def routes(desk: Desk, proof: Proof, archive: Blobs) -> APIRouter:
    """Letters and batches."""
    made = APIRouter()
    _letters(made, desk, archive)
    _batches(made)
    _receipts(made, desk, proof)
    return made


def _letters(routes: APIRouter, desk: Desk, archive: Blobs) -> None:
    @routes.get("/v1/letters")
    async def list_letters(
        handler: LetterHandler,
        store: TheStore,
        case: UUID | None = None,
        state: LetterState | None = None,
        batch: UUID | None = None,
        after: UUID | None = None,
        limit: Limit = 100,
    ) -> LetterPage:
        """Letters by case, state or batch; those that wait for print are `state=PREPARED`."""
        asked: dict[str, Any] = {"case_id": case, "state": state, "batch_id": batch, "after": after, "limit": limit}
        rows = await store.read(lambda db: queries.letters(db, handler.scope, **asked))
        views = tuple(LetterView.model_validate(row) for row in rows)
        return LetterPage(letters=views, next=views[-1].letter_id if len(views) == limit else None)

    @routes.get("/v1/letters/{letter_id}/pdf")
    async def document(letter_id: UUID, handler: LetterHandler, store: TheStore) -> Response:
        """The document, as it was or will be printed; reading it stands in the audit."""

        def command(unit: Unit) -> tuple[UUID, str]:
            case = unit.get(Correspondence, str(letter_id))
            if case.purged:
                raise NotFound("the letter was deleted with the contact of its case")
            unit.audit("letter:read", f"case/{case.case_id}", letter=str(letter_id))
            return case.case_id, case.letter(letter_id).sha256

        case_id, digest = await store.run(handler, command, needs=[(Correspondence, str(letter_id))])
        headers = {"Content-Disposition": f'attachment; filename="{letter_id}.pdf"'}
        content = await archive.get(archive_key(case_id, digest))
        return Response(content, media_type="application/pdf", headers=headers)

    @routes.post("/v1/letters/mark-printed")
    async def mark_printed(request: PrintedRequest, handler: LetterHandler, store: TheStore) -> ResultView:
        """Somebody printed them: each goes out, once. What cannot have been printed is refused, the others count."""
        wanted = request.letter_ids
        if request.batch_id is not None:
            batch = request.batch_id
            wanted = tuple(letter_id for letter_id, _ in await store.read(lambda db: queries.in_batch(db, batch)))

        def command(unit: Unit) -> ResultView:
            found = [(each, receipts.by_hand(unit, desk, each, request.printed_on)) for each in wanted]
            unit.audit("letter:mark_printed", "letters/by_hand", letters=[str(each) for each in wanted])
            return ResultView(letters=tuple(_item(letter_id, outcome) for letter_id, outcome in found))

        return await store.run(handler, command, needs=[(Correspondence, str(each)) for each in wanted])


def _batches(routes: APIRouter) -> None:
    @routes.get("/v1/batches")
    async def list_batches(
        handler: LetterHandler, store: TheStore, after: UUID | None = None, limit: Limit = 100
    ) -> BatchPage:
        """Batches and when the print shop got them."""
        rows = await store.read(lambda db: queries.batches(db, handler.scope, after=after, limit=limit))
        views = tuple(BatchView.model_validate(row) for row in rows)
        return BatchPage(batches=views, next=views[-1].batch_id if len(views) == limit else None)

    @routes.post("/v1/batches", status_code=202)
    async def close_batch(request: RunRequest, handler: LetterHandler, store: TheStore) -> RunView:
        """Hand over now what would wait for the next print run."""

        def command(unit: Unit) -> RunView:
            batch_id = printing.order_run(unit, f"{request.operator}/{unit.now:%Y-%m-%dT%H:%M:%S.%f}", request.operator)
            unit.audit("letter:print_run", f"batch/{batch_id}", operator=request.operator)
            return RunView(batch_id=batch_id)

        return await store.run(handler, command)


def _receipts(routes: APIRouter, desk: Desk, proof: Proof) -> None:
    @routes.post("/v1/batches/{batch_id}/receipt", dependencies=[PROVED], max_body_size=RECEIPT_BYTES)
    async def take_receipt(batch_id: UUID, request: Request, store: TheStore) -> ReceiptView:
        """What the print shop did with each letter (CSV). The same receipt again changes nothing."""
        body = await request.body()
        try:
            proof.check(Call(body, request.headers, request.method), store.clock.now())
        except NotProved as refusal:
            metrics.CALLBACKS_REFUSED.labels("print_shop", refusal.reason).inc()
            raise
        table = read_csv(body, delimiter=",", header=receipts.COLUMNS, rules=receipts.RULES, unique=("letter_id",))

        def command(unit: Unit) -> ReceiptView:
            if unit.find(Batch, str(batch_id)) is None:
                raise NotFound(f"there is no batch {batch_id}")
            taken, findings = receipts.take(unit, desk, batch_id, table)
            items = tuple(_item(letter_id, outcome) for letter_id, outcome in taken)
            return ReceiptView(letters=items, errors=tuple(each.as_member() for each in findings))

        needs = [(Correspondence, row.values["letter_id"]) for row in table.rows]
        return await store.run(webhook("print_shop"), command, needs=[(Batch, str(batch_id)), *needs])


def _item(letter_id: object, outcome: receipts.Outcome) -> ItemView:
    return ItemView(letter_id=str(letter_id), result=outcome.result, code=outcome.code)
