"""Documents of the German market as Hypothesis makes them, with all that they are written from."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as some

from contracts.codes import AnnouncedPlan, DeviceRole, OrderKind
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.dialects.edifact_fv.market_sending import Asked, DeviceFact, MarketSending
from services.mdm_adapter.dialects.edifact_fv.order_answers import codes_for
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.matrix import Role
from services.mdm_adapter.documents.values import Customer, Location, OldDevice, Reading, ReportedDevice
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.documents.work_status import WorkStatus
from tests.unit.mdm_adapter.edifact.sendings import POINT, asked, sending

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AMBIGUOUS = "".join(map(chr, range(0x80, 0xC0)))
"""Behind a letter these could be UTF-8, and a message that is both does not leave."""
LETTERS = some.characters(codec="latin-1", categories=("L", "N"), exclude_characters=AMBIGUOUS)
SIGNS = some.characters(codec="latin-1", categories=("L", "N", "P", "S"), exclude_characters=AMBIGUOUS)
WORDS, TEXTS = some.text(LETTERS, min_size=1, max_size=20), some.text(SIGNS, min_size=1, max_size=600)
MINUTES = some.integers(0, 45 * 24 * 60).map(lambda n: NOW - timedelta(days=1, minutes=n))
SERIALS = some.from_regex(r"1[A-Z]{3}[0-9]{10}", fullmatch=True)
CODES = some.sampled_from(["1-0:1.8.0", "1-0:2.8.0", "1-0:1.8.1", "1-0:1.8.2"])
VALUES = some.decimals(0, 10**6, places=3, allow_nan=False, allow_infinity=False)
DAYS = some.dates(date(2026, 12, 1), date(2028, 12, 31))
ABOUT: dict[str, Any] = {"order_no": "HUB-D-000101", "order_version": 1, "metering_point": POINT}


@some.composite
def meters(draw: some.DrawFn, serials: list[str], at: datetime) -> tuple[ReportedDevice, ...]:
    """A meter per serial, each of which was read."""
    made = []
    for serial in serials:
        registers = draw(some.lists(CODES, min_size=1, max_size=3, unique=True))
        readings = tuple(Reading(obis=obis, value=draw(VALUES), at=at) for obis in registers)
        made.append(ReportedDevice(serial=serial, readings=readings))
    return tuple(made)


@some.composite
def completed(draw: some.DrawFn) -> tuple[DeviceExchangeCompleted, MarketSending]:
    """An exchange with all that its messages need."""
    at = draw(MINUTES)
    serials = draw(some.lists(SERIALS, min_size=1, max_size=4, unique=True))
    new = draw(some.integers(1, len(serials)))
    installed, removed = draw(meters(serials[:new], at)), draw(meters(serials[new:], at))
    gateway = draw(some.none() | some.just("EHUB0000001001"))
    devices: dict[str, DeviceFact] = {
        serial: DeviceFact(device_type=draw(some.sampled_from(["mme_1ph", "mme_3ph_2t"]))) for serial in serials[:new]
    }
    if gateway:
        installed += (ReportedDevice(role=DeviceRole.SMGW, serial=gateway),)
        devices[gateway] = DeviceFact(device_type="smgw_lte")
    document = DeviceExchangeCompleted(**ABOUT, started_at=at, finished_at=at, installed=installed, removed=removed)
    given = sending(role=draw(some.sampled_from(Role)), at=NOW, facts={"devices": devices})
    keys = {(gateway or "", reading.obis) for device in installed for reading in device.readings}
    numbered = {key: f"HUB-K-{number:06d}" for number, key in enumerate(sorted(keys))}
    return document, replace(given, numbers=replace(given.numbers, configurations=numbered))


@some.composite
def not_completed(draw: some.DrawFn) -> tuple[WorkNotCompleted, MarketSending]:
    """Given up or failed, for a reason that a code of its own says."""
    ordered = draw(some.booleans())
    named = ["no_access", "no_coverage", "other", *(["control_mapping_impossible"] if ordered else [])]
    sub_reason = draw(some.sampled_from(named))
    document = WorkNotCompleted(
        **ABOUT,
        at=draw(MINUTES),
        outcome="FAILED",
        reason="NOT_AT_HOME",
        sub_reason=sub_reason,
        attempts=draw(some.integers(0, 9)),
        final=True,
        text=draw(TEXTS) if sub_reason == "other" else None,
    )
    return document, sending(role=draw(some.sampled_from(Role)), at=NOW, ordered=ordered)


@some.composite
def announced(draw: some.DrawFn) -> tuple[WorkStatus, MarketSending]:
    """With the day of an intelligent system, or the window of a modern meter."""
    given = sending(role=draw(some.sampled_from(Role)), at=NOW)
    if draw(some.booleans()):
        return WorkStatus(**ABOUT, plan=AnnouncedPlan.IMS, planned_on=draw(DAYS)), given
    start, end = sorted(draw(some.lists(DAYS, min_size=2, max_size=2, unique=True)))
    return WorkStatus(**ABOUT, plan=AnnouncedPlan.MME, window_from=start, window_to=end), given


NAMES = some.tuples(WORDS, WORDS).map(" ".join)
CUSTOMERS = some.builds(
    Customer,
    name=NAMES,
    phone=some.none() | some.from_regex(r"\+[0-9]{6,14}", fullmatch=True),
    email=some.none() | some.from_regex(r"[a-z]{1,9}@[a-z]{1,9}\.de", fullmatch=True),
)
PLACES = some.builds(
    Location,
    **dict.fromkeys(("street", "number", "addition", "city"), some.none() | WORDS),
    postcode=some.none() | some.from_regex(r"[0-9]{5}", fullmatch=True),
    country=some.none() | some.just("DE"),
)


@some.composite
def orders(draw: some.DrawFn) -> WorkOrderRequested:
    """An order of the market: for a day, within an offered window, or because of a fault."""
    kind = draw(some.sampled_from([OrderKind.TECH_CHANGE, OrderKind.REMOVE, OrderKind.REPAIR]))
    said: dict[str, Any] = {"kind": kind, "customer": draw(some.none() | CUSTOMERS)}
    place = draw(PLACES)
    said["location"] = place if place != Location() else None
    said["customer_class"] = draw(some.sampled_from(["person", "company"])) if said["customer"] else None
    if kind is OrderKind.TECH_CHANGE and draw(some.booleans()):
        said["window_from"], said["window_to"] = sorted(draw(some.lists(DAYS, min_size=2, max_size=2, unique=True)))
        said["properties"] = (("offer", "OFFER-1"), ("price_sheet", "P-1"))
    elif kind is OrderKind.TECH_CHANGE:
        said |= {"fixed_on": draw(DAYS), "properties": (("product", "9991000002082"),)}
    elif kind is OrderKind.REMOVE:
        roles = (DeviceRole.METER, DeviceRole.SMGW, DeviceRole.CONTROL_BOX, DeviceRole.CURRENT_TRANSFORMER)
        made = some.builds(OldDevice, role=some.sampled_from(roles), serial=SERIALS)
        said |= {"fixed_on": draw(DAYS), "old_devices": tuple(draw(some.lists(made, max_size=3))) or None}
    return WorkOrderRequested(**ABOUT, **said)


ASKED = [
    *(asked("17011", purpose, role) for purpose in ("Z12", "Z93") for role in ("nb", "lf")),
    asked("17009", "Z13"),
    asked("23001", "4"),
]
WITH_MORE = frozenset({"ZB5", "Z07"})
"""Codes that come with a party; what it says is read as words."""


@some.composite
def answers(draw: some.DrawFn, orders: tuple[Asked, ...] = tuple(ASKED)) -> tuple[Answer, MarketSending]:
    """A decision on an order, in a code that it may get."""
    order = draw(some.sampled_from(orders))
    codes = codes_for(order, NOW.date())
    assert codes is not None
    state = draw(some.sampled_from([ItemState.ACCEPTED, ItemState.REFUSED]))
    accepted = state is ItemState.ACCEPTED
    possible = codes.accept if accepted else codes.refuse
    code = draw(some.sampled_from([each for each in possible if each not in WITH_MORE]))
    text = None if accepted else draw(TEXTS if code == "A99" else some.none() | TEXTS)
    list_ = codes.list if accepted else codes.refusal_list
    days: dict[str, Any] = {}
    ends = draw(MINUTES) + timedelta(days=60)
    if order.purpose == "Z12":
        days["fixed_on"] = draw(DAYS)
    elif order.purpose == "Z93" and code == "A04":
        days["window_from"], days["window_to"] = sorted(draw(some.lists(DAYS, min_size=2, max_size=2, unique=True)))
    elif order.pid == "23001" and accepted:
        days["fixed_on"] = ends.astimezone(MARKET).date()
    item = order.document if order.pid != "23001" else order.transaction
    reason = Reason(code=code, list=list_ or None, text=text)
    document = Answer(items=(ItemAnswer(item=item, state=state, reasons=(reason,)),), **days)
    facts = {"price_sheet": "P-2", "work_ends_at": ends}
    return document, sending(at=NOW, asked=order, facts=facts)
