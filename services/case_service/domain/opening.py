"""Cases that no partner's order opens: after another case, for an installer, a quote or a due calibration (§15)."""

from typing import Any

from contracts.codes import CaseType, DeviceRole, LegalBasis, Origin, Scheme
from contracts.ids import CaseId, Code, Principal, Ref
from contracts.parts import Address, Area, Contact, Days, DevicePlan, Link, OrderedSite, PlanItem
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.entries import SlaTarget
from services.case_service.domain.flow import STANDARD, Flow
from services.case_service.domain.orders import begin, point_key

PRIORITY = 50
A_METER = DevicePlan(plan="MME", install=(PlanItem(role=DeviceRole.METER, quantity=1, alternatives=()),), remove=())


def open_in_house(
    act: Act,
    *,
    operator: Code,
    case_type: CaseType,
    origin: Origin,
    legal_basis: LegalBasis,
    metering_point_id: Ref,
    metering_point_scheme: Scheme,
    area: Area,
    address: Address,
    plan: DevicePlan,
    holds_point: bool,
    flow: Flow | None = None,
    contact: Contact | None = None,
    window: Days | None = None,
    links: tuple[Link, ...] = (),
    installer: Principal | None = None,
    **more: Any,
) -> Case:
    """Open a case without an order, and tell it. `holds_point`: no other open case of its type is at the point."""
    flow = flow or STANDARD[case_type]
    made: dict[str, Any] = {"priority": PRIORITY, "site": OrderedSite(generation=False)} | more
    case = Case(
        case_id=CaseId(act.new_id()),
        operator=operator,
        case_type=case_type,
        flow_version=flow.number,
        kept_flow=flow,
        origin=origin,
        legal_basis=legal_basis,
        metering_point_id=metering_point_id,
        metering_point_scheme=metering_point_scheme,
        open_point=point_key(operator, metering_point_id, case_type) if holds_point else None,
        area=area,
        address=address,
        device_plan=plan,
        contact=contact,
        window=window,
        links=links,
        installer=installer,
        opened_at=act.at,
        sla_target=SlaTarget(days=act.policy.sla_days, working_days=act.policy.sla_working_days),
        **made,
    )
    begin(case, act)
    return case


def open_like(act: Act, before: Case, plan: DevicePlan, *, holds_point: bool, kind: Code, **given: Any) -> Case:
    """Open a case at the point and for the customer of another one, linked to it."""
    known: dict[str, Any] = {
        "operator": before.operator,
        "case_type": before.case_type,
        "origin": before.origin,
        "legal_basis": before.legal_basis,
        "metering_point_id": before.metering_point_id,
        "metering_point_scheme": before.metering_point_scheme,
        "area": before.area,
        "address": before.address,
        "contact": before.contact,
        "position": before.position,
        "access_note": before.access_note,
        "priority": before.priority,
        "registers": before.registers,
        "site": before.site,
        "links": (Link(case_id=before.case_id, kind=kind),),
    }
    return open_in_house(act, plan=plan, holds_point=holds_point, **(known | given))
