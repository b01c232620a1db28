"""Messages at the desk: the list, one message with its bytes, what it says, its chain; sending it once more."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field, JsonValue

from kit.auth import Principal
from kit.http import cursor, read_cursor
from kit.problems import refusals
from kit.store import Store, Unit
from services.mdm_adapter import store as rows_of
from services.mdm_adapter import store_beside as queries
from services.mdm_adapter.api.asking import (
    Archivist,
    FindingView,
    Reader,
    Resender,
    StateView,
    TheStore,
    View,
    WithReason,
)
from services.mdm_adapter.api.partners import MessageStatus, status_of
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.domain.dossier import Dossier
from services.mdm_adapter.domain.messages import Change
from services.mdm_adapter.errors import (
    AlreadyResent,
    EditRefused,
    NoSuchThing,
    NotRepeatable,
    NotResendable,
    ReasonMissing,
)
from services.mdm_adapter.handing_over import needs_rows
from services.mdm_adapter.operating import needs_repetition, repeat_message, resend_row
from services.mdm_adapter.showing import Shown, shown

MOST_EDITS = 50


class WithEdit(WithReason):
    """Why, and what is corrected: place in the document -> value, as `/decoded` shows both."""

    edit: dict[str, JsonValue] = Field(
        default_factory=dict, max_length=MOST_EDITS, examples=[{"removed.0.readings.0.value": "48213.4"}]
    )


class MessageView(View):
    """One line of the list of messages."""

    id: UUID
    direction: Literal["in", "out"]
    partner: str
    at: datetime
    document: str | None
    transport: str
    state: str
    sha256: str


class Messages(BaseModel):
    """A page, newest first; `after` begins the next one."""

    items: list[MessageView]
    after: str | None


class OutboundView(View):
    """A message of ours, and where it got to."""

    id: UUID
    partner: str
    document: str
    dialect: str
    transport: str
    created_at: datetime
    sha256: str
    correlation_id: str | None
    case_id: UUID | None
    row_id: UUID | None
    answers_to: UUID | None
    state: str
    finished_at: datetime | None
    cause: str | None


class EditView(View):
    """What a person corrected: both versions lie in the archive under these ids."""

    original_id: UUID | None
    edited_id: UUID
    changed: dict[str, Change]
    by: str
    reason: str
    at: datetime


class MessageDetail(BaseModel):
    """One message, what it was answered with, and what people changed in it."""

    inbound: MessageStatus | None = None
    outbound: OutboundView | None = None
    answers: list[OutboundView] = []
    edits: list[EditView] = []


class LineView(View):
    """One segment, element, member or row, with what is wrong there."""

    at: str
    """Its place, as findings and edits name it."""
    text: str
    depth: int
    number: int
    """Of the line in the file; 0: lines mean nothing here."""
    findings: tuple[str, ...]
    marks: tuple[int, int] | None
    """Columns of the text, begin and end, that a finding means."""


class FieldView(View):
    """One field of what the message says to the hub."""

    document: str
    place: str
    value: str
    findings: tuple[str, ...]


class Decoded(BaseModel):
    """A message laid out: its lines beside its fields, judged as of now by the rules that hold for its partner."""

    dialect: str
    verdict: str
    accepted: bool
    """Whether it would be taken, also with warnings."""
    message: str
    pid: str
    version: str
    lines: list[LineView]
    fields: list[FieldView]
    elsewhere: list[FindingView]
    """Findings that stand at no line and no field: what is missing, and what the message is as a whole."""


class Step(BaseModel):
    """One message in the chain of an order."""

    id: UUID
    direction: Literal["in", "out"]
    what: Literal["order", "document", "answer", "receipt"]
    """order: it orders, changes or withdraws; document: we tell what became of the work; answer: to a document;
    receipt: our answer to what came."""
    partner: str
    at: datetime
    document: str | None
    state: str
    row_id: UUID | None
    answers_to: UUID | None


class OrderView(View):
    """An order that the message speaks of."""

    order_key: str
    partner: str
    order_no: str
    order_version: int
    case_id: UUID | None
    cancelled_version: int | None


class Chain(BaseModel):
    """Order -> sent -> answers, in the order of time."""

    orders: list[OrderView]
    steps: list[Step]


def routes(desk: Desk) -> APIRouter:
    """Routes of those who look after messages."""
    router = APIRouter(tags=["messages"])
    _list(router)
    _one(router)
    _contents(router, desk)
    _sending(router, desk)
    return router


def _list(router: APIRouter) -> None:
    @router.get("/v1/messages")
    async def messages(
        reader: Reader,
        store: TheStore,
        partner: str | None = None,
        direction: Literal["in", "out"] | None = None,
        state: str | None = None,
        case: UUID | None = None,
        order: Annotated[str | None, Query(max_length=160, description="A key, or a number of any partner.")] = None,
        since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
        q: Annotated[
            str | None,
            Query(max_length=160, description="An id of ours or theirs, an order number, the begin of a hash."),
        ] = None,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = rows_of.PAGE,
    ) -> Messages:
        """Messages in and out, newest first; `after` is what the page before gave."""
        before = read_cursor(after, datetime, UUID) if after is not None else None
        wanted = queries.Wanted(partner, direction, state, case, order, since, until, q, before)
        found = await store.read(lambda db: queries.messages(db, reader.scope, wanted, limit))
        items = [MessageView.model_validate(row) for row in found]
        last = items[-1] if len(items) == limit else None
        return Messages(items=items, after=cursor(last.at.isoformat(), last.id) if last else None)


def _one(router: APIRouter) -> None:
    @router.get("/v1/messages/{message_id}")
    async def message(message_id: UUID, reader: Reader, store: TheStore) -> MessageDetail:
        """One message, what it was answered with, and what people changed in it."""
        came, left = await _found(store, reader, message_id)
        answers = await store.read(lambda db: rows_of.answers_to(db, reader.scope, message_id))
        edits = await store.read(lambda db: queries.edits_of(db, reader.scope, message_id))
        return MessageDetail(
            inbound=status_of(came) if came else None,
            outbound=OutboundView.model_validate(left) if left else None,
            answers=[OutboundView.model_validate(row) for row in answers],
            edits=[EditView.model_validate(row) for row in edits],
        )

    @router.get("/v1/messages/{message_id}/answers")
    async def answers(message_id: UUID, reader: Reader, store: TheStore) -> Chain:
        """What the message belongs to: its orders, what we told about them, and what was answered, in order of time."""
        await _found(store, reader, message_id)
        keys = await store.read(lambda db: queries.orders_of(db, reader.scope, message_id))
        orders = await store.read(lambda db: queries.orders(db, reader.scope, keys))
        came, left = await store.read(lambda db: queries.chain_of(db, reader.scope, message_id, keys))
        firsts = {row.copy_of or row.id for row in came}
        answered = await store.read(lambda db: queries.answered_rows(db, reader.scope, firsts))
        steps = [*(_came(row, answered.get(row.copy_of or row.id)) for row in came), *map(_left, left)]
        return Chain(
            orders=[OrderView.model_validate(row) for row in orders],
            steps=sorted(steps, key=lambda step: (step.at, str(step.id))),
        )


def _came(row: Any, row_id: UUID | None) -> Step:
    return Step(
        id=row.id,
        direction="in",
        what="answer" if row_id else "order",
        partner=row.partner,
        at=row.received_at,
        document=row.noun or row.dialect,
        state=row.state.value,
        row_id=row_id,
        answers_to=None,
    )


def _left(row: Any) -> Step:
    return Step(
        id=row.id,
        direction="out",
        what="document" if row.row_id else "receipt",
        partner=row.partner,
        at=row.created_at,
        document=row.document,
        state=row.state.value,
        row_id=row.row_id,
        answers_to=row.answers_to,
    )


async def _found(store: Store, reader: Principal, message_id: UUID) -> tuple[Any, Any]:
    """The message in one of its two forms; raises NoSuchThing."""
    came = await store.read(lambda db: rows_of.inbound(db, reader.scope, None, message_id))
    left = None if came else await store.read(lambda db: rows_of.outbound(db, reader.scope, message_id))
    if came is None and left is None:
        raise NoSuchThing("there is no such message")
    return came, left


async def bytes_of(store: Store, reader: Principal, message_id: UUID, how: str) -> bytes:
    """The bytes of a message; that somebody looked is recorded. Raises NoSuchThing."""
    content = await store.read(lambda db: rows_of.raw(db, reader.scope, message_id))
    if content is None:
        raise NoSuchThing("there is no such message")
    await store.run(reader, lambda unit: unit.audit("message:read", f"message/{message_id}", how=how))
    return content


def _contents(router: APIRouter, desk: Desk) -> None:
    @router.get("/v1/messages/{message_id}/raw")
    async def raw(message_id: UUID, reader: Archivist, store: TheStore) -> Response:
        """The bytes exactly as they came or left, as a file; who read them is recorded."""
        content = await bytes_of(store, reader, message_id, "raw")
        headers = {"Content-Disposition": f'attachment; filename="{message_id}"', "Cache-Control": "no-store"}
        return Response(content, media_type="application/octet-stream", headers=headers)

    @router.get("/v1/messages/{message_id}/decoded")
    async def decoded(message_id: UUID, reader: Archivist, store: TheStore, response: Response) -> Decoded:
        """The message laid out: lines beside what they say, what is wrong at its place; who read it is recorded."""
        came, left = await _found(store, reader, message_id)
        content = await bytes_of(store, reader, message_id, "decoded")
        profile = desk.partners.find((came or left).partner)
        laid = await asyncio.to_thread(shown, content, profile, store.clock.now(), is_ours=left is not None)
        response.headers["Cache-Control"] = "no-store"
        return _laid_out(laid)


def _laid_out(laid: Shown) -> Decoded:
    verdict = laid.verdict
    return Decoded(
        dialect=verdict.dialect,
        verdict="reject" if verdict.core == "reject" else verdict.content,
        accepted=verdict.exit_code == 0,
        message=verdict.message or verdict.noun,
        pid=verdict.pid,
        version=verdict.version,
        lines=[LineView.model_validate(line) for line in laid.lines],
        fields=[FieldView.model_validate(field) for field in laid.fields],
        elsewhere=[FindingView.model_validate(finding) for finding in laid.elsewhere],
    )


def _sending(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/v1/messages/{message_id}/resend",
        responses=refusals(AlreadyResent, NotResendable, EditRefused, ReasonMissing),
    )
    async def resend(message_id: UUID, request: WithEdit, resender: Resender, store: TheStore) -> StateView:
        """Build the document anew and send it, under the same business key; the id is a row's, or a message's of it.

        With `edit` it is sent as corrected, or not at all. Profiles are read again before.
        """
        reason = request.said()
        row_id = await store.read(lambda db: queries.row_of(db, resender.scope, message_id))
        if row_id is None:
            raise NoSuchThing("there is no such document")
        desk.partners.look_again()

        def command(unit: Unit) -> StateView:
            return StateView(state=resend_row(unit, desk, str(row_id), reason, request.edit))

        def wanted(unit: Unit) -> Any:
            yield Dossier, str(row_id)
            dossier = unit.find(Dossier, str(row_id))
            if dossier is not None:
                yield from needs_rows(str(dossier.case_id), [], unit)

        return await store.run(resender, command, needs=wanted)

    @router.post("/v1/messages/{message_id}/retry", responses=refusals(AlreadyResent, NotRepeatable, ReasonMissing))
    async def retry(message_id: UUID, request: WithReason, resender: Resender, store: TheStore) -> StateView:
        """Send the same bytes under the same id once more, where they failed or may have; by the partner's profile."""
        reason, key = request.said(), str(message_id)
        desk.partners.look_again()

        def command(unit: Unit) -> StateView:
            return StateView(state=repeat_message(unit, desk, key, reason))

        return await store.run(resender, command, needs=lambda unit: needs_repetition(key, unit))
