"""What a case consists of beside its work orders: references, device facts, handovers, exceptions, remarks."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from contracts.codes import CommsCause, Decision, DeviceRole, ExceptionType, Fact
from contracts.event import Part
from contracts.ids import CaseId, Code, DeviceId, ExceptionId, OrderKey, Principal, Ref, VisitId, WorkOrderId
from contracts.parts import AnswerOwed, Time
from kit.store import Aggregate


@dataclass(kw_only=True)
class OrderReference:
    """A partner's order that this case serves."""

    order_key: OrderKey
    current_key: OrderKey | None
    """The order's key while this is the case that answers to it; a later case of the same order takes it over."""
    partner: Code
    order_version: int
    cancelled_version: int | None = None
    cancelled_at: datetime | None = None
    decision: Decision | None = None
    """What its partner was told last about the withdrawal."""
    answer: AnswerOwed | None = None
    answered: bool = False

    @property
    def live(self) -> bool:
        """Not withdrawn."""
        return self.cancelled_version is None

    @property
    def newest(self) -> int:
        """The newest version heard of, be it ordered or withdrawn; what is not newer is late."""
        return max(self.order_version, self.cancelled_version or 0)


class Ending(StrEnum):
    """How a case ended for good."""

    CANCELLED = "cancelled"
    ABANDONED = "abandoned"


class Place(StrEnum):
    """What asset_service last told of a device of the case."""

    INSTALLED = "installed"
    PENDING = "pending"
    COMMISSIONED = "commissioned"
    REMOVED = "removed"


class DeviceFact(Part):
    """What asset_service told of one device; what the gate asks (DoD1, DoD2)."""

    device_id: DeviceId
    work_order_id: WorkOrderId
    role: DeviceRole
    serial: Ref
    device_type: Code
    place: Place
    visit_id: VisitId | None = None
    visit_version: int = 0
    comms_cause: CommsCause | None = None
    """Why it did not communicate at first, also when it does now (A13)."""
    event_id: UUID


class HandoverState(StrEnum):
    """How far a handover is, as seen from the case."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"


class Handover(Part):
    """One fact that was handed over, once per attempt."""

    fact: Fact
    attempt: int
    work_order_id: WorkOrderId | None = None
    requested_at: Time
    """From then on an answer is waited for: when it was asked for, or sent again, or answered without a decision."""
    state: HandoverState = HandoverState.WAITING
    sent: bool = False
    accepted_late: bool = False
    """Accepted after it had been rejected (lifecycle §7.3): nothing needs to be sent again."""
    event_id: UUID | None = None


class Bookable(Part):
    """The newest word of booking_service about the first day (G8)."""

    notice_required: bool
    bookable_from: date | None = None
    notice_on: date | None = None


class PauseCause(StrEnum):
    """Why the SLA clock stands still."""

    HOLD = "HOLD"
    NOTICE = "NOTICE"
    REOPEN = "REOPEN"


@dataclass(kw_only=True)
class Pause:
    """A span in which the SLA clock stands still; open while it has no end (lifecycle §9)."""

    number: int
    started_at: datetime
    ended_at: datetime | None = None
    cause: PauseCause


class SlaState(StrEnum):
    """How much of its target a case has used: below 80 %, from there on, more than all."""

    OK = "ok"
    RISK = "risk"
    BREACHED = "breached"


class SlaTarget(Part):
    """How long a case may take."""

    days: int
    working_days: bool = False
    """Only working days count."""
    version: int = 1

    @property
    def length(self) -> timedelta:
        return timedelta(days=self.days)


class Wait(Part):
    """A timer that this case set."""

    due_at: Time
    fired: bool = False


class ExceptionState(StrEnum):
    """Where an exception stands."""

    RAISED = "RAISED"
    APPROVED = "APPROVED"
    RESOLVED = "RESOLVED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(kw_only=True)
class CaseException:
    """Something that needs a person, or stands in for an item of the definition of done. A process, no override."""

    exception_id: ExceptionId
    type: ExceptionType
    state: ExceptionState
    reason: str
    """Words of a person, or the code of the rule that raised it; never on the wire."""
    owner: Principal
    due_on: date
    raised_by: Principal
    raised_at: datetime
    work_order_id: WorkOrderId | None = None
    fact: Fact | None = None
    attempt: int | None = None
    approver: Principal | None = None
    approved_at: datetime | None = None
    ended_at: datetime | None = None
    codes: tuple[Code, ...] = ()
    """Normalised reasons of the rejections that it collects."""

    @property
    def open(self) -> bool:
        return self.state in {ExceptionState.RAISED, ExceptionState.APPROVED}

    @property
    def approved(self) -> bool:
        return self.state is ExceptionState.APPROVED


@dataclass(kw_only=True, eq=False)
class Remark(Aggregate):
    """A coded line in the history of a case: a comment, a hint for a hotlist, or a fact that came late."""

    remark_id: UUID
    case_id: CaseId
    work_order_id: WorkOrderId | None
    code: Code
    hotlist: bool = False
    """It waits for a person."""
    params: dict[str, Any] = field(default_factory=dict)
    actor: Principal
    at: datetime
    event_id: UUID | None

    def key(self) -> str:
        return str(self.remark_id)


@dataclass(kw_only=True, eq=False)
class Words(Aggregate):
    """What a person wrote as the reason of a step; it stays here and is read by API."""

    words_id: UUID
    case_id: CaseId
    work_order_id: WorkOrderId | None
    step: Code
    text: str
    actor: Principal
    at: datetime

    def key(self) -> str:
        return str(self.words_id)


@dataclass(kw_only=True, eq=False)
class OrderTombstone(Aggregate):
    """A cancellation that came before its order (J51)."""

    order_key: OrderKey
    cancelled_version: int
    reason: Code
    at: datetime

    def key(self) -> str:
        return self.order_key


@dataclass(kw_only=True, eq=False)
class FormVersion(Aggregate):
    """A version of a form as qa_service activated it; reports are checked against the version they name (G16)."""

    form_id: str
    """`<form_key>/<form_version>`."""
    operator: Code
    work_kind: Code
    answers: dict[str, Any]
    """JSON Schema of the answers."""
    valid_from: date

    def key(self) -> str:
        return self.form_id
