"""In which phase a case is (lifecycle §3): the first rule that holds decides; nobody sets a phase by hand."""

from collections.abc import Callable, Sequence
from datetime import date

from contracts.codes import Phase, State
from services.case_service.domain.act import Act
from services.case_service.domain.calendar import local_day
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Ending
from services.case_service.domain.exceptions import KINDS
from services.case_service.domain.states import Column

Rule = Callable[[Case, Act], bool]


def _needs_a_person(case: Case, _: Act) -> bool:
    blocked = any(each.open and KINDS[each.type].blocking for each in case.exceptions)
    return blocked or any(
        order.state is State.REJECTED_BY_MDM or order.rejection != "none" or order.undecided
        for order in case.work_orders
    )


def _handed_over(case: Case, _: Act) -> bool:
    resolved = [order for order in case.by_sequence if order.used]
    return bool(resolved) and resolved[-1].handed_over


def _visit_again(case: Case, _: Act) -> bool:
    current = case.current
    held = current.state is State.ON_HOLD and current.used
    return held or current.column in {Column.RESOLVED_FAILED, Column.RO}


def _noticed(case: Case, act: Act) -> bool:
    if case.current.state is not State.OPEN or not case.announced:
        return False
    first_day = case.bookable.bookable_from if case.bookable else None
    return first_day is None or first_day > act.today


def _stands_in(*states: Column) -> Rule:
    return lambda case, _: case.current.column in states


# fmt: off
RULES: Sequence[tuple[Phase, Rule]] = (
    (Phase.CANCELLED,      lambda case, _: case.ending is Ending.CANCELLED),
    (Phase.NOT_FEASIBLE,   lambda case, _: case.ending is Ending.ABANDONED),
    (Phase.COMPLETED,      lambda case, _: case.gate_evidence is not None),
    (Phase.EXCEPTION,      _needs_a_person),
    (Phase.HANDOVER,       _handed_over),
    (Phase.IN_QA,          _stands_in(Column.RESOLVED_WELL)),
    (Phase.REVISIT_REVIEW, _visit_again),
    (Phase.IN_FIELD,       _stands_in(Column.IP)),
    (Phase.BOOKED,         _stands_in(Column.RD)),
    (Phase.PLANNING,       _stands_in(Column.PL, Column.RP, Column.AR, Column.MF, Column.OH)),
    (Phase.NOTICE,         _noticed),
    (Phase.BACKLOG,        lambda _, __: True),
)
# fmt: on


def phase_of(case: Case, act: Act) -> Phase:
    """The phase of a case as it stands now."""
    return next(phase for phase, holds in RULES if holds(case, act))


def is_on_hold(case: Case) -> bool:
    """The overlay: the current work order waits for a customer or site."""
    return case.current.state is State.ON_HOLD


def due_by(case: Case, act: Act) -> date:
    """The day by which a case should be done, for the order of the backlog: its partner's, else its target's."""
    if case.due_on is not None:
        return case.due_on
    if case.sla_due_at is not None:
        return local_day(case.sla_due_at, act.policy.zone)
    return case.due_by or local_day(case.opened_at + case.sla_target.length, act.policy.zone)
