"""Flows and sub-reasons as data of an operator (lifecycle §15, §1.3); what the product brings is version 1."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.codes import CaseType, DeviceRole, DodItem, Outcome, Result, WorkOrderKind
from contracts.event import Part
from contracts.ids import Code, Principal
from contracts.parts import DevicePlan
from kit.store import Aggregate

MAY_BE_VOID = (DodItem.DOD1, DodItem.DOD4)
"""Items that a plan without devices may do without; no flow skips another one."""
MINUTES_UNKNOWN = 60


class ActivityKind(StrEnum):
    """What an activity of a case is (S2-13)."""

    PLANNING = "planning"
    PREPARATION = "preparation"
    PERMIT = "permit"
    SUBCONTRACT = "subcontract"
    OTHER = "other"


class PlannedActivity(Part):
    """An activity that a flow opens by itself."""

    code: Code
    kind: ActivityKind
    owner: Principal = "dispatcher"
    """A person, or a queue."""
    due_days: int = Field(10, ge=0, le=365)
    """Working days from the day on which it opens."""
    mandatory: bool = False
    """A mandatory permit keeps technicians off the site until it is done."""


class FlowStep(Part):
    """Fields of a form that must be filled before a move, and what follows once they are (S2-02, S2-03)."""

    step: Code
    move: Code
    form_key: Code
    fields: Annotated[tuple[Code, ...], Field(min_length=1, max_length=100)]
    activity: PlannedActivity | None = None
    """Opens once, when the move is made."""


class FlowContent(Part):
    """What an operator may say of a case type. States are none of it: their set is fixed (S0-31)."""

    first_kind: WorkOrderKind
    first_kind_with_gateway: WorkOrderKind | None = None
    """Where the plan installs a gateway; absent: the same."""
    skills: dict[DeviceRole, tuple[Code, ...]]
    """What a technician must be able to do, by the roles of the plan."""
    minutes: dict[WorkOrderKind, Annotated[int, Field(ge=1, le=1440)]]
    """Expected work on site."""
    activities: tuple[PlannedActivity, ...] = ()
    """They open with the case."""
    steps: tuple[FlowStep, ...] = ()
    notice: bool = True
    """A statutory notice that is missing is announced without a person (A09)."""
    void_without_devices: tuple[DodItem, ...] = MAY_BE_VOID
    """Items of the definition of done that do not apply to a plan without devices."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not set(self.void_without_devices) <= set(MAY_BE_VOID):
            raise ValueError("only dod1 and dod4 may be void")
        for what, codes in (("steps", [s.step for s in self.steps]), ("activities", [a.code for a in self.activities])):
            if len(set(codes)) < len(codes):
                raise ValueError(f"{what}: each code once")
        return self

    def kind_for(self, plan: DevicePlan) -> WorkOrderKind:
        """What the first visit is for; a plan with a gateway is an intelligent metering system."""
        return self.first_kind_with_gateway or self.first_kind if has_gateway(plan) else self.first_kind

    def skills_for(self, plan: DevicePlan) -> tuple[Code, ...]:
        """What a technician must be able to do."""
        roles = [item.role for item in plan.install] + [item.role for item in plan.remove]
        return tuple(sorted({skill for role in roles for skill in self.skills.get(role, ())}))

    def minutes_for(self, kind: Code) -> int:
        """How long a visit of this kind takes; the list of kinds is open."""
        return self.minutes.get(WorkOrderKind(kind), MINUTES_UNKNOWN) if kind in KINDS else MINUTES_UNKNOWN

    def steps_before(self, move: Code) -> tuple[FlowStep, ...]:
        """The steps that must be complete before this move."""
        return tuple(step for step in self.steps if step.move == move)

    def is_void(self, item: DodItem, plan: DevicePlan) -> bool:
        """Whether an item of the definition of done does not apply to a case with this plan."""
        return item in self.void_without_devices and not plan.install and not plan.remove


class Flow(FlowContent):
    """One version of a flow; it never changes, and a running case keeps its version."""

    number: int
    valid_from: date


@dataclass(kw_only=True, eq=False)
class FlowBook(Aggregate):
    """The versions that an operator gave the flow of one case type, behind the one that the product brings."""

    flow_key: str
    operator: Code
    case_type: CaseType
    versions: tuple[Flow, ...] = ()

    def key(self) -> str:
        return self.flow_key

    @property
    def newest(self) -> Flow:
        """The version that was written last, whether it is valid already or not."""
        return self.versions[-1] if self.versions else STANDARD[self.case_type]

    def put(self, content: FlowContent, valid_from: date) -> None:
        """Add a version; what is there already in the same words is no new one."""
        made = Flow(**dict(content), number=self.newest.number + 1, valid_from=valid_from)
        if made.model_copy(update={"number": self.newest.number}) != self.newest:
            self.versions = (*self.versions, made)


@dataclass(kw_only=True, eq=False)
class SubReasons(Aggregate):
    """Why visits of an operator fail: its codes, each with the result that it belongs to (S3-41)."""

    operator: Code
    reasons: dict[Code, Result] = field(default_factory=dict)

    def key(self) -> str:
        return self.operator

    def of(self, result: Result) -> frozenset[str]:
        """The codes that go with a result."""
        return frozenset(code for code, its in self.reasons.items() if its is result)


def flow_key(operator: Code, case_type: CaseType) -> str:
    """Where the versions of an operator's flow are kept."""
    return f"{operator}/{case_type}"


def valid_on(book: FlowBook | None, case_type: CaseType, day: date) -> Flow:
    """The flow that a case opened on this day gets: the newest version that is valid then."""
    valid = [each for each in book.versions if each.valid_from <= day] if book else []
    return valid[-1] if valid else STANDARD[case_type]


def numbered(book: FlowBook | None, case_type: CaseType, number: int) -> Flow:
    """The version that a running case keeps; raises LookupError where it is not there."""
    every = (STANDARD[case_type], *(book.versions if book else ()))
    found = next((each for each in every if each.number == number), None)
    if found is None:
        raise LookupError(f"{case_type}: there is no version {number} of the flow")
    return found


def kept(flow: Flow, number: int) -> Flow:
    """The flow, if it is this version; raises LookupError where another one was loaded with the case."""
    if flow.number != number:
        raise LookupError(f"version {number} of the flow was not loaded with the case")
    return flow


def has_gateway(plan: DevicePlan) -> bool:
    return any(item.role is DeviceRole.SMGW for item in plan.install)


KINDS = frozenset(WorkOrderKind)

_SKILLS: dict[DeviceRole, tuple[Code, ...]] = {
    DeviceRole.METER: ("meter_3ph",),
    DeviceRole.CURRENT_TRANSFORMER: ("meter_ct",),
    DeviceRole.SMGW: ("smgw", "silke_trained"),
    DeviceRole.CONTROL_BOX: ("control_box",),
}
_MINUTES: dict[WorkOrderKind, int] = {
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


def _standard(first: WorkOrderKind, with_gateway: WorkOrderKind | None = None) -> Flow:
    return Flow(
        number=1,
        valid_from=date(2000, 1, 1),
        first_kind=first,
        first_kind_with_gateway=with_gateway,
        skills=_SKILLS,
        minutes=_MINUTES,
    )


STANDARD: Mapping[CaseType, Flow] = MappingProxyType(
    {
        CaseType.EXCHANGE: _standard(WorkOrderKind.METER_EXCHANGE, WorkOrderKind.IMSYS_INSTALL),
        CaseType.NEW_CONNECTION: _standard(WorkOrderKind.METER_INSTALL, WorkOrderKind.IMSYS_INSTALL),
        CaseType.REMOVAL: _standard(WorkOrderKind.REMOVAL),
        CaseType.FAULT: _standard(WorkOrderKind.REPAIR),
        CaseType.MAINTENANCE: _standard(WorkOrderKind.REPAIR),
        CaseType.MEASUREMENT: _standard(WorkOrderKind.MEASUREMENT),
    }
)
"""Version 1 of every operator."""

DEFAULT_SUB_REASONS: Mapping[Code, Result] = MappingProxyType(
    dict.fromkeys(
        (
            *("customer_not_home", "no_space_in_cabinet", "dangerous_installation", "no_access", "customer_refuses"),
            *("missing_key", "wrong_information", "missing_infrastructure", "other"),
        ),
        Result.NOT_AT_HOME,
    )
    | dict.fromkeys(("missing_equipment", "material_problem"), Result.MATERIAL_MISSING)
)
"""Sub-reasons of an operator that named none (lifecycle §1.3)."""


def sub_reasons_of(kept: SubReasons | None, result: Result) -> frozenset[str]:
    """The sub-reasons that go with a result, of this operator or else of the default."""
    return (kept or SubReasons(operator="", reasons=dict(DEFAULT_SUB_REASONS))).of(result)


FAILED_RESULTS = frozenset(result for result in Result if result.outcome is Outcome.FAILED)
