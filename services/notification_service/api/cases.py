"""What people write at a case: comments and notes of calls; and the numbers of technicians."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from contracts.codes import Direction, MessageChannel, Visibility
from contracts.ids import CaseId, MessageId
from contracts.messages import MessageRecorded
from kit.errors import NotFound
from kit.store import Unit
from services.notification_service.api.shapes import Asked, Commenter, Keeper, TheStore, View
from services.notification_service.domain import numbers
from services.notification_service.domain.correspondence import Comment, Correspondence
from services.notification_service.domain.desk import Desk
from services.notification_service.domain.inbound import StaffContact
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


def routes(desk: Desk) -> APIRouter:
    """What people write at a case."""
    made = APIRouter()
    _cases(made)
    _staff(made, desk)
    return made


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
