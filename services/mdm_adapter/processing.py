"""A stored message is read, judged and applied, and its answer written: transaction B, once per message."""

from collections.abc import Iterator

from contracts.codes import Level
from kit import faults
from kit.handlers import Timer
from kit.store import Ref, Unit
from services.mdm_adapter import answering, interchanges
from services.mdm_adapter.aside import (
    ID_REUSED,
    POISON,
    SENDER_MISMATCH,
    TOO_LARGE,
    UNCORRELATED,
    UNKNOWN_PARTNER,
    is_reused,
    quarantine,
)
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Decoded, Kind
from services.mdm_adapter.dialects.json_ce import messages as json_ce
from services.mdm_adapter.dialects.packing import INFLATION
from services.mdm_adapter.dialects.reading import decode
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState
from services.mdm_adapter.domain.messages import (
    CHAIN,
    Archived,
    ArchiveHead,
    InboundMessage,
    InState,
    ItemResult,
    KnownMessage,
    by_id,
)
from services.mdm_adapter.domain.orders import Verdict
from services.mdm_adapter.domain.policy import COPY_WAIT, POISON_TRIES
from services.mdm_adapter.linking import link_orders
from services.mdm_adapter.metrics import MESSAGES
from services.mdm_adapter.ordering import REFUSED, needs_of_orders, take_order
from services.mdm_adapter.partners.profile import Profile
from services.mdm_adapter.receiving import PROCESS
from services.mdm_adapter.replies import needs_of_answer, take_answer, take_correction

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
        yield Archived, str(message.copy_of)
        return
    profile = desk.partners.find(message.partner)
    if profile is None:
        return
    decoded = read(desk, message, unit, profile)
    if decoded.message_id:
        yield KnownMessage, by_id(message.partner, decoded.message_id)
    if decoded.checked is not None:
        yield from interchanges.needs_of_interchange(message, profile, decoded, unit)
    elif decoded.kind in ANSWERS:
        yield from needs_of_answer(message, decoded, unit)
    else:
        yield from needs_of_orders(profile, decoded.items, message.received_at, unit)


def read(desk: Desk, message: InboundMessage, unit: Unit, profile: Profile) -> Decoded:
    """What the message says; read once in a transaction."""
    if message.decoded is None:
        content = unit.get(Archived, message.key()).content
        message.decoded = decode(content, profile, message.received_at, desk.own_ids)
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
        _conclude(unit, message, message.partner if profile else "unknown")


def needs_message(timer: Timer, unit: Unit) -> Iterator[Ref]:  # noqa: ARG001 - asked like all needs
    """The message alone."""
    yield InboundMessage, timer.key


def fail(timer: Timer, why: str, unit: Unit) -> None:
    """A defect of ours met this message: it is tried again, at last it is put aside; others go on."""
    message = unit.get(InboundMessage, timer.key)
    if message.state is not InState.STORED:
        return
    tries = int(timer.payload.get("tries", 0)) + 1
    if tries < POISON_TRIES:
        unit.later(PROCESS, timer.key, unit.now, tries=tries)
    else:
        quarantine(unit, message, POISON, why)
        _conclude(unit, message, message.partner)


def _conclude(unit: Unit, message: InboundMessage, partner: str) -> None:
    answering.write_result(unit, message)
    document = message.noun or message.dialect or "unreadable"
    MESSAGES.labels(partner, document, "in", message.state.lower()).inc()


def _replay(unit: Unit, desk: Desk, message: InboundMessage, profile: Profile | None) -> None:
    """A copy has no effect; its sender gets again what the first one was answered."""
    first = unit.get(InboundMessage, str(message.copy_of))
    if first.state is InState.STORED:
        unit.later(PROCESS, message.key(), unit.now + COPY_WAIT)
        return
    if first.state is InState.QUARANTINED and first.dialect is None and profile is not None:
        quarantine(unit, message, POISON, f"a copy of {first.id}, which nobody could work on: retry it after that one")
        return
    message.state, message.results = first.state, first.results
    message.dialect, message.verb, message.noun = first.dialect, first.verb, first.noun
    message.foreign_id, message.correlation_id = first.foreign_id, first.correlation_id
    message.orders, message.answers = first.orders, first.answers
    if profile is None:
        return
    if first.dialect == edifact.NAME:
        interchanges.repeat_answers(unit, desk, profile, message)
        return
    for stored in first.answers:
        answering.send_answer(unit, desk, profile, message, stored.answer)


def _apply(unit: Unit, desk: Desk, message: InboundMessage, profile: Profile) -> None:
    decoded = read(desk, message, unit, profile)
    message.note(decoded)
    link_orders(unit, message)
    if decoded.checked is not None:
        interchanges.take_interchange(unit, desk, message, profile, decoded)
        return
    if decoded.kind in ANSWERS:
        _take_answer(unit, desk, message, profile, decoded)
        return
    if any(found.rule in {TOO_LARGE, INFLATION} for found in decoded.findings):
        quarantine(unit, message, decoded.findings[0].rule or TOO_LARGE, decoded.findings[0].detail)
    elif any(found.rule == SENDER_MISMATCH for found in decoded.findings):
        quarantine(unit, message, SENDER_MISMATCH, "the declared sender is not this partner")
        answering.answer(unit, desk, profile, message, answering.refused_whole(decoded.orders, decoded.findings))
    elif is_reused(unit, message, decoded.message_id):
        found = [Finding(codes.ID_REUSED, "MessageID", "was used for another message")]
        quarantine(unit, message, ID_REUSED, "the message id was used for another message")
        answering.answer(unit, desk, profile, message, answering.refused_whole(decoded.orders, found))
    elif decoded.findings and decoded.dialect == edifact.NAME:  # not agreed: there is no word for that
        quarantine(unit, message, SENDER_MISMATCH, decoded.findings[0].detail)
    elif decoded.findings:
        message.state = InState.REFUSED
        answering.answer(unit, desk, profile, message, answering.refused_whole(decoded.orders, decoded.findings))
    else:
        _take_orders(unit, desk, message, profile, decoded)


def _take_answer(unit: Unit, desk: Desk, message: InboundMessage, profile: Profile, decoded: Decoded) -> None:
    if decoded.findings:
        quarantine(unit, message, UNCORRELATED, f"{decoded.findings[0].position}: {decoded.findings[0].detail}")
    elif is_reused(unit, message, decoded.message_id):
        quarantine(unit, message, ID_REUSED, "the message id was used for another message")
    elif decoded.kind is Kind.CORRECTION:
        if not take_correction(unit, desk, message, profile, decoded):
            quarantine(unit, message, UNCORRELATED, "it corrects nothing that this partner was sent or has ordered")
    elif not take_answer(unit, desk, message, profile, decoded):
        quarantine(unit, message, UNCORRELATED, "it answers no message that this partner was sent")


def _take_orders(unit: Unit, desk: Desk, message: InboundMessage, profile: Profile, decoded: Decoded) -> None:
    """Apply every order; each stands alone, and the answer names each."""
    results, answers = list[ItemResult](), list[ItemAnswer]()
    for item in decoded.items:
        result, answer = take_order(unit, message, profile, item)
        results.append(result)
        answers += [answer] if answer else []
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
