"""The content of a Vorgang against its check template: every error, not only the first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from services.mdm_adapter.dialects.edifact_fv import fields
from services.mdm_adapter.dialects.edifact_fv.faults import Fault, at, called, missing
from services.mdm_adapter.dialects.edifact_fv.patterns import pattern
from services.mdm_adapter.dialects.edifact_fv.periods import period_faults, reference_faults
from services.mdm_adapter.dialects.edifact_fv.readings import reading_faults
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.templates import Answer, Template, decision, kinds
from services.mdm_adapter.dialects.edifact_fv.vorgang import Numbered, Part, Vorgang, moment
from services.mdm_adapter.partners.profile import StrictIds

AHEAD = timedelta(minutes=5)
HEAD = 100
"""Segments of a head that templates look at; what may stand there has fewer, the rest is surplus."""
TIMES = frozenset({"137", "76", "203", "469", "472", "293", "292", "7", "60", "Z25", "Z26"})
"""DTM whose meaning we know: their format is 303 or 102. Others are surplus."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a Vorgang is judged by, beside itself."""

    now: datetime
    on: date
    """The day of the interchange."""
    strict: StrictIds
    to_supplier: bool = False
    """It is a message of ours to a supplier, who must be told more."""


def head_faults(head: Part, context: Context) -> Iterator[Fault]:
    """What stands before the first Vorgang: an error refuses the whole message."""
    kind = kinds()[head.message.type]
    yield from _missing(kind.head, head.segments)
    created = next(head.all("DTM+137"), None)
    if created:
        if wrong := fields.time_fault(created[1], "303", is_day=False):
            yield _of(created, wrong)
        elif (instant := moment(created[1].at(2, 2))) and instant > context.now + AHEAD:
            yield at("Z41", created, "created in the future", 2, 2)
    whole = tuple(enumerate(head.message.segments, 1))
    yield from _missing(kind.must, whole)
    if kind.starts:
        yield from _of_fields(head.segments, None, context.strict)


def vorgang_faults(vorgang: Vorgang, template: Template, context: Context) -> Iterator[Fault]:
    """Everything that is wrong with the content of one Vorgang."""
    scope = vorgang.segments
    if vorgang.head.segments is not vorgang.segments:
        scope = vorgang.head.segments[:HEAD] + scope
    created = vorgang.head.time("137")
    yield from _missing(template.must, scope)
    if context.to_supplier:
        yield from _missing(template.must_to_supplier, scope)
    yield from _order(vorgang)
    yield from _of_fields(vorgang.segments, template, context.strict, scope)
    yield from _implausible(vorgang, template, created)
    for answer in template.answers:
        yield from _decisions(answer, vorgang, scope, context.on)
    if vorgang.message.type == "UTILMD":
        yield from reference_faults(vorgang)
    if template.per_period:
        yield from period_faults(vorgang, template.per_period, created)
    if template.readings:
        yield from reading_faults(vorgang)


def list_warnings(vorgang: Vorgang, template: Template) -> Iterator[str]:
    """Codes whose lists we do not check: another list than expected strikes the eye."""
    for _, segment in vorgang.all("AJT"):
        if template.lists_seen and segment.at(3) not in template.lists_seen:
            yield f"AJT_LIST:{segment.at(3)}"


def id_warnings(segments: Iterable[Numbered], strict: StrictIds) -> Iterator[str]:
    """Points that are taken although they are wrong, because the partner's profile says so."""
    for _, segment in segments:
        if segment.tag == "LOC" and (wrong := fields.point_fault(segment)) and _is_lenient(wrong, strict):
            yield f"{'MALO' if wrong.rule == 'D-MALO-1' else 'MELO'}_CHECK_DIGIT:{segment.at(3)}"


def _is_lenient(wrong: fields.Wrong, strict: StrictIds) -> bool:
    return (strict.malo if wrong.rule == "D-MALO-1" else strict.melo) == "warn"


def _of(found: Numbered, wrong: fields.Wrong) -> Fault:
    number, segment = found
    return Fault(wrong.code, wrong.detail, number, segment, wrong.element, wrong.component, called(segment), wrong.rule)


def _missing(must: Iterable[Any], scope: tuple[Numbered, ...]) -> Iterator[Fault]:
    """What is demanded and not there, and what is there with another code than is demanded."""
    for each in must:
        if not isinstance(each, dict):
            yield from _one(each, scope)
        elif "when" in each:
            condition = pattern(each["when"])
            if any(condition.fits(segment) for _, segment in scope):
                yield from _missing(each["must"], scope)
        else:
            ways = [way for way in each["one_of"] if any(pattern(way[0]).fits(segment) for _, segment in scope)]
            yield from _missing(ways[0] if ways else each["one_of"][0][:1], scope)


def _one(text: Any, scope: tuple[Numbered, ...]) -> Iterator[Fault]:
    wanted = pattern(text) if isinstance(text, str) else text
    found = [each for each in scope if wanted.fits(each[1])]
    if not found:
        yield missing(wanted)
    elif wanted.demanded and all(wanted.broken_at(segment) for _, segment in found):
        element, component = wanted.broken_at(found[0][1]) or (2, 1)
        yield at("Z39", found[0], f"here stands {wanted.name}", element, component)


def _order(vorgang: Vorgang) -> Iterator[Fault]:
    """The first of each must stand in the order of the message; one that does not is missing where it belongs."""
    latest = 0
    for each in kinds()[vorgang.message.type].order:
        found = next((found for found in vorgang.segments if each.fits(found[1])), None)
        if found is None:
            continue
        if found[0] < latest:
            yield at("Z29", found, f"{each.name} is not where it belongs")
        latest = max(latest, found[0])


def _of_fields(
    segments: tuple[Numbered, ...], template: Template | None, strict: StrictIds, scope: tuple[Numbered, ...] = ()
) -> Iterator[Fault]:
    """What single segments may say."""
    schemes = next(
        (schemes for when, schemes in (template.points if template else ()) if any(when.fits(s) for _, s in scope)),
        None,
    )
    for found in segments:
        segment = found[1]
        wrong: fields.Wrong | None = None
        if segment.tag == "DTM":
            wrong = _time(segment, template)
        elif segment.tag == "LOC":
            wrong = fields.point_fault(segment, schemes)
            wrong = None if wrong and _is_lenient(wrong, strict) else wrong
        if wrong:
            yield _of(found, wrong)
        yield from (_of(found, each) for each in fields.faults(segment))


def _time(segment: Segment, template: Template | None) -> fields.Wrong | None:
    qualifier, form = segment.at(2), segment.at(2, 3)
    if qualifier == "137":
        return None  # the head has judged it
    wanted = template.formats.get(qualifier) if template else None
    if qualifier in TIMES and form not in {"303", "102"}:
        wanted = wanted or "303"
    return fields.time_fault(segment, wanted, is_day=template is not None and qualifier in template.days)


def _implausible(vorgang: Vorgang, template: Template, created: datetime | None) -> Iterator[Fault]:
    """Times beside the document's own date, and windows that end before they begin."""
    for found in vorgang.all("DTM"):
        qualifier = found[1].at(2)
        is_later = _is_later(found[1], created) if created else None
        if is_later is False and qualifier in template.after:
            yield at("Z41", found, "lies after the document's date", 2, 2)
        if is_later and qualifier in template.not_after:
            yield at("Z41", found, "does not lie after the document's date", 2, 2)
    begin, end = next(vorgang.all("DTM+469"), None), next(vorgang.all("DTM+472"), None)
    if begin and end and begin[1].at(2, 3) == end[1].at(2, 3) and end[1].at(2, 2) <= begin[1].at(2, 2):
        yield at("Z34", end, "the window ends before it begins", 2, 2)


def _is_later(segment: Segment, created: datetime) -> bool | None:
    """Whether a time lies after another one; None: it cannot be read, which is a fault of its own."""
    text = segment.at(2, 2)
    if segment.at(2, 3) == "102":
        day = fields.day_of(text)
        return day > created.astimezone(fields.MARKET).date() if day else None
    instant = moment(text)
    return instant > created if instant else None


def _decisions(answer: Answer, vorgang: Vorgang, scope: tuple[Numbered, ...], on: date) -> Iterator[Fault]:
    """A code means something only with its list, and says yes or no as its message does."""
    if answer.when and not any(answer.when.fits(segment) for _, segment in scope):
        return
    for found in vorgang.segments:
        segment = found[1]
        if not answer.segment.fits(segment):
            continue
        is_ajt = segment.tag == "AJT"
        code, list_ = (segment.at(2), segment.at(3)) if is_ajt else (segment.at(4), segment.at(4, 2))
        element = 2 if is_ajt else 4
        if not code:
            yield at("Z29", found, "a code is missing", element)
            continue
        known = decision(list_, code, on) if list_ in answer.lists else None
        if not (known and known.positive == answer.positive) and (list_ or code not in answer.plain):
            hint = f"AJT {code}+{list_}" if is_ajt else f"STS {code}:{list_}"
            yield at("Z39", found, "no code of the lists that decide here", element, 1, hint)
