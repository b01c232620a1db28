"""What mdm_adapter keeps, beside the tables of the kernel."""

from typing import Any

import sqlalchemy as sa

from contracts.codes import AnnouncedPlan, Decision, Fact, Scheme
from kit.db import Choice, Id, Json, Utc, kernel
from services.mdm_adapter.dialects.csv.columns import ImportKind
from services.mdm_adapter.documents.answer import Answer, Reason
from services.mdm_adapter.documents.matrix import Accept, Role
from services.mdm_adapter.documents.values import DeviceFact, ReportedDevice
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.domain.handover import RowState
from services.mdm_adapter.domain.imports import Form, ImportState
from services.mdm_adapter.domain.messages import (
    Change,
    EntryState,
    InState,
    ItemResult,
    Noted,
    OutState,
    StoredAnswer,
)
from services.mdm_adapter.domain.orders import Statement
from services.mdm_adapter.domain.points import Since
from services.mdm_adapter.partners.mapping import ColumnMap

metadata = sa.MetaData()
kernel(metadata)

archive_heads = sa.Table(
    "archive_heads",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("numbered", sa.BigInteger, nullable=False, server_default="0"),
)

archive = sa.Table(
    "archive",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("partner", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("prev_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)

inbound_messages = sa.Table(
    "inbound_messages",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("partner", sa.Text, nullable=False),
    sa.Column("transport", sa.Text, nullable=False),
    sa.Column("transport_key", sa.Text),
    sa.Column("received_at", Utc, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("state", Choice(InState), nullable=False),
    sa.Column("copy_of", Id),
    sa.Column("in_reply_to", Id),
    sa.Column("dialect", sa.Text),
    sa.Column("verb", sa.Text),
    sa.Column("noun", sa.Text),
    sa.Column("foreign_id", sa.Text),
    sa.Column("correlation_id", sa.Text),
    sa.Column("orders", Json(tuple[str, ...]), nullable=False),
    sa.Column("findings", Json(tuple[Noted, ...]), nullable=False),
    sa.Column("results", Json(tuple[ItemResult, ...]), nullable=False),
    sa.Column("answers", Json(tuple[StoredAnswer, ...]), nullable=False),
    sa.Index("inbound_messages_by_time", "partner", "received_at"),
    sa.Index("inbound_messages_by_state", "state", "received_at"),
)

known_messages = sa.Table(
    "known_messages",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("message_id", Id, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
)

outbound_messages = sa.Table(
    "outbound_messages",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("partner", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("dialect", sa.Text, nullable=False, server_default="cim_xml"),
    sa.Column("transport", sa.Text, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("correlation_id", sa.Text),
    sa.Column("case_id", Id),
    sa.Column("row_id", Id),
    sa.Column("answers_to", Id),
    sa.Column("state", Choice(OutState), nullable=False),
    sa.Column("finished_at", Utc),
    sa.Column("cause", sa.Text),
    sa.Index("outbound_messages_by_time", "partner", "created_at"),
    sa.Index("outbound_messages_by_row", "row_id"),
)

correlations = sa.Table(
    "correlations",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id, nullable=False),
    sa.Column("row_id", Id, nullable=False),
    sa.Column("message_id", Id, nullable=False),
)

endpoints = sa.Table(
    "endpoints",
    metadata,
    sa.Column("partner", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("disabled_at", Utc, nullable=False),
)

points = sa.Table(
    "points",
    metadata,
    sa.Column("metering_point_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("scheme", Choice(Scheme), nullable=False),
    sa.Column("states", Json(tuple[Since, ...]), nullable=False),
)

areas = sa.Table(
    "areas",
    metadata,
    sa.Column("area_key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("municipality", sa.Text, nullable=False),
    sa.Column("stage", sa.Text),
)

import_jobs = sa.Table(
    "import_jobs",
    metadata,
    sa.Column("import_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("kind", Choice(ImportKind), nullable=False),
    sa.Column("partner", sa.Text, nullable=False),
    sa.Column("file_id", Id, nullable=False),
    sa.Column("received_at", Utc, nullable=False),
    sa.Column("form", Json(Form), nullable=False),
    sa.Column("mapping", Json(ColumnMap), nullable=False),
    sa.Column("state", Choice(ImportState), nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("accepted", sa.Integer, nullable=False),
    sa.Column("unchanged", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("refused", sa.Integer, nullable=False),
    sa.Column("rules", Json(dict[str, int]), nullable=False),
    sa.Column("job_id", Id),
    sa.Column("created_by", sa.Text, nullable=False),
)

import_findings = sa.Table(
    "import_findings",
    metadata,
    sa.Column("import_id", Id, sa.ForeignKey("import_jobs.import_id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("findings", Json(tuple[Noted, ...]), nullable=False),
)

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("order_key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("partner", sa.Text, nullable=False),
    sa.Column("order_no", sa.Text, nullable=False),
    sa.Column("order_version", sa.Integer, nullable=False),
    sa.Column("content", Json(WorkOrderRequested)),
    sa.Column("message_id", Id),
    sa.Column("correlation_id", sa.Text),
    sa.Column("cancelled_version", sa.Integer),
    sa.Column("cancel_message_id", Id),
    sa.Column("cancel_correlation_id", sa.Text),
    sa.Column("case_id", Id),
    sa.Column("answered", sa.Boolean, nullable=False),
    sa.Column("answer_waiting", Json(Answer)),
)

order_versions = sa.Table(
    "order_versions",
    metadata,
    sa.Column("order_key", sa.Text, sa.ForeignKey("orders.order_key"), primary_key=True),
    sa.Column("statement", Choice(Statement), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("payload_hash", sa.Text, nullable=False),
    sa.Column("message_id", Id, nullable=False),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("message_id", Id, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("partner", sa.Text, nullable=False),
    sa.Column("case_id", Id),
    sa.Column("row", sa.Integer),
    sa.Column("first_seen", Utc, nullable=False),
    sa.Column("state", Choice(EntryState), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("closed_by", sa.Text),
    sa.Column("closed_at", Utc),
    sa.Column("discard_asked_by", sa.Text),
    sa.Index("quarantine_by_state", "state", "first_seen"),
)

dossiers = sa.Table(
    "dossiers",
    metadata,
    sa.Column("case_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_version", sa.Integer, nullable=False),
    sa.Column("orders", Json(tuple[str, ...]), nullable=False),
    sa.Column("metering_point_id", sa.Text),
    sa.Column("metering_point_scheme", Choice(Scheme)),
    sa.Column("ended", sa.Boolean, nullable=False),
)

visits = sa.Table(
    "visits",
    metadata,
    sa.Column("case_id", Id, sa.ForeignKey("dossiers.case_id"), primary_key=True),
    sa.Column("visit_id", Id, primary_key=True),
    sa.Column("work_order_id", Id, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("visit_version", sa.Integer, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("sub_reason", sa.Text),
    sa.Column("started_at", Utc, nullable=False),
    sa.Column("finished_at", Utc, nullable=False),
    sa.Column("installed", Json(tuple[ReportedDevice, ...]), nullable=False),
    sa.Column("removed", Json(tuple[ReportedDevice, ...]), nullable=False),
    sa.Column("devices", Json(dict[str, DeviceFact]), nullable=False, server_default="{}"),
)

handovers = sa.Table(
    "handovers",
    metadata,
    sa.Column("case_id", Id, sa.ForeignKey("dossiers.case_id"), primary_key=True),
    sa.Column("fact", Choice(Fact), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("work_order_id", Id),
    sa.Column("order_key", sa.Text),
    sa.Column("decision", Choice(Decision)),
    sa.Column("supplement", sa.Boolean, nullable=False),
    sa.Column("final", sa.Boolean, nullable=False),
    sa.Column("visit_id", Id),
    sa.Column("visit_version", sa.Integer),
    sa.Column("evidence_digest", sa.Text),
    sa.Column("requested_at", Utc, nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False),
    sa.Column("plan", Choice(AnnouncedPlan)),
    sa.Column("statutory", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("planned_on", sa.Date),
    sa.Column("window_from", sa.Date),
    sa.Column("window_to", sa.Date),
)

handover_rows = sa.Table(
    "handover_rows",
    metadata,
    sa.Column("row_id", Id, primary_key=True),
    sa.Column("case_id", Id, sa.ForeignKey("dossiers.case_id"), nullable=False, index=True),
    sa.Column("fact", Choice(Fact), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("work_order_id", Id),
    sa.Column("order_key", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("required", sa.Boolean, nullable=False),
    sa.Column("role", Choice(Role), nullable=False, server_default="ordering"),
    sa.Column("accept", Choice(Accept), nullable=False, server_default="business"),
    sa.Column("state", Choice(RowState), nullable=False),
    sa.Column("held", sa.Text),
    sa.Column("delivery", sa.Text),
    sa.Column("build", sa.Integer, nullable=False),
    sa.Column("message_id", Id),
    sa.Column("business_key", sa.Text),
    sa.Column("payload_hash", sa.Text),
    sa.Column("was_sent", sa.Boolean, nullable=False),
    sa.Column("was_refused", sa.Boolean, nullable=False),
    sa.Column("by_silence", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("resent_at", Utc),
    sa.Column("reasons", Json(tuple[Reason, ...]), nullable=False),
    sa.Column("edits", Json(dict[str, Any]), nullable=False, server_default="{}"),
    sa.Column("numbers", Json(tuple[str, ...]), nullable=False, server_default="[]"),
    sa.Column("taken", Json(tuple[str, ...]), nullable=False, server_default="[]"),
    sa.Column("decided_at", Utc),
)

message_links = sa.Table(
    "message_links",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("message_id", Id, nullable=False, index=True),
    sa.Column("order_key", sa.Text, nullable=False, index=True),
    sa.Column("row_id", Id, index=True),
)

edits = sa.Table(
    "edits",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("original_id", Id, index=True),
    sa.Column("edited_id", Id, nullable=False, index=True),
    sa.Column("row_id", Id, index=True),
    sa.Column("changed", Json(dict[str, Change]), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

agreements = sa.Table(
    "agreements",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("proposed", sa.Text),
    sa.Column("proposed_by", sa.Text),
    sa.Column("proposed_reason", sa.Text),
    sa.Column("proposed_at", Utc),
)

agreement_editions = sa.Table(
    "agreement_editions",
    metadata,
    sa.Column("name", sa.Text, sa.ForeignKey("agreements.name"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("confirmed_by", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)
