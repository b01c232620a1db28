"""The tables of asset_service. Movements can only be added: the database itself refuses everything else."""

from decimal import Decimal

import sqlalchemy as sa

from contracts.codes import DeviceRole, ReadingSource, Severity
from contracts.ids import VisitId, WorkOrderId
from kit.db import Choice, Id, Json, Utc, kernel
from services.asset_service.domain.cases import CaseEnd
from services.asset_service.domain.devices import Claim, Settlement
from services.asset_service.domain.material import ReservationState
from services.asset_service.domain.states import DeviceState, LocationKind, MovementKind
from services.asset_service.domain.visits import FindingState, ReadingKind

metadata = sa.MetaData()
kernel(metadata)


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.Integer, nullable=False)


device_types = sa.Table(
    "device_types",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("role", Choice(DeviceRole), nullable=False),
    sa.Column("phases", sa.Integer),
    sa.Column("connection", sa.Text),
    sa.Column("serialised", sa.Boolean, nullable=False),
    sa.Column("calibration_class", sa.Text),
    sa.Column("digits", sa.Integer),
    sa.Column("decimals", sa.Integer),
    _version(),
)

locations = sa.Table(
    "locations",
    metadata,
    sa.Column("location_id", Id, primary_key=True),
    sa.Column("kind", Choice(LocationKind), nullable=False),
    sa.Column("place", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("company_id", Id),
    sa.Column("technician_id", Id),
    sa.Column("metering_point_id", sa.Text),
    _version(),
)

devices = sa.Table(
    "devices",
    metadata,
    sa.Column("device_id", Id, primary_key=True),
    sa.Column("serial", sa.Text, nullable=False),
    sa.Column("manufacturer", sa.Text, nullable=False),
    sa.Column("serial_key", sa.Text, nullable=False, unique=True),
    sa.Column("number", sa.Text, nullable=False, index=True),
    sa.Column("number_key", sa.Text, nullable=False, index=True),
    sa.Column("printed", sa.Text, nullable=False),
    sa.Column("official_id", sa.Text),
    sa.Column("owner_no", sa.Text),
    sa.Column("device_type", sa.Text, nullable=False),
    sa.Column("state", Choice(DeviceState), nullable=False),
    sa.Column("location_id", Id, sa.ForeignKey("locations.location_id"), nullable=False),
    sa.Column("provisional", sa.Boolean, nullable=False),
    sa.Column("disputed", sa.Boolean, nullable=False),
    sa.Column("verified_until", sa.Date),
    sa.Column("moved_at", Utc),
    sa.Column("last_movement", sa.BigInteger, nullable=False),
    sa.Column("held_for", Id),
    sa.Column("claim", Json(Claim)),
    sa.Column("settlement", Json(Settlement)),
    _version(),
    sa.UniqueConstraint("manufacturer", "serial"),
)
sa.Index("devices_by_serial", devices.c.serial)
sa.Index(
    "devices_free",
    devices.c.device_type,
    devices.c.state,
    devices.c.location_id,
    devices.c.verified_until,
    devices.c.serial,
)
sa.Index("devices_by_location", devices.c.location_id)

installations = sa.Table(
    "installations",
    metadata,
    sa.Column("installation_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("device_id", Id, sa.ForeignKey("devices.device_id"), nullable=False, index=True),
    sa.Column("serial_key", sa.Text, nullable=False),
    sa.Column("location_id", Id, nullable=False),
    sa.Column("installed_at", Utc, nullable=False),
    sa.Column("role", Choice(DeviceRole), nullable=False),
    sa.Column("case_id", Id),
    sa.Column("work_order_id", Id),
    sa.Column("sequence", sa.Integer),
    sa.Column("removed_at", Utc),
    sa.Column("removed_by", sa.BigInteger),
    sa.Column("removed_in", Id),
    sa.Column("removed_visit", Id),
)
IN_PLACE = installations.c.removed_at.is_(None)
sa.Index(
    "installations_once",  # I5: a serial is installed at most once at a time
    installations.c.serial_key,
    unique=True,
    sqlite_where=IN_PLACE,
    postgresql_where=IN_PLACE,
)

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("last_movement", sa.BigInteger, nullable=False),
    _version(),
)

movements = sa.Table(
    "movements",
    metadata,
    sa.Column("movement_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("document", Id, nullable=False, index=True),  # the delivery, pick, return, work order or visit
    sa.Column("at", Utc, nullable=False),
    sa.Column("booked_at", Utc, nullable=False),
    sa.Column("kind", Choice(MovementKind), nullable=False),
    sa.Column("device_id", Id, sa.ForeignKey("devices.device_id"), nullable=False, index=True),
    sa.Column("from_location", Id, sa.ForeignKey("locations.location_id"), nullable=False),
    sa.Column("to_location", Id, sa.ForeignKey("locations.location_id"), nullable=False),
    sa.Column("state_from", Choice(DeviceState), nullable=False),
    sa.Column("state_to", Choice(DeviceState), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("work_order_id", Id),
    sa.Column("reason", sa.Text),
    sa.Column("reverses", sa.BigInteger, unique=True),  # a movement is reversed at most once
    sa.Column("previous", sa.BigInteger),
    sa.Column("previous_at", Utc),
)

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("case_id", Id, primary_key=True),
    sa.Column("case_version", sa.Integer, nullable=False),
    sa.Column("metering_point_id", sa.Text),
    sa.Column("operator", sa.Text),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("ended", Choice(CaseEnd)),
    sa.Column("work_orders", Json(tuple[WorkOrderId, ...]), nullable=False),
    sa.Column("visits", Json(tuple[VisitId, ...]), nullable=False),
    _version(),
)

work_orders = sa.Table(
    "work_orders",
    metadata,
    sa.Column("work_order_id", Id, primary_key=True),
    sa.Column("case_id", Id, nullable=False, index=True),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("predecessor", Id),
    sa.Column("is_open", sa.Boolean, nullable=False),
    sa.Column("technician_id", Id),
    sa.Column("company_id", Id),
    sa.Column("needed_on", sa.Date),
    sa.Column("requested_at", Utc),
    _version(),
)

reservations = sa.Table(
    "reservations",
    metadata,
    sa.Column("work_order_id", Id, sa.ForeignKey("work_orders.work_order_id"), primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("unit", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("role", Choice(DeviceRole), nullable=False),
    sa.Column("device_type", sa.Text, nullable=False),
    sa.Column("alternatives", Json(tuple[str, ...]), nullable=False),
    sa.Column("state", Choice(ReservationState), nullable=False),
    sa.Column("device_id", Id),
    sa.Column("store", Id),
)
ACTIVE = reservations.c.state.in_([ReservationState.RESERVED, ReservationState.PICKED])
sa.Index(
    "reservations_once",  # two work orders never hold one device
    reservations.c.device_id,
    unique=True,
    sqlite_where=ACTIVE,
    postgresql_where=ACTIVE,
)
LACKING = reservations.c.state == ReservationState.MISSING
sa.Index("reservations_missing", reservations.c.device_type, sqlite_where=LACKING, postgresql_where=LACKING)

papers = sa.Table(
    "papers",
    metadata,
    sa.Column("paper_id", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    _version(),
)

visits = sa.Table(
    "visits",
    metadata,
    sa.Column("visit_id", Id, primary_key=True),
    sa.Column("case_id", Id, nullable=False),
    sa.Column("work_order_id", Id, nullable=False),
    sa.Column("visit_version", sa.Integer, nullable=False),
    sa.Column("ignored", sa.Integer, nullable=False),
    _version(),
)

exchange_readings = sa.Table(
    "exchange_readings",
    metadata,
    sa.Column("visit_id", Id, sa.ForeignKey("visits.visit_id"), primary_key=True),
    sa.Column("visit_version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("device_id", Id, primary_key=True),
    sa.Column("obis", sa.Text, primary_key=True),
    sa.Column("kind", Choice(ReadingKind), primary_key=True),
    sa.Column("source", Choice(ReadingSource), primary_key=True),
    sa.Column("value", Json(Decimal), nullable=False),
    sa.Column("at", Utc, nullable=False),
)

findings = sa.Table(
    "findings",
    metadata,
    sa.Column("finding_id", Id, primary_key=True),
    sa.Column("visit_id", Id, sa.ForeignKey("visits.visit_id"), nullable=False, index=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("severity", Choice(Severity), nullable=False),
    sa.Column("role", Choice(DeviceRole), nullable=False),
    sa.Column("device_id", Id, nullable=False, index=True),
    sa.Column("register", sa.Text),
    sa.Column("visit_version", sa.Integer, nullable=False),
    sa.Column("state", Choice(FindingState), nullable=False),
    sa.Column("detail", Json(dict[str, str]), nullable=False),
)

APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER movements_no_{act.lower()} BEFORE {act} ON movements "
        "BEGIN SELECT RAISE(ABORT, 'movements are append-only'); END"
        for act in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        """CREATE OR REPLACE FUNCTION movements_are_append_only() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'movements are append-only'; END $$""",
        """CREATE TRIGGER movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON movements
        FOR EACH STATEMENT EXECUTE FUNCTION movements_are_append_only()""",
    ],
}
"""What makes the database refuse to change the ledger, by dialect; the migrations say the same."""

for dialect, statements in APPEND_ONLY.items():
    for statement in statements:
        made = sa.DDL(statement)  # type: ignore[no-untyped-call]
        sa.event.listen(movements, "after_create", made.execute_if(dialect=dialect))
