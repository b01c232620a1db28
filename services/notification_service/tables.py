"""What notification_service keeps, beside the tables of the kernel."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from contracts.codes import Channel, Match, MessageChannel, Reading, Visibility
from contracts.parts import Address, Span
from kit.db import Choice, Id, Json, Utc, kernel
from services.notification_service.domain.correspondence import AppointmentState
from services.notification_service.domain.dialogues import DialogueState
from services.notification_service.domain.inbound import ReplyState
from services.notification_service.domain.letters import LetterState
from services.notification_service.domain.lines import OptOut
from services.notification_service.domain.notices import NoticeState

metadata = sa.MetaData()
kernel(metadata)

correspondences = sa.Table(
    "correspondences",
    metadata,
    sa.Column("case_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("begun_at", Utc, nullable=False),
    sa.Column("operator", sa.Text),
    sa.Column("ended", sa.Boolean, nullable=False),
    sa.Column("purged", sa.Boolean, nullable=False),
    sa.Column("replies", Json(tuple[UUID, ...]), nullable=False),
)

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("case_id", Id, sa.ForeignKey("correspondences.case_id"), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("phone", sa.Text),
    sa.Column("number_hash", sa.Text, index=True),
    sa.Column("email", sa.Text),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("sms_allowed", sa.Boolean, nullable=False),
    sa.Column("address", Json(Address), nullable=False),
    sa.Column("postcode", sa.Text, nullable=False),
)

work_orders = sa.Table(
    "work_orders",
    metadata,
    sa.Column("work_order_id", Id, primary_key=True),
    sa.Column("case_id", Id, sa.ForeignKey("correspondences.case_id"), nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
)

appointments = sa.Table(
    "appointments",
    metadata,
    sa.Column("appointment_id", Id, primary_key=True),
    sa.Column("case_id", Id, sa.ForeignKey("correspondences.case_id"), nullable=False, index=True),
    sa.Column("work_order_id", Id, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("state", Choice(AppointmentState), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("block_start", Utc, nullable=False),
    sa.Column("window_from", Utc, nullable=False),
    sa.Column("window_to", Utc, nullable=False),
    sa.Column("technicians", Json(tuple[UUID, ...]), nullable=False),
    sa.Column("company_id", Id, nullable=False),
    sa.Column("answer_by", Utc),
    sa.Column("alternatives", Json(tuple[Span, ...]), nullable=False, server_default="[]"),
)

notices = sa.Table(
    "notices",
    metadata,
    sa.Column("notice_id", Id, primary_key=True),
    sa.Column("case_id", Id, sa.ForeignKey("correspondences.case_id"), nullable=False, index=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("rule_id", sa.Text, nullable=False),
    sa.Column("work_order_id", Id),
    sa.Column("appointment_id", Id),
    sa.Column("revision", sa.Integer),
    sa.Column("attempt", sa.Integer),
    sa.Column("recipient_id", Id),
    sa.Column("part", sa.Integer, nullable=False, server_default="1"),
    sa.Column("parts", sa.Integer, nullable=False, server_default="1"),
    sa.Column("channel", Choice(Channel), nullable=False, server_default="sms"),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("template_version", sa.Integer),
    sa.Column("language", sa.Text),
    sa.Column("text", sa.Text),
    sa.Column("segments", sa.Integer),
    sa.Column("state", Choice(NoticeState), nullable=False, index=True),
    sa.Column("gate", sa.Text),
    sa.Column("cause", sa.Text),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("sendings", sa.Integer, nullable=False),
    sa.Column("provider_id", sa.Text),
    sa.Column("planned_at", Utc, nullable=False),
    sa.Column("due_at", Utc, nullable=False),
    sa.Column("sent_at", Utc),
    sa.Column("sent_on", sa.Date),
    sa.Column("final_at", Utc),
)

dialogues = sa.Table(
    "dialogues",
    metadata,
    sa.Column("dialogue_id", Id, primary_key=True),
    sa.Column("case_id", Id, sa.ForeignKey("correspondences.case_id"), nullable=False, index=True),
    sa.Column("appointment_id", Id, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("salt", sa.Integer, nullable=False),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("code_hash", sa.Text, nullable=False, unique=True),
    sa.Column("link_hash", sa.Text, unique=True),
    sa.Column("number_hash", sa.Text),
    sa.Column("state", Choice(DialogueState), nullable=False),
    sa.Column("expires_at", Utc, nullable=False),
)

comments = sa.Table(
    "comments",
    metadata,
    sa.Column("comment_id", Id, primary_key=True),
    sa.Column("case_id", Id, sa.ForeignKey("correspondences.case_id"), nullable=False, index=True),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("visibility", Choice(Visibility), nullable=False),
    sa.Column("channel", Choice(MessageChannel), nullable=False, server_default="comment"),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("replaces", Id),
)

letters = sa.Table(
    "letters",
    metadata,
    sa.Column("letter_id", Id, primary_key=True),
    sa.Column("case_id", Id, sa.ForeignKey("correspondences.case_id"), nullable=False, index=True),
    sa.Column("notice_id", Id, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("sheets", sa.Integer, nullable=False),
    sa.Column("window_profile", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("state", Choice(LetterState), nullable=False, index=True),
    sa.Column("batch_id", Id, index=True),
    sa.Column("prepared_at", Utc, nullable=False),
    sa.Column("printed_on", sa.Date),
)

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("batch_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("begun_at", Utc, nullable=False),
    sa.Column("letters", sa.Integer, nullable=False),
    sa.Column("manifest_sha256", sa.Text),
    sa.Column("handed_over_at", Utc),
)

lines = sa.Table(
    "lines",
    metadata,
    sa.Column("number_hash", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("cases", Json(tuple[UUID, ...]), nullable=False),
    sa.Column("opt_outs", Json(tuple[OptOut, ...]), nullable=False),
    sa.Column("taken", Json(tuple[datetime, ...]), nullable=False),
)

inbound_raw = sa.Table(
    "inbound_raw",
    metadata,
    sa.Column("inbound_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("received_at", Utc, nullable=False),
    sa.Column("peer", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary),
    sa.Column("parsed_as", sa.Text),
    sa.Column("error", sa.Text),
)

replies = sa.Table(
    "replies",
    metadata,
    sa.Column("reply_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("provider_key", sa.Text, nullable=False, unique=True),
    sa.Column("inbound_id", sa.Text, nullable=False),
    sa.Column("received_at", Utc, nullable=False),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("reading", Choice(Reading), nullable=False),
    sa.Column("confidence", Json(Decimal), nullable=False),
    sa.Column("hint", sa.Text),
    sa.Column("match", Choice(Match)),
    sa.Column("state", Choice(ReplyState), nullable=False, index=True),
    sa.Column("queued_for", sa.Text),
    sa.Column("case_id", Id),
    sa.Column("appointment_id", Id),
    sa.Column("dismissed_for", sa.Text),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("provider_key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id),
    sa.Column("notice_id", Id),
)

receipts = sa.Table(
    "receipts",
    metadata,
    sa.Column("provider_key", sa.Text, sa.ForeignKey("deliveries.provider_key"), primary_key=True),
    sa.Column("status", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("alert_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("alert_key", sa.Text, nullable=False, unique=True),
    sa.Column("rule_id", sa.Text, nullable=False),
    sa.Column("audience", sa.Text, nullable=False, index=True),
    sa.Column("case_id", Id, index=True),
    sa.Column("work_order_id", Id),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("cause", sa.Text),
    sa.Column("made_at", Utc, nullable=False),
    sa.Column("due_at", Utc, nullable=False),
)

staff_contacts = sa.Table(
    "staff_contacts",
    metadata,
    sa.Column("staff_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
)
