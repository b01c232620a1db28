"""Replies: what a partner's reply says about each item, and how our answers are written."""

from collections.abc import Sequence

from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.reply import Reply, ReplyError
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason

POSITIVE = frozenset({codes.ACCEPTED, codes.RECEIVED, "0.1", "0.2"})
SERIOUS = frozenset({"FATAL", "CATASTROPHIC"})


def read_answer(reply: Reply, items: Sequence[str]) -> Answer:
    """The state of every item asked about. It is never inferred from the result as a whole.

    An error that names no item speaks of all of them. An item without an error is accepted under OK and PARTIAL;
    under FAILED it is unknown.
    """
    return Answer(items=tuple(_item(reply, item) for item in items))


def _item(reply: Reply, item: str) -> ItemAnswer:
    mine = [error for error in reply.errors if not error.ids or item in error.ids]
    refusals = [error for error in mine if error.code not in POSITIVE and _refuses(reply, error)]
    if refusals:
        return ItemAnswer(item=item, state=ItemState.REFUSED, reasons=tuple(_reason(error) for error in refusals))
    if reply.result == "FAILED":
        return ItemAnswer(item=item, state=ItemState.UNKNOWN)
    received = bool(mine) and all(error.code == codes.RECEIVED for error in mine)
    return ItemAnswer(item=item, state=ItemState.RECEIVED if received else ItemState.ACCEPTED)


def _refuses(reply: Reply, error: ReplyError) -> bool:
    """Under OK only a fatal error refuses: a contradiction, and the item counts as refused."""
    return reply.result != "OK" or error.level in SERIOUS


def _reason(error: ReplyError) -> Reason:
    return Reason(code=error.code, text=error.reason)


def names_own(reply: Reply, item: str) -> bool:
    """Whether an error of the reply names this item."""
    return any(item in error.ids for error in reply.errors)


def write_answer(answer: Answer) -> Reply:
    """Our answer, each item with its code."""
    return Reply(result=answer.verdict, errors=tuple(error for item in answer.items for error in _errors(item)))


def _errors(item: ItemAnswer) -> list[ReplyError]:
    ids = (item.item,) if item.item else ()
    if item.state is ItemState.REFUSED:
        return [ReplyError(reason.code, "FATAL", reason.text, ids, reason.field) for reason in item.reasons]
    code = codes.RECEIVED if item.state is ItemState.RECEIVED else codes.ACCEPTED
    text = item.reasons[0].text if item.reasons else None
    return [ReplyError(code, "INFORM", text, ids)]
