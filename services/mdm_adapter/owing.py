"""Answers that we owe: case_service decides on an order, the adapter says so in the words that were asked for."""

from collections.abc import Iterator

from contracts.cases import OrderAnswered
from contracts.codes import Answer as Decided
from kit.inbox import Received
from kit.store import Ref, Unit
from services.mdm_adapter import answering
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.packing import unpacked
from services.mdm_adapter.documents.answer import Answer, AnswerFacts, ItemAnswer, ItemState, Reason
from services.mdm_adapter.domain.messages import CHAIN, Archived, ArchiveHead, InboundMessage
from services.mdm_adapter.domain.orders import Order
from services.mdm_adapter.errors import AnswerGiven, AnswerIncomplete, NoSuchThing
from services.mdm_adapter.market_writing import send_order_answer
from services.mdm_adapter.partners.profile import Profile


def needs_answer(key: str, unit: Unit) -> Iterator[Ref]:
    """The order, and the message that it came with."""
    yield Order, key
    yield ArchiveHead, CHAIN
    order = unit.find(Order, key)
    if order and order.message_id:
        yield InboundMessage, str(order.message_id)
        yield Archived, str(order.message_id)


def answer_order(desk: Desk, received: Received[OrderAnswered], unit: Unit) -> None:
    """The decision on an order that expects one; told once per order, and not before a text that its code demands."""
    fact = received.event
    order = unit.get(Order, fact.order_key)
    profile = desk.partners.find(order.partner)
    if order.answered or order.message_id is None:
        return
    answer = _answer(fact, order)
    if fact.needs_text or profile is None:  # the profile may come back; until then a person sees it wait
        order.answer_waiting = answer
    else:
        _send(unit, desk, profile, order, answer)


def _answer(fact: OrderAnswered, order: Order) -> Answer:
    state = ItemState.ACCEPTED if fact.decision is Decided.ACCEPTED else ItemState.REFUSED
    said = (Reason(code=fact.code, list=fact.list),)
    return Answer(
        items=(ItemAnswer(item=order.order_no, state=state, reasons=said),),
        fixed_on=fact.fixed_on,
        window_from=fact.window.from_ if fact.window else None,
        window_to=fact.window.to if fact.window else None,
    )


def _send(unit: Unit, desk: Desk, profile: Profile, order: Order, answer: Answer) -> str | None:
    """Let the answer leave; what is missing for it, if it cannot."""
    order.answered, order.answer_waiting = True, None
    message = unit.get(InboundMessage, str(order.message_id))
    if message.dialect != edifact.NAME:
        answering.answer(unit, desk, profile, message, answer)
        return None
    content, _ = unpacked(unit.get(Archived, message.key()).content, profile.limits.message_bytes)
    decoded = edifact.decode(content, profile, message.received_at, desk.own_ids)
    asked = next((item.asked for item in decoded.items if item.order_no == order.order_no), None)
    if missing := send_order_answer(unit, desk, profile, message, answer, asked):
        order.answered, order.answer_waiting = False, answer
        unit.anomaly("answer_incomplete", f"order/{order.order_key}", detail=missing[:200])
        return missing
    message.answered(answer, unit.now)
    return None


def complete_answer(unit: Unit, desk: Desk, key: str, text: str | None, facts: AnswerFacts | None) -> None:
    """Add the text or the facts that the code of a decided answer demands; with them the answer leaves.

    Raises AnswerGiven, and AnswerIncomplete where something is missing still: then nothing has changed.
    """
    order = unit.get(Order, key)
    profile = desk.partners.find(order.partner)
    if profile is None:
        raise NoSuchThing("this partner has no profile any more")
    if order.answer_waiting is None:
        raise AnswerGiven
    answer = order.answer_waiting
    if text is None and unit.get(InboundMessage, str(order.message_id)).dialect != edifact.NAME:
        raise AnswerIncomplete("a text: only an interchange carries facts")
    if text is not None:
        (item,) = answer.items
        reasons = tuple(reason.model_copy(update={"text": text}) for reason in item.reasons)
        answer = answer.model_copy(update={"items": (item.model_copy(update={"reasons": reasons}),)})
    if facts is not None:
        answer = answer.model_copy(update={"facts": facts})
    if missing := _send(unit, desk, profile, order, answer):
        raise AnswerIncomplete(missing)
    brought = sorted(facts.model_dump(exclude_none=True)) if facts else []
    unit.audit("order:answer", f"order/{key}", characters_of_text=len(text or ""), facts=brought)
