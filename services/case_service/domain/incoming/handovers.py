"""What mdm_adapter tells of handovers: sent, acknowledged, accepted, rejected, failed (lifecycle §7)."""

from types import MappingProxyType
from typing import Any

from contracts.cases import CaseReopened
from contracts.codes import ExceptionType, Fact, HubReason, State
from contracts.groups import OfHandover
from contracts.handovers import (
    HandoverAccepted,
    HandoverAcknowledged,
    HandoverFailed,
    HandoverRejected,
    HandoverSent,
)
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Handover, HandoverState
from services.case_service.domain.exceptions import end_all, open_exceptions, raise_exception
from services.case_service.domain.incoming.orders import take_withdrawal
from services.case_service.domain.incoming.scene import LATE, UPD, Effects, Scene
from services.case_service.domain.sla import reopen

ONLY_STATUS = frozenset({HubReason.ON_HOLD, HubReason.RELEASED, HubReason.RESCHEDULED})
"""What a partner says about its own side; the work is not refused (lifecycle §7.2)."""
ANSWERED = (ExceptionType.HANDOVER_FAILED, ExceptionType.HANDOVER_SILENT)


def find(case: Case, event: OfHandover) -> Handover | None:
    """The handover that is answered."""
    return next((each for each in case.handovers if (each.fact, each.attempt) == (event.fact, event.attempt)), None)


def mark(scene: Scene[Any], **news: Any) -> Handover | None:
    """Remember how far a handover is."""
    case = scene.case
    found = find(case, scene.event)
    if found is None:
        scene.note("handover_unknown", fact=scene.event.fact, attempt=scene.event.attempt)
        return None
    marked = found.model_copy(update={"event_id": scene.act.event_id, **news})
    case.handovers = tuple(marked if each is found else each for each in case.handovers)
    return marked


def await_again(scene: Scene[Any]) -> None:
    """The receiver has its whole time once more, and its silence is an exception again."""
    mark(scene, state=HandoverState.WAITING, requested_at=scene.act.at)


def sent(scene: Scene[HandoverSent]) -> str:
    """A document left the house; after a failure the answer is waited for anew."""
    marked = mark(scene, sent=True)
    if marked and marked.state is HandoverState.FAILED:
        await_again(scene)
    if scene.event.fact is Fact.EXCHANGE_COMPLETED:
        end_all(scene.case, scene.act, (ExceptionType.HANDOVER_FAILED,), scene.order)
    return UPD


def acknowledged(scene: Scene[HandoverAcknowledged]) -> str:
    """The document arrived; the answer to its content follows."""
    return scene.note("handover_acknowledged", document=scene.event.document, level=scene.event.level)


def accepted(scene: Scene[HandoverAccepted]) -> str:
    """DoD4: everything required was accepted. After a rejection it is late, but nothing must be sent again (7.3)."""
    case, order, event = scene.case, scene.order, scene.event
    known = find(case, event)
    if event.fact is not Fact.EXCHANGE_COMPLETED:
        mark(scene, state=HandoverState.ACCEPTED)
        return UPD
    if known is None or known.state is HandoverState.ACCEPTED:
        return LATE
    if not order.handed_over:
        mark(scene, accepted_late=True)
        in_hands = order.state in {State.REJECTED_BY_MDM, State.MANUAL_FOLLOW_UP}
        next_one = case.successor_of(order)
        code = "accepted_after_rejection" if in_hands else "visit_may_be_unnecessary"
        case.hotlist(scene.act, order if in_hands or next_one is None else next_one, code, attempt=event.attempt)
        return LATE
    mark(scene, state=HandoverState.ACCEPTED)
    end_all(case, scene.act, ANSWERED, order)
    return UPD


def rejected(scene: Scene[HandoverRejected]) -> str:
    """T25 (A06): the receiver says no, so the work is not finished, whatever we believed."""
    case, act, order, event = scene.case, scene.act, scene.order, scene.event
    reasons = tuple(reason.hub_reason for reason in event.reasons)
    if event.fact is not Fact.EXCHANGE_COMPLETED:
        return _refused_before(scene, reasons)
    if not order.handed_over or event.attempt != order.handover or case.ending is not None:
        for exception in open_exceptions(case, ExceptionType.HANDOVER_REJECTED, order=order):
            exception.codes = tuple(dict.fromkeys((*exception.codes, *reasons)))
        return LATE
    end_all(case, act, ANSWERED, order)
    if reasons and set(reasons) <= ONLY_STATUS:
        await_again(scene)
        return scene.note("partner_status", reasons=list(reasons))
    if reasons and all(reason.technical for reason in reasons):
        await_again(scene)
        raise_exception(case, act, ExceptionType.INTEGRATION, order=order, reason="technical_rejection", codes=reasons)
        return scene.note("technical_rejection", reasons=list(reasons))
    if set(reasons) == {HubReason.CANCELLED_BY_CIS}:
        return _withdrawn(scene, reasons)
    return _reopen(scene, reasons)


def _withdrawn(scene: Scene[HandoverRejected], reasons: tuple[HubReason, ...]) -> str:
    """The receiver does not want the work that is done: as if it had withdrawn its order, once per version (§7.2)."""
    await_again(scene)
    case, partner = scene.case, scene.event.recipient
    known = next((each for each in case.references if each.partner == partner), None)
    if known is None:
        return scene.hint("handover_rejected", fact=scene.event.fact, reasons=list(reasons))
    take_withdrawal(case, scene.act, known, known.newest)
    return UPD


def _reopen(scene: Scene[HandoverRejected], reasons: tuple[HubReason, ...]) -> str:
    case, act, order, event = scene.case, scene.act, scene.order, scene.event
    first = reasons[0] if reasons else HubReason.OTHER
    was_completed = case.gate_evidence is not None
    mark(scene, state=HandoverState.REJECTED)
    order.rejection, case.gate_evidence = "open", None
    reopen(case, act)
    scene.step("T25", State.REJECTED_BY_MDM, first.lower(), rule="A06")
    case.automated("A06", f"{case.case_id}/{event.attempt}")
    raise_exception(
        case,
        act,
        ExceptionType.HANDOVER_REJECTED,
        order=order,
        reason=first.lower(),
        fact=event.fact,
        attempt=event.attempt,
        codes=reasons,
    )
    if was_completed:
        case.told.append(
            CaseReopened(
                case_id=case.case_id, work_order_id=order.work_order_id, attempt=event.attempt, reason=first.lower()
            )
        )
    return "T25"


def _refused_before(scene: Scene[HandoverRejected], reasons: tuple[HubReason, ...]) -> str:
    """Facts other than the exchange: an objection to the announcement is a matter for people, the rest a hint."""
    marked = mark(scene, state=HandoverState.REJECTED)
    if scene.event.fact is Fact.ROLLOUT_ANNOUNCED and marked is not None:
        raise_exception(
            scene.case,
            scene.act,
            ExceptionType.ANNOUNCEMENT_OBJECTED,
            reason="announcement_objected",
            fact=scene.event.fact,
            attempt=scene.event.attempt,
            codes=reasons,
        )
        return UPD
    return scene.hint("handover_rejected", fact=scene.event.fact, reasons=list(reasons))


def failed(scene: Scene[HandoverFailed]) -> str:
    """It could not be delivered or understood. The work is not in question; when no try is left, people are."""
    event = scene.event
    if not event.final:
        return scene.note("handover_failed", cause=event.cause, fact=event.fact)
    mark(scene, state=HandoverState.FAILED)
    if event.fact is Fact.EXCHANGE_COMPLETED:
        raise_exception(
            scene.case,
            scene.act,
            ExceptionType.HANDOVER_FAILED,
            order=scene.order,
            reason=event.cause,
            fact=event.fact,
            attempt=event.attempt,
        )
        return UPD
    return scene.hint("handover_failed", cause=event.cause, fact=event.fact)


EFFECTS: Effects = MappingProxyType(
    {
        HandoverSent: sent,
        HandoverAcknowledged: acknowledged,
        HandoverAccepted: accepted,
        HandoverRejected: rejected,
        HandoverFailed: failed,
    }
)
