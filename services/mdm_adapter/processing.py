"""A stored message is read, judged and applied, and its answer written: transaction B, once per message."""

from collections.abc import Iterator

from pydantic import ValidationError

from contracts.codes import Level
from contracts.ids import order_key
from kit import faults
from kit.handlers import Timer
from kit.store import Ref, Unit
from services.mdm_adapter import answering
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Decoded, Item, Kind
from services.mdm_adapter.dialects.json_ce import messages as json_ce
from services.mdm_adapter.dialects.reading import decode
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason
from services.mdm_adapter.documents.order_content import missing_place
from services.mdm_adapter.domain.messages import (
    CHAIN,
    Archived,
    ArchiveHead,
    InboundMessage,
    InState,
    ItemResult,
    KnownMessage,
    QuarantineEntry,
    by_id,
    noted,
)
from services.mdm_adapter.domain.orders import Arrival, Order, Verdict
from services.mdm_adapter.domain.policy import COPY_WAIT
from services.mdm_adapter.linking import link_orders
from services.mdm_adapter.metrics import MESSAGES, ORDERS
from services.mdm_adapter.partners.profile import Profile
from services.mdm_adapter.receiving import PROCESS
from services.mdm_adapter.replies import needs_of_answer, take_answer, take_correction

UNKNOWN_PARTNER, ID_REUSED, CONFLICT, UNCORRELATED = "UNKNOWN_PARTNER", "ID_REUSED", "CONFLICT", "UNCORRELATED"
SENDER_MISMATCH, TOO_LARGE = "SENDER_MISMATCH", "TOO_LARGE"
REFUSED = "refused"
ANSWERS = frozenset({Kind.ANSWER, Kind.CORRECTION, Kind.FAULT})
"""Kinds of messages that are never answered."""


def needs_processing(desk: Desk, timer: Timer, unit: Unit) -> Iterator[Ref]:
    """What a message touches; asked again with the message, and then with its orders, at hand."""
    yield InboundMessage, timer.key
    yield Archived, timer.key
    yield ArchiveHead, CHAIN
    message = unit.find(InboundMessage, timer.key)
    if message is None:
        return
    if message.copy_of is not None:
        yield InboundMessage, str(message.copy_of)
        return
    profile = desk.partners.find(message.partner)
    if profile is None:
        return
    decoded = read(message, unit, profile)
    if decoded.message_id:
        yield KnownMessage, by_id(message.partner, decoded.message_id)
    if decoded.kind in ANSWERS:
        yield from needs_of_answer(message, decoded, unit)
    else:
        yield from _needs_of_orders(profile, decoded, unit)


def _needs_of_orders(profile: Profile, decoded: Decoded, unit: Unit) -> Iterator[Ref]:
    taken = [(item, order_key(profile.id, item.order_no)) for item in decoded.items if not item.findings]
    for _, key in taken:
        yield Order, key
    for item, key in taken:
        order = unit.find(Order, key)
        if order and item.document and (first := order.first_of(item.document)):
            yield InboundMessage, str(first.message_id)


def read(message: InboundMessage, unit: Unit, profile: Profile) -> Decoded:
    """What the message says; read once in a transaction."""
    if message.decoded is None:
        content = unit.get(Archived, message.key()).content
        message.decoded = decode(content, profile, message.received_at)
        faults.point("in.parsed")
    return message.decoded


def process(desk: Desk, timer: Timer, unit: Unit) -> None:
    """Work on one stored message. What was worked on before is left alone."""
    message = unit.get(InboundMessage, timer.key)
    if message.state is not InState.STORED:
        return
    profile = desk.partners.find(message.partner)
    if message.copy_of is not None:
        _replay(unit, desk, message, profile)
    elif profile is None:
        quarantine(unit, message, UNKNOWN_PARTNER, "there is no profile of this partner")
    else:
        _apply(unit, desk, message, profile)
    if message.state is not InState.STORED:
        answering.write_result(unit, message)
        document = message.noun or message.dialect or "unreadable"
        MESSAGES.labels(message.partner if profile else "unknown", document, "in", message.state.lower()).inc()


def _replay(unit: Unit, desk: Desk, message: InboundMessage, profile: Profile | None) -> None:
    """A copy has no effect; its sender gets again what the first one was answered."""
    first = unit.get(InboundMessage, str(message.copy_of))
    if first.state is InState.STORED:
        unit.later(PROCESS, message.key(), unit.now + COPY_WAIT)
        return
    message.state, message.results = first.state, first.results
    message.dialect, message.verb, message.noun = first.dialect, first.verb, first.noun
    message.foreign_id, message.correlation_id = first.foreign_id, first.correlation_id
    message.orders, message.answers = first.orders, first.answers
    if profile is not None:
        for stored in first.answers:
            answering.send_answer(unit, desk, profile, message, stored.answer)


def _apply(unit: Unit, desk: Desk, message: InboundMessage, profile: Profile) -> None:
    decoded = read(message, unit, profile)
    message.note(decoded)
    link_orders(unit, message)
    if decoded.kind in ANSWERS:
        _take_answer(unit, desk, message, profile, decoded)
        return
    if any(found.rule == TOO_LARGE for found in decoded.findings):
        quarantine(unit, message, TOO_LARGE, decoded.findings[0].detail)
    elif any(found.rule == SENDER_MISMATCH for found in decoded.findings):
        quarantine(unit, message, SENDER_MISMATCH, "the declared sender is not this partner")
        answering.answer(unit, desk, profile, message, answering.refused_whole(decoded.orders, decoded.findings))
    elif _reused(unit, message, decoded):
        found = [Finding(codes.ID_REUSED, "MessageID", "was used for another message")]
        quarantine(unit, message, ID_REUSED, "the message id was used for another message")
        answering.answer(unit, desk, profile, message, answering.refused_whole(decoded.orders, found))
    elif decoded.findings:
        message.state = InState.REFUSED
        answering.answer(unit, desk, profile, message, answering.refused_whole(decoded.orders, decoded.findings))
    else:
        _take_orders(unit, desk, message, profile, decoded)


def _reused(unit: Unit, message: InboundMessage, decoded: Decoded) -> bool:
    """Whether the sender gave this id to other bytes before; else it is remembered."""
    if not decoded.message_id:
        return False
    name = by_id(message.partner, decoded.message_id)
    known = unit.find(KnownMessage, name)
    if known is None:
        unit.add(KnownMessage(name=name, message_id=message.id, sha256=message.sha256))
        return False
    return known.sha256 != message.sha256


def _take_answer(unit: Unit, desk: Desk, message: InboundMessage, profile: Profile, decoded: Decoded) -> None:
    if decoded.findings:
        quarantine(unit, message, UNCORRELATED, f"{decoded.findings[0].position}: {decoded.findings[0].detail}")
    elif _reused(unit, message, decoded):
        quarantine(unit, message, ID_REUSED, "the message id was used for another message")
    elif decoded.kind is Kind.CORRECTION:
        if not take_correction(unit, message, profile, decoded):
            quarantine(unit, message, UNCORRELATED, "it corrects nothing that this partner was sent or has ordered")
    elif not take_answer(unit, desk, message, profile, decoded):
        quarantine(unit, message, UNCORRELATED, "it answers no message that this partner was sent")


def _take_orders(unit: Unit, desk: Desk, message: InboundMessage, profile: Profile, decoded: Decoded) -> None:
    """Apply every order; each stands alone, and the answer names each."""
    results, answers = list[ItemResult](), list[ItemAnswer]()
    for item in decoded.items:
        result, answer = _take(unit, message, profile, item)
        results.append(result)
        answers += [answer] if answer else []
        kind = getattr(item.document, "kind", None) or "cancel"
        ORDERS.labels(profile.id, str(kind), result.result).inc()
    message.results = tuple(results)
    taken = [each for each in results if each.result not in {REFUSED, Verdict.CONFLICT, Verdict.UNKNOWN}]
    if message.state is InState.STORED or taken:
        message.state = InState.PROCESSED if taken else InState.REFUSED
    if decoded.ack_required:
        answering.answer(unit, desk, profile, message, answering.all_in(ItemState.RECEIVED, decoded.orders))
    if answers:
        answering.answer(unit, desk, profile, message, Answer(items=tuple(answers)))
    elif taken and decoded.dialect == json_ce.NAME:  # it can be processed; the decision comes later
        can_be_processed = answering.all_in(ItemState.ACCEPTED, decoded.orders, Level.PROCESSABILITY)
        answering.answer(unit, desk, profile, message, can_be_processed)


def _take(unit: Unit, message: InboundMessage, profile: Profile, item: Item) -> tuple[ItemResult, ItemAnswer | None]:
    """Apply one order: what became of it, and what its sender is told now, if anything."""
    if item.findings or item.document is None:
        return _refuse(unit, message, item, item.findings)
    order = unit.find(Order, order_key(profile.id, item.order_no)) or Order.unknown(profile.id, item.order_no)
    verdict = order.judge(item.document)
    match verdict:
        case Verdict.REPEATED:
            return _result(item, verdict), _first_answer(unit, order, item)
        case Verdict.CONFLICT:
            detail = f"version {item.document.order_version} of the order is known with other content"
            quarantine(unit, message, CONFLICT, detail, order=order, row=item.row)
            found = [Finding(codes.DECLINED, "order_version", detail)]
            return _result(item, verdict, found), answering.refused(item.order_no, found)
        case Verdict.UNKNOWN:
            found = [Finding(codes.ID_REUSED, "order_no", "the order is not known")]
            return _result(item, verdict, found), answering.refused(item.order_no, found)
        case Verdict.LATE:
            unit.anomaly("order_late", f"order/{order.order_key}", version=item.document.order_version)
            reason = Reason(code=codes.ACCEPTED, text=f"version {order.order_version} is known and stands")
            return _result(item, verdict), _accepted(item, reason)
    return _apply_order(unit, message, profile, item, order, verdict)


def _apply_order(
    unit: Unit, message: InboundMessage, profile: Profile, item: Item, order: Order, verdict: Verdict
) -> tuple[ItemResult, ItemAnswer | None]:
    assert item.document is not None  # noqa: S101 -- `_take` has seen it
    after = order.after(item.document)
    if after is not None:
        full = after.filled(profile.defaults.content())
        missing = missing_place(full.location)
        if missing:
            found = [Finding(codes.PLACE, each.field, f"missing: {', '.join(each.names)}") for each in missing]
            return _refuse(unit, message, item, found)
    arrival = Arrival(message.id, message.correlation_id or str(message.id), message.received_at)
    is_new = order.version == 0 and not order.versions
    try:
        order.take(item.document, verdict, arrival, profile)
    except ValidationError as error:
        places = [".".join(map(str, each["loc"])) for each in error.errors(include_input=False, include_url=False)]
        return _refuse(unit, message, item, [Finding(codes.PAYLOAD, place, "does not fit the hub") for place in places])
    if is_new:
        unit.add(order)
    later = verdict in {Verdict.CANCELLED, Verdict.KEPT}
    wanted = order.content is not None and order.content.answer is not None
    asked = verdict in {Verdict.NEW, Verdict.DEAD_ON_ARRIVAL} and (wanted or not profile.options.auto_accept_orders)
    order.answered = order.answered or not asked
    return _result(item, verdict), None if later or asked else _accepted(item)


def _refuse(
    unit: Unit, message: InboundMessage, item: Item, findings: list[Finding]
) -> tuple[ItemResult, ItemAnswer | None]:
    """A row of a file has nobody who reads an answer at once: it lies in quarantine as well, under the rule."""
    if item.row is not None:
        cause = (findings[0].rule or findings[0].code).replace("/", ".")
        detail = f"{findings[0].position}: {findings[0].detail}"
        quarantine(unit, message, cause, detail, row=item.row)
    return _result(item, REFUSED, findings), answering.refused(item.order_no, findings)


def _result(item: Item, result: str, findings: list[Finding] | None = None) -> ItemResult:
    kept = noted([*(findings or ()), *item.warnings])
    return ItemResult(order_no=item.order_no[:80], result=str(result), row=item.row, findings=kept)


def _accepted(item: Item, *reasons: Reason) -> ItemAnswer:
    return ItemAnswer(item=item.order_no, state=ItemState.ACCEPTED, reasons=reasons)


def _first_answer(unit: Unit, order: Order, item: Item) -> ItemAnswer | None:
    """What the sender was told when it said this first; nothing, as long as nothing was told."""
    first = order.first_of(item.document) if item.document else None
    message = unit.find(InboundMessage, str(first.message_id)) if first else None
    if message is None:
        return None
    decided = [stored.answer for stored in message.answers if stored.answer.level is Level.BUSINESS]
    told = [each for answer in decided for each in answer.items if each.item == item.order_no]
    final = [each for each in told if each.state is not ItemState.RECEIVED]
    return final[-1] if final else None


def quarantine(
    unit: Unit,
    message: InboundMessage,
    cause: str,
    detail: str,
    *,
    order: Order | None = None,
    row: int | None = None,
) -> None:
    """Put a message, or one row of it, aside for a person."""
    case_id = order.case_id if order else None
    unit.add(QuarantineEntry.open(unit.new_id(), message, cause, detail, unit.now, case_id=case_id, row=row))
    message.state = InState.QUARANTINED
