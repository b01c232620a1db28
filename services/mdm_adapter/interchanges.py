"""An interchange of the market is applied, Vorgang by Vorgang, and answered: by one CONTRL, or an APERAK for each."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from uuid import UUID

from contracts.codes import Level
from kit.store import Ref, Unit, side_by_side
from services.mdm_adapter import answering, market_writing
from services.mdm_adapter.aside import ID_REUSED, SENDER_MISMATCH, UNCORRELATED, is_reused, quarantine
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.edifact_fv.checking import Checked, Outcome
from services.mdm_adapter.dialects.edifact_fv.receipts import unknown_place, unknown_reference, wants_contrl
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Decoded, Item, Reference
from services.mdm_adapter.dialects.packing import unpacked
from services.mdm_adapter.documents.answer import ItemState
from services.mdm_adapter.documents.corrected import Corrected
from services.mdm_adapter.documents.work_order_cancelled import WorkOrderCancelled
from services.mdm_adapter.domain.calendar import local_day
from services.mdm_adapter.domain.dossier import Dossier
from services.mdm_adapter.domain.handover import Row
from services.mdm_adapter.domain.messages import (
    Archived,
    Correlation,
    InboundMessage,
    InState,
    ItemResult,
    KnownMessage,
    by_correlation,
)
from services.mdm_adapter.domain.orders import Order, Verdict
from services.mdm_adapter.domain.points import MasterData, Point
from services.mdm_adapter.handing_over import ACK_DUE, needs_rows, release_held
from services.mdm_adapter.linking import link_document
from services.mdm_adapter.ordering import REFUSED, first_told, key_or_none, needs_of_orders, result_of, take_order
from services.mdm_adapter.partners.profile import Profile
from services.mdm_adapter.replies import hear, tell_correction

RECEIPT = "receipt"
REJECTED = "rejected"
UNKNOWN_REFERENCE, UNKNOWN_PLACE = "unknown_reference", "unknown_place"
"""Results of a Vorgang that its own check does not see: it quotes nothing of ours, or lies nowhere that we know."""
PUT_ASIDE = frozenset({UNKNOWN_REFERENCE, UNCORRELATED.lower(), Verdict.CONFLICT.value})
"""Results of which a person decides; of a receipt a refusal as well."""
CAUSES = {"23": SENDER_MISMATCH, "7": SENDER_MISMATCH}
"""Why nobody may be answered, where syntax does not say it: a stranger sends, or somebody else is meant."""


def needs_of_interchange(message: InboundMessage, profile: Profile, decoded: Decoded, unit: Unit) -> Iterator[Ref]:
    """Orders, and the cases of all that is quoted: an answer may let more of their documents leave."""
    names = [_name(message, reference) for item in decoded.items for reference in item.references]
    for name in names:
        yield Correlation, name
    for item in decoded.items:
        if item.answer and item.answer.level is not Level.BUSINESS:
            for reference in item.references:
                yield KnownMessage, _answer_name(message, reference)
    orders = [item for item in decoded.items if item.document]
    both = (needs_of_orders(profile, orders, message.received_at, unit), _needs_of_cases(names, unit))
    yield from side_by_side(both)


def _needs_of_cases(names: Iterable[str], unit: Unit) -> Iterator[Ref]:
    cases = dict.fromkeys(str(found.case_id) for name in names if (found := unit.find(Correlation, name)))
    yield from side_by_side(needs_rows(case_id, [], unit) for case_id in cases)


def _name(message: InboundMessage, reference: Reference) -> str:
    return by_correlation(message.partner, market_writing.key_of(reference))


def _answer_name(message: InboundMessage, reference: Reference) -> str:
    return market_writing.answered_by(message.partner, market_writing.key_of(reference))


def take_interchange(unit: Unit, desk: Desk, message: InboundMessage, profile: Profile, decoded: Decoded) -> None:
    """Work on an interchange. Its receipts are written with it, one per Vorgang, and never one for a receipt."""
    checked = decoded.checked
    assert checked is not None  # noqa: S101 -- whoever calls has seen it
    if checked.is_quarantined:
        fault = decoded.findings[0]
        quarantine(unit, message, CAUSES.get(fault.code, fault.code), f"{fault.position}: {fault.detail}")
        return
    if is_reused(unit, message, decoded.message_id):
        quarantine(unit, message, ID_REUSED, "the number of the interchange was used for another one")
        return
    owed = len(checked.outcomes)  # items behind them are receipts
    kept = _kept(message, decoded, owed)
    message.results = tuple(
        kept.get(number) or _take(unit, desk, message, profile, item, is_receipt=number >= owed)
        for number, item in enumerate(decoded.items)
    )
    if message.state is InState.STORED:
        taken = any(each.result != REFUSED for each in message.results)
        message.state = InState.PROCESSED if taken and not decoded.findings else InState.REFUSED
    _send_receipt(unit, desk, profile, message, decoded, _content(unit, profile, message.id), kept)


def _kept(message: InboundMessage, decoded: Decoded, owed: int) -> dict[int, ItemResult]:
    """What is left of an earlier time, by number of the Vorgang: it was judged and answered, and no person waits."""
    if len(message.results) != len(decoded.items):
        return {}
    aside = [PUT_ASIDE if number < owed else PUT_ASIDE | {REFUSED} for number in range(len(decoded.items))]
    before = enumerate(zip(message.results, aside, strict=True))
    return {number: result for number, (result, waits) in before if result.result not in waits}


def _content(unit: Unit, profile: Profile, message_id: UUID | None) -> bytes:
    """The interchange itself, also where it came packed."""
    return unpacked(unit.get(Archived, str(message_id)).content, profile.limits.message_bytes)[0]


def repeat_answers(unit: Unit, desk: Desk, profile: Profile, message: InboundMessage) -> None:
    """A copy gets again what the first was answered, under numbers of their own."""
    content, first = _content(unit, profile, message.copy_of), unit.get(InboundMessage, str(message.copy_of))
    decoded = edifact.decode(content, profile, first.received_at, desk.own_ids)
    _send_receipt(unit, desk, profile, message, decoded, content)
    asked = {item.order_no: item.asked for item in decoded.items if item.asked}
    for stored in first.answers:
        order_no = stored.answer.items[0].item
        market_writing.send_order_answer(unit, desk, profile, message, stored.answer, asked.get(order_no))


def _take(
    unit: Unit, desk: Desk, message: InboundMessage, profile: Profile, item: Item, *, is_receipt: bool
) -> ItemResult:
    if item.findings:
        if is_receipt:
            found = item.findings[0]
            quarantine(unit, message, UNCORRELATED, f"{found.code} {found.position}: {found.detail}")
        return result_of(item, REFUSED, item.findings)
    if item.document is not None and _is_known(unit, profile, item):
        return _take_order(unit, desk, message, profile, item)
    row = _row_of(unit, message, item)
    if row is None:
        return _of_answer(unit, message, item) or _uncorrelated(unit, message, item)
    link_document(unit, message, row[1])
    _hear(unit, desk, profile, *row, item)
    state = item.answer.items[0].state if item.answer else ItemState.UNKNOWN
    said = REJECTED if state is ItemState.REFUSED else state  # a no of theirs is no refusal of ours
    return result_of(item, "corrected" if item.corrected else said)


def _is_known(unit: Unit, profile: Profile, item: Item) -> bool:
    """Whether it can be taken: an order of ours, or the end of one that this partner has ordered."""
    key = key_or_none(profile, item.order_no)
    ends = isinstance(item.document, WorkOrderCancelled)
    return key is not None and not (ends and unit.find(Order, key) is None)


def _take_order(unit: Unit, desk: Desk, message: InboundMessage, profile: Profile, item: Item) -> ItemResult:
    """An order. That it was taken is said by its receipt; a decision that was told before is told again."""
    result, answer = take_order(unit, message, profile, item)
    if answer and answer.state is ItemState.REFUSED and any(each.code == codes.PLACE for each in result.findings):
        return result.model_copy(update={"result": UNKNOWN_PLACE})
    told = first_told(unit, profile, item) if result.result == Verdict.REPEATED else None
    if told is not None:
        market_writing.send_order_answer(unit, desk, profile, message, told, item.asked)
    return result


def _of_answer(unit: Unit, message: InboundMessage, item: Item) -> ItemResult | None:
    """A receipt of an answer of ours: a yes is noted, a no is for a person. None: of no answer of ours."""
    if item.answer is None or item.answer.level is Level.BUSINESS:
        return None
    if not any(unit.find(KnownMessage, _answer_name(message, each)) for each in item.references):
        return None
    said = item.answer.items[0]
    if said.state is ItemState.REFUSED:
        codes_ = ", ".join(reason.code for reason in said.reasons)
        quarantine(unit, message, UNCORRELATED, f"our answer to an order was not taken: {codes_}")
    return result_of(item, said.state)


def _uncorrelated(unit: Unit, message: InboundMessage, item: Item) -> ItemResult:
    """It answers nothing that this partner was sent, or ends nothing that we know: a person looks."""
    quoted = ", ".join(f"{each.kind} {each.number}" for each in item.references) or "nothing"
    quarantine(unit, message, UNCORRELATED, f"this partner was sent nothing under what is quoted: {quoted}")
    is_business = item.document is not None or (item.answer is not None and item.answer.level is Level.BUSINESS)
    unknown = Finding("Z33", "RFF", f"unknown: {quoted}")
    return result_of(item, UNKNOWN_REFERENCE if is_business and item.references else UNCORRELATED.lower(), [unknown])


def _row_of(unit: Unit, message: InboundMessage, item: Item) -> tuple[Dossier, Row, Correlation] | None:
    """The document that is meant: by the first of the references that this partner knows from us."""
    for reference in item.references:
        correlation = unit.find(Correlation, _name(message, reference))
        dossier = unit.find(Dossier, str(correlation.case_id)) if correlation else None
        row = dossier.row(correlation.row_id) if dossier and correlation else None
        if dossier and row and correlation:
            return dossier, row, correlation
    return None


def _hear(
    unit: Unit, desk: Desk, profile: Profile, dossier: Dossier, row: Row, correlation: Correlation, item: Item
) -> None:
    """An answer moves its row. Receipts of readings come device by device: only the last one counts for the row."""
    answer = item.answer
    if answer is None:
        return
    state, is_business = answer.items[0].state, answer.level is Level.BUSINESS
    is_of_older = state is ItemState.REFUSED and not is_business and correlation.message_id != row.message_id
    if is_of_older or (is_business and not row.decides(item.said_at)):
        unit.anomaly("answer_late", f"case/{dossier.case_id}", row=str(row.row_id), answer=state.value)
        return
    number = next((each.number for each in item.references if each.kind in {"AGO", "ACW"}), None)
    if state is ItemState.ACCEPTED and not is_business and not row.took(number):
        return
    if state is not ItemState.RECEIVED:
        unit.never(ACK_DUE, str(row.row_id))
    if item.corrected:
        _learn(unit, dossier, item.corrected)
        tell_correction(unit, profile, dossier, row.order_key, item.corrected)
    hear(unit, desk, profile, dossier, row, answer)
    release_held(unit, desk, dossier)


def _learn(unit: Unit, dossier: Dossier, corrected: Corrected) -> None:
    """What the receiver knows better of the point, documents of ours say from now on."""
    voltage = next((each.new for each in corrected.changes if each.field == "Z18.voltage"), None)
    if dossier.metering_point_id is None or dossier.metering_point_scheme is None or voltage is None:
        return
    point = unit.find(Point, dossier.metering_point_id)
    if point is None:
        point = Point(metering_point_id=dossier.metering_point_id, scheme=dossier.metering_point_scheme)
        unit.add(point)
    point.learn(MasterData(voltage=str(voltage)), local_day(unit.now))


def _send_receipt(
    unit: Unit,
    desk: Desk,
    profile: Profile,
    message: InboundMessage,
    decoded: Decoded,
    content: bytes,
    told: Container[int] = (),
) -> None:
    """Write what is owed by what became of each Vorgang, but those of these numbers: they have their answer."""
    checked = decoded.checked
    if checked is None:
        return
    found = enumerate(zip(checked.outcomes, decoded.items, message.results, strict=False))
    owed = tuple(_judged(*each) for number, each in found if number not in told)
    if not (wants_contrl(checked) or owed):
        return
    checked = replace(checked, outcomes=owed)
    _post_receipt(unit, desk, profile, message, checked, content)


def _judged(outcome: Outcome, item: Item, result: ItemResult) -> Outcome:
    if result.result == UNKNOWN_PLACE:
        return unknown_place(outcome)
    if result.result == REFUSED and outcome.is_processed and not outcome.findings:  # it does not fit the hub
        found = tuple(Finding("Z35", each.position, each.detail) for each in result.findings)
        return replace(outcome, findings=found or (Finding("Z35", "", "does not fit the hub"),))
    return unknown_reference(outcome, item.references[0]) if result.result == UNKNOWN_REFERENCE else outcome


def _post_receipt(
    unit: Unit, desk: Desk, profile: Profile, message: InboundMessage, checked: Checked, content: bytes
) -> None:
    assert checked.head is not None  # noqa: S101 -- something is owed, so there was a head
    out = answering.outbound(unit, profile, RECEIPT, edifact.NAME)
    out.answers_to = message.id
    count = max(len(checked.outcomes), 1)
    parties = (checked.head.receiver, checked.head.sender)
    sending = market_writing.envelope(unit, parties, out, count)
    receipt = edifact.receipt(content, checked, sending)
    if receipt is None:
        return
    if faults := edifact.own_faults(receipt, unit.now):
        unit.anomaly("own_output_invalid", f"message/{message.id}", document=RECEIPT, place=faults[0][:200])
    answering.post(unit, desk, profile, out, receipt, lane=str(message.id))
