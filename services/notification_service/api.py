"""The HTTP side: notices and replies for dispatchers, comments for everybody at a case, the vendor's callbacks."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Direction, Match, MessageChannel, Reading, Visibility
from contracts.ids import CaseId, MessageId
from contracts.messages import MessageRecorded
from kit.auth import Principal, needs, open_route, webhook
from kit.errors import NotFound
from kit.http import the_store
from kit.store import Ref, Store, Unit
from kit.webhooks import Call, Proof
from kit.webhooks import Refused as NotProved
from services.notification_service import metrics, replying, sending
from services.notification_service import store as queries
from services.notification_service.channels.seven import VENDOR
from services.notification_service.domain import numbers
from services.notification_service.domain.correspondence import Comment, Correspondence
from services.notification_service.domain.desk import Desk
from services.notification_service.domain.inbound import Inbound, Reply, ReplyState, StaffContact
from services.notification_service.domain.notices import REPEATABLE, NoticeState
from services.notification_service.errors import BadNumber, NotPossible

TheStore = Annotated[Store, Depends(the_store)]
Reader = Annotated[Principal, Depends(needs("notice:read"))]
Writer = Annotated[Principal, Depends(needs("notice:write"))]
Replier = Annotated[Principal, Depends(needs("reply:handle"))]
Commenter = Annotated[Principal, Depends(needs("case:comment"))]
Keeper = Annotated[Principal, Depends(needs("person:manage"))]
Limit = Annotated[int, Query(ge=1, le=queries.PAGE)]

CALLBACK_BYTES = 64 * 1024
PROVED = Depends(open_route("the vendor has no token; every callback carries a signature over its bytes"))


class View(BaseModel):
    """What a route answers."""

    model_config = ConfigDict(frozen=True, from_attributes=True, use_attribute_docstrings=True)


class Asked(BaseModel):
    """What a route takes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


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


class CommentText(Asked):
    """What a person wrote at a case."""

    text: str = Field(min_length=1, max_length=4_000)
    visibility: Visibility = Visibility.INTERNAL
    replaces: UUID | None = None
    """The comment that this one takes the place of."""


class CommentView(View):
    """A comment; author and time are the server's."""

    comment_id: UUID
    author: str
    at: datetime
    visibility: Visibility


class StaffNumber(Asked):
    """How a technician is texted."""

    number: str = Field(min_length=1, max_length=32)
    language: str = Field("de", pattern="^[a-z]{2}$")


class StaffView(View):
    """A technician's number, masked."""

    staff_id: UUID
    number: str
    language: str


def router(desk: Desk, callback_url: str, proof: Proof) -> APIRouter:
    """All routes of the service."""
    routes = APIRouter()
    _notices(routes, desk)
    _replies(routes)
    _cases(routes)
    _staff(routes, desk)
    _callbacks(routes, callback_url, proof)
    return routes


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


def _cases(routes: APIRouter) -> None:
    @routes.post("/v1/cases/{case_id}/comments", status_code=201)
    async def comment(case_id: UUID, request: CommentText, commenter: Commenter, store: TheStore) -> CommentView:
        """Write a comment for the timeline of a case. Comments are immutable; a newer one may replace one."""

        def command(unit: Unit) -> CommentView:
            case = unit.get(Correspondence, str(case_id))
            if not case.is_visible_to(commenter.scope):
                raise NotFound(f"there is no Correspondence {case_id}")
            made = Comment(
                comment_id=unit.new_id(),
                author=commenter.id,
                at=unit.now,
                visibility=request.visibility,
                text=request.text,
                replaces=request.replaces,
            )
            case.comments.append(made)
            case.told.append(_told(case_id, made))
            return CommentView.model_validate(made)

        return await store.run(commenter, command, needs=[(Correspondence, str(case_id))])


def _staff(routes: APIRouter, desk: Desk) -> None:
    @routes.put("/v1/staff-contacts/{staff_id}")
    async def keep_number(staff_id: UUID, request: StaffNumber, keeper: Keeper, store: TheStore) -> StaffView:
        """Keep the number that a technician is texted at when work has to stop."""
        number = desk.number(request.number, None)
        if number.e164 is None or number.cause is not None:
            raise BadNumber(number.cause or numbers.NumberCause.INVALID_NUMBER)
        e164 = number.e164

        def command(unit: Unit) -> StaffView:
            staff = unit.find(StaffContact, str(staff_id))
            if staff is None:
                staff = StaffContact(staff_id=staff_id, number=e164, language=request.language)
                unit.add(staff)
            staff.number, staff.language = e164, request.language
            unit.audit("staff_contact:keep", f"staff/{staff_id}")
            return StaffView(staff_id=staff_id, number=numbers.masked(e164), language=staff.language)

        return await store.run(keeper, command, needs=[(StaffContact, str(staff_id))])


def _callbacks(routes: APIRouter, url: str, proof: Proof) -> None:
    @routes.post("/v1/sms/seven/in", dependencies=[PROVED], max_body_size=CALLBACK_BYTES)
    async def keep_callback(request: Request, store: TheStore) -> Response:
        """A reply or a receipt: proved over its raw bytes, kept, acknowledged, and read afterwards."""
        body = await request.body()
        try:
            nonce = proof.check(Call(body, request.headers, request.method, url), store.clock.now())
        except NotProved as refusal:
            metrics.CALLBACKS_REFUSED.labels(VENDOR, refusal.reason).inc()
            raise
        key = f"{VENDOR}:{nonce}"
        peer = request.client.host if request.client else ""

        def keep(unit: Unit) -> None:
            if unit.find(Inbound, key) is None:
                kept = Inbound(inbound_id=key, vendor=VENDOR, received_at=unit.now, peer=peer, body=body)
                unit.add(kept)
                unit.later(replying.TIMER, key, unit.now)

        await store.run(webhook(VENDOR), keep, needs=[(Inbound, key)])
        return Response(status_code=200)


def _of_case(unit: Unit, key: str) -> Iterable[Ref]:
    """All that sending needs, of the case that a notice belongs to."""
    yield Correspondence, key
    if (case := unit.find(Correspondence, key)) is not None:
        yield from sending.needs_of(unit, str(case.case_id))
        for notice in case.notices:
            if notice.recipient_id is not None:
                yield StaffContact, str(notice.recipient_id)


def _told(case_id: UUID, comment: Comment) -> MessageRecorded:
    return MessageRecorded(
        case_id=CaseId(case_id),
        message_id=MessageId(comment.comment_id),
        direction=Direction.NOTE,
        channel=MessageChannel.COMMENT,
        text=comment.text,
        author=comment.author,
        visibility=comment.visibility,
        replaces=MessageId(comment.replaces) if comment.replaces else None,
    )


def _reply_view(row: Any) -> ReplyView:
    view = ReplyView.model_validate(row)
    return view.model_copy(update={"sender": _masked(view.sender)})


def _masked(sender: str) -> str:
    """A number is masked (SEC-PII-04); a name in its place is what it is."""
    return numbers.masked(sender) if sender.startswith("+") else sender
