"""Which work a case starts with: kind, skills and duration by case type and device plan (lifecycle §15, version 1)."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from contracts.cases import MaterialRequested, WorkOrderOpened
from contracts.codes import AnnouncedPlan, CaseType, DeviceRole, State, WorkOrderKind
from contracts.ids import Code, WorkOrderId
from contracts.parts import DevicePlan, MaterialLine
from services.case_service.domain.act import Act
from services.case_service.domain.calendar import local_day
from services.case_service.domain.case import Case
from services.case_service.domain.serials import plain
from services.case_service.domain.work_order import WorkOrder

FLOW_VERSION = 1

FIRST_KIND: Mapping[CaseType, WorkOrderKind] = MappingProxyType(
    {
        CaseType.EXCHANGE: WorkOrderKind.METER_EXCHANGE,
        CaseType.NEW_CONNECTION: WorkOrderKind.METER_INSTALL,
        CaseType.REMOVAL: WorkOrderKind.REMOVAL,
        CaseType.FAULT: WorkOrderKind.REPAIR,
        CaseType.MAINTENANCE: WorkOrderKind.REPAIR,
        CaseType.MEASUREMENT: WorkOrderKind.MEASUREMENT,
    }
)
MINUTES: Mapping[WorkOrderKind, int] = MappingProxyType(
    {
        WorkOrderKind.METER_EXCHANGE: 45,
        WorkOrderKind.METER_INSTALL: 60,
        WorkOrderKind.IMSYS_INSTALL: 90,
        WorkOrderKind.REMOVAL: 30,
        WorkOrderKind.REPAIR: 60,
        WorkOrderKind.MEASUREMENT: 30,
        WorkOrderKind.COMMS_REPAIR: 45,
        WorkOrderKind.REWORK: 45,
        WorkOrderKind.REVERSAL: 60,
    }
)
SKILLS: Mapping[DeviceRole, tuple[Code, ...]] = MappingProxyType(
    {
        DeviceRole.METER: ("meter_3ph",),
        DeviceRole.CURRENT_TRANSFORMER: ("meter_ct",),
        DeviceRole.SMGW: ("smgw", "silke_trained"),
        DeviceRole.CONTROL_BOX: ("control_box",),
    }
)


def first_kind(case_type: CaseType, plan: DevicePlan) -> WorkOrderKind:
    """What the first visit is for; a plan with a gateway is an intelligent metering system."""
    meters = case_type in {CaseType.EXCHANGE, CaseType.NEW_CONNECTION}
    return WorkOrderKind.IMSYS_INSTALL if meters and has_gateway(plan) else FIRST_KIND[case_type]


def has_gateway(plan: DevicePlan) -> bool:
    return any(item.role is DeviceRole.SMGW for item in plan.install)


def announced_plan(plan: DevicePlan) -> AnnouncedPlan:
    """What kind of system partners are told of."""
    return AnnouncedPlan.IMS if has_gateway(plan) else AnnouncedPlan.MME


def skills_for(plan: DevicePlan) -> tuple[Code, ...]:
    """What a technician must be able to do."""
    roles = [item.role for item in plan.install] + [item.role for item in plan.remove]
    return tuple(sorted({skill for role in roles for skill in SKILLS.get(role, ())}))


def remaining(case: Case, plan: DevicePlan) -> DevicePlan:
    """What of a plan is not yet done on site."""
    left = {role: sum(device.role is role for device in case.on_site) for role in DeviceRole}
    install = []
    for item in plan.install:
        done = min(item.quantity, left[item.role])
        left[item.role] -= done
        if item.quantity > done:
            install.append(item.model_copy(update={"quantity": item.quantity - done}))
    gone = {plain(device.serial) for order in case.work_orders for device in order.removed}
    roles_gone = {device.role for order in case.work_orders for device in order.removed}
    remove = [
        item
        for item in plan.remove
        if (plain(item.serial) not in gone if item.serial is not None else item.role not in roles_gone)
    ]
    return DevicePlan(plan=plan.plan, install=tuple(install), remove=tuple(remove))


def open_work_order(
    case: Case,
    act: Act,
    *,
    kind: Code,
    plan: DevicePlan,
    state: State = State.OPEN,
    predecessor: WorkOrder | None = None,
    due_on: date | None = None,
) -> WorkOrder:
    """Give the case its next work order, and tell it."""
    order = WorkOrder(
        work_order_id=WorkOrderId(act.new_id()),
        sequence=1 + max((each.sequence for each in case.work_orders), default=0),
        kind=kind,
        state=state,
        predecessor=predecessor.work_order_id if predecessor else None,
        device_plan=plan,
        skills=skills_for(plan),
        duration_min=MINUTES[WorkOrderKind(kind)],
        due_on=due_on,
        company_id=predecessor.company_id if predecessor else None,
        opened_at=act.at,
    )
    case.work_orders.append(order)
    case.told.append(
        WorkOrderOpened(
            case_id=case.case_id,
            work_order_id=order.work_order_id,
            sequence=order.sequence,
            state=state,
            kind=kind,
            predecessor=order.predecessor,
            device_plan=plan,
            skills=order.skills,
            duration_min=order.duration_min,
            due_on=due_on,
            company_id=order.company_id,
        )
    )
    case.record(act, order, reason="opened")
    return order


def request_material(case: Case, act: Act, order: WorkOrder) -> None:
    """Ask asset_service for what the plan installs; reservations of the predecessor are taken over.

    A reversal asks for nothing: what it puts back is what the visit before took away.
    """
    if order.kind == WorkOrderKind.REVERSAL:
        return
    lines = tuple(
        MaterialLine(
            line=number,
            role=item.role,
            device_type=item.device_type or item.role,
            quantity=item.quantity,
            alternatives=item.alternatives,
        )
        for number, item in enumerate(order.device_plan.install, 1)
    )
    if not lines:
        return
    order.material_requested = True
    case.told.append(
        MaterialRequested(
            case_id=case.case_id,
            work_order_id=order.work_order_id,
            sequence=order.sequence,
            predecessor=order.predecessor,
            lines=lines,
            needed_on=local_day(order.start, act.policy.zone) if order.start else None,
        )
    )
