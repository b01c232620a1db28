"""The calibration of a device ends: a note on the open case of its point, else a case to exchange it (J56, §2.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from contracts.assets import CalibrationFellDue
from contracts.codes import CaseType, DeviceRole, LegalBasis, Origin, Scheme
from contracts.ids import CaseId, DeviceId, is_melo
from contracts.parts import Address, Area, DevicePlan, PlanItem, PlannedRemoval
from kit.store import Aggregate
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.flow import Flow
from services.case_service.domain.matrices import EVENTS
from services.case_service.domain.opening import open_in_house, open_like
from services.case_service.domain.orders import point_key

UNKNOWN = "unknown"


@dataclass(kw_only=True, eq=False)
class Calibration(Aggregate):
    """An end of calibration that was heard of; once per device and due date."""

    calibration_key: str
    device_id: DeviceId
    due_on: date
    case_id: CaseId
    at: datetime

    def key(self) -> str:
        return self.calibration_key


def calibration_key(event: CalibrationFellDue) -> str:
    return f"{event.device_id}/{event.due_on}"


def points_of(event: CalibrationFellDue) -> list[str]:
    """Where the open case of the point may be: the exchange first, then any other work."""
    kinds = [CaseType.EXCHANGE, *(each for each in CaseType if each is not CaseType.EXCHANGE)]
    return [point_key(event.operator, event.metering_point_id, kind) for kind in kinds]


def fell_due(
    act: Act, event: CalibrationFellDue, open_cases: Sequence[Case], latest: Case | None, flow: Flow
) -> tuple[Case, bool]:
    """The case that takes it, and whether it is new. `latest`: the newest case that was ever at the point."""
    for case in open_cases:
        if EVENTS["CalibrationFellDue"][case.current.column] == ("upd",):
            case.hotlist(
                act, case.current, "calibration_due", device_id=str(event.device_id), due_on=event.due_on.isoformat()
            )
            return case, False
    holds = not any(case.case_type is CaseType.EXCHANGE for case in open_cases)
    given: dict[str, Any] = {
        "plan": _swap(event),
        "case_type": CaseType.EXCHANGE,
        "origin": Origin.STATUTORY,
        "legal_basis": LegalBasis.MANDATORY,
        "due_on": event.due_on,
        "holds_point": holds,
        "flow": flow,
    }
    before = open_cases[0] if open_cases else latest
    if before is not None and before.operator == event.operator:
        case = open_like(act, before, kind="replaces", **given)
    else:
        case = _at_unknown_address(act, event, given)
    return case, True


def _swap(event: CalibrationFellDue) -> DevicePlan:
    """The device goes, one of its kind comes."""
    install = PlanItem(role=DeviceRole.METER, device_type=event.device_type, quantity=1, alternatives=())
    remove = PlannedRemoval(role=DeviceRole.METER, serial=event.serial, manufacturer=event.manufacturer)
    return DevicePlan(plan="MME", install=(install,), remove=(remove,))


def _at_unknown_address(act: Act, event: CalibrationFellDue, given: dict[str, Any]) -> Case:
    """No case was ever at the point: where it is must be asked of the system of record."""
    case = open_in_house(
        act,
        operator=event.operator,
        metering_point_id=event.metering_point_id,
        metering_point_scheme=Scheme.MELO if is_melo(event.metering_point_id) else Scheme.GSRN,
        area=Area(postcode=UNKNOWN, municipality=UNKNOWN),
        address=Address(street="", number="", postcode=UNKNOWN, city="", country="DE"),
        **given,
    )
    case.hotlist(act, case.current, "address_unknown")
    return case
