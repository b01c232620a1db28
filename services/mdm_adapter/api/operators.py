"""The desk of those who look after messages: lists, raw bytes, resending, quarantine, partners."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from kit.auth import Principal, needs
from kit.http import cursor, read_cursor, the_store
from kit.store import Store, Unit
from services.mdm_adapter import store as queries
from services.mdm_adapter.api.partners import MessageStatus, status_of
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.domain.dossier import Dossier
from services.mdm_adapter.domain.handover import Outlook, RowState, outlook
from services.mdm_adapter.domain.messages import QuarantineEntry
from services.mdm_adapter.errors import NoSuchThing, ReasonMissing
from services.mdm_adapter.handing_over import needs_rows
from services.mdm_adapter.operating import needs_retry, resend_row, retry_entry
from services.mdm_adapter.owing import add_text, needs_answer

REASON_CHARACTERS = 10
Reader = Annotated[Principal, Depends(needs("handover:read"))]
Archivist = Annotated[Principal, Depends(needs("message:read"))]
Resender = Annotated[Principal, Depends(needs("handover:resend"))]
Answerer = Annotated[Principal, Depends(needs("order:answer"))]
Releaser = Annotated[Principal, Depends(needs("message:release"))]
Discarder = Annotated[Principal, Depends(needs("message:discard"))]
TheStore = Annotated[Store, Depends(the_store)]


class WithReason(BaseModel):
    """Whoever changes the fate of a message says why, in at least 10 characters."""

    model_config = ConfigDict(extra="forbid")

    reason: str = ""

    def said(self) -> str:
        """The reason; raises ReasonMissing."""
        if len(self.reason.strip()) < REASON_CHARACTERS:
            raise ReasonMissing
        return self.reason.strip()


class WithText(BaseModel):
    """What stands beside the code of an answer."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=1_000)


class View(BaseModel):
    """Read from a row of the database."""

    model_config = ConfigDict(from_attributes=True)


class MessageView(View):
    """One line of the list of messages."""

    id: UUID
    direction: Literal["in", "out"]
    partner: str
    at: datetime
    document: str | None
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


class MessageDetail(BaseModel):
    """One message with the chain it belongs to."""

    inbound: MessageStatus | None = None
    outbound: OutboundView | None = None
    answers: list[OutboundView] = []


class RowView(View):
    """One document to one recipient."""

    row_id: UUID
    case_id: UUID
    fact: str
    attempt: int
    order_key: str
    recipient: str
    document: str
    role: str
    """What the recipient is to the point: nb, lf, wmsb, msb_old; or ordering."""
    required: bool
    accept: str
    """Which answer settles it."""
    by_silence: bool
    state: str
    held: str | None
    delivery: str | None
    build: int
    message_id: UUID | None
    requested_at: datetime
    reasons: tuple[dict[str, Any], ...] = ()


class HandoverView(BaseModel):
    """One attempt to hand a fact over, as a whole: Waiting, Transferred or Error."""

    case_id: UUID
    fact: str
    attempt: int
    outlook: Outlook
    rows: list[RowView]


class QuarantineView(View):
    """Something that waits for a person."""

    id: UUID
    message_id: UUID
    cause: str
    detail: str
    partner: str
    case_id: UUID | None
    row: int | None
    first_seen: datetime
    state: str
    reason: str | None
    closed_by: str | None


class PartnerView(BaseModel):
    """A partner as far as its profile is no secret."""

    id: str
    name: str
    role: str
    dialects: list[tuple[str, date | None]]
    way_out: str | None
    accept: str


def routes(desk: Desk) -> APIRouter:
    """Routes of the roles that look after messages."""
    router = APIRouter(tags=["messages"])
    _messages(router)
    _work(router, desk)
    _acting(router, desk)
    _answers(router, desk)
    return router


def _messages(router: APIRouter) -> None:
    @router.get("/v1/messages")
    async def messages(
        reader: Reader,
        store: TheStore,
        partner: str | None = None,
        direction: Literal["in", "out"] | None = None,
        state: str | None = None,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = queries.PAGE,
    ) -> Messages:
        """Messages in and out, newest first."""
        before = None
        if after is not None:
            at, id_ = read_cursor(after, str, str)
            before = (datetime.fromisoformat(at), UUID(id_))
        wanted = queries.Wanted(partner, direction, state, before)
        rows = await store.read(lambda db: queries.messages(db, reader.scope, wanted, limit))
        items = [MessageView.model_validate(row) for row in rows]
        last = items[-1] if len(items) == limit else None
        return Messages(items=items, after=cursor(last.at.isoformat(), str(last.id)) if last else None)

    @router.get("/v1/messages/{message_id}")
    async def message(message_id: UUID, reader: Reader, store: TheStore) -> MessageDetail:
        """One message, and what it was answered with."""
        scope = reader.scope
        came = await store.read(lambda db: queries.inbound(db, scope, None, message_id))
        left = await store.read(lambda db: queries.outbound(db, scope, message_id))
        if came is None and left is None:
            raise NoSuchThing("there is no such message")
        answers = await store.read(lambda db: queries.answers_to(db, scope, message_id))
        return MessageDetail(
            inbound=status_of(came) if came else None,
            outbound=OutboundView.model_validate(left) if left else None,
            answers=[OutboundView.model_validate(row) for row in answers],
        )

    @router.get("/v1/messages/{message_id}/raw")
    async def raw(message_id: UUID, reader: Archivist, store: TheStore) -> Response:
        """The bytes exactly as they came or left, as a file; who read them is recorded."""
        content = await store.read(lambda db: queries.raw(db, reader.scope, message_id))
        if content is None:
            raise NoSuchThing("there is no such message")
        await store.run(reader, lambda unit: unit.audit("message:read", f"message/{message_id}"))
        headers = {"Content-Disposition": f'attachment; filename="{message_id}"', "Cache-Control": "no-store"}
        return Response(content, media_type="application/octet-stream", headers=headers)


def _work(router: APIRouter, desk: Desk) -> None:
    @router.get("/v1/handovers")
    async def handovers(
        reader: Reader, store: TheStore, state: RowState | None = None, case: UUID | None = None
    ) -> list[HandoverView]:
        """What was handed over, newest first, with the state of every document."""
        rows = await store.read(lambda db: queries.handover_rows(db, reader.scope, state, case))
        return _handovers(rows)

    @router.get("/v1/quarantine")
    async def quarantine(
        reader: Reader, store: TheStore, state: Literal["OPEN", "RETRIED", "DISCARDED"] | None = None
    ) -> list[QuarantineView]:
        """What could not be processed, oldest first."""
        rows = await store.read(lambda db: queries.quarantined(db, reader.scope, state))
        return [QuarantineView.model_validate(row) for row in rows]

    @router.get("/v1/partners")
    async def partners(reader: Reader) -> list[PartnerView]:
        """The partners with whom something is agreed."""
        seen = [each for each in desk.partners.all() if reader.scope.kind == "all" or reader.scope.id == each.id]
        return [
            PartnerView(
                id=each.id,
                name=each.name,
                role=each.role,
                dialects=[(dialect.dialect, dialect.valid_from) for dialect in each.dialects],
                way_out=desk.way_out(each),
                accept=each.accept,
            )
            for each in seen
        ]


def _handovers(rows: Any) -> list[HandoverView]:
    attempts: dict[tuple[UUID, str, int], list[Any]] = {}
    for row in rows:
        attempts.setdefault((row.case_id, row.fact, row.attempt), []).append(row)
    return [
        HandoverView(
            case_id=case_id,
            fact=fact,
            attempt=attempt,
            outlook=outlook(row.state for row in found if row.required),
            rows=[_row(row) for row in found],
        )
        for (case_id, fact, attempt), found in attempts.items()
    ]


def _row(row: Any) -> RowView:
    values = {name: getattr(row, name) for name in RowView.model_fields if name != "reasons"}
    return RowView(**values, reasons=tuple(reason.model_dump(exclude_none=True) for reason in row.reasons))


def _acting(router: APIRouter, desk: Desk) -> None:
    @router.post("/v1/messages/{row_id}/resend")
    async def resend(row_id: UUID, request: WithReason, resender: Resender, store: TheStore) -> dict[str, str]:
        """Build the document of a row anew and send it, under the same business key. Profiles are read again before."""
        reason = request.said()
        desk.partners.look_again()

        def command(unit: Unit) -> dict[str, str]:
            return {"state": resend_row(unit, desk, str(row_id), reason)}

        def wanted(unit: Unit) -> Any:
            yield Dossier, str(row_id)
            dossier = unit.find(Dossier, str(row_id))
            if dossier is not None:
                yield from needs_rows(str(dossier.case_id), [], unit)

        return await store.run(resender, command, needs=wanted)

    @router.post("/v1/quarantine/{entry_id}/retry")
    async def retry(entry_id: UUID, request: WithReason, releaser: Releaser, store: TheStore) -> dict[str, str]:
        """Have a message processed again, for instance once its sender has a profile."""
        reason, key = request.said(), str(entry_id)
        desk.partners.look_again()

        def command(unit: Unit) -> dict[str, str]:
            return {"state": retry_entry(unit, key, reason)}

        return await store.run(releaser, command, needs=lambda unit: needs_retry(key, unit))

    @router.post("/v1/quarantine/{entry_id}/discard")
    async def discard(entry_id: UUID, request: WithReason, discarder: Discarder, store: TheStore) -> dict[str, str]:
        """Give a message up: one person asks, a second one confirms. The archive keeps it all the same."""
        reason, key = request.said(), str(entry_id)

        def command(unit: Unit) -> dict[str, str]:
            entry = unit.get(QuarantineEntry, key)
            done = entry.discard(unit.principal.id, reason, unit.now)
            unit.audit("message:discard", f"quarantine/{key}", confirmed=done)
            return {"state": entry.state.value}

        return await store.run(discarder, command, needs=[(QuarantineEntry, key)])


def _answers(router: APIRouter, desk: Desk) -> None:
    @router.post("/v1/orders/{order_key}/answer-text")
    async def answer_text(order_key: str, request: WithText, answerer: Answerer, store: TheStore) -> dict[str, str]:
        """The text that the code of a decided answer demands; with it the answer leaves."""

        def command(unit: Unit) -> dict[str, str]:
            add_text(unit, desk, order_key, request.text)
            return {"state": "answered"}

        return await store.run(answerer, command, needs=lambda unit: needs_answer(order_key, unit))
