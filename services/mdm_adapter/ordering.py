"""One order of a message is judged and taken: what became of it, and what its sender is told now."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from contracts.codes import Level
from contracts.ids import order_key
from kit.store import Ref, Unit, side_by_side
from services.mdm_adapter import answering
from services.mdm_adapter.aside import CONFLICT, quarantine
from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Item
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason
from services.mdm_adapter.domain.messages import InboundMessage, ItemResult, noted
from services.mdm_adapter.domain.orders import Arrival, Order, Verdict
from services.mdm_adapter.metrics import ORDERS
from services.mdm_adapter.partners.profile import Profile
from services.mdm_adapter.taking import LATER, asked, needs_of_order, take_over

REFUSED = "refused"
Taken = tuple[ItemResult, ItemAnswer | None]


def key_or_none(profile: Profile, order_no: str) -> str | None:
    """The key of an order of this partner; None: its number makes none, so it is nobody's."""
    try:
        return order_key(profile.id, order_no) if order_no else None
    except ValueError:
        return None


def needs_of_orders(profile: Profile, items: Iterable[Item], received_at: datetime, unit: Unit) -> Iterator[Ref]:
    """The orders that items speak of, the messages in which those that are repeated were said first, their points."""
    keys = ((item, key_or_none(profile, item.order_no)) for item in items if not item.findings)
    taken = [(item, key) for item, key in keys if key is not None]
    for _, key in taken:
        yield Order, key
    yield from side_by_side(_needs_of_item(profile, item, key, received_at, unit) for item, key in taken)


def _needs_of_item(profile: Profile, item: Item, key: str, received_at: datetime, unit: Unit) -> Iterator[Ref]:
    order = unit.find(Order, key)
    if order and item.document and (first := order.first_of(item.document)):
        yield InboundMessage, str(first.message_id)
    if item.document:
        yield from needs_of_order(unit, profile, order, item.document, received_at)


def take_order(unit: Unit, message: InboundMessage, profile: Profile, item: Item) -> Taken:
    """Apply one order: what became of it, and what its sender is told now, if anything."""
    result, answer = _judge(unit, message, profile, item)
    kind = getattr(item.document, "kind", None) or "cancel"
    ORDERS.labels(profile.id, str(kind), result.result).inc()
    return result, answer


def _judge(unit: Unit, message: InboundMessage, profile: Profile, item: Item) -> Taken:
    if item.findings or item.document is None:
        return _refuse(unit, message, item, item.findings)
    order = unit.find(Order, order_key(profile.id, item.order_no)) or Order.unknown(profile.id, item.order_no)
    verdict = order.judge(item.document)
    match verdict:
        case Verdict.REPEATED:
            return result_of(item, verdict), first_answer(unit, order, item)
        case Verdict.CONFLICT:
            detail = f"version {item.document.order_version} of the order is known with other content"
            quarantine(unit, message, CONFLICT, detail, order=order, row=item.row)
            found = [Finding(codes.DECLINED, "order_version", detail)]
            return result_of(item, verdict, found), answering.refused(item.order_no, found)
        case Verdict.UNKNOWN:
            found = [Finding(codes.ID_REUSED, "order_no", "the order is not known")]
            return result_of(item, verdict, found), answering.refused(item.order_no, found)
        case Verdict.LATE:
            unit.anomaly("order_late", f"order/{order.order_key}", version=item.document.order_version)
            reason = Reason(code=codes.ACCEPTED, text=f"version {order.order_version} is known and stands")
            return result_of(item, verdict), _accepted(item, reason)
    return _apply_order(unit, message, profile, item, order, verdict)


def _apply_order(
    unit: Unit, message: InboundMessage, profile: Profile, item: Item, order: Order, verdict: Verdict
) -> Taken:
    assert item.document is not None  # noqa: S101 -- `_judge` has seen it
    arrival = Arrival(message.id, message.correlation_id or str(message.id), message.received_at)
    if found := take_over(unit, profile, order, item.document, verdict, arrival):
        return _refuse(unit, message, item, found)
    is_later = verdict in LATER or asked(order, verdict, profile)
    return result_of(item, verdict), None if is_later else _accepted(item)


def _refuse(unit: Unit, message: InboundMessage, item: Item, findings: list[Finding]) -> Taken:
    """A row of a file has nobody who reads an answer at once: it lies in quarantine as well, under the rule."""
    if item.row is not None:
        cause = (findings[0].rule or findings[0].code).replace("/", ".")
        detail = f"{findings[0].position}: {findings[0].detail}"
        quarantine(unit, message, cause, detail, row=item.row)
    return result_of(item, REFUSED, findings), answering.refused(item.order_no, findings)


def result_of(item: Item, result: str, findings: list[Finding] | None = None) -> ItemResult:
    kept = noted([*(findings or ()), *item.warnings])
    return ItemResult(order_no=item.order_no[:80], result=str(result), row=item.row, findings=kept)


def _accepted(item: Item, *reasons: Reason) -> ItemAnswer:
    return ItemAnswer(item=item.order_no, state=ItemState.ACCEPTED, reasons=reasons)


def first_answer(unit: Unit, order: Order, item: Item) -> ItemAnswer | None:
    """What the sender was told when it said this first; nothing, as long as nothing was told."""
    told = _first_told(unit, order, item)
    return told.items[0] if told else None


def first_told(unit: Unit, profile: Profile, item: Item) -> Answer | None:
    """The same with its days; only where a reason was given, for then somebody has decided."""
    order = unit.find(Order, order_key(profile.id, item.order_no))
    told = _first_told(unit, order, item) if order else None
    return told if told and told.items[0].reasons else None


def _first_told(unit: Unit, order: Order, item: Item) -> Answer | None:
    first = order.first_of(item.document) if item.document else None
    message = unit.find(InboundMessage, str(first.message_id)) if first else None
    if message is None:
        return None
    decided = [stored.answer for stored in message.answers if stored.answer.level is Level.BUSINESS]
    told = [(answer, each) for answer in decided for each in answer.items if each.item == item.order_no]
    final = [(answer, each) for answer, each in told if each.state is not ItemState.RECEIVED]
    if not final:
        return None
    answer, said = final[-1]
    return answer.model_copy(update={"items": (said,)})
