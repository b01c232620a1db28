"""What an inbound message speaks of is kept beside it: so the desk finds it by order, by case and by document."""

from contracts.ids import order_key
from kit.store import Unit
from services.mdm_adapter.domain.handover import Row
from services.mdm_adapter.domain.messages import InboundMessage, Link


def link_orders(unit: Unit, message: InboundMessage) -> None:
    """The orders that a message names, each once; a number that makes no key is nobody's."""
    keys = dict[str, None]()
    for number in message.orders:
        try:
            keys[order_key(message.partner, number)] = None
        except ValueError:
            continue
    for key in keys:
        unit.add(Link(id=unit.new_id(), message_id=message.id, order_key=key))


def link_document(unit: Unit, message: InboundMessage, row: Row) -> None:
    """The document of ours that a message answers."""
    unit.add(Link(id=unit.new_id(), message_id=message.id, order_key=row.order_key, row_id=row.row_id))
