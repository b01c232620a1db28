"""The states of a notice: only forward, the first final one wins, each fact told once."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import permutations, product
from uuid import UUID

import pytest

from contracts.codes import Permanence
from contracts.event import Event
from contracts.notices import NoticeDelivered, NoticeFailed, NoticeSent
from services.notification_service.domain.notices import FINAL, RANK, Notice, NoticeState, Subject
from services.notification_service.domain.rules import BY_ID

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CASE = UUID("0197f000-0000-7000-8000-00000000000a")
Say = Callable[[Notice], list[Event]]


def a_notice(state: NoticeState = NoticeState.SENDING) -> Notice:
    made = Notice.planned(UUID(int=1), CASE, "N01:x:r0:o1:customer", BY_ID["N01"], Subject(attempt=1), NOW)
    made.state = state
    return made


def sent(notice: Notice) -> list[Event]:
    return notice.sent("v1", NOW, NOW.date())


def delivered(notice: Notice) -> list[Event]:
    return notice.delivered("v1", NOW, NOW.date())


def undelivered(notice: Notice) -> list[Event]:
    return notice.undelivered("v1", NOW)


# fmt: off
ENDS: dict[tuple[Say, ...], tuple[NoticeState, list[type[Event]]]] = {
    (sent, delivered, undelivered): (NoticeState.DELIVERED,   [NoticeSent, NoticeDelivered]),
    (sent, undelivered, delivered): (NoticeState.UNDELIVERED, [NoticeSent, NoticeFailed]),
    (delivered, sent, undelivered): (NoticeState.DELIVERED,   [NoticeSent, NoticeDelivered]),
    (delivered, undelivered, sent): (NoticeState.DELIVERED,   [NoticeSent, NoticeDelivered]),
    (undelivered, sent, delivered): (NoticeState.UNDELIVERED, [NoticeFailed]),
    (undelivered, delivered, sent): (NoticeState.UNDELIVERED, [NoticeFailed]),
}
# fmt: on


def test_all_orders_of_receipts_are_in_the_table() -> None:
    assert set(ENDS) == set(permutations((sent, delivered, undelivered)))


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("order", ENDS, ids=lambda order: "-".join(each.__name__ for each in order))
def test_the_first_final_state_wins_in_every_order_of_receipts(order: tuple[Say, ...], twice: bool) -> None:
    notice, told, ranks = a_notice(), list[Event](), [0]
    for say in order:
        for _ in range(1 + twice):
            told += say(notice)
            ranks.append(RANK[notice.state])
    state, facts = ENDS[order]
    assert (notice.state, [type(fact) for fact in told]) == (state, facts)
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("order", [order for order, (_, told) in ENDS.items() if NoticeFailed in told])
def test_a_failed_delivery_says_whether_the_sending_was_told(order: tuple[Say, ...]) -> None:
    notice = a_notice()
    told = [fact for say in order for fact in say(notice)]
    failed = next(fact for fact in told if isinstance(fact, NoticeFailed))
    assert failed.after_send is (NoticeSent in [type(fact) for fact in told])
    assert (failed.permanence, failed.cause) == (Permanence.PERMANENT, "undelivered")


def test_the_ranks_are_the_pages_order_and_the_last_five_are_final() -> None:
    assert [state.value for state in sorted(NoticeState, key=lambda state: RANK[state])][:5] == [
        "PLANNED",
        "HELD",
        "SENDING",
        "UNKNOWN",
        "SENT",
    ]
    assert {state.value for state in FINAL} == {"DELIVERED", "UNDELIVERED", "FAILED", "SUPPRESSED", "PULLED"}


@pytest.mark.parametrize(
    ("state", "do"), list(product([NoticeState.SENT, *sorted(FINAL)], ["failed", "suppress", "hold", "lost"]))
)
def test_what_the_vendor_took_or_what_ended_is_neither_stopped_nor_failed(state: NoticeState, do: str) -> None:
    notice = a_notice(state)
    told = getattr(notice, do)("cause", NOW)
    assert (notice.state, told or []) == (state, [])


def test_each_try_counts_and_a_passing_failure_changes_no_state() -> None:
    notice = a_notice()
    notice.tries = 2
    (failed,) = notice.stumbled("rate_limited")
    assert isinstance(failed, NoticeFailed)
    assert (failed.try_no, failed.permanence, notice.state) == (2, Permanence.TRANSIENT, NoticeState.SENDING)


def test_a_lost_outcome_can_still_become_sent_or_failed() -> None:
    one, other = a_notice(), a_notice()
    one.lost("ReadTimeout", NOW)
    other.lost("ReadTimeout", NOW)
    assert one.state is NoticeState.UNKNOWN
    assert [type(fact) for fact in sent(one)] == [NoticeSent]
    assert [type(fact) for fact in other.failed("outcome_unknown", NOW)] == [NoticeFailed]


def test_a_notice_that_was_held_meanwhile_goes_out_under_a_new_reference() -> None:
    notice = a_notice(NoticeState.PLANNED)
    notice.hand_over()
    first = notice.reference
    notice.hold("quiet_hours", NOW)
    notice.hand_over()
    assert (first, notice.reference) == (notice.key, f"{notice.key}~2")
