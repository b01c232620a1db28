"""How work orders come to be: what is left of a plan, the next order, its material (lifecycle §8, §15)."""

from datetime import date

from contracts.cases import MaterialRequested, WorkOrderOpened
from contracts.codes import AnnouncedPlan, Blocker, DeviceRole, State, WorkOrderKind
from contracts.ids import Code, WorkOrderId
from contracts.parts import DevicePlan, MaterialLine, PlannedRemoval
from services.case_service.domain.act import Act
from services.case_service.domain.calendar import local_day
from services.case_service.domain.case import Case
from services.case_service.domain.flow import has_gateway
from services.case_service.domain.serials import plain
from services.case_service.domain.work_order import WorkOrder


def announced_plan(plan: DevicePlan) -> AnnouncedPlan:
    """What kind of system partners are told of."""
    return AnnouncedPlan.IMS if has_gateway(plan) else AnnouncedPlan.MME


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


def exchange_again(case: Case, plan: DevicePlan) -> DevicePlan:
    """A field fix of a refused handover changes the devices that were handed over, unless somebody says else."""
    roles: set[DeviceRole] = {item.role for item in plan.install}
    there = [device for device in case.on_site if device.role in roles]
    if not there:
        return remaining(case, plan)
    remove = tuple(PlannedRemoval(role=device.role, serial=device.serial) for device in there)
    return DevicePlan(plan=plan.plan, install=plan.install, remove=remove)


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
        skills=case.flow.skills_for(plan),
        duration_min=case.flow.minutes_for(kind),
        due_on=due_on,
        company_id=predecessor.company_id if predecessor else act.company,
        blockers={Blocker.PERMIT_OPEN: ", ".join(case.open_permits)} if case.open_permits else {},
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
