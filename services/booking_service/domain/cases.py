"""What booking must know of a case: its work orders, how its customer can be reached, from which day on it may plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from contracts.bookings import BookableFromSet
from contracts.cases import CaseAmended, CaseOpened, WorkOrderOpened
from contracts.codes import Channel, LegalBasis, State
from contracts.contacts import ContactRecorded
from contracts.event import Part
from contracts.ids import CaseId, CompanyId, WorkOrderId, phone
from contracts.notices import NoticeSent
from contracts.parts import Area, Days, DevicePlan, Position
from kit.aggregate import Aggregate
from services.booking_service.domain.notice_rules import N37, notice_required, rule
from services.booking_service.domain.operators import Operator


class Contact(Part):
    """The part of a contact that planning needs; the name and the number itself are not kept."""

    mobile: bool
    sms_allowed: bool
    postal: bool
    """The address is complete enough for a letter."""
    position: Position | None = None
    access_note: bool
    points_at_address: int


@dataclass(kw_only=True)
class WorkOrder:
    """A work order as last heard; `gone_at` is its tombstone."""

    work_order_id: WorkOrderId
    sequence: int
    state: State
    kind: str = ""
    predecessor: UUID | None = None
    skills: tuple[str, ...] = ()
    duration_min: int = 0
    due_on: date | None = None
    company_id: CompanyId | None = None
    moved_version: int = 0
    attempt: int = 0
    """The newest offer heard of."""
    appointment_id: UUID | None = None
    """Its open appointment."""
    frozen: bool = False
    started: bool = False
    gone_at: datetime | None = None
    gone_reason: str | None = None
    comment: str | None = None
    """What staff wrote last when they confirmed or gave back its time."""

    @property
    def gone(self) -> bool:
        """Closed or cancelled: no late event brings it back to life."""
        return self.gone_at is not None

    def bury(self, reason: str, now: datetime) -> None:
        """Set the tombstone; the first one stays."""
        if not self.gone:
            self.gone_at, self.gone_reason = now, reason


@dataclass(kw_only=True, eq=False)
class BookedCase(Aggregate):
    """A case in booking's eyes. Events may come in any order: what is not heard of yet has its default."""

    case_id: CaseId
    operator: str = ""
    legal_basis: LegalBasis | None = None
    device_plan: DevicePlan | None = None
    area: Area | None = None
    priority: int = 0
    fixed_days: Days | None = None
    """The partner's window."""
    fixed_on: date | None = None
    due_on: date | None = None
    case_version: int = 0
    contact: Contact | None = None
    contact_version: int = 0
    opted_out: bool = False
    """The customer wants no text messages any more."""
    notice_required: bool | None = None
    """None while the case itself was not heard of."""
    bookable_from: date | None = None
    notice_parts: Mapping[int, date] = field(default_factory=dict)
    """Statutory notices by part, with the day on which each counts as received."""
    notice_on: date | None = None
    notice_effective_on: date | None = None
    notice_lifted: bool = False
    ended_at: datetime | None = None
    ended_reason: str | None = None
    work_orders: list[WorkOrder] = field(default_factory=list)

    def key(self) -> str:
        return str(self.case_id)

    def keys(self) -> list[str]:
        return [str(self.case_id), *(str(order.work_order_id) for order in self.work_orders)]

    def order(self, work_order_id: UUID) -> WorkOrder | None:
        """One of its work orders, if it was heard of."""
        return next((order for order in self.work_orders if order.work_order_id == work_order_id), None)

    def due(self, order: WorkOrder) -> date | None:
        """Until when the work should be done."""
        return order.due_on or self.due_on

    def days_allowed(self, order: WorkOrder, today: date) -> Days | None:
        """The days that the partner left to choose from; a visit after the first one is bound while some lie ahead."""
        allowed = Days(from_=self.fixed_on, to=self.fixed_on) if self.fixed_on else self.fixed_days
        is_over = allowed is not None and allowed.to <= today
        return None if is_over and order.predecessor is not None else allowed

    def open(self, event: CaseOpened, operator: Operator, today: date) -> None:
        """Take over what planning needs, and tell from when on it may plan."""
        self.operator, self.case_version = event.operator, event.version
        self.legal_basis, self.device_plan, self.area = event.legal_basis, event.device_plan, event.area
        self.priority, self.fixed_days = event.priority, event.window
        self.fixed_on, self.due_on = event.fixed_on, event.due_on
        self._judge_notice(operator, today)

    def amend(self, event: CaseAmended, operator: Operator, today: date) -> None:
        """Take over what changed; whether a notice is needed is judged again."""
        self.case_version = event.version
        self.legal_basis = event.legal_basis or self.legal_basis
        self.device_plan = event.device_plan or self.device_plan
        self.area = event.area or self.area
        self.priority = self.priority if event.priority is None else event.priority
        self.fixed_days = event.window or self.fixed_days
        self.fixed_on = event.fixed_on or self.fixed_on
        self.due_on = event.due_on or self.due_on
        if self._needs_notice(operator, today) is not self.notice_required:
            self._judge_notice(operator, today)

    def add(self, event: WorkOrderOpened) -> WorkOrder:
        """A work order was opened."""
        order = WorkOrder(
            work_order_id=event.work_order_id,
            sequence=event.sequence,
            state=event.state,
            kind=event.kind,
            predecessor=event.predecessor,
            skills=event.skills,
            duration_min=event.duration_min,
            due_on=event.due_on,
            company_id=event.company_id,
        )
        self.work_orders.append(order)
        return order

    def bury_unheard(self, work_order_id: UUID, sequence: int, reason: str, now: datetime) -> None:
        """The closing overtook the opening: the opening will find the tombstone."""
        order = WorkOrder(work_order_id=WorkOrderId(work_order_id), sequence=sequence, state=State.CLOSED)
        order.bury(reason, now)
        self.work_orders.append(order)

    def record_contact(self, event: ContactRecorded) -> None:
        """Keep what planning needs of a contact; an older version is ignored."""
        if event.version <= self.contact_version:
            return
        renewed = self.contact is not None and not self.contact.sms_allowed and event.sms_allowed
        self.opted_out = self.opted_out and not renewed  # a consent given again ends the opt-out
        number = phone(event.phone, event.address.country) if event.phone else None
        place = event.address
        self.contact_version = event.version
        self.contact = Contact(
            mobile=number is not None and number.mobile,
            sms_allowed=event.sms_allowed,
            postal=all((place.street, place.number, place.postcode, place.city)),
            position=event.position,
            access_note=bool(event.access_note),
            points_at_address=event.points_at_address,
        )

    def forget_contact(self) -> None:
        """Delete the copy and what staff wrote; older versions stay unwelcome."""
        self.contact = None
        for order in self.work_orders:
            order.comment = None

    def note_statutory(self, event: NoticeSent, operator: Operator, today: date) -> None:
        """A part of the statutory notice went out; when all did, the waiting time is known."""
        transit = operator.letter_transit_days if event.channel is Channel.LETTER else 0
        self.notice_parts = {**self.notice_parts, event.part: event.sent_on + timedelta(days=transit)}
        if len(self.notice_parts) < event.parts:
            return
        effective = max(self.notice_parts.values())
        if effective != self.notice_effective_on:
            self.notice_on, self.notice_effective_on = event.sent_on, effective
            if self.notice_required:
                self._judge_notice(operator, today)

    def lift_notice(self, operator: Operator, today: date) -> None:
        """Two persons decided that this case need not wait (NOTICE_OVERRIDE)."""
        if not self.notice_lifted:
            self.notice_lifted = True
            if self.notice_required:
                self._judge_notice(operator, today)

    def _needs_notice(self, operator: Operator, today: date) -> bool:
        if self.legal_basis is None or self.device_plan is None:
            return False
        return notice_required(operator.country, self.legal_basis, self.device_plan, today)

    def _judge_notice(self, operator: Operator, today: date) -> None:
        self.notice_required = self._needs_notice(operator, today)
        n37 = rule(N37, operator.country, today)
        if not self.notice_required or n37 is None or self.notice_lifted:
            self.bookable_from = today
        elif self.notice_effective_on:
            self.bookable_from = n37.first_day(self.notice_effective_on, operator.days)
        else:
            self.bookable_from = None
        self.told.append(
            BookableFromSet(
                case_id=self.case_id,
                notice_required=self.notice_required,
                bookable_from=self.bookable_from,
                rule_id=N37,
                notice_on=self.notice_on if self.notice_required else None,
                effective_on=self.notice_effective_on if self.notice_required else None,
            )
        )
