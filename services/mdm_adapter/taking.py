"""An order is taken: filled from what is known, refused where nobody can find the place, else told to the hub."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import ValidationError

from kit.store import Ref, Unit
from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import OrderDocument
from services.mdm_adapter.documents.order_content import missing_place
from services.mdm_adapter.domain.calendar import local_day
from services.mdm_adapter.domain.orders import Arrival, Order, Verdict
from services.mdm_adapter.filling import known_of, learn_from, needs_of_filling
from services.mdm_adapter.partners.profile import Profile

LATER = frozenset({Verdict.CANCELLED, Verdict.KEPT})
"""What is answered when the case has decided."""
ASKING = frozenset({Verdict.NEW, Verdict.DEAD_ON_ARRIVAL})


def needs_of_order(
    unit: Unit, profile: Profile, order: Order | None, document: OrderDocument, at: datetime
) -> Iterator[Ref]:
    """What is known of the point and the place of an order, as it will stand."""
    after = (order or Order.unknown(profile.id, document.order_no)).after(document)
    if after is not None:
        yield from needs_of_filling(profile, after, local_day(at), unit)


def take_over(
    unit: Unit, profile: Profile, order: Order, document: OrderDocument, verdict: Verdict, arrival: Arrival
) -> list[Finding]:
    """Take over what a document says of its order; what is found instead has changed nothing."""
    after, known = order.after(document), None
    if after is not None:
        known = known_of(unit, profile, after, local_day(arrival.at))
        missing = missing_place(after.filled(known, profile.defaults.content()).location)
        if missing:
            return [Finding(codes.PLACE, each.field, f"missing: {', '.join(each.names)}") for each in missing]
    is_new = order.version == 0 and not order.versions
    try:
        order.take(document, verdict, arrival, profile, known)
    except ValidationError as error:
        places = [".".join(map(str, each["loc"])) for each in error.errors(include_input=False, include_url=False)]
        return [Finding(codes.PAYLOAD, place, "does not fit the hub") for place in places]
    if is_new:
        unit.add(order)
    if order.content is not None and after is not None:
        learn_from(unit, order.content)
    order.answered = order.answered or not asked(order, verdict, profile)
    return []


def asked(order: Order, verdict: Verdict, profile: Profile) -> bool:
    """Whether an answer to the order is expected that somebody has to decide on."""
    wanted = order.content is not None and order.content.answer is not None
    return verdict in ASKING and (wanted or not profile.options.auto_accept_orders)
