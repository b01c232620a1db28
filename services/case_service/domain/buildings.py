"""What cases of one building tell each other: where two gateways found no coverage, an antenna is needed (A13)."""

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.codes import CommsCause, Flag
from contracts.ids import CaseId
from kit.store import Aggregate
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.orders import tell_amended

RULE = "A13"
ENOUGH = 2


@dataclass(kw_only=True, eq=False)
class Building(Aggregate):
    """The cases at one address, as a look into the table of cases finds them; nothing is kept of it."""

    building: str
    case_ids: tuple[CaseId, ...]

    def key(self) -> str:
        return self.building


@dataclass(kw_only=True, eq=False)
class Point(Aggregate):
    """The newest case that was ever at a metering point; nothing is kept of it either."""

    metering_point_id: str
    case_ids: tuple[CaseId, ...]

    def key(self) -> str:
        return self.metering_point_id


def forecast(act: Act, cases: Iterable[Case], trigger: str) -> list[Case]:
    """A13: flag every open case of a building where a second device found no coverage; answers those newly flagged.

    `trigger` is the case of that device: the key of the rule, for an address would name a person.
    """
    every = list(cases)
    silent = {
        device.device_id for case in every for device in case.devices if device.comms_cause is CommsCause.NO_COVERAGE
    }
    if len(silent) < ENOUGH:
        return []
    flagged = [case for case in every if case.unclosed and Flag.ANTENNA_OR_LAN not in case.flags]
    for case in flagged:
        case.flags = tuple(sorted((*case.flags, Flag.ANTENNA_OR_LAN)))
        case.remark(act, None, "antenna_or_lan", rule=RULE)
        case.automated(RULE, trigger)
        tell_amended(case, ("flags",))
    return flagged
