"""What people write at a case: comments and notes of calls; and the numbers of technicians."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, model_validator

from contracts.codes import Direction, MessageChannel, Visibility
from contracts.ids import CaseId, MessageId
from contracts.messages import MessageRecorded
from kit.errors import NotFound
from kit.store import Unit
from services.notification_service import sending, texting
from services.notification_service.api.shapes import Asked, Commenter, Keeper, TheStore, View, Writer
from services.notification_service.domain import numbers
from services.notification_service.domain.correspondence import Comment, Correspondence
from services.notification_service.domain.desk import Desk
from services.notification_service.domain.inbound import StaffContact
from services.notification_service.domain.notices import NoticeState
from services.notification_service.errors import BadNumber


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


class CallNote(Asked):
    """What was said on the phone."""

    text: str = Field(min_length=1, max_length=4_000)
    visibility: Visibility = Visibility.INTERNAL


class TextRequest(Asked):
    """A text in words, or the confirmation of the appointment that stands."""

    text: str | None = Field(None, min_length=1, max_length=459)
    template: Literal["booking_confirmation"] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "TextRequest":
        if (self.text is None) == (self.template is None):
            raise ValueError("either text or template")
        return self


class TextView(View):
    """The notice that was made of it; GET /v1/notices says how far it has come."""

    notice_id: UUID
    state: NoticeState


def routes(desk: Desk) -> APIRouter:
    """What people write at a case."""
    made = APIRouter()
    _comments(made)
    _texts(made, desk)
    _staff(made, desk)
    return made


def _comments(routes: APIRouter) -> None:
    @routes.post("/v1/cases/{case_id}/comments", status_code=201)
    async def comment(case_id: UUID, request: CommentText, commenter: Commenter, store: TheStore) -> CommentView:
        """Write a comment for the timeline of a case. Comments are immutable; a newer one may replace one."""

        def command(unit: Unit) -> CommentView:
            case = _visible(unit, case_id)
            if request.replaces is not None:
                case.comment(request.replaces)
            return _note(unit, case, request.text, request.visibility, MessageChannel.COMMENT, request.replaces)

        return await store.run(commenter, command, needs=[(Correspondence, str(case_id))])

    @routes.post("/v1/cases/{case_id}/calls", status_code=201)
    async def note_call(case_id: UUID, request: CallNote, commenter: Commenter, store: TheStore) -> CommentView:
        """Note what was said on the phone; it stands in the timeline beside texts and comments."""

        def command(unit: Unit) -> CommentView:
            case = _visible(unit, case_id)
            return _note(unit, case, request.text, request.visibility, MessageChannel.PHONE, None)

        return await store.run(commenter, command, needs=[(Correspondence, str(case_id))])


def _texts(routes: APIRouter, desk: Desk) -> None:
    @routes.post("/v1/cases/{case_id}/sms", status_code=202)
    async def text(case_id: UUID, request: TextRequest, writer: Writer, store: TheStore) -> TextView:
        """Text the customer, where that makes sense: free words change nothing, the confirmation leads to T11."""

        def command(unit: Unit) -> TextView:
            case = unit.get(Correspondence, str(case_id))
            notice = texting.text(unit, desk, case, request.text)
            unit.audit("notice:write", f"case/{case_id}", notice=str(notice.notice_id))
            return TextView.model_validate(notice)

        return await store.run(writer, command, needs=lambda unit: sending.needs_of(unit, str(case_id)))


def _visible(unit: Unit, case_id: UUID) -> Correspondence:
    case = unit.get(Correspondence, str(case_id))
    if not case.is_visible_to(unit.principal.scope):
        raise NotFound(f"there is no Correspondence {case_id}")
    return case


def _note(
    unit: Unit,
    case: Correspondence,
    text: str,
    visibility: Visibility,
    channel: MessageChannel,
    replaces: UUID | None,
) -> CommentView:
    made = Comment(
        comment_id=unit.new_id(),
        author=unit.principal.id,
        at=unit.now,
        visibility=visibility,
        channel=channel,
        text=text,
        replaces=replaces,
    )
    case.comments.append(made)
    case.told.append(_told(case.case_id, made))
    return CommentView.model_validate(made)


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


def _told(case_id: UUID, comment: Comment) -> MessageRecorded:
    return MessageRecorded(
        case_id=CaseId(case_id),
        message_id=MessageId(comment.comment_id),
        direction=Direction.NOTE,
        channel=comment.channel,
        text=comment.text,
        author=comment.author,
        visibility=comment.visibility,
        replaces=MessageId(comment.replaces) if comment.replaces else None,
    )
