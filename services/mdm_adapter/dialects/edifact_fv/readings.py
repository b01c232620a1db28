"""Readings (MSCONS): each position is complete, and an exchange falls on the day for which its reading counts."""

from collections.abc import Iterator
from itertools import pairwise

from services.mdm_adapter.dialects.edifact_fv.faults import Fault, at, missing
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET, begin_of_day, end_of_day
from services.mdm_adapter.dialects.edifact_fv.patterns import pattern
from services.mdm_adapter.dialects.edifact_fv.vorgang import Part, Vorgang, moment

_EACH = (pattern("PIA"), pattern("QTY"), pattern("DTM+7"))
_SUBSTITUTE = (pattern("STS+Z32"), pattern("STS+Z40"))


def reading_faults(vorgang: Vorgang) -> Iterator[Fault]:
    """All positions of one device; the message may speak of one only."""
    yield from (at("Z40", found, "one device per message") for found in list(vorgang.all("NAD+DP"))[1:])
    positions = [index for index, (_, segment) in enumerate(vorgang.segments) if segment.tag == "LIN"]
    for begin, end in pairwise([*positions, len(vorgang.segments)]):
        part = Part(vorgang.message, vorgang.segments[begin:end])
        if len(positions) > 1:  # with one position the template has asked for the same
            number = part.segments[0][0]
            yield from (missing(each, f"missing in position s{number}") for each in _EACH if not part.first(each.text))
        if part.first("QTY+67"):
            yield from (missing(each) for each in _SUBSTITUTE if not part.first(each.text))
        yield from _change(part)


def _change(part: Part) -> Iterator[Fault]:
    """DTM+60 lies within the day that begins at DTM+7: 24 hours, 23 or 25 when the clocks change."""
    change, day = next(part.all("DTM+60"), None), part.time("7")
    instant = moment(change[1].at(2, 2)) if change else None
    if change is None or instant is None or day is None:
        return
    if not begin_of_day(day.astimezone(MARKET).date()) <= instant < end_of_day(day.astimezone(MARKET).date()):
        yield at("Z41", change, "the change lies on the day for which the reading counts", 2, 2)
