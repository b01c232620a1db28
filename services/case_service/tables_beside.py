"""The tables beside the case: settings, activities, forms, what installers bring and what leaves; the kernel's."""

from typing import Any

import sqlalchemy as sa

from contracts.codes import CaseType, Result, Scheme
from contracts.parts import Address, Area, Contact, DevicePlan
from kit.db import Choice, Id, Json, Utc, kernel
from services.case_service.domain.activities import ActivityState
from services.case_service.domain.answers import EditState, Side
from services.case_service.domain.flow import ActivityKind, Flow
from services.case_service.domain.intake import QuoteState
from services.case_service.domain.privacy import ErasureState, ExportState

metadata = sa.MetaData()
kernel(metadata)

flows = sa.Table(
    "flows",
    metadata,
    sa.Column("flow_key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("operator", sa.Text, nullable=False, index=True),
    sa.Column("case_type", Choice(CaseType), nullable=False),
    sa.Column("versions", Json(tuple[Flow, ...]), nullable=False),
)

sub_reasons = sa.Table(
    "sub_reasons",
    metadata,
    sa.Column("operator", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("reasons", Json(dict[str, Result]), nullable=False),
)

activities = sa.Table(
    "activities",
    metadata,
    sa.Column("activity_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id, nullable=False, index=True),
    sa.Column("kind", Choice(ActivityKind), nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("mandatory", sa.Boolean, nullable=False),
    sa.Column("state", Choice(ActivityState), nullable=False),
    sa.Column("step", sa.Text),
    sa.Column("opened_by", sa.Text, nullable=False),
    sa.Column("opened_at", Utc, nullable=False),
    sa.Column("done_by", sa.Text),
    sa.Column("done_at", Utc),
)
# what follows from a step of the flow opens once per case
_of_step = activities.c.step.is_not(None)
sa.Index(
    "activities_step",
    activities.c.case_id,
    activities.c.step,
    unique=True,
    postgresql_where=_of_step,
    sqlite_where=_of_step,
)
sa.Index("activities_state", activities.c.state, activities.c.due_on)

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("work_order_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id, nullable=False, index=True),
    sa.Column("given", Json(dict[str, Any]), nullable=False),
)

field_conflicts = sa.Table(
    "field_conflicts",
    metadata,
    sa.Column("conflict_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id, nullable=False, index=True),
    sa.Column("work_order_id", Id, nullable=False, index=True),
    sa.Column("form_key", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("present", Json(dict[str, Any]), nullable=False),
    sa.Column("edited", Json(dict[str, Any]), nullable=False),
    sa.Column("edited_by", sa.Text, nullable=False),
    sa.Column("edited_at", Utc, nullable=False),
    sa.Column("state", Choice(EditState), nullable=False, index=True),
    sa.Column("chosen", Choice(Side)),
    sa.Column("decided_by", sa.Text),
)

calibrations = sa.Table(
    "calibrations",
    metadata,
    sa.Column("calibration_key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("device_id", Id, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("case_id", Id, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

installers = sa.Table(
    "installers",
    metadata,
    sa.Column("principal", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("active", sa.Boolean, nullable=False),
)

installer_notices = sa.Table(
    "installer_notices",
    metadata,
    sa.Column("notice_key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

quotes = sa.Table(
    "quotes",
    metadata,
    sa.Column("quote_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("metering_point_id", sa.Text, nullable=False),
    sa.Column("metering_point_scheme", Choice(Scheme), nullable=False),
    sa.Column("area", Json(Area), nullable=False),
    sa.Column("device_plan", Json(DevicePlan), nullable=False),
    sa.Column("contact", Json(Contact)),
    sa.Column("address", Json(Address)),
    sa.Column("state", Choice(QuoteState), nullable=False, index=True),
    sa.Column("valid_to", sa.Date, nullable=False),
    sa.Column("installer", sa.Text),
    sa.Column("case_id", Id),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", Utc, nullable=False),
)

completions = sa.Table(
    "completions",
    metadata,
    sa.Column("completion_key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id, nullable=False, index=True),
    sa.Column("completion", sa.Integer, nullable=False),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("case_type", Choice(CaseType), nullable=False),
    sa.Column("order_keys", Json(tuple[str, ...]), nullable=False),
    sa.Column("completed_on", sa.Date, nullable=False),
    sa.Column("export_id", Id),
)
_waiting = completions.c.export_id.is_(None)
sa.Index("completions_waiting", completions.c.completed_on, postgresql_where=_waiting, sqlite_where=_waiting)

erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("erasure_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", Id, nullable=False, index=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("requested_at", Utc, nullable=False),
    sa.Column("state", Choice(ErasureState), nullable=False, index=True),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved_at", Utc),
)

person_exports = sa.Table(
    "person_exports",
    metadata,
    sa.Column("case_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("requested_at", Utc, nullable=False),
    sa.Column("state", Choice(ExportState), nullable=False, index=True),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved_at", Utc),
)
