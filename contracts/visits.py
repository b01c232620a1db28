"""What technicians report from the site; told by case_service to asset, qa, mdm and cockpit."""

from typing import Annotated

from pydantic import JsonValue

from contracts.codes import Outcome, Result
from contracts.event import Event
from contracts.groups import OfWorkOrder
from contracts.ids import Code, CompanyId, Principal, TechnicianId, VisitId
from contracts.parts import (
    DevicePlan,
    EvidenceRef,
    FieldClient,
    InstalledDevice,
    Personal,
    RemovedDevice,
    Time,
    VisitedSite,
)


class VisitReported(OfWorkOrder, Event, topic="rollout.visits", owner="case", version=1, key="case_id"):
    """A technician, or staff on behalf of one, reported a visit or corrected a report.

    A higher `visit_version` replaces the earlier report of the same visit: bookings of devices are reversed and made
    anew. A lower one is stale: ignore and count it. An equal one is a copy.
    """

    visit_id: VisitId
    visit_version: int
    """Counts the corrections of this visit, from 1."""
    evidence_version: int
    """Counts reports, corrections and additions of the work order, from 1. Approvals count for the newest only."""
    outcome: Outcome
    result: Result
    sub_reason: Code | None = None
    """Why the visit failed; an open list, per operator."""
    sub_reason_text: Annotated[str | None, Personal()] = None
    performed_by: tuple[Principal, ...]
    reported_by: Principal
    on_behalf: bool
    technician_id: TechnicianId
    company_id: CompanyId
    arrived_at: Time
    started_at: Time | None = None
    finished_at: Time
    device_plan: DevicePlan
    """As it was at the time of the visit."""
    installed: tuple[InstalledDevice, ...]
    removed: tuple[RemovedDevice, ...]
    site: Annotated[VisitedSite, Personal()]
    missing: tuple[Code, ...]
    """What is still missing, with result DOCS_INCOMPLETE or MATERIAL_MISSING."""
    form_key: Code
    form_version: int
    answers: Annotated[dict[str, JsonValue], Personal()]
    """Answers to the questions of the form."""
    evidence: tuple[EvidenceRef, ...]
    client: FieldClient


class EvidenceAdded(OfWorkOrder, Event, topic="rollout.visits", owner="case", version=1, key="case_id"):
    """Evidence was added to a reported visit, after desk rework or a data fix.

    An `evidence_version` that is not above the stored one is late. After an approval it opens a new review round.
    """

    visit_id: VisitId
    evidence_version: int
    evidence: tuple[EvidenceRef, ...]
    added_by: Principal
    company_id: CompanyId | None = None
