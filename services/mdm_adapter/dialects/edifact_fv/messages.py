"""The dialect as a whole: an interchange to what each Vorgang says, and documents to interchanges."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime

from services.mdm_adapter.dialects.edifact_fv import (
    master_data,
    meter_values,
    order_answers,
    received_answers,
    received_orders,
    status_reports,
)
from services.mdm_adapter.dialects.edifact_fv.acknowledgements import Acknowledgement
from services.mdm_adapter.dialects.edifact_fv.checking import NAME, Outcome, check
from services.mdm_adapter.dialects.edifact_fv.correlation import keys_of
from services.mdm_adapter.dialects.edifact_fv.market_sending import MarketSending
from services.mdm_adapter.dialects.edifact_fv.outbound import own_faults
from services.mdm_adapter.dialects.edifact_fv.receipts import NOT_PROCESSED, receipt
from services.mdm_adapter.dialects.edifact_fv.requests import encode_request
from services.mdm_adapter.dialects.edifact_fv.syntax import is_edifact
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Decoded, Item, Kind
from services.mdm_adapter.documents.answer import Answer
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_status import WorkStatus
from services.mdm_adapter.partners.profile import Profile

__all__ = [
    "MEDIA_TYPE",
    "NAME",
    "decode",
    "encode",
    "encode_readings",
    "encode_request",
    "encode_withdrawal",
    "is_edifact",
    "keys_of",
    "own_faults",
    "receipt",
]

MEDIA_TYPE = "application/edifact"
NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""A moment behind which nothing lies: without a clock no time is in the future."""
Outgoing = WorkStatus | DeviceExchangeCompleted | WorkNotCompleted | Answer


def decode(data: bytes, profile: Profile | None, now: datetime | None, own: Collection[str] | None = None) -> Decoded:
    """Read an interchange, and everything that is wrong with it; one item per Vorgang and per acknowledgement.

    Without `now` no time lies in the future, without a profile every sender is known, without `own` everybody is us.
    """
    checked = check(data, now or NEVER, profile, own)
    whole = [finding for finding in (checked.core, checked.refused) if finding]
    warnings = [_warning(text) for text in checked.warnings]
    number = checked.head.reference if checked.head else None
    if whole:
        return Decoded(NAME, Kind.OTHER, findings=whole, warnings=warnings, message_id=number, checked=checked)
    on = checked.head.sent_at.date() if checked.head else date.min
    items = [_item(outcome, profile, on) for outcome in checked.outcomes]
    pairs = list(zip(checked.outcomes, items, strict=True))
    kinds = {_kind_of(outcome, item, on) for outcome, item in pairs}
    checked = replace(checked, outcomes=tuple(replace(one, findings=tuple(item.findings)) for one, item in pairs))
    items += [_acknowledgement(said, on) for _, said in checked.acknowledgements]
    items += [Item("", None, [found]) for found in checked.useless if found.code == "VERSION_UNKNOWN"]
    return Decoded(
        NAME,
        kinds.pop() if len(kinds) == 1 else Kind.MIXED if kinds else Kind.ANSWER,
        items,
        warnings=warnings,
        message_id=number,
        verb=checked.pid or None,
        noun=checked.first.type if checked.first else None,
        orders=tuple(item.order_no for item in items if item.order_no and item.document),
        checked=checked,
    )


def _warning(text: str) -> Finding:
    code, _, value = text.partition(":")
    return Finding(code, "", text, value=value or None)


def _kind_of(outcome: Outcome, item: Item, on: date) -> Kind:
    """What a Vorgang is, also where it is refused."""
    pid = outcome.vorgang.pid if outcome.vorgang else ""
    if item.corrected:
        return Kind.CORRECTION
    if pid in received_orders.KINDS or pid in received_orders.CANCELLED:
        return Kind.ORDERS
    return Kind.ANSWER if received_answers.is_answer(pid, on) else Kind.OTHER


def _item(outcome: Outcome, profile: Profile | None, on: date) -> Item:
    """One Vorgang. What the content check refuses is not read any further."""
    vorgang = outcome.vorgang
    if not outcome.is_processed:
        return Item(outcome.document, None, [NOT_PROCESSED])
    if outcome.findings or vorgang is None:
        return Item(outcome.document, None, list(outcome.findings))
    quoted = received_answers.references(vorgang)
    if vorgang.pid in received_orders.KINDS:
        order = received_orders.requested(vorgang, profile, on)
        wrong, asked = received_orders.objections(vorgang, profile), received_orders.asked(vorgang, profile)
        return Item(received_orders.order_number(vorgang), order, wrong, references=quoted, asked=asked)
    if vorgang.pid in received_orders.CANCELLED:
        ended = received_orders.cancelled(vorgang)
        return Item(ended.order_no, ended, references=quoted)
    said = received_answers.answer(vorgang, on)
    if said is None:
        return Item(outcome.document, None, [NOT_PROCESSED])
    corrects = received_answers.corrected(vorgang, on)
    said_at = vorgang.head.time("137")
    return Item(said.items[0].item, None, references=quoted, answer=said, said_at=said_at, corrected=corrects)


def _acknowledgement(said: Acknowledgement, on: date) -> Item:
    """One APERAK or CONTRL."""
    quoted = received_answers.references_of(said)
    if said.unusable:
        code, place = said.unusable
        return Item("", None, [Finding(code, place, "cannot be used")], references=quoted)
    answer = received_answers.acknowledged(said, on)
    return Item(answer.items[0].item, None, references=quoted, answer=answer)


def encode(document: Outgoing, sending: MarketSending) -> bytes:
    """The interchange of a document; of completed work that of its master data, before everything else about it."""
    match document:
        case WorkStatus():
            return status_reports.announced(document, sending)
        case WorkNotCompleted():
            return status_reports.not_completed(document, sending)
        case DeviceExchangeCompleted():
            return master_data.changed_devices(document, sending)
        case Answer():
            return order_answers.answered(document, sending)


def encode_readings(document: DeviceExchangeCompleted, sending: MarketSending) -> bytes:
    """The readings of completed work, one message per device; they leave once its master data were taken."""
    return meter_values.readings(document, sending)


def encode_withdrawal(document: DeviceExchangeCompleted, sending: MarketSending) -> bytes:
    """That readings no longer hold, before the master data that are right again."""
    return meter_values.withdrawn(document, sending)
