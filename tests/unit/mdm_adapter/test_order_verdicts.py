"""What a message about an order is, beside what is known of it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import ValidationError

from contracts.codes import OrderKind, Scheme
from contracts.orders import OrderCancelled, OrderReceived
from services.mdm_adapter.dialects.items import OrderDocument
from services.mdm_adapter.documents.values import Location, MeteringPoint
from services.mdm_adapter.documents.work_order_cancelled import WorkOrderCancelled
from services.mdm_adapter.documents.work_order_changed import WorkOrderChanged
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.domain.orders import Arrival, Order, Verdict
from services.mdm_adapter.partners.loader import Partners
from services.mdm_adapter.partners.profile import Profile

PROFILE = Partners.load().find("erp-a")
PLACE = Location(
    street="Am Hang", number="7", postcode="00101", city="Nordstadt", municipality="01001001", country="DE"
)
ARRIVAL = Arrival(UUID(int=1), "C-1", datetime(2026, 3, 2, 8, tzinfo=UTC))


def profile() -> Profile:
    assert PROFILE is not None
    return PROFILE


def create(version: int, priority: int = 3) -> WorkOrderRequested:
    point = MeteringPoint(id="41373559241", scheme=Scheme.MALO)
    return WorkOrderRequested(
        order_no="1",
        order_version=version,
        kind=OrderKind.EXCHANGE,
        metering_point=point,
        priority=priority,
        location=PLACE,
    )


def change(version: int, priority: int = 1) -> WorkOrderChanged:
    return WorkOrderChanged(order_no="1", order_version=version, priority=priority)


def cancel(version: int | None) -> WorkOrderCancelled:
    return WorkOrderCancelled(order_no="1", order_version=version)


def after(*documents: OrderDocument) -> Order:
    order = Order.unknown("erp-a", "1")
    for document in documents:
        order.take(document, order.judge(document), ARRIVAL, profile())
    return order


V = Verdict
# fmt: off
CASES: list[tuple[tuple[OrderDocument, ...], OrderDocument, Verdict]] = [
    ((),                                create(1),              V.NEW),
    ((),                                change(2),              V.UNKNOWN),
    ((),                                cancel(1),              V.KEPT),
    ((create(1),),                      create(1),              V.REPEATED),
    ((create(1),),                      create(1, priority=1),  V.CONFLICT),
    ((create(1),),                      create(2),              V.CHANGED),
    ((create(1),),                      change(2),              V.CHANGED),
    ((create(1),),                      change(1),              V.CONFLICT),
    ((create(1), change(2)),            change(2),              V.REPEATED),
    ((create(1), change(2)),            change(2, priority=5),  V.CONFLICT),
    ((create(3),),                      change(2),              V.LATE),
    ((create(3),),                      create(2),              V.LATE),
    ((create(1), change(2)),            create(1),              V.REPEATED),
    ((create(1), change(2)),            create(1, priority=5),  V.CONFLICT),
    ((create(1),),                      cancel(1),              V.CANCELLED),
    ((create(1),),                      cancel(2),              V.CANCELLED),
    ((create(1),),                      cancel(None),           V.CANCELLED),
    ((create(2),),                      cancel(1),              V.CONFLICT),
    ((create(1), cancel(2)),            cancel(2),              V.REPEATED),
    ((create(1), cancel(2)),            cancel(1),              V.REPEATED),
    ((create(1), cancel(2)),            create(1),              V.REPEATED),
    ((create(1), cancel(2)),            change(2),              V.LATE),
    ((create(1), cancel(2)),            change(3),              V.CHANGED),
    ((create(1), cancel(2)),            create(3),              V.NEW),
    ((cancel(1),),                      create(1),              V.DEAD_ON_ARRIVAL),
    ((cancel(2),),                      create(1),              V.DEAD_ON_ARRIVAL),
    ((cancel(1),),                      create(2),              V.NEW),
    ((cancel(1), create(1)),            cancel(1),              V.REPEATED),
]
# fmt: on


@pytest.mark.parametrize(("known", "document", "verdict"), CASES)
def test_a_document_is_judged_by_what_is_known(
    known: tuple[OrderDocument, ...], document: OrderDocument, verdict: Verdict
) -> None:
    assert after(*known).judge(document) is verdict


def test_J51_an_order_that_was_cancelled_before_is_told_with_its_cancellation() -> None:
    told = after(cancel(1), create(1)).told
    assert [type(fact) for fact in told] == [OrderReceived, OrderCancelled]


def test_a_change_is_told_with_what_is_different_only() -> None:
    *_, fact = after(create(1), change(2)).told
    assert fact.model_dump(exclude_none=True).keys() == {"order_key", "partner", "version", "received_at", "priority"}


def test_a_value_that_does_not_fit_the_hub_changes_nothing() -> None:
    order = Order.unknown("erp-a", "1")
    odd = create(1).model_copy(update={"location": PLACE.model_copy(update={"municipality": "ä"})})
    with pytest.raises(ValidationError):
        order.take(odd, Verdict.NEW, ARRIVAL, profile())
    assert (order.order_version, order.content, order.told, order.versions) == (0, None, [], [])


@pytest.mark.parametrize(
    ("reason", "told"),
    [("moved_out", "moved_out"), ("Moved out", "moved_out"), ("Über Nacht", "other"), (None, "other")],
)
def test_the_reason_of_a_cancellation_becomes_a_code(reason: str | None, told: str) -> None:
    withdrawn = WorkOrderCancelled(order_no="1", order_version=2, reason=reason)
    *_, fact = after(create(1), withdrawn).told
    assert isinstance(fact, OrderCancelled)
    assert fact.reason == told
