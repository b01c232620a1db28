"""Notices and replies, for dispatchers."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from contracts.codes import Channel, Match, Reading
from kit.store import Ref, Unit
from services.notification_service import replying, sending
from services.notification_service import store as queries
from services.notification_service.api.shapes import Asked, Limit, Reader, Replier, TheStore, View, Writer
from services.notification_service.domain import numbers
from services.notification_service.domain.correspondence import Correspondence
from services.notification_service.domain.desk import Desk
from services.notification_service.domain.inbound import Reply, ReplyState, StaffContact
from services.notification_service.domain.notices import REPEATABLE, NoticeState
from services.notification_service.errors import NotPossible


class NoticeView(View):
    """A notice; its text is without the code."""

    notice_id: UUID
    key: str
    rule_id: str
    case_id: UUID
    work_order_id: UUID | None
    appointment_id: UUID | None
    revision: int | None
    attempt: int | None
    channel: Channel
    template: str
    template_version: int | None
    language: str | None
    text: str | None
    segments: int | None
    state: NoticeState
    gate: str | None
    cause: str | None
    tries: int
    due_at: datetime
    sent_at: datetime | None
    final_at: datetime | None


class NoticePage(View):
    """Notices in the order of their making; `next` goes into `after` for the following page."""

    notices: tuple[NoticeView, ...]
    next: UUID | None


class ReplyView(View):
    """A reply as read; the number is masked."""

    reply_id: UUID
    received_at: datetime
    sender: str
    text: str
    reading: Reading
    confidence: Decimal
    hint: str | None
    match: Match | None
    state: ReplyState
    queued_for: str | None
    case_id: UUID | None
    appointment_id: UUID | None


class ReplyPage(View):
    """Replies, oldest first; `next` goes into `after` for the following page."""

    replies: tuple[ReplyView, ...]
    next: UUID | None


class Assignment(Asked):
    """The appointment that a reply is about."""

    appointment_id: UUID


class Dismissal(Asked):
    """Why a reply belongs nowhere."""

    reason: str = Field(min_length=1, max_length=400)


def routes(desk: Desk) -> APIRouter:
    """What was said or will be, and what was answered."""
    made = APIRouter()
    _notices(made, desk)
    _replies(made)
    return made


def _notices(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/v1/notices")
    async def list_notices(
        reader: Reader,
        store: TheStore,
        case: UUID | None = None,
        state: NoticeState | None = None,
        rule: str | None = None,
        after: UUID | None = None,
        limit: Limit = 100,
    ) -> NoticePage:
        """What was said or will be: by case, state or rule."""
        asked: dict[str, Any] = {"case_id": case, "state": state, "rule_id": rule, "after": after, "limit": limit}
        rows = await store.read(lambda db: queries.notices(db, reader.scope, **asked))
        views = tuple(NoticeView.model_validate(row) for row in rows)
        return NoticePage(notices=views, next=views[-1].notice_id if len(views) == limit else None)

    @routes.post("/v1/notices/{notice_id}/send-again", status_code=201)
    async def send_again(notice_id: UUID, writer: Writer, store: TheStore) -> NoticeView:
        """A new notice in place of one that failed or whose fate is unknown; the person stands in the audit."""

        def command(unit: Unit) -> NoticeView:
            case = unit.get(Correspondence, str(notice_id))
            old = case.notice(notice_id)
            versions = case.versions_of(old)
            if found := [each.state for each in versions if each.state not in REPEATABLE]:
                raise NotPossible(f"a notice that is {found[0]} is not sent again")
            sending.tell(case, old.failed("outcome_unknown", unit.now), old)  # nobody waits for its answer any more
            new = sending.plan(unit, case, old.rule, f"{old.plain_key}#{len(versions) + 1}", old.about)
            if new is None:
                raise NotPossible("it is being sent again already")
            unit.audit("notice:send_again", f"case/{case.case_id}", notice=str(notice_id), again=str(new.notice_id))
            sending.dispatch(unit, desk, case, new)
            return NoticeView.model_validate(new)

        return await store.run(writer, command, needs=lambda unit: _of_case(unit, str(notice_id)))


def _replies(routes: APIRouter) -> None:
    @routes.get("/v1/replies")
    async def list_replies(
        replier: Replier,
        store: TheStore,
        state: ReplyState | None = None,
        after: UUID | None = None,
        limit: Limit = 100,
    ) -> ReplyPage:
        """Replies, for example those that wait for a person (`state=QUEUED`)."""
        rows = await store.read(lambda db: queries.replies(db, replier.scope, state=state, after=after, limit=limit))
        views = tuple(_reply_view(row) for row in rows)
        return ReplyPage(replies=views, next=views[-1].reply_id if len(views) == limit else None)

    @routes.post("/v1/replies/{reply_id}/assign")
    async def assign(reply_id: UUID, request: Assignment, replier: Replier, store: TheStore) -> ReplyView:
        """Say which appointment a waiting reply is about; it is told like one that was matched."""

        def command(unit: Unit) -> ReplyView:
            reply = unit.get(Reply, str(reply_id))
            case = unit.get(Correspondence, str(request.appointment_id))
            replying.assign(unit, reply, case, request.appointment_id)
            unit.audit("reply:assign", f"case/{case.case_id}", reply=str(reply_id))
            return _reply_view(reply)

        wanted = [(Reply, str(reply_id)), (Correspondence, str(request.appointment_id))]
        return await store.run(replier, command, needs=wanted)

    @routes.post("/v1/replies/{reply_id}/dismiss")
    async def dismiss(reply_id: UUID, request: Dismissal, replier: Replier, store: TheStore) -> ReplyView:
        """Say that a waiting reply belongs nowhere, and why."""

        def command(unit: Unit) -> ReplyView:
            reply = unit.get(Reply, str(reply_id))
            replying.dismiss(reply, request.reason)
            unit.audit("reply:dismiss", f"reply/{reply_id}")
            return _reply_view(reply)

        return await store.run(replier, command, needs=[(Reply, str(reply_id))])


def _of_case(unit: Unit, key: str) -> Iterable[Ref]:
    """All that sending needs, of the case that a notice belongs to."""
    yield Correspondence, key
    if (case := unit.find(Correspondence, key)) is not None:
        yield from sending.needs_of(unit, str(case.case_id))
        for notice in case.notices:
            if notice.recipient_id is not None:
                yield StaffContact, str(notice.recipient_id)


def _reply_view(row: Any) -> ReplyView:
    view = ReplyView.model_validate(row)
    return view.model_copy(update={"sender": _masked(view.sender)})


def _masked(sender: str) -> str:
    """A number is masked (SEC-PII-04); a name in its place is what it is."""
    return numbers.masked(sender) if sender.startswith("+") else sender
