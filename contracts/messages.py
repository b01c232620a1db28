"""What was said to and by the customer, for the timeline; told by notification_service to cockpit alone."""

from typing import Annotated

from contracts.codes import Direction, MessageChannel, Visibility
from contracts.event import Event
from contracts.groups import OfCase
from contracts.ids import Code, MessageId, NoticeId, Principal, WorkOrderId
from contracts.parts import Personal


class MessageRecorded(OfCase, Event, topic="rollout.messages", owner="notification", version=1, key="case_id"):
    """A text went out or came in, or a note or comment was written. For the timeline only; nothing hangs on it."""

    work_order_id: WorkOrderId | None = None
    message_id: MessageId
    direction: Direction
    channel: MessageChannel
    text: Annotated[str, Personal()]
    language: Code | None = None
    author: Principal | None = None
    visibility: Visibility
    notice_id: NoticeId | None = None
    replaces: MessageId | None = None
    """Hide that message: this one takes its place."""
