"""How partners' orders open, join and amend a case; what a newer version of an order changes (T34)."""

from collections.abc import Mapping
from typing import Any

from contracts.cases import CaseAmended, CaseOpened
from contracts.codes import Blocker, Cancellation, ExceptionType, Flag, MoveDecision, State, WorkOrderKind
from contracts.contacts import ContactRecorded
from contracts.ids import CaseId, Code
from contracts.orders import OrderAmended, OrderReceived
from contracts.parts import Address, Contact, Link
from services.case_service.domain.act import Act
from services.case_service.domain.activities import open_first, open_planned, permit
from services.case_service.domain.case import Case
from services.case_service.domain.entries import OrderReference, SlaTarget
from services.case_service.domain.exceptions import end_all, raise_exception
from services.case_service.domain.flow import STANDARD, Flow
from services.case_service.domain.flows import exchange_again, open_work_order, remaining, request_material
from services.case_service.domain.work_order import WorkOrder

TOLD = (
    *("origin", "legal_basis", "metering_point_id", "metering_point_scheme", "area", "priority", "window", "fixed_on"),
    *("due_on", "device_plan", "other_party_attends"),
)
"""Fields of a case that an order may change and that everybody hears."""
KEPT = ("planned_on", "permits", "registers", "site")
"""Fields that an order may change and that stay here."""
REACHING = ("contact", "address", "position", "access_note")
"""Fields that go out as ContactRecorded."""
BLOCKING = frozenset({"address", "metering_point_id", "remove"})
"""What sends a technician to the wrong door or device; a READY order waits until somebody has seen it."""
BOUND_TO_A_VISIT = frozenset({WorkOrderKind.REWORK, WorkOrderKind.COMMS_REPAIR, WorkOrderKind.REVERSAL})
"""What these do follows from the visit before them, not from what the partner orders."""
ON_THE_WAY = frozenset({State.READY, State.IN_PROGRESS, State.RESOLVED, State.REJECTED_BY_MDM})


def point_key(operator: Code, metering_point_id: str, case_type: Code) -> str:
    """What only one open case may have (I13)."""
    return f"{operator}/{metering_point_id}/{case_type}"


def building_of(address: Address) -> str | None:
    """The building that an address names: street, number and postcode, however they are spelt (A13)."""
    parts = ("".join(part.split()).casefold() for part in (address.postcode, address.street, address.number))
    key = "/".join(parts)
    return key if address.street.strip() else None


def point_of(order: OrderReceived) -> str:
    """The point key of an order."""
    return point_key(order.operator, order.metering_point_id, order.kind.case_type)


def point_at(case: Case) -> str:
    """The point key that a case has while it is open."""
    return point_key(case.operator, case.metering_point_id, case.case_type)


def reference_to(order: OrderReceived) -> OrderReference:
    """The order as the case remembers it."""
    return OrderReference(
        order_key=order.order_key,
        current_key=order.order_key,
        partner=order.partner,
        order_version=order.version,
        answer=order.answer,
    )


def open_case(
    act: Act,
    order: OrderReceived,
    *,
    holds_point: bool = True,
    replaces: CaseId | None = None,
    flow: Flow | None = None,
) -> Case:
    """A partner ordered work: a case with its first work order, and the customer's contact."""
    links = (Link(case_id=replaces, kind="replaces"),) if replaces else ()
    flow = flow or STANDARD[order.kind.case_type]
    case = Case(
        case_id=CaseId(act.new_id()),
        operator=order.operator,
        case_type=order.kind.case_type,
        flow_version=flow.number,
        kept_flow=flow,
        origin=order.origin,
        legal_basis=order.legal_basis,
        metering_point_id=order.metering_point_id,
        metering_point_scheme=order.metering_point_scheme,
        open_point=point_of(order) if holds_point else None,
        area=order.area,
        priority=order.priority,
        window=order.window,
        fixed_on=order.fixed_on,
        planned_on=order.planned_on,
        due_on=order.due_on,
        device_plan=order.device_plan,
        permits=order.permits,
        other_party_attends=order.other_party_attends,
        registers=order.registers,
        site=order.site,
        flags=(Flag.OTHER_PARTY_ATTENDS,) if order.other_party_attends else (),
        links=links,
        opened_at=act.at,
        contact=order.contact,
        address=order.address,
        position=order.position,
        access_note=order.access_note,
        references=[reference_to(order)],
        sla_target=SlaTarget(days=act.policy.sla_days, working_days=act.policy.sla_working_days),
    )
    begin(case, act)
    return case


def begin(case: Case, act: Act) -> None:
    """Tell a new case, whoever wanted it: its contact, its first work order, the activities that come with it."""
    case.building = building_of(case.address)
    case.told.append(
        CaseOpened(
            case_id=case.case_id,
            version=case.edition,
            operator=case.operator,
            case_type=case.case_type,
            flow_version=case.flow_version,
            orders=case.order_keys,
            installer_linked=case.installer is not None,
            links=case.links,
            **{name: getattr(case, name) for name in TOLD},
        )
    )
    record_contact(case)
    kind = case.flow.kind_for(case.device_plan)
    open_work_order(case, act, kind=kind, plan=case.device_plan, due_on=case.due_on)
    open_first(case, act)


def record_contact(case: Case) -> None:
    """Tell how the customer can be reached now."""
    case.contact_version += 1
    case.purged = None if case.contact else case.purged
    contact = case.contact or Contact(name="", language="de", sms_allowed=False)
    case.told.append(
        ContactRecorded(
            case_id=case.case_id,
            version=case.contact_version,
            name=contact.name,
            phone=contact.phone,
            email=contact.email,
            language=contact.language,
            sms_allowed=contact.sms_allowed,
            address=case.address,
            position=case.position,
            access_note=case.access_note,
            points_at_address=1,
        )
    )


def tell_amended(case: Case, changed: tuple[Code, ...]) -> None:
    """Something about the case has another value now."""
    case.edition += 1
    values: dict[str, Any] = {name: getattr(case, name) for name in TOLD if name in changed}
    if "orders" in changed:
        values["orders"] = case.order_keys
    if "installer_linked" in changed:
        values["installer_linked"] = case.installer is not None
    if "links" in changed:
        values["links"] = case.links
    case.told.append(
        CaseAmended(case_id=case.case_id, version=case.edition, changed=changed, flags=case.flags, **values)
    )


def join(case: Case, act: Act, order: OrderReceived) -> None:
    """Another partner ordered the same work at the same point: a second reference, no second case."""
    case.references.append(reference_to(order))
    case.remark(act, None, "second_reference", partner=order.partner)
    tell_amended(case, ("orders",))


def amend(case: Case, act: Act, news: OrderReceived | OrderAmended) -> None:
    """T34: a newer version of an order. Takes over what differs, tells it, and stops who must not work on."""
    given = {name: getattr(news, name) for name in (*TOLD, *KEPT, *REACHING)}
    if isinstance(news, OrderAmended):
        given = {name: value for name, value in given.items() if value is not None}
    if news.contact is not None and case.opted_out:
        given["contact"] = news.contact.model_copy(update={"sms_allowed": False})
    apply(case, act, given, takes_back=True)


def apply(case: Case, act: Act, given: Mapping[str, Any], *, takes_back: bool) -> None:
    """Take over the values that differ, with all that follows for the work orders.

    `takes_back`: the partner wants the work again. Only a newer version of its order says that, never its data (§6).
    """
    was, permits = case.device_plan, case.permits
    changed = _take_over(case, given)
    _open_new_permits(case, act, permits)
    withdrawn = [order for order in case.unclosed if order.undecided and takes_back]
    dangerous = set(changed) | ({"remove"} if was.remove != case.device_plan.remove else set())
    if dangerous & BLOCKING and any(order.state in ON_THE_WAY for order in case.unclosed):
        raise_exception(case, act, ExceptionType.MASTER_DATA_CONFLICT, reason="amended")
    for order in case.unclosed:
        if order in withdrawn:
            order.cancellation, order.withdrawn_at = Cancellation.NONE, None
        if dangerous & BLOCKING and order.state is State.READY:
            order.blockers = order.blockers | {Blocker.MASTER_DATA_CHANGED: ", ".join(sorted(dangerous & BLOCKING))}
        if "device_plan" in changed:
            _plan_anew(case, act, order)
        reason = "cancellation_withdrawn" if order in withdrawn else "amended"
        case.step(act, order, "T34", order.state, reason=reason)
    if withdrawn:
        end_all(case, act, (ExceptionType.CANCELLED_IN_WORK,))
    if changed:
        case.remark(act, None, "amended", fields=list(changed))
        tell_amended(case, changed)
    if set(changed) & set(REACHING):
        record_contact(case)


def _take_over(case: Case, given: Mapping[str, Any]) -> tuple[Code, ...]:
    """Set what differs; who was forgotten does not come back by itself (D-DP-1)."""
    hidden = REACHING if case.purged else ()
    changed = tuple(name for name, value in given.items() if name not in hidden and getattr(case, name) != value)
    for name in changed:
        setattr(case, name, given[name])
    case.flags, case.building = _flags(case), building_of(case.address)
    return changed


def _open_new_permits(case: Case, act: Act, before: tuple[Code, ...]) -> None:
    """One activity for each permit that the order did not ask for before."""
    for code in case.permits:
        if code not in before:
            open_planned(case, act, permit(code))


def _plan_anew(case: Case, act: Act, order: WorkOrder) -> None:
    """A plan that nobody has worked by yet is replaced by what is left of the new one; its material with it."""
    if order.used or order.kind in BOUND_TO_A_VISIT:
        return
    before = case.predecessor_of(order)
    refused = before is not None and before.decision is MoveDecision.MDM_ERROR
    order.device_plan = (exchange_again if refused else remaining)(case, case.device_plan)
    if order.material_requested:
        case.release_material(order, "amended")
        request_material(case, act, order)


def _flags(case: Case) -> tuple[Flag, ...]:
    other = {flag for flag in case.flags if flag is not Flag.OTHER_PARTY_ATTENDS}
    return tuple(sorted(other | ({Flag.OTHER_PARTY_ATTENDS} if case.other_party_attends else set())))
