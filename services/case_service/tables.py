"""What case_service keeps, beside the tables of the kernel. Nested values that nobody searches are JSON."""

from typing import Any

import sqlalchemy as sa

from contracts.codes import (
    Blocker,
    Cancellation,
    CaseType,
    CloseReason,
    Decision,
    ExceptionType,
    Fact,
    Flag,
    LegalBasis,
    MoveDecision,
    Origin,
    Outcome,
    Phase,
    PurgeScope,
    Result,
    Scheme,
    State,
)
from contracts.parts import (
    Address,
    AnswerOwed,
    Area,
    Contact,
    Days,
    DevicePlan,
    GateEvidence,
    Link,
    OrderedRegister,
    OrderedSite,
    Position,
    Span,
)
from kit.db import Choice, Id, Json, Utc
from services.case_service import tables_beside
from services.case_service.domain.bulk import ItemState
from services.case_service.domain.entries import (
    Bookable,
    DeviceFact,
    Ending,
    ExceptionState,
    Handover,
    PauseCause,
    SlaState,
    SlaTarget,
    Wait,
)
from services.case_service.domain.requests import Report
from services.case_service.domain.sla_targets import TargetRule
from services.case_service.domain.states import Column
from services.case_service.domain.visits import ConflictState
from services.case_service.domain.work_order import Approval, BuiltIn, PendingOffer

metadata = tables_beside.metadata

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("case_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("edition", sa.Integer, nullable=False),
    sa.Column("phase", Choice(Phase), nullable=False),
    sa.Column("on_hold", sa.Boolean, nullable=False),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("case_type", Choice(CaseType), nullable=False),
    sa.Column("flow_version", sa.Integer, nullable=False),
    sa.Column("origin", Choice(Origin), nullable=False),
    sa.Column("legal_basis", Choice(LegalBasis), nullable=False),
    sa.Column("metering_point_id", sa.Text, nullable=False, index=True),
    sa.Column("metering_point_scheme", Choice(Scheme), nullable=False),
    sa.Column("open_point", sa.Text),
    sa.Column("area", Json(Area), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("window", Json(Days)),
    sa.Column("fixed_on", sa.Date),
    sa.Column("planned_on", sa.Date),
    sa.Column("due_on", sa.Date),
    sa.Column("due_by", sa.Date, nullable=False),
    sa.Column("device_plan", Json(DevicePlan), nullable=False),
    sa.Column("permits", Json(tuple[str, ...]), nullable=False),
    sa.Column("open_permits", Json(tuple[str, ...]), nullable=False, server_default="[]"),
    sa.Column("steps_done", Json(tuple[str, ...]), nullable=False, server_default="[]"),
    sa.Column("installer", sa.Text),
    sa.Column("other_party_attends", sa.Boolean, nullable=False),
    sa.Column("registers", Json(tuple[OrderedRegister, ...]), nullable=False),
    sa.Column("site", Json(OrderedSite), nullable=False),
    sa.Column("flags", Json(tuple[Flag, ...]), nullable=False),
    sa.Column("flag_text", sa.Text),
    sa.Column("links", Json(tuple[Link, ...]), nullable=False),
    sa.Column("opened_at", Utc, nullable=False),
    sa.Column("contact", Json(Contact)),
    sa.Column("address", Json(Address), nullable=False),
    sa.Column("position", Json(Position)),
    sa.Column("access_note", sa.Text),
    sa.Column("building", sa.Text, index=True),
    sa.Column("contact_version", sa.Integer, nullable=False),
    sa.Column("opted_out", sa.Boolean, nullable=False),
    sa.Column("purged", Choice(PurgeScope)),
    sa.Column("bookable", Json(Bookable)),
    sa.Column("announced", sa.Boolean, nullable=False),
    sa.Column("devices", Json(tuple[DeviceFact, ...]), nullable=False),
    sa.Column("handovers", Json(tuple[Handover, ...]), nullable=False),
    sa.Column("completion", sa.Integer, nullable=False),
    sa.Column("gate_evidence", Json(tuple[GateEvidence, ...])),
    sa.Column("ending", Choice(Ending)),
    sa.Column("ended_at", Utc),
    sa.Column("waits", Json(dict[str, Wait]), nullable=False),
    sa.Column("sla_target", Json(SlaTarget), nullable=False),
    sa.Column("sla_state", Choice(SlaState), nullable=False),
    sa.Column("sla_due_at", Utc),
    sa.Column("audited", sa.Integer, nullable=False, server_default="0"),  # older rows of the audit were not numbered
    # I4: nothing is complete without the evidence of the gate, whoever writes here
    sa.CheckConstraint("phase <> 'COMPLETED' OR gate_evidence IS NOT NULL", name="completed_by_the_gate"),
)
sa.Index("cases_phase", cases.c.phase, cases.c.case_id)
sa.Index("cases_backlog", cases.c.priority.desc(), cases.c.due_by, cases.c.case_id)
# I13: one open case per operator, point and kind
_held = cases.c.open_point.is_not(None)
sa.Index("cases_open_point", cases.c.open_point, unique=True, postgresql_where=_held, sqlite_where=_held)

sla_intervals = sa.Table(
    "sla_intervals",
    metadata,
    sa.Column("case_id", Id, sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("started_at", Utc, nullable=False),
    sa.Column("ended_at", Utc),
    sa.Column("cause", Choice(PauseCause), nullable=False),
)

work_orders = sa.Table(
    "work_orders",
    metadata,
    sa.Column("work_order_id", Id, primary_key=True),
    sa.Column("case_id", Id, sa.ForeignKey("cases.case_id"), nullable=False, index=True),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", Choice(State), nullable=False),
    sa.Column("dispatched", sa.Boolean, nullable=False),  # derived: in the technician's list
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("predecessor", Id, unique=True),  # I13: at most one successor
    sa.Column("device_plan", Json(DevicePlan), nullable=False),
    sa.Column("skills", Json(tuple[str, ...]), nullable=False),
    sa.Column("duration_min", sa.Integer, nullable=False),
    sa.Column("due_on", sa.Date),
    sa.Column("opened_at", Utc, nullable=False),
    sa.Column("company_id", Id, index=True),
    sa.Column("responsible", Id, index=True),
    sa.Column("dispatched_to", Id),
    sa.Column("downloaded_version", sa.Integer),
    sa.Column("start", Utc),
    sa.Column("estimate", sa.Integer),
    sa.Column("window", Json(Span)),
    sa.Column("appointment_id", Id, index=True),
    sa.Column("revision", sa.Integer),
    sa.Column("offer", sa.Integer, nullable=False),
    sa.Column("pending", Json(PendingOffer)),
    sa.Column("customer_knows", sa.Boolean, nullable=False),
    sa.Column("replied_at", Utc),
    sa.Column("material_requested", sa.Boolean, nullable=False),
    sa.Column("blockers", Json(dict[Blocker, str]), nullable=False),
    sa.Column("came_from", Choice(State)),
    sa.Column("hold_until", sa.Date),
    sa.Column("cancellation", Choice(Cancellation), nullable=False),
    sa.Column("withdrawn_at", Utc),
    sa.Column("decision", Choice(MoveDecision)),
    sa.Column("next_plan", Json(DevicePlan)),
    sa.Column("rejection", sa.Text, nullable=False),
    sa.Column("resolved_at", Utc),
    sa.Column("outcome", Choice(Outcome)),
    sa.Column("result", Choice(Result)),
    sa.Column("sub_reason", sa.Text),
    sa.Column("visit_id", Id),
    sa.Column("visit_version", sa.Integer, nullable=False),
    sa.Column("evidence_version", sa.Integer, nullable=False),
    sa.Column("performed_by", Json(tuple[str, ...]), nullable=False),
    sa.Column("installed", Json(tuple[BuiltIn, ...]), nullable=False),
    sa.Column("removed", Json(tuple[BuiltIn, ...]), nullable=False),
    sa.Column("lacking", Json(tuple[str, ...]), nullable=False),
    sa.Column("review_round", sa.Integer, nullable=False),
    sa.Column("approval", Json(Approval)),
    sa.Column("handover", sa.Integer),
    sa.Column("closed_at", Utc),
    sa.Column("close_reason", Choice(CloseReason)),
    sa.CheckConstraint("(state = 'CLOSED') = (close_reason IS NOT NULL)", name="closed_with_a_reason"),
    sa.UniqueConstraint("case_id", "sequence"),
)
sa.Index("work_orders_state", work_orders.c.state, work_orders.c.work_order_id)

case_orders = sa.Table(
    "case_orders",
    metadata,
    sa.Column("case_id", Id, sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("order_key", sa.Text, primary_key=True),
    sa.Column("current_key", sa.Text, index=True),
    sa.Column("partner", sa.Text, nullable=False, index=True),
    sa.Column("order_version", sa.Integer, nullable=False),
    sa.Column("cancelled_version", sa.Integer),
    sa.Column("cancelled_at", Utc),
    sa.Column("decision", Choice(Decision)),
    sa.Column("answer", Json(AnswerOwed)),
    sa.Column("answered", sa.Boolean, nullable=False),
)

exceptions = sa.Table(
    "exceptions",
    metadata,
    sa.Column("exception_id", Id, primary_key=True),
    sa.Column("case_id", Id, sa.ForeignKey("cases.case_id"), nullable=False, index=True),
    sa.Column("type", Choice(ExceptionType), nullable=False),
    sa.Column("state", Choice(ExceptionState), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("raised_by", sa.Text, nullable=False),
    sa.Column("raised_at", Utc, nullable=False),
    sa.Column("work_order_id", Id),
    sa.Column("fact", Choice(Fact)),
    sa.Column("attempt", sa.Integer),
    sa.Column("approver", sa.Text),
    sa.Column("approved_at", Utc),
    sa.Column("ended_at", Utc),
    sa.Column("codes", Json(tuple[str, ...]), nullable=False),
)

history = sa.Table(
    "history",
    metadata,
    sa.Column("work_order_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("case_id", Id, sa.ForeignKey("cases.case_id"), nullable=False, index=True),
    sa.Column("move", sa.Text),
    sa.Column("from_state", Choice(State), nullable=False),
    sa.Column("to_state", Choice(State), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("event_id", Id),
)

remarks = sa.Table(
    "remarks",
    metadata,
    sa.Column("remark_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id, nullable=False, index=True),
    sa.Column("work_order_id", Id),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("hotlist", sa.Boolean, nullable=False),
    sa.Column("params", Json(dict[str, Any]), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("event_id", Id),
)

reasons = sa.Table(
    "reasons",
    metadata,
    sa.Column("words_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id, nullable=False, index=True),
    sa.Column("work_order_id", Id),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

visits = sa.Table(
    "visits",
    metadata,
    sa.Column("record_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id, nullable=False, index=True),
    sa.Column("work_order_id", Id, nullable=False, index=True),
    sa.Column("visit_id", Id, nullable=False),
    sa.Column("visit_version", sa.Integer, nullable=False),
    sa.Column("outcome", Choice(Outcome), nullable=False),
    sa.Column("result", Choice(Result), nullable=False),
    sa.Column("report", Json(Report), nullable=False),
    sa.Column("reported_by", sa.Text, nullable=False),
    sa.Column("reported_at", Utc, nullable=False),
    sa.UniqueConstraint("visit_id", "visit_version"),
)

visit_conflicts = sa.Table(
    "visit_conflicts",
    metadata,
    sa.Column("conflict_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id, nullable=False, index=True),
    sa.Column("work_order_id", Id, nullable=False),
    sa.Column("column", Choice(Column), nullable=False),
    sa.Column("report", Json(Report), nullable=False),
    sa.Column("technician_id", Id),
    sa.Column("reported_by", sa.Text, nullable=False),
    sa.Column("reported_at", Utc, nullable=False),
    sa.Column("state", Choice(ConflictState), nullable=False, index=True),
    sa.Column("opened_case_id", Id),
)

sla_targets = sa.Table(
    "sla_targets",
    metadata,
    sa.Column("operator", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("rules", Json(tuple[TargetRule, ...]), nullable=False),
)

order_tombstones = sa.Table(
    "order_tombstones",
    metadata,
    sa.Column("order_key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("cancelled_version", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

bulk_moves = sa.Table(
    "bulk_moves",
    metadata,
    sa.Column("batch_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("move", sa.Text, nullable=False),
    sa.Column("arguments", Json(dict[str, Any]), nullable=False),
    sa.Column("selected", sa.Integer, nullable=False),
    sa.Column("undo_of", Id),
    sa.Column("job_id", Id, nullable=False),
    sa.Column("runs", sa.Integer, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
)

bulk_items = sa.Table(
    "bulk_items",
    metadata,
    sa.Column("batch_id", Id, sa.ForeignKey("bulk_moves.batch_id"), primary_key=True),
    sa.Column("work_order_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("given", Json(dict[str, Any])),
    sa.Column("preview", sa.Text),
    sa.Column("state", Choice(ItemState), nullable=False),
    sa.Column("code", sa.Text),
    sa.Column("moved_to", sa.Integer),  # the version that the move left behind: what its undoing expects
    sa.Column("undo", Json(dict[str, Any])),
    sqlite_with_rowid=False,
)

form_versions = sa.Table(
    "form_versions",
    metadata,
    sa.Column("form_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("work_kind", sa.Text, nullable=False),
    sa.Column("answers", Json(dict[str, Any]), nullable=False),
    sa.Column("valid_from", sa.Date, nullable=False),
)
