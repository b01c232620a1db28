"""How long cases of an operator may take, as data that the operator changes (lifecycle §9, §16)."""

from dataclasses import dataclass

from pydantic import Field

from contracts.codes import CaseType
from contracts.event import Part
from contracts.ids import Code
from kit.store import Aggregate
from services.case_service.domain.act import Policy
from services.case_service.domain.case import Case
from services.case_service.domain.entries import SlaTarget
from services.case_service.domain.sla import retarget


class TargetRule(Part):
    """One target: for cases of a type, or all, from a priority on."""

    case_type: CaseType | None = None
    """Absent: all types."""
    min_priority: int = Field(0, ge=0, le=100)
    """Only cases of at least this priority."""
    days: int = Field(ge=1, le=3_650)
    working_days: bool = False
    """Only working days count."""

    def fits(self, case: Case) -> bool:
        return self.case_type in {None, case.case_type} and case.priority >= self.min_priority


@dataclass(kw_only=True, eq=False)
class SlaTargets(Aggregate):
    """The targets of one operator."""

    operator: Code
    rules: tuple[TargetRule, ...] = ()

    def key(self) -> str:
        return self.operator

    def of(self, case: Case) -> TargetRule | None:
        """The narrowest rule that fits: one that names the type before one for all, then the highest priority."""
        fitting = [rule for rule in self.rules if rule.fits(case)]
        return max(fitting, key=lambda rule: (rule.case_type is not None, rule.min_priority), default=None)


def aim(case: Case, targets: SlaTargets | None, policy: Policy) -> bool:
    """Give the case the target that counts for it now. A new case begins with it, a running one gets a new version."""
    rule = targets.of(case) if targets else None
    days, working = (rule.days, rule.working_days) if rule else (policy.sla_days, policy.sla_working_days)
    if case.loaded is None:
        case.sla_target = SlaTarget(days=days, working_days=working)
        return False
    return not case.terminal and retarget(case, days, working_days=working)
