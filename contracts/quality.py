"""Forms, reviews and rework; told by qa_service."""

from datetime import date

from pydantic import Field, JsonValue

from contracts.codes import ReviewMode, ReworkKind, ReworkReason
from contracts.event import Event
from contracts.groups import OfWorkOrder
from contracts.ids import Code, CompanyId, Principal, Ref, ReviewId, VisitId
from contracts.parts import PlannedEvidence, ReviewFinding, Time


class FormActivated(Event, topic="rollout.quality", owner="qa", version=1, key="form_key"):
    """From `valid_from` on, visits of this kind of work are reported with this version of the form."""

    form_key: Code
    form_version: int
    operator: Code
    work_kind: Code
    schema_: dict[str, JsonValue] = Field(alias="schema")
    """JSON Schema of the answers, without titles or texts, at most 64 KiB."""
    evidence_plan: tuple[PlannedEvidence, ...]
    valid_from: date


class OfReview(OfWorkOrder):
    """About one round of a review."""

    review_id: ReviewId
    round: int
    """Counts the reviews of the work order, from 1. A decision of an earlier round is stale."""


class ReviewOpened(OfReview, Event, topic="rollout.quality", owner="qa", version=1, key="case_id"):
    """A reported visit is to be reviewed."""

    mode: ReviewMode
    visit_id: VisitId
    visit_version: int
    evidence_version: int
    due_at: Time


class ReviewApproved(OfReview, Event, topic="rollout.quality", owner="qa", version=1, key="case_id"):
    """A visit was approved. It counts only for the current evidence version; for an older one it is late."""

    evidence_version: int
    reviewer: Principal
    mode: ReviewMode
    digest: Ref
    """SHA-256 over the form, its answers and the evidence."""
    accepted: int
    """How many findings the reviewer accepted."""


class ReworkRequested(OfReview, Event, topic="rollout.quality", owner="qa", version=1, key="case_id"):
    """A review found something that has to be done again."""

    kind: ReworkKind
    reasons: tuple[ReworkReason, ...]
    findings: tuple[ReviewFinding, ...]
    company_id: CompanyId
    """Who did the work."""
    due_at: Time
