"""What the market answers to us: business answers, corrections, APERAK and CONTRL, with what they quote."""

from collections.abc import Iterator
from datetime import date

from contracts.codes import Authority, HubReason, Level
from services.mdm_adapter.dialects.edifact_fv import places
from services.mdm_adapter.dialects.edifact_fv.acknowledgements import Acknowledgement, cause_of, meaning_of
from services.mdm_adapter.dialects.edifact_fv.received_orders import day_at
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.tables import rows_at
from services.mdm_adapter.dialects.edifact_fv.vorgang import Part, Vorgang
from services.mdm_adapter.dialects.items import Reference
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason
from services.mdm_adapter.documents.corrected import Corrected, CorrectedField

QUOTED = ("TN", "ADY", "ACW", "AGO", "ON", "ACE", "AAV")
"""In the order in which they are looked up."""
CLEARING = "Z88"
CORRECTS = "A02"
MASTER_DATA = frozenset({"55648", "55658"})
ANY = "*"
UNSPECIFIED = "18"
"""DE0085 of a refusal that names no fault."""
CHARACTERS = 1000


def is_answer(pid: str, on: date) -> bool:
    """Whether a PID answers something."""
    return _row(pid, on) is not None


def _row(pid: str, on: date) -> dict[str, str] | None:
    return next((row for row in rows_at("answers.csv", on) if row["pid"] == pid), None)


def references(part: Part) -> tuple[Reference, ...]:
    """What a message quotes of ours."""
    return _sorted((segment.at(2), segment.at(2, 2)) for _, segment in part.all("RFF"))


def references_of(said: Acknowledgement) -> tuple[Reference, ...]:
    """What an acknowledgement quotes, wherever it stands in it."""
    behind = (each for refusal in said.refusals for each in refusal.references)
    return _sorted((*said.references, *behind))


def _sorted(found: Iterator[tuple[str, str]] | tuple[tuple[str, str], ...]) -> tuple[Reference, ...]:
    quoted = {Reference(qualifier, number): None for qualifier, number in found if qualifier in QUOTED and number}
    document = next((each.number for each in quoted if each.kind == "ACW"), "")
    within = (_within(each, document) for each in quoted)
    return tuple(sorted(within, key=lambda each: QUOTED.index(each.kind)))


def _within(quoted: Reference, document: str) -> Reference:
    """A running number means something only within its document: both make one key."""
    return Reference("ADY", f"{document}/{quoted.number}") if quoted.kind == "ADY" and document else quoted


def answer(vorgang: Vorgang, on: date) -> Answer | None:
    """What a business answer says; None: it is none."""
    row = _row(vorgang.pid, on)
    if row is None:
        return None
    decisive = vorgang.first(row["segment"])
    code, list_ = _decision(decisive)
    state = ItemState(row["state"])
    text = _text(vorgang)
    if vorgang.pid in MASTER_DATA and vorgang.head.value("BGM", 2) == CLEARING:
        code, list_, state = CLEARING, "", ItemState.REFUSED
    if state is ItemState.REFUSED and not code:
        code = vorgang.pid  # some refusals need no code: their name is reason enough
    means = _means(vorgang.pid, code, on) if state is ItemState.REFUSED else None
    reasons = (Reason(code=code, list=list_ or None, text=text or None, hub_reason=means),) if code else ()
    quoted = references(vorgang)
    return Answer(
        items=(ItemAnswer(item=_item(quoted), state=state, reasons=reasons),),
        authority=Authority(row["authority"]) if row["authority"] else None,
        fixed_on=day_at(vorgang, "76") or day_at(vorgang, "203") or day_at(vorgang, "292"),
        window_from=day_at(vorgang, "469"),
        window_to=day_at(vorgang, "472"),
    )


def _item(quoted: tuple[Reference, ...]) -> str:
    """What the answer itself calls the thing that it answers."""
    named = [each.number for each in quoted if each.kind in {"ON", "AAV"}] or [each.number for each in quoted]
    return named[0] if named else ""


def _decision(segment: Segment | None) -> tuple[str, str]:
    """Code and list: of AJT in its own elements, of STS in its reason."""
    if segment is None:
        return "", ""
    return (segment.at(2), segment.at(3)) if segment.tag == "AJT" else (segment.at(4), segment.at(4, 2))


def _means(pid: str, code: str, on: date) -> HubReason | None:
    rows = [row for row in rows_at("answer_reasons.csv", on) if row["pid"] == pid and row["code"] in {code, ANY}]
    return HubReason(min(rows, key=lambda row: row["code"] == ANY)["reason"]) if rows else None


def _text(vorgang: Vorgang) -> str:
    """Words of the answer; where old devices go, and who is responsible, are words too."""
    said = ["".join(segment.elements[3]) for _, segment in vorgang.all("FTX") if len(segment.elements) > 3]
    said += [places.one_line(segment) for _, segment in vorgang.all("NAD+Z22")]
    said += [segment.at(3) for _, segment in vorgang.all("NAD+VY")]
    return " ".join(filter(None, said))[:CHARACTERS]


def corrected(vorgang: Vorgang, on: date) -> Corrected | None:
    """What the receiver of our master data sees otherwise, and sends; None: it takes them over as they are."""
    code, _ = _decision(vorgang.first("STS+E01"))
    is_clearing = vorgang.head.value("BGM", 2) == CLEARING
    if vorgang.pid not in MASTER_DATA or is_clearing or code != CORRECTS:
        return None
    changes = tuple(CorrectedField(field=field, new=value) for field, value in characteristics(vorgang, on))
    return Corrected(order_no=vorgang.reference("TN"), changes=changes)


def characteristics(part: Part, on: date) -> Iterator[tuple[str, str]]:
    """Values of master data by our names for them, in the order in which they stand."""
    block = characteristic = ""
    for _, segment in part.segments:
        match segment.tag:
            case "SEQ":
                block, characteristic = segment.at(2), ""
            case "NAD":
                block = ""
            case "CCI":
                characteristic = segment.at(4)
            case _ if block:
                yield from _characteristic(block, characteristic, segment, on)


def _characteristic(block: str, characteristic: str, segment: Segment, on: date) -> Iterator[tuple[str, str]]:
    match segment.tag:
        case "PIA" if block == "Z20":
            yield "Z20.obis", segment.at(3)
        case "RFF" if segment.at(2) in {"Z14", "MG"}:
            yield f"{block}.{'gateway' if segment.at(2) == 'Z14' else 'meter'}", segment.at(2, 2)
        case "CAV" if characteristic == "Z33":
            yield f"{block}.digits", f"{segment.at(2, 4)}:{segment.at(2, 5)}"
        case "CAV":
            for row in rows_at("characteristics.csv", on):
                fits = (row["seq"], row["characteristic"]) == (block, characteristic)
                if fits and segment.at(2) in row["codes"].split():
                    yield f"{block}.{row['field']}", segment.at(2, int(row["component"]))


def acknowledged(said: Acknowledgement, on: date) -> Answer:
    """What an APERAK or a CONTRL says; every error, with what it means to us."""
    is_contrl = said.type == "CONTRL"
    taken = ItemState.RECEIVED if is_contrl else ItemState.ACCEPTED
    state = taken if said.accepted else ItemState.REFUSED
    seen = dict.fromkeys(_reasons(said, on)) if state is ItemState.REFUSED else {}
    if state is ItemState.REFUSED and not seen:
        seen = {Reason(code=UNSPECIFIED, text=meaning_of(UNSPECIFIED, on) or None, hub_reason=HubReason.SCHEMA): None}
    return Answer(
        items=(ItemAnswer(item=_item(references_of(said)), state=state, reasons=tuple(seen)),),
        level=Level.SYNTAX if is_contrl else Level.PROCESSABILITY,
    )


def _reasons(said: Acknowledgement, on: date) -> Iterator[Reason]:
    for refusal in said.refusals:
        if said.type == "CONTRL":
            means, text = _means("CONTRL", refusal.code, on), meaning_of(refusal.code, on)
        else:
            means, text = HubReason(cause_of(refusal.code, on).reason), refusal.text
        words = text[:CHARACTERS] or None
        yield Reason(code=refusal.code, text=words, field=refusal.place or None, hub_reason=means)
