"""What cockpit_service keeps, beside the tables of the kernel: the read model, and who is signed in."""

from uuid import UUID

import sqlalchemy as sa

from contracts.codes import Fact
from kit.db import Choice, Id, Json, Utc, kernel

metadata = sa.MetaData()
kernel(metadata)

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("case_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("heard", Json(dict[str, int]), nullable=False),
    sa.Column("opened_at", Utc),
    sa.Column("operator", sa.Text),
    sa.Column("case_type", sa.Text),
    sa.Column("origin", sa.Text),
    sa.Column("legal_basis", sa.Text),
    sa.Column("metering_point_id", sa.Text, index=True),
    sa.Column("orders", Json(tuple[str, ...]), nullable=False),
    sa.Column("postcode", sa.Text, index=True),
    sa.Column("municipality", sa.Text),
    sa.Column("stage", sa.Text),
    sa.Column("priority", sa.Integer),
    sa.Column("due_on", sa.Date),
    sa.Column("flags", Json(tuple[str, ...]), nullable=False),
    sa.Column("phase", sa.Text, index=True),
    sa.Column("phase_since", Utc),
    sa.Column("on_hold", sa.Boolean, nullable=False),
    sa.Column("sla", sa.Text),
    sa.Column("ended_at", Utc),
    sa.Column("end_reason", sa.Text),
    sa.Column("purged", sa.Boolean, nullable=False),
    sa.Column("bookable_from", sa.Date),
    sa.Column("last_notice", sa.Text),
    sa.Column("last_notice_at", Utc),
)

work_orders = sa.Table(
    "work_orders",
    metadata,
    sa.Column("work_order_id", Id, primary_key=True),
    sa.Column("case_id", Id, sa.ForeignKey("cases.case_id"), nullable=False, index=True),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text),
    sa.Column("state", sa.Text, index=True),
    sa.Column("move", sa.Text),
    sa.Column("moved_at", Utc),
    sa.Column("reason", sa.Text),
    sa.Column("result", sa.Text),
    sa.Column("close_reason", sa.Text),
    sa.Column("predecessor", Id),
    sa.Column("due_on", sa.Date),
    sa.Column("queue_company_id", Id),
    sa.Column("responsible", Id),
    sa.Column("appointment_id", Id),
    sa.Column("appointment_state", sa.Text),
    sa.Column("window_from", Utc),
    sa.Column("window_to", Utc),
    sa.Column("technicians", Json(tuple[UUID, ...]), nullable=False),
    sa.Column("company_id", Id),
    sa.Column("visit_id", Id),
    sa.Column("visit_version", sa.Integer),
    sa.Column("visit_result", sa.Text),
    sa.Column("visited_at", Utc),
    sa.Column("review_state", sa.Text),
    sa.Column("review_round", sa.Integer),
    sa.Column("material", sa.Text),
)

handovers = sa.Table(
    "handovers",
    metadata,
    sa.Column("case_id", Id, sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("fact", Choice(Fact), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("requested_at", Utc),
    sa.Column("supplement", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text),
    sa.Column("document", sa.Text),
    sa.Column("recipient", sa.Text),
    sa.Column("reasons", Json(tuple[str, ...]), nullable=False),
    sa.Column("changed_at", Utc),
)

problems = sa.Table(
    "problems",
    metadata,
    sa.Column("case_id", Id, sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("problem_key", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("since", Utc, nullable=False),
    sa.Column("work_order_id", Id),
    sa.Column("owner", sa.Text),
    sa.Column("due_on", sa.Date),
    sa.Column("visit_version", sa.Integer),
    sa.Column("open", sa.Boolean, nullable=False),
)
sa.Index("problems_open", problems.c.since, sqlite_where=sa.text("open"), postgresql_where=sa.text("open"))

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("case_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("street", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("addition", sa.Text),
    sa.Column("postcode", sa.Text, nullable=False),
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("country", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("sms_allowed", sa.Boolean, nullable=False),
)

timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("event_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id, nullable=False),
    sa.Column("work_order_id", Id),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)
sa.Index("timeline_of_case", timeline.c.case_id, timeline.c.at)

quarantined = sa.Table(
    "quarantined",
    metadata,
    sa.Column("quarantine_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id),
    sa.Column("partner", sa.Text),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("since", Utc, nullable=False, index=True),
)

invitations = sa.Table(
    "invitations",
    metadata,
    sa.Column("code_hash", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("principal_id", sa.Text, nullable=False),
    sa.Column("roles", Json(tuple[str, ...]), nullable=False),
    sa.Column("made_at", Utc, nullable=False),
    sa.Column("used_at", Utc),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("session_hash", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("principal_id", sa.Text, nullable=False),
    sa.Column("roles", Json(tuple[str, ...]), nullable=False),
    sa.Column("begun_at", Utc, nullable=False),
    sa.Column("seen_at", Utc, nullable=False),
    sa.Column("ended_at", Utc),
)

READ_MODEL = (work_orders, handovers, problems, cases, contacts, timeline, quarantined)
"""What can be made anew from the topics, children first; the rest is our own."""
