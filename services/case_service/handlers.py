"""What case_service hears: orders, and every fact about its cases, each by the one table of the lifecycle."""

from collections.abc import Callable, Iterable
from typing import Any

from contracts.assets import CalibrationFellDue, CommissioningPending
from contracts.codes import CaseType, CommsCause
from contracts.event import Event
from contracts.handovers import HandoverRejected
from contracts.orders import MasterDataReceived, OrderAmended, OrderCancelled, OrderReceived
from contracts.quality import FormActivated
from kit.handlers import Handlers, Timer
from kit.inbox import Received
from kit.store import Ref, Unit
from services.case_service.acts import act_of, conclude, known, of_case
from services.case_service.domain.act import Act, Policy
from services.case_service.domain.actions import answer_at_once
from services.case_service.domain.buildings import Building, Point, forecast
from services.case_service.domain.case import Case
from services.case_service.domain.entries import FormVersion, OrderTombstone
from services.case_service.domain.flow import FlowBook, flow_key, valid_on
from services.case_service.domain.incoming.calibration import Calibration, calibration_key, fell_due, points_of
from services.case_service.domain.incoming.orders import amend_order, cancel_order, receive_again, take_master_data
from services.case_service.domain.incoming.table import EFFECTS, hear
from services.case_service.domain.links import mirror
from services.case_service.domain.orders import join, open_case, point_at, point_of
from services.case_service.domain.sla_targets import SlaTargets, aim
from services.case_service.domain.waits import EFFECTS as TIMERS
from services.case_service.domain.waits import ring


def hearing(policy: Policy) -> Handlers:
    """The handlers of the service, with the operator's waiting times."""
    handlers = Handlers(main=Case)
    handlers.on(OrderReceived, needs=_of_order)(lambda received, unit: take_order(received, unit, policy))
    handlers.on(OrderCancelled, needs=_of_cancelled)(lambda received, unit: withdraw_order(received, unit, policy))
    handlers.on(OrderAmended, needs=_of_change)(_to_known_case(policy, amend_order))
    handlers.on(MasterDataReceived, needs=_of_change)(_to_known_case(policy, take_master_data))
    handlers.on(FormActivated, needs=_of_form)(keep_form)
    handlers.on(CalibrationFellDue, needs=_of_calibration)(lambda heard, unit: calibrate(heard, unit, policy))
    handlers.on(CommissioningPending, needs=_of_silence)(lambda heard, unit: hear_silence(heard, unit, policy))
    handlers.on(HandoverRejected, needs=_of_rejection)(lambda heard, unit: hear_rejection(heard, unit, policy))
    for fact in EFFECTS.keys() - {CommissioningPending, HandoverRejected}:
        handlers.on(fact, needs=_of_case)(lambda received, unit: hear_of_case(received, unit, policy))
    for kind in TIMERS:
        handlers.due(kind, needs=_of_timer)(lambda timer, unit: ring_for_case(timer, unit, policy))
    return handlers


def take_order(received: Received[OrderReceived], unit: Unit, policy: Policy) -> None:
    """A partner ordered work: a new case, a second reference, or a newer version of what is known."""
    order, act = received.event, act_of(unit, policy, received.id)
    before = _known(unit, order.order_key)
    if before is not None and receive_again(before, act, order):
        aim(before, unit.find(SlaTargets, order.operator), act.policy)
        conclude(before, unit, act)
        return
    same_point = _known(unit, point_of(order))
    if before is None and same_point is not None:
        join(same_point, act, order)
        case = same_point
    else:
        case = _open(unit, act, order, before, same_point)
    _bury(case, unit, act, order)
    answer_at_once(case, act)
    conclude(case, unit, act)


def _open(unit: Unit, act: Act, order: OrderReceived, before: Case | None, same_point: Case | None) -> Case:
    """Open a case; one that is closed hands the order's key on, and keeps the point while it is not at its end."""
    replaces = None
    if before is not None:
        replaces = before.case_id
        for reference in before.references:
            if reference.order_key == order.order_key:
                reference.current_key = None
        before.remark(act, None, "replaced", order_version=order.version)
        conclude(before, unit, act)
    flow = valid_on(unit.find(FlowBook, _flow_of(order)), order.kind.case_type, act.today)
    case = open_case(act, order, holds_point=same_point is None, replaces=replaces, flow=flow)
    aim(case, unit.find(SlaTargets, order.operator), act.policy)
    unit.add(case)
    if before is not None:
        mirror(before, case)
    return case


def _bury(case: Case, unit: Unit, act: Act, order: OrderReceived) -> None:
    """The cancellation came before its order: opened and closed at once (J51)."""
    stone = unit.find(OrderTombstone, order.order_key)
    if stone is None or order.version > stone.cancelled_version:
        return
    withdrawn = OrderCancelled(
        order_key=order.order_key,
        partner=order.partner,
        version=stone.cancelled_version,
        reason=stone.reason,
        cancelled_by=order.partner,
        received_at=order.received_at,
    )
    cancel_order(case, act, withdrawn)


def withdraw_order(received: Received[OrderCancelled], unit: Unit, policy: Policy) -> None:
    """A partner withdrew an order; of one that is not known yet a tombstone stays."""
    event, act = received.event, act_of(unit, policy, received.id)
    case = _known(unit, event.order_key)
    if case is not None:
        cancel_order(case, act, event)
        conclude(case, unit, act)
        return
    stone = unit.find(OrderTombstone, event.order_key)
    if stone is None:
        unit.add(
            OrderTombstone(order_key=event.order_key, cancelled_version=event.version, reason=event.reason, at=unit.now)
        )
    elif event.version > stone.cancelled_version:
        stone.cancelled_version, stone.reason = event.version, event.reason


def keep_form(received: Received[FormActivated], unit: Unit) -> None:
    """Reports are checked against the version that they name (G16); a version never changes."""
    event = received.event
    form_id = f"{event.form_key}/{event.form_version}"
    if unit.find(FormVersion, form_id) is None:
        unit.add(
            FormVersion(
                form_id=form_id,
                operator=event.operator,
                work_kind=event.work_kind,
                answers=dict(event.schema_),
                valid_from=event.valid_from,
            )
        )


def hear_of_case(received: Received[Any], unit: Unit, policy: Policy) -> None:
    """A fact about a case: what it does stands in the table of §2.4."""
    case, act = known(unit, _case_id(received.event)), act_of(unit, policy, received.id)
    hear(case, act, received.event)
    conclude(case, unit, act)


def hear_silence(received: Received[CommissioningPending], unit: Unit, policy: Policy) -> None:
    """A gateway does not communicate; the second without coverage in a building warns those who come next (A13)."""
    hear_of_case(received, unit, policy)
    case, act = known(unit, _case_id(received.event)), act_of(unit, policy, received.id)
    if received.event.cause is not CommsCause.NO_COVERAGE or case.building is None:
        return
    neighbours = unit.get(Building, case.building).case_ids
    cases = {each.case_id: each for each in (case, *(unit.get(Case, str(name)) for name in neighbours))}
    for flagged in forecast(act, cases.values(), str(case.case_id)):
        conclude(flagged, unit, act)


def hear_rejection(received: Received[HandoverRejected], unit: Unit, policy: Policy) -> None:
    """A partner refuses. A complete case that opens again holds its point again, if no other case does (I13)."""
    case = known(unit, _case_id(received.event))
    was_over = case.terminal
    hear_of_case(received, unit, policy)
    if was_over and not case.terminal and unit.find(Case, point_at(case)) is None:
        case.open_point = point_at(case)


def calibrate(received: Received[CalibrationFellDue], unit: Unit, policy: Policy) -> None:
    """A calibration ends: a note on the open case of the point, else a new case; once per device and day (J56)."""
    event, act = received.event, act_of(unit, policy, received.id)
    if unit.find(Calibration, calibration_key(event)) is not None:
        return
    open_cases = [case for key in points_of(event) if (case := unit.find(Case, key))]
    latest = _latest_at(unit, event.metering_point_id) if not open_cases else None
    flow = valid_on(unit.find(FlowBook, flow_key(event.operator, CaseType.EXCHANGE)), CaseType.EXCHANGE, act.today)
    case, is_new = fell_due(act, event, open_cases, latest, flow)
    if is_new:
        aim(case, unit.find(SlaTargets, event.operator), policy)
        unit.add(case)
    conclude(case, unit, act)
    unit.add(
        Calibration(
            calibration_key=calibration_key(event),
            device_id=event.device_id,
            due_on=event.due_on,
            case_id=case.case_id,
            at=unit.now,
        )
    )


def _latest_at(unit: Unit, metering_point_id: str) -> Case | None:
    found = unit.get(Point, metering_point_id).case_ids
    return unit.find(Case, str(found[0])) if found else None


def ring_for_case(timer: Timer, unit: Unit, policy: Policy) -> None:
    """Something was waited for too long. A timer that no longer applies does nothing."""
    case, act = known(unit, timer.payload["case_id"]), act_of(unit, policy)
    if ring(case, act, timer.kind, timer.key, timer.due_at):
        conclude(case, unit, act)


def _to_known_case(policy: Policy, effect: Callable[[Case, Act, Any], None]) -> Callable[[Received[Any], Unit], None]:
    """A fact about an order that means nothing before the order itself: it waits for it."""

    def handle(received: Received[Any], unit: Unit) -> None:
        case, act = known(unit, received.event.order_key), act_of(unit, policy, received.id)
        effect(case, act, received.event)
        aim(case, unit.find(SlaTargets, case.operator), policy)
        conclude(case, unit, act)

    return handle


def _case_id(event: Event) -> str:
    """Events of devices have the device as their key, and name the case."""
    return str(event.case_id)  # type: ignore[attr-defined]


def _known(unit: Unit, key: str) -> Case | None:
    return known(unit, key) if unit.find(Case, key) else None


def _flow_of(event: OrderReceived) -> str:
    return flow_key(event.operator, event.kind.case_type)


def _of_case(event: Event, unit: Unit) -> Iterable[Ref]:
    return of_case(unit, _case_id(event))


def _of_order(event: OrderReceived, unit: Unit) -> Iterable[Ref]:
    yield OrderTombstone, event.order_key
    yield FlowBook, _flow_of(event)
    yield SlaTargets, event.operator
    yield Case, point_of(event)
    yield from of_case(unit, event.order_key)
    yield from of_case(unit, point_of(event))


def _of_rejection(event: HandoverRejected, unit: Unit) -> Iterable[Ref]:
    yield from of_case(unit, _case_id(event))
    if (case := unit.find(Case, _case_id(event))) is not None:
        yield Case, point_at(case)


def _of_silence(event: CommissioningPending, unit: Unit) -> Iterable[Ref]:
    yield from of_case(unit, _case_id(event))
    case = unit.find(Case, _case_id(event))
    if case is not None and case.building is not None and event.cause is CommsCause.NO_COVERAGE:
        yield Building, case.building
        yield from ((Case, str(name)) for name in unit.get(Building, case.building).case_ids)


def _of_calibration(event: CalibrationFellDue, unit: Unit) -> Iterable[Ref]:
    yield Calibration, calibration_key(event)
    yield FlowBook, flow_key(event.operator, CaseType.EXCHANGE)
    yield SlaTargets, event.operator
    yield Point, event.metering_point_id
    yield from ((Case, key) for key in points_of(event))
    yield from ((Case, str(name)) for name in unit.get(Point, event.metering_point_id).case_ids)
    for key in points_of(event):
        if unit.find(Case, key) is not None:
            yield from of_case(unit, key)


def _of_change(event: OrderAmended | MasterDataReceived, unit: Unit) -> Iterable[Ref]:
    """The case, and the targets of its operator: another priority may mean another target."""
    yield from of_case(unit, event.order_key)
    if (case := unit.find(Case, event.order_key)) is not None:
        yield SlaTargets, case.operator


def _of_cancelled(event: OrderCancelled, unit: Unit) -> Iterable[Ref]:
    yield OrderTombstone, event.order_key
    yield from of_case(unit, event.order_key)


def _of_form(event: FormActivated, _: Unit) -> Iterable[Ref]:
    return ((FormVersion, f"{event.form_key}/{event.form_version}"),)


def _of_timer(timer: Timer, unit: Unit) -> Iterable[Ref]:
    return of_case(unit, timer.payload["case_id"])
