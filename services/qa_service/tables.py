"""What qa_service keeps, beside the tables of the kernel. Nested values that nobody searches are JSON."""

from typing import Any

import sqlalchemy as sa

from contracts.codes import Outcome, Result, ReviewMode, ReworkKind, ReworkReason, Severity, State
from contracts.ids import TechnicianId
from contracts.parts import DevicePlan, EvidenceRef, InstalledDevice, PlannedEvidence, RemovedDevice
from kit.db import Choice, Id, Json, Utc, kernel
from services.qa_service.domain.digest import Seal
from services.qa_service.domain.forms import FormState
from services.qa_service.domain.records import Asked, DeviceFact, EvidenceState, FindingState, ReworkState
from services.qa_service.domain.states import ReviewState

metadata = sa.MetaData()
kernel(metadata)

forms = sa.Table(
    "forms",
    metadata,
    sa.Column("form_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("form_key", sa.Text, nullable=False),
    sa.Column("form_version", sa.Integer, nullable=False),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("work_kinds", Json(tuple[str, ...]), nullable=False),
    sa.Column("titles", Json(dict[str, str]), nullable=False),
    sa.Column("answers", Json(dict[str, Any]), nullable=False),
    sa.Column("evidence_plan", Json(tuple[PlannedEvidence, ...]), nullable=False),
    sa.Column("state", Choice(FormState), nullable=False),
    sa.Column("valid_from", sa.Date, nullable=False),
    sa.UniqueConstraint("form_key", "form_version"),
)

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("case_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)


def _of_case() -> sa.Column[Any]:
    return sa.Column("case_id", Id, sa.ForeignKey("cases.case_id"), nullable=False, index=True)


work_orders = sa.Table(
    "work_orders",
    metadata,
    sa.Column("work_order_id", Id, primary_key=True),
    _of_case(),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", Choice(State), nullable=False),
    sa.Column("predecessor", Id),
    sa.Column("company_id", Id),
    sa.Column("technicians", Json(tuple[TechnicianId, ...]), nullable=False),
    sa.Column("moved_version", sa.Integer, nullable=False),
    sa.Column("evidence_version", sa.Integer, nullable=False),
    sa.Column("over", sa.Boolean, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),
    sa.Column("heard", Json(tuple[DeviceFact, ...]), nullable=False),
)

visits = sa.Table(
    "visits",
    metadata,
    sa.Column("work_order_id", Id, sa.ForeignKey("work_orders.work_order_id"), primary_key=True),
    sa.Column("visit_version", sa.Integer, primary_key=True),
    _of_case(),
    sa.Column("visit_id", Id, nullable=False),
    sa.Column("evidence_version", sa.Integer, nullable=False),
    sa.Column("outcome", Choice(Outcome), nullable=False),
    sa.Column("result", Choice(Result), nullable=False),
    sa.Column("performed_by", Json(tuple[str, ...]), nullable=False),
    sa.Column("reported_by", sa.Text, nullable=False),
    sa.Column("technician_id", Id, nullable=False),
    sa.Column("company_id", Id, nullable=False),
    sa.Column("arrived_at", Utc, nullable=False),
    sa.Column("finished_at", Utc, nullable=False),
    sa.Column("device_plan", Json(DevicePlan), nullable=False),
    sa.Column("installed", Json(tuple[InstalledDevice, ...]), nullable=False),
    sa.Column("removed", Json(tuple[RemovedDevice, ...]), nullable=False),
    sa.Column("missing", Json(tuple[str, ...]), nullable=False),
    sa.Column("form_key", sa.Text, nullable=False),
    sa.Column("form_version", sa.Integer, nullable=False),
    sa.Column("answers", Json(dict[str, Any]), nullable=False),
    sa.Column("evidence", Json(tuple[EvidenceRef, ...]), nullable=False),
    sa.Column("clock_offset_s", sa.Integer, nullable=False),
    sa.Column("received_at", Utc, nullable=False),
)

additions = sa.Table(
    "additions",
    metadata,
    sa.Column("work_order_id", Id, sa.ForeignKey("work_orders.work_order_id"), primary_key=True),
    sa.Column("evidence_version", sa.Integer, primary_key=True),
    _of_case(),
    sa.Column("evidence", Json(tuple[EvidenceRef, ...]), nullable=False),
    sa.Column("added_by", sa.Text, nullable=False),
    sa.Column("company_id", Id),
    sa.Column("received_at", Utc, nullable=False),
)

evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("evidence_id", Id, primary_key=True),
    _of_case(),
    sa.Column("work_order_id", Id, sa.ForeignKey("work_orders.work_order_id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("sha256_received", sa.Text, nullable=False, index=True),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("state", Choice(EvidenceState), nullable=False),
    sa.Column("captured_at", Utc),
    sa.Column("uploaded_at", Utc, nullable=False),
    sa.Column("uploaded_by", sa.Text, nullable=False),
    sa.Column("locked_at", Utc),
)

reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column("review_id", Id, primary_key=True),
    _of_case(),
    sa.Column("work_order_id", Id, sa.ForeignKey("work_orders.work_order_id"), nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("visit_id", Id, nullable=False),
    sa.Column("visit_version", sa.Integer, nullable=False),
    sa.Column("evidence_version", sa.Integer, nullable=False),
    sa.Column("company_id", Id, nullable=False),
    sa.Column("technician_id", Id, nullable=False),
    sa.Column("state", Choice(ReviewState), nullable=False),
    sa.Column("mode", Choice(ReviewMode), nullable=False),
    sa.Column("opened_at", Utc, nullable=False),
    sa.Column("due_at", Utc, nullable=False),
    sa.Column("overdue", sa.Boolean, nullable=False),
    sa.Column("reviewer", sa.Text),
    sa.Column("taken_at", Utc),
    sa.Column("lease_until", Utc),
    sa.Column("decided_at", Utc),
    sa.Column("rework", Choice(ReworkKind)),
    sa.Column("comment", sa.Text),
    sa.Column("asked", Json(tuple[Asked, ...]), nullable=False),
    sa.Column("seal", Json(Seal)),
    sa.Column("digest", sa.Text),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("work_order_id", "round"),
    # promise 2: nothing is approved without the digest of what was seen, whoever writes here
    sa.CheckConstraint("state <> 'APPROVED' OR (digest IS NOT NULL AND reviewer IS NOT NULL)", name="approved_sealed"),
)
sa.Index("reviews_queue", reviews.c.state, reviews.c.due_at, reviews.c.review_id)
_open = reviews.c.state.in_(("PENDING", "IN_REVIEW"))
sa.Index("reviews_open", reviews.c.work_order_id, unique=True, postgresql_where=_open, sqlite_where=_open)

findings = sa.Table(
    "findings",
    metadata,
    sa.Column("review_id", Id, sa.ForeignKey("reviews.review_id"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    _of_case(),
    sa.Column("rule_id", sa.Text, nullable=False),
    sa.Column("rule_version", sa.Integer, nullable=False),
    sa.Column("severity", Choice(Severity), nullable=False),
    sa.Column("reason", Choice(ReworkReason), nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("text_key", sa.Text, nullable=False),
    sa.Column("params", Json(dict[str, Any]), nullable=False),
    sa.Column("state", Choice(FindingState), nullable=False),
    sa.Column("accepted_reason", sa.Text),
)

reworks = sa.Table(
    "reworks",
    metadata,
    sa.Column("rework_id", Id, primary_key=True),
    _of_case(),
    sa.Column("review_id", Id, sa.ForeignKey("reviews.review_id"), nullable=False),
    sa.Column("work_order_id", Id, nullable=False),
    sa.Column("kind", Choice(ReworkKind), nullable=False),
    sa.Column("reasons", Json(tuple[ReworkReason, ...]), nullable=False),
    sa.Column("company_id", Id, nullable=False, index=True),
    sa.Column("due_at", Utc, nullable=False),
    sa.Column("overdue", sa.Boolean, nullable=False),
    sa.Column("state", Choice(ReworkState), nullable=False),
)
