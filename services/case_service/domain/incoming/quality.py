"""What qa_service tells: reviews opened and approved, rework requested."""

from types import MappingProxyType

from contracts.codes import MoveDecision, ReworkKind, State
from contracts.quality import ReviewApproved, ReviewOpened, ReworkRequested
from services.case_service.domain.deciding import go_again, hand_over_done
from services.case_service.domain.incoming.assets import settle_follow_up
from services.case_service.domain.incoming.scene import ANOM, LATE, UPD, Effects, Scene
from services.case_service.domain.states import Column
from services.case_service.domain.work_order import Approval


def opened(scene: Scene[ReviewOpened]) -> str:
    """A review runs; when it takes too long, a timer of ours says so."""
    if scene.event.round < scene.order.review_round:
        return LATE
    scene.order.review_round = scene.event.round
    return UPD


def approved(scene: Scene[ReviewApproved]) -> str:
    """T21 (A02): counts only for the evidence as it is now. Completed documents end the follow-up for them."""
    order, event = scene.order, scene.event
    if not scene.own:
        return settle_follow_up(scene, "documents_complete")
    if order.column not in {Column.RESOLVED_WELL, Column.MF}:
        return ANOM
    if event.evidence_version != order.evidence_version or event.round < order.review_round:
        return LATE
    order.review_round, order.lacking = event.round, ()
    order.approval = Approval(
        evidence_version=event.evidence_version,
        digest=event.digest,
        event_id=scene.act.event_id or event.review_id,
    )
    if order.state is State.MANUAL_FOLLOW_UP:
        scene.case.record(scene.act, order, reason="review_approved")
        return UPD
    hand_over_done(scene.case, scene.act, order)
    return "T21"


def rework(scene: Scene[ReworkRequested]) -> str:
    """T33: the field has to go again; at the desk the order stays, and the company brings what is missing (A10)."""
    order, event = scene.order, scene.event
    if event.round < order.review_round:
        return LATE
    order.review_round = event.round
    order.lacking = tuple(dict.fromkeys(finding.target for finding in event.findings))
    reasons = [str(reason) for reason in event.reasons]
    scene.case.automated("A10", f"{event.review_id}/{event.round}")
    if event.kind is ReworkKind.FIELD and order.state is State.RESOLVED:
        go_again(scene.case, scene.act, order, MoveDecision.REWORK)
        return "T33"
    return scene.note("rework_requested", kind=event.kind, reasons=reasons)


EFFECTS: Effects = MappingProxyType({ReviewOpened: opened, ReviewApproved: approved, ReworkRequested: rework})
