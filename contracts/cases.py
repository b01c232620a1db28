"""What becomes of cases and their work orders; told by case_service to everybody."""

from datetime import date

from pydantic import Field

from contracts.codes import (
    AnnouncedPlan,
    Answer,
    BookingChannel,
    Cancellation,
    CaseType,
    CloseReason,
    Decision,
    ExceptionDecision,
    ExceptionResult,
    ExceptionType,
    Fact,
    Flag,
    LegalBasis,
    MoveDecision,
    Origin,
    Outcome,
    Phase,
    PurgeReason,
    PurgeScope,
    Result,
    Scheme,
    State,
)
from contracts.event import Event
from contracts.groups import OfAppointment, OfCase, OfHandover, OfWorkOrder
from contracts.ids import (
    AppointmentId,
    Code,
    CompanyId,
    ExceptionId,
    OrderKey,
    Principal,
    Ref,
    RequestId,
    TechnicianId,
    VisitId,
    WorkOrderId,
)
from contracts.parts import Area, Days, DevicePlan, GateEvidence, Link, MaterialLine, Time


class CaseOpened(OfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """A metering point is due for work."""

    version: int
    """Counts the changes of this case."""
    operator: Code
    case_type: CaseType
    flow_version: int
    """Version of the flow that the case keeps to its end."""
    origin: Origin
    legal_basis: LegalBasis
    metering_point_id: Ref
    metering_point_scheme: Scheme
    orders: tuple[OrderKey, ...]
    """Partners' orders that this case serves; none if it was opened in the house."""
    area: Area
    priority: int
    """0 to 100, higher first."""
    window: Days | None = None
    fixed_on: date | None = None
    due_on: date | None = None
    device_plan: DevicePlan
    other_party_attends: bool
    installer_linked: bool
    """An installer follows this case."""
    links: tuple[Link, ...]


class CaseAmended(OfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """Something about a case has changed: what its orders say, its references or its flags.

    A version that is not above the stored one is ignored. Of the optional fields only those that changed are present.
    """

    version: int
    changed: tuple[Code, ...]
    """Names of the fields that changed; restricted ones are named, but not told."""
    flags: tuple[Flag, ...]
    """All flags that are set now."""
    case_type: CaseType | None = None
    origin: Origin | None = None
    legal_basis: LegalBasis | None = None
    metering_point_id: Ref | None = None
    metering_point_scheme: Scheme | None = None
    orders: tuple[OrderKey, ...] | None = None
    area: Area | None = None
    priority: int | None = None
    window: Days | None = None
    fixed_on: date | None = None
    due_on: date | None = None
    device_plan: DevicePlan | None = None
    other_party_attends: bool | None = None
    installer_linked: bool | None = None
    links: tuple[Link, ...] | None = None


class CasePhaseChanged(OfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """A case stands elsewhere now. Phases are derived: read them, do not compute them."""

    from_phase: Phase | None = None
    """Absent for a new case."""
    to_phase: Phase
    on_hold: bool


class WorkOrderOpened(OfWorkOrder, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """A case got a work order: its first, a follow-up or another attempt."""

    state: State
    """OPEN or PLANNING."""
    kind: Code
    """An open list: meter_exchange, meter_install, imsys_install, removal, repair, measurement, comms_repair, …"""
    predecessor: WorkOrderId | None = None
    device_plan: DevicePlan
    skills: tuple[Code, ...]
    duration_min: int
    """Expected work on site, in minutes."""
    due_on: date | None = None
    company_id: CompanyId | None = None
    """Company in whose queue a follow-up lies."""


class WorkOrderMoved(OfWorkOrder, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """A work order took one step of its lifecycle. A version that is not above the stored one is a copy or late."""

    version: int
    """Counts the changes of this work order."""
    move: Code
    """Row of the transition table, T01 to T34. Open: bear moves that you do not know, `to_state` holds."""
    from_state: State
    to_state: State
    reason: Code | None = None
    """An open list. The words of the person who moved it stay in case_service."""
    outcome: Outcome | None = None
    result: Result | None = None
    sub_reason: Code | None = None
    close_reason: CloseReason | None = None
    came_from: State | None = None
    """State before the last entry to MANUAL_FOLLOW_UP."""
    cancellation: Cancellation
    decision: MoveDecision | None = None
    appointment_id: AppointmentId | None = None
    revision: int | None = None
    attempt: int
    """Number of the current offer; 0 means never offered."""
    responsible: TechnicianId | None = None
    start: Time | None = None
    rule: Code | None = None
    """Automation that made the move (A01 and so on)."""
    actor: Principal


class MaterialRequested(OfWorkOrder, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """A work order needs devices. A repeat replaces the lines; those of the predecessor are taken over."""

    predecessor: WorkOrderId | None = None
    lines: tuple[MaterialLine, ...]
    needed_on: date | None = None


class MaterialReleased(OfWorkOrder, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """A work order no longer needs its devices; what is not installed is free again."""

    reason: Code


class BookingRequested(OfAppointment, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """An appointment is to be offered. An equal attempt is a copy, a lower one is stale."""

    channel: BookingChannel


class HandoverRequested(OfHandover, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """The ERP, the MDM and the market are to be told a fact. An equal attempt is a copy, a lower one is stale."""

    order_key: OrderKey | None = None
    """The order whose cancellation is answered (fact `cancelled`)."""
    decision: Decision | None = None
    """With fact `cancelled`."""
    supplement: bool
    """Adds to what was handed over before, replaces nothing."""
    final: bool
    """No further attempt follows; false for a visit that failed and will be tried again."""
    plan: AnnouncedPlan | None = None
    """With fact `rollout_announced`."""
    statutory: bool
    """The announcement is required by law."""
    planned_on: date | None = None
    window: Days | None = None
    visit_id: VisitId | None = None
    visit_version: int | None = None
    evidence_digest: Ref | None = None


class OrderAnswered(OfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """An order that expects an answer got one. Once per version of the order."""

    order_key: OrderKey
    order_version: int
    decision: Answer
    code: Code
    list: Code | None = None
    """The list that the code belongs to."""
    fixed_on: date | None = None
    window: Days | None = None
    """Another time that is offered instead."""
    needs_text: bool
    """The code demands a text, which a person writes in mdm_adapter."""
    actor: Principal


class CaseCompleted(OfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """Every item of the definition of done is proved: the case is done. It can be reopened by a late refusal."""

    completion: int
    """Counts the completions of the case: 1, then 2 after a reopening."""
    evidence: tuple[GateEvidence, ...]
    elapsed_seconds: int
    """From the opening of the case, without the time it was on hold."""


class CaseCancelled(OfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """The case ended because its orders were withdrawn. For good; no appointment of it may stand."""

    reason: Code
    orders: tuple[OrderKey, ...]


class CaseAbandoned(OfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """The case ended because the work cannot or need not be done. For good; no appointment of it may stand."""

    reason: Code
    orders: tuple[OrderKey, ...]


class CaseReopened(OfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """A completed case is open again: its handover was refused afterwards."""

    work_order_id: WorkOrderId
    attempt: int
    """The handover that was refused."""
    reason: Code


class CasePurged(OfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """Personal data of a case has to be deleted. Doing it twice is harmless.

    Scope `contact`: contact copies and texts. Scope `all`: everything personal, except what a legal hold names.
    """

    scope: PurgeScope
    reason: PurgeReason
    request_id: RequestId | None = None
    """The erasure that was granted."""


class ExceptionRaised(OfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """Something about a case needs a person, or is to stand in for an item of the definition of done."""

    work_order_id: WorkOrderId | None = None
    exception_id: ExceptionId
    type: ExceptionType
    blocking: bool
    """The case is in phase EXCEPTION until it is resolved."""
    owner_: Principal = Field(alias="owner")
    """A person, or a queue."""
    due_on: date
    raised_by: Principal
    needs_second: bool
    """A second person must approve it."""
    fact: Fact | None = None
    """The handover that it is about."""
    attempt: int | None = None


class ExceptionApproved(OfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """A second person approved an exception: from now on it counts."""

    work_order_id: WorkOrderId | None = None
    exception_id: ExceptionId
    type: ExceptionType
    approver: Principal
    fact: Fact | None = None
    attempt: int | None = None


class ExceptionResolved(OfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """An exception ended: it is resolved, was refused or withdrawn."""

    exception_id: ExceptionId
    type: ExceptionType
    result: ExceptionResult
    decision: ExceptionDecision | None = None


class TargetOfCase(OfCase):
    """A target for the time of a case, and how much of it is used."""

    target_version: int
    """Counts the targets of the case. One warning and one breach per version."""
    elapsed_seconds: int
    target_seconds: int


class SlaAtRisk(TargetOfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """A case may miss its target."""


class SlaBreached(TargetOfCase, Event, topic="rollout.cases", owner="case", version=1, key="case_id"):
    """A case missed its target."""
