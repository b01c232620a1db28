"""Events and stock for the stories of asset_service: a case, its work order, a request, a visit."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from contracts.assets import DeviceInstalled, DeviceRemoved
from contracts.bookings import AppointmentProposed
from contracts.cases import (
    CaseCancelled,
    CaseOpened,
    MaterialReleased,
    MaterialRequested,
    WorkOrderMoved,
    WorkOrderOpened,
)
from contracts.codes import (
    Cancellation,
    CaseType,
    CloseReason,
    Comms,
    Destination,
    DeviceRole,
    LegalBasis,
    Origin,
    Outcome,
    ReadingSource,
    Result,
    Scheme,
    State,
)
from contracts.event import Event
from contracts.parts import (
    Area,
    DevicePlan,
    FieldClient,
    InstalledDevice,
    MaterialLine,
    PlanItem,
    PlannedRemoval,
    RegisterReading,
    RemovedDevice,
    RemovedRegisterReading,
    Span,
    VisitedSite,
)
from contracts.visits import VisitReported
from kit.testing import Stage

SPACE = UUID("0197f000-0000-7000-8000-00000000a55e")
OLD, NEW, OTHER = "1LGZ0061578888", "1EMH0012345678", "1EMH0012345679"
METER = "mme_3ph"
TECHNICIAN, COMPANY = uuid5(SPACE, "technician"), uuid5(SPACE, "company")
VISIT_AT = datetime(2026, 3, 10, 9, tzinfo=UTC)
NEEDED_ON = date(2026, 3, 10)
PLAN = DevicePlan(
    plan="MME",
    install=(PlanItem(role=DeviceRole.METER, device_type=METER, quantity=1, alternatives=("mme_1ph",)),),
    remove=(PlannedRemoval(role=DeviceRole.METER, serial=OLD, manufacturer="LGZ"),),
)


def id_of(*names: object) -> UUID:
    """The same names, the same id."""
    return uuid5(SPACE, "/".join(map(str, names)))


def of_order(case: str = "a", order: int = 1) -> dict[str, Any]:
    return {"case_id": id_of("case", case), "work_order_id": id_of("order", case, order), "sequence": order}


def opened(case: str = "a", **changes: Any) -> CaseOpened:
    values: dict[str, Any] = {
        "case_id": id_of("case", case),
        "version": 1,
        "operator": "auental",
        "case_type": CaseType.EXCHANGE,
        "flow_version": 1,
        "origin": Origin.STATUTORY,
        "legal_basis": LegalBasis.MANDATORY,
        "metering_point_id": f"DE{case}",
        "metering_point_scheme": Scheme.MELO,
        "orders": (),
        "area": Area(postcode="00101", municipality="00000000"),
        "priority": 50,
        "device_plan": PLAN,
        "other_party_attends": False,
        "installer_linked": False,
        "links": (),
    }
    return CaseOpened(**values | changes)


def order_opened(case: str = "a", order: int = 1, **changes: Any) -> WorkOrderOpened:
    values: dict[str, Any] = {
        **of_order(case, order),
        "state": State.OPEN,
        "kind": "meter_exchange",
        "device_plan": PLAN,
        "skills": (),
        "duration_min": 30,
    }
    return WorkOrderOpened(**values | changes)


def proposed(
    case: str = "a", order: int = 1, technician: UUID = TECHNICIAN, at: datetime = VISIT_AT
) -> AppointmentProposed:
    window = Span(from_=at, to=at + timedelta(hours=2))
    return AppointmentProposed(
        **of_order(case, order),
        appointment_id=id_of("appointment", case, order),
        revision=0,
        attempt=0,
        block_start=at,
        block_minutes=30,
        window=window,
        technicians=(technician,),
        company_id=COMPANY,
        alternatives=(),
        by="person:local:anna",
    )


def line(number: int = 1, quantity: int = 1, device_type: str = METER, **changes: Any) -> MaterialLine:
    values: dict[str, Any] = {
        "line": number,
        "role": DeviceRole.METER,
        "device_type": device_type,
        "quantity": quantity,
        "alternatives": (),
    }
    return MaterialLine(**values | changes)


def requested(case: str = "a", order: int = 1, *lines: MaterialLine, **changes: Any) -> MaterialRequested:
    return MaterialRequested(**of_order(case, order), lines=lines or (line(),), **{"needed_on": NEEDED_ON, **changes})


def released(case: str = "a", order: int = 1) -> MaterialReleased:
    return MaterialReleased(**of_order(case, order), reason="on_hold")


def moved(
    move: str,
    from_state: State,
    to_state: State,
    case: str = "a",
    order: int = 1,
    close_reason: CloseReason | None = None,
    version: int = 2,
) -> WorkOrderMoved:
    return WorkOrderMoved(
        **of_order(case, order),
        version=version,
        move=move,
        from_state=from_state,
        to_state=to_state,
        close_reason=close_reason,
        cancellation=Cancellation.NONE,
        attempt=0,
        actor="person:local:anna",
    )


def cancelled(case: str = "a") -> CaseCancelled:
    return CaseCancelled(case_id=id_of("case", case), reason="partner", orders=())


def reading(value: str | int, at: datetime = VISIT_AT, obis: str = "1-0:1.8.0", **changes: Any) -> RegisterReading:
    values: dict[str, Any] = {"obis": obis, "reading": Decimal(value), "unit": "kWh", "at": at}
    return RegisterReading(**values | {"source": ReadingSource.TYPED} | changes)


def final(value: str | int, at: datetime = VISIT_AT, obis: str = "1-0:1.8.0", **changes: Any) -> RemovedRegisterReading:
    values: dict[str, Any] = {"obis": obis, "reading": Decimal(value), "unit": "kWh", "at": at}
    return RemovedRegisterReading(**values | {"source": ReadingSource.TYPED} | changes)


def came(serial: str = NEW, *registers: RegisterReading, **changes: Any) -> InstalledDevice:
    values: dict[str, Any] = {
        "role": DeviceRole.METER,
        "serial": serial,
        "at": VISIT_AT + timedelta(minutes=15),
        "comms": Comms.NONE,
        "registers": registers or (reading(0),),
    }
    return InstalledDevice(**values | changes)


def went(serial: str = OLD, *registers: RemovedRegisterReading, **changes: Any) -> RemovedDevice:
    values: dict[str, Any] = {
        "role": DeviceRole.METER,
        "serial": serial,
        "at": VISIT_AT,
        "destination": Destination.VAN,
        "registers": registers or (final(23_456),),
    }
    return RemovedDevice(**values | changes)


def visited(
    case: str = "a",
    order: int = 1,
    version: int = 1,
    installed: tuple[InstalledDevice, ...] | None = None,
    removed: tuple[RemovedDevice, ...] | None = None,
    **changes: Any,
) -> VisitReported:
    values: dict[str, Any] = {
        **of_order(case, order),
        "visit_id": id_of("visit", case, order),
        "visit_version": version,
        "evidence_version": version,
        "outcome": Outcome.OK,
        "result": Result.OK,
        "performed_by": ("person:local:tom",),
        "reported_by": "person:local:tom",
        "on_behalf": False,
        "technician_id": TECHNICIAN,
        "company_id": COMPANY,
        "arrived_at": VISIT_AT - timedelta(minutes=10),
        "finished_at": VISIT_AT + timedelta(minutes=30),
        "device_plan": PLAN,
        "installed": (came(),) if installed is None else installed,
        "removed": (went(),) if removed is None else removed,
        "site": VisitedSite(generation=False, postcode="00101"),
        "missing": (),
        "form_key": "meter_exchange",
        "form_version": 1,
        "answers": {},
        "evidence": (),
        "client": FieldClient(downloaded_version=1, clock_offset_s=0),
    }
    return VisitReported(**values | changes)


def failed(case: str = "a", order: int = 1) -> VisitReported:
    """Nobody was at home."""
    return visited(
        case,
        order,
        installed=(),
        removed=(),
        outcome=Outcome.FAILED,
        result=Result.NOT_AT_HOME,
        sub_reason="customer_not_home",
    )


async def stocked(
    stage: Stage, *serials: str, device_type: str = METER, store: str = "", **columns: str
) -> dict[str, Any]:
    """Receive devices by CSV; the answer."""
    names = ["manufacturer", "serial", "device_type", "store", *columns]
    rows = [["EMH", serial, device_type, store, *columns.values()] for serial in serials]
    body = "\n".join(";".join(row) for row in [names, *rows])
    async with stage.http("warehouse", name="walter") as client:
        answer = await client.post("/v1/imports/devices", content=body.encode(), headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def picked(stage: Stage, *serials: str, case: str = "a", order: int = 1) -> Any:
    async with stage.http("warehouse", name="walter") as client:
        body = {
            "work_order_id": str(of_order(case, order)["work_order_id"]),
            "serials": list(serials),
            "technician_id": str(TECHNICIAN),
        }
        return await client.post("/v1/picks", json=body)


async def returned(stage: Stage, *serials: str, store: str = "central") -> Any:
    async with stage.http("warehouse", name="walter") as client:
        return await client.post("/v1/returns", json={"serials": list(serials), "store": store})


async def planned(stage: Stage, case: str = "a", order: int = 1, technician: UUID = TECHNICIAN) -> None:
    """A case with a work order that has an appointment and asked for its material."""
    first = [opened(case)] if order == 1 else []
    await stage.hears(*first, order_opened(case, order), proposed(case, order, technician), requested(case, order))


async def ready(stage: Stage) -> None:
    """The meter of case a lies in the technician's van; what was told so far is forgotten."""
    await stocked(stage, NEW)
    await planned(stage)
    answer = await picked(stage, NEW)
    assert answer.status_code == 200, answer.text
    await stage.told_since()


async def places(stage: Stage) -> dict[str, str]:
    """Serial to `<state> at <place>`."""
    names = {row.location_id: row.place for row in await stage.rows("locations")}
    short = {f"van:{TECHNICIAN}": "van"}
    return {
        row.printed: f"{row.state} at {short.get(names[row.location_id], names[row.location_id])}"
        for row in await stage.rows("devices")
    }


async def reserved(stage: Stage) -> list[str]:
    """States of all reservations, by work order, line and unit."""
    return [str(row.state) for row in await stage.rows("reservations")]


def names(told: list[Event]) -> list[str]:
    return [type(fact).__name__ for fact in told]


def serials(told: list[Event], kind: type[DeviceInstalled] | type[DeviceRemoved]) -> list[str]:
    return [fact.serial for fact in told if isinstance(fact, kind)]
