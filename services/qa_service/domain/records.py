"""What is kept of a case for its reviews: work orders, visits, evidence, reviews with their findings and rework."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import JsonValue

from contracts.codes import (
    DeviceRole,
    Outcome,
    Result,
    ReviewMode,
    ReworkKind,
    ReworkReason,
    Severity,
    State,
)
from contracts.event import Part
from contracts.ids import (
    Code,
    CompanyId,
    DeviceId,
    EvidenceId,
    FindingId,
    Principal,
    Ref,
    ReviewId,
    TechnicianId,
    VisitId,
    WorkOrderId,
)
from contracts.parts import DevicePlan, EvidenceRef, InstalledDevice, RemovedDevice
from services.qa_service.domain.digest import Seal
from services.qa_service.domain.forms import Work, form_id_of
from services.qa_service.domain.states import Column, ReviewState


class FactKind(StrEnum):
    """What asset_service told of a device."""

    COMMISSIONED = "commissioned"
    PENDING = "pending"
    MISMATCH = "mismatch"
    ANOMALY = "anomaly"


class DeviceFact(Part):
    """One fact of asset_service about a work order; it may come before the visit, and is used when that comes."""

    kind: FactKind
    device_id: DeviceId
    role: DeviceRole | None = None
    rule: Code | None = None
    """M1 to M11, R1 to R9."""
    severity: Severity | None = None
    finding_id: FindingId | None = None
    target: Code | None = None
    """Role of the device or OBIS code of the register that a finding is about."""
    cause: Code | None = None
    expected_type: Code | None = None
    expected_serial: Ref | None = None
    found_type: Code | None = None
    found_serial: Ref | None = None
    visit_version: int | None = None


@dataclass(kw_only=True)
class WorkOrder:
    """A work order as far as reviews of its visit ask."""

    work_order_id: WorkOrderId
    sequence: int
    kind: Code
    state: State
    predecessor: WorkOrderId | None = None
    company_id: CompanyId | None = None
    technicians: tuple[TechnicianId, ...] = ()
    """Everybody who ever was responsible: the phone of the one before may still hold photos."""
    moved_version: int = 0
    evidence_version: int = 0
    """Of the newest report, correction or addition that was heard."""
    over: bool = False
    """Closed without an approval (T24, T31), or its case was ended: a review of it is closed."""
    done: bool = False
    """case_service said that the visit ended OK or PARTIAL; its report may still be under way."""
    heard: tuple[DeviceFact, ...] = ()


@dataclass(kw_only=True)
class Visit:
    """One version of the report about a visit."""

    work_order_id: WorkOrderId
    visit_version: int
    visit_id: VisitId
    evidence_version: int
    outcome: Outcome
    result: Result
    performed_by: tuple[Principal, ...]
    reported_by: Principal
    technician_id: TechnicianId
    company_id: CompanyId
    arrived_at: datetime
    finished_at: datetime
    device_plan: DevicePlan
    installed: tuple[InstalledDevice, ...]
    removed: tuple[RemovedDevice, ...]
    missing: tuple[Code, ...]
    form_key: Code
    form_version: int
    answers: dict[str, JsonValue]
    evidence: tuple[EvidenceRef, ...]
    clock_offset_s: int
    received_at: datetime

    @property
    def form_id(self) -> str:
        return form_id_of(self.form_key, self.form_version)

    @property
    def people(self) -> frozenset[Principal]:
        """Who did the work or answers for the report."""
        return frozenset({*self.performed_by, self.reported_by})

    @property
    def work(self) -> Work:
        return Work(installed=len(self.installed), removed=len(self.removed))


@dataclass(kw_only=True)
class Addition:
    """Evidence that was named after the report: desk rework, or a data fix."""

    work_order_id: WorkOrderId
    evidence_version: int
    evidence: tuple[EvidenceRef, ...]
    added_by: Principal
    company_id: CompanyId | None
    received_at: datetime


class EvidenceState(StrEnum):
    """Stored bytes wait for an event that names them."""

    STORED = "STORED"
    BOUND = "BOUND"


@dataclass(kw_only=True)
class Evidence:
    """A stored item. Its bytes lie under `<case_id>/<sha256>`, re-encoded; the received ones are only hashed."""

    evidence_id: EvidenceId
    work_order_id: WorkOrderId
    kind: Code
    media_type: str
    size: int
    """Bytes, as stored."""
    sha256_received: str
    sha256: str
    state: EvidenceState
    captured_at: datetime | None
    uploaded_at: datetime
    uploaded_by: Principal
    locked_at: datetime | None = None
    """Approved with a review; from here on nothing about it changes."""


class FindingState(StrEnum):
    """What became of a finding."""

    OPEN = "OPEN"
    FIXED = "FIXED"
    """The rule was asked again and found nothing."""
    ACCEPTED = "ACCEPTED"
    """A reviewer let it pass, with a reason."""


@dataclass(kw_only=True)
class Finding:
    """Something that a rule found in a round of a review."""

    review_id: ReviewId
    seq: int
    rule_id: Code
    rule_version: int
    severity: Severity
    reason: ReworkReason
    target: Code
    """Field, kind or id of evidence, device role, register."""
    text_key: str
    params: dict[str, JsonValue] = field(default_factory=dict)
    state: FindingState = FindingState.OPEN
    accepted_reason: str | None = None

    @property
    def hinders(self) -> bool:
        """An open error: a person has to look at it."""
        return self.severity is Severity.ERROR and self.state is FindingState.OPEN


class Asked(Part):
    """That a rule was asked, and how much it found; also nothing is an answer."""

    rule_id: Code
    rule_version: int
    findings: int


@dataclass(kw_only=True)
class Review:
    """One round."""

    review_id: ReviewId
    work_order_id: WorkOrderId
    sequence: int
    round: int
    visit_id: VisitId
    visit_version: int
    evidence_version: int
    company_id: CompanyId
    technician_id: TechnicianId
    state: ReviewState
    mode: ReviewMode
    opened_at: datetime
    due_at: datetime
    overdue: bool = False
    reviewer: Principal | None = None
    taken_at: datetime | None = None
    lease_until: datetime | None = None
    decided_at: datetime | None = None
    rework: ReworkKind | None = None
    """With state REWORK: who has to act."""
    comment: str | None = None
    """Of the reviewer; it stays here."""
    asked: tuple[Asked, ...] = ()
    seal: Seal | None = None
    digest: Ref | None = None
    version: int = 1

    @property
    def column(self) -> Column:
        """Where it stands in the table of moves."""
        if self.state is ReviewState.REWORK:
            return Column.FIELD_REWORK if self.rework is ReworkKind.FIELD else Column.DESK_REWORK
        return Column[self.state.name]


class ReworkState(StrEnum):
    """Rework is asked for, delivered, and closed when the work is approved or the order ends."""

    OPEN = "OPEN"
    DELIVERED = "DELIVERED"
    CLOSED = "CLOSED"


@dataclass(kw_only=True)
class Rework:
    """What a company has to do again."""

    rework_id: UUID
    review_id: ReviewId
    work_order_id: WorkOrderId
    kind: ReworkKind
    reasons: tuple[ReworkReason, ...]
    company_id: CompanyId
    due_at: datetime
    overdue: bool = False
    state: ReworkState = ReworkState.OPEN
