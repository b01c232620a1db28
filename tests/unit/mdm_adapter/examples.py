"""Documents of mdm_adapter as Hypothesis makes them: everything that the order contract can say."""

from datetime import UTC, date, datetime

from hypothesis import strategies as some

from contracts.codes import AnnouncedPlan, DeviceRole, LegalBasis, OrderKind, Origin, Scheme
from services.mdm_adapter.dialects.cim_xml.order_fields import DAYS, TEXTS
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason
from services.mdm_adapter.documents.asset_moved import AssetMoved
from services.mdm_adapter.documents.corrected import Corrected, CorrectedField
from services.mdm_adapter.documents.device_announced import DeviceAnnounced, Lifecycle, Multiplier
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.values import (
    AnswerWanted,
    Customer,
    Location,
    MeteringPoint,
    OldDevice,
    Party,
    Reading,
    ReportedDevice,
)
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_order_cancelled import WorkOrderCancelled
from services.mdm_adapter.documents.work_order_changed import WorkOrderChanged
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.documents.work_status import WorkStatus

LETTERS = some.characters(codec="utf-8", categories=("L", "N", "P", "S"))
WORDS = some.text(LETTERS, min_size=1, max_size=20)
MAYBE = some.none() | WORDS
CODES = some.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,15}", fullmatch=True)
NUMBERS = some.from_regex(r"[A-Z]{2}-[0-9]{1,8}", fullmatch=True)
SERIALS = some.from_regex(r"[A-Z0-9]{3,14}", fullmatch=True)
VERSIONS = some.integers(1, 10**8)
DATES = some.dates(date(2024, 1, 1), date(2035, 12, 31))
TIMES = some.datetimes(datetime(2024, 1, 1), datetime(2035, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001
VALUES = some.decimals(0, 10**9, places=3, allow_nan=False, allow_infinity=False)
DEGREES = some.decimals(-90, 90, places=6, allow_nan=False, allow_infinity=False)
POINTS = some.sampled_from(
    [
        MeteringPoint(id="707057500012345671", scheme=Scheme.GSRN),
        MeteringPoint(id="735999100012345673", scheme=Scheme.GSRN),
        MeteringPoint(id="41373559241", scheme=Scheme.MALO),
        MeteringPoint(id="DE000123001010000000000000001234A", scheme=Scheme.MELO),
        MeteringPoint(id="E0A1B2C3D45", scheme=Scheme.NELO),
        MeteringPoint(id="C0A1B2C3D47", scheme=Scheme.SR),
        MeteringPoint(id="D0A1B2C3D46", scheme=Scheme.TR),
    ]
)
PARTIES = some.builds(
    Party,
    role=some.sampled_from(["nb", "lf", "wmsb", "msb_old"]),
    id=some.sampled_from(["4012345000009", "9900357000003", "10YDE-VE-------2"]),
    valid_from=some.none() | DATES,
)
CUSTOMERS = some.builds(Customer, name=MAYBE, phone=MAYBE, email=MAYBE)
PLACES = some.builds(
    Location,
    **dict.fromkeys(("street", "number", "addition", "postcode", "city", "country", "municipality", "stage"), MAYBE),
)
OLD = some.builds(OldDevice, role=some.sampled_from(DeviceRole), serial=SERIALS)
WINDOWS = some.lists(DATES, min_size=2, max_size=2).map(sorted)
WANTED = some.builds(
    AnswerWanted,
    by=some.none() | TIMES,
    list=some.none() | CODES,
    accept=CODES,
    refuse=some.lists(CODES, min_size=1, max_size=3).map(tuple),
)
UNKNOWN = some.tuples(some.from_regex(r"x_[a-z]{1,8}", fullmatch=True), WORDS)


def _said(value):  # type: ignore[no-untyped-def]
    """A nested value that says nothing is not said at all."""
    return value if any(member is not None for _, member in value) else None


CONTENT = {
    "plan": some.none() | CODES,
    "priority": some.none() | some.integers(1, 5),
    "origin": some.none() | some.sampled_from(Origin),
    "legal_basis": some.none() | some.sampled_from(LegalBasis),
    "language": some.none() | CODES,
    "sms_allowed": some.none() | some.booleans(),
    "voltage": some.none() | CODES,
    "customer_class": some.none() | CODES,
    "fixed_on": some.none() | DATES,
    "planned_on": some.none() | DATES,
    "customer": CUSTOMERS.map(_said),
    "location": PLACES.map(_said),
}


@some.composite
def orders(draw: some.DrawFn) -> WorkOrderRequested:
    """An order as any dialect can carry it."""
    start, end = draw(WINDOWS)
    return WorkOrderRequested(
        order_no=draw(NUMBERS),
        order_version=draw(VERSIONS),
        kind=draw(some.sampled_from(OrderKind)),
        metering_point=draw(POINTS),
        window_from=draw(some.none() | some.just(start)),
        window_to=draw(some.none() | some.just(end)),
        **{name: draw(strategy) for name, strategy in CONTENT.items()},
    )


@some.composite
def full_orders(draw: some.DrawFn) -> WorkOrderRequested:
    """An order with what only CIM XML carries: several devices and parties, a position, properties."""
    order = draw(orders())
    position = {"lat": draw(DEGREES), "lon": draw(DEGREES)} if draw(some.booleans()) else {}
    place = (order.location or Location()).model_copy(update=position)
    return order.model_copy(
        update={
            "location": _said(place),
            "parties": tuple(draw(some.lists(PARTIES, min_size=1, max_size=3))) if draw(some.booleans()) else None,
            "old_devices": tuple(draw(some.lists(OLD, min_size=1, max_size=3))) if draw(some.booleans()) else None,
            "properties": tuple(draw(some.lists(UNKNOWN, max_size=2))),
        }
    )


@some.composite
def json_orders(draw: some.DrawFn) -> WorkOrderRequested:
    """An order with what JSON carries: all but properties, and the answer that is expected."""
    order = draw(full_orders())
    return order.model_copy(update={"properties": (), "answer": draw(some.none() | WANTED)})


@some.composite
def changes(draw: some.DrawFn) -> WorkOrderChanged:
    """A change that says some fields and empties others, never the same."""
    order = draw(full_orders())
    said = order.model_dump(exclude_none=True)
    nested = {f"{name}.{member}" for name in ("customer", "location") for member in said.get(name, {})}
    free = sorted({*TEXTS, *DAYS} - said.keys() - nested)
    cleared = draw(some.sets(some.sampled_from(free), max_size=3)) if free else set()
    listed = [name for name in (*TEXTS, *DAYS) if name in cleared]
    return WorkOrderChanged.model_validate({**order.model_dump(), "cleared": tuple(listed)})


CANCELLATIONS = some.builds(
    WorkOrderCancelled, order_no=NUMBERS, order_version=some.none() | VERSIONS, reason=some.none() | WORDS
)
READINGS = some.builds(Reading, obis=some.sampled_from(["1-0:1.8.0", "1-0:2.8.0"]), value=VALUES, at=TIMES)
DEVICES = some.builds(
    ReportedDevice,
    role=some.sampled_from(DeviceRole),
    serial=SERIALS,
    readings=some.lists(READINGS, max_size=2).map(tuple),
)
TUPLES = some.lists(DEVICES, max_size=2).map(tuple)
COMPLETED = some.builds(
    DeviceExchangeCompleted,
    order_no=NUMBERS,
    order_version=VERSIONS,
    metering_point=POINTS,
    started_at=TIMES,
    finished_at=TIMES,
    installed=TUPLES,
    removed=TUPLES,
)
NOT_COMPLETED = some.builds(
    WorkNotCompleted,
    order_no=NUMBERS,
    order_version=VERSIONS,
    metering_point=POINTS,
    at=TIMES,
    outcome=CODES,
    reason=CODES,
    sub_reason=some.none() | CODES,
    attempts=some.integers(0, 9),
    final=some.booleans(),
)
ANNOUNCED = some.builds(
    WorkStatus,
    order_no=NUMBERS,
    order_version=VERSIONS,
    metering_point=POINTS,
    plan=some.none() | some.sampled_from(AnnouncedPlan),
    statutory=some.booleans(),
    planned_on=some.none() | DATES,
    window_from=some.none() | DATES,
    window_to=some.none() | DATES,
)
LIVES = some.builds(Lifecycle, **dict.fromkeys(Lifecycle.model_fields, some.none() | DATES))
MULTIPLIERS = some.builds(Multiplier, kind=CODES, value=VALUES)
ANNOUNCEMENTS = some.builds(
    DeviceAnnounced,
    serial=SERIALS,
    role=some.sampled_from(DeviceRole),
    asset_id=some.none() | CODES,
    manufacturer=MAYBE,
    model=MAYBE,
    seals=some.lists(WORDS, max_size=2).map(tuple),
    multipliers=some.lists(MULTIPLIERS, max_size=2).map(tuple),
    lifecycle=LIVES,
)
MOVEMENTS = some.builds(
    AssetMoved,
    serial=SERIALS,
    role=some.sampled_from(DeviceRole),
    movement=some.sampled_from(["moved", "returned", "scrapped"]),
    at=TIMES,
    from_place=some.none() | CODES,
    to_place=some.none() | CODES,
    lifecycle=LIVES,
)
CHANGED = some.builds(CorrectedField, field=CODES, old=MAYBE, new=MAYBE)
CORRECTIONS = some.builds(
    Corrected,
    order_no=NUMBERS,
    order_version=some.none() | VERSIONS,
    changes=some.lists(CHANGED, min_size=1, max_size=3, unique_by=lambda each: each.field).map(tuple),
)
REASONS = some.builds(Reason, code=some.sampled_from(["2.4", "2.12", "6.1", "7005"]), text=MAYBE)


@some.composite
def answers(draw: some.DrawFn) -> Answer:
    """An answer in which every item has a state that can be said."""
    names = draw(some.lists(NUMBERS, min_size=1, max_size=3, unique=True))
    items = []
    for name in names:
        state = draw(some.sampled_from([ItemState.RECEIVED, ItemState.ACCEPTED, ItemState.REFUSED]))
        reasons = draw(some.lists(REASONS, min_size=1, max_size=2)) if state is ItemState.REFUSED else []
        items.append(ItemAnswer(item=name, state=state, reasons=tuple(reasons)))
    return Answer(items=tuple(items))
