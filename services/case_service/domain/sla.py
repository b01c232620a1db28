"""The SLA clock of a case (lifecycle §9): from opening to end, standing still while a pause is open."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from contracts.cases import SlaAtRisk, SlaBreached
from contracts.codes import Phase
from services.case_service.domain import calendar
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Pause, PauseCause, SlaState, SlaTarget

AT_RISK = 0.8
FAR = timedelta(days=36_500)
"""Beyond this no target is looked for."""


class Due(NamedTuple):
    """When a case will be at risk and overdue, at the pauses of now; None while the clock stands still."""

    at_risk: datetime | None
    breach: datetime | None


def running(opened_at: datetime, pauses: Iterable[Pause], until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The spans in which the clock ran up to an instant. Pauses that overlap count once, an open one up to it."""
    begin = opened_at
    for pause in sorted(pauses, key=lambda each: (each.started_at, each.number)):
        started = min(pause.started_at, until)
        if started > begin:
            yield begin, started
        begin = max(begin, min(pause.ended_at or until, until))
    if until > begin:
        yield begin, until


def elapsed(case: Case, at: datetime, zone: str) -> timedelta:
    """How much of its target a case has used at an instant; after its end nothing is added."""
    until = min(at, case.ended_at or at)
    spans = running(case.opened_at, case.pauses, until)
    return sum((_counted(case.sla_target, *span, zone) for span in spans), timedelta())


def due(case: Case, zone: str) -> Due:
    """When the elapsed time will reach 80 and 100 % of the target."""
    if any(pause.ended_at is None for pause in case.pauses) or case.ended_at is not None:
        return Due(None, None)
    whole = case.sla_target.length
    return Due(_reached(case, AT_RISK * whole, zone), _reached(case, whole, zone))


def _reached(case: Case, length: timedelta, zone: str) -> datetime | None:
    used = timedelta()
    for start, end in running(case.opened_at, case.pauses, case.opened_at + FAR):
        counted = _counted(case.sla_target, start, end, zone)
        if used + counted >= length:
            return _after(case.sla_target, start, length - used, zone)
        used += counted
    return None


def _counted(target: SlaTarget, start: datetime, end: datetime, zone: str) -> timedelta:
    """Instants are UTC: a day is 86,400 seconds, and a change of the clock alters nothing."""
    if not target.working_days:
        return end - start
    return sum((last - first for first, last in calendar.working_spans(start, end, zone)), timedelta())


def _after(target: SlaTarget, start: datetime, length: timedelta, zone: str) -> datetime:
    if not target.working_days:
        return start + length
    for first, last in calendar.working_spans(start, start + FAR, zone):
        if last - first >= length:
            return first + length
        length -= last - first
    return start + FAR


def follow(case: Case, act: Act) -> None:
    """Open and close pauses as the case stands now: on hold, noticed and not yet bookable, ended."""
    for cause, holds in ((PauseCause.HOLD, case.on_hold), (PauseCause.NOTICE, case.phase is Phase.NOTICE)):
        standing = next((each for each in case.pauses if each.cause is cause and each.ended_at is None), None)
        paused = holds and case.ended_at is None
        if paused and standing is None:
            pause(case, cause, act.at)
        elif standing is not None and not paused:
            standing.ended_at = case.ended_at or act.at
    found = due(case, act.policy.zone).breach
    case.sla_due_at = found or (case.sla_due_at if case.ended_at is None else None)


def pause(case: Case, cause: PauseCause, started_at: datetime, ended_at: datetime | None = None) -> None:
    """The clock stands still from then on; intervals stay for good, whatever the target becomes."""
    case.pauses.append(Pause(number=len(case.pauses) + 1, started_at=started_at, ended_at=ended_at, cause=cause))


def reopen(case: Case, act: Act) -> None:
    """The case goes on: the time between its end and now is nobody's."""
    if case.ended_at is not None:
        pause(case, PauseCause.REOPEN, case.ended_at, act.at)
    case.ended_at = None


def retarget(case: Case, days: int, *, working_days: bool) -> bool:
    """Another target counts from now on, for the whole life of the case. False where it is the same."""
    if (days, working_days) == (case.sla_target.days, case.sla_target.working_days):
        return False
    version = case.sla_target.version + 1
    case.sla_target, case.sla_state = SlaTarget(days=days, working_days=working_days, version=version), SlaState.OK
    return True


def tell_at_risk(case: Case, act: Act) -> None:
    """A08 at 80 %: once per case and target version."""
    case.sla_state = SlaState.RISK
    case.told.append(SlaAtRisk(**_figures(case, act)))
    case.automated("A08", f"{case.case_id}/{case.sla_target.version}/at_risk")


def tell_breached(case: Case, act: Act) -> None:
    """A08 at 100 %: once per case and target version."""
    case.sla_state = SlaState.BREACHED
    case.told.append(SlaBreached(**_figures(case, act)))
    case.automated("A08", f"{case.case_id}/{case.sla_target.version}/breached")


def _figures(case: Case, act: Act) -> dict[str, object]:
    return {
        "case_id": case.case_id,
        "target_version": case.sla_target.version,
        "elapsed_seconds": int(elapsed(case, act.at, act.policy.zone).total_seconds()),
        "target_seconds": int(case.sla_target.length.total_seconds()),
    }
