"""What routes answer: cases and work orders as people and programs see them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel, ConfigDict

from contracts.codes import (
    Blocker,
    Cancellation,
    CaseType,
    CloseReason,
    DodItem,
    ExceptionType,
    Flag,
    LegalBasis,
    MoveDecision,
    Origin,
    Outcome,
    Phase,
    Result,
    State,
)
from contracts.parts import Address, Area, Days, DevicePlan, GateEvidence, Link, Position, Span
from kit.auth import Scope
from kit.http import the_store
from kit.store import Store
from services.case_service.acts import owns
from services.case_service.domain.case import Case
from services.case_service.domain.edits import HIDDEN_IN_THE_FIELD
from services.case_service.domain.entries import (
    Bookable,
    DeviceFact,
    ExceptionState,
    Handover,
    PauseCause,
    SlaState,
    SlaTarget,
)
from services.case_service.domain.gate import Item, failing, lights, waited_for
from services.case_service.domain.work_order import WorkOrder

TheStore = Annotated[Store, Depends(the_store)]


class View(BaseModel):
    """What a route answers."""

    model_config = ConfigDict(defer_build=True, frozen=True, from_attributes=True, use_attribute_docstrings=True)


class WorkOrderView(View):
    """A work order. `version` goes back as `expected_version` with the next move, with a flag also `edition`."""

    work_order_id: UUID
    case_id: UUID
    sequence: int
    kind: str
    state: State
    version: int
    predecessor: UUID | None
    device_plan: DevicePlan
    skills: tuple[str, ...]
    duration_min: int
    due_on: date | None
    company_id: UUID | None
    responsible: UUID | None
    start: datetime | None
    estimate: int | None
    window: Span | None
    appointment_id: UUID | None
    revision: int | None
    offer: int
    offer_pending: bool
    dispatched: bool
    """In the mobile list of its technician."""
    blockers: dict[Blocker, str]
    came_from: State | None
    hold_until: date | None
    cancellation: Cancellation
    decision: MoveDecision | None
    rejection: str
    resolved_at: datetime | None
    outcome: Outcome | None
    result: Result | None
    sub_reason: str | None
    visit_id: UUID | None
    visit_version: int
    evidence_version: int
    handover: int | None
    close_reason: CloseReason | None
    operator: str
    priority: int
    area: Area
    metering_point_id: str
    edition: int
    """Of the case, whose the flags are."""
    flags: tuple[Flag, ...]
    flag_text: str | None


def flags_for(scope: Scope, flags: tuple[Flag, ...]) -> tuple[Flag, ...]:
    """The flags that somebody sees: the field never learns which meters are called difficult (S3-18)."""
    return tuple(flag for flag in flags if flag not in HIDDEN_IN_THE_FIELD or scope.kind != "technician")


def work_order_view(order: Any, case: Any, scope: Scope) -> WorkOrderView:
    """A work order with what is said of its case."""
    said = {
        name: getattr(case, name)
        for name in ("operator", "priority", "area", "metering_point_id", "edition", "flag_text")
    }
    names = set(WorkOrderView.model_fields) - said.keys() - {"flags", "offer_pending", "case_id"}
    return WorkOrderView(
        **{name: getattr(order, name) for name in names},
        **said,
        case_id=case.case_id,
        offer_pending=order.pending is not None,
        flags=flags_for(scope, case.flags),
    )


class WorkOrderPage(View):
    """Work orders, and where the next page begins."""

    items: tuple[WorkOrderView, ...]
    next: str | None


class ReferenceView(View):
    """A partner's order."""

    order_key: str
    partner: str
    order_version: int
    cancelled_version: int | None
    answered: bool


class ExceptionView(View):
    """An exception; the words of whoever raised it are in the history."""

    exception_id: UUID
    type: ExceptionType
    state: ExceptionState
    owner: str
    due_on: date
    raised_by: str
    raised_at: datetime
    work_order_id: UUID | None
    attempt: int | None
    approver: str | None
    codes: tuple[str, ...]


class CaseBrief(View):
    """A case as a list shows it."""

    case_id: UUID
    phase: Phase
    on_hold: bool
    operator: str
    case_type: CaseType
    origin: Origin
    legal_basis: LegalBasis
    metering_point_id: str
    area: Area
    priority: int
    due_on: date | None
    due_by: date
    """The day that lists are sorted by: the partner's, else the target's."""
    defect: bool
    """One visit was not enough: there is a second work order."""
    flags: tuple[Flag, ...]
    flag_text: str | None
    opened_at: datetime
    ended_at: datetime | None
    sla_state: SlaState
    sla_due_at: datetime | None


class PauseView(View):
    """A span in which the SLA clock stands still."""

    cause: PauseCause
    started_at: datetime
    ended_at: datetime | None


class CaseView(CaseBrief):
    """A case with everything in it that is not personal."""

    edition: int
    """Goes back as `expected_version` with the next edit."""
    window: Days | None
    fixed_on: date | None
    planned_on: date | None
    device_plan: DevicePlan
    permits: tuple[str, ...]
    open_permits: tuple[str, ...]
    """Mandatory permits that nobody has yet; they block every work order."""
    flow_version: int
    links: tuple[Link, ...]
    bookable: Bookable | None
    devices: tuple[DeviceFact, ...]
    handovers: tuple[Handover, ...]
    completion: int
    sla_target: SlaTarget
    pauses: tuple[PauseView, ...]
    gate_evidence: tuple[GateEvidence, ...] | None
    orders: tuple[ReferenceView, ...]
    work_orders: tuple[WorkOrderView, ...]
    exceptions: tuple[ExceptionView, ...]


class CasePage(View):
    """Cases, and where the next page begins."""

    items: tuple[CaseBrief, ...]
    next: str | None


def case_brief(case: Any, scope: Scope) -> CaseBrief:
    """A case as somebody sees it in a list."""
    return CaseBrief(**_seen(case, scope, set(CaseBrief.model_fields)))


def _seen(case: Any, scope: Scope, names: set[str]) -> dict[str, Any]:
    return {name: getattr(case, name) for name in names} | {"flags": flags_for(scope, case.flags)}


def case_view(case: Any, orders: Any, work_orders: Any, exceptions: Any, pauses: Any, scope: Scope) -> CaseView:
    """A case put together from its parts. Of work orders of others nothing is said, nor of what concerns only them."""
    theirs = [each for each in work_orders if owns(each, scope)]
    concerned = {None, *(each.work_order_id for each in theirs)}
    own = set(CaseView.model_fields) - {"orders", "work_orders", "exceptions", "pauses"}
    return CaseView(
        **_seen(case, scope, own),
        orders=tuple(ReferenceView.model_validate(each) for each in orders),
        work_orders=tuple(work_order_view(each, case, scope) for each in theirs),
        exceptions=tuple(ExceptionView.model_validate(each) for each in exceptions if each.work_order_id in concerned),
        pauses=tuple(PauseView.model_validate(each) for each in pauses),
    )


def view_of(case: Case, scope: Scope) -> CaseView:
    """A case as it stands in a transaction."""
    return case_view(case, case.references, case.by_sequence, case.exceptions, case.pauses, scope)


def work_order_of(case: Case, order: WorkOrder, scope: Scope) -> WorkOrderView:
    """A work order as it stands in a transaction."""
    return work_order_view(order, case, scope)


class Line(View):
    """One line of a case's history."""

    at: datetime
    actor: str
    kind: str
    """move, change, remark, words or visit."""
    work_order_id: UUID | None
    code: str | None
    """Row of the table, code of the remark, step that the words belong to, result of the visit."""
    from_state: State | None = None
    to_state: State | None = None
    version: int | None = None
    reason: str | None = None
    hotlist: bool = False
    params: dict[str, Any] = {}
    text: str | None = None


class HistoryView(View):
    """Everything that happened, oldest first."""

    lines: tuple[Line, ...]


class LightView(View):
    """One item of the definition of done: what is missing, or what proves it."""

    item: DodItem
    passed: bool
    missing: tuple[str, ...]
    """What the refusal names."""
    event_ids: tuple[UUID, ...]
    """The facts that prove it."""
    digest: str | None
    """The evidence that a reviewer approved."""
    exception: ExceptionView | None
    """The approved exception that stands in."""


class GateView(View):
    """The definition of done, light by light, and what keeps the gate closed."""

    passed: bool
    """The case is complete."""
    completion: int
    """How often it was completed."""
    lights: tuple[LightView, ...]
    waiting: tuple[str, ...]
    """Work orders that have to be closed first."""
    failing: tuple[str, ...]
    """All that `check_gate` would refuse with."""


def gate_view(case: Case) -> GateView:
    """The gate of a case as it stands."""
    passed = case.gate_evidence is not None
    exceptions = {each.exception_id: each for each in case.exceptions}
    return GateView(
        passed=passed,
        completion=case.completion,
        lights=tuple(_light(item, exceptions) for item in lights(case)),
        waiting=() if passed else tuple(waited_for(case)),
        failing=() if passed else tuple(failing(case)),
    )


def _light(item: Item, exceptions: Mapping[Any, Any]) -> LightView:
    proof, (_, _, names) = item.evidence, (item.missing or "").partition(": ")
    return LightView(
        item=proof.item,
        passed=item.missing is None,
        missing=tuple(names.split(", ")) if names else (),
        event_ids=proof.event_ids,
        digest=proof.digest,
        exception=exceptions.get(proof.exception_id),
    )


class MovesView(View):
    """Every move that the table has in this state, each with what objects to it now."""

    state: State
    version: int
    moves: dict[str, list[dict[str, str]]]


class ContactView(View):
    """How the customer can be reached. Each reading is audited."""

    case_id: UUID
    version: int
    """Goes back as `expected_version` with the next edit."""
    name: str
    phone: str | None
    email: str | None
    language: str
    sms_allowed: bool
    address: Address
    position: Position | None
    access_note: str | None


class ConflictView(View):
    """A report that could not be taken when it came."""

    conflict_id: UUID
    case_id: UUID
    work_order_id: UUID
    column: str
    technician_id: UUID | None
    reported_by: str
    reported_at: datetime
    result: Result
    serials: tuple[str, ...]
    state: str
    opened_case_id: UUID | None
    """The case that was opened for it."""


class ConflictPage(View):
    """The visit-conflict list, and where its next page begins."""

    items: tuple[ConflictView, ...]
    next: str | None
