"""How qa_service's objects look over HTTP."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from contracts.codes import Outcome, Result, ReviewMode, ReworkKind, ReworkReason, Severity
from contracts.ids import ReviewId
from contracts.parts import DevicePlan, InstalledDevice, PlannedEvidence, RemovedDevice
from kit.http import the_store
from kit.store import Store
from services.qa_service.domain.cases import ReviewedCase
from services.qa_service.domain.facts import Item
from services.qa_service.domain.records import Asked, EvidenceState, FindingState, Review, ReworkState
from services.qa_service.domain.states import ReviewState

TheStore = Annotated[Store, Depends(the_store)]
Kind = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}$")]
Text = Annotated[str, Field(max_length=1_000)]
Reason = Annotated[str, Field(min_length=3, max_length=1_000)]


class View(BaseModel):
    """What is answered; read from rows and aggregates alike."""

    model_config = ConfigDict(
        defer_build=True, from_attributes=True, populate_by_name=True, use_attribute_docstrings=True
    )


class Question(BaseModel):
    """What is sent in."""

    model_config = ConfigDict(populate_by_name=True, use_attribute_docstrings=True, extra="forbid")


class FormView(View):
    """A version of a form, with everything that a client needs to work offline."""

    form_key: str
    form_version: int
    operator: str
    work_kinds: tuple[str, ...]
    titles: dict[str, str]
    schema_: dict[str, Any] = Field(serialization_alias="schema", validation_alias="answers")
    """JSON Schema 2020-12 of the answers."""
    evidence_plan: tuple[PlannedEvidence, ...]
    """`when` compares answers, and `installed` and `removed`: how many devices went in and out."""
    valid_from: date


class FormList(View):
    """Forms, an operator's own first."""

    items: tuple[FormView, ...]


class AnswersQuestion(Question):
    """Answers as far as they are there, the kinds of the evidence that goes with them, and what was done."""

    answers: dict[str, JsonValue]
    evidence_kinds: tuple[Kind, ...] = ()
    installed: int = Field(1, ge=0, le=99)
    removed: int = Field(1, ge=0, le=99)
    partial: bool = False
    """Tell only what is wrong, not what is missing."""


class ItemView(View):
    """A stored item of evidence."""

    evidence_id: UUID
    work_order_id: UUID
    kind: str
    media_type: str
    size: int
    """Bytes of the stored copy."""
    sha256_received: str
    sha256: str
    """Of the stored copy."""
    state: EvidenceState
    captured_at: datetime | None
    uploaded_at: datetime
    uploaded_by: str
    locked_at: datetime | None


class ReviewLine(View):
    """One round of a review in a list."""

    review_id: UUID
    version: int
    case_id: UUID
    work_order_id: UUID
    sequence: int
    round: int
    state: ReviewState
    rework: ReworkKind | None
    mode: ReviewMode
    visit_version: int
    evidence_version: int
    company_id: UUID
    technician_id: UUID
    opened_at: datetime
    due_at: datetime
    overdue: bool
    reviewer: str | None
    lease_until: datetime | None
    decided_at: datetime | None


class ReviewPage(View):
    """Reviews, the first due first; `next` is handed back as `after`, absent at the end."""

    items: tuple[ReviewLine, ...]
    next: str | None = None


class FindingView(View):
    """What a rule found. `finding` is its number in this round."""

    finding: int = Field(validation_alias="seq")
    rule: str = Field(validation_alias="rule_id")
    severity: Severity
    reason: ReworkReason
    target: str
    text_key: str
    params: dict[str, Any]
    state: FindingState
    accepted_reason: str | None


class NamedItem(View):
    """Evidence that the report names, and what is stored of it."""

    evidence_id: UUID
    kind: str
    stored: ItemView | None
    """None: it is still awaited."""
    fits: bool
    """The very bytes that were named."""


class VisitView(View):
    """The report that is reviewed."""

    visit_id: UUID
    visit_version: int
    outcome: Outcome
    result: Result
    performed_by: tuple[str, ...]
    reported_by: str
    technician_id: UUID
    company_id: UUID
    arrived_at: datetime
    finished_at: datetime
    device_plan: DevicePlan
    installed: tuple[InstalledDevice, ...]
    removed: tuple[RemovedDevice, ...]
    missing: tuple[str, ...]
    form_key: str
    form_version: int
    answers: dict[str, Any]


class ReworkView(View):
    """What was asked of a company."""

    rework_id: UUID
    review_id: UUID
    kind: ReworkKind
    reasons: tuple[ReworkReason, ...]
    company_id: UUID
    due_at: datetime
    overdue: bool
    state: ReworkState


class ReviewView(ReviewLine):
    """Everything on one screen: report, evidence, findings, and what came before."""

    comment: str | None
    digest: str | None
    visit: VisitView
    evidence: tuple[NamedItem, ...]
    findings: tuple[FindingView, ...]
    asked: tuple[Asked, ...]
    """The rules that were asked, with how much each found."""
    reworks: tuple[ReworkView, ...]
    """Of this case."""
    history: tuple[ReviewLine, ...]
    """Other rounds and reviews of this case, in their order."""


class Acceptance(Question):
    """An open finding that the reviewer lets pass."""

    finding: int
    reason: Reason


class ApproveQuestion(Question):
    """An approval."""

    accepted: tuple[Acceptance, ...] = ()
    comment: Text | None = None
    expected_version: int | None = None


class ReworkQuestion(Question):
    """What has to be done again. Without findings all open ones are meant, without a time the usual one."""

    kind: ReworkKind
    reasons: tuple[ReworkReason, ...]
    """At least one; with `other` the comment says what, in ten characters or more."""
    findings: tuple[int, ...] = ()
    comment: Text | None = None
    due_at: AwareDatetime | None = None
    expected_version: int | None = None


class VerifiedView(View):
    """Whether what was approved still lies here as it was approved."""

    review_id: ReviewId
    ok: bool
    digest: str
    differences: tuple[str, ...]
    """`form`, `answers`, `digest`, or ids of evidence."""


def review_view(case: ReviewedCase, review: Review) -> ReviewView:
    """One screen."""
    others = sorted(case.reviews, key=lambda each: (each.sequence, each.round))
    inside = {
        "visit": VisitView.model_validate(case.visit_of(review)),
        "evidence": tuple(_named_item(item) for item in case.items(review.work_order_id)),
        "findings": tuple(FindingView.model_validate(each) for each in case.findings_of(review)),
        "reworks": tuple(ReworkView.model_validate(each) for each in case.reworks),
        "history": tuple(_line(case, each) for each in others if each is not review),
    }
    return ReviewView.model_validate({**vars(review), "case_id": case.case_id, **inside})


def _line(case: ReviewedCase, review: Review) -> ReviewLine:
    return ReviewLine.model_validate({**vars(review), "case_id": case.case_id})


def _named_item(item: Item) -> NamedItem:
    return NamedItem(
        evidence_id=item.ref.evidence_id,
        kind=item.ref.kind,
        stored=ItemView.model_validate(item.stored) if item.stored else None,
        fits=item.fits,
    )
