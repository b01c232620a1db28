"""What people ask for: the bodies of moves and actions, and a technician's report."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue

from contracts.codes import (
    Answer,
    Blocker,
    BookingChannel,
    ExceptionDecision,
    ExceptionResult,
    ExceptionType,
    Flag,
    MoveDecision,
    Result,
)
from contracts.event import Part
from contracts.ids import CaseId, Code, CompanyId, ExceptionId, OrderKey, Principal, TechnicianId, WorkOrderId
from contracts.parts import (
    Days,
    DevicePlan,
    EvidenceRef,
    FieldClient,
    InstalledDevice,
    RemovedDevice,
    Time,
    VisitedSite,
)
from services.case_service.domain.ownership import Asked

Text = Annotated[str, Field(max_length=2000)]


class Resolution(StrEnum):
    """How `close_case` ends a work order."""

    CANCELLED = "cancelled"
    NO_MORE_ATTEMPTS = "no_more_attempts"
    NOT_NEEDED = "not_needed"


class Report(Part):
    """One visit as a technician reports it. Exactly one result; a failed one carries a sub-reason (lifecycle §1.3)."""

    result: Result
    sub_reason: Code | None = None
    sub_reason_text: Text | None = None
    arrived_at: Time
    started_at: Time | None = None
    finished_at: Time
    installed: tuple[InstalledDevice, ...] = ()
    removed: tuple[RemovedDevice, ...] = ()
    missing: tuple[Code, ...] = ()
    site: VisitedSite | None = None
    form_key: Code | None = None
    form_version: int | None = None
    answers: dict[str, JsonValue] = Field(default_factory=dict)
    evidence: tuple[EvidenceRef, ...] = ()
    performed_by: tuple[Principal, ...] = ()
    """Who was there; absent: whoever reports."""
    technician_id: TechnicianId | None = None
    """For whom staff report; absent: the responsible technician."""
    client: FieldClient | None = None

    @property
    def form_id(self) -> str | None:
        """The version of the form that the answers belong to."""
        return f"{self.form_key}/{self.form_version}" if self.form_key and self.form_version else None


class MoveRequest(Asked):
    """`POST /v1/work-orders/{id}/moves`: a move and what it needs."""

    move: str
    expected_version: int | None = None
    """Version of the work order on which the caller decided (G4); only start and resolve, which may come from offline
    clients, need none. May be given as `If-Match` instead."""
    expected_edition: int | None = None
    """With `flag`: `edition` of the case on which the caller decided, for the flags are the case's."""
    downloaded_version: int | None = Field(None, ge=0)
    """With `start` and `resolve` of a client that was offline: the version that it had loaded."""
    reason: Text | None = None
    """Words of the person (G18); they stay here."""
    code: Code | None = None
    """Coded reason of the move, where it has one: phone_call, ok_variant, other."""
    responsible: TechnicianId | None = None
    to_me: bool = False
    """With `assign`: whoever asks is responsible (S3-13)."""
    company_id: CompanyId | None = None
    return_on: date | None = None
    channel: BookingChannel | None = None
    resolution: Resolution | None = None
    customer_informed: bool = False
    technician_informed: bool = False
    decision: MoveDecision | None = None
    device_plan: DevicePlan | None = None
    """What the next visit has to do; absent: what is left of the plan."""
    report: Report | None = None
    conflict_id: UUID | None = None
    """The kept report that `accept_report` takes."""
    evidence: tuple[EvidenceRef, ...] = ()
    flag: Flag | None = None
    blocker: Blocker | None = None
    on: bool = True
    """With `set_flag`: set or clear."""
    text: Text | None = None


class CaseAction(StrEnum):
    """What may be asked of a case."""

    RAISE_EXCEPTION = "raise_exception"
    APPROVE_EXCEPTION = "approve_exception"
    RESOLVE_EXCEPTION = "resolve_exception"
    CHECK_GATE = "check_gate"
    ANNOUNCE = "announce"
    ANSWER_ORDER = "answer_order"
    ADD_WORK_ORDER = "add_work_order"
    LINK = "link"


class ActionRequest(Asked):
    """`POST /v1/cases/{id}/actions`: an action and what it needs."""

    action: CaseAction
    type: ExceptionType | None = None
    exception_id: ExceptionId | None = None
    work_order_id: WorkOrderId | None = None
    reason: Text | None = None
    owner: Principal | None = None
    due_on: date | None = None
    result: ExceptionResult = ExceptionResult.RESOLVED
    decision: ExceptionDecision | None = None
    kind: Code | None = None
    device_plan: DevicePlan | None = None
    order_key: OrderKey | None = None
    answer: Answer | None = None
    code: Code | None = None
    list: Code | None = None
    fixed_on: date | None = None
    window: Days | None = None
    linked_case_id: CaseId | None = None
    on: bool = True
    """With `link`: link the cases (`kind`: same_house, replaces or belongs_to), or part them."""
