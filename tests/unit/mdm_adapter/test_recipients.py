"""Who is told which fact: the matrix read for a case, cell by cell."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from contracts.codes import AnnouncedPlan, Decision, Fact, OrderKind, Scheme
from services.mdm_adapter.documents.matrix import Accept, DocumentKind
from services.mdm_adapter.documents.values import MeteringPoint, Party
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.domain.dossier import Dossier
from services.mdm_adapter.domain.handover import Handover, Row
from services.mdm_adapter.domain.orders import Order
from services.mdm_adapter.domain.recipients import Known, Recipient, recipients
from services.mdm_adapter.partners.loader import Partners
from tests.unit.mdm_adapter.rows import a_row

CODES = {"nb": "9900001000002", "lf": "9900357000003", "wmsb": "4012345000009"}
DAY = date(2026, 3, 2)
PARTNERS = Partners.load()


def an_order(key: str = "erp-a:1", *parties: Party, cancelled: bool = False) -> Order:
    partner, _, number = key.partition(":")
    content = WorkOrderRequested(
        order_no=number,
        order_version=1,
        kind=OrderKind.EXCHANGE,
        metering_point=MeteringPoint(id="41373559241", scheme=Scheme.MALO),
        parties=parties or None,
    )
    order = Order(order_key=key, partner=partner, order_no=number, order_version=1, content=content)
    if cancelled:
        order.cancel_message_id, order.cancelled_version = UUID(int=9), 2
    return order


def all_parties() -> tuple[Party, ...]:
    return tuple(Party(role=role, id=code) for role, code in CODES.items())


def a_handover(fact: Fact, **more: object) -> Handover:
    values: dict[str, object] = {
        "work_order_id": None,
        "order_key": None,
        "decision": None,
        "supplement": False,
        "final": True,
        "visit_id": None,
        "visit_version": None,
        "evidence_digest": None,
        "requested_at": datetime(2026, 3, 2, tzinfo=UTC),
    }
    return Handover(fact=fact, attempt=1, **values | more)  # type: ignore[arg-type]


def told(handover: Handover, *orders: Order, on: date = DAY) -> dict[str, str]:
    """Recipient -> role and the answer that counts."""
    return {each.partner: f"{each.role} {each.accept}" for each in who_is_told(handover, *orders, on=on)}


def who_is_told(handover: Handover, *orders: Order, rows: tuple[Row, ...] = (), on: date = DAY) -> list[Recipient]:
    keys = tuple(order.order_key for order in orders)
    dossier = Dossier(case_id=UUID(int=1), case_version=1, orders=keys, rows=list(rows), handovers=[handover])
    known = Known({order.order_key: order for order in orders}, PARTNERS.find, PARTNERS.called)
    return recipients(dossier, handover, known, on)


MARKET = {"nb-nord": "nb processability", "lf-nord": "lf processability"}
IMS, MME = AnnouncedPlan.IMS, AnnouncedPlan.MME


@pytest.mark.parametrize(
    ("handover", "expected"),
    [
        (a_handover(Fact.ROLLOUT_ANNOUNCED, plan=IMS), MARKET | {"wmsb-nord": "wmsb business"}),
        (a_handover(Fact.ROLLOUT_ANNOUNCED), MARKET | {"wmsb-nord": "wmsb business"}),
        (
            a_handover(Fact.ROLLOUT_ANNOUNCED, plan=MME),
            {"lf-nord": "lf processability", "wmsb-nord": "wmsb business"},
        ),
        (
            a_handover(Fact.EXCHANGE_COMPLETED),
            MARKET | {"erp-a": "ordering business", "wmsb-nord": "wmsb processability"},
        ),
        (a_handover(Fact.WORK_NOT_COMPLETED), MARKET | {"erp-a": "ordering business"}),
        (a_handover(Fact.WORK_NOT_COMPLETED, final=False), {"erp-a": "ordering business"}),
        (a_handover(Fact.CANCELLED, decision=Decision.CONFIRMED), {}),
        (a_handover(Fact.CANCELLED, decision=Decision.STORNO), {}),
    ],
)
def test_the_matrix_of_an_own_rollout(handover: Handover, expected: dict[str, str]) -> None:
    assert told(handover, an_order("erp-a:1", *all_parties())) == expected


def test_work_that_a_role_of_the_market_ordered_fails_for_that_role_alone() -> None:
    ordered = an_order("nb-nord:1", *all_parties())
    assert told(a_handover(Fact.WORK_NOT_COMPLETED), ordered) == {"nb-nord": "ordering processability"}


def test_who_ordered_is_no_second_time_told_as_a_party() -> None:
    ordered = an_order("nb-nord:1", *all_parties())
    assert told(a_handover(Fact.EXCHANGE_COMPLETED), ordered)["nb-nord"] == "ordering processability"


def test_who_withdraws_what_it_ordered_hears_so_and_gets_its_values_taken_back() -> None:
    ordered = an_order("nb-nord:1", *all_parties(), cancelled=True)
    storno = a_handover(Fact.CANCELLED, decision=Decision.STORNO, order_key="nb-nord:1")
    found = who_is_told(storno, ordered, rows=(a_row(accept=Accept.PROCESSABILITY, was_sent=True),))
    assert [(each.partner, each.document) for each in found] == [
        ("nb-nord", DocumentKind.CANCELLATION_ANSWER),
        ("nb-nord", DocumentKind.VALUES_WITHDRAWN),
    ]


def test_a_cancellation_is_answered_to_who_asked() -> None:
    handover = a_handover(Fact.CANCELLED, decision=Decision.CONFIRMED)
    both = (an_order("erp-a:1"), an_order("mdm-b:1", cancelled=True))
    assert told(handover, *both) == {"mdm-b": "ordering transport"}


def test_the_party_of_the_day_is_told() -> None:
    later = Party(role="lf", id=CODES["nb"], valid_from=date(2026, 3, 3))
    order = an_order("erp-a:1", Party(role="lf", id=CODES["lf"]), later)
    fact = a_handover(Fact.ROLLOUT_ANNOUNCED)
    assert (list(told(fact, order)), list(told(fact, order, on=date(2026, 3, 3)))) == (["lf-nord"], ["nb-nord"])


def test_two_orders_that_name_the_same_party_tell_it_once() -> None:
    orders = an_order("erp-a:1", *all_parties()), an_order("erp-csv:1", *all_parties())
    assert len(told(a_handover(Fact.EXCHANGE_COMPLETED), *orders)) == 5


def test_a_party_without_a_profile_is_named_by_its_code() -> None:
    order = an_order("erp-a:1", Party(role="nb", id="9800001000004"))
    assert told(a_handover(Fact.ROLLOUT_ANNOUNCED), order) == {"9800001000004": "nb processability"}


@pytest.mark.parametrize("level", list(Accept))
def test_an_answer_settles_a_row_from_its_own_depth_on(level: Accept) -> None:
    row = a_row(accept=level)
    depth = list(Accept)
    assert [row.settled_by(each) for each in depth] == [depth.index(each) >= depth.index(level) for each in depth]
