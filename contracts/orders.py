"""What partners order, amend and withdraw; told by mdm_adapter to case_service alone."""

from datetime import date
from typing import Annotated

from contracts.codes import LegalBasis, MasterDataOrigin, OrderKind, Origin, PartnerStatus, Scheme
from contracts.event import Event
from contracts.ids import Code, OrderKey, Ref
from contracts.parts import (
    Address,
    AnswerOwed,
    Area,
    Change,
    Contact,
    Days,
    DevicePlan,
    OrderedRegister,
    OrderedSite,
    Personal,
    Position,
    Time,
)


class OrderReceived(Event, topic="rollout.orders", owner="mdm", version=1, key="order_key"):
    """A partner ordered work at a metering point.

    A version that is not above the stored one is late. After a cancellation with the same or a higher version the
    order is dead on arrival: its case is opened and closed at once.
    """

    order_key: OrderKey
    """`<partner>:<order number>`, percent-encoded."""
    partner: Code
    order_no: Ref
    version: int
    """Counts the partner's states of this order."""
    received_at: Time
    kind: OrderKind
    operator: Code
    metering_point_id: Ref
    metering_point_scheme: Scheme
    area: Area
    device_plan: DevicePlan
    registers: Annotated[tuple[OrderedRegister, ...], Personal()]
    """Registers of the devices that are to be removed, as the partner knows them."""
    site: Annotated[OrderedSite, Personal()]
    window: Days | None = None
    """In which days the partner wants the work."""
    fixed_on: date | None = None
    """The one day on which the partner wants the work."""
    planned_on: date | None = None
    """The day that the partner announced."""
    due_on: date | None = None
    priority: int
    """0 to 100, higher first."""
    origin: Origin
    legal_basis: LegalBasis
    permits: tuple[Code, ...]
    other_party_attends: bool
    """The old metering operator removes its own device, at the same time."""
    contact: Annotated[Contact | None, Personal()] = None
    address: Annotated[Address, Personal()]
    position: Annotated[Position | None, Personal()] = None
    access_note: Annotated[str | None, Personal()] = None
    answer: AnswerOwed | None = None
    """Present if the partner expects an answer; it starts the clock of the answer."""


class OrderAmended(Event, topic="rollout.orders", owner="mdm", version=1, key="order_key"):
    """A partner sent a newer version of an order, or told the status of its own side.

    Only what changed is present. A version that is not above the stored one is late; a partner status has no version
    and is taken in the order of the topic.
    """

    order_key: OrderKey
    partner: Code
    version: int | None = None
    """Absent with a partner status."""
    received_at: Time
    partner_status: PartnerStatus | None = None
    """Read it for the history; with `window` the partner proposes another time."""
    kind: OrderKind | None = None
    operator: Code | None = None
    metering_point_id: Ref | None = None
    metering_point_scheme: Scheme | None = None
    area: Area | None = None
    device_plan: DevicePlan | None = None
    registers: Annotated[tuple[OrderedRegister, ...] | None, Personal()] = None
    site: Annotated[OrderedSite | None, Personal()] = None
    window: Days | None = None
    fixed_on: date | None = None
    planned_on: date | None = None
    due_on: date | None = None
    priority: int | None = None
    origin: Origin | None = None
    legal_basis: LegalBasis | None = None
    permits: tuple[Code, ...] | None = None
    other_party_attends: bool | None = None
    contact: Annotated[Contact | None, Personal()] = None
    address: Annotated[Address | None, Personal()] = None
    position: Annotated[Position | None, Personal()] = None
    access_note: Annotated[str | None, Personal()] = None
    answer: AnswerOwed | None = None


class MasterDataReceived(Event, topic="rollout.orders", owner="mdm", version=1, key="order_key"):
    """Data that the system of record owns has changed.

    A version that is not above the stored one is late; without a version the order of the topic decides.
    """

    order_key: OrderKey
    metering_point_id: Ref
    version: int | None = None
    origin: MasterDataOrigin
    changed: Annotated[dict[Code, Change], Personal()]
    """By the name of the field."""


class OrderCancelled(Event, topic="rollout.orders", owner="mdm", version=1, key="order_key"):
    """A partner withdrew an order.

    Late if its version is lower than the order's, or not above that of an earlier cancellation. For an order that is
    not known it is kept, and meets the order when that comes.
    """

    order_key: OrderKey
    partner: Code
    version: int
    reason: Code
    cancelled_by: Code
    received_at: Time
