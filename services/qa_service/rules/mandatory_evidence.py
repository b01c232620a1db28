"""Q01: every item of the evidence plan is named, stored and the one that was named."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from contracts.codes import ReworkReason, Severity
from services.qa_service.domain.facts import Hit, Item, Rule, VisitFacts
from services.qa_service.domain.forms import wanted_evidence

RULE = Rule("Q01", 1, ReworkReason.PHOTOS, Severity.ERROR)


def check(facts: VisitFacts, params: Mapping[str, Any]) -> list[Hit]:  # noqa: ARG001 - the form of all rules
    """What is missing altogether, and what was named but does not lie here."""
    return [*_missing(facts), *(hit for item in facts.items for hit in _doubtful(item))]


def _missing(facts: VisitFacts) -> Iterator[Hit]:
    visit, named = facts.visit, Counter(item.ref.kind for item in facts.items)
    wanted = dict.fromkeys(visit.missing, 1)
    if facts.form is not None:
        planned = wanted_evidence(facts.form, visit.answers, visit.work)
        wanted |= {each.kind: each.min for each in planned if each.min}
    for kind, least in wanted.items():
        if named[kind] < least:
            yield Hit(kind, "evidence_missing", {"have": named[kind], "min": least}, reason=_reason(kind))


def _doubtful(item: Item) -> Iterator[Hit]:
    if item.fits:
        return
    text = "evidence_awaited" if item.stored is None else "evidence_differs"
    yield Hit(str(item.ref.evidence_id), text, {"kind": item.ref.kind}, reason=_reason(item.ref.kind))


def _reason(kind: str) -> ReworkReason:
    return ReworkReason.PHOTOS if kind.startswith("photo") else ReworkReason.PROTOCOL
