"""From a partner's order to the hub's own event: defaults are filled in, days, devices and contacts take our form."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from contracts.codes import PRIORITY_OF_PARTNER, Answer, DevicePlanCode, DeviceRole, OrderKind
from contracts.ids import order_key, phone, postcode
from contracts.orders import OrderAmended, OrderReceived
from contracts.parts import (
    Address,
    AnswerOwed,
    Area,
    Contact,
    Days,
    DevicePlan,
    OrderedSite,
    PlanItem,
    PlannedRemoval,
    Position,
)
from services.mdm_adapter.documents.order_content import OrderContent
from services.mdm_adapter.documents.values import Location
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.domain.calendar import end_of_wait
from services.mdm_adapter.domain.clocks import earliest_ordered_day
from services.mdm_adapter.partners.profile import Profile

_P, _D = DevicePlanCode, DeviceRole
# fmt: off
ROLES: Mapping[str, tuple[tuple[DeviceRole, int], ...]] = MappingProxyType({   # D-IMS-1
    _P.MME:           ((_D.METER, 1),),
    _P.IMSYS:         ((_D.METER, 1), (_D.SMGW, 1), (_D.ANTENNA, 1)),
    _P.IMSYS_CONTROL: ((_D.METER, 1), (_D.SMGW, 1), (_D.ANTENNA, 1), (_D.CONTROL_BOX, 1)),
    _P.IMSYS_MULTI:   ((_D.METER, 1), (_D.SMGW, 1), (_D.ANTENNA, 1)),
    _P.TRANSFORMER:   ((_D.METER, 1), (_D.CURRENT_TRANSFORMER, 3)),
    _P.REMOVAL:       (),
})
# fmt: on
NOTHING_TO_INSTALL = frozenset({OrderKind.REMOVE, OrderKind.REPAIR})
ANSWER_ACCEPT, ANSWER_REFUSE = "0.0", "6.1"
ORDERED_AHEAD, ANSWERED_WITHIN = 20, 10
"""Werktage (D-DL-5)."""


def order_received(
    order: WorkOrderRequested, profile: Profile, received_at: datetime, known: OrderContent | None = None
) -> OrderReceived:
    """The event of a new order. Raises pydantic's ValidationError where a value does not fit the hub."""
    key = order_key(profile.id, order.order_no)
    return OrderReceived(
        order_key=key,
        partner=profile.id,
        order_no=key.partition(":")[2],
        version=order.order_version,
        received_at=received_at,
        answer=owed(order, profile, received_at),
        **facts(order, profile, known),
    )


def order_amended(
    before: WorkOrderRequested,
    after: WorkOrderRequested,
    profile: Profile,
    received_at: datetime,
    known: OrderContent | None = None,
) -> OrderAmended:
    """The event of a newer version: only what is different."""
    old, new = facts(before, profile, known), facts(after, profile, known)
    changed = {name: value for name, value in new.items() if value is not None and value != old[name]}
    return OrderAmended(
        order_key=order_key(profile.id, after.order_no),
        partner=profile.id,
        version=after.order_version,
        received_at=received_at,
        **changed,
    )


def facts(order: WorkOrderRequested, profile: Profile, known: OrderContent | None = None) -> dict[str, Any]:
    """The fields of the event that say something about the order: from the message, what is known, the defaults."""
    full = order.filled(*([known] if known else []), profile.defaults.content())
    place = full.location or Location()
    return {
        "kind": full.kind,
        "operator": full.operator,
        "metering_point_id": full.metering_point.id,
        "metering_point_scheme": full.metering_point.scheme,
        "area": Area(postcode=_postcode(place), municipality=place.municipality or "", stage=place.stage),
        "device_plan": device_plan(full, profile),
        "registers": (),
        "site": OrderedSite(generation=False),
        "window": _window(full),
        "fixed_on": full.fixed_on,
        "planned_on": full.planned_on,
        "due_on": full.due_on,
        "priority": PRIORITY_OF_PARTNER[full.priority or 3],
        "origin": full.origin,
        "legal_basis": full.legal_basis,
        "permits": (),
        "other_party_attends": False,
        "contact": _contact(full, profile),
        "address": _address(place),
        "position": _position(place),
    }


def device_plan(order: WorkOrderRequested, profile: Profile) -> DevicePlan:
    """What comes and what goes: roles by the plan, types by the partner's defaults, old devices by the order."""
    plan = DevicePlanCode.REMOVAL if order.kind is OrderKind.REMOVE else order.plan or profile.defaults.device_plan
    roles = () if order.kind in NOTHING_TO_INSTALL else ROLES.get(plan, ((DeviceRole.METER, 1),))
    named = {DeviceRole.METER: order.device_type} if order.device_type else {}
    types = {**profile.defaults.device_types, **named}
    return DevicePlan(
        plan=plan,
        install=tuple(
            PlanItem(role=role, device_type=types.get(role), quantity=quantity, alternatives=())
            for role, quantity in roles
        ),
        remove=tuple(PlannedRemoval(role=old.role, serial=old.serial) for old in order.old_devices or ()),
    )


def _postcode(place: Location) -> str:
    text = place.postcode or ""
    return postcode(text, place.country or "") or text.replace(" ", "")


def _address(place: Location) -> Address:
    return Address(
        street=place.street or "",
        number=place.number or "",
        addition=place.addition,
        postcode=_postcode(place),
        city=place.city or "",
        country=place.country or "",
    )


def _position(place: Location) -> Position | None:
    return Position(lat=place.lat, lon=place.lon) if place.lat is not None and place.lon is not None else None


def _window(order: WorkOrderRequested) -> Days | None:
    """A window open on one side is closed by its other end: one day."""
    start, end = order.window_from or order.window_to, order.window_to or order.window_from
    return Days(from_=start, to=end) if start and end else None


def _contact(order: WorkOrderRequested, profile: Profile) -> Contact | None:
    customer = order.customer
    if customer is None or not (customer.name or customer.phone or customer.email):
        return None
    country = (order.location.country if order.location else None) or profile.defaults.country or "DE"
    number = phone(customer.phone, country) if customer.phone else None
    return Contact(
        name=customer.name or "",
        phone=number.number if number else customer.phone,
        email=customer.email,
        language=order.language or profile.defaults.language,
        sms_allowed=profile.defaults.sms_allowed if order.sms_allowed is None else order.sms_allowed,
    )


def owed(order: WorkOrderRequested, profile: Profile, received_at: datetime) -> AnswerOwed | None:
    """The answer that is expected, with what our own check proposes; None: taking the order is answer enough."""
    wanted = order.answer
    if wanted is None and profile.options.auto_accept_orders:
        return None
    accept, refuse = (wanted.accept, wanted.refuse) if wanted else (ANSWER_ACCEPT, (ANSWER_REFUSE,))
    also = (wanted.also if wanted else None) or ()
    too_soon = profile.contract == "market" and _too_soon(order, received_at)
    return AnswerOwed(
        answer_by=(wanted.by if wanted else None) or _answer_by(profile, received_at),
        proposal=Answer.REFUSED if too_soon else Answer.ACCEPTED,
        code=refuse[0] if too_soon else accept,
        list=wanted.list if wanted else None,
        allowed=(accept, *also, *refuse),
        auto=profile.options.auto_accept_orders,
    )


def _too_soon(order: WorkOrderRequested, received_at: datetime) -> bool:
    """Another role of the market orders at least 20 Werktage ahead (D-DL-5)."""
    day = order.fixed_on or order.planned_on or order.window_to
    return day is not None and day < earliest_ordered_day(received_at, ORDERED_AHEAD)


def _answer_by(profile: Profile, received_at: datetime) -> datetime:
    if profile.contract == "market":
        return end_of_wait(received_at, ANSWERED_WITHIN)
    return received_at + timedelta(hours=profile.options.answer_within_hours)
