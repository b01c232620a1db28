"""The definition of done and its gate (lifecycle §4): the only way to COMPLETED, for everybody and every path (I4)."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from contracts.cases import CaseCompleted
from contracts.codes import DeviceRole, DodItem, ExceptionType, Fact, Result, WorkOrderKind
from contracts.parts import GateEvidence, PlanItem
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.completions import Completion
from services.case_service.domain.entries import CaseException, DeviceFact, HandoverState, Place
from services.case_service.domain.exceptions import ENDED_BY_COMPLETION, approved, end_all, open_exceptions
from services.case_service.domain.serials import plain
from services.case_service.domain.sla import elapsed
from services.case_service.domain.states import HANDED_OVER
from services.case_service.domain.work_order import WorkOrder
from services.case_service.errors import GateClosed

COMMUNICATING = frozenset({DeviceRole.SMGW})
"""Roles that talk to the head end themselves; a control box talks through the gateway (D-IMS-2)."""

STANDS_IN_FOR_HANDOVER = (
    ExceptionType.HANDOVER_REJECTED,
    ExceptionType.HANDOVER_FAILED,
    ExceptionType.HANDOVER_SILENT,
    ExceptionType.FOREIGN_METER,
)


@dataclass(frozen=True)
class Item:
    """One item of the definition of done: what is missing, and what proves it."""

    missing: str | None
    evidence: GateEvidence


def _item(item: DodItem, missing: list[str], proof: list[DeviceFact], instead: CaseException | None = None) -> Item:
    standing_in = instead.exception_id if instead and missing else None
    refusal = f"{item.replace('dod', 'DoD')}: {', '.join(missing)}" if missing and not instead else None
    events = tuple(dict.fromkeys(fact.event_id for fact in proof))
    return Item(refusal, GateEvidence(item=item, event_ids=events, exception_id=standing_in))


def _in_place(case: Case) -> list[DeviceFact]:
    return [fact for fact in case.devices if fact.place is not Place.REMOVED]


def _fits(plan: PlanItem, fact: DeviceFact) -> bool:
    types = (plan.device_type, *plan.alternatives)
    return fact.role is plan.role and (plan.device_type is None or fact.device_type in types)


def installed(case: Case) -> Item:
    """DoD1: every role of the plan has a fitting device in place, every device to remove is gone."""
    in_place = _in_place(case)
    missing = [
        str(plan.role)
        for plan in case.device_plan.install
        if sum(_fits(plan, fact) for fact in in_place) < plan.quantity
    ]
    gone = [fact for fact in case.devices if fact.place is Place.REMOVED]
    serials = {plain(fact.serial) for fact in gone}
    wanted = Counter(plan.role for plan in case.device_plan.remove if plan.serial is None)
    removed = Counter(fact.role for fact in gone)
    named = [plan for plan in case.device_plan.remove if plan.serial is not None and plain(plan.serial) not in serials]
    missing += [f"{plan.role} {plan.serial}" for plan in named]
    missing += [str(role) for role, count in wanted.items() if removed[role] < count]
    return _item(DodItem.DOD1, missing, [*in_place, *gone], approved(case, ExceptionType.DEVICE_PLAN_DEVIATION))


def follow_ups(case: Case) -> list[WorkOrder]:
    """Open orders that repair the communication of an order that was handed over without it; DoD2 may rest on them."""
    return [order for order in case.unclosed if order.kind == WorkOrderKind.COMMS_REPAIR and order.due_on is not None]


def silent(case: Case) -> list[str]:
    """Communicating roles of the plan that nobody has heard yet."""
    speaking = Counter(fact.role for fact in _in_place(case) if fact.place is Place.COMMISSIONED)
    expected = [plan for plan in case.device_plan.install if plan.role in COMMUNICATING]
    return [str(plan.role) for plan in expected if speaking[plan.role] < plan.quantity]


def communicates(case: Case) -> Item:
    """DoD2: every communicating device is commissioned, or its repair is tracked by an open follow-up."""
    heard = [fact for fact in _in_place(case) if fact.place in {Place.COMMISSIONED, Place.PENDING}]
    missing = silent(case)
    if missing and any(fact.place is Place.PENDING for fact in heard):
        missing = [] if follow_ups(case) else ["no follow-up"]
    return _item(DodItem.DOD2, missing, heard, approved(case, ExceptionType.COMMS_NOT_POSSIBLE))


def documented(case: Case) -> Item:
    """DoD3: a reviewer approved the evidence as it is now, of every order that was handed over."""
    done = [order for order in case.by_sequence if order.close_reason in HANDED_OVER]
    missing = [name for order in done if not order.approved for name in _papers(order)]
    if not done:
        missing = [name for order in case.unclosed if order.lacking for name in _papers(order)]
        missing = missing or ["nothing was handed over"]
    waiver = approved(case, ExceptionType.QA_WAIVER) if done else None
    item = _item(DodItem.DOD3, missing, [], waiver)
    proofs = [order.approval for order in done if order.approval and order.approved]
    if not proofs:
        return item
    events = tuple(proof.event_id for proof in proofs)
    return Item(item.missing, item.evidence.model_copy(update={"event_ids": events, "digest": proofs[-1].digest}))


def _papers(order: WorkOrder) -> list[str]:
    """What an approval still needs, as far as somebody said it: photo meter_after."""
    named = [code.replace("_", " ", 1) for code in order.lacking]
    return named or [f"work order {order.sequence} not approved"]


def handed_over(case: Case) -> Item:
    """DoD4: everything required was accepted, or an approved exception stands in."""
    missing, events, instead = [], [], None
    for order in case.by_sequence:
        if not (order.handed_over or _is_refused(case, order)):
            continue
        latest = next(
            (each for each in case.handovers if (each.fact, each.attempt) == (Fact.EXCHANGE_COMPLETED, order.handover)),
            None,
        )
        if latest and (latest.state is HandoverState.ACCEPTED or latest.accepted_late):
            events.append(latest.event_id)
        elif exception := approved(case, *STANDS_IN_FOR_HANDOVER, order=order):
            instead = exception
        else:
            missing.append(_unanswered(case, order, latest.state.upper() if latest else "not requested"))
    item = _item(DodItem.DOD4, missing, [])
    return Item(
        item.missing,
        GateEvidence(
            item=DodItem.DOD4,
            event_ids=tuple(event for event in events if event),
            exception_id=instead.exception_id if instead else None,
        ),
    )


def _is_refused(case: Case, order: WorkOrder) -> bool:
    """Its handover was refused, and it is not handed over again; what DoD2 rests on may still be open."""
    return order.rejection != "none" and not order.closed and order not in follow_ups(case)


def _unanswered(case: Case, order: WorkOrder, state: str) -> str:
    """What became of a handover; where it needs somebody, why, and that nobody took it on: an approval does."""
    needing = open_exceptions(case, *STANDS_IN_FOR_HANDOVER, order=order)
    causes = [each.reason.upper() for each in needing if each.type is ExceptionType.HANDOVER_FAILED]
    why = [*(code for each in needing for code in each.codes), *causes]
    return f"{' '.join([state, *why])}, no owner" if needing else f"{state} (work order {order.sequence})"


def recorded(case: Case) -> Item:
    """DoD5: every work order's history counts its versions without a gap, and the audit has a row for every change."""
    missing = [f"gap at audit row {number}" for number in case.lost]
    for order in case.by_sequence:
        versions = sorted(line.version for line in case.history if line.work_order_id == order.work_order_id)
        gaps = set(range(1, order.version + 1)) - set(versions)
        missing += [f"gap at version {gap} of work order {order.sequence}" for gap in sorted(gaps)]
    return _item(DodItem.DOD5, missing, [])


DONE: Mapping[DodItem, Callable[[Case], Item]] = MappingProxyType(
    {
        DodItem.DOD1: installed,
        DodItem.DOD2: communicates,
        DodItem.DOD3: documented,
        DodItem.DOD4: handed_over,
        DodItem.DOD5: recorded,
    }
)
"""All five items; there is no exception that skips the fifth."""


def lights(case: Case) -> tuple[Item, ...]:
    """Ask: each of the five as it stands; of a case that is complete, with the evidence that completed it.

    One that the flow declares void for this plan passes, without evidence.
    """
    if case.gate_evidence is not None:
        return tuple(Item(None, evidence) for evidence in case.gate_evidence)
    void = {item for item in DONE if case.flow.is_void(item, case.device_plan)}
    return tuple(_item(item, [], []) if item in void else check(case) for item, check in DONE.items())


def waited_for(case: Case) -> list[str]:
    """Ask: the work orders that have to be closed first; follow-ups that DoD2 rests on may stay open."""
    resting = {order.work_order_id for order in _rested_on(case)}
    waiting = [order for order in case.unclosed if order.work_order_id not in resting]
    return [f"work order {order.sequence} is {order.state}" for order in waiting]


def failing(case: Case) -> list[str]:
    """Ask: everything that keeps the gate closed."""
    return [item.missing for item in lights(case) if item.missing] + waited_for(case)


def close_if_done(case: Case, act: Act) -> bool:
    """Do: complete the case if nothing fails. The only code that writes gate evidence; asked after every change."""
    if case.terminal or waited_for(case) or failing(case):
        return False
    case.completion += 1
    case.gate_evidence = tuple(item.evidence for item in lights(case))
    case.ended_at, case.open_point = act.at, None
    case.told.append(
        CaseCompleted(
            case_id=case.case_id,
            completion=case.completion,
            evidence=case.gate_evidence,
            elapsed_seconds=int(elapsed(case, act.at, act.policy.zone).total_seconds()),
        )
    )
    case.automated("A03", f"{case.case_id}/{case.completion}")
    case.beside.append(
        Completion(
            completion_key=f"{case.case_id}/{case.completion}",
            case_id=case.case_id,
            completion=case.completion,
            operator=case.operator,
            case_type=case.case_type,
            order_keys=case.order_keys,
            completed_on=act.today,
        )
    )
    end_all(case, act, ENDED_BY_COMPLETION)
    return True


def check_gate(case: Case, act: Act) -> None:
    """A person asks for the gate: the same function, and every failing item as the answer."""
    if not close_if_done(case, act) and not case.terminal:
        items = failing(case)
        raise GateClosed("; ".join(items), items=items)


def _rested_on(case: Case) -> list[WorkOrder]:
    partial = {o.work_order_id for o in case.work_orders if o.result is Result.COMMS_PENDING and o.handed_over}
    return [order for order in follow_ups(case) if order.predecessor in partial]
