"""One attempt at one job: what a work order knows, and the questions that rules ask of it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from contracts.codes import (
    Blocker,
    BookingChannel,
    Cancellation,
    CloseReason,
    DeviceRole,
    MoveDecision,
    Outcome,
    Result,
    State,
)
from contracts.event import Part
from contracts.ids import AppointmentId, Code, CompanyId, Principal, Ref, TechnicianId, VisitId, WorkOrderId
from contracts.parts import DevicePlan, Span, Time
from services.case_service.domain.states import Column, column


class PendingOffer(Part):
    """A booking request that nobody has finished answering (G26)."""

    channel: BookingChannel
    asked_at: Time
    offered_at: Time | None = None
    """When booking_service took it; from then on the sending is waited for."""


class BuiltIn(Part):
    """A device that a report says was put in or taken out."""

    role: DeviceRole
    serial: Ref


class Approval(Part):
    """What a reviewer approved; it counts for this evidence version only (G22)."""

    evidence_version: int
    digest: Ref
    event_id: UUID


@dataclass(kw_only=True)
class WorkOrder:
    """A work order of a case. Its `version` counts every change, and every change has a line in the history."""

    work_order_id: WorkOrderId
    sequence: int
    kind: Code
    state: State
    version: int = 0
    predecessor: WorkOrderId | None = None
    device_plan: DevicePlan
    skills: tuple[Code, ...] = ()
    duration_min: int = 60
    due_on: date | None = None
    opened_at: datetime

    company_id: CompanyId | None = None
    responsible: TechnicianId | None = None
    dispatched_to: TechnicianId | None = None
    """Who has or had it in the mobile list; may report offline although it went elsewhere (T19)."""
    downloaded_version: int | None = None
    """Version with which the field client worked when it last sent something; stored, not enforced (§14)."""
    start: datetime | None = None
    estimate: int | None = None
    """Minutes."""
    window: Span | None = None
    appointment_id: AppointmentId | None = None
    revision: int | None = None
    offer: int = 0
    pending: PendingOffer | None = None
    customer_knows: bool = False
    """An offer left or an appointment was confirmed: the customer must be told what follows (G20)."""
    replied_at: datetime | None = None
    """The newest reply that booking_service has not decided yet."""
    material_requested: bool = False

    blockers: dict[Blocker, str] = field(default_factory=dict)
    came_from: State | None = None
    hold_until: date | None = None
    cancellation: Cancellation = Cancellation.NONE
    withdrawn_at: datetime | None = None
    decision: MoveDecision | None = None
    next_plan: DevicePlan | None = None
    """What a person said the next visit has to do."""
    rejection: Code = "none"
    """none, open or taken_over."""

    resolved_at: datetime | None = None
    outcome: Outcome | None = None
    result: Result | None = None
    sub_reason: Code | None = None
    visit_id: VisitId | None = None
    visit_version: int = 0
    evidence_version: int = 0
    performed_by: tuple[Principal, ...] = ()
    installed: tuple[BuiltIn, ...] = ()
    removed: tuple[BuiltIn, ...] = ()
    lacking: tuple[Code, ...] = ()
    """Papers that the technician or a reviewer misses."""
    review_round: int = 0
    approval: Approval | None = None
    handover: int | None = None
    """Attempt of the newest HandoverRequested(exchange_completed) for this order."""
    closed_at: datetime | None = None
    close_reason: CloseReason | None = None

    @property
    def column(self) -> Column:
        """Its column in the matrices."""
        return column(self.state, self.outcome, self.close_reason)

    @property
    def closed(self) -> bool:
        return self.state is State.CLOSED

    @property
    def handed_over(self) -> bool:
        """It stands in C+."""
        return self.column is Column.CLOSED_WELL

    @property
    def used(self) -> bool:
        """The attempt counts: somebody reported (lifecycle §8.4)."""
        return self.resolved_at is not None

    @property
    def undecided(self) -> bool:
        """The partner withdrew the order, and nobody has decided what follows."""
        return self.cancellation is Cancellation.UNDECIDED

    @property
    def dispatched(self) -> bool:
        """In the mobile list of its technician."""
        return (
            self.state is State.READY
            and not self.blockers
            and self.cancellation is Cancellation.NONE
            and self.responsible is not None
        )

    @property
    def approved(self) -> bool:
        """The newest approval names the evidence as it is now."""
        return self.approval is not None and self.approval.evidence_version == self.evidence_version

    def unplanned(self) -> tuple[str, ...]:
        """What an appointment still lacks (G7)."""
        return tuple(name for name in ("responsible", "start", "estimate") if getattr(self, name) is None)

    def clear_plan(self) -> None:
        """The slot is gone: nobody comes."""
        self.responsible = self.start = self.estimate = self.window = None
        self.appointment_id = self.revision = None


@dataclass(kw_only=True)
class Change:
    """One line of a work order's history: a row of the table, or a change that moves nothing."""

    work_order_id: WorkOrderId
    version: int
    move: Code | None
    """T01 to T34; None where only fields changed."""
    from_state: State
    to_state: State
    reason: Code | None
    actor: Principal
    at: datetime
    event_id: UUID | None
