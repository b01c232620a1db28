"""Fates of orders: the first play one journey each, the others are drawn by number."""

from collections import Counter

from simulators.sms_gateway.script import Try
from simulators.story import JOURNEYS, drawn, stories

MANY = 4_000
WANTED = (
    "J01",
    "J09",
    "J11",
    "J19",
    "J24",
    "J26",
    "J28",
    "J29",
    "J36",
    "J37",
    "J39",
    "J41",
    "J42",
    "J47",
    "J51",
    "J53",
)


def share(count: int) -> float:
    return count / MANY


def test_the_first_orders_play_one_journey_each() -> None:
    first = stories(40, seed=7)
    assert [story.journey for story in first[: len(JOURNEYS)]] == [*WANTED, "J60"]
    assert {story.journey for story in first[len(JOURNEYS) :]} == {""}
    assert [story.number for story in first] == list(range(1, 41))


def test_the_same_seed_gives_the_same_fates_and_another_one_others() -> None:
    assert stories(300, seed=7) == stories(300, seed=7)
    assert stories(300, seed=7) != stories(300, seed=8)


def test_a_fate_depends_on_the_number_and_not_on_how_many_orders_there_are() -> None:
    assert list(stories(300, seed=7))[:50] == list(stories(50, seed=7))
    assert drawn(123, 7) == stories(300, seed=7)[122]


def test_shares_are_those_of_the_recipe() -> None:
    told = [drawn(number, 7) for number in range(1, MANY + 1)]
    replies = Counter(story.reply for story in told)
    assert abs(share(replies["OK {code}"]) - 0.52) < 0.03
    assert abs(share(replies[None]) - 0.30) < 0.03
    first_visits = [drawn(number, 7).visits for number in range(1, MANY + 1)]
    assert abs(sum(map(len, first_visits)) / (2 * MANY) - 0.18) < 0.02
    assert abs(share(sum(bool(story.reject) for story in told)) - 0.04) < 0.015
    assert abs(share(sum(story.cancel_at is not None for story in told)) - 0.02) < 0.01
    assert abs(share(sum(story.hold_days > 0 for story in told)) - 0.03) < 0.01
    assert abs(share(sum(story.mobile for story in told)) - 0.82) < 0.03


def test_nobody_who_is_drawn_fails_three_times_or_waits_longer_than_a_partner_may() -> None:
    told = [drawn(number, 11) for number in range(1, MANY + 1)]
    assert max(len(story.visits) for story in told) == 2
    assert max(story.answers_late_hours for story in told) <= 72
    assert {try_ for story in told for try_ in story.texts} <= set(Try)
    assert all(not (story.broken_first and story.reject) for story in told)
