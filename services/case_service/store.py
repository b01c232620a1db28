"""How case_service remembers: its repositories, and the only SQL that it asks lists with."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from contracts.codes import State
from kit import rows as many
from kit.auth import Scope
from kit.db import Utc
from kit.rows import one_of
from kit.store import Alias, Children, Listing, Mapped
from services.case_service import tables
from services.case_service import tables_beside as beside
from services.case_service.domain import changes
from services.case_service.domain.activities import Activity
from services.case_service.domain.answers import FieldAnswers, FieldConflict
from services.case_service.domain.buildings import Building, Point
from services.case_service.domain.case import Case
from services.case_service.domain.completions import Completion
from services.case_service.domain.edits import HIDDEN_IN_THE_FIELD
from services.case_service.domain.entries import (
    CaseException,
    ExceptionState,
    FormVersion,
    OrderReference,
    OrderTombstone,
    Pause,
    Remark,
    Words,
)
from services.case_service.domain.flow import FlowBook, SubReasons
from services.case_service.domain.incoming.calibration import Calibration
from services.case_service.domain.intake import Installer, InstallerNotice, Quote
from services.case_service.domain.privacy import Erasure, PersonExport
from services.case_service.domain.selection import CaseQuery, OrderQuery, Selection, keys_of
from services.case_service.domain.sla_targets import SlaTargets
from services.case_service.domain.visits import Visit, VisitConflict
from services.case_service.domain.work_order import Change, WorkOrder

Row = sa.Row[Any]
Rows = Sequence[Row]

_told = tables.metadata.tables["audit"]
_OF_CHANGES = many.one_of(_told.c.subject, "subjects"), many.one_of(_told.c.action, "actions")
COUNT_CHANGES = sa.select(_told.c.subject, sa.func.count()).where(*_OF_CHANGES).group_by(_told.c.subject)
SAY_CHANGES = sa.select(_told.c.details).where(*_OF_CHANGES)


class Cases(Mapped[Case]):
    """Cases as they are now, each with what the audit knows of it."""

    def load(self, db: sa.Connection, keys: Sequence[str]) -> Mapping[str, Case]:
        found = super().load(db, keys)
        loaded = {case.case_id: case for case in found.values()}.values()
        for case in loaded:
            case.trail.begin(case)
        self._count(db, [case for case in loaded if _may_complete(case)])
        return found

    def _count(self, db: sa.Connection, cases: Sequence[Case]) -> None:
        """DoD5: one query counts the rows of all; only a case whose count is not right is looked at more closely."""
        if not cases:
            return
        asked = {"subjects": [subject for case in cases for subject in changes.subjects(case)]}
        counts = Counter[str]()
        for subject, count in many.fetch(db, COUNT_CHANGES, {**asked, "actions": changes.ACTIONS}):
            counts[subject.split("/")[1]] += count
        for case in cases:
            if counts[str(case.case_id)] != case.audited:
                case.lost = self._lost(db, case, counts[str(case.case_id)])

    @staticmethod
    def _lost(db: sa.Connection, case: Case, count: int) -> tuple[int, ...]:
        asked = {"subjects": changes.subjects(case), "actions": changes.ACTIONS}
        there = {orjson.loads(details)["change"] for (details,) in many.fetch(db, SAY_CHANGES, asked)}
        odd = there ^ set(range(1, case.audited + 1))
        return tuple(sorted(odd)) or (count,)


def _may_complete(case: Case) -> bool:
    """Whether the gate could open in the transaction that begins: somebody was on site, and it is not over."""
    return not case.terminal and any(order.used for order in case.work_orders)


CASES = Cases(
    Case,
    tables.cases,
    children=(
        Children("work_orders", WorkOrder, tables.work_orders, parent="case_id"),
        Children("references", OrderReference, tables.case_orders, parent="case_id"),
        Children("exceptions", CaseException, tables.exceptions, parent="case_id"),
        Children("pauses", Pause, tables.sla_intervals, parent="case_id"),
        Children("history", Change, tables.history, parent="case_id"),
    ),
    aliases=(
        Alias(tables.work_orders.c.work_order_id, tables.work_orders.c.case_id),
        Alias(tables.case_orders.c.current_key, tables.case_orders.c.case_id),
        Alias(tables.cases.c.open_point, tables.cases.c.case_id),
    ),
)

REPOSITORIES: Mapping[type[Any], Mapped[Any]] = {
    Case: CASES,
    OrderTombstone: Mapped(OrderTombstone, tables.order_tombstones),
    VisitConflict: Mapped(VisitConflict, tables.visit_conflicts),
    SlaTargets: Mapped(SlaTargets, tables.sla_targets, locked=False),
    FormVersion: Mapped(FormVersion, tables.form_versions, locked=False),
    Visit: Mapped(Visit, tables.visits),
    Remark: Mapped(Remark, tables.remarks),
    Words: Mapped(Words, tables.reasons),
    FlowBook: Mapped(FlowBook, beside.flows, locked=False),
    SubReasons: Mapped(SubReasons, beside.sub_reasons, locked=False),
    Activity: Mapped(Activity, beside.activities),
    Calibration: Mapped(Calibration, beside.calibrations),
    Installer: Mapped(Installer, beside.installers, locked=False),
    InstallerNotice: Mapped(InstallerNotice, beside.installer_notices),
    Quote: Mapped(Quote, beside.quotes),
    Completion: Mapped(Completion, beside.completions),
    Erasure: Mapped(Erasure, beside.erasures),
    PersonExport: Mapped(PersonExport, beside.person_exports),
    FieldAnswers: Mapped(FieldAnswers, beside.answers),
    FieldConflict: Mapped(FieldConflict, beside.field_conflicts),
    Building: Listing(
        Building,
        sa.select(tables.cases.c.building, tables.cases.c.case_id)
        .where(one_of(tables.cases.c.building, "keys"))
        .order_by(tables.cases.c.case_id),
        lambda key, found: Building(building=key, case_ids=found),
    ),
    Point: Listing(
        Point,
        sa.select(tables.cases.c.metering_point_id, tables.cases.c.case_id)
        .where(one_of(tables.cases.c.metering_point_id, "keys"))
        .order_by(tables.cases.c.case_id),
        lambda key, found: Point(metering_point_id=key, case_ids=found[-1:]),
    ),
}
"""Written in this order by every transaction, so that no two wait for each other in a circle."""

_cases, _orders, _references = tables.cases, tables.work_orders, tables.case_orders
_seen = tables.work_orders.alias("seen")
_second = tables.work_orders.alias("second")
_has_second = sa.exists().where(_second.c.case_id == _cases.c.case_id, _second.c.sequence > 1).correlate(_cases)
_CODES = ("phase", "origin", "legal_basis", "operator", "case_type", "sla_state", "metering_point_id")
_AREA = ("stage", "municipality", "postcode")
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_CASE_KEYS: Mapping[str, sa.ColumnElement[Any]] = {
    "priority": _cases.c.priority,
    "due": _cases.c.due_by,
    "opened": _cases.c.opened_at,
    "postcode": _cases.c.area.op("->>", return_type=sa.Text())(sa.literal("postcode", sa.Text())),
}
_ORDER_KEYS: Mapping[str, sa.ColumnElement[Any]] = {
    **_CASE_KEYS,
    "due": sa.func.coalesce(_orders.c.due_on, _cases.c.due_by),
    "opened": _orders.c.opened_at,
    "start": sa.func.coalesce(_orders.c.start, sa.literal(_NEVER, Utc())),
}
"""What lists are sorted by; a work order without a start comes last."""


def cases(db: sa.Connection, scope: Scope, query: CaseQuery, begin: Sequence[Any] = ()) -> Rows:
    """A page of cases; `at_0`, `at_1` … of a row are where it stands in the sort, its id behind them."""
    chosen = [visible(scope), *_like(query, scope)]
    if of_orders := _order_like(query, _seen):
        own = sa.exists().where(_seen.c.case_id == _cases.c.case_id, mine(scope, _seen), *of_orders)
        chosen.append(own.correlate(_cases))
    defect = _has_second.label("defect")
    return _page(db, sa.select(_cases, defect), chosen, query.sort, begin, query.limit, _CASE_KEYS, _cases.c.case_id)


def case(db: sa.Connection, scope: Scope, case_id: UUID) -> Row | None:
    """One case, if it is in scope."""
    query = sa.select(_cases, _has_second.label("defect")).where(_cases.c.case_id == case_id, visible(scope))
    return db.execute(query).one_or_none()


def case_of_appointment(db: sa.Connection, scope: Scope) -> UUID | None:
    """The case whose appointment a customer proved."""
    if scope.kind != "appointment" or (identity := _identity(scope)) is None:
        return None
    query = sa.select(_orders.c.case_id).where(_orders.c.appointment_id == identity)
    return db.execute(query.order_by(_orders.c.sequence.desc()).limit(1)).scalar()


def inside(db: sa.Connection, scope: Scope, case_ids: Sequence[UUID]) -> Mapping[str, Rows]:
    """Work orders, references and exceptions of these cases, if they are in scope."""
    seen = sa.select(_cases.c.case_id).where(_cases.c.case_id.in_(case_ids), visible(scope))
    order = {"work_orders": ("case_id", "sequence"), "case_orders": ("order_key",), "exceptions": ("exception_id",)}
    order |= {"sla_intervals": ("case_id", "number")}
    found = {}
    for name, by in order.items():
        table = tables.metadata.tables[name]
        query = sa.select(table).where(table.c.case_id.in_(seen)).order_by(*(table.c[column] for column in by))
        found[name] = db.execute(query).all()
    return found


def work_orders(db: sa.Connection, scope: Scope, query: OrderQuery, begin: Sequence[Any] = ()) -> Rows:
    """A page of work orders, each with what is said of its case; a technician's is the mobile list."""
    chosen = [visible(scope), mine(scope), *like(query, scope)]
    if scope.kind == "technician":
        at_work = sa.or_(_orders.c.dispatched, _orders.c.state == State.IN_PROGRESS)
        chosen += [_orders.c.responsible == _identity(scope), at_work]
    id_ = _orders.c.work_order_id
    return _page(db, _with_case(), chosen, query.sort, begin, query.limit, _ORDER_KEYS, id_)


def _page(
    db: sa.Connection,
    wanted: sa.Select[Any],
    chosen: Sequence[sa.ColumnElement[bool]],
    sort: str,
    begin: Sequence[Any],
    limit: int,
    keys: Mapping[str, sa.ColumnElement[Any]],
    id_: sa.Column[Any],
) -> Rows:
    """One statement per page. A page begins behind a row, not at a number: what comes in between moves nothing."""
    by = [*((keys[name], falling) for name, falling in keys_of(sort)), (id_, False)]
    places = [key.label(f"at_{number}") for number, (key, _) in enumerate(by[:-1])]
    order = [key.desc() if falling else key.asc() for key, falling in by]
    rest = [behind(by, begin)] if begin else []
    return db.execute(wanted.add_columns(*places).where(*chosen, *rest).order_by(*order).limit(limit)).all()


def behind(by: Sequence[tuple[sa.ColumnElement[Any], bool]], begin: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Rows that come later in the sort than these values."""
    found = []
    for at, (key, falling) in enumerate(by):
        same = [other == value for (other, _), value in zip(by[:at], begin, strict=False)]
        found.append(sa.and_(*same, key < begin[at] if falling else key > begin[at]))
    return sa.or_(*found)


def like(wanted: Selection, scope: Scope) -> list[sa.ColumnElement[bool]]:
    """What a work order and its case have to be like to be selected."""
    return [*_like(wanted, scope), *_order_like(wanted, _orders)]


def _like(wanted: Selection, scope: Scope) -> list[sa.ColumnElement[bool]]:
    """What the case itself has to be like."""
    hidden = HIDDEN_IN_THE_FIELD if scope.kind == "technician" else frozenset()
    flags = [flag for flag in wanted.flag if flag not in hidden]
    found: list[sa.ColumnElement[bool]] = [
        _cases.c[name].in_(values) for name in _CODES if (values := getattr(wanted, name))
    ]
    found += [_part_of_area(name).in_(values) for name in _AREA if (values := getattr(wanted, name))]
    found += [_any(_names(_cases.c.flags, f'"{flag}"') for flag in flags)] if wanted.flag else []
    found += [_has_open_exception(wanted.exception_type)] if wanted.exception_type else []
    found += [_has_order(wanted.order_key)] if wanted.order_key else []
    bounds = (
        (wanted.priority_from, _cases.c.priority.__ge__),
        (wanted.priority_to, _cases.c.priority.__le__),
        (wanted.due_before, _cases.c.due_by.__lt__),
        (wanted.due_after, _cases.c.due_by.__gt__),
        (wanted.opened_before, _cases.c.opened_at.__lt__),
        (wanted.opened_after, _cases.c.opened_at.__gt__),
        (wanted.on_hold, _cases.c.on_hold.__eq__),
        (wanted.defect, _has_second.__eq__),
    )
    return found + [holds(value) for value, holds in bounds if value is not None]


def _order_like(wanted: Selection, table: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    """What one of its work orders has to be like."""
    columns = {"state": "state", "kind": "kind", "responsible": "responsible", "company": "company_id"}
    found: list[sa.ColumnElement[bool]] = [
        table.c[column].in_(values) for name, column in columns.items() if (values := getattr(wanted, name))
    ]
    found += [_any(_names(table.c.blockers, f'"{each}":') for each in wanted.blocker)] if wanted.blocker else []
    lacks = sa.or_(table.c.responsible.is_(None), table.c.start.is_(None))
    found += [lacks if wanted.unplanned else ~lacks] if wanted.unplanned is not None else []
    found += [table.c.dispatched == wanted.dispatched] if wanted.dispatched is not None else []
    return found


def _any(conditions: Iterable[sa.ColumnElement[bool]]) -> sa.ColumnElement[bool]:
    return sa.or_(sa.false(), *conditions)


def _names(column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[bool]:
    """A nested value holds this member; quotes inside of texts are escaped there, so that only names match."""
    return sa.cast(column, sa.Text).contains(text, autoescape=True)


def _part_of_area(name: str) -> sa.ColumnElement[str]:
    return _cases.c.area.op("->>", return_type=sa.Text())(sa.literal(name, sa.Text()))


def _has_order(order_key: str) -> sa.ColumnElement[bool]:
    return _cases.c.case_id.in_(sa.select(_references.c.case_id).where(_references.c.order_key == order_key))


def _has_open_exception(types: Sequence[str]) -> sa.ColumnElement[bool]:
    table = tables.exceptions
    is_open = table.c.state.in_((ExceptionState.RAISED, ExceptionState.APPROVED))
    return sa.exists().where(table.c.case_id == _cases.c.case_id, table.c.type.in_(types), is_open).correlate(_cases)


def work_order(db: sa.Connection, scope: Scope, work_order_id: UUID) -> Row | None:
    """One work order, if it is in scope."""
    query = _with_case().where(_orders.c.work_order_id == work_order_id, visible(scope), mine(scope))
    return db.execute(query).one_or_none()


def story(db: sa.Connection, scope: Scope, case_id: UUID) -> Mapping[str, Rows]:
    """What happened in a case, and to its work orders in scope: changes, remarks, words of people, visits."""
    seen = sa.select(_cases.c.case_id).where(_cases.c.case_id == case_id, visible(scope))
    own = sa.select(_orders.c.work_order_id).where(_orders.c.case_id == case_id, mine(scope))
    order = {
        "history": ("at", "work_order_id", "version"),
        "remarks": ("at", "remark_id"),
        "reasons": ("at", "words_id"),
        "visits": ("reported_at", "record_id"),
    }
    found = {}
    for name, by in order.items():
        table = tables.metadata.tables[name]
        theirs = sa.or_(table.c.work_order_id.is_(None), table.c.work_order_id.in_(own))
        query = sa.select(table).where(table.c.case_id.in_(seen), theirs)
        found[name] = db.execute(query.order_by(*(table.c[column] for column in by))).all()
    return found


def counts(db: sa.Connection, scope: Scope) -> Mapping[str, Mapping[tuple[str, ...], int]]:
    """How many cases stand in which phase, work orders in which state, exceptions in which."""
    made = {
        "cases": sa.select(_cases.c.operator, _cases.c.phase, sa.func.count()),
        "sla": sa.select(_cases.c.sla_state, sa.func.count()).where(_cases.c.ended_at.is_(None)),
        "work_orders": sa.select(_orders.c.state, sa.func.count()),
        "exceptions": sa.select(tables.exceptions.c.type, tables.exceptions.c.state, sa.func.count()),
    }
    found = {}
    for name, query in made.items():
        by = list(query.selected_columns)[:-1]
        ids = _cases.c.case_id if name == "sla" else tables.metadata.tables[name].c.case_id
        seen = ids.in_(sa.select(_cases.c.case_id).where(visible(scope)))
        rows = db.execute(query.where(seen).group_by(*by)).all()
        found[name] = {tuple(str(value) for value in row[:-1]): row[-1] for row in rows}
    return found


def visible(scope: Scope) -> sa.ColumnElement[bool]:
    """The cases that somebody may see: what lies outside does not exist."""
    if scope.kind == "all":
        return sa.true()
    if scope.kind == "partner":
        ordered = sa.exists().where(_references.c.case_id == _cases.c.case_id, _references.c.partner == scope.id)
        return ordered.correlate(_cases)
    if scope.kind not in _OWNERS or _identity(scope) is None:
        return sa.false()
    return sa.exists().where(_seen.c.case_id == _cases.c.case_id, mine(scope, _seen)).correlate(_cases)


_OWNERS: Mapping[str, tuple[str, ...]] = {"company": ("company_id",), "technician": ("responsible", "dispatched_to")}
"""Columns that say whose a work order is; a technician keeps what was once in his list."""


def mine(scope: Scope, table: sa.FromClause = _orders) -> sa.ColumnElement[bool]:
    """Of a visible case, the work orders that a company or a technician has or had."""
    if scope.kind not in _OWNERS:
        return sa.true()
    return sa.or_(*(table.c[column] == _identity(scope) for column in _OWNERS[scope.kind]))


def _with_case() -> sa.Select[Any]:
    said = (_cases.c.operator, _cases.c.area, _cases.c.priority, _cases.c.metering_point_id, _cases.c.flags)
    return sa.select(_orders, *said, _cases.c.edition, _cases.c.flag_text).join(
        _cases, _cases.c.case_id == _orders.c.case_id
    )


def _identity(scope: Scope) -> UUID | None:
    try:
        return UUID(scope.id)
    except ValueError:
        return None
