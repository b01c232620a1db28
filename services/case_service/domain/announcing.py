"""Announcing a rollout (A09): customer and market are told as far ahead as the law wants it (D-NOT-1)."""

from contracts.codes import Fact
from kit.workdays import months_later, working_days_after
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.flows import announced_plan

AHEAD_MONTHS, AHEAD_DAYS = 3, 10
"""The date that is announced where the order names none: so many months, then working days from today."""


def announce(case: Case, act: Act, *, statutory: bool) -> None:
    """Tell that somebody will come; once per case."""
    case.announced = True
    far = working_days_after(months_later(act.today, AHEAD_MONTHS), AHEAD_DAYS)
    case.hand_over(
        act,
        Fact.ROLLOUT_ANNOUNCED,
        None,
        plan=announced_plan(case.device_plan),
        statutory=statutory,
        planned_on=case.planned_on or (case.window.from_ if case.window else far),
        window=case.window,
    )
    case.automated("A09", str(case.case_id))
