"""Cases, work orders, acts and orders as tests need them."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from contracts.codes import (
    Cancellation,
    CloseReason,
    LegalBasis,
    OrderKind,
    Origin,
    Outcome,
    Result,
    Scheme,
    State,
)
from contracts.ids import AppointmentId, CompanyId, TechnicianId, VisitId, WorkOrderId
from contracts.orders import OrderReceived
from contracts.parts import (
    Address,
    Area,
    Contact,
    DevicePlan,
    InstalledDevice,
    OrderedSite,
    PlanItem,
    PlannedRemoval,
    RegisterReading,
    RemovedDevice,
    RemovedRegisterReading,
)
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Bookable, Handover, HandoverState
from services.case_service.domain.orders import open_case
from services.case_service.domain.requests import MoveRequest, Report
from services.case_service.domain.states import COLUMNS_OF, Column
from services.case_service.domain.work_order import Approval, BuiltIn, PendingOffer, WorkOrder

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TECHNICIAN = TechnicianId(UUID(int=0x7EC))
COMPANY = CompanyId(UUID(int=0xC0))
APPOINTMENT = AppointmentId(UUID(int=0xA9))
PLANNER = "person:local:anna"
OTHER_PERSON = "person:local:quirin"
TECHNICIAN_ID = "person:local:tom"


KNOWN: Mapping[Column, dict[str, Any]] = {
    Column.RP: {"offer": 1, "pending": PendingOffer(channel="letter", asked_at=NOW)},
    Column.AR: {"offer": 1, "customer_knows": True},
    Column.MF: {"came_from": State.AWAITING_REPLY},
    Column.RD: {"dispatched_to": TECHNICIAN, "customer_knows": True},
    Column.IP: {"dispatched_to": TECHNICIAN, "customer_knows": True},
    Column.OH: {"hold_until": date(2026, 4, 1)},
    Column.RJ: {"rejection": "open"},
    Column.CLOSED_WELL: {"close_reason": CloseReason.DONE},
    Column.CLOSED_OTHERWISE: {"close_reason": CloseReason.CANCELLED, "cancellation": Cancellation.CONFIRMED},
}
"""What an order in a column usually knows beside its plan and its visit."""


def numbered(start: int = 1) -> Callable[[], UUID]:
    """Ids in a row."""
    numbers: Iterator[int] = count(start)
    return lambda: UUID(int=next(numbers))


IDS = numbered(0x1000)


def an_act(actor: str = PLANNER, *, at: datetime = NOW, technician: TechnicianId | None = None) -> Act:
    """Somebody at work; a new event id each time."""
    return Act(at=at, actor=actor, new_id=IDS, event_id=IDS(), technician=technician)


def in_the_field(at: datetime = NOW) -> Act:
    """The technician at work."""
    return an_act(TECHNICIAN_ID, at=at, technician=TECHNICIAN)


def a_plan(*, gateway: bool = False) -> DevicePlan:
    """One meter against another, perhaps with a gateway."""
    meter = PlanItem(role="meter", device_type="mme-3", quantity=1, alternatives=("mme-3b",))
    smgw = PlanItem(role="smgw", device_type="smgw-1", quantity=1, alternatives=())
    return DevicePlan(
        plan="IMSYS" if gateway else "MME",
        install=(meter, smgw) if gateway else (meter,),
        remove=(PlannedRemoval(role="meter", serial="OLD1"),),
    )


def an_order(**given: Any) -> OrderReceived:
    """A partner's order."""
    made = {
        "order_key": "erp-a:4711",
        "partner": "erp-a",
        "order_no": "4711",
        "version": 1,
        "received_at": NOW,
        "kind": OrderKind.EXCHANGE,
        "operator": "nord",
        "metering_point_id": "DE000123001010000000000000001234A",
        "metering_point_scheme": Scheme.MELO,
        "area": Area(postcode="00101", municipality="05111000"),
        "device_plan": a_plan(),
        "registers": (),
        "site": OrderedSite(generation=False),
        "priority": 50,
        "origin": Origin.STATUTORY,
        "legal_basis": LegalBasis.MANDATORY,
        "permits": (),
        "other_party_attends": False,
        "contact": Contact(name="A. Kunde", phone="+4915112345678", language="de", sms_allowed=True),
        "address": Address(street="Am Markt", number="1", postcode="00101", city="Musterstadt", country="DE"),
    }
    return OrderReceived(**(made | given))


def a_new_case(**given: Any) -> Case:
    """A case as its order opens it; nothing told yet."""
    case = open_case(an_act("system:case_service"), an_order(**given))
    case.told.clear()
    case.beside.clear()
    return case


def a_case(column: Column | str = Column.OP, *, gateway: bool = False, **attributes: Any) -> Case:
    """A case whose one work order stands in this column, with what an order there usually knows."""
    case = a_new_case(device_plan=a_plan(gateway=gateway))
    case.bookable = Bookable(notice_required=False, bookable_from=NOW.date())
    put(case, case.work_orders[0], Column(column))
    for name, value in attributes.items():
        setattr(case.work_orders[0], name, value)
    return case


def put(case: Case, order: WorkOrder, column: Column) -> None:
    """Place a work order in a column, with what an order there knows."""
    order.state = next(state for state, columns in COLUMNS_OF.items() if column in columns)
    if column not in {Column.OP, Column.RO, Column.CLOSED_OTHERWISE}:
        plan(order)
    if column in {Column.RESOLVED_WELL, Column.RJ, Column.CLOSED_WELL}:
        resolve(order, Result.OK)
    if column in {Column.RESOLVED_FAILED, Column.RO}:
        resolve(order, Result.NOT_AT_HOME)
    if column in {Column.CLOSED_WELL, Column.RJ}:
        approve(order)
        request(case, order)
    for name, value in KNOWN.get(column, {}).items():
        setattr(order, name, value)


def plan(order: WorkOrder) -> None:
    """Give it technician, time and appointment."""
    order.responsible, order.company_id = TECHNICIAN, COMPANY
    order.start, order.estimate = NOW + timedelta(days=7), 45
    order.appointment_id, order.revision = APPOINTMENT, 0


def resolve(order: WorkOrder, result: Result) -> None:
    """Give it a reported visit."""
    order.resolved_at, order.result, order.outcome = NOW, result, result.outcome
    order.visit_id, order.visit_version, order.evidence_version = VisitId(IDS()), 1, 1
    order.performed_by, order.customer_knows = (TECHNICIAN_ID,), True
    if result.outcome is not Outcome.FAILED:
        order.installed = (BuiltIn(role="meter", serial="NEW1"),)
        order.removed = (BuiltIn(role="meter", serial="OLD1"),)
    else:
        order.sub_reason = "customer_not_home"


def approve(order: WorkOrder) -> None:
    """A reviewer approved the evidence as it is."""
    order.approval = Approval(evidence_version=order.evidence_version, digest="d1", event_id=IDS())


def request(case: Case, order: WorkOrder, state: HandoverState = HandoverState.WAITING) -> None:
    """The exchange was handed over."""
    order.handover = 1 + max((each.attempt for each in case.handovers), default=0)
    case.handovers += (
        Handover(
            fact="exchange_completed",
            attempt=order.handover,
            work_order_id=order.work_order_id,
            requested_at=NOW,
            state=state,
        ),
    )


def withdrawn(case: Case) -> Case:
    """The partner withdrew, and nobody has decided."""
    order = case.work_orders[0]
    case.references[0].cancelled_version, case.references[0].cancelled_at = 1, NOW
    order.cancellation, order.withdrawn_at = Cancellation.UNDECIDED, NOW
    return case


def a_report(result: Result | str = Result.OK, **given: Any) -> Report:
    """A report that passes every check."""
    done = Result(result).outcome is not Outcome.FAILED
    made: dict[str, Any] = {
        "result": result,
        "arrived_at": NOW,
        "finished_at": NOW + timedelta(minutes=40),
        "form_key": "meter_exchange",
        "form_version": 1,
        "answers": {"comms_ok": True},
        "installed": (a_device(),) if done else (),
        "removed": (an_old_device(),) if done else (),
        "sub_reason": {Result.NOT_AT_HOME: "customer_not_home", Result.MATERIAL_MISSING: "missing_equipment"}.get(
            Result(result)
        ),
        "missing": {Result.DOCS_INCOMPLETE: ("protocol",), Result.MATERIAL_MISSING: ("meter",)}.get(Result(result), ()),
    }
    return Report(**(made | given))


def a_device(serial: str = "NEW1", **given: Any) -> InstalledDevice:
    """A meter that was put in."""
    reading = RegisterReading(obis="1-0:1.8.0", reading="0", unit="kWh", at=NOW, source="typed")
    made = {"role": "meter", "serial": serial, "device_type": "mme-3", "at": NOW, "comms": "none"}
    return InstalledDevice(**(made | {"registers": (reading,)} | given))


def a_gateway(serial: str = "GW1", comms: str = "pending") -> InstalledDevice:
    """A gateway that was put in."""
    cause = "head_end" if comms == "pending" else None
    return InstalledDevice(
        role="smgw", serial=serial, device_type="smgw-1", at=NOW, comms=comms, comms_cause=cause, registers=()
    )


def an_old_device(serial: str = "OLD1") -> RemovedDevice:
    """A meter that was taken out."""
    reading = RemovedRegisterReading(obis="1-0:1.8.0", reading="23456", unit="kWh", at=NOW, source="typed")
    return RemovedDevice(role="meter", serial=serial, at=NOW, destination="van", registers=(reading,))


def the_order(case: Case) -> WorkOrder:
    """The first work order of a case."""
    return case.by_sequence[0]


def a_request(move: str, **given: Any) -> MoveRequest:
    """A move with everything that guards want to hear, unless said otherwise."""
    made: dict[str, Any] = {"reason": "because", "return_on": date(2026, 4, 1), "report": None}
    if move in {"resolve", "correct_report"}:
        made["report"] = a_report()
    if move == "close_case":
        made |= {"customer_informed": True, "technician_informed": True, "resolution": "no_more_attempts"}
    if move != "put_on_hold":
        del made["return_on"]
    if move == "set_flag":
        made["flag"] = "DIFFICULT"
    if move == "assign":
        made["responsible"] = TECHNICIAN
    if move == "add_evidence":
        made["evidence"] = ({"evidence_id": UUID(int=0xE), "kind": "protocol", "sha256": "ab12"},)
    return MoveRequest(move=move, **(made | given))


def follow_up_of(case: Case, kind: str, column: Column | str = Column.OP) -> WorkOrder:
    """A follow-up of the first work order, in this column."""
    first = the_order(case)
    order = WorkOrder(
        work_order_id=WorkOrderId(IDS()),
        sequence=2,
        kind=kind,
        state=State.OPEN,
        predecessor=first.work_order_id,
        device_plan=DevicePlan(plan="MME", install=(), remove=()),
        due_on=date(2026, 3, 16),
        opened_at=NOW,
    )
    case.work_orders.append(order)
    put(case, order, Column(column))
    return order
