"""Periods of master data (UTILMD): they are numbered, everything names one of them, and each one is complete."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.mdm_adapter.dialects.edifact_fv.faults import Fault, at, missing
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET, begin_of_day
from services.mdm_adapter.dialects.edifact_fv.patterns import Pattern, pattern
from services.mdm_adapter.dialects.edifact_fv.templates import Periods
from services.mdm_adapter.dialects.edifact_fv.vorgang import Numbered, Vorgang, moment

_PERIOD, _REFERENCE = pattern("RFF+Z49|Z53"), pattern("RFF+Z46")
_FROM, _UNTIL = pattern("DTM+Z25"), pattern("DTM+Z26")


def reference_faults(vorgang: Vorgang) -> Iterator[Fault]:
    """The n-th period is called n; SEQ and RFF+Z46 name a period of their Vorgang."""
    periods = [each for each in vorgang.segments if _PERIOD.fits(each[1])]
    names = {segment.at(2, 3) for _, segment in periods}
    for count, found in enumerate(periods, 1):
        if found[1].at(2, 3) != str(count):
            yield at("Z35", found, f"period {count} is called {count}", 2, 3, f"{_hint(found)} period id")
    for found in vorgang.segments:
        segment = found[1]
        if segment.tag == "SEQ" and segment.at(3) and segment.at(3) not in names:
            yield at("Z21", found, "there is no such period in this Vorgang", 3)
        elif _REFERENCE.fits(segment) and segment.at(2, 2) not in names:
            yield at("Z21", found, "there is no such period in this Vorgang", 2, 2)


def period_faults(vorgang: Vorgang, wanted: Periods, created: datetime | None) -> Iterator[Fault]:
    """Each period begins on a day, the first one by tomorrow, ends after it began, and has what it must have."""
    names: list[str] = []
    for period, *times in _groups(vorgang):
        names.append(period[1].at(2, 3))
        begin = next((each for each in times if _FROM.fits(each[1])), None)
        end = next((each for each in times if _UNTIL.fits(each[1])), None)
        if begin is None:
            yield missing(_FROM)
            continue
        since = moment(begin[1].at(2, 2))
        if since and created and len(names) == 1 and since > _tomorrow(created):
            yield at("Z41", begin, "the first period begins by the day after the document's date", 2, 2)
        until = moment(end[1].at(2, 2)) if end else None
        if end and since and until and until <= since:
            yield at("Z34", end, "the period ends before it begins", 2, 2)
    yield from _incomplete(vorgang, wanted, names)


def _hint(found: Numbered) -> str:
    return f"RFF+{found[1].at(2)}"


def _tomorrow(created: datetime) -> datetime:
    return begin_of_day((created.astimezone(MARKET) + timedelta(days=1)).date())


def _groups(vorgang: Vorgang) -> Iterator[list[Numbered]]:
    """Each period with the times behind it."""
    group: list[Numbered] = []
    for each in vorgang.segments:
        if _PERIOD.fits(each[1]):
            if group:
                yield group
            group = [each]
        elif group and each[1].tag == "DTM":
            group.append(each)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _period_of(vorgang: Vorgang) -> Iterator[tuple[Numbered, str]]:
    """SEQ and NAD with the name of their period: SEQ holds it itself, behind NAD stands RFF+Z46."""
    party: Numbered | None = None
    for each in vorgang.segments:
        tag = each[1].tag
        if tag in {"SEQ", "NAD"}:
            if party:
                yield party, ""
            party = each if tag == "NAD" else None
            if tag == "SEQ":
                yield each, each[1].at(3)
        elif party and _REFERENCE.fits(each[1]):
            yield party, each[1].at(2, 2)
            party = None
    if party:
        yield party, ""


def _incomplete(vorgang: Vorgang, wanted: Periods, names: list[str]) -> Iterator[Fault]:
    """What a period lacks or has too often. Where references are broken, it is only asked what the Vorgang has."""
    owned = list(_period_of(vorgang))
    if not names or any(reference_faults(vorgang)):
        yield from (
            missing(each) for each in (*wanted.once, *wanted.least) if not any(each.fits(s) for (_, s), _ in owned)
        )
        return
    by_period: dict[str, list[Numbered]] = {name: [] for name in names}
    for found, period in owned:
        by_period.setdefault(period, []).append(found)
    for name in names:

        def of(each: Pattern, having: list[Numbered] = by_period[name]) -> list[Numbered]:
            return [found for found in having if each.fits(found[1])]

        for each in (*wanted.once, *wanted.least):
            if not of(each):
                yield missing(each, f"missing in period {name}: {each.name}")
        for each in wanted.once:
            yield from (at("Z40", found, "once in a period") for found in of(each)[1:])
        for one, other in wanted.matched:
            if len(of(one)) < len(of(other)):
                yield missing(one, f"missing in period {name}: one {one.name} for each {other.name}")
            yield from (at("Z40", found, f"one for each {other.name}") for found in of(one)[len(of(other)) :])
