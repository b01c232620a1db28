"""How asset_service remembers: its repositories, its views of free stock and of who waits, and its lists."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kit import rows
from kit.auth import Scope
from kit.store import Aggregate, Alias, Children, Mapped
from services.asset_service import tables
from services.asset_service.domain.cases import Case
from services.asset_service.domain.device_types import DeviceType
from services.asset_service.domain.devices import Device, Installation
from services.asset_service.domain.ledger import Ledger, Movement, Paper
from services.asset_service.domain.material import (
    Candidate,
    Reservation,
    ReservationState,
    Shelf,
    Waiting,
    Wish,
    WorkOrder,
)
from services.asset_service.domain.places import Location
from services.asset_service.domain.states import DeviceState, LocationKind
from services.asset_service.domain.visits import ExchangeReading, Finding, Visit
from services.asset_service.scopes import identity

PAGE = 500
MOST_WAITING = 200
"""Work orders that are supplied in one transaction; the others follow in the next."""


class OnlyOne(Alias):
    """A key that counts only if exactly one row has it: a serial without its manufacturer."""

    def __init__(self, column: sa.Column[Any], root: sa.Column[Any]) -> None:
        super().__init__(column, root)
        one = sa.func.min(sa.cast(root, sa.Text)).label("root")
        self.select = (
            sa.select(column.label("alias"), one)
            .where(rows.one_of(column, "keys"))
            .group_by(column)
            .having(sa.func.count() == 1)
        )


class View(Mapped[Any]):
    """A repository that only reads."""

    def __init__(self, kind: type[Aggregate]) -> None:
        self.kind = kind

    def save(self, db: sa.Connection, aggregates: Sequence[Any], removed: Sequence[Any] = ()) -> None:
        """There is nothing to write."""


class Shelves(View):
    """Free devices for the wishes of a transaction: per type as many as are wished for, from every place in reach."""

    def load(self, db: sa.Connection, keys: Sequence[str]) -> Mapping[str, Shelf]:
        """Two statements per device type, however many wishes."""
        by_type: dict[str, list[tuple[str, Wish]]] = {}
        for key in keys:
            if "|" in key:
                wish = Wish.of(key)
                by_type.setdefault(wish.device_type, []).append((key, wish))
        found: dict[str, Shelf] = {}
        for device_type, asked in by_type.items():
            shelf = Shelf(device_type=device_type, candidates=_candidates(db, [wish for _, wish in asked]))
            found |= {key: shelf for key, _ in asked} | {device_type: shelf}
        return found


def _candidates(db: sa.Connection, wishes: Sequence[Wish]) -> list[Candidate]:
    technicians = [str(each.technician_id) for each in wishes if each.technician_id]
    companies = [str(each.company_id) for each in wishes if each.company_id]
    values = {
        "device_type": wishes[0].device_type,
        "until": max(each.verified_until for each in wishes),
        "number": sum(each.quantity for each in wishes),
    }
    near = db.execute(NEAR, {**values, "technicians": technicians, "companies": companies})
    central = db.execute(IN_CENTRAL, values)
    return [Candidate(*row) for row in (*near, *central)]


_d, _l = tables.devices.c, tables.locations.c
_SMALL = sa.and_(
    _l.kind == LocationKind.SMALL_STORE, sa.or_(_l.company_id.is_(None), rows.one_of(_l.company_id, "companies"))
)
_VAN = sa.and_(_l.kind == LocationKind.VAN, rows.one_of(_l.technician_id, "technicians"))
FREE = (
    sa.select(_d.device_id, _d.location_id, _l.kind, _l.technician_id, _l.company_id)
    .join_from(tables.devices, tables.locations, _d.location_id == _l.location_id)
    .where(
        _d.device_type == sa.bindparam("device_type", type_=sa.Text),
        _d.state == DeviceState.IN_STOCK,
        _d.disputed.is_(False),
        sa.or_(_d.verified_until.is_(None), _d.verified_until >= sa.bindparam("until", type_=sa.Date)),
    )
    .order_by(sa.func.coalesce(_d.verified_until, sa.literal(date.max, sa.Date)), _d.serial)
    .limit(sa.bindparam("number", type_=sa.Integer))
)
NEAR = FREE.where(sa.or_(_VAN, _SMALL))
IN_CENTRAL = FREE.where(_l.kind == LocationKind.CENTRAL)


class Waits(View):
    """Who waits for a type, by day and urgency."""

    def load(self, db: sa.Connection, keys: Sequence[str]) -> Mapping[str, Waiting]:
        """One statement per type."""
        return {key: _waiting(db, key) for key in keys}


def _waiting(db: sa.Connection, device_type: str) -> Waiting:
    found = db.execute(
        WAITING, {"device_type": device_type, "like": f'%"{device_type}"%', "number": MOST_WAITING}
    ).all()
    wishes = [
        Wish(device_type, row.number, row.technician_id, row.company_id, date.min, row.work_order_id) for row in found
    ]
    return Waiting(device_type=device_type, wishes=wishes, more=len(found) == MOST_WAITING)


_w, _r = tables.work_orders.c, tables.reservations.c
WAITING = (
    sa.select(_w.work_order_id, _w.technician_id, _w.company_id, sa.func.count().label("number"))
    .join_from(tables.reservations, tables.work_orders, _r.work_order_id == _w.work_order_id)
    .outerjoin(tables.cases, tables.cases.c.case_id == _w.case_id)
    .where(
        _r.state == ReservationState.MISSING,
        _w.is_open.is_(True),
        sa.or_(
            _r.device_type == sa.bindparam("device_type", type_=sa.Text),
            sa.cast(_r.alternatives, sa.Text).like(sa.bindparam("like", type_=sa.Text)),
        ),
    )
    .group_by(_w.work_order_id, _w.technician_id, _w.company_id, _w.needed_on, tables.cases.c.priority)
    .order_by(
        sa.func.coalesce(_w.needed_on, sa.literal(date.max, sa.Date)),
        sa.desc(sa.func.coalesce(tables.cases.c.priority, 0)),
        _w.work_order_id,
    )
    .limit(sa.bindparam("number", type_=sa.Integer))
)

MOVEMENTS = ("movements", Movement, tables.movements)

REPOSITORIES: Mapping[type[Any], Mapped[Any]] = {
    Ledger: Mapped(Ledger, tables.ledger),
    Case: Mapped(Case, tables.cases),
    Location: Mapped(
        Location, tables.locations, aliases=(Alias(tables.locations.c.place, tables.locations.c.location_id),)
    ),
    DeviceType: Mapped(DeviceType, tables.device_types),
    Device: Mapped(
        Device,
        tables.devices,
        children=(Children("installations", Installation, tables.installations, parent="device_id"),),
        aliases=(
            Alias(_d.serial_key, _d.device_id),
            OnlyOne(_d.number_key, _d.device_id),
            OnlyOne(_d.number, _d.device_id),
        ),
    ),
    WorkOrder: Mapped(
        WorkOrder,
        tables.work_orders,
        children=(
            Children("reservations", Reservation, tables.reservations, parent="work_order_id"),
            Children(*MOVEMENTS, parent="document"),
        ),
    ),
    Visit: Mapped(
        Visit,
        tables.visits,
        children=(
            Children("readings", ExchangeReading, tables.exchange_readings, parent="visit_id"),
            Children("findings", Finding, tables.findings, parent="visit_id"),
            Children(*MOVEMENTS, parent="document"),
        ),
    ),
    Paper: Mapped(Paper, tables.papers, children=(Children(*MOVEMENTS, parent="document"),)),
    Shelf: Shelves(Shelf),
    Waiting: Waits(Waiting),
}
"""Loaded and written in this order by every transaction. Whoever books takes the ledger first, alone."""


def _seen(scope: Scope) -> sa.ColumnElement[bool]:
    """Which devices somebody reaches: a technician his van and his work orders, a company its own, all others all."""
    orders = sa.select(_w.work_order_id)
    places = sa.select(_l.location_id)
    match scope.kind:
        case "all":
            return sa.true()
        case "technician":
            mine, vans = (
                orders.where(_w.technician_id == identity(scope)),
                places.where(_l.technician_id == identity(scope)),
            )
        case "company":
            mine, vans = orders.where(_w.company_id == identity(scope)), places.where(_l.company_id == identity(scope))
        case _:
            return sa.false()
    installed = sa.select(tables.installations.c.device_id).where(tables.installations.c.work_order_id.in_(mine))
    return sa.or_(_d.location_id.in_(vans), _d.held_for.in_(mine), _d.device_id.in_(installed))


DEVICES = sa.select(tables.devices, _l.place, _l.kind.label("place_kind")).join_from(
    tables.devices, tables.locations, _d.location_id == _l.location_id
)


def devices(
    db: sa.Connection, scope: Scope, filters: Mapping[str, Any], after: UUID | None, limit: int
) -> Sequence[sa.Row[Any]]:
    """Devices with their place, by id; filters: serial (or its last digits), state, place, device_type."""
    query = DEVICES.where(_seen(scope)).order_by(_d.device_id).limit(limit)
    if after is not None:
        query = query.where(_d.device_id > after)
    if serial := filters.get("serial"):
        query = query.where(sa.or_(_d.serial == serial, _d.number == serial))
    if state := filters.get("state"):
        query = query.where(_d.state == state)
    if place := filters.get("location"):
        query = query.where(_l.place == place)
    if device_type := filters.get("model"):
        query = query.where(_d.device_type == device_type)
    return db.execute(query).all()


def device(db: sa.Connection, scope: Scope, device_id: UUID) -> sa.Row[Any] | None:
    """One device with its place; None outside the scope as for an unknown id."""
    return db.execute(DEVICES.where(_d.device_id == device_id, _seen(scope))).one_or_none()


def history(
    db: sa.Connection, scope: Scope, device_id: UUID
) -> tuple[Sequence[sa.Row[Any]], Sequence[sa.Row[Any]]] | None:
    """The movements and the times in place of one device, oldest first."""
    if device(db, scope, device_id) is None:
        return None
    from_, to = tables.locations.alias("from_"), tables.locations.alias("to_")
    m = tables.movements.c
    moved = (
        sa.select(tables.movements, from_.c.place.label("from_place"), to.c.place.label("to_place"))
        .join(from_, m.from_location == from_.c.location_id)
        .join(to, m.to_location == to.c.location_id)
        .where(m.device_id == device_id)
        .order_by(m.movement_id)
    )
    i = tables.installations.c
    placed = (
        sa.select(tables.installations, _l.place)
        .join_from(tables.installations, tables.locations, i.location_id == _l.location_id)
        .where(i.device_id == device_id)
        .order_by(i.installation_id)
    )
    return db.execute(moved).all(), db.execute(placed).all()


def reservations(db: sa.Connection, scope: Scope, filters: Mapping[str, Any], limit: int) -> Sequence[sa.Row[Any]]:
    """Reservations with device and place, by day; filters: work_order_id, technician_id, state, needed_on."""
    query = (
        sa.select(
            tables.reservations,
            *(_w.case_id, _w.technician_id, _w.company_id, _w.needed_on, _w.is_open),
            *(_d.printed, _d.manufacturer, _d.device_type.label("held_type"), _l.place),
        )
        .join_from(tables.reservations, tables.work_orders, _r.work_order_id == _w.work_order_id)
        .outerjoin(tables.devices, _r.device_id == _d.device_id)
        .outerjoin(tables.locations, _d.location_id == _l.location_id)
        .where(_mine(scope))
        .order_by(sa.func.coalesce(_w.needed_on, sa.literal(date.max, sa.Date)), _w.work_order_id, _r.line, _r.unit)
        .limit(limit)
    )
    columns = {"state": _r.state, "work_order_id": _w.work_order_id, "technician_id": _w.technician_id}
    for name, column in {**columns, "needed_on": _w.needed_on}.items():
        if (value := filters.get(name)) is not None:
            query = query.where(column == value)
    return db.execute(query).all()


def _mine(scope: Scope) -> sa.ColumnElement[bool]:
    match scope.kind:
        case "all":
            return sa.true()
        case "technician":
            return _w.technician_id == identity(scope)
        case "company":
            return _w.company_id == identity(scope)
        case _:
            return sa.false()


def finding(db: sa.Connection, scope: Scope, finding_id: UUID) -> tuple[sa.Row[Any], Sequence[sa.Row[Any]]] | None:
    """One finding with its device, and the readings of the visit for that device."""
    f, v = tables.findings.c, tables.visits.c
    found = db.execute(
        sa.select(tables.findings, v.case_id, v.work_order_id, _d.printed, _d.manufacturer, _d.device_type)
        .join_from(tables.findings, tables.visits, f.visit_id == v.visit_id)
        .join(tables.devices, _d.device_id == f.device_id)
        .outerjoin(tables.work_orders, _w.work_order_id == v.work_order_id)
        .where(f.finding_id == finding_id, _mine(scope))
    ).one_or_none()
    if found is None:
        return None
    e = tables.exchange_readings.c
    read = sa.select(tables.exchange_readings).where(
        e.visit_id == found.visit_id, e.device_id == found.device_id, e.visit_version == found.visit_version
    )
    return found, db.execute(read.order_by(e.obis, e.kind, e.source)).all()


def serials_known(db: sa.Connection, scope: Scope, serials: Sequence[str]) -> Sequence[str]:
    """Which of these serials some device in reach has."""
    query = sa.select(_d.serial).where(_d.serial.in_(serials), _seen(scope)).distinct()
    return db.execute(query).scalars().all()


def counts(db: sa.Connection, _scope: Scope) -> tuple[Sequence[sa.Row[Any]], Sequence[sa.Row[Any]]]:
    """Devices by state and kind of place; what is missing, by type."""
    stock = (
        sa.select(_d.state, _l.kind, sa.func.count())
        .join_from(tables.devices, tables.locations, _d.location_id == _l.location_id)
        .group_by(_d.state, _l.kind)
    )
    lacking = sa.select(_r.device_type, sa.func.count()).where(_r.state == ReservationState.MISSING)
    return db.execute(stock).all(), db.execute(lacking.group_by(_r.device_type)).all()


def ledger_differences(db: sa.Connection, _scope: Scope) -> Sequence[sa.Row[Any]]:
    """Movements that do not begin where the device's last one ended, or end elsewhere than the device is (I18)."""
    m = tables.movements.c

    def beside(value: sa.Function[Any]) -> sa.Over[Any]:
        return value.over(partition_by=m.device_id, order_by=m.movement_id)

    chain = sa.select(
        m.movement_id,
        m.device_id,
        *(m.from_location, m.to_location, m.state_from, m.state_to),
        beside(sa.func.lag(m.to_location)).label("was_at"),
        beside(sa.func.lag(m.state_to)).label("was"),
        beside(sa.func.lead(m.movement_id)).label("next"),
    ).subquery()
    c = chain.c
    gap = sa.and_(c.was_at.is_not(None), sa.or_(c.was_at != c.from_location, c.was != c.state_from))
    ends = sa.and_(c.next.is_(None), sa.or_(_d.location_id != c.to_location, _d.state != c.state_to))
    query = sa.select(c.movement_id, c.device_id, _d.printed).join_from(
        chain, tables.devices, _d.device_id == c.device_id
    )
    return db.execute(query.where(sa.or_(gap, ends)).order_by(c.movement_id)).all()


def locations(db: sa.Connection, _scope: Scope) -> Sequence[sa.Row[Any]]:
    """Stores and vans: where devices can be kept. Sites are left out, they name metering points."""
    kept = (LocationKind.CENTRAL, LocationKind.SMALL_STORE, LocationKind.VAN)
    query = sa.select(tables.locations).where(_l.kind.in_(kept)).order_by(_l.kind, _l.place)
    return db.execute(query).all()
