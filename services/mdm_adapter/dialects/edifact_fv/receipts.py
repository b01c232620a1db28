"""Receipts of ours: CONTRL for an interchange that cannot be read, APERAK for each Vorgang of one that can."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from services.mdm_adapter.dialects.edifact_fv.acknowledgements import BEFORE, BEHIND, layout_of
from services.mdm_adapter.dialects.edifact_fv.checking import Checked, Outcome
from services.mdm_adapter.dialects.edifact_fv.composing import (
    TEXT,
    at,
    begin,
    ftx,
    interchange,
    parties,
    rff,
    seg,
    version_of,
)
from services.mdm_adapter.dialects.edifact_fv.envelope import Head
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.dialects.edifact_fv.market_sending import MarketSending, needed
from services.mdm_adapter.dialects.edifact_fv.syntax import Place, Segment, Tokens
from services.mdm_adapter.dialects.edifact_fv.tables import rows_at
from services.mdm_adapter.dialects.edifact_fv.templates import name_of
from services.mdm_adapter.dialects.edifact_fv.writing import text_of
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Reference

NOT_PROCESSED = Finding("Z31", "", "is not processed here")
MESSAGE_FAULTS = frozenset({"28", "29"})
"""Counts and references: they are faults of a message, not of a segment in it."""


def wants_contrl(checked: Checked) -> bool:
    """Whether the whole interchange is refused, to somebody who may be answered."""
    return bool(checked.head and (checked.core or checked.refused) and not checked.is_quarantined)


def contrl(content: bytes, checked: Checked, sending: MarketSending) -> bytes:
    """The refusal of a whole interchange: code and place of its first fault."""
    head, fault, place = checked.head, checked.core or checked.refused, checked.place
    assert head is not None and fault is not None and place is not None  # noqa: S101, PT018 -- `wants_contrl` said so
    return interchange(sending, "CONTRL", [list(_contrl(content, head, fault.code, place))])


def _contrl(content: bytes, head: Head, code: str, place: Place) -> Iterator[Segment]:
    sender, receiver = head.segment.elements[1:3]
    message = _message_head(content, place.message) if place.message else None
    if message is None:
        where = str(place.element) if place.element else ""
        yield seg("UCI", head.reference, sender, receiver, "4", code, place.tag, where)
        return
    yield seg("UCI", head.reference, sender, receiver, "4")
    yield seg("UCM", message.at(2), message.elements[1] if len(message.elements) > 1 else "", "4", code)
    if place.segment and code not in MESSAGE_FAULTS:
        yield seg("UCS", str(place.segment), code)
        if place.element:
            yield seg("UCD", code, (str(place.element), str(place.component) if place.component else ""))


def _message_head(content: bytes, number: int) -> Segment | None:
    """UNH of the n-th message, as far as it can be read."""
    found = 0
    for batch in Tokens(content):
        for segment in batch.segments:
            found += segment.tag == "UNH"
            if found == number and segment.tag == "UNH":
                return segment
    return None


def aperaks(head: Head, outcomes: Iterable[Outcome], sending: MarketSending) -> bytes:
    """One APERAK per Vorgang, in one interchange; `sending` holds a number for each of them."""
    return interchange(
        sending,
        "APERAK",
        [list(_aperak(head, outcome, sending, index)) for index, outcome in enumerate(outcomes)],
    )


def _aperak(head: Head, outcome: Outcome, sending: MarketSending, index: int) -> Iterator[Segment]:
    findings = outcome.findings if outcome.is_processed else (NOT_PROCESSED,)
    transaction = outcome.vorgang.number if outcome.vorgang else ""
    references = [rff(name, number) for name, number in (("AGO", outcome.document), ("TN", transaction)) if number]
    layout = layout_of(version_of("APERAK", sending))
    yield from begin(sending, "313" if findings else "312", index)
    yield from (rff("ACE", head.reference), at("171", head.sent_at.replace(tzinfo=MARKET)))
    if layout == BEFORE or not findings:
        yield from references
    yield from parties(sending)
    for number, finding in enumerate(findings):
        yield from _error(finding, references, sending, also=layout == BEHIND and number == 0)


def _error(finding: Finding, references: list[Segment], sending: MarketSending, *, also: bool) -> Iterator[Segment]:
    """ERC with the wrong value; where a segment is meant, its name and how it was received."""
    yield seg("ERC", finding.code)
    if finding.value:
        yield ftx("ABO", _quotable(finding.value))
    named = _names_segment(finding.code, sending)
    if also:  # the references of the whole message stand behind its first error
        yield from references
    elif named:
        yield from references[-1:]
    if named:
        hint = finding.position.rpartition(" ")[2] if finding.segment else finding.position
        yield seg("FTX", "Z02", "", "", (name_of(hint), _quotable(finding.segment or "")[:TEXT]))


def _quotable(text: str) -> str:
    """What was wrong, in the characters of the market; others and control characters become question marks."""
    plain = text.encode("latin-1", "replace").decode("latin-1")
    return "".join(each if each.isprintable() else "?" for each in plain)


def _names_segment(code: str, sending: MarketSending) -> bool:
    on = sending.at.astimezone(MARKET).date()
    return any(row["code"] == code and row["names_segment"] == "yes" for row in rows_at("erc_codes.csv", on))


def unknown_reference(outcome: Outcome, reference: Reference) -> Outcome:
    """A Vorgang that quotes what this partner was never sent."""
    return replace(outcome, findings=(Finding("Z33", f"RFF+{reference.kind}", "unknown", value=reference.number),))


def unknown_place(outcome: Outcome) -> Outcome:
    """An order whose address or area nobody knows, neither it nor we."""
    place = outcome.vorgang.first("NAD+DP") if outcome.vorgang else None
    quoted = text_of(place) if place else None
    return replace(outcome, findings=(Finding("Z35", "NAD+DP", "address or area is not known", segment=quoted),))


def receipt(content: bytes, checked: Checked, sending: MarketSending) -> bytes | None:
    """What is owed for an interchange: CONTRL, APERAKs, or nothing, which is so for receipts and in quarantine."""
    if wants_contrl(checked):
        return contrl(content, checked, sending)
    if checked.core or checked.refused or not checked.outcomes:
        return None
    return aperaks(needed(checked.head, "head"), checked.outcomes, sending)
