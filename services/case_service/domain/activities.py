"""Activities of a case beside its work orders: permits, preparation, what subcontractors do (S2-13, lifecycle §15)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from contracts.codes import Blocker
from contracts.ids import CaseId, Code, Principal
from kit.store import Aggregate
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.flow import ActivityKind, FlowStep, PlannedActivity
from services.case_service.errors import MoveNotAllowed


class ActivityState(StrEnum):
    """Where an activity stands."""

    OPEN = "OPEN"
    DONE = "DONE"


@dataclass(kw_only=True, eq=False)
class Activity(Aggregate):
    """Something that somebody has to do for a case, apart from the visit."""

    activity_id: UUID
    case_id: CaseId
    kind: ActivityKind
    code: Code
    owner: Principal
    due_on: date
    mandatory: bool
    state: ActivityState = ActivityState.OPEN
    step: Code | None = None
    """The step of the flow that opened it; once per case."""
    opened_by: Principal
    opened_at: datetime
    done_by: Principal | None = None
    done_at: datetime | None = None

    def key(self) -> str:
        return str(self.activity_id)

    @property
    def blocks(self) -> bool:
        """Nobody may begin on site before it is done."""
        return self.mandatory and self.kind is ActivityKind.PERMIT


def open_planned(case: Case, act: Act, planned: PlannedActivity, step: FlowStep | None = None) -> Activity:
    """Open an activity that the flow or an order asks for."""
    due_on = act.in_working_days(planned.due_days)
    name = step.step if step else None
    return open_activity(
        case, act, planned.kind, planned.code, planned.owner, due_on, mandatory=planned.mandatory, step=name
    )


def open_activity(
    case: Case,
    act: Act,
    kind: ActivityKind,
    code: Code,
    owner: Principal,
    due_on: date,
    *,
    mandatory: bool = False,
    step: Code | None = None,
) -> Activity:
    """Open an activity; a mandatory permit blocks every work order that is not closed."""
    opened = Activity(
        activity_id=act.new_id(),
        case_id=case.case_id,
        kind=kind,
        code=code,
        owner=owner,
        due_on=due_on,
        mandatory=mandatory,
        step=step,
        opened_by=act.actor,
        opened_at=act.at,
    )
    case.beside.append(opened)
    case.remark(act, None, "activity_opened", activity_id=str(opened.activity_id), kind=kind, activity=code)
    if opened.blocks:
        case.open_permits = (*case.open_permits, code)
        _block_orders(case, act)
    return opened


def finish(case: Case, act: Act, activity: Activity) -> None:
    """It is done; the last permit that was open lets the work orders go. Raises MoveNotAllowed the second time."""
    if activity.state is ActivityState.DONE:
        raise MoveNotAllowed(f"The activity is {activity.state} already.")
    activity.state, activity.done_by, activity.done_at = ActivityState.DONE, act.actor, act.at
    case.remark(act, None, "activity_done", activity_id=activity.key(), kind=activity.kind, activity=activity.code)
    if activity.blocks:
        left = list(case.open_permits)
        left.remove(activity.code)
        case.open_permits = tuple(left)
        _block_orders(case, act)


def open_first(case: Case, act: Act) -> None:
    """What a new case begins with: one activity per permit of its order, and those of its flow."""
    for code in case.permits:
        open_planned(case, act, permit(code))
    for planned in case.flow.activities:
        open_planned(case, act, planned)


def permit(code: Code) -> PlannedActivity:
    """A permit that the partner says is needed."""
    return PlannedActivity(code=code, kind=ActivityKind.PERMIT, mandatory=True)


def _block_orders(case: Case, act: Act) -> None:
    """The blocker of every open order follows the permits of the case."""
    for order in case.unclosed:
        others: dict[Blocker, str] = {
            name: text for name, text in order.blockers.items() if name != Blocker.PERMIT_OPEN
        }
        if case.open_permits:
            others[Blocker.PERMIT_OPEN] = ", ".join(case.open_permits)
        if others != order.blockers:
            order.blockers = others
            case.record(act, order, reason="permit_open" if case.open_permits else "permits_done")
