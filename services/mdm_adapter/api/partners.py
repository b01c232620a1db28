"""The door of partners: a message is handed in, and its sender asks what became of it."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from kit import faults
from kit.auth import Principal, needs
from kit.http import the_store
from kit.store import Store, Unit
from services.mdm_adapter import store as queries
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects import writing
from services.mdm_adapter.domain.messages import ItemResult, Noted, StoredAnswer
from services.mdm_adapter.errors import NoSuchThing, TooLarge, WrongMediaType
from services.mdm_adapter.partners.profile import Limits, Profile
from services.mdm_adapter.receiving import Arriving, Receipt, message_of, needs_receiving, receipt_of, receive

MESSAGE_BYTES = 10_000_000
"""Most bytes of one message over HTTP (SEC-IN-03)."""
MEDIA_TYPES: Mapping[str, str | None] = MappingProxyType(
    {
        **dict.fromkeys(("application/xml", "text/xml"), "cim_xml"),
        **dict.fromkeys(("application/cloudevents+json", "application/json"), "json_ce"),
        **dict.fromkeys(("text/csv", "application/csv"), "csv"),
        **dict.fromkeys(("application/edifact", "text/plain"), "edifact_fv"),
        "application/octet-stream": None,
    }
)
"""Declared type -> dialect; None: whatever the bytes show."""
Sender = Annotated[Principal, Depends(needs("order:submit"))]
TheStore = Annotated[Store, Depends(the_store)]


class ReceiptView(BaseModel):
    """The message is stored; what becomes of it is told at the address."""

    receipt: str
    sha256: str
    status_url: str


class MessageStatus(BaseModel):
    """What became of a message: STORED, PROCESSED, REFUSED or QUARANTINED."""

    receipt: str
    state: str
    received_at: datetime
    sha256: str
    findings: tuple[Noted, ...]
    records: tuple[ItemResult, ...]
    answers: tuple[StoredAnswer, ...]


def routes(desk: Desk) -> APIRouter:
    """Routes for keys of partners only; another partner's path does not exist for them."""
    router = APIRouter(tags=["partners"])

    @router.post("/v1/in/{partner}", status_code=202, max_body_size=MESSAGE_BYTES, response_model=ReceiptView)
    async def hand_in(partner: str, request: Request, sender: Sender, store: TheStore) -> ReceiptView | Response:
        """Take a message of any dialect that is agreed with the partner. The answer leaves after it is stored.

        Where it is agreed to wait, 200 with the answer in the partner's own dialect, if there is one in time.
        """
        _own(sender, partner)
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        profile = desk.partners.find(partner)
        desk.rate.spend(partner, (profile.limits if profile else Limits()).per_minute, store.clock.now())
        if not _takes(profile, media_type):
            raise WrongMediaType(media_type)
        content = await request.body()
        if profile is not None and len(content) > profile.limits.message_bytes:
            raise TooLarge(profile.limits.message_bytes)
        arriving = Arriving(partner, content, "rest", request.headers.get("idempotency-key"))
        seconds, expected = profile.waits if profile else 0, list[UUID]()

        def command(unit: Unit) -> ReceiptView:
            receipt = receive(unit, arriving)
            if seconds:
                expected.append(receipt.message_id)
                desk.waiting.expects(receipt.message_id)
            return receipt_view(request, partner, receipt)

        try:
            answer = await store.run(sender, command, needs=needs_receiving(arriving))
            faults.point("in.archived")
            given = await desk.waiting.answer(expected[-1], seconds) if expected else None
        finally:
            desk.waiting.forget(expected)
        return Response(given.content, 200, media_type=writing.MEDIA_TYPES[given.dialect]) if given else answer

    @router.get("/v1/in/{partner}/{receipt}")
    async def status(partner: str, receipt: str, sender: Sender, store: TheStore) -> MessageStatus:
        """What became of a message that was handed in."""
        _own(sender, partner)
        message_id = message_of(receipt)
        if message_id is None:
            raise NoSuchThing("no message has this receipt")
        found = await store.read(lambda db: queries.inbound(db, sender.scope, partner, message_id))
        if found is None:
            raise NoSuchThing("no message has this receipt")
        return status_of(found)

    return router


def receipt_view(request: Request, partner: str, receipt: Receipt) -> ReceiptView:
    """What the sender of a message is told."""
    url = f"{request.scope.get('root_path', '')}/v1/in/{partner}/{receipt.receipt}"
    return ReceiptView(receipt=receipt.receipt, sha256=receipt.sha256, status_url=url)


def _takes(profile: Profile | None, media_type: str) -> bool:
    """Whether a body that is declared so may be in a dialect of the partner; of a stranger everything is stored."""
    dialect = MEDIA_TYPES.get(media_type, "")
    return dialect is None or (dialect != "" and (profile is None or profile.speaks(dialect, None)))


def status_of(row: Any) -> MessageStatus:
    """A message as its sender sees it."""
    return MessageStatus(
        receipt=receipt_of(row.id),
        state=row.state.value,
        received_at=row.received_at,
        sha256=row.sha256,
        findings=row.findings,
        records=row.results,
        answers=row.answers,
    )


def _own(sender: Principal, partner: str) -> None:
    """Another partner's door looks as if it were not there."""
    if sender.scope.kind != "partner" or sender.scope.id != partner:
        raise NoSuchThing("there is nothing here that you may see")
